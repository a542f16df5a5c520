import { iamRegionOf } from "../../stacks/constructs/guards";
import { eventPattern, type GuardedResources, guardRules } from "../../stacks/guard-rules";
import { type EventJson, matches } from "../support/event-pattern";
import {
  configOf,
  type JsonObject,
  only,
  published,
  reference,
  STACK_IDS,
  statement,
  statements,
  synthesize,
  WITH_PRIVATE_API,
} from "../support/synth";

const { stacks } = synthesize(configOf("prod", WITH_PRIVATE_API));
const { functions, security } = stacks;
const RULES = functions.resource["aws_cloudwatch_event_rule"] ?? {};

const ACCOUNT = "111122223333";
const TABLE = `arn:aws:dynamodb:us-east-1:${ACCOUNT}:table/PaymentLedger`;
const KEY = `arn:aws:kms:us-east-1:${ACCOUNT}:key/0a1b2c3d-aaaa-bbbb-cccc-0a1b2c3d4e5f`;
const FUNCTION = `arn:aws:lambda:us-east-1:${ACCOUNT}:function:seal_audit_trail`;

const GUARDED: GuardedResources = {
  tableNames: ["PaymentLedger"],
  tableArns: [TABLE],
  bucketNames: ["payment-evidence-prod-111122223333"],
  keyArns: [KEY],
  queueNames: ["audit-trail-queue"],
  trailName: "payment-trail-prod",
  trailArn: `arn:aws:cloudtrail:us-east-1:${ACCOUNT}:trail/payment-trail-prod`,
  roleNames: ["paymentledger-role"],
  boundaryArns: [`arn:aws:iam::${ACCOUNT}:policy/payment-permissions-boundary`],
  functionNames: ["seal_audit_trail"],
  scheduleGroup: "payment-ledger",
  backupVaultName: "payment-backup-prod",
  backupPlanId: "plan-1",
  topicArn: `arn:aws:sns:us-east-1:${ACCOUNT}:payment-alarms`,
  securityGroupId: "sg-1",
  privateApiId: "abcde12345",
  namePrefix: "payment-",
};

type Detail = { readonly [key: string]: EventJson };

/** As CloudTrail writes the call and EventBridge delivers it. */
function called(service: string, eventName: string, detail: Detail): EventJson {
  return {
    source: `aws.${service === "monitoring" ? "cloudwatch" : service}`,
    "detail-type": "AWS API Call via CloudTrail",
    detail: { eventSource: `${service}.amazonaws.com`, eventName, ...detail },
  };
}

function reportedBy(event: EventJson): string[] {
  return guardRules(GUARDED)
    .filter((rule) => matches(eventPattern(rule) as EventJson, event))
    .map(({ id }) => id);
}

/** A call that weakens a protection, the rule that reports it, and the same call on what is somebody else's. */
const ACTS: [what: string, service: string, eventName: string, ours: Detail, theirs: Detail, rule: string][] = [
  [
    "a table's policy is removed",
    "dynamodb",
    "DeleteResourcePolicy",
    { requestParameters: { resourceArn: TABLE } },
    { requestParameters: { resourceArn: `${TABLE}Copy` } },
    "table-guards",
  ],
  [
    "a table's policy is replaced",
    "dynamodb",
    "PutResourcePolicy",
    { requestParameters: { resourceArn: TABLE } },
    { requestParameters: { resourceArn: "other" } },
    "table-guards",
  ],
  [
    "deletion protection or the stream is switched off",
    "dynamodb",
    "UpdateTable",
    { requestParameters: { tableName: "PaymentLedger" } },
    { requestParameters: { tableName: "Orders" } },
    "table-guards",
  ],
  [
    "a table is deleted by its ARN",
    "dynamodb",
    "DeleteTable",
    { requestParameters: { tableName: TABLE } },
    { requestParameters: { tableName: "scratch-drill-PaymentLedger" } },
    "table-guards",
  ],
  [
    "point-in-time recovery is switched off",
    "dynamodb",
    "UpdateContinuousBackups",
    { requestParameters: { tableName: "PaymentLedger" } },
    { requestParameters: { tableName: "Orders" } },
    "table-guards",
  ],
  ...[
    "PutBucketPolicy",
    "DeleteBucketPolicy",
    "PutBucketLifecycle",
    "PutBucketEncryption",
    "PutBucketObjectLockConfiguration",
    "PutBucketVersioning",
    "PutBucketNotification",
    "DeleteBucketPublicAccessBlock",
    "PutBucketReplication",
  ].map((eventName): (typeof ACTS)[number] => [
    "a bucket's guard is changed",
    "s3",
    eventName,
    { requestParameters: { bucketName: "payment-evidence-prod-111122223333" } },
    { requestParameters: { bucketName: "pictures" } },
    "bucket-guards",
  ]),
  ...["PutKeyPolicy", "DisableKey", "ScheduleKeyDeletion"].map((eventName): (typeof ACTS)[number] => [
    "a key is taken away",
    "kms",
    eventName,
    { requestParameters: { keyId: "0a1b2c3d-aaaa-bbbb-cccc-0a1b2c3d4e5f" }, resources: [{ ARN: KEY }] },
    { requestParameters: { keyId: "other" }, resources: [{ ARN: `${KEY}0` }] },
    "key-guards",
  ]),
  ...["StopLogging", "UpdateTrail", "DeleteTrail"].map((eventName): (typeof ACTS)[number] => [
    "the trail is stopped or changed",
    "cloudtrail",
    eventName,
    { requestParameters: { name: "payment-trail-prod" } },
    { requestParameters: { name: "other-trail" } },
    "trail-guards",
  ]),
  [
    "the trail records less",
    "cloudtrail",
    "PutEventSelectors",
    { requestParameters: { trailName: GUARDED.trailArn } },
    { requestParameters: { trailName: "other-trail" } },
    "trail-guards",
  ],
  [
    "a role's boundary is removed",
    "iam",
    "DeleteRolePermissionsBoundary",
    { requestParameters: { roleName: "paymentledger-role" } },
    { requestParameters: { roleName: "other-role" } },
    "role-guards",
  ],
  [
    "the boundary itself is widened",
    "iam",
    "CreatePolicyVersion",
    { requestParameters: { policyArn: GUARDED.boundaryArns[0] ?? "" } },
    { requestParameters: { policyArn: "other" } },
    "role-guards",
  ],
  [
    "a stream is not read any more",
    "lambda",
    "DeleteEventSourceMapping20150331",
    { requestParameters: { uUID: "1" }, responseElements: { functionArn: FUNCTION } },
    { requestParameters: { uUID: "2" }, responseElements: { functionArn: `${FUNCTION}-dev` } },
    "function-guards",
  ],
  [
    "a function's code is replaced",
    "lambda",
    "UpdateFunctionCode20150331v2",
    { requestParameters: { functionName: FUNCTION } },
    { requestParameters: { functionName: "other" } },
    "function-guards",
  ],
  [
    "a schedule is switched off",
    "scheduler",
    "UpdateSchedule",
    { requestParameters: { name: "payment-log-heartbeat", groupName: "payment-ledger" } },
    { requestParameters: { name: "other", groupName: "default" } },
    "schedule-guards",
  ],
  [
    "a backup is deleted",
    "backup",
    "DeleteRecoveryPoint",
    { requestParameters: { backupVaultName: "payment-backup-prod" } },
    { requestParameters: { backupVaultName: "other" } },
    "vault-guards",
  ],
  [
    "the vault's lock is removed",
    "backup",
    "DeleteBackupVaultLockConfiguration",
    { requestParameters: { backupVaultName: "payment-backup-prod" } },
    { requestParameters: { backupVaultName: "other" } },
    "vault-guards",
  ],
  [
    "a queue is emptied",
    "sqs",
    "PurgeQueue",
    { requestParameters: { queueUrl: `https://sqs.us-east-1.amazonaws.com/${ACCOUNT}/audit-trail-queue` } },
    { requestParameters: { queueUrl: `https://sqs.us-east-1.amazonaws.com/${ACCOUNT}/other` } },
    "queue-guards",
  ],
  [
    "an alarm is switched off",
    "monitoring",
    "DisableAlarmActions",
    { requestParameters: { alarmNames: ["payment-log-tampering"] } },
    { requestParameters: { alarmNames: ["cpu"] } },
    "alarm-guards",
  ],
  [
    "the reporting rule is switched off",
    "events",
    "DisableRule",
    { requestParameters: { name: "payment-table-guards" } },
    { requestParameters: { name: "nightly" } },
    "rule-guards",
  ],
  [
    "the topic is changed",
    "sns",
    "SetTopicAttributes",
    { requestParameters: { topicArn: GUARDED.topicArn } },
    { requestParameters: { topicArn: "other" } },
    "topic-guards",
  ],
  [
    "a way out of the network is opened",
    "ec2",
    "AuthorizeSecurityGroupEgress",
    { requestParameters: { groupId: "sg-1" } },
    { requestParameters: { groupId: "sg-2" } },
    "network-guards",
  ],
  ...["UpdateMethod", "PutIntegrationResponse", "UpdateRestApi", "CreateDeployment", "DeleteStage"].map(
    (eventName): (typeof ACTS)[number] => [
      "the private API is changed",
      "apigateway",
      eventName,
      { requestParameters: { restApiId: "abcde12345" } },
      { requestParameters: { restApiId: "zyxwv98765" } },
      "api-guards",
    ],
  ),
];

test.each(
  ACTS.map(
    ([what, service, eventName, ours, theirs, rule]) => [what, service, eventName, { ours, theirs, rule }] as const,
  ),
)("%s (%s %s) is reported, for this project alone", (_, service, eventName, { ours, theirs, rule }) => {
  expect(reportedBy(called(service, eventName, ours))).toEqual([rule]);
  expect(reportedBy(called(service, eventName, theirs))).toEqual([]);
});

test("what the ledger does every minute is not reported", () => {
  expect(
    reportedBy(called("dynamodb", "DescribeTable", { requestParameters: { tableName: "PaymentLedger" } })),
  ).toEqual([]);
  expect(reportedBy(called("kms", "GenerateDataKey", { resources: [{ ARN: KEY }] }))).toEqual([]);
  expect(reportedBy({ source: "my.app", "detail-type": "AWS API Call via CloudTrail", detail: {} })).toEqual([]);
});

/** The guards of the stacks, by type of resource, and the rule that reports a change of one. `null`: it guards nothing by itself. */
const GUARDS: Record<string, string> = {
  aws_dynamodb_resource_policy: "table-guards",
  aws_dynamodb_table: "table-guards",
  aws_s3_bucket_policy: "bucket-guards",
  aws_s3_bucket_lifecycle_configuration: "bucket-guards",
  aws_s3_bucket_object_lock_configuration: "bucket-guards",
  aws_s3_bucket_server_side_encryption_configuration: "bucket-guards",
  aws_s3_bucket_versioning: "bucket-guards",
  aws_s3_bucket_public_access_block: "bucket-guards",
  aws_s3_bucket_ownership_controls: "bucket-guards",
  aws_s3_bucket_notification: "bucket-guards",
  aws_kms_key: "key-guards",
  aws_kms_alias: "key-guards",
  aws_iam_policy: "role-guards",
  aws_iam_role: "role-guards",
  aws_iam_role_policy: "role-guards",
  aws_sqs_queue_policy: "queue-guards",
  aws_sns_topic_policy: "topic-guards",
  aws_cloudtrail: "trail-guards",
  aws_backup_plan: "vault-guards",
  aws_backup_selection: "vault-guards",
  aws_backup_vault: "vault-guards",
  aws_backup_vault_lock_configuration: "vault-guards",
  aws_lambda_event_source_mapping: "function-guards",
  aws_lambda_function: "function-guards",
  aws_lambda_permission: "function-guards",
  aws_scheduler_schedule: "schedule-guards",
  aws_scheduler_schedule_group: "schedule-guards",
  aws_cloudwatch_metric_alarm: "alarm-guards",
  aws_cloudwatch_event_rule: "rule-guards",
  aws_cloudwatch_event_target: "rule-guards",
  aws_vpc_security_group_egress_rule: "network-guards",
  ...Object.fromEntries(
    ["deployment", "integration", "method", "method_settings", "rest_api", "rest_api_policy", "stage"].map((kind) => [
      `aws_api_gateway_${kind}`,
      "api-guards",
    ]),
  ),
};

/** What no rule reports, with the reason. */
const NOT_REPORTED: Record<string, string> = {
  ...Object.fromEntries(
    ["vpc", "subnet", "route_table", "route_table_association", "security_group", "default_security_group"].map(
      (kind) => [`aws_${kind}`, "without it a function cannot call and fails, which has an alarm"],
    ),
  ),
  aws_api_gateway_resource: "a path; what it leads to is its method and its integration",
  aws_vpc_endpoint_policy: "the API's own policy and IAM decide too",
  aws_vpc_endpoint: "without it a function cannot call and fails; the roles' own policies bound what passes it",
  aws_vpc_security_group_ingress_rule: "the endpoints' own; it opens them and no function",
  aws_flow_log: "a record of connections, from which nothing else follows",
  aws_cloudwatch_log_group: "the audit trail is in the tables, not in the logs",
  aws_cloudwatch_dashboard: "shows, and guards nothing",
  aws_lambda_function_event_invoke_config: "a failed call that goes nowhere still has the function's alarm",
  aws_lambda_function_recursion_config: "a loop stops earlier",
  aws_sns_topic: "reported with its policy",
  aws_sqs_queue: "reported with its policy",
  aws_sqs_queue_redrive_allow_policy: "an attribute of the queue, reported as such",
  aws_s3_bucket: "reported with its policy",
  terraform_data: "in Terraform's state only",
  aws_s3_object: "in the evidence bucket, under object lock; CloudTrail has each put",
};

test("each kind of resource is reported when it is changed, or says why not", () => {
  const types = new Set(STACK_IDS.flatMap((id) => Object.keys(stacks[id].resource)));
  const ids = new Set(Object.keys(RULES));
  for (const type of types) {
    const rule = GUARDS[type];
    expect([type, rule === undefined ? type in NOT_REPORTED : ids.has(rule)]).toEqual([type, true]);
  }
});

test("every rule reaches the alarm topic with a text that names the runbook", () => {
  expect(Object.keys(RULES).sort()).toEqual(
    guardRules(GUARDED)
      .map(({ id }) => id)
      .sort(),
  );
  for (const id of Object.keys(RULES)) {
    const target = only(functions, "aws_cloudwatch_event_target", `${id}-topic`);
    expect(target).toMatchObject({
      rule: reference(`aws_cloudwatch_event_rule.${id}.name`),
      arn: published("security", "aws_sns_topic", "alarm-topic", "arn"),
    });
    const { input_paths: paths, input_template: template } = target["input_transformer"] as JsonObject;
    expect(String(template)).toMatch(/^"[^"]*docs\/runbook\.md#guard-changed"$/);
    const used = [...String(template).matchAll(/<(\w+)>/g)].map(([, name]) => name);
    expect(used.sort()).toEqual(Object.keys(paths as JsonObject).sort());
  }
});

test("topic and key let EventBridge in, and the key is not the one that the data rests under", () => {
  const events = [{ type: "Service", identifiers: ["events.amazonaws.com"] }];
  expect(statement(security, "alarm-topic-policy-document", "EventsOfThisAccount")).toMatchObject({
    principals: events,
    actions: ["sns:Publish"],
  });
  expect(statement(security, "alarms-key-policy", "EventsToTopic")).toMatchObject({
    principals: events,
    actions: ["kms:Decrypt", "kms:GenerateDataKey"],
  });
  expect(only(security, "aws_sns_topic", "alarm-topic")["kms_master_key_id"]).toBe(
    reference("aws_kms_key.alarms-key.arn"),
  );
});

/** https://docs.aws.amazon.com/eventbridge/latest/userguide/eb-quota.html, read on 2026-11-28. */
const PATTERN_CHARACTERS_MAX = 4096;

test("every pattern is within EventBridge's bound under the longest suffix", () => {
  const { functions: long } = synthesize(configOf("dev", { suffix: "s".repeat(31) })).stacks;
  for (const [id, rule] of Object.entries(long.resource["aws_cloudwatch_event_rule"] ?? {})) {
    const written = String(rule["event_pattern"])
      .replaceAll("data.aws_partition.partition.partition", "aws-us-gov")
      .replaceAll("data.aws_caller_identity.current.account_id", "1".repeat(12))
      .replace(/data\.terraform_remote_state[\w.-]+/g, "x".repeat(80));
    expect([id, written.length <= PATTERN_CHARACTERS_MAX]).toEqual([id, true]);
  }
});

describe("in a region where IAM has no events", () => {
  const frankfurt = synthesize(configOf("dev", { region: "eu-central-1", suffix: "eu" })).stacks.functions;

  test("they are sent on from the region that has them", () => {
    const forwarded = only(frankfurt, "aws_cloudwatch_event_rule", "role-guards-forwarded");
    expect(forwarded["region"]).toBe("us-east-1");
    const bus = `arn:${reference("data.aws_partition.partition.partition")}:events:eu-central-1:${reference("data.aws_caller_identity.current.account_id")}:event-bus/default`;
    expect(only(frankfurt, "aws_cloudwatch_event_target", "role-guards-forwarding")).toMatchObject({
      region: "us-east-1",
      arn: bus,
      role_arn: reference("aws_iam_role.guard-events-role.arn"),
    });
    expect(statements(frankfurt, "guard-events-access-policy")).toMatchObject([
      { actions: ["events:PutEvents"], resources: [bus] },
    ]);
  });

  test("and nowhere else", () => {
    expect(functions.resource["aws_cloudwatch_event_rule"]?.["role-guards-forwarded"]).toBeUndefined();
    expect(["us-east-1", "eu-west-1", "us-gov-east-1"].map(iamRegionOf)).toEqual([
      "us-east-1",
      "us-east-1",
      "us-gov-west-1",
    ]);
  });
});
