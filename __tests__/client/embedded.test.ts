import {
  CreateQueueCommand,
  DeleteMessageCommand,
  type Message,
  ReceiveMessageCommand,
  SQSClient,
} from "@aws-sdk/client-sqs";
import { AuditEventClient } from "../../client/audit-events";
import { persistQueuedEvents } from "../../ledger/operations/persist-queued-events";
import { queueMessages } from "../../ledger/operations/queue";
import { textOf } from "../../ledger/rules/stored-item";
import { type Harness, startHarness } from "../support/ledger-harness";

let harness: Harness;
let sqs: SQSClient;
let queueUrl: string;
beforeAll(async () => {
  harness = await startHarness();
  const credentials = { accessKeyId: "111122223333", secretAccessKey: "embedded" };
  sqs = new SQSClient({ endpoint: harness.proxy.url, region: "us-east-1", credentials });
  const Attributes = {
    FifoQueue: "true",
    DeduplicationScope: "messageGroup",
    FifoThroughputLimit: "perMessageGroupId",
  };
  const made = await sqs.send(new CreateQueueCommand({ QueueName: "payment-audit-trail.fifo", Attributes }));
  queueUrl = made.QueueUrl ?? "";
});
afterAll(async () => {
  sqs?.destroy();
  await harness?.stop();
});

/** Takes messages as Lambda does, until none is left. */
async function consume(): Promise<number> {
  for (let consumed = 0; ; ) {
    const { Messages = [] } = await sqs.send(
      new ReceiveMessageCommand({ QueueUrl: queueUrl, MaxNumberOfMessages: 10, MessageSystemAttributeNames: ["All"] }),
    );
    if (Messages.length === 0) return consumed;
    const messages = queueMessages({ Records: Messages.map(recordOf) }) ?? [];
    const answer = await persistQueuedEvents(messages, harness.call("persist_payment_audit_trail"), harness.services);
    expect(answer).toEqual({ batchItemFailures: [] });
    for (const { ReceiptHandle } of Messages)
      await sqs.send(new DeleteMessageCommand({ QueueUrl: queueUrl, ReceiptHandle }));
    consumed += Messages.length;
  }
}

function recordOf({ MessageId, Body, Attributes }: Message) {
  const eventSourceARN = "arn:aws:sqs:us-east-1:111122223333:payment-audit-trail.fifo";
  return { messageId: MessageId, body: Body, attributes: Attributes, eventSource: "aws:sqs", eventSourceARN };
}

test("events of many payments reach the audit trail, each once and in order, although answers are lost", async () => {
  const lost = harness.proxy.inject({
    target: "AmazonSQS.SendMessageBatch",
    calls: { from: 2, to: 3 },
    fault: { kind: "loseAnswer" },
  });
  const client = new AuditEventClient({ sqs, queueUrl, backoffMs: 1 });
  const events = Array.from({ length: 60 }, (_, index) => ({
    TransactionID: `txn-client-${index % 6}`,
    Action: `STEP_${Math.floor(index / 6)}`,
    user_id: "refund-service",
  }));
  const result = await client.send(events);
  const sent = result.outcome === "sent" ? result.events : [];
  expect(lost.fired).toBe(2);
  expect(sent).toHaveLength(60);
  // A service that lost its own memory of it sends everything again.
  await client.send(events.map((event, position) => ({ ...event, AuditID: sent[position]?.AuditID })));
  expect(await consume()).toBe(60);
  const records = (await harness.scan("audit")).filter((item) =>
    textOf(item, "TransactionID")?.startsWith("txn-client-"),
  );
  expect(records.map((item) => textOf(item, "AuditID")).sort()).toEqual(sent.map(({ AuditID }) => AuditID).sort());
  for (let payment = 0; payment < 6; payment++) {
    const own = records.filter((item) => textOf(item, "TransactionID") === `txn-client-${payment}`);
    const ordered = own.toSorted((a, b) =>
      (textOf(a, "TransactionOrder") ?? "").localeCompare(textOf(b, "TransactionOrder") ?? ""),
    );
    expect(ordered.map((item) => textOf(item, "Action"))).toEqual(
      Array.from({ length: 10 }, (_, step) => `STEP_${step}`),
    );
  }
}, 120_000);
