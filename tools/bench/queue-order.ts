/**
 * 10,000 audit events of 200 payments through the FIFO queue of the embedded AWS: eight producers, repeats, one invalid
 * message in the middle; then a technical fault on one payment. `npm run soak:queue-order`.
 */

import "../../local/sdk-warning";
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { setTimeout as sleep } from "node:timers/promises";
import { DynamoDBClient, paginateScan } from "@aws-sdk/client-dynamodb";
import {
  GetQueueAttributesCommand,
  SendMessageBatchCommand,
  SetQueueAttributesCommand,
  SQSClient,
} from "@aws-sdk/client-sqs";
import { type Deployment, deploy } from "../../local/deploy";
import { startEmbeddedAws } from "../../local/embedded-aws";
import { FAULTS, type FaultProxy, startFaultProxy } from "../../local/fault-proxy";
import { synthesize } from "../../local/synthesize";

const TRANSACTIONS = 200;
const EVENTS_EACH = 50;
const PRODUCERS = 8;
/** Every so many events one is sent again: within SQS's own window of deduplication, and past it under another id. */
const REPEAT_EVERY = 20;
const INVALID_AT = { transaction: 100, event: 25 };
const WAIT_MAX_MS = 10 * 60 * 1000;

interface Message {
  readonly group: string;
  readonly deduplicationId: string;
  readonly body: string;
}

interface Setup {
  readonly deployment: Deployment;
  readonly dynamo: DynamoDBClient;
  readonly sqs: SQSClient;
  readonly queueUrl: string;
  readonly deadLetterUrl: string;
}

const transactionName = (index: number) => `order-${String(index).padStart(3, "0")}`;

function messagesOf(transaction: number, count: number, prefix = ""): Message[] {
  const group = prefix + transactionName(transaction);
  const messages: Message[] = [];
  for (let event = 0; event < count; event++) {
    const AuditID = `${group}-event-${String(event).padStart(3, "0")}`;
    const body = JSON.stringify({
      AuditID,
      TransactionID: group,
      Actor: "order-service",
      Action: "READ",
      query_result: "success",
    });
    if (prefix === "" && transaction === INVALID_AT.transaction && event === INVALID_AT.event) {
      messages.push({ group, deduplicationId: `${AuditID}-invalid`, body: '{"TransactionID": "order' });
    }
    messages.push({ group, deduplicationId: AuditID, body });
    if (event % REPEAT_EVERY === REPEAT_EVERY - 1) {
      messages.push({ group, deduplicationId: AuditID, body }, { group, deduplicationId: `${AuditID}-again`, body });
    }
  }
  return messages;
}

/** One producer sends the events of its payments in order; the producers run side by side. */
async function produce(transactions: readonly number[], count: number, setup: Setup, prefix = ""): Promise<number> {
  const queues = transactions.map((transaction) => messagesOf(transaction, count, prefix));
  const longest = Math.max(...queues.map((queue) => queue.length));
  let sent = 0;
  for (let at = 0; at < longest; at++) {
    const batch = queues.map((queue) => queue[at]).filter((message) => message !== undefined);
    for (let start = 0; start < batch.length; start += 10) {
      const entries = batch.slice(start, start + 10).map(({ group, deduplicationId, body }, index) => ({
        Id: String(index),
        MessageBody: body,
        MessageGroupId: group,
        MessageDeduplicationId: deduplicationId,
      }));
      const answer = await setup.sqs.send(new SendMessageBatchCommand({ QueueUrl: setup.queueUrl, Entries: entries }));
      if ((answer.Failed ?? []).length > 0) throw new Error("A batch was not sent whole.");
      sent += entries.length;
    }
  }
  return sent;
}

interface StoredEvent {
  readonly auditId: string;
  readonly transactionId: string;
  readonly action: string;
  readonly order: string;
  readonly sequenceNumber: string;
}

async function storedEvents({ dynamo, deployment }: Setup): Promise<StoredEvent[]> {
  const events: StoredEvent[] = [];
  const input = { TableName: deployment.tableName("paymentAuditTrail"), ConsistentRead: true };
  for await (const page of paginateScan({ client: dynamo }, input)) {
    for (const item of page.Items ?? []) {
      events.push({
        auditId: item["AuditID"]?.S ?? "",
        transactionId: item["TransactionID"]?.S ?? "",
        action: item["Action"]?.S ?? "",
        order: item["TransactionOrder"]?.S ?? "",
        sequenceNumber: item["SequenceNumber"]?.S ?? "",
      });
    }
  }
  return events;
}

async function waitForCount(expected: number, setup: Setup): Promise<StoredEvent[]> {
  const until = Date.now() + WAIT_MAX_MS;
  for (;;) {
    const events = await storedEvents(setup);
    if (events.length >= expected) return events;
    if (Date.now() > until) throw new Error(`Only ${events.length} of ${expected} records were stored in time.`);
    console.log(`  ${events.length.toLocaleString("en")} of ${expected.toLocaleString("en")} records`);
    await sleep(3_000);
  }
}

/** Payments whose records are not in the order in which their events were sent. */
function outOfOrder(events: readonly StoredEvent[]): string[] {
  const byTransaction = new Map<string, StoredEvent[]>();
  for (const event of events)
    byTransaction.set(event.transactionId, [...(byTransaction.get(event.transactionId) ?? []), event]);
  return [...byTransaction].flatMap(([transaction, records]) => {
    const stored = records.toSorted((a, b) => (a.order < b.order ? -1 : 1));
    const sequences = stored.map((record) => record.sequenceNumber);
    const ids = stored.filter((record) => record.action !== "GAP").map((record) => record.auditId);
    const inOrder = isSorted(sequences) && isSorted(ids);
    return inOrder ? [] : [transaction];
  });
}

const isSorted = (texts: readonly string[]) =>
  texts.every((text, index) => index === 0 || (texts[index - 1] ?? "") < text);

async function depth(queueUrl: string, { sqs }: Setup): Promise<number> {
  const names = ["ApproximateNumberOfMessages", "ApproximateNumberOfMessagesNotVisible"] as const;
  const { Attributes } = await sqs.send(
    new GetQueueAttributesCommand({ QueueUrl: queueUrl, AttributeNames: [...names] }),
  );
  return names.reduce((sum, name) => sum + Number(Attributes?.[name] ?? 0), 0);
}

async function orderAndRepeats(setup: Setup): Promise<void> {
  const startedAt = Date.now();
  const all = Array.from({ length: TRANSACTIONS }, (_, index) => index);
  const shares = Array.from({ length: PRODUCERS }, (_, producer) =>
    all.filter((index) => index % PRODUCERS === producer),
  );
  const sent = await Promise.all(shares.map((share) => produce(share, EVENTS_EACH, setup)));
  const distinct = TRANSACTIONS * EVENTS_EACH;
  const events = await waitForCount(distinct + 1, setup);
  const gaps = events.filter((event) => event.action === "GAP").length;
  const records = new Set(events.filter((event) => event.action !== "GAP").map((event) => event.auditId)).size;
  const disordered = outOfOrder(events);
  const dead = await depth(setup.deadLetterUrl, setup);
  const total = sent.reduce((sum, count) => sum + count, 0);
  console.log(
    `sent ${total.toLocaleString("en")} messages (${distinct.toLocaleString("en")} distinct events, repeats, 1 invalid) from ${PRODUCERS} producers`,
  );
  console.log(
    `stored ${records.toLocaleString("en")} distinct records and ${gaps} gap record; payments out of order: ${disordered.length}; dead letters: ${dead} (${((Date.now() - startedAt) / 1000).toFixed(0)} s)`,
  );
  if (records !== distinct || gaps !== 1 || events.length !== distinct + 1 || disordered.length > 0 || dead > 0)
    process.exitCode = 1;
}

async function faultOnOneGroup(setup: Setup, proxy: FaultProxy): Promise<void> {
  // In AWS a failed message waits for six function time-outs; here a few seconds show the same.
  await setup.sqs.send(
    new SetQueueAttributesCommand({ QueueUrl: setup.queueUrl, Attributes: { VisibilityTimeout: "5" } }),
  );
  const before = (await storedEvents(setup)).length;
  const held = `held-${transactionName(0)}`;
  const rule = proxy.inject({
    target: "DynamoDB.TransactWriteItems",
    where: ({ input }) =>
      JSON.stringify(input).includes(`${held}-event`) || JSON.stringify(input).includes(`"${held}"`),
    fault: FAULTS.internalError(),
  });
  const groups = Array.from({ length: 20 }, (_, index) => index);
  await produce(groups, 5, setup, "held-");
  const others = (await waitForCount(before + 19 * 5, setup)).filter((event) =>
    event.transactionId.startsWith("held-"),
  );
  const heldMeanwhile = others.filter((event) => event.transactionId === held).length;
  rule.remove();
  const after = (await waitForCount(before + 20 * 5, setup)).filter((event) => event.transactionId.startsWith("held-"));
  const dead = await depth(setup.deadLetterUrl, setup);
  console.log(
    `with a fault on one payment: ${others.length - heldMeanwhile} records of the 19 others, ${heldMeanwhile} of this one; after the fault ${after.length}, out of order: ${outOfOrder(after).length}; dead letters: ${dead}`,
  );
  if (heldMeanwhile !== 0 || after.length !== 100 || outOfOrder(after).length > 0 || dead > 0) process.exitCode = 1;
}

async function main(): Promise<void> {
  const outputDirectory = mkdtempSync(join(tmpdir(), "payment-ledger-queue-order-"));
  const aws = await startEmbeddedAws();
  const proxy = await startFaultProxy(aws.endpoint);
  try {
    await synthesize(outputDirectory);
    const deployment = await deploy({
      aws,
      outputDirectory,
      environmentOverrides: { persistPaymentAuditTrail: { AWS_ENDPOINT_URL_DYNAMODB: proxy.url } },
    });
    const config = deployment.clientConfig();
    const setup: Setup = {
      deployment,
      dynamo: new DynamoDBClient(config),
      sqs: new SQSClient(config),
      queueUrl: deployment.queueUrl("payment-audit-trail-dev.fifo"),
      deadLetterUrl: deployment.queueUrl("payment-audit-trail-dlq-dev.fifo"),
    };
    await orderAndRepeats(setup);
    await faultOnOneGroup(setup, proxy);
  } finally {
    await proxy.stop();
    await aws.stop();
    rmSync(outputDirectory, { recursive: true, force: true });
  }
}

main().catch((error: unknown) => {
  console.error(error instanceof Error ? error.message : error);
  process.exitCode = 1;
});
