/**
 * Reads the payments that came as files, as `payment_data` and as messages: one by its id, or a table's by time. Recorded
 * before they are returned. The two tables have no index; the trail's index by time leads to their payments.
 */

import { TABLES } from "../../contract";
import { notFoundIf } from "../rules/answers";
import {
  encodePageToken,
  type Page,
  parsePage,
  parseRange,
  type TimeRange,
  type TransactionQuery,
  transactionQuerySchema,
} from "../rules/queries";
import type { RefusedRecord } from "../rules/responses";
import { SCHEMA_VERSION } from "../rules/schema";
import { type StoredItem, textOf, textOrEmpty } from "../rules/stored-item";
import type { TransactionsResponse } from "../rules/transaction-responses";
import { ALL_ACTORS } from "../store/audit-record";
import { readDayIndex } from "../store/day-index";
import { getItem, getItems, queryAll } from "../store/read-items";
import type { Services } from "../store/services";
import { messageView, transactionView } from "../store/transaction-record";
import type { Call } from "./call";
import { refuseWithAlarm } from "./integrity-alarm";
import { writeAuditId } from "./payment-books";
import { askedOf, checkRecords, recordRead, refuseRecords } from "./read-audit";
import { refuseCall } from "./refusal-records";
import { validateRequest } from "./validation";

const TRANSACTIONS = TABLES.paymentTransactions;
const MESSAGES = TABLES.paymentMessages;
const TRAIL = TABLES.paymentAuditTrail;

type Book = typeof TRANSACTIONS | typeof MESSAGES;
type TimeQuery = Extract<TransactionQuery, { Query: "time" }>;
type IdQuery = Exclude<TransactionQuery, TimeQuery>;

interface FoundPayments {
  readonly items: readonly StoredItem[];
  /** The payment that was asked for by its id. */
  readonly transactionId?: string;
  readonly refused: readonly RefusedRecord[];
  /** Where the page ended in the trail's index, when there may be more behind it. */
  readonly continueAfter?: string;
}

export async function queryTransactions(event: unknown, call: Call, services: Services): Promise<TransactionsResponse> {
  const validated = await validateRequest(transactionQuerySchema, event, TRANSACTIONS.logicalName, call, services);
  if ("refused" in validated) return validated.refused;
  const query = validated.request;
  if (query.Query !== "time") return answerOne(query, call, services);
  const range = parseRange(query, call.now);
  if (!range.ok) return refuseCall(event, range.refusal, query.Table, call, services);
  const page = parsePage(query);
  if (!page.ok) return refuseCall(event, page.refusal, query.Table, call, services);
  const book = query.Table === MESSAGES.logicalName ? MESSAGES : TRANSACTIONS;
  return answer(
    query,
    book,
    await findByTime(book, query, { range: range.value, page: page.value }, call, services),
    call,
    services,
  );
}

async function answerOne(query: IdQuery, call: Call, services: Services): Promise<TransactionsResponse> {
  const [book, id] = query.Query === "payment" ? [MESSAGES, query.paymentId] : [TRANSACTIONS, query.transactionId];
  const items = await recordsOf(book, id, services);
  if (items.length === 0 && (await wasRecorded(book, id, services))) {
    return refuseWithAlarm(missing(book, id), query.Actor, call, services);
  }
  return answer(query, book, { items, refused: [], transactionId: id }, call, services);
}

function missing(book: Book, recordId: string) {
  return { code: "AUDIT_RECORD_MISSING", table: book.logicalName, recordId } as const;
}

/**
 * A page looks at up to `Limit` records of the trail. Those that are WRITE records of the table lead to its payments; the
 * others are passed over, so a page may hold few payments, or none, and still have one behind it.
 */
async function findByTime(
  book: Book,
  { Actor }: TimeQuery,
  { range, page }: { readonly range: TimeRange; readonly page: Page },
  call: Call,
  services: Services,
): Promise<FoundPayments> {
  const { indexes, partitionKey } = TRAIL;
  const trailTable = services.tables.paymentAuditTrail;
  const entries = await readDayIndex(
    services,
    { tableName: trailTable, index: indexes.byTime, value: ALL_ACTORS },
    range,
    page,
  );
  const writeIds = entries.map((entry) => textOrEmpty(entry, partitionKey)).filter((id) => id.startsWith("W~"));
  const writes = await getItems(services.dynamo, trailTable, partitionKey, writeIds);
  const { trusted, refused } = await checkRecords(TRAIL, writes, Actor, call, services);
  const own = trusted.filter((write) => textOf(write, "Table") === book.logicalName);
  const ids = own.map((write) => textOrEmpty(write, "TransactionID"));
  const rows = await Promise.all(ids.map((id) => recordsOf(book, id, services)));
  const lost = ids.filter((_, index) => rows[index]?.length === 0).map((id) => missing(book, id));
  const last = entries.at(-1);
  const continueAfter = last === undefined ? undefined : textOf(last, indexes.byTime.sortKey);
  return {
    items: rows.flat(),
    refused: [...refused, ...(await refuseRecords(lost, Actor, call, services))],
    ...(entries.length < page.limit || continueAfter === undefined ? {} : { continueAfter }),
  };
}

async function answer(
  query: TransactionQuery,
  book: Book,
  found: FoundPayments,
  call: Call,
  services: Services,
): Promise<TransactionsResponse> {
  const { transactionId } = found;
  const { logicalName, partitionKey } = book;
  const checked = await checkRecords(book, found.items, query.Actor, call, services);
  const refused = [...found.refused, ...checked.refused];
  const { trusted } = checked;
  const AuditID = await recordRead(
    {
      action: "READ",
      actor: query.Actor,
      table: logicalName,
      asked: askedOf(query),
      askedIds: transactionId === undefined ? [] : [transactionId],
      returnedIds: trusted.map((item) => textOrEmpty(item, partitionKey)),
      result: refused.length > 0 ? "partly-refused" : trusted.length > 0 ? "returned" : "not-found",
      ...(transactionId === undefined ? {} : { transactionId }),
    },
    call,
    services,
  );
  const { continueAfter } = found;
  const more = continueAfter === undefined ? {} : { NextPageToken: encodePageToken(query, [continueAfter]) };
  const isUnknown = transactionId !== undefined && found.items.length === 0;
  const head = {
    schemaVersion: SCHEMA_VERSION,
    outcome: "answered",
    ...notFoundIf(isUnknown),
  } as const;
  return book === MESSAGES
    ? { ...head, payments: trusted.map(messageView), refused, AuditID, ...more }
    : { ...head, transactions: trusted.map(transactionView), refused, AuditID, ...more };
}

/** A row and its WRITE record are put together, so a WRITE record without a row means that the row was removed. */
async function wasRecorded(book: Book, id: string, services: Services): Promise<boolean> {
  const auditId = writeAuditId(book.logicalName, id);
  return (await getItem(services.dynamo, services.tables.paymentAuditTrail, TRAIL.partitionKey, auditId)) !== undefined;
}

async function recordsOf(book: Book, id: string, services: Services): Promise<StoredItem[]> {
  if (book === MESSAGES) return getItems(services.dynamo, services.tables.paymentMessages, MESSAGES.partitionKey, [id]);
  return queryAll(services.dynamo, {
    TableName: services.tables.paymentTransactions,
    ConsistentRead: true,
    KeyConditionExpression: "#id = :id",
    ExpressionAttributeNames: { "#id": TRANSACTIONS.partitionKey },
    ExpressionAttributeValues: { ":id": { S: id } },
  });
}
