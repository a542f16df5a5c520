/** Records audit events of other services, each once, in either vocabulary. */

import { TABLES } from "../../contract";
import { persistResponse } from "../rules/answers";
import type { AuditEntry, Caller } from "../rules/audit-entry";
import { type AuditEvent, auditEventContent, parseAuditEvent } from "../rules/audit-event";
import { differingFields, type RecordedContent } from "../rules/differing-fields";
import { envelopeOf, parseEntries } from "../rules/entries";
import { derivedAuditId } from "../rules/identifiers";
import { contentMac, equalMac } from "../rules/record-mac";
import { type Refusal, refusal } from "../rules/refusals";
import type { EntryResult, PersistResponse, RefusedResponse } from "../rules/responses";
import { SentTokens } from "../rules/sent-tokens";
import { type StoredItem, textOf, textOrEmpty, textWithin } from "../rules/stored-item";
import { auditPut } from "../store/audit-record";
import { isForged, type Services } from "../store/services";
import { type GroupOutcome, writeOnce } from "../store/write-once";
import type { Call } from "./call";
import { alarmEntry } from "./integrity-alarm";
import { ledgerEntry } from "./ledger-entry";
import { answersOf, duplicateEntry, type Outcome } from "./record-payments";
import { recordRefused, refuseCall } from "./refusal-records";
import { isRefusal, refuseActor, refuseHarmful, validateEntries } from "./validation";

const TRAIL = TABLES.paymentAuditTrail.logicalName;

/** An event that may be recorded. */
export interface AcceptedEvent {
  readonly position: number;
  readonly event: AuditEvent;
  readonly auditId: string;
  /** The AuditID that it was sent with, where another sender's event has that one. */
  readonly eventId?: string;
  readonly contentMac: string;
  readonly caller: Caller;
  readonly queued?: NonNullable<AuditEntry["queued"]>;
}

export async function persistAuditEvents(
  event: unknown,
  call: Call,
  services: Services,
): Promise<PersistResponse | RefusedResponse> {
  const envelope = envelopeOf(event, "events");
  const tokens = SentTokens.in(event);
  const envelopeRefusal = refuseHarmful(envelope, services, { tokens, clear: envelope });
  const parsed = envelopeRefusal === undefined ? parseEntries(event, "events") : { refusal: envelopeRefusal };
  if ("refusal" in parsed) return refuseCall(event, parsed.refusal, TRAIL, call, services);
  const { accepted, refused } = await validateEntries(
    { ...parsed, tokens },
    (entry, position) => acceptDirect(withActor(entry, parsed.actor), tokens, position, call, services),
    TRAIL,
    call,
  );
  const results = await recordEvents(accepted, call, services);
  return persistResponse([...(await recordRefused(refused, services)), ...results]);
}

async function acceptDirect(
  entry: unknown,
  tokens: SentTokens,
  position: number,
  call: Call,
  services: Services,
): Promise<AcceptedEvent | Refusal> {
  const event = validateEvent(entry, call, services, tokens);
  if (isRefusal(event)) return event;
  // An event without an id is named by the invocation; when the platform retries, it sends the same invocation id.
  const auditId = event.auditId ?? derivedAuditId("EVENT", call.operation, call.caller.requestId, String(position));
  return { position, event, auditId, contentMac: await eventContentMac(event, services), caller: call.caller };
}

/** The list's actor counts for entries that name none themselves. */
function withActor(entry: unknown, listActor: string | undefined): unknown {
  if (listActor === undefined || typeof entry !== "object" || entry === null || Array.isArray(entry)) return entry;
  return "Actor" in entry || "user_id" in entry ? entry : { ...entry, Actor: listActor };
}

/** @param tokens those of the whole request, where the event may be one of a list. */
export function validateEvent(
  entry: unknown,
  { now, caller }: Pick<Call, "now" | "caller">,
  services: Services,
  tokens = SentTokens.in(entry),
): AuditEvent | Refusal {
  const harmful = refuseHarmful(entry, services, { tokens, clear: entry });
  if (harmful !== undefined) return harmful;
  const parsed = parseAuditEvent(entry, now);
  return parsed.ok ? (refuseActor(parsed.value.actor, caller, services) ?? parsed.value) : parsed.refusal;
}

export async function eventContentMac(event: AuditEvent, services: Services): Promise<string> {
  return contentMac(TRAIL, auditEventContent(event), (await services.macKeys()).content);
}

/** Records each event once; repeats within the list are distinguished by what is recorded under their AuditID. */
export async function recordEvents(
  accepted: readonly AcceptedEvent[],
  call: Call,
  services: Services,
): Promise<EntryResult[]> {
  const outcomes = await writeEvents(accepted, call, services);
  const taken = outcomes.flatMap((outcome) => ("takenFrom" in outcome ? [underOwnId(outcome.takenFrom)] : []));
  const again = taken.length === 0 ? [] : await writeEvents(taken, call, services);
  return answersOf(
    [...outcomes, ...again].flatMap((outcome) => ("takenFrom" in outcome ? [] : [outcome])),
    services,
  );
}

/** An event whose AuditID another sender's event has. */
interface TakenId {
  readonly takenFrom: AcceptedEvent;
}

async function writeEvents(
  accepted: readonly AcceptedEvent[],
  call: Call,
  services: Services,
): Promise<(Outcome | TakenId)[]> {
  const firsts = new Map<string, AcceptedEvent>();
  for (const entry of accepted) if (!firsts.has(entry.auditId)) firsts.set(entry.auditId, entry);
  const written = [...firsts.values()];
  const groups = await Promise.all(written.map(async (entry) => [await auditPut(eventEntry(entry, call), services)]));
  const outcomes = await writeOnce(services.dynamo, groups);
  const outcomeOf = new Map(written.map((entry, index) => [entry.auditId, outcomes[index]] as const));
  return Promise.all(
    accepted.map((entry) => {
      const first = firsts.get(entry.auditId);
      const outcome = outcomeOf.get(entry.auditId);
      if (first === undefined || outcome === undefined) throw new Error("An audit event has no outcome.");
      return eventOutcome(entry, first, outcome, { ...call, caller: entry.caller }, services);
    }),
  );
}

/**
 * An AuditID is unique within its sender: nobody keeps another sender's event out by taking its id first. Such an event is
 * recorded under an id that follows from its sender and the AuditID, and states the AuditID beside it.
 */
function underOwnId(entry: AcceptedEvent): AcceptedEvent {
  const auditId = derivedAuditId("EVENT", "own-id", senderOf(entry.caller.principal, entry.event.actor), entry.auditId);
  return { ...entry, auditId, eventId: entry.auditId };
}

/**
 * Who sent an event, as far as AWS says: the principal of its message, without the name of a role's session. A direct call
 * states none, so there the claimed actor takes its place.
 */
function senderOf(principal: string | undefined, actor: string): string {
  return principal === undefined ? `actor/${actor}` : `principal/${principal.split(":")[0]}`;
}

function recordedSender(item: StoredItem): string {
  return senderOf(textWithin(item, "Caller", "Principal"), textOrEmpty(item, "Actor"));
}

function eventEntry(accepted: AcceptedEvent, call: Call): AuditEntry {
  const { event, auditId, eventId, contentMac: mac, caller, queued } = accepted;
  const recordedAt = call.now.toISOString();
  return {
    auditId,
    ...(eventId === undefined ? {} : { eventId }),
    action: event.action,
    actor: event.actor,
    timestamp: event.timestamp ?? recordedAt,
    recordedAt,
    caller,
    ...(queued === undefined ? {} : { queued }),
    origin: "EVENT",
    contentMac: mac,
    importedFrom: event.importedFrom,
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

async function eventOutcome(
  entry: AcceptedEvent,
  first: AcceptedEvent,
  outcome: GroupOutcome,
  call: Call,
  services: Services,
): Promise<Outcome | TakenId> {
  const { position, auditId, event } = entry;
  const transaction = event.transactionId === undefined ? {} : { TransactionID: event.transactionId };
  const existing = outcome.written ? undefined : outcome.existing[0];
  if (existing !== undefined && (await isForged(TRAIL, existing, services))) {
    const fault = { code: "RECORD_FORGED", table: TRAIL, recordId: auditId, found: existing } as const;
    const record = alarmEntry(fault, event.actor, call, services);
    return { result: { position, outcome: "refused", ...transaction, ...refusal("RECORD_FORGED") }, record };
  }
  const recordedMac = existing === undefined ? first.contentMac : textOrEmpty(existing, "ContentMac");
  const sender = senderOf(entry.caller.principal, event.actor);
  const holder =
    existing === undefined ? senderOf(first.caller.principal, first.event.actor) : recordedSender(existing);
  if (!equalMac(entry.contentMac, recordedMac)) {
    if (sender !== holder && entry.eventId === undefined) return { takenFrom: entry };
    const recorded = existing === undefined ? { fields: eventFields(first.event) } : recordedEvent(existing);
    const field = differingFields(eventFields(event), recorded);
    const result = { position, outcome: "conflict", ...transaction, ...refusal("CONFLICT", field) } as const;
    return { result, record: conflictEntry(entry, call) };
  }
  const known = outcome.written && entry === first ? "stored" : "duplicate";
  const result = { position, outcome: known, ...transaction, AuditID: auditId } as const;
  if (sender === holder) return { result };
  return { result, record: duplicateEntry(TRAIL, auditId, event.transactionId, event.actor, call) };
}

/** By the names of the ledger's own vocabulary; each of the last two is one side of the event with all its content. */
function eventFields(event: AuditEvent): Readonly<Record<string, string | undefined>> {
  const { action, actor, timestamp, transactionId, queryRecordIds, responseRecordIds } = event;
  return {
    TransactionID: transactionId,
    Action: action,
    Actor: actor,
    Timestamp: timestamp,
    QueryDetails: JSON.stringify([queryRecordIds, event.queryDetails]),
    Response: JSON.stringify([responseRecordIds, event.responseDetails, event.result]),
  };
}

function recordedEvent(item: StoredItem): RecordedContent {
  const fields = Object.fromEntries(
    ["TransactionID", "Action", "Actor", "Timestamp"].map((name) => [name, textOf(item, name)]),
  );
  const isDefaulted = textOf(item, "Timestamp") === textOf(item, "RecordedAt");
  return {
    fields,
    defaultedTime: isDefaulted ? "Timestamp" : undefined,
    encrypted: ["QueryDetails", "Response"],
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
