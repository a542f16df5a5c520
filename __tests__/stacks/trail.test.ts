import { FUNCTIONS } from "../../contract";
import {
  configOf,
  type JsonObject,
  only,
  prodName,
  published,
  reference,
  statement,
  statements,
  synthesize,
} from "../support/synth";

const { data, security } = synthesize(configOf("prod")).stacks;

const ACCOUNT = reference("data.aws_caller_identity.current.account_id");
const PARTITION = reference("data.aws_partition.partition.partition");
const TRAIL_ARN = `arn:${PARTITION}:cloudtrail:us-east-1:${ACCOUNT}:trail/payment-trail-prod`;
const trail = only(data, "aws_cloudtrail", "trail");

test("the trail sees all regions and proves its files whole", () => {
  expect(trail).toMatchObject({
    name: "payment-trail-prod",
    s3_bucket_name: reference("aws_s3_bucket.payment-cloudtrail.id"),
    is_multi_region_trail: true,
    include_global_service_events: true,
    enable_logging: true,
    enable_log_file_validation: true,
    kms_key_id: published("security", "aws_kms_key", "trail-key", "arn"),
    depends_on: ["aws_s3_bucket_policy.payment-cloudtrail-policy"],
  });
  // Its copy in CloudWatch Logs would cost more than the trail, and report nothing.
  expect(trail["cloud_watch_logs_group_arn"]).toBeUndefined();
});

/** What each selector records, field by field. */
function selectors(): Record<string, Record<string, string[]>> {
  const found = trail["advanced_event_selector"] as { name: string; field_selector: JsonObject[] }[];
  return Object.fromEntries(
    found.map(({ name, field_selector: fields }) => [
      name,
      Object.fromEntries(fields.map((each) => [each["field"], each["equals"] ?? each["starts_with"]])),
    ]),
  );
}

test("data events are recorded of exactly what is this project's", () => {
  const bucket = (id: string) => `${reference(`aws_s3_bucket.${id}.arn`)}/`;
  const table = (id: string) => reference(`aws_dynamodb_table.${id}.arn`);
  const { "Calls of the functions": calls, ...rest } = selectors();
  expect(rest).toEqual({
    "Management events": { eventCategory: ["Management"] },
    "Items of the tables": {
      eventCategory: ["Data"],
      "resources.type": ["AWS::DynamoDB::Table"],
      "resources.ARN": [
        table("payment-ledger"),
        table("payment-audit-trail"),
        table("payment-messages-trail"),
        table("payment-transactions"),
        table("payment-events"),
        table("log-state"),
      ],
    },
    "Items of restored tables": {
      eventCategory: ["Data"],
      "resources.type": ["AWS::DynamoDB::Table"],
      "resources.ARN": [`arn:${PARTITION}:dynamodb:us-east-1:${ACCOUNT}:table/scratch-`],
    },
    // The call that every reader must make first; the sealer's own reads are four a second and shard.
    "Who reads the streams": {
      eventCategory: ["Data"],
      "resources.type": ["AWS::DynamoDB::Stream"],
      "resources.ARN": [
        `${table("payment-ledger")}/stream/`,
        `${table("payment-audit-trail")}/stream/`,
        `${table("payment-messages-trail")}/stream/`,
        `${table("payment-transactions")}/stream/`,
        `${table("payment-events")}/stream/`,
        `${table("log-state")}/stream/`,
      ],
      eventName: ["GetShardIterator"],
    },
    "Failed messages": {
      eventCategory: ["Data"],
      "resources.type": ["AWS::SQS::Queue"],
      "resources.ARN": ["failure-queue", "audit-events-dead-letters", "payment-messages-dead-letters"].map((id) =>
        reference(`aws_sqs_queue.${id}.arn`),
      ),
    },
    "Objects of the buckets": {
      eventCategory: ["Data"],
      "resources.type": ["AWS::S3::Object"],
      "resources.ARN": [bucket("payment-files"), bucket("payment-exports"), bucket("payment-evidence")],
    },
    // Not its writing, each record of which would be a write again.
    "Who reads the trail": {
      eventCategory: ["Data"],
      "resources.type": ["AWS::S3::Object"],
      "resources.ARN": [bucket("payment-cloudtrail")],
      readOnly: ["true"],
    },
  });
  const named = (calls?.["resources.ARN"] ?? []).map((arn) => arn.split(":function:")[1]);
  expect(named).toEqual(Object.values(FUNCTIONS).map(({ name }) => prodName(name)));
});

test("the trail's bucket lets CloudTrail in for this trail and this account alone", () => {
  const [, check, write, ...rest] = statements(data, "payment-cloudtrail-policy-document");
  expect(rest).toEqual([]);
  const cloudTrail = [{ type: "Service", identifiers: ["cloudtrail.amazonaws.com"] }];
  const thisTrail = { test: "StringEquals", variable: "aws:SourceArn", values: [TRAIL_ARN] };
  expect(check).toMatchObject({
    effect: "Allow",
    principals: cloudTrail,
    actions: ["s3:GetBucketAcl"],
    resources: [reference("aws_s3_bucket.payment-cloudtrail.arn")],
    condition: [thisTrail],
  });
  expect(write).toMatchObject({
    effect: "Allow",
    principals: cloudTrail,
    actions: ["s3:PutObject"],
    resources: [`${reference("aws_s3_bucket.payment-cloudtrail.arn")}/AWSLogs/${ACCOUNT}/*`],
    condition: [thisTrail, { test: "StringEquals", variable: "s3:x-amz-acl", values: ["bucket-owner-full-control"] }],
  });
});

test("the trail's key lets CloudTrail in for this trail's files alone", () => {
  const thisTrail = { test: "StringEquals", variable: "aws:SourceArn", values: [TRAIL_ARN] };
  const itsFiles = {
    test: "StringLike",
    variable: "kms:EncryptionContext:aws:cloudtrail:arn",
    values: [TRAIL_ARN.replace("us-east-1", "*")],
  };
  const policy = (sid: string) => statement(security, "trail-key-policy", sid);
  expect(policy("CloudTrailDescribes")).toMatchObject({ actions: ["kms:DescribeKey"], condition: [thisTrail] });
  expect(policy("CloudTrailWrites")).toMatchObject({
    principals: [{ type: "Service", identifiers: ["cloudtrail.amazonaws.com"] }],
    actions: ["kms:GenerateDataKey"],
    condition: [thisTrail, itsFiles],
  });
  expect(policy("ReadersThroughS3")).toMatchObject({ actions: ["kms:Decrypt"] });
  expect(policy("ReadersThroughS3").condition).toContainEqual(itsFiles);
});
