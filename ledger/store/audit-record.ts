/** The stored form of an audit entry, and what of it a reader sees. */

import { TABLES } from "../../contract";
import {
  type AuditDetails,
  type AuditEntry,
  type Caller,
  detailsText,
  LEDGER_ACTIONS,
  parseDetailsText,
} from "../rules/audit-entry";
import { dayKey, shardOf, timeKey } from "../rules/index-keys";
import { pooledRandomBytes } from "../rules/random-bytes";
import { type MacedRecord, macedRecord } from "../rules/record-mac";
import type { AuditView } from "../rules/responses";
import {
  bytesOf,
  partsOf,
  presentTexts,
  type StoredItem,
  type StoredValue,
  textAttributes,
  textOrEmpty,
} from "../rules/stored-item";
import { dayOf } from "../rules/timestamps";
import type { Services } from "./services";
import type { Put } from "./transaction";

const { logicalName: TABLE, partitionKey } = TABLES.paymentAuditTrail;

const FORMAT = "1";
const SALT_BYTES = 16;
/** Records of all actors share the index by time; the day and shard spread them. */
const ALL_ACTORS = "";

export async function auditPut(entry: AuditEntry, services: Services): Promise<Put> {
  return { tableName: services.tables.paymentAuditTrail, partitionKey, ...(await auditRecord(entry, services)) };
}

async function auditRecord(entry: AuditEntry, services: Services): Promise<MacedRecord> {
  const keys = await services.macKeys();
  const item: Record<string, StoredValue> = {
    Format: { N: FORMAT },
    AuditID: { S: entry.auditId },
    Action: { S: entry.action },
    Actor: { S: entry.actor },
    Timestamp: { S: entry.timestamp },
    RecordedAt: { S: entry.recordedAt },
    Origin: { S: entry.origin },
    Caller: { M: callerAttributes(entry.caller) },
    Salt: { B: pooledRandomBytes(SALT_BYTES) },
    ...textAttributes({
      Table: entry.table,
      PartOf: entry.partOf,
      RepeatOf: entry.repeatOf,
      EventID: entry.eventId,
      ImportedFrom: entry.importedFrom,
      ContentMac: entry.contentMac,
      EvidencePath: entry.evidence?.path,
      EvidenceHash: entry.evidence?.sha256,
    }),
    ...transactionKeys(entry),
    ...dayKeys(entry, services),
    ...(await sealedDetails(entry, services)),
  };
  return macedRecord(TABLE, item, keys.record);
}

function callerAttributes({ requestId, functionName, principal, via }: Caller): StoredItem {
  return {
    RequestID: { S: requestId },
    Function: { S: functionName },
    ...textAttributes({ Principal: principal, Via: via }),
  };
}

/**
 * Within a transaction the order is the order of recording, or of the FIFO queue where there is one: the claimed time of
 * another service's clock does not decide it.
 */
function transactionKeys({ transactionId, queued, recordedAt }: AuditEntry): StoredItem {
  const sequence: StoredItem = queued === undefined ? {} : { SequenceNumber: { S: queued.sequenceNumber } };
  if (transactionId === undefined) return sequence;
  const order = queued === undefined ? recordedAt : `${queued.sentAt}#${queued.sequenceNumber}`;
  return { ...sequence, TransactionID: { S: transactionId }, TransactionOrder: { S: order } };
}

/**
 * A pointer is found through its transaction only; the read that it belongs to is found by actor and by time. The time is
 * the ledger's own: an event cannot be claimed into a past that was reviewed already.
 */
function dayKeys(entry: AuditEntry, services: Services): StoredItem {
  if (entry.partOf !== undefined) return {};
  const day = dayOf(entry.recordedAt);
  const shard = shardOf(entry.auditId, services.indexShardCount);
  const key = (value: string) => dayKey(value, day, shard);
  return {
    ActorDay: { S: key(entry.actor) },
    AuditDay: { S: key(ALL_ACTORS) },
    TimeKey: { S: timeKey(entry.recordedAt, entry.auditId) },
  };
}

async function sealedDetails(entry: AuditEntry, services: Services): Promise<StoredItem> {
  if (entry.query === undefined || entry.response === undefined) return {};
  const { fieldKey, ciphertexts } = await services.auditFields.seal(entry.auditId, {
    QueryDetails: detailsText(entry.query),
    Response: detailsText(entry.response),
  });
  const { QueryDetails, Response } = ciphertexts;
  return { FieldKey: { B: fieldKey }, QueryDetails: { B: QueryDetails }, Response: { B: Response } };
}

/** What a reader sees, in both vocabularies. The record's MAC must have been checked before. */
export async function auditView(item: StoredItem, services: Services): Promise<AuditView> {
  const [query, response] = await Promise.all([
    openDetails(item, "QueryDetails", services),
    openDetails(item, "Response", services),
  ]);
  const text = (name: string) => textOrEmpty(item, name);
  const origin = text("Origin") === "LEDGER" ? "LEDGER" : "EVENT";
  const callerParts = partsOf(item, "Caller");
  return {
    AuditID: text("AuditID"),
    Action: shownAction(text("Action"), origin),
    Actor: text("Actor"),
    Timestamp: text("Timestamp"),
    RecordedAt: text("RecordedAt"),
    Origin: origin,
    Caller: {
      RequestID: textOrEmpty(callerParts, "RequestID"),
      Function: textOrEmpty(callerParts, "Function"),
      ...presentTexts(callerParts, ["Principal", "Via"]),
    },
    user_id: text("Actor"),
    timestamp: text("Timestamp"),
    ...presentTexts(item, [
      "TransactionID",
      "Table",
      "PartOf",
      "RepeatOf",
      "EventID",
      "ImportedFrom",
      "SequenceNumber",
      "EvidencePath",
      "EvidenceHash",
    ]),
    ...queryView(query),
    ...responseView(response),
  };
}

/** Other services may use the ledger's own words (the documents' WRITE and READ); no reader takes theirs for the ledger's. */
function shownAction(action: string, origin: AuditView["Origin"]): string {
  const isLedgers = (LEDGER_ACTIONS as readonly string[]).includes(action);
  return origin === "EVENT" && isLedgers ? `EVENT:${action}` : action;
}

async function openDetails(
  item: StoredItem,
  field: string,
  services: Services,
): Promise<ReturnType<typeof parseDetailsText> | undefined> {
  const ciphertext = bytesOf(item, field);
  const fieldKey = bytesOf(item, "FieldKey");
  if (ciphertext === undefined || fieldKey === undefined) return undefined;
  return parseDetailsText(await services.auditFields.open(textOrEmpty(item, "AuditID"), field, ciphertext, fieldKey));
}

function queryView(query: AuditDetails | undefined): Partial<AuditView> {
  if (query === undefined) return {};
  const [only] = query.recordIds;
  const ids = query.recordIds.length === 1 && only !== undefined ? only : [...query.recordIds];
  return {
    query_record_id: ids,
    ...(query.details === undefined ? {} : { QueryDetails: query.details as AuditView["QueryDetails"] }),
  };
}

function responseView(response: (AuditDetails & { readonly result?: string }) | undefined): Partial<AuditView> {
  if (response === undefined) return {};
  return {
    response_record_ids: [...response.recordIds],
    ...(response.result === undefined ? {} : { query_result: response.result }),
    ...(response.details === undefined ? {} : { Response: response.details as AuditView["Response"] }),
  };
}

export { ALL_ACTORS };
