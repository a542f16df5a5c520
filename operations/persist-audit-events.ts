/** Records audit events of other services, each once, in either vocabulary. */

import { TABLES } from "../contract";
import type { AuditEntry, Caller } from "../ledger/audit-entry";
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
  admitEntries,
  alarmEntry,
  type Call,
  cardDataRefusal,
  isForged,
  ledgerEntry,
  recordEntries,
  refuseCall,
  refusedResult,
} from "./call";
import type { Recording } from "./record-payments";

const TRAIL = TABLES.paymentAuditTrail.logicalName;

/** An event that passed the door. */
export interface AcceptedEvent {
  readonly position: number;
  readonly event: AuditEvent;
  readonly auditId: string;
  readonly contentMac: string;
  readonly caller: Caller;
  readonly queued?: NonNullable<AuditEntry["queued"]>;
}

export async function persistAuditEvents(
  event: unknown,
  call: Call,
  store: Store,
): Promise<PersistResponse | RefusedResponse> {
  const envelopeRefusal = cardDataRefusal(envelopeOf(event, "events"), store);
  const parsed = envelopeRefusal === undefined ? parseEntries(event, "events") : { refusal: envelopeRefusal };
  if ("refusal" in parsed) return refuseCall(event, parsed.refusal, TRAIL, call, store);
  const { accepted, refused } = await admitEntries(
    parsed.entries,
    (entry, position) => acceptDirect(withActor(entry, parsed.actor), position, call, store),
    TRAIL,
    call,
  );
  const { results, records } = await recordEvents(accepted, call, store);
  await recordEntries([...refused.map(({ record }) => record), ...records], store);
  return persistResponse([...refused.map(refusedResult), ...results]);
}

async function acceptDirect(
  entry: unknown,
  position: number,
  call: Call,
  store: Store,
): Promise<AcceptedEvent | Refusal> {
  const door = await admitEvent(entry, call, store);
  if ("code" in door) return door;
  // Without an id of its own the event is named by the invocation, which the platform repeats when it retries.
  const auditId = door.auditId ?? derivedAuditId("EVENT", call.operation, call.caller.requestId, String(position));
  return { position, event: door, auditId, contentMac: await eventContentMac(door, store), caller: call.caller };
}

/** The list's actor counts for entries that name none themselves. */
function withActor(entry: unknown, listActor: string | undefined): unknown {
  if (listActor === undefined || typeof entry !== "object" || entry === null || Array.isArray(entry)) return entry;
  return "Actor" in entry || "user_id" in entry ? entry : { ...entry, Actor: listActor };
}

export async function admitEvent(entry: unknown, call: Call, store: Store): Promise<AuditEvent | Refusal> {
  const cardData = cardDataRefusal(entry, store);
  if (cardData !== undefined) return cardData;
  const parsed = parseAuditEvent(entry, call.now);
  return parsed.ok ? parsed.value : parsed.refusal;
}

export async function eventContentMac(event: AuditEvent, store: Store): Promise<string> {
  return contentMac(TRAIL, auditEventContent(event), (await store.macKeys()).content);
}

/** Records each event once; repeats within the list are told apart by what is recorded under their AuditID. */
export async function recordEvents(accepted: readonly AcceptedEvent[], call: Call, store: Store): Promise<Recording> {
  const recording: Recording = { results: [], records: [] };
  const firsts = new Map<string, AcceptedEvent>();
  for (const entry of accepted) if (!firsts.has(entry.auditId)) firsts.set(entry.auditId, entry);
  const written = [...firsts.values()];
  const groups = await Promise.all(written.map(async (entry) => [await auditPut(eventEntry(entry, call), store)]));
  const outcomes = await writeOnce(store.dynamo, groups);
  const outcomeOf = new Map(written.map((entry, index) => [entry.auditId, outcomes[index]] as const));
  for (const entry of accepted) {
    const first = firsts.get(entry.auditId);
    const outcome = outcomeOf.get(entry.auditId);
    if (first === undefined || outcome === undefined) throw new Error("An audit event has no outcome.");
    recording.results.push(await resultOf(entry, first, outcome, call, store, recording.records));
  }
  return recording;
}

function eventEntry({ event, auditId, contentMac: mac, caller, queued }: AcceptedEvent, call: Call): AuditEntry {
  const recordedAt = call.now.toISOString();
  return {
    auditId,
    action: event.action,
    actor: event.actor,
    timestamp: event.timestamp ?? recordedAt,
    recordedAt,
    caller,
    ...(queued === undefined ? {} : { queued }),
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
  entry: AcceptedEvent,
  first: AcceptedEvent,
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
      { ...call, caller: entry.caller },
      store,
    );
    records.push(alarm);
    return { position, outcome: "refused", ...transaction, AuditID: alarm.auditId, ...refusal("RECORD_FORGED") };
  }
  const recordedMac = existing === undefined ? first.contentMac : (textOf(existing, "ContentMac") ?? "");
  if (!equalMac(entry.contentMac, recordedMac)) {
    const conflict = conflictEntry(entry, { ...call, caller: entry.caller });
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

function conflictEntry({ event, auditId, contentMac: mac }: AcceptedEvent, call: Call): AuditEntry {
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
