/**
 * What each way in asks of AWS, counted: the functions' own operations run, and the requests that leave the SDK are read. So the
 * figures follow from the code, whatever it sends. DynamoDB's published rules turn an item's size into units.
 */

import "../../local/sdk-warning";
import { createHash } from "node:crypto";
import { Readable } from "node:stream";
import { DynamoDBClient } from "@aws-sdk/client-dynamodb";
import { KMSClient } from "@aws-sdk/client-kms";
import { NoSuchKey, S3Client } from "@aws-sdk/client-s3";
import { TABLES, type TableId } from "../../contract";
import { PaymentFiles } from "../../ledger/files/payment-files";
import type { Call } from "../../ledger/operations/call";
import { runPaymentProcessor } from "../../ledger/operations/payment-processor";
import { persistAuditEvents } from "../../ledger/operations/persist-audit-events";
import { persistPayments } from "../../ledger/operations/persist-payments";
import { processMessages } from "../../ledger/operations/process-messages";
import { queryLedger } from "../../ledger/operations/query-ledger";
import { recordPaymentEvents } from "../../ledger/operations/record-events";
import { fromItemJson, type ItemJson } from "../../ledger/rules/attribute-value";
import { type StoredItem, textOf } from "../../ledger/rules/stored-item";
import { deriveMacKeys, FieldEncryption } from "../../ledger/store/key-material";
import type { Services } from "../../ledger/store/services";
import { itemBytes, units } from "../../local/main-job/tables";

/** Per payment, event or read. A record is an audit record; what has no row has none of its bytes. */
export interface WayCounts {
  readonly calls: number;
  readonly transactions: number;
  readonly tableWriteUnits: number;
  readonly indexWriteUnits: number;
  readonly readUnits: number;
  /** Objects of the bucket of payment files that were read or put. */
  readonly objects: number;
  /** Keys of the entries in indexes. */
  readonly indexBytes: number;
  readonly rowBytes: number;
  readonly recordBytes: number;
  /** Entries of the log of proofs: each put is sealed. */
  readonly sealedRecords: number;
}

export const WAYS = ["single", "list", "message", "fileRow", "refund", "event", "read"] as const;
export type WayIn = (typeof WAYS)[number];

const NOW = new Date("2026-11-28T12:00:00.000Z");
const CREDENTIALS = { accessKeyId: "none", secretAccessKey: "none" };
const BUCKET = "payment-files";
const LIST = 50;
const QUEUE_BATCH = 10;
/** Rows of a payment file, unless another number is asked for. */
export const FILE_ROWS = 500;
const TRANSACTION_FACTOR = 2;

interface Put {
  readonly table: TableId;
  readonly item: StoredItem;
}

interface Seen {
  /** What was put before the counting began: reads find it. */
  readonly before: readonly Put[];
  readonly puts: Put[];
  transactions: number;
  /** Conditions on items that a transaction does not write. */
  checks: number;
  gets: number;
  objects: number;
}

type Client = DynamoDBClient | KMSClient | S3Client;

/** Answers a client's calls when they are ready to be signed, and shows the body that would be sent. */
function answering<C extends Client>(client: C, answer: (command: string, body: string, path: string) => object): C {
  (client as DynamoDBClient).middlewareStack.add(
    (_next, context) => async (args) => {
      const { body = "", path } = args.request as { body?: string | Uint8Array; path: string };
      const text =
        typeof body === "string" ? body : Buffer.from(body.buffer, body.byteOffset, body.byteLength).toString("utf8");
      const output = { $metadata: {}, ...answer(String(context["commandName"]).replace("Command", ""), text, path) };
      return { output: output as never, response: {} };
    },
    { step: "finalizeRequest", name: "counting", priority: "high" },
  );
  return client;
}

function tableOf(name: string): TableId {
  const found = Object.entries(TABLES).find(([, { logicalName }]) => logicalName === name);
  if (found === undefined) throw new Error(`A put goes to ${name}, which is no table of the ledger.`);
  return found[0] as TableId;
}

/** The items that a read finds: by the whole partition key, which is all that the counted ways read by. */
function found(seen: Seen, command: string, request: { TableName: string; Key?: ItemJson }): object {
  const table = tableOf(request.TableName);
  const { partitionKey } = TABLES[table];
  const wanted =
    (request.Key?.[partitionKey] as { S?: string } | undefined)?.S ??
    (request as { ExpressionAttributeValues?: Record<string, { S?: string }> }).ExpressionAttributeValues?.[":payment"]
      ?.S;
  const items = [...seen.before, ...seen.puts].filter(
    (put) => put.table === table && textOf(put.item, partitionKey) === wanted,
  );
  return command === "GetItem" ? { Item: items[0]?.item } : { Items: items.map(({ item }) => item) };
}

function services(seen: Seen): Services {
  const settings = { region: "us-east-1", credentials: CREDENTIALS };
  const dynamo = answering(new DynamoDBClient(settings), (command, body) => {
    if (command !== "TransactWriteItems") {
      seen.gets += 1;
      return found(seen, command, JSON.parse(body));
    }
    const { TransactItems } = JSON.parse(body) as { TransactItems: { Put?: { TableName: string; Item: ItemJson } }[] };
    seen.transactions += 1;
    for (const { Put } of TransactItems) {
      if (Put === undefined) {
        seen.checks += 1;
        continue;
      }
      const item = fromItemJson(Put.Item);
      if (item === undefined) throw new Error(`A put of ${Put.TableName} has no valid item.`);
      seen.puts.push({ table: tableOf(Put.TableName), item: item as StoredItem });
    }
    return {};
  });
  // As long as KMS's own answers for a data key and a MAC of this size.
  const kms = answering(new KMSClient(settings), () => ({
    CiphertextBlob: Buffer.alloc(184, 1),
    Mac: Buffer.alloc(32, 7),
  }));
  const keyArn = "arn:aws:kms:us-east-1:111122223333:key/00000000-0000-0000-0000-000000000000";
  const { paymentLedger, paymentAuditTrail } = TABLES;
  const names = Object.entries(TABLES).map(([id, { logicalName }]) => [id, logicalName]);
  const fields = { kms, keyArn, hierarchy: "shared" as const };
  const macKeys = deriveMacKeys(kms, keyArn);
  return {
    dynamo,
    tables: Object.fromEntries(names) as Services["tables"],
    tokenFields: new FieldEncryption({ ...fields, table: paymentLedger.logicalName }),
    auditFields: new FieldEncryption({ ...fields, table: paymentAuditTrail.logicalName }),
    macKeys: () => macKeys,
    indexShardCount: 64,
    signal: () => undefined,
    logFault: (error) => {
      throw error;
    },
  };
}

/** Ids and actors of ordinary length: a UUID with a prefix, a service's name. */
const idOf = (number: number) => `txn_2026_${createHash("sha256").update(`${number}`).digest("hex").slice(0, 24)}`;

function payment(number: number) {
  return {
    TransactionID: idOf(number),
    SecureToken: "tok_1a2b3c4d5e6f7a8b9c0d1e2f",
    Amount: "129.90",
    Currency: "EUR",
    ProcessorID: "acme-processor",
    Status: "Success",
    Timestamp: "2026-11-28T11:59:59.120Z",
    Actor: "checkout-service",
  };
}

function message(number: number) {
  const { TransactionID: paymentId, Amount: amount, Currency: currency, ProcessorID: processorId } = payment(number);
  return {
    messageId: `00000000-0000-4000-8000-${String(number).padStart(12, "0")}`,
    receiptHandle: "handle",
    body: JSON.stringify({ paymentId, amount, currency, processorId, timestamp: "2026-11-28T11:59:59.120Z" }),
    eventSource: "aws:sqs",
    eventSourceARN: "arn:aws:sqs:us-east-1:111122223333:audit-trail-queue",
    attributes: {
      ApproximateReceiveCount: "1",
      SenderId: "AROAEXAMPLEEXAMPLE:order-service",
      SentTimestamp: "1795867199120",
      ApproximateFirstReceiveTimestamp: "1795867199121",
    },
  };
}

const fileRow = (number: number) =>
  JSON.stringify({
    transactionId: idOf(number),
    amount: "129.90",
    currency: "EUR",
    cardLast4: "4242",
    metadata: { merchant: "Example Store 17", batch: "2026-11-28" },
  });

function fileEvent(): object {
  const s3 = { bucket: { name: BUCKET }, object: { key: "payments/20261128/partner.ndjson", versionId: "v1" } };
  const userIdentity = { principalId: "AWS:AROAEXAMPLEEXAMPLE:partner-upload" };
  return { Records: [{ eventSource: "aws:s3", eventName: "ObjectCreated:Put", userIdentity, s3 }] };
}

function bucket(seen: Seen, rowsPerFile: number): PaymentFiles {
  const s3 = new S3Client({ region: "us-east-1", credentials: CREDENTIALS });
  answering(s3, (command, _body, path) => {
    seen.objects += 1;
    if (command !== "GetObject") return {};
    // Neither a report nor a mark to go on from.
    if (!path.startsWith("/payments/")) throw new NoSuchKey({ message: "none", $metadata: {} });
    const rows = Array.from({ length: rowsPerFile }, (_, number) => fileRow(number));
    return { Body: Readable.from([Buffer.from(`${rows.join("\n")}\n`)]) };
  });
  return new PaymentFiles(s3, BUCKET);
}

const call = (operation: string): Call => ({
  operation,
  caller: { requestId: "7c3a1f0e-2b7d-4f1a-9a52-6d0f3b1c8e77", functionName: operation },
  now: NOW,
  remainingMs: () => 900_000,
});

const numbers = (length: number) => Array.from({ length }, (_, number) => number);

/** A refund that is held before the processor is asked, and settled afterwards; the hold is the payment's first event. */
const REFUND_EVENTS = [
  { EventID: "refund-hold-2026-000001", Kind: "REFUND_HELD", Mode: "grant" },
  { EventID: "re_1a2b3c4d5e6f7a8b", Kind: "REFUNDED", Mode: "fact", Of: "refund-hold-2026-000001" },
].map((each) => ({ ...each, TransactionID: idOf(1), Amount: "129.90", Currency: "EUR", Actor: "refund-service" }));

async function recordRefund(to: Services): Promise<void> {
  for (const event of REFUND_EVENTS) {
    const answer = await recordPaymentEvents(event, call("record_payment_event"), to);
    const outcome = "results" in answer ? answer.results[0]?.outcome : answer.outcome;
    if (outcome !== "stored") throw new Error(`refund: ${event.Kind} is ${outcome}.`);
  }
}

/** How many of its unit one run handles, and the run. */
const runs = (
  rowsPerFile: number,
): Readonly<Record<WayIn, readonly [number, (to: Services, seen: Seen) => Promise<unknown>]>> => ({
  single: [1, (to) => persistPayments(payment(1), call("persist_payment_ledger"), to)],
  list: [LIST, (to) => persistPayments(numbers(LIST).map(payment), call("persist_payment_ledger"), to)],
  message: [
    QUEUE_BATCH,
    (to) => processMessages({ Records: numbers(QUEUE_BATCH).map(message) }, call("process_payment_messages"), to),
  ],
  fileRow: [
    rowsPerFile,
    (to, seen) =>
      runPaymentProcessor(fileEvent(), call("payment-processor"), to, {
        files: bucket(seen, rowsPerFile),
        removeCardDataFiles: false,
      }),
  ],
  refund: [1, recordRefund],
  event: [
    1,
    (to) =>
      persistAuditEvents(
        { AuditID: "evt-2026-11-28-000001", TransactionID: idOf(1), Action: "READ", Actor: "support-console" },
        call("persist_payment_audit_trail"),
        to,
      ),
  ],
  read: [
    1,
    (to) =>
      queryLedger(
        { Query: "transaction", TransactionID: idOf(1), Actor: "support-console" },
        call("query_payment_ledger"),
        to,
      ),
  ],
});

/** Calls of the function in one run. */
const CALLS: Readonly<Record<WayIn, number>> = {
  single: 1,
  list: 1,
  message: 1,
  fileRow: 1,
  refund: REFUND_EVENTS.length,
  event: 1,
  read: 1,
};

const nothingSeen = (before: readonly Put[]): Seen => {
  return { before, puts: [], transactions: 0, checks: 0, gets: 0, objects: 0 };
};

async function stored(sent: object): Promise<readonly Put[]> {
  const seen = nothingSeen([]);
  await persistPayments(sent, call("persist_payment_ledger"), services(seen));
  return seen.puts;
}

/** @throws Error when a way does not put what it must: a figure of nothing would be a low price. */
export async function countWay(way: WayIn, rowsPerFile = FILE_ROWS): Promise<WayCounts> {
  const [entries, run] = runs(rowsPerFile)[way];
  const seen = nothingSeen(way === "refund" ? await stored(payment(1)) : []);
  await run(services(seen), seen);
  const records = seen.puts.filter(({ table }) => table === "paymentAuditTrail");
  const rows = seen.puts.filter(({ table }) => table !== "paymentAuditTrail");
  if (records.length < entries) throw new Error(`${way}: ${records.length} audit records for ${entries}.`);
  const sum = (puts: Seen["puts"], of: (put: Seen["puts"][number]) => number) =>
    puts.reduce((total, put) => total + of(put), 0);
  const bytes = ({ item }: Seen["puts"][number]) => itemBytes(item);
  const indexed = seen.puts.flatMap(({ table, item }) => indexEntries(table, item));
  return {
    calls: CALLS[way] / entries,
    transactions: seen.transactions / entries,
    tableWriteUnits: (TRANSACTION_FACTOR * (sum(seen.puts, (put) => units(bytes(put))) + seen.checks)) / entries,
    indexWriteUnits: indexed.length / entries,
    indexBytes: indexed.reduce((total, entry) => total + itemBytes(entry), 0) / entries,
    readUnits: seen.gets / entries,
    objects: seen.objects / entries,
    rowBytes: sum(rows, bytes) / entries,
    recordBytes: sum(records, bytes) / entries,
    sealedRecords: seen.puts.length / entries,
  };
}

/** Entries hold keys only, so each is one write unit; an item without the index's keys has none. */
function indexEntries(table: TableId, item: StoredItem): StoredItem[] {
  const { partitionKey, indexes, ...rest } = TABLES[table];
  const tableKeys = [partitionKey, ...("sortKey" in rest ? [rest.sortKey.name] : [])];
  return Object.values(indexes)
    .filter((index) => index.partitionKey in item && index.sortKey in item)
    .map((index) => {
      const keys = new Set([...tableKeys, index.partitionKey, index.sortKey]);
      return Object.fromEntries(Object.entries(item).filter(([name]) => keys.has(name)));
    });
}
