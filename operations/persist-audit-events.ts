/** Records audit events of other services, each once, in either vocabulary. */

import { TABLES } from "../contract";
import type { AuditEntry } from "../ledger/audit-entry";
import { type AuditEvent, auditEventContent, parseAuditEvent } from "../ledger/audit-event";
import { envelopeOf, parseEntries } from "../ledger/entries";
import { derivedAuditId } from "../ledger/identifiers";
import { contentMac, equalMac } from "../ledger/record-mac";
import { type Refusal, refusal } from "../ledger/refusals";
import { type EntryResult, type PersistResponse, persistResponse, type RefusedResponse } from "../ledger/responses";
import { textOf } from "../ledger/stored-item";
import { auditPut } from "../store/audit-record";
import type { Store } from "../store/store";
import { type GroupOutcome, writeOnce } from "../store/write-once";
import {
  alarmEntry,
  type Call,
  cardDataRefusal,
  isForged,
  ledgerEntry,
  recordEntries,
  refusalEntry,
  refuseCall,
} from "./call";

const TRAIL = TABLES.paymentAuditTrail.logicalName;

interface Accepted {
  readonly position: number;
  readonly event: AuditEvent;
  readonly auditId: string;
  readonly contentMac: string;
}

export async function persistAuditEvents(
  event: unknown,
  call: Call,
  store: Store,
): Promise<PersistResponse | RefusedResponse> {
  const envelopeRefusal = cardDataRefusal(envelopeOf(event, "events"), store);
  const parsed = envelopeRefusal === undefined ? parseEntries(event, "events") : { refusal: envelopeRefusal };
  if ("refusal" in parsed) return refuseCall(event, parsed.refusal, TRAIL, call, store);
  const results: EntryResult[] = [];
  const records: AuditEntry[] = [];
  const accepted: Accepted[] = [];
  for (const [position, entry] of parsed.entries.entries()) {
    const door = await admit(withActor(entry, parsed.actor), position, call, store);
    if ("event" in door) accepted.push(door);
    else {
      const record = refusalEntry(entry, door, TRAIL, position, call);
      records.push(record);
      results.push({ position, outcome: "refused", AuditID: record.auditId, ...door });
    }
  }
  await recordAccepted(accepted, call, store, results, records);
  await recordEntries(records, store);
  return persistResponse(results);
}

/** The list's actor counts for entries that name none themselves. */
function withActor(entry: unknown, listActor: string | undefined): unknown {
  if (listActor === undefined || typeof entry !== "object" || entry === null || Array.isArray(entry)) return entry;
  return "Actor" in entry || "user_id" in entry ? entry : { ...entry, Actor: listActor };
}

async function admit(entry: unknown, position: number, call: Call, store: Store): Promise<Accepted | Refusal> {
  const cardData = cardDataRefusal(entry, store);
  if (cardData !== undefined) return cardData;
  const parsed = parseAuditEvent(entry, call.now);
  if (!parsed.ok) return parsed.refusal;
  const event = parsed.value;
  // Without an id of its own the event is named by the invocation, which the platform repeats when it retries.
  const auditId = event.auditId ?? derivedAuditId("EVENT", call.operation, call.caller.requestId, String(position));
  const mac = contentMac(TRAIL, auditEventContent(event), (await store.macKeys()).content);
  return { position, event, auditId, contentMac: mac };
}

async function recordAccepted(
  accepted: readonly Accepted[],
  call: Call,
  store: Store,
  results: EntryResult[],
  records: AuditEntry[],
): Promise<void> {
  const firsts = new Map<string, Accepted>();
  for (const entry of accepted) if (!firsts.has(entry.auditId)) firsts.set(entry.auditId, entry);
  const written = [...firsts.values()];
  const groups = await Promise.all(written.map(async (entry) => [await auditPut(eventEntry(entry, call), store)]));
  const outcomes = await writeOnce(store.dynamo, groups);
  const outcomeOf = new Map(written.map((entry, index) => [entry.auditId, outcomes[index]] as const));
  for (const entry of accepted) {
    const first = firsts.get(entry.auditId);
    const outcome = outcomeOf.get(entry.auditId);
    if (first === undefined || outcome === undefined) throw new Error("An audit event has no outcome.");
    results.push(await resultOf(entry, first, outcome, call, store, records));
  }
}

function eventEntry({ event, auditId, contentMac: mac }: Accepted, call: Call): AuditEntry {
  const recordedAt = call.now.toISOString();
  return {
    auditId,
    action: event.action,
    actor: event.actor,
    timestamp: event.timestamp ?? recordedAt,
    recordedAt,
    caller: call.caller,
    origin: "EVENT",
    contentMac: mac,
    ...(event.transactionId === undefined ? {} : { transactionId: event.transactionId }),
    query: {
      recordIds: event.queryRecordIds,
      ...(event.queryDetails === undefined ? {} : { details: event.queryDetails }),
    },
    response: {
      recordIds: event.responseRecordIds,
      result: event.result ?? "unstated",
      ...(event.responseDetails === undefined ? {} : { details: event.responseDetails }),
    },
  };
}

async function resultOf(
  entry: Accepted,
  first: Accepted,
  outcome: GroupOutcome,
  call: Call,
  store: Store,
  records: AuditEntry[],
): Promise<EntryResult> {
  const { position, auditId } = entry;
  const transaction = entry.event.transactionId === undefined ? {} : { TransactionID: entry.event.transactionId };
  const existing = outcome.written ? undefined : outcome.existing[0];
  if (existing !== undefined && (await isForged(TRAIL, existing, store))) {
    const alarm = alarmEntry(
      { code: "RECORD_FORGED", table: TRAIL, recordId: auditId, found: existing },
      entry.event.actor,
      call,
      store,
    );
    records.push(alarm);
    return { position, outcome: "refused", ...transaction, AuditID: alarm.auditId, ...refusal("RECORD_FORGED") };
  }
  const recordedMac = existing === undefined ? first.contentMac : (textOf(existing, "ContentMac") ?? "");
  if (!equalMac(entry.contentMac, recordedMac)) {
    const conflict = conflictEntry(entry, call);
    records.push(conflict);
    return { position, outcome: "conflict", ...transaction, AuditID: conflict.auditId };
  }
  return {
    position,
    outcome: outcome.written && entry === first ? "stored" : "duplicate",
    ...transaction,
    AuditID: auditId,
  };
}

function conflictEntry({ event, auditId, contentMac: mac }: Accepted, call: Call): AuditEntry {
  return ledgerEntry(
    {
      auditId: derivedAuditId("CONFLICT", TRAIL, auditId, mac),
      action: "CONFLICT",
      actor: event.actor,
      table: TRAIL,
      transactionId: event.transactionId,
      asked: { recordIds: [auditId], details: { Attempted: { ...event } } },
      answered: { recordIds: [], result: "conflict" },
    },
    call,
  );
}
