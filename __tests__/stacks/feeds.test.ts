import { FILE_PREFIXES, FUNCTIONS } from "../../contract";
import {
  conditionOf,
  configOf,
  type JsonObject,
  lastParts,
  only,
  published,
  reference,
  statement,
  statements,
  synthesize,
} from "../support/synth";

const { functions } = synthesize(configOf("prod")).stacks;
const dev = synthesize(configOf("dev")).stacks.functions;

const ACCOUNT = reference("data.aws_caller_identity.current.account_id");
const PARTITION = reference("data.aws_partition.partition.partition");
const FAILURES = published("data", "aws_sqs_queue", "failure-queue", "arn");
const DATA_KEY = published("security", "aws_kms_key", "data-key", "arn");

test.each([
  {
    entry: FUNCTIONS.persistPaymentAuditTrail.entry,
    queue: "audit-events",
    // A FIFO queue knows no wait for a fuller batch.
    feed: { batch_size: 10, maximum_batching_window_in_seconds: undefined },
    concurrency: { prod: 40, dev: 5 },
  },
  {
    entry: FUNCTIONS.processPaymentMessages.entry,
    queue: "payment-messages",
    feed: { batch_size: 25, maximum_batching_window_in_seconds: 1 },
    concurrency: { prod: 20, dev: 5 },
  },
])("$queue feeds $entry, which answers for each message", ({ entry, queue, feed, concurrency }) => {
  const mapping = (stack: typeof functions) => only(stack, "aws_lambda_event_source_mapping", `${entry}-queue`);
  expect(mapping(functions)).toEqual({
    event_source_arn: published("data", "aws_sqs_queue", queue, "arn"),
    function_name: reference(`aws_lambda_function.${entry}.arn`),
    function_response_types: ["ReportBatchItemFailures"],
    scaling_config: { maximum_concurrency: concurrency.prod },
    ...JSON.parse(JSON.stringify(feed)),
  });
  expect(mapping(dev)["scaling_config"]).toEqual({ maximum_concurrency: concurrency.dev });
});

test("new payment files and continuations start the processor, its own reports do not", () => {
  const event = (id: string, filter_prefix: string) => ({
    id,
    lambda_function_arn: reference("aws_lambda_function.payment-processor.arn"),
    events: ["s3:ObjectCreated:*"],
    filter_prefix,
  });
  expect(only(functions, "aws_s3_bucket_notification", "payment-processor-files")).toEqual({
    bucket: published("data", "aws_s3_bucket", "payment-files", "id"),
    lambda_function: [event("payments", "payments/"), event("continue", "continue/")],
    depends_on: ["aws_lambda_permission.payment-processor-files-permission"],
  });
  const prefixes = [FILE_PREFIXES.payments, FILE_PREFIXES.continuations];
  expect(prefixes.filter((prefix) => FILE_PREFIXES.reports.startsWith(prefix))).toEqual([]);
});

test("S3 may call the processor for this bucket of this account, and nobody else for anything", () => {
  expect(functions.resource["aws_lambda_permission"]).toEqual({
    "payment-processor-files-permission": {
      statement_id: "FilesOfThisBucket",
      action: "lambda:InvokeFunction",
      function_name: reference("aws_lambda_function.payment-processor.function_name"),
      principal: "s3.amazonaws.com",
      source_arn: `arn:${PARTITION}:s3:::payment-files-prod-${ACCOUNT}`,
      source_account: ACCOUNT,
    },
  });
});

test("a long file may start the processor again and again", () => {
  expect(functions.resource["aws_lambda_function_recursion_config"]).toEqual({
    "payment-processor-files-recursion": {
      function_name: reference("aws_lambda_function.payment-processor.function_name"),
      recursive_loop: "Allow",
    },
  });
  expect(only(functions, "aws_lambda_function", "payment-processor")).toMatchObject({
    timeout: 900,
    memory_size: 1769,
  });
  expect(only(functions, "aws_lambda_function_event_invoke_config", "payment-processor-async")).toMatchObject({
    maximum_retry_attempts: 2,
    maximum_event_age_in_seconds: 21_600,
  });
});

const SCHEDULES = [
  {
    id: "incremental-export-schedule",
    name: "payment-export-incremental",
    expression: "cron(15 1 * * ? *)",
    target: "export-tables",
    input: 'jsonencode({"kind" = "incremental"})',
  },
  {
    id: "full-export-schedule",
    name: "payment-export-full",
    expression: "cron(15 2 ? * SUN *)",
    target: "export-tables",
    input: 'jsonencode({"kind" = "full"})',
  },
  {
    id: "backup-check-schedule",
    name: "payment-backup-check",
    expression: "cron(15 6 * * ? *)",
    target: "check-backup",
    input: "jsonencode({})",
  },
  {
    id: "log-sweep-schedule",
    name: "payment-log-sweep",
    expression: "cron(45 4 * * ? *)",
    target: "sweep-audit-trail",
    input: 'jsonencode({"kind" = "sweep"})',
  },
  {
    id: "restore-drill-schedule",
    name: "payment-restore-drill",
    expression: "cron(45 * * * ? *)",
    target: "drill-restore",
    input: 'jsonencode({"kind" = "step"})',
  },
];
const HEARTBEAT = { id: "seal-heartbeat-schedule", name: "payment-log-heartbeat", target: "seal-audit-trail" };

test.each(SCHEDULES)("$name runs $target at $expression", ({ id, name, expression, target, input }) => {
  expect(only(functions, "aws_scheduler_schedule", id)).toMatchObject({
    name,
    group_name: reference("aws_scheduler_schedule_group.schedules.name"),
    schedule_expression: expression,
    schedule_expression_timezone: "UTC",
    flexible_time_window: { mode: "FLEXIBLE", maximum_window_in_minutes: 15 },
    kms_key_arn: DATA_KEY,
    target: {
      arn: reference(`aws_lambda_function.${target}.arn`),
      role_arn: reference("aws_iam_role.scheduler-role.arn"),
      input: reference(input),
      retry_policy: { maximum_retry_attempts: 10, maximum_event_age_in_seconds: 21_600 },
      dead_letter_config: { arn: FAILURES },
    },
  });
  expect(only(dev, "aws_scheduler_schedule", id)["name"]).toBe(`${name}-dev`);
});

test("a heartbeat comes each minute, on time, and its failures are left to the next", () => {
  expect(only(functions, "aws_scheduler_schedule", HEARTBEAT.id)).toMatchObject({
    name: HEARTBEAT.name,
    schedule_expression: "rate(1 minute)",
    flexible_time_window: { mode: "OFF" },
    kms_key_arn: DATA_KEY,
  });
  expect(only(functions, "aws_scheduler_schedule", HEARTBEAT.id)["target"]).toEqual({
    arn: reference(`aws_lambda_function.${HEARTBEAT.target}.arn`),
    role_arn: reference("aws_iam_role.scheduler-role.arn"),
    input: reference('jsonencode({"kind" = "heartbeat"})'),
    retry_policy: { maximum_retry_attempts: 1, maximum_event_age_in_seconds: 60 },
  });
});

test.each([
  ["payment-ledger", "payment-ledger"],
  ["payment-audit-trail", "payment-audit-trail"],
  ["payment-messages", "payment-messages-trail"],
  ["payment-transactions", "payment-transactions"],
])("every change of %s reaches the sealer, in order, however often it must be tried", (id, table) => {
  const mapping = only(functions, "aws_lambda_event_source_mapping", `seal-audit-trail-${id}`);
  expect(mapping).toEqual({
    event_source_arn: published("data", "aws_dynamodb_table", table, "stream_arn"),
    function_name: reference("aws_lambda_function.seal-audit-trail.arn"),
    starting_position: "TRIM_HORIZON",
    batch_size: 1000,
    maximum_batching_window_in_seconds: 20,
    parallelization_factor: 1,
    bisect_batch_on_function_error: false,
    // Without an end: nothing is given up, so nothing needs a destination.
    maximum_retry_attempts: -1,
    maximum_record_age_in_seconds: -1,
  });
});

test("the scheduler's role may start exactly the scheduled functions, and serves this project's schedules alone", () => {
  const found = statements(functions, "scheduler-access-policy");
  expect(Object.fromEntries(found.map(({ sid, actions, resources }) => [sid, { actions, resources }]))).toEqual({
    ScheduledFunctions: {
      actions: ["lambda:InvokeFunction"],
      resources: ["export-tables", "check-backup", HEARTBEAT.target, "sweep-audit-trail", "drill-restore"].map(
        (target) => reference(`aws_lambda_function.${target}.arn`),
      ),
    },
    Failures: { actions: ["sqs:SendMessage"], resources: [FAILURES] },
    DataKeyThroughSqs: { actions: ["kms:Decrypt", "kms:GenerateDataKey"], resources: [DATA_KEY] },
    DecryptSchedules: { actions: ["kms:Decrypt"], resources: [DATA_KEY] },
  });
  const decrypts = statement(functions, "scheduler-access-policy", "DecryptSchedules");
  const context = conditionOf(decrypts, "kms:EncryptionContext:aws:scheduler:schedule:arn");
  expect(lastParts(context?.values ?? []).sort()).toEqual([...SCHEDULES, HEARTBEAT].map(({ name }) => name).sort());
  const trust = statement(functions, "scheduler-trust", "SchedulesOfThisProject");
  expect(trust.principals).toEqual([{ type: "Service", identifiers: ["scheduler.amazonaws.com"] }]);
  expect(conditionOf(trust, "aws:SourceArn")?.values).toEqual([
    `arn:${PARTITION}:scheduler:us-east-1:${ACCOUNT}:schedule-group/payment-ledger`,
  ]);
  const role: JsonObject = only(functions, "aws_iam_role", "scheduler-role");
  expect(role["name"]).toBe("payment-scheduler-role");
});
