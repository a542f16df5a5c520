/** What protects the data against time and mistakes: each protection is watched, and each that outlives a destroy is listed. */

import { readFileSync } from "node:fs";
import { join } from "node:path";
import { FUNCTIONS } from "../../contract";
import { PROJECT } from "../support/project-files";
import { configOf, type Json, type JsonObject, STACK_IDS, type StackJson, synthesize } from "../support/synth";

const { stacks } = synthesize(configOf("prod"));
const { functions, data } = stacks;
const ALARMS = Object.entries(functions.resource["aws_cloudwatch_metric_alarm"] ?? {});

const textOf = (path: string) => readFileSync(join(PROJECT, path), "utf8");
const ofType = (type: string): [string, JsonObject][] =>
  STACK_IDS.flatMap((id) => Object.entries(stacks[id].resource[type] ?? {}));

// -------------------------------------------------------------------------------------------------------- watched

/** Every dimension value that an alarm looks at, references resolved to what they name. */
function watchedBy(alarm: JsonObject): string {
  return JSON.stringify([alarm["dimensions"] ?? {}, alarm["metric_query"] ?? []]);
}

interface Watch {
  readonly failed: string[];
  readonly missing: string[];
}

/** The alarms about something, by what they look at: those that start when it fails, and those that start when it does not happen. */
function alarmsAbout(part: string): Watch {
  const about = ALARMS.filter(([, alarm]) => watchedBy(alarm).includes(part));
  const ids = (operator: string) =>
    about.filter(([, alarm]) => alarm["comparison_operator"] === operator).map(([id]) => id);
  return { failed: ids("GreaterThanOrEqualToThreshold"), missing: ids("LessThanThreshold") };
}

/** The entry of the function that a schedule starts, from its ARN by name or by reference. */
function startedBy(schedule: JsonObject): string {
  const arn = String((schedule["target"] as JsonObject)["arn"]);
  const byReference = /aws_lambda_function\.([a-z-]+)\.arn/.exec(arn)?.[1];
  if (byReference !== undefined) return byReference;
  const name = arn.slice(arn.lastIndexOf(":") + 1);
  const found = Object.values(FUNCTIONS).find((each) => name === each.name || name === `${each.name}-prod`);
  if (found === undefined) throw new Error(`No function is named ${name}.`);
  return found.entry;
}

const SCHEDULES = ofType("aws_scheduler_schedule");

test("there are schedules to look at", () => {
  expect(SCHEDULES.length).toBeGreaterThanOrEqual(6);
});

test.each(SCHEDULES)("%s: what it starts has an alarm when it fails and one when it does not happen", (_, schedule) => {
  const { failed, missing } = alarmsAbout(`aws_lambda_function.${startedBy(schedule)}.function_name`);
  expect([failed.length > 0, missing.length > 0]).toEqual([true, true]);
});

test("the backup plan has both alarms", () => {
  const [[, plan]] = ofType("aws_backup_plan") as [[string, JsonObject]];
  expect((plan["rule"] as Json[]).length).toBeGreaterThan(0);
  const vault = String(data.resource["aws_backup_vault"]?.["backup-vault"]?.["name"]);
  expect(alarmsAbout(`"BackupVaultName":"${vault}"`)).toEqual({
    failed: ["vault-backup-failed"],
    missing: ["vault-backup-missing"],
  });
});

test("point-in-time recovery: switched off it is reported, and without it no export succeeds, which has both alarms", () => {
  for (const [, table] of ofType("aws_dynamodb_table")) {
    expect((table["point_in_time_recovery"] as JsonObject)["enabled"]).toBe(true);
  }
  const rules = JSON.stringify(functions.resource["aws_cloudwatch_event_rule"]);
  expect(rules).toContain("UpdateContinuousBackups");
  const exports = alarmsAbout(`aws_lambda_function.${FUNCTIONS.exportTables.entry}.function_name`);
  expect(exports.failed).toContain("export-failed");
  expect(exports.missing).toContain("export-missing");
});

test("what must happen counts silence as 0 inside the alarm's own expression", () => {
  for (const [id, alarm] of ALARMS.filter(([, each]) => each["comparison_operator"] === "LessThanThreshold")) {
    const queries = alarm["metric_query"] as JsonObject[] | undefined;
    expect([id, queries?.[0]?.["expression"]]).toEqual([id, "FILL(m1,0)"]);
    // Where there was never a point at all, an expression gives none either.
    expect([id, alarm["treat_missing_data"]]).toEqual([id, "breaching"]);
  }
});

// --------------------------------------------------------------------------------------------------------- teardown

/** Names of what a destroy of `prod` leaves or refuses, from the plan. */
function keptByDestroy(): string[] {
  const named = (type: string, key: string, kept: (resource: JsonObject) => boolean) =>
    ofType(type)
      .filter(([, resource]) => kept(resource))
      .map(([, resource]) => String(resource[key]).replace(/-?\$\{[^}]*\}$/, ""));
  return [
    ...named("aws_dynamodb_table", "name", (table) => table["deletion_protection_enabled"] === true),
    ...named("aws_s3_bucket", "bucket", (bucket) => bucket["force_destroy"] !== true),
    ...named("aws_backup_vault", "name", (vault) => vault["force_destroy"] !== true),
  ];
}

const CLEAN_UP =
  textOf("docs/usage.md")
    .split("\n## ")
    .find((part) => part.startsWith("Clean up")) ?? "";

test("usage.md lists all that a destroy of prod leaves", () => {
  const kept = keptByDestroy();
  expect(kept.length).toBe(6 + 4 + 1);
  expect(kept.filter((name) => !CLEAN_UP.includes(`\`${name}\``))).toEqual([]);
});

test("usage.md lists each lock of a bucket or a vault with its days", () => {
  const rowOf = (name: string) => CLEAN_UP.split("\n").find((line) => line.startsWith(`| the ${name}`));
  const bucketLocks = ofType("aws_s3_bucket_object_lock_configuration");
  expect(bucketLocks.map(([id]) => id).sort()).toEqual(["payment-cloudtrail-lock", "payment-evidence-lock"]);
  for (const [id, lock] of bucketLocks) {
    const { days } = (lock["rule"] as JsonObject)["default_retention"] as { days: number };
    expect(rowOf(`bucket \`${id.replace(/-lock$/, "-prod")}\``)).toContain(`${days} days`);
  }
  const [vaultLock] = ofType("aws_backup_vault_lock_configuration");
  const { min_retention_days: min, changeable_for_days: changeable } = vaultLock?.[1] ?? {};
  const row = rowOf("vault `payment-backup-prod`");
  expect(row).toContain(`(${min} and `);
  expect(row).toContain(`cannot be taken off ${changeable} days after`);
});

// --------------------------------------------------------------------------------------------- the deploying principal

/** What makes each kind of resource, by type. */
const MADE_BY: Record<string, string> = {
  aws_backup_plan: "backup:CreateBackupPlan",
  aws_backup_selection: "backup:CreateBackupSelection",
  aws_backup_vault: "backup:CreateBackupVault",
  aws_backup_vault_lock_configuration: "backup:PutBackupVaultLockConfiguration",
  aws_cloudtrail: "cloudtrail:CreateTrail",
  aws_cloudwatch_dashboard: "cloudwatch:PutDashboard",
  aws_cloudwatch_event_rule: "events:PutRule",
  aws_cloudwatch_event_target: "events:PutTargets",
  aws_cloudwatch_log_group: "logs:CreateLogGroup",
  aws_cloudwatch_metric_alarm: "cloudwatch:PutMetricAlarm",
  aws_default_security_group: "ec2:RevokeSecurityGroupEgress",
  aws_dynamodb_resource_policy: "dynamodb:PutResourcePolicy",
  aws_dynamodb_table: "dynamodb:CreateTable",
  aws_eip: "ec2:AllocateAddress",
  aws_flow_log: "ec2:CreateFlowLogs",
  aws_iam_policy: "iam:CreatePolicy",
  aws_iam_role: "iam:CreateRole",
  aws_iam_role_policy: "iam:PutRolePolicy",
  aws_internet_gateway: "ec2:CreateInternetGateway",
  aws_kms_alias: "kms:CreateAlias",
  aws_kms_key: "kms:CreateKey",
  aws_lambda_event_source_mapping: "lambda:CreateEventSourceMapping",
  aws_lambda_function: "lambda:CreateFunction",
  aws_lambda_function_event_invoke_config: "lambda:PutFunctionEventInvokeConfig",
  aws_lambda_function_recursion_config: "lambda:PutFunctionRecursionConfig",
  aws_lambda_permission: "lambda:AddPermission",
  aws_nat_gateway: "ec2:CreateNatGateway",
  aws_route: "ec2:CreateRoute",
  aws_route_table: "ec2:CreateRouteTable",
  aws_route_table_association: "ec2:AssociateRouteTable",
  aws_s3_bucket: "s3:CreateBucket",
  aws_s3_bucket_lifecycle_configuration: "s3:PutLifecycleConfiguration",
  aws_s3_bucket_notification: "s3:PutBucketNotification",
  aws_s3_bucket_object_lock_configuration: "s3:PutBucketObjectLockConfiguration",
  aws_s3_bucket_ownership_controls: "s3:PutBucketOwnershipControls",
  aws_s3_bucket_policy: "s3:PutBucketPolicy",
  aws_s3_bucket_public_access_block: "s3:PutBucketPublicAccessBlock",
  aws_s3_bucket_server_side_encryption_configuration: "s3:PutEncryptionConfiguration",
  aws_s3_bucket_versioning: "s3:PutBucketVersioning",
  aws_s3_object: "s3:PutObject",
  aws_scheduler_schedule: "scheduler:CreateSchedule",
  aws_scheduler_schedule_group: "scheduler:CreateScheduleGroup",
  aws_security_group: "ec2:CreateSecurityGroup",
  aws_sns_topic: "sns:CreateTopic",
  aws_sns_topic_policy: "sns:SetTopicAttributes",
  aws_sqs_queue: "sqs:CreateQueue",
  aws_sqs_queue_policy: "sqs:SetQueueAttributes",
  aws_sqs_queue_redrive_allow_policy: "sqs:SetQueueAttributes",
  aws_subnet: "ec2:CreateSubnet",
  aws_vpc: "ec2:CreateVpc",
  aws_vpc_endpoint: "ec2:CreateVpcEndpoint",
  aws_vpc_security_group_egress_rule: "ec2:AuthorizeSecurityGroupEgress",
  aws_vpc_security_group_ingress_rule: "ec2:AuthorizeSecurityGroupIngress",
};

const typesOf = (all: Record<string, StackJson>) => Object.values(all).flatMap(({ resource }) => Object.keys(resource));

test("deploy.md lists what the deploying principal needs for every kind of resource, in every layout", () => {
  const section =
    textOf("docs/deploy.md")
      .split("\n## ")
      .find((part) => part.startsWith("What the deploying principal needs")) ?? "";
  const nat = synthesize(configOf("prod", { connectivity: "nat" })).stacks;
  const awsTypes = [...typesOf(stacks), ...typesOf(nat)].filter((type) => type.startsWith("aws_"));
  for (const type of new Set(awsTypes)) {
    const action = MADE_BY[type];
    expect([type, action !== undefined && section.includes(`\`${action}\``)]).toEqual([type, true]);
  }
});

test("and each service that a role is passed to", () => {
  const section =
    textOf("docs/deploy.md")
      .split("\n## ")
      .find((part) => part.startsWith("What the deploying principal needs")) ?? "";
  const trusted = STACK_IDS.flatMap((id) => Object.entries(stacks[id].data["aws_iam_policy_document"] ?? {}))
    .filter(([id]) => id.endsWith("-trust"))
    .flatMap(([, document]) => [...JSON.stringify(document).matchAll(/"([a-z-]+)\.amazonaws\.com"/g)])
    .map(([, service]) => service);
  expect([...new Set(trusted)].filter((service) => !section.includes(`\`${service}\``))).toEqual([]);
});

// ----------------------------------------------------------------------------------------- what AWS accepts in a policy

/**
 * Actions that a DynamoDB table's own policy may name. https://docs.aws.amazon.com/amazondynamodb/latest/developerguide/rbac-iam-actions.html,
 * read on 2026-11-28. AWS refuses the whole policy when it names another: actions of streams, of backups, and those that only replication uses.
 */
const TABLE_POLICY_ACTIONS = [
  ...["BatchGetItem", "BatchWriteItem", "DeleteItem", "GetItem", "PutItem", "Query", "Scan", "UpdateItem"],
  ...["PartiQLDelete", "PartiQLInsert", "PartiQLSelect", "PartiQLUpdate", "ConditionCheckItem"],
  ...["DeleteTable", "DescribeTable", "UpdateTable", "DescribeTimeToLive", "UpdateTimeToLive"],
  ...["DescribeTableReplicaAutoScaling", "UpdateTableReplicaAutoScaling"],
  ...["ListTagsOfResource", "TagResource", "UntagResource"],
  ...["CreateBackup", "DescribeContinuousBackups", "RestoreTableToPointInTime", "UpdateContinuousBackups"],
  ...["DescribeContributorInsights", "UpdateContributorInsights", "ExportTableToPointInTime"],
  ...["DescribeKinesisStreamingDestination", "DisableKinesisStreamingDestination"],
  ...["EnableKinesisStreamingDestination", "UpdateKinesisStreamingDestination"],
  ...["DeleteResourcePolicy", "GetResourcePolicy", "PutResourcePolicy"],
];

/** The statements of the documents that resources of a type use. */
function policiesOf(type: string): [string, JsonObject[]][] {
  return STACK_IDS.flatMap((id) =>
    Object.values(stacks[id].resource[type] ?? {}).map((resource): [string, JsonObject[]] => {
      const document = /aws_iam_policy_document\.([\w-]+)\.json/.exec(String(resource["policy"]))?.[1] ?? "";
      return [document, (stacks[id].data["aws_iam_policy_document"]?.[document]?.["statement"] ?? []) as JsonObject[]];
    }),
  );
}

test("the tables' policies name actions that DynamoDB accepts there", () => {
  const policies = policiesOf("aws_dynamodb_resource_policy");
  expect(policies.length).toBe(6);
  for (const [document, found] of policies) {
    const named = found.flatMap(({ actions }) => actions as string[]).map((action) => action.replace("dynamodb:", ""));
    expect([document, named.filter((action) => !TABLE_POLICY_ACTIONS.includes(action))]).toEqual([document, []]);
    expect(named.length).toBeGreaterThan(0);
  }
});

test("the queues' policies are within SQS's bounds: 20 statements, 7 actions in each", () => {
  const policies = policiesOf("aws_sqs_queue_policy");
  expect(policies.length).toBe(5);
  for (const [document, found] of policies) {
    expect([document, found.length <= 20]).toEqual([document, true]);
    for (const { actions } of found) expect((actions as string[]).length).toBeLessThanOrEqual(7);
  }
});

// -------------------------------------------------------------------------------------------------------------- versions

/** Keys that code puts again and again, by bucket. */
const REPLACED: Record<string, string[]> = {
  "payment-evidence": ["log/checkpoint"],
  "payment-exports": ["state/PaymentLedger.json", "drills/state.json"],
  "payment-files": ["continue/a", "payments/a"],
};

test.each(Object.entries(REPLACED))("%s: old versions of what is replaced do not grow for ever", (bucket, keys) => {
  const rules = data.resource["aws_s3_bucket_lifecycle_configuration"]?.[`${bucket}-lifecycle`]?.["rule"] as {
    filter: [{ prefix: string }];
    noncurrent_version_expiration?: JsonObject[];
  }[];
  for (const key of keys) {
    const bounding = rules.filter(
      ({ filter: [{ prefix }], noncurrent_version_expiration: old }) => old !== undefined && key.startsWith(prefix),
    );
    expect([key, bounding.length]).toEqual([key, 1]);
  }
});

test("the newest checkpoints stay, and no checkpoint is removed before its lock ends", () => {
  const lock = configOf("prod").protections.evidenceLock;
  const rules = JSON.stringify(
    data.resource["aws_s3_bucket_lifecycle_configuration"]?.["payment-evidence-lifecycle"]?.["rule"],
  );
  expect(rules).toContain(`"noncurrent_days":${lock.days}`);
  expect(rules).toContain('"newer_noncurrent_versions":100');
});

// ----------------------------------------------------------------------------------------------- what outlives a function

test("the right to delete network interfaces is destroyed after the network", () => {
  const holding = STACK_IDS.filter((id) =>
    Object.entries(stacks[id].data["aws_iam_policy_document"] ?? {}).some(
      ([document, content]) =>
        !document.includes("boundary") &&
        (content["statement"] as JsonObject[]).some(
          ({ effect, actions }) => effect === "Allow" && (actions as string[]).includes("ec2:DeleteNetworkInterface"),
        ),
    ),
  );
  expect(holding).toEqual(["security"]);
  const { manifest } = synthesize(configOf("prod"));
  expect(manifest.stacks["network"]?.dependencies).toContain("security");
});

/** By its name, which is known beforehand, the setting would not change in the plan and be missing until the next one. */
test.each(["aws_lambda_function_event_invoke_config", "aws_lambda_function_recursion_config", "aws_lambda_permission"])(
  "%s names its function by ARN: a function that is made anew gets it back in the same apply",
  (type) => {
    const settings = ofType(type);
    expect(settings.length).toBeGreaterThan(0);
    for (const [, { function_name: name }] of settings) {
      expect(name).toMatch(/^\$\{aws_lambda_function\.[\w-]+\.arn\}$/);
    }
  },
);
