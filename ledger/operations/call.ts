/** What every operation shares: the call it serves, the card-data door, and the records about itself that it leaves. */

import type { z } from "zod";
import { type LogicalTableName, TABLES } from "../../contract";
import type { AuditDetails, AuditEntry, Caller, LedgerAction } from "../rules/audit-entry";
import { canonicalJson, type JsonValue } from "../rules/canonical-json";
import { CardDataScanError, findCardData, holdsCardData } from "../rules/card-data";
import { derivedAuditId, UNCLAIMED_ACTOR } from "../rules/identifiers";
import { type Refusal, refusal } from "../rules/refusals";
import { type EntryResult, type RefusedResponse, refusedWith } from "../rules/responses";
import {
  actor as actorSchema,
  parseWith,
  recordId as recordIdSchema,
  transactionId as transactionIdSchema,
} from "../rules/schema";
import { exportFormOfItem, type StoredItem } from "../rules/stored-item";
import type { Store } from "../store/store";
import { recordEntries } from "./record-entries";

export interface Call {
  /** The function's name without suffix, for example `persist_payment_ledger`. */
  readonly operation: string;
  readonly caller: Caller;
  readonly now: Date;
  /** Milliseconds until Lambda ends the function. */
  readonly remainingMs: () => number;
}

/** The refusal of anything that carries card data, before any of it is looked at further. */
export function cardDataRefusal(input: unknown, store: Store): Refusal | undefined {
  try {
    if (findCardData(input).length === 0) return undefined;
  } catch (error) {
    if (error instanceof CardDataScanError) return refusal("INPUT_TOO_COMPLEX");
    throw error;
  }
  store.signal("CardDataRefused");
  return refusal("CARD_DATA");
}

interface LedgerEntry {
  readonly auditId: string;
  readonly action: LedgerAction;
  readonly actor: string;
  /** Absent where all tables are concerned. */
  readonly table?: LogicalTableName;
  readonly transactionId?: string | undefined;
  readonly contentMac?: string;
  readonly asked: AuditDetails;
  readonly answered: AuditDetails & { readonly result: string };
}

/** An audit entry that the ledger makes about its own doing; the details name the operation. */
export function ledgerEntry(entry: LedgerEntry, call: Call): AuditEntry {
  const recordedAt = call.now.toISOString();
  const details = entry.asked.details as { readonly [key: string]: JsonValue } | undefined;
  return {
    auditId: entry.auditId,
    action: entry.action,
    actor: entry.actor,
    timestamp: recordedAt,
    recordedAt,
    caller: call.caller,
    origin: "LEDGER",
    ...(entry.table === undefined ? {} : { table: entry.table }),
    ...(entry.transactionId === undefined ? {} : { transactionId: entry.transactionId }),
    ...(entry.contentMac === undefined ? {} : { contentMac: entry.contentMac }),
    query: { recordIds: entry.asked.recordIds, details: { Operation: call.operation, ...details } },
    response: entry.answered,
  };
}

/**
 * The record that a refused input leaves: codes and, where they are harmless, the claimed actor and payment.
 * @param listActor the actor named around a list; an entry's own actor goes before it.
 */
export function refusalEntry(
  input: unknown,
  reason: Refusal,
  table: LogicalTableName,
  position: number,
  call: Call,
  listActor?: string,
): AuditEntry {
  const { actor = listActor, transactionId } = harmlessClaims(input);
  return ledgerEntry(
    {
      auditId: derivedAuditId("REFUSAL", call.operation, call.caller.requestId, String(position)),
      action: "REFUSAL",
      actor: actor ?? UNCLAIMED_ACTOR,
      table,
      transactionId,
      asked: { recordIds: transactionId === undefined ? [] : [transactionId] },
      answered: { recordIds: [], result: reason.code },
    },
    call,
  );
}

/** The names under which the requests, messages, rows and events state who acts and which payment is concerned. */
const ACTOR_FIELDS = ["Actor", "actor", "user_id"];
const PAYMENT_FIELDS = ["TransactionID", "transactionId", "paymentId", "query_record_id"];

export interface Claims {
  readonly actor?: string;
  readonly transactionId?: string;
}

/** Who acts and which payment is concerned, as a refused input claims it, where it is well formed and no card data. */
export function harmlessClaims(input: unknown): Claims {
  const actor = firstHarmless(input, ACTOR_FIELDS, actorSchema);
  const transactionId = firstHarmless(input, PAYMENT_FIELDS, transactionIdSchema);
  return { ...(actor === undefined ? {} : { actor }), ...(transactionId === undefined ? {} : { transactionId }) };
}

function firstHarmless(input: unknown, fields: readonly string[], schema: z.ZodType<string>): string | undefined {
  if (typeof input !== "object" || input === null) return undefined;
  const sent = input as Readonly<Record<string, unknown>>;
  const claims = fields.map((field) => schema.safeParse(sent[field]));
  return claims.find((claim) => claim.success && isHarmless(claim.data))?.data;
}

/** A claim is kept only after a scan of its own: the scan of the whole input may have given up before it. */
export function isHarmless(text: string): boolean {
  return !holdsCardData(text);
}

/**
 * Who AWS says sent something, as it is kept. What is behind the last colon is the name of a session, which the sender
 * chooses: one that carries card data is withheld, and so is the whole where the rest carries some too.
 */
export function keptPrincipal(principal: string): string {
  if (isHarmless(principal)) return principal;
  const ofAws = principal.slice(0, principal.lastIndexOf(":") + 1);
  return isHarmless(ofAws) ? `${ofAws}(withheld)` : "(withheld)";
}

/** Refuses a whole call, and leaves its record. */
export async function refuseCall(
  input: unknown,
  reason: Refusal,
  table: LogicalTableName,
  call: Call,
  store: Store,
): Promise<RefusedResponse> {
  const entry = refusalEntry(input, reason, table, 0, call);
  await recordEntries([entry], store);
  return refusedWith(reason, entry.auditId);
}

/** An entry of a list that the door refused: where it stood, why, and the record that it leaves. */
export interface RefusedEntry {
  readonly position: number;
  readonly reason: Refusal;
  readonly record: AuditEntry;
}

/** Parts a list's entries into those that pass the door and those that do not; one bad entry stops no other. */
export async function admitEntries<Accepted extends object>(
  entries: readonly unknown[],
  admit: (entry: unknown, position: number) => Promise<Accepted | Refusal>,
  table: LogicalTableName,
  call: Call,
  listActor?: string,
): Promise<{ readonly accepted: Accepted[]; readonly refused: RefusedEntry[] }> {
  const accepted: Accepted[] = [];
  const refused: RefusedEntry[] = [];
  for (const [position, entry] of entries.entries()) {
    const door = await admit(entry, position);
    if (isRefusal(door))
      refused.push({ position, reason: door, record: refusalEntry(entry, door, table, position, call, listActor) });
    else accepted.push(door);
  }
  return { accepted, refused };
}

function isRefusal(door: object): door is Refusal {
  return "code" in door && "message" in door;
}

/** What is answered for a refused entry. */
export function refusedResult({ position, reason, record }: RefusedEntry): EntryResult {
  return { position, outcome: "refused", AuditID: record.auditId, ...reason };
}

/** The door of the functions that take one request: what passed it, or the refusal, whose record is written already. */
export async function admitRequest<T>(
  schema: z.ZodType<T>,
  event: unknown,
  table: LogicalTableName,
  call: Call,
  store: Store,
): Promise<{ readonly request: T } | { readonly refused: RefusedResponse }> {
  const cardData = cardDataRefusal(event, store);
  if (cardData !== undefined) return { refused: await refuseCall(event, cardData, table, call, store) };
  const parsed = parseWith(schema, event);
  return parsed.ok
    ? { request: parsed.value }
    : { refused: await refuseCall(event, parsed.refusal, table, call, store) };
}

export interface IntegrityFault {
  readonly code: "RECORD_FORGED" | "AUDIT_RECORD_MISSING";
  readonly table: LogicalTableName;
  readonly recordId: string;
  /** The record as it was found; absent where one is missing. */
  readonly found?: StoredItem | undefined;
}

/** The alarm record of a record that must not be trusted; `recordEntries` gives each request that meets it its own. */
export function alarmEntry(fault: IntegrityFault, actor: string, call: Call, store: Store): AuditEntry {
  store.signal("IntegrityAlarm");
  const found = fault.found === undefined ? "" : canonicalJson(exportFormOfItem(fault.found));
  const recordId = recordIdSchema.safeParse(fault.recordId);
  const payment = fault.table === TABLES.paymentAuditTrail.logicalName ? undefined : fault.recordId;
  return ledgerEntry(
    {
      auditId: derivedAuditId("ALARM", fault.code, fault.table, fault.recordId, found),
      action: "ALARM",
      actor,
      table: fault.table,
      transactionId: transactionIdSchema.safeParse(payment).data,
      asked: { recordIds: recordId.success ? [recordId.data] : [] },
      answered: { recordIds: [], result: fault.code },
    },
    call,
  );
}

/** Refuses a whole call because of a record that must not be trusted, and leaves its alarm record. */
export async function refuseWithAlarm(
  fault: IntegrityFault,
  actor: string,
  call: Call,
  store: Store,
): Promise<RefusedResponse> {
  const alarm = alarmEntry(fault, actor, call, store);
  const ids = await recordEntries([alarm], store);
  return refusedWith(refusal(fault.code), ids.get(alarm));
}
