import { FILE_PREFIXES, FUNCTIONS } from "../../contract";
import { configOf, only, published, reference, synthesize } from "../support/synth";

const { functions } = synthesize(configOf("prod")).stacks;
const dev = synthesize(configOf("dev")).stacks.functions;

const ACCOUNT = reference("data.aws_caller_identity.current.account_id");
const PARTITION = reference("data.aws_partition.partition.partition");

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
      function_name: reference("aws_lambda_function.payment-processor.arn"),
      principal: "s3.amazonaws.com",
      source_arn: `arn:${PARTITION}:s3:::payment-files-prod-${ACCOUNT}`,
      source_account: ACCOUNT,
    },
  });
});

test("a long file may start the processor again and again", () => {
  expect(functions.resource["aws_lambda_function_recursion_config"]).toEqual({
    "payment-processor-files-recursion": {
      function_name: reference("aws_lambda_function.payment-processor.arn"),
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

test.each([
  ["payment-ledger", "payment-ledger"],
  ["payment-audit-trail", "payment-audit-trail"],
  ["payment-messages", "payment-messages-trail"],
  ["payment-transactions", "payment-transactions"],
  ["payment-events", "payment-events"],
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
