/** What every operation shares: its call, the search for what must not be kept, and the records about itself. */

import type * as z from "zod";
import { type LogicalTableName, TABLES } from "../../contract";
import { toItemJson } from "../rules/attribute-value";
import type { AuditDetails, AuditEntry, Caller, LedgerAction } from "../rules/audit-entry";
import { canonicalJson, type JsonValue } from "../rules/canonical-json";
import { holdsCardData } from "../rules/card-data";
import { harmfulInput, type InputPart } from "../rules/harmful-input";
import { derivedAuditId, UNCLAIMED_ACTOR } from "../rules/identifiers";
import { type Refusal, refusal } from "../rules/refusals";
import { type EntryResult, type RefusedResponse, refusedWith } from "../rules/responses";
import {
  actor as actorSchema,
  parseWith,
  recordId as recordIdSchema,
  transactionId as transactionIdSchema,
} from "../rules/schema";
import { SentTokens } from "../rules/sent-tokens";
import type { StoredItem } from "../rules/stored-item";
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

/** The refusal of a harmful input, with its signal; see `harmfulInput`. */
export function refuseHarmful(input: unknown, store: Store, part?: InputPart): Refusal | undefined {
  const reason = harmfulInput(input, part);
  if (reason?.code === "CARD_DATA") store.signal("CardDataRefused");
  return reason;
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
 * @param tokens those of the whole request, where the input is an entry of it.
 */
export function refusalEntry(
  input: unknown,
  reason: Refusal,
  table: LogicalTableName,
  position: number,
  call: Call,
  listActor?: string,
  tokens?: SentTokens,
): AuditEntry {
  const { actor = listActor, transactionId } = harmlessClaims(input, tokens);
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

/**
 * Who acts and which payment is concerned, as a refused input claims it, where it is well formed and neither card data nor
 * one of the request's tokens.
 */
export function harmlessClaims(input: unknown, tokens = SentTokens.in(input)): Claims {
  const actor = firstHarmless(input, ACTOR_FIELDS, actorSchema, tokens);
  const transactionId = firstHarmless(input, PAYMENT_FIELDS, transactionIdSchema, tokens);
  return { ...(actor === undefined ? {} : { actor }), ...(transactionId === undefined ? {} : { transactionId }) };
}

function firstHarmless(
  input: unknown,
  fields: readonly string[],
  schema: z.ZodType<string>,
  tokens: SentTokens,
): string | undefined {
  if (typeof input !== "object" || input === null) return undefined;
  const sent = input as Readonly<Record<string, unknown>>;
  const claims = fields.map((field) => schema.safeParse(sent[field]));
  return claims.find((claim) => claim.success && isHarmless(claim.data) && !tokens.areIn(claim.data))?.data;
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
  admit: (entry: unknown, position: number, tokens: SentTokens) => Promise<Accepted | Refusal>,
  table: LogicalTableName,
  call: Call,
  listActor?: string,
): Promise<{ readonly accepted: Accepted[]; readonly refused: RefusedEntry[] }> {
  const accepted: Accepted[] = [];
  const refused: RefusedEntry[] = [];
  const tokens = SentTokens.in(entries);
  for (const [position, entry] of entries.entries()) {
    const door = await admit(entry, position, tokens);
    if (isRefusal(door)) {
      const record = refusalEntry(entry, door, table, position, call, listActor, tokens);
      refused.push({ position, reason: door, record });
    } else accepted.push(door);
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
  const harmful = refuseHarmful(event, store);
  if (harmful !== undefined) return { refused: await refuseCall(event, harmful, table, call, store) };
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
  const found = fault.found === undefined ? "" : canonicalJson(toItemJson(fault.found));
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
