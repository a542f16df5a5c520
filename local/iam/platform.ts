/**
 * What AWS services do by themselves with the deployed resources: in the name of a function's role, of another role, or in
 * their own. On AWS, creating a resource fails where some of it is not allowed, and the rest fails later and in silence.
 */

import type { TerraformObject } from "../terraform-expression";
import type { Authorisation, Context } from "./authorisation";
import { blockIn, type EffectivePolicies, optionalText, text } from "./effective";
import type { Principal } from "./evaluate";
import { keyContext, queueKeyUses, tableKeyUses } from "./key-uses";

/** With the address of the resource that needs it. */
export interface PlatformAuthorisation extends Authorisation {
  readonly address: string;
}

type UsesOfResource = (policies: EffectivePolicies, attributes: TerraformObject) => Authorisation[];

export function platformAuthorisations(policies: EffectivePolicies): PlatformAuthorisation[] {
  return policies.resources.flatMap(({ block, attributes }) => {
    const uses = block.mode === "resource" ? USES[block.type] : undefined;
    return (uses?.(policies, attributes) ?? []).map((each) => ({ ...each, address: block.address }));
  });
}

const USES: Readonly<Record<string, UsesOfResource>> = {
  aws_lambda_function: functionUses,
  aws_lambda_function_event_invoke_config: failureUses,
  aws_lambda_event_source_mapping: mappingUses,
  aws_scheduler_schedule: scheduleUses,
  aws_s3_bucket_notification: notificationUses,
  aws_cloudtrail: trailUses,
  aws_cloudwatch_metric_alarm: alarmUses,
  aws_cloudwatch_event_target: eventUses,
  aws_cloudwatch_log_group: logGroupUses,
  aws_flow_log: flowLogUses,
  aws_backup_selection: backupUses,
};

function asRole(arn: string, session: string): Principal {
  const name = arn.split("/").pop() ?? "";
  const sessionArn = `${arn.replace(":iam:", ":sts:").replace(/:role\/.*$/, "")}:assumed-role/${name}/${session}`;
  return { kind: "role", arn, sessionArn };
}

export function functionPrincipal(roleArn: string, functionName: string): Principal {
  return asRole(roleArn, functionName);
}

function asService(name: string): Principal {
  return { kind: "service", name };
}

function asked(caller: Principal, because: string) {
  return (action: string, resource: string, context: Context = {}): Authorisation => ({
    caller,
    action,
    resource,
    context,
    because,
  });
}

function assumed(policies: EffectivePolicies, service: string, roleArn: string, sourceArn: string): Authorisation {
  const context = { "aws:SourceAccount": policies.place.account, "aws:SourceArn": sourceArn };
  return asked(asService(`${service}.amazonaws.com`), "the service assumes the role")(
    "sts:AssumeRole",
    roleArn,
    context,
  );
}

function functionUses(policies: EffectivePolicies, a: TerraformObject): Authorisation[] {
  const [arn, role] = [text(a, "arn"), text(a, "role")];
  const name = text(a, "function_name");
  const ask = asked(asRole(role, name), "Lambda runs the function");
  const group = optionalText(blockIn(a, "logging_config"), "log_group") ?? `/aws/lambda/${name}`;
  const stream = policies.arn("logs", `log-group:${group}:log-stream:2026/11/28/[$LATEST]1`);
  const key = optionalText(a, "kms_key_arn");
  const keyUse = { ...keyContext(policies, "lambda"), "kms:EncryptionContext:aws:lambda:FunctionArn": arn };
  return [
    assumed(policies, "lambda", role, arn),
    ask("logs:CreateLogStream", stream),
    ask("logs:PutLogEvents", stream),
    // Also a function that starts no trace itself sends its part of one that its caller began.
    ...(optionalText(blockIn(a, "tracing_config"), "mode") !== undefined
      ? [ask("xray:PutTraceSegments", "*"), ask("xray:PutTelemetryRecords", "*")]
      : []),
    ...(Object.keys(blockIn(a, "vpc_config")).length > 0 ? networkInterfaceUses(policies, ask) : []),
    ...(key === undefined ? [] : [ask("kms:Decrypt", key, keyUse)]),
  ];
}

/** As Lambda's documentation of functions in a VPC lists them. */
function networkInterfaceUses(policies: EffectivePolicies, ask: ReturnType<typeof asked>): Authorisation[] {
  const created = ["network-interface/eni", "subnet/subnet", "security-group/sg"];
  const changed = ["DeleteNetworkInterface", "AssignPrivateIpAddresses", "UnassignPrivateIpAddresses"];
  return [
    ...created.map((resource) => ask("ec2:CreateNetworkInterface", policies.arn("ec2", resource))),
    ...changed.map((action) => ask(`ec2:${action}`, policies.arn("ec2", "network-interface/eni"))),
    ask("ec2:DescribeNetworkInterfaces", "*"),
    ask("ec2:DescribeSubnets", "*"),
  ];
}

function failureUses(policies: EffectivePolicies, a: TerraformObject): Authorisation[] {
  const queueArn = optionalText(blockIn(blockIn(a, "destination_config"), "on_failure"), "destination");
  if (queueArn === undefined) return [];
  return sent(policies, functionRole(policies, text(a, "function_name")), queueArn, "Lambda keeps a failed call");
}

function sent(policies: EffectivePolicies, caller: Principal, queueArn: string, because: string): Authorisation[] {
  return [
    asked(caller, because)("sqs:SendMessage", queueArn),
    ...queueKeyUses(policies, { caller, arn: queueArn, because, actions: ["kms:GenerateDataKey", "kms:Decrypt"] }),
  ];
}

/** @param named name or ARN. */
function functionRole({ functions }: EffectivePolicies, named: string): Principal {
  const name = named.split(":function:").pop() ?? named;
  return asRole(functions.get(name)?.roleArn ?? "", name);
}

function mappingUses(policies: EffectivePolicies, a: TerraformObject): Authorisation[] {
  const caller = functionRole(policies, text(a, "function_name"));
  const source = text(a, "event_source_arn");
  const because = "Lambda reads the event source";
  const ask = asked(caller, because);
  if (source.split(":")[2] === "sqs") {
    return [
      ...["ReceiveMessage", "DeleteMessage", "GetQueueAttributes"].map((action) => ask(`sqs:${action}`, source)),
      ...queueKeyUses(policies, { caller, arn: source, because, actions: ["kms:Decrypt"] }),
    ];
  }
  return [
    ...["DescribeStream", "GetRecords", "GetShardIterator"].map((action) => ask(`dynamodb:${action}`, source)),
    ask("dynamodb:ListStreams", "*"),
    ...tableKeyUses(policies, { caller, arn: source.split("/stream/")[0] ?? "", because, actions: ["kms:Decrypt"] }),
  ];
}

function scheduleUses(policies: EffectivePolicies, a: TerraformObject): Authorisation[] {
  const target = blockIn(a, "target");
  const caller = asRole(text(target, "role_arn"), "scheduler");
  const because = "Scheduler calls its target";
  const group = optionalText(a, "group_name") ?? "default";
  const arn = policies.arn("scheduler", `schedule/${group}/${text(a, "name")}`);
  const key = optionalText(a, "kms_key_arn");
  const deadLetters = optionalText(blockIn(target, "dead_letter_config"), "arn");
  const ask = asked(caller, because);
  return [
    assumed(policies, "scheduler", text(target, "role_arn"), policies.arn("scheduler", `schedule-group/${group}`)),
    ask("lambda:InvokeFunction", text(target, "arn")),
    ...(key === undefined
      ? []
      : [
          ask("kms:Decrypt", key, {
            "kms:CallerAccount": policies.place.account,
            "kms:EncryptionContext:aws:scheduler:schedule:arn": arn,
          }),
        ]),
    ...(deadLetters === undefined ? [] : sent(policies, caller, deadLetters, "Scheduler keeps a failed call")),
  ];
}

function notificationUses(policies: EffectivePolicies, a: TerraformObject): Authorisation[] {
  const bucketArn = `arn:aws:s3:::${text(a, "bucket")}`;
  const context = { "aws:SourceAccount": policies.place.account, "aws:SourceArn": bucketArn };
  const ask = asked(asService("s3.amazonaws.com"), "S3 tells the function of a new object");
  const targets = Array.isArray(a["lambda_function"]) ? a["lambda_function"] : [];
  return targets.map((_, index) =>
    ask(
      "lambda:InvokeFunction",
      text(blockIn({ block: targets[index] ?? null }, "block"), "lambda_function_arn"),
      context,
    ),
  );
}

function trailUses(policies: EffectivePolicies, a: TerraformObject): Authorisation[] {
  const { account, region } = policies.place;
  const arn = policies.arn("cloudtrail", `trail/${text(a, "name")}`);
  const source = { "aws:SourceAccount": account, "aws:SourceArn": arn };
  const ask = asked(asService("cloudtrail.amazonaws.com"), "CloudTrail writes its files");
  const bucketArn = `arn:aws:s3:::${text(a, "s3_bucket_name")}`;
  const key = optionalText(a, "kms_key_id");
  const keyHeaders =
    key === undefined
      ? {}
      : { "s3:x-amz-server-side-encryption": "aws:kms", "s3:x-amz-server-side-encryption-aws-kms-key-id": key };
  const put = { ...source, "s3:x-amz-acl": "bucket-owner-full-control", ...keyHeaders };
  const role = optionalText(a, "cloud_watch_logs_role_arn");
  return [
    ask("s3:GetBucketAcl", bucketArn, source),
    ask("s3:PutObject", `${bucketArn}/AWSLogs/${account}/CloudTrail/${region}/file.json.gz`, put),
    ...(key === undefined
      ? []
      : [
          ask("kms:GenerateDataKey", key, { ...source, "kms:EncryptionContext:aws:cloudtrail:arn": arn }),
          ask("kms:DescribeKey", key, source),
        ]),
    ...(role === undefined ? [] : trailLogUses(policies, a, role, arn)),
  ];
}

function trailLogUses(policies: EffectivePolicies, a: TerraformObject, role: string, arn: string): Authorisation[] {
  const { account, region } = policies.place;
  const group = text(a, "cloud_watch_logs_group_arn").replace(/:\*$/, "");
  const stream = `${group}:log-stream:${account}_CloudTrail_${region}`;
  const ask = asked(asRole(role, "cloudtrail"), "CloudTrail writes to its log group");
  return [
    assumed(policies, "cloudtrail", role, arn),
    ask("logs:CreateLogStream", stream),
    ask("logs:PutLogEvents", stream),
  ];
}

function alarmUses(policies: EffectivePolicies, a: TerraformObject): Authorisation[] {
  const source = policies.arn("cloudwatch", `alarm:${text(a, "alarm_name")}`);
  const topics = ["alarm_actions", "ok_actions", "insufficient_data_actions"].flatMap((name) => textsIn(a, name));
  return [...new Set(topics)].flatMap((topic) =>
    published(policies, "cloudwatch", topic, source, "the alarm tells its topic"),
  );
}

function eventUses(policies: EffectivePolicies, a: TerraformObject): Authorisation[] {
  const topic = text(a, "arn");
  if (!topic.includes(":sns:")) return [];
  const source = policies.arn("events", `rule/${text(a, "rule")}`);
  return published(policies, "events", topic, source, "EventBridge tells the topic of an event");
}

function published(
  policies: EffectivePolicies,
  service: string,
  topicArn: string,
  sourceArn: string,
  because: string,
): Authorisation[] {
  const source = { "aws:SourceAccount": policies.place.account, "aws:SourceArn": sourceArn };
  const ask = asked(asService(`${service}.amazonaws.com`), because);
  const key = policies.topicKeys.get(topicArn);
  const context = { ...source, "kms:EncryptionContext:aws:sns:topicArn": topicArn };
  return [
    ask("sns:Publish", topicArn, source),
    ...(key === undefined ? [] : [ask("kms:Decrypt", key, context), ask("kms:GenerateDataKey", key, context)]),
  ];
}

function logGroupUses(policies: EffectivePolicies, a: TerraformObject): Authorisation[] {
  const key = optionalText(a, "kms_key_id");
  if (key === undefined) return [];
  const ask = asked(asService(`logs.${policies.place.region}.amazonaws.com`), "CloudWatch Logs encrypts the group");
  const context = { "kms:EncryptionContext:aws:logs:arn": policies.arn("logs", `log-group:${text(a, "name")}`) };
  return ["Encrypt", "Decrypt", "GenerateDataKey", "ReEncryptFrom", "ReEncryptTo", "DescribeKey"].map((action) =>
    ask(`kms:${action}`, key, context),
  );
}

function flowLogUses(policies: EffectivePolicies, a: TerraformObject): Authorisation[] {
  const role = text(a, "iam_role_arn");
  const group = text(a, "log_destination");
  const ask = asked(asRole(role, "flow-logs"), "the VPC writes its flow log");
  return [
    assumed(policies, "vpc-flow-logs", role, policies.arn("ec2", `vpc-flow-log/${text(a, "id")}`)),
    ask("logs:CreateLogStream", `${group}:log-stream:eni`),
    ask("logs:PutLogEvents", `${group}:log-stream:eni`),
    ask("logs:DescribeLogStreams", group),
    ask("logs:DescribeLogGroups", policies.arn("logs", "log-group::log-stream:")),
  ];
}

const BACKUP_KEY_ACTIONS = ["Decrypt", "DescribeKey", "GenerateDataKey", "GenerateDataKeyWithoutPlaintext"];

/** AWS Backup of DynamoDB tables into a vault under the vault's key. */
function backupUses(policies: EffectivePolicies, a: TerraformObject): Authorisation[] {
  const role = text(a, "iam_role_arn");
  const caller = asRole(role, "AWSBackup");
  const because = "AWS Backup backs up the table";
  const ask = asked(caller, because);
  const tables = textsIn(a, "resources").flatMap((table) => [
    ...["CreateBackup", "DescribeTable", "ListTagsOfResource", "StartAwsBackupJob"].map((action) =>
      ask(`dynamodb:${action}`, table),
    ),
    ...["DescribeBackup", "DeleteBackup"].map((action) => ask(`dynamodb:${action}`, `${table}/backup/01`)),
    ...tableKeyUses(policies, { caller, arn: table, because, actions: ["kms:Decrypt"] }),
  ]);
  const vaults = policies.resources.filter(({ block }) => block.type === "aws_backup_vault");
  const inVaults = vaults.flatMap(({ attributes }) => {
    const key = optionalText(attributes, "kms_key_arn");
    const through = keyContext(policies, "backup");
    return [
      ask("backup:DescribeBackupVault", policies.arn("backup", `backup-vault:${text(attributes, "name")}`)),
      ...(key === undefined
        ? []
        : [
            ...BACKUP_KEY_ACTIONS.map((action) => ask(`kms:${action}`, key, through)),
            ask("kms:CreateGrant", key, { ...through, "kms:GrantIsForAWSResource": "true" }),
          ]),
    ];
  });
  return [assumed(policies, "backup", role, policies.arn("backup", "backup-plan:plan")), ...tables, ...inVaults];
}

function textsIn(attributes: TerraformObject, name: string): string[] {
  const value = attributes[name];
  return Array.isArray(value) ? value.filter((each) => typeof each === "string") : [];
}
