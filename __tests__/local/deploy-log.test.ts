/** What the log of proofs needs of the embedded AWS: streams that reach a function, key pairs that sign, a bucket that keeps. */

import { createPublicKey, type KeyObject, verify } from "node:crypto";
import { rmSync } from "node:fs";
import { setTimeout as delay } from "node:timers/promises";
import {
  type AttributeValue,
  DeleteItemCommand,
  DescribeTableCommand,
  DynamoDBClient,
  QueryCommand,
  UpdateItemCommand,
} from "@aws-sdk/client-dynamodb";
import { GetPublicKeyCommand, KMSClient, SignCommand, type SigningAlgorithmSpec } from "@aws-sdk/client-kms";
import { LambdaClient, ListEventSourceMappingsCommand } from "@aws-sdk/client-lambda";
import { DeleteObjectCommand, GetObjectLockConfigurationCommand, PutObjectCommand, S3Client } from "@aws-sdk/client-s3";
import { GetScheduleCommand, SchedulerClient } from "@aws-sdk/client-scheduler";
import { type Deployment, deploy } from "../../local/deploy";
import type { EmbeddedAws } from "../../local/embedded-aws";
import { sharedEmbeddedAws } from "../support/shared-aws";
import { writeProbeApp } from "./fixture";

const DELIVERY_TIMEOUT_MS = 20_000;
const BUCKET = "probe-evidence";
const text = (name: string) => ({ name, type: "S" });

/** As the stacks say it, argument by argument. */
const MORE = {
  aws_dynamodb_table: {
    seen: { name: "Seen-test", hash_key: "Table", range_key: "Change", attribute: [text("Table"), text("Change")] },
  },
  aws_lambda_event_source_mapping: {
    ledger: {
      event_source_arn: `\${aws_dynamodb_table.ledger.stream_arn}`,
      function_name: `\${aws_lambda_function.probe.arn}`,
      starting_position: "TRIM_HORIZON",
      batch_size: 1000,
      maximum_batching_window_in_seconds: 5,
      parallelization_factor: 1,
      bisect_batch_on_function_error: false,
      maximum_retry_attempts: -1,
      maximum_record_age_in_seconds: -1,
    },
  },
  aws_kms_key: {
    ed25519: { key_usage: "SIGN_VERIFY", customer_master_key_spec: "ECC_NIST_EDWARDS25519" },
    p256: { key_usage: "SIGN_VERIFY", customer_master_key_spec: "ECC_NIST_P256" },
  },
  aws_s3_bucket: { evidence: { bucket: BUCKET, object_lock_enabled: true, force_destroy: true } },
  aws_s3_bucket_versioning: {
    evidence: { bucket: `\${aws_s3_bucket.evidence.id}`, versioning_configuration: { status: "Enabled" } },
  },
  aws_s3_bucket_object_lock_configuration: {
    evidence: {
      bucket: `\${aws_s3_bucket.evidence.id}`,
      rule: { default_retention: { mode: "COMPLIANCE", days: 1 } },
      depends_on: ["aws_s3_bucket_versioning.evidence"],
    },
  },
  aws_scheduler_schedule: {
    heartbeat: schedule("heartbeat", "rate(1 minute)"),
    sweep: schedule("sweep", "cron(0 4 * * ? *)"),
  },
};

function schedule(name: string, expression: string) {
  return {
    name,
    schedule_expression: expression,
    flexible_time_window: { mode: "OFF" },
    target: {
      arn: `\${aws_lambda_function.probe.arn}`,
      role_arn: `\${data.terraform_remote_state.cross-stack-reference-input-base.outputs.role-arn}`,
      input: `\${jsonencode({"kind" = "heartbeat"})}`,
      retry_policy: { maximum_retry_attempts: 1, maximum_event_age_in_seconds: 60 },
    },
  };
}

let folder: string;
let aws: EmbeddedAws;
let deployment: Deployment;
let dynamo: DynamoDBClient;

beforeAll(async () => {
  folder = writeProbeApp(MORE);
  aws = await sharedEmbeddedAws();
  deployment = await deploy({ aws, outputDirectory: folder });
  dynamo = new DynamoDBClient(deployment.clientConfig());
});

afterAll(async () => {
  dynamo?.destroy();
  await aws?.stop();
  rmSync(folder, { recursive: true, force: true });
});

/** The changes that reached the function, in their order, as soon as there are so many. */
async function changesSeen(count: number): Promise<string[]> {
  const deadline = Date.now() + DELIVERY_TIMEOUT_MS;
  let seen: Record<string, AttributeValue>[] = [];
  while (seen.length < count && Date.now() < deadline) {
    await delay(100);
    const { Items = [] } = await dynamo.send(
      new QueryCommand({
        TableName: "Seen-test",
        ConsistentRead: true,
        KeyConditionExpression: "#table = :table",
        ExpressionAttributeNames: { "#table": "Table" },
        ExpressionAttributeValues: { ":table": { S: "PaymentLedger" } },
      }),
    );
    seen = Items;
  }
  return seen.map(({ Event, Id }) => `${Event?.S} ${Id?.S}`);
}

describe("a table's stream", () => {
  test("is mapped to its function as the stack says", async () => {
    const lambda = new LambdaClient(deployment.clientConfig());
    const { EventSourceMappings = [] } = await lambda.send(new ListEventSourceMappingsCommand({}));
    expect(EventSourceMappings).toEqual([
      expect.objectContaining({
        EventSourceArn: expect.stringContaining(":table/PaymentLedger-test/stream/"),
        StartingPosition: "TRIM_HORIZON",
        BatchSize: 1000,
        MaximumBatchingWindowInSeconds: 5,
        ParallelizationFactor: 1,
        BisectBatchOnFunctionError: false,
        MaximumRetryAttempts: -1,
        MaximumRecordAgeInSeconds: -1,
      }),
    ]);
    lambda.destroy();
  });

  test("delivers every change to it, in the order in which they were made", async () => {
    const TableName = deployment.tableName("paymentLedger");
    const Key = { TransactionID: { S: "two" } };
    await deployment.invoke("persistPaymentLedger", { mode: "put", ids: ["one", "two"] });
    await dynamo.send(
      new UpdateItemCommand({
        TableName,
        Key,
        UpdateExpression: "SET Amount = :amount",
        ExpressionAttributeValues: { ":amount": { S: "1.00" } },
      }),
    );
    await dynamo.send(new DeleteItemCommand({ TableName, Key }));
    expect(await changesSeen(4)).toEqual(["INSERT one", "INSERT two", "MODIFY two", "REMOVE two"]);
  }, 30_000);
});

test.each<[string, SigningAlgorithmSpec, (key: KeyObject, signature: Uint8Array, message: Buffer) => boolean]>([
  ["ed25519", "ED25519_SHA_512", (key, signature, message) => verify(null, message, key, signature)],
  ["p256", "ECDSA_SHA_256", (key, signature, message) => verify("sha256", message, key, signature)],
])("a key pair %s signs with %s what its public key verifies without AWS", async (name, SigningAlgorithm, isGood) => {
  const kms = new KMSClient(deployment.clientConfig());
  const found = deployment.resources.find(({ block }) => block.address === `aws_kms_key.${name}`);
  const KeyId = String(found?.attributes["key_id"]);
  const Message = Buffer.from("payment-ledger/test\n1\nAAAA\n");
  const { Signature } = await kms.send(new SignCommand({ KeyId, Message, MessageType: "RAW", SigningAlgorithm }));
  const { PublicKey } = await kms.send(new GetPublicKeyCommand({ KeyId }));
  const publicKey = createPublicKey({ key: Buffer.from(PublicKey ?? []), format: "der", type: "spki" });
  const signature = Signature ?? new Uint8Array();
  expect(isGood(publicKey, signature, Message)).toBe(true);
  expect(isGood(publicKey, signature, Buffer.from("payment-ledger/test\n2\nAAAA\n"))).toBe(false);
  kms.destroy();
});

test("a locked bucket keeps what was put, and takes a put on condition only while there is nothing", async () => {
  const s3 = new S3Client(deployment.clientConfig());
  const { ObjectLockConfiguration } = await s3.send(new GetObjectLockConfigurationCommand({ Bucket: BUCKET }));
  expect(ObjectLockConfiguration?.Rule?.DefaultRetention).toEqual({ Mode: "COMPLIANCE", Days: 1 });
  const put = (Body: string) =>
    s3.send(new PutObjectCommand({ Bucket: BUCKET, Key: "log/tile/0/000", Body, IfNoneMatch: "*" }));
  const { VersionId } = await put("first");
  await expect(put("second")).rejects.toMatchObject({ name: "PreconditionFailed" });
  const removal = new DeleteObjectCommand({ Bucket: BUCKET, Key: "log/tile/0/000", VersionId });
  await expect(s3.send(removal)).rejects.toMatchObject({ name: "AccessDenied" });
  s3.destroy();
});

test("a table has its sort key, and no stream unless the stack says so", async () => {
  const { Table } = await dynamo.send(new DescribeTableCommand({ TableName: "Seen-test" }));
  expect(Table?.KeySchema).toEqual([
    { AttributeName: "Table", KeyType: "HASH" },
    { AttributeName: "Change", KeyType: "RANGE" },
  ]);
  expect(Table?.LatestStreamArn).toBeUndefined();
});

test("what comes at a rate runs, what comes by the calendar waits to be called", async () => {
  const scheduler = new SchedulerClient(deployment.clientConfig());
  const stateOf = async (Name: string) => (await scheduler.send(new GetScheduleCommand({ Name }))).State;
  expect([await stateOf("heartbeat"), await stateOf("sweep")]).toEqual(["ENABLED", "DISABLED"]);
  scheduler.destroy();
});
