/** Reads payments: by transaction, by processor and time, failures by time. Tokens stay masked; every read is audited first. */

import { TABLES } from "../../contract";
import { notFoundIf } from "../rules/answers";
import {
  encodePageToken,
  type LedgerQuery,
  ledgerQuerySchema,
  type Page,
  parsePage,
  parseRange,
  type TimeRange,
} from "../rules/queries";
import type { LedgerQueryResponse } from "../rules/responses";
import { SCHEMA_VERSION } from "../rules/schema";
import { type StoredItem, textOf, textOrEmpty } from "../rules/stored-item";
import { readDayIndex } from "../store/day-index";
import { FAILURE_INDEX_VALUE, paymentView } from "../store/payment-record";
import { getItem, getItems } from "../store/read-items";
import type { Services } from "../store/services";
import type { Call } from "./call";
import { queryLife, queryOpenEvents } from "./query-life";
import { askedOf, checkRecords, recordRead } from "./read-audit";
import { refuseCall } from "./refusal-records";
import { validateRequest } from "./validation";

const { logicalName: LEDGER, partitionKey, indexes } = TABLES.paymentLedger;

type PaymentQuery = Extract<LedgerQuery, { Query: "transaction" | "processor" | "failures" }>;
type ListQuery = Exclude<PaymentQuery, { Query: "transaction" }>;

interface FoundItems {
  readonly items: readonly StoredItem[];
  /** Sort key of the last index entry, when there may be more behind it. */
  readonly continueAfter?: string;
}

export async function queryLedger(event: unknown, call: Call, services: Services): Promise<LedgerQueryResponse> {
  const validated = await validateRequest(ledgerQuerySchema, event, LEDGER, call, services);
  if ("refused" in validated) return validated.refused;
  const query = validated.request;
  if (query.Query === "life") return queryLife(query, call, services);
  if (query.Query === "open-holds" || query.Query === "open-breaches") return queryOpenEvents(query, call, services);
  if (query.Query === "transaction") return answer(query, await findOne(query.TransactionID, services), call, services);
  const range = parseRange(query, call.now);
  if (!range.ok) return refuseCall(event, range.refusal, LEDGER, call, services);
  const page = parsePage(query);
  if (!page.ok) return refuseCall(event, page.refusal, LEDGER, call, services);
  return answer(query, await findPage(query, range.value, page.value, services), call, services);
}

async function findOne(transactionId: string, services: Services): Promise<FoundItems> {
  const item = await getItem(services.dynamo, services.tables.paymentLedger, partitionKey, transactionId);
  return { items: item === undefined ? [] : [item] };
}

/** The index holds keys only; the records come from the table, so that each can be checked whole and is up to date. */
async function findPage(query: ListQuery, range: TimeRange, page: Page, services: Services): Promise<FoundItems> {
  const index = query.Query === "processor" ? indexes.byProcessor : indexes.byFailure;
  const value = query.Query === "processor" ? query.ProcessorID : FAILURE_INDEX_VALUE;
  const entries = await readDayIndex(services, { tableName: services.tables.paymentLedger, index, value }, range, page);
  const ids = entries.map((entry) => textOrEmpty(entry, partitionKey));
  const items = await getItems(services.dynamo, services.tables.paymentLedger, partitionKey, ids);
  const last = entries.at(-1);
  const continueAfter = last === undefined ? undefined : textOf(last, index.sortKey);
  return entries.length < page.limit || continueAfter === undefined ? { items } : { items, continueAfter };
}

async function answer(
  query: PaymentQuery,
  found: FoundItems,
  call: Call,
  services: Services,
): Promise<LedgerQueryResponse> {
  const { trusted, refused } = await checkRecords(TABLES.paymentLedger, found.items, query.Actor, call, services);
  const payments = trusted.map(paymentView);
  const AuditID = await recordRead(
    {
      action: "READ",
      actor: query.Actor,
      table: LEDGER,
      asked: askedOf(query),
      askedIds: query.Query === "transaction" ? [query.TransactionID] : [],
      returnedIds: payments.map((payment) => payment.TransactionID),
      result: refused.length > 0 ? "partly-refused" : payments.length > 0 ? "returned" : "not-found",
      ...(query.Query === "transaction" ? { transactionId: query.TransactionID } : {}),
    },
    call,
    services,
  );
  const more =
    found.continueAfter === undefined ? {} : { NextPageToken: encodePageToken(query, [found.continueAfter]) };
  const isUnknown = query.Query === "transaction" && found.items.length === 0;
  return {
    schemaVersion: SCHEMA_VERSION,
    outcome: "answered",
    payments,
    ...notFoundIf(isUnknown),
    refused: [...refused],
    AuditID,
    ...more,
  };
}
