import { FUNCTIONS, ROLES } from "../../contract";
import {
  conditionOf,
  configOf,
  type JsonObject,
  lastParts,
  only,
  prodName,
  published,
  reference,
  statement,
  statements,
  synthesize,
} from "../support/synth";

const prod = synthesize(configOf("prod")).stacks;
const { data } = prod;
const dev = synthesize(configOf("dev")).stacks.data;

const DAY = 24 * 60 * 60;
const DATA_KEY = published("security", "aws_kms_key", "data-key", "arn");

const QUEUE_PAIRS = [
  {
    id: "audit-events",
    name: "payment-audit-trail.fifo",
    dead: "payment-audit-trail-dlq.fifo",
    consumer: FUNCTIONS.persistPaymentAuditTrail,
    senders: "eventSenderArns",
  },
  {
    id: "payment-messages",
    name: "audit-trail-queue",
    dead: "audit-trail-queue-dlq",
    consumer: FUNCTIONS.processPaymentMessages,
    senders: "paymentSenderArns",
  },
] as const;

const withSuffix = (name: string) => name.replace(/(\.fifo)?$/, "-dev$1");

test.each(QUEUE_PAIRS)(
  "$name and its dead-letter queue have their documents' names and the data key",
  ({ id, name, dead }) => {
    expect(only(data, "aws_sqs_queue", id)).toMatchObject({
      name,
      kms_master_key_id: DATA_KEY,
      message_retention_seconds: 7 * DAY,
    });
    // Longer than the queue itself: a message keeps its age when it moves.
    expect(only(data, "aws_sqs_queue", `${id}-dead-letters`)).toMatchObject({
      name: dead,
      kms_master_key_id: DATA_KEY,
      message_retention_seconds: 14 * DAY,
    });
    expect([only(dev, "aws_sqs_queue", id)["name"], only(dev, "aws_sqs_queue", `${id}-dead-letters`)["name"]]).toEqual([
      withSuffix(name),
      withSuffix(dead),
    ]);
  },
);

test.each(QUEUE_PAIRS)("$name gives a message up after ten tries, to its own dead-letter queue alone", ({ id }) => {
  expect(only(data, "aws_sqs_queue", id)["redrive_policy"]).toBe(
    reference(`jsonencode({"deadLetterTargetArn" = aws_sqs_queue.${id}-dead-letters.arn, "maxReceiveCount" = 10})`),
  );
  expect(only(data, "aws_sqs_queue_redrive_allow_policy", `${id}-dead-letters-source`)).toEqual({
    queue_url: reference(`aws_sqs_queue.${id}-dead-letters.url`),
    redrive_allow_policy: reference(
      `jsonencode({"redrivePermission" = "byQueue", "sourceQueueArns" = [aws_sqs_queue.${id}.arn]})`,
    ),
  });
});

test("the audit events' queue keeps order and tells repeats apart within a payment, at high throughput", () => {
  expect(only(data, "aws_sqs_queue", "audit-events")).toMatchObject({
    fifo_queue: true,
    content_based_deduplication: false,
    deduplication_scope: "messageGroup",
    fifo_throughput_limit: "perMessageGroupId",
  });
  expect(only(data, "aws_sqs_queue", "audit-events-dead-letters")["fifo_queue"]).toBe(true);
  expect(only(data, "aws_sqs_queue", "payment-messages")["fifo_queue"]).toBeUndefined();
});

test.each(QUEUE_PAIRS)(
  "$name hides a message for six times its function's time and the wait for a batch",
  ({ id, consumer }) => {
    const timeout = only(prod.functions, "aws_lambda_function", consumer.entry)["timeout"] as number;
    const mapping = only(prod.functions, "aws_lambda_event_source_mapping", `${consumer.entry}-queue`);
    const window = (mapping["maximum_batching_window_in_seconds"] as number | undefined) ?? 0;
    expect(only(data, "aws_sqs_queue", id)["visibility_timeout_seconds"]).toBe(6 * timeout + window);
  },
);

test.each(QUEUE_PAIRS)(
  "$name is reached over TLS, read by its function's role and sent to by this account",
  ({ id, consumer }) => {
    const [tls, readers, ...rest] = statements(data, `${id}-policy-document`);
    expect(rest).toEqual([]);
    expect(tls).toMatchObject({ sid: "DenyWithoutTls", effect: "Deny" });
    expect(readers).toMatchObject({
      effect: "Deny",
      actions: ["sqs:DeleteMessage", "sqs:PurgeQueue", "sqs:ReceiveMessage"],
    });
    expect(readers?.condition).toEqual([
      { test: "ArnNotEquals", variable: "aws:PrincipalArn", values: [expect.stringContaining(ROLES[consumer.role])] },
    ]);
  },
);

test.each(QUEUE_PAIRS)(
  "$name, with senders named, takes messages of them and of who sends dead letters back",
  (pair) => {
    const sender = "arn:aws:iam::444455556666:role/orders";
    const reader = "arn:aws:iam::111122223333:role/on-call";
    const app = synthesize(configOf("prod", { [pair.senders]: [sender], failureQueueReaderArns: [reader] }));
    const documentId = `${pair.id}-policy-document`;
    expect(statement(app.stacks.data, documentId, "NamedSenders")).toMatchObject({
      effect: "Allow",
      actions: ["sqs:GetQueueAttributes", "sqs:GetQueueUrl", "sqs:SendMessage"],
      principals: [{ type: "AWS", identifiers: ["arn:aws:iam::444455556666:root"] }],
      condition: [{ test: "ArnEquals", variable: "aws:PrincipalArn", values: [sender] }],
    });
    expect(statement(app.stacks.data, documentId, "OnlyNamedSenders")).toMatchObject({
      effect: "Deny",
      actions: ["sqs:SendMessage"],
      condition: [{ test: "ArnNotEquals", variable: "aws:PrincipalArn", values: [sender, reader] }],
    });
    expect(statement(app.stacks.security, "data-key-policy", "QueuesThroughSqs")).toMatchObject({
      principals: [{ identifiers: [expect.stringContaining("root"), "arn:aws:iam::444455556666:root"] }],
    });
  },
);

const FAILED = ["audit-events-dead-letters", "payment-messages-dead-letters", "failure-queue"];

test.each(FAILED)("%s may be read only by those who are named, and only over TLS", (id) => {
  const documentId = `${id}-policy-document`;
  expect(statement(data, documentId, "DenyWithoutTls").condition).toEqual([
    { test: "Bool", variable: "aws:SecureTransport", values: ["false"] },
  ]);
  expect(statement(data, documentId, "OnlyNamedReaders")).toMatchObject({
    effect: "Deny",
    actions: ["sqs:DeleteMessage", "sqs:PurgeQueue", "sqs:ReceiveMessage"],
  });
  expect(statement(data, documentId, "OnlyNamedReaders").condition).toBeUndefined();
});

test.each(FAILED)("a named reader may read %s", (id) => {
  const reader = "arn:aws:iam::111122223333:role/on-call";
  const stack = synthesize(configOf("prod", { failureQueueReaderArns: [reader] })).stacks.data;
  const guard = statement(stack, `${id}-policy-document`, "OnlyNamedReaders");
  expect(guard.condition).toEqual([{ test: "ArnNotEquals", variable: "aws:PrincipalArn", values: [reader] }]);
});

test.each(["audit-events-dead-letters", "payment-messages-dead-letters"])(
  "nobody sends to %s: SQS moves messages itself",
  (id) => {
    const found: JsonObject = { ...statement(data, `${id}-policy-document`, "NobodySends") };
    expect(found).toMatchObject({ effect: "Deny", actions: ["sqs:SendMessage"] });
    expect(found["condition"]).toBeUndefined();
  },
);

test("the failure queue is encrypted, kept two weeks and sent to by the functions and the scheduler", () => {
  expect(only(data, "aws_sqs_queue", "failure-queue")).toMatchObject({
    name: "payment-ledger-failures",
    kms_master_key_id: DATA_KEY,
    message_retention_seconds: 14 * DAY,
  });
  const guard = statement(data, "failure-queue-policy-document", "OnlyNamedSenders");
  const senders = lastParts(conditionOf(guard, "aws:PrincipalArn")?.values ?? []);
  expect(senders).toEqual([...Object.values(ROLES).map(prodName), "payment-scheduler-role"]);
});
