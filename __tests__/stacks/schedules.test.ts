import { FUNCTIONS } from "../../contract";
import { SCHEDULED, type ScheduleId } from "../../stacks/config/names";
import {
  conditionOf,
  configOf,
  type JsonObject,
  lastParts,
  only,
  published,
  reference,
  type StackId,
  statement,
  statements,
  synthesize,
} from "../support/synth";

const prod = synthesize(configOf("prod")).stacks;
const dev = synthesize(configOf("dev")).stacks;

const ACCOUNT = reference("data.aws_caller_identity.current.account_id");
const PARTITION = reference("data.aws_partition.partition.partition");
const DATA_KEY = published("security", "aws_kms_key", "data-key", "arn");
const OWN_ROLE = reference("aws_iam_role.scheduler-role.arn");
const OWN_GROUP = reference("aws_scheduler_schedule_group.schedules.name");
const OWN_FAILURES = reference("aws_sqs_queue.failure-queue.arn");

/** In `data` by the function's name, because the function is made after it; in `functions` by reference. */
const targetArn = (stack: StackId, id: keyof typeof SCHEDULED) => {
  const { name, entry } = FUNCTIONS[SCHEDULED[id]];
  return stack === "data" ? functionArn(name) : reference(`aws_lambda_function.${entry}.arn`);
};

const functionArn = (name: string) => `arn:${PARTITION}:lambda:us-east-1:${ACCOUNT}:function:${name}`;

interface Expected {
  readonly id: ScheduleId;
  readonly stack: "data" | "functions";
  readonly resource: string;
  readonly name: string;
  readonly expression: string;
  readonly input: string;
}

const SCHEDULES: readonly Expected[] = [
  {
    id: "incrementalExport",
    stack: "data",
    resource: "incremental-export-schedule",
    name: "payment-export-incremental",
    expression: "cron(15 1 * * ? *)",
    input: 'jsonencode({"kind" = "incremental"})',
  },
  {
    id: "fullExport",
    stack: "data",
    resource: "full-export-schedule",
    name: "payment-export-full",
    expression: "cron(15 2 ? * SUN *)",
    input: 'jsonencode({"kind" = "full"})',
  },
  {
    id: "backupCheck",
    stack: "functions",
    resource: "backup-check-schedule",
    name: "payment-backup-check",
    expression: "cron(15 6 * * ? *)",
    input: "jsonencode({})",
  },
  {
    id: "logSweep",
    stack: "functions",
    resource: "log-sweep-schedule",
    name: "payment-log-sweep",
    expression: "cron(45 4 * * ? *)",
    input: 'jsonencode({"kind" = "sweep"})',
  },
  {
    id: "restoreDrill",
    stack: "functions",
    resource: "restore-drill-schedule",
    name: "payment-restore-drill",
    expression: "cron(45 * * * ? *)",
    input: 'jsonencode({"kind" = "step"})',
  },
  {
    id: "identityCheck",
    stack: "functions",
    resource: "identity-check-schedule",
    name: "payment-identity-check",
    expression: "cron(30 5 * * ? *)",
    input: 'jsonencode({"kind" = "attest"})',
  },
];
const HEARTBEAT = { id: "sealHeartbeat", resource: "seal-heartbeat-schedule", name: "payment-log-heartbeat" } as const;

test("the data stack schedules its own exports, the functions stack everything else, and nothing is scheduled twice", () => {
  const resourcesOf = (stack: StackId) => Object.keys(prod[stack].resource["aws_scheduler_schedule"] ?? {}).sort();
  const expected = (stack: StackId) => SCHEDULES.filter((each) => each.stack === stack).map(({ resource }) => resource);
  expect(resourcesOf("data")).toEqual(expected("data").sort());
  expect(resourcesOf("functions")).toEqual([...expected("functions"), HEARTBEAT.resource].sort());
  expect([...SCHEDULES.map(({ id }) => id), HEARTBEAT.id].sort()).toEqual(Object.keys(SCHEDULED).sort());
});

test.each(SCHEDULES)("$name starts its function at $expression", (expected) => {
  const { id, stack, resource, name, expression, input } = expected;
  const inData = stack === "data";
  expect(only(prod[stack], "aws_scheduler_schedule", resource)).toMatchObject({
    name,
    group_name: inData ? OWN_GROUP : published("data", "aws_scheduler_schedule_group", "schedules", "name"),
    schedule_expression: expression,
    schedule_expression_timezone: "UTC",
    flexible_time_window: { mode: "FLEXIBLE", maximum_window_in_minutes: 15 },
    kms_key_arn: DATA_KEY,
    target: {
      arn: targetArn(stack, id),
      role_arn: inData ? OWN_ROLE : published("data", "aws_iam_role", "scheduler-role", "arn"),
      input: reference(input),
      retry_policy: { maximum_retry_attempts: 10, maximum_event_age_in_seconds: 21_600 },
      dead_letter_config: { arn: inData ? OWN_FAILURES : published("data", "aws_sqs_queue", "failure-queue", "arn") },
    },
  });
  expect(only(dev[stack], "aws_scheduler_schedule", resource)["name"]).toBe(`${name}-dev`);
});

test("a heartbeat is due each minute, on time, and a failed one is left to the next", () => {
  const heartbeat = only(prod.functions, "aws_scheduler_schedule", HEARTBEAT.resource);
  expect(heartbeat).toMatchObject({
    name: HEARTBEAT.name,
    schedule_expression: "rate(1 minute)",
    flexible_time_window: { mode: "OFF" },
    kms_key_arn: DATA_KEY,
  });
  expect(heartbeat["target"]).toEqual({
    arn: targetArn("functions", HEARTBEAT.id),
    role_arn: published("data", "aws_iam_role", "scheduler-role", "arn"),
    input: reference('jsonencode({"kind" = "heartbeat"})'),
    retry_policy: { maximum_retry_attempts: 1, maximum_event_age_in_seconds: 60 },
  });
});

test("the scheduler's role may start exactly the scheduled functions, and serves this project's schedules alone", () => {
  const found = statements(prod.data, "scheduler-access-policy");
  expect(Object.fromEntries(found.map(({ sid, actions, resources }) => [sid, { actions, resources }]))).toEqual({
    ScheduledFunctions: {
      actions: ["lambda:InvokeFunction"],
      resources: [...new Set(Object.values(SCHEDULED))].map((id) => functionArn(FUNCTIONS[id].name)),
    },
    Failures: { actions: ["sqs:SendMessage"], resources: [OWN_FAILURES] },
    DataKeyThroughSqs: { actions: ["kms:Decrypt", "kms:GenerateDataKey"], resources: [DATA_KEY] },
    DecryptSchedules: { actions: ["kms:Decrypt"], resources: [DATA_KEY] },
  });
  const decrypts = statement(prod.data, "scheduler-access-policy", "DecryptSchedules");
  const context = conditionOf(decrypts, "kms:EncryptionContext:aws:scheduler:schedule:arn");
  expect(lastParts(context?.values ?? []).sort()).toEqual([...SCHEDULES, HEARTBEAT].map(({ name }) => name).sort());
  const trust = statement(prod.data, "scheduler-trust", "SchedulesOfThisProject");
  expect(trust.principals).toEqual([{ type: "Service", identifiers: ["scheduler.amazonaws.com"] }]);
  expect(conditionOf(trust, "aws:SourceArn")?.values).toEqual([
    `arn:${PARTITION}:scheduler:us-east-1:${ACCOUNT}:schedule-group/payment-ledger`,
  ]);
  const role: JsonObject = only(prod.data, "aws_iam_role", "scheduler-role");
  expect(role["name"]).toBe("payment-scheduler-role");
});
