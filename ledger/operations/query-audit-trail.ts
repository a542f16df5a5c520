/** Reads the audit trail: by transaction, by actor, by time. Reading it is recorded too (PCI DSS 10.2.1.3). */

import { TABLES } from "../../contract";
import { notFoundIf } from "../rules/answers";
import {
  type AuditQuery,
  auditQuerySchema,
  encodePageToken,
  type Page,
  parsePage,
  parseRange,
  type TimeRange,
} from "../rules/queries";
import type { Refusal } from "../rules/refusals";
import type { AuditQueryResponse } from "../rules/responses";
import { SCHEMA_VERSION } from "../rules/schema";
import { type StoredItem, textOrEmpty } from "../rules/stored-item";
import { ALL_ACTORS, auditView } from "../store/audit-record";
import { readDayIndex } from "../store/day-index";
import { getItems, queryIndex } from "../store/read-items";
import type { Services } from "../store/services";
import type { Call } from "./call";
import { askedOf, checkRecords, recordRead } from "./read-audit";
import { refuseCall } from "./refusal-records";
import { validateRequest } from "./validation";

const { logicalName: TRAIL, partitionKey, indexes } = TABLES.paymentAuditTrail;

type RangeQuery = Exclude<AuditQuery, { Query: "transaction" }>;

interface FoundKeys {
  readonly auditIds: readonly string[];
  /** Parts of the last index key, when there may be more behind it. */
  readonly continueAfter?: readonly string[];
}

export async function queryAuditTrail(event: unknown, call: Call, services: Services): Promise<AuditQueryResponse> {
  const validated = await validateRequest(auditQuerySchema, event, TRAIL, call, services);
  if ("refused" in validated) return validated.refused;
  const query = validated.request;
  const found = await find(query, call, services);
  if ("code" in found) return refuseCall(event, found, TRAIL, call, services);
  return answer(query, found, call, services);
}

async function find(query: AuditQuery, call: Call, services: Services): Promise<FoundKeys | Refusal> {
  const page = parsePage(query);
  if (!page.ok) return page.refusal;
  if (query.Query === "transaction") return findByTransaction(query.TransactionID, page.value, services);
  const range = parseRange(query, call.now);
  return range.ok ? findByDay(query, range.value, page.value, services) : range.refusal;
}

/** One payment's records are in one partition, in the order in which they were recorded. */
async function findByTransaction(transactionId: string, page: Page, services: Services): Promise<FoundKeys> {
  const index = indexes.byTransaction;
  const [order, auditId] = page.after ?? [];
  const startKey =
    order === undefined || auditId === undefined
      ? undefined
      : { [partitionKey]: { S: auditId }, [index.partitionKey]: { S: transactionId }, [index.sortKey]: { S: order } };
  const entries = await queryIndex(
    services.dynamo,
    {
      TableName: services.tables.paymentAuditTrail,
      IndexName: index.name,
      KeyConditionExpression: "#key = :key",
      ExpressionAttributeNames: { "#key": index.partitionKey },
      ExpressionAttributeValues: { ":key": { S: transactionId } },
      ExclusiveStartKey: startKey,
    },
    page.limit,
  );
  return foundKeys(entries, page, [index.sortKey, partitionKey]);
}

async function findByDay(query: RangeQuery, range: TimeRange, page: Page, services: Services): Promise<FoundKeys> {
  const index = query.Query === "actor" ? indexes.byActor : indexes.byTime;
  const value = query.Query === "actor" ? query.OfActor : ALL_ACTORS;
  const entries = await readDayIndex(
    services,
    { tableName: services.tables.paymentAuditTrail, index, value },
    range,
    page,
  );
  return foundKeys(entries, page, [index.sortKey]);
}

function foundKeys(entries: readonly StoredItem[], page: Page, keyParts: readonly string[]): FoundKeys {
  const auditIds = entries.map((entry) => textOrEmpty(entry, partitionKey));
  const last = entries.at(-1);
  if (last === undefined || entries.length < page.limit) return { auditIds };
  return { auditIds, continueAfter: keyParts.map((part) => textOrEmpty(last, part)) };
}

async function answer(
  query: AuditQuery,
  found: FoundKeys,
  call: Call,
  services: Services,
): Promise<AuditQueryResponse> {
  const items = await getItems(services.dynamo, services.tables.paymentAuditTrail, partitionKey, found.auditIds);
  const { trusted, refused } = await checkRecords(TABLES.paymentAuditTrail, items, query.Actor, call, services);
  const records = await Promise.all(trusted.map((item) => auditView(item, services)));
  const AuditID = await recordRead(
    {
      action: "AUDIT_READ",
      actor: query.Actor,
      table: TRAIL,
      asked: askedOf(query),
      askedIds: query.Query === "transaction" ? [query.TransactionID] : [],
      returnedIds: records.map((record) => record.AuditID),
      result: refused.length > 0 ? "partly-refused" : records.length > 0 ? "returned" : "not-found",
      ...(query.Query === "transaction" ? { transactionId: query.TransactionID } : {}),
    },
    call,
    services,
  );
  const more = found.continueAfter === undefined ? {} : { NextPageToken: encodePageToken(query, found.continueAfter) };
  const isUnknown = query.Query === "transaction" && query.PageToken === undefined && items.length === 0;
  return {
    schemaVersion: SCHEMA_VERSION,
    outcome: "answered",
    records,
    ...notFoundIf(isUnknown),
    refused: [...refused],
    AuditID,
    ...more,
  };
}
