/**
 * Audit events that other services send. Two vocabularies name the same things: `Actor`/`user_id`, `Timestamp`/`timestamp`,
 * ids asked for (`query_record_id`), ids returned (`response_record_ids`), outcome (`query_result`). One record holds both.
 */

import * as z from "zod";
import { canonicalJson, type JsonObject, type JsonValue } from "./canonical-json";
import { isReservedAuditId } from "./identifiers";
import {
  accepted,
  actor,
  coded,
  importedFrom,
  newAuditId,
  newTransactionId,
  type Parsed,
  parseWith,
  recordId,
  refused,
  schemaVersion,
  timestamp,
} from "./schema";
import { normalizeTimestamp } from "./timestamps";

const RECORD_IDS_MAX = 1000;
const DETAILS_BYTES_MAX = 64 * 1024;

/**
 * Whether it is JSON is decided by `detailsFit`: zod's own JSON type exhausts the stack on deep values and drops a
 * member named `__proto__`.
 */
const freeForm = z.unknown().optional();
const recordIds = z.array(recordId, coded("INVALID_RECORD_ID")).max(RECORD_IDS_MAX);

export const auditEventSchema = z
  .strictObject({
    schemaVersion,
    AuditID: newAuditId
      .optional()
      .describe("The event's own id; sending it again is safe. Default: derived from the invocation."),
    TransactionID: newTransactionId.optional().describe("The payment concerned, where there is one."),
    Action: z
      .string(coded("INVALID_ACTION"))
      .regex(/^[A-Z][A-Z0-9_]{0,31}$/)
      .optional()
      .describe("What was done, for example WRITE or READ. Default: READ."),
    Actor: actor.optional().describe("Who did it. Required here, as user_id, or around the list."),
    user_id: actor.optional().describe("The same as Actor."),
    Timestamp: timestamp
      .optional()
      .describe(
        "When it happened: ISO 8601 with offset, after 1999, at most 15 minutes ahead of the ledger's clock; cut to milliseconds. Default: when it is recorded.",
      ),
    timestamp: timestamp.optional().describe("The same as Timestamp."),
    ImportedFrom: importedFrom.optional(),
    QueryDetails: freeForm.describe(
      "What was asked, in any JSON form. Stored encrypted. All details of an event together are at most 64 KiB.",
    ),
    Response: freeForm.describe("What was answered, in any JSON form. Stored encrypted."),
    query_record_id: z
      .union([recordId, recordIds], coded("INVALID_RECORD_ID"))
      .optional()
      .describe("Id or ids of the records asked for. Stored encrypted."),
    response_record_ids: recordIds.optional().describe("Ids of the records that came back. Stored encrypted."),
    query_result: z
      .string(coded("INVALID_DETAILS"))
      .max(256)
      .optional()
      .describe("Outcome, for example success or failure. Stored encrypted."),
  })
  .meta({ id: "audit-event", title: "Audit event", description: "One access to payment data, in either vocabulary." });

/** An event that was validated, in one vocabulary. */
export interface AuditEvent {
  readonly auditId?: string;
  readonly transactionId?: string;
  readonly action: string;
  readonly actor: string;
  readonly timestamp?: string;
  readonly queryRecordIds: readonly string[];
  readonly queryDetails?: JsonValue;
  readonly responseRecordIds: readonly string[];
  readonly responseDetails?: JsonValue;
  readonly result?: string;
  /** The earlier system that it was imported from. */
  readonly importedFrom?: string;
}

type SentEvent = z.infer<typeof auditEventSchema>;

export function parseAuditEvent(input: unknown, now: Date): Parsed<AuditEvent> {
  const parsed = parseWith(auditEventSchema, input);
  if (!parsed.ok) return parsed;
  const sent = parsed.value;
  if (sent.AuditID !== undefined && isReservedAuditId(sent.AuditID)) return refused("INVALID_AUDIT_ID", "AuditID");
  if (differ(sent.Actor, sent.user_id)) return refused("VOCABULARY_CONFLICT", "user_id");
  const actorName = sent.Actor ?? sent.user_id;
  if (actorName === undefined) return refused("MISSING_FIELD", "Actor");
  if (!detailsFit(sent)) return refused("INVALID_DETAILS");
  const time = timeOf(sent, now);
  return time.ok ? accepted(eventOf(sent, actorName, time.value)) : time;
}

function differ(a: string | undefined, b: string | undefined): boolean {
  return a !== undefined && b !== undefined && a !== b;
}

function detailsFit(sent: SentEvent): boolean {
  const details = [sent.QueryDetails, sent.Response, sent.query_record_id, sent.response_record_ids, sent.query_result];
  try {
    const text = canonicalJson(details.filter((detail) => detail !== undefined));
    return Buffer.byteLength(text) <= DETAILS_BYTES_MAX;
  } catch {
    return false;
  }
}

/** Both names are compared as moments, because one may carry another offset than the other. */
function timeOf(sent: SentEvent, now: Date): Parsed<string | undefined> {
  const moments: string[] = [];
  for (const field of ["Timestamp", "timestamp"] as const) {
    const text = sent[field];
    if (text === undefined) continue;
    const time = normalizeTimestamp(text, now);
    if ("fault" in time) return refused(time.fault, field);
    moments.push(time.timestamp);
  }
  return differ(moments[0], moments[1]) ? refused("VOCABULARY_CONFLICT", "timestamp") : accepted(moments[0]);
}

function eventOf(sent: SentEvent, actorName: string, timestampText: string | undefined): AuditEvent {
  const asked = sent.query_record_id ?? [];
  return {
    action: sent.Action ?? "READ",
    actor: actorName,
    queryRecordIds: typeof asked === "string" ? [asked] : asked,
    responseRecordIds: sent.response_record_ids ?? [],
    ...(sent.AuditID === undefined ? {} : { auditId: sent.AuditID }),
    ...(sent.TransactionID === undefined ? {} : { transactionId: sent.TransactionID }),
    ...(timestampText === undefined ? {} : { timestamp: timestampText }),
    ...(sent.QueryDetails === undefined ? {} : { queryDetails: sent.QueryDetails as JsonValue }),
    ...(sent.Response === undefined ? {} : { responseDetails: sent.Response as JsonValue }),
    ...(sent.query_result === undefined ? {} : { result: sent.query_result }),
    ...(sent.ImportedFrom === undefined ? {} : { importedFrom: sent.ImportedFrom }),
  };
}

/** What decides whether the same AuditID came with the same content. */
export function auditEventContent({ importedFrom: _mark, ...content }: AuditEvent): JsonObject {
  return content;
}
