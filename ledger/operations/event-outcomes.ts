/** What is answered about an event of a payment, and the record that it leaves beside its own. */

import { TABLES } from "../../contract";
import type { AuditEntry } from "../rules/audit-entry";
import type { JsonObject } from "../rules/canonical-json";
import { derivedAuditId } from "../rules/identifiers";
import type { BreachCode } from "../rules/payment-life";
import { type Refusal, type RefusalCode, refusal } from "../rules/refusals";
import type { EventResult } from "../rules/responses";
import type { StoredItem } from "../rules/stored-item";
import { eventView } from "../store/event-record";
import type { Services } from "../store/services";
import type { Call } from "./call";
import { alarmEntry, type IntegrityFault } from "./integrity-alarm";
import { ledgerEntry } from "./ledger-entry";
import { writeAuditId } from "./payment-books";
import type { ReadLife } from "./read-life";
import type { SentLifeEvent } from "./sent-events";

const EVENTS = TABLES.paymentEvents;

/** What happened to an event, and the record that it leaves beside its own. */
export interface EventOutcome {
  readonly result: EventResult;
  readonly record?: AuditEntry;
}

export function withoutPair(sent: SentLifeEvent, found: StoredItem, call: Call, services: Services): EventOutcome {
  const { TransactionID } = sent.event;
  const fault = { code: "AUDIT_RECORD_MISSING", table: EVENTS.logicalName, recordId: TransactionID, found } as const;
  return asUntrusted(sent, fault, call, services);
}

export function asUntrusted(sent: SentLifeEvent, fault: IntegrityFault, call: Call, services: Services): EventOutcome {
  return { result: refusedOne(sent, refusal(fault.code)), record: alarmEntry(fault, sent.actor, call, services) };
}

/** @param field the fields that differ, where they are known. */
export function asConflict(
  sent: SentLifeEvent,
  field: string | undefined,
  call: Call,
  services: Services,
): EventOutcome {
  services.signal("PaymentConflict");
  const { position, event } = sent;
  const { TransactionID, EventID } = event;
  const record = ledgerEntry(
    {
      auditId: derivedAuditId("CONFLICT", EVENTS.logicalName, EventID, sent.contentMac),
      action: "CONFLICT",
      actor: sent.actor,
      table: EVENTS.logicalName,
      transactionId: TransactionID,
      asked: { recordIds: [EventID], details: { Attempted: { ...event } } },
      answered: { recordIds: [], result: "conflict" },
    },
    call,
  );
  return { result: { position, outcome: "conflict", TransactionID, EventID, ...refusal("CONFLICT", field) }, record };
}

/** The record keeps what was asked and the state that refused it. */
export function asRefused(
  sent: SentLifeEvent,
  code: RefusalCode,
  { life, events }: ReadLife,
  call: Call,
): EventOutcome {
  const State = life.state;
  const { TransactionID, EventID, Kind, Mode, Amount, Currency } = sent.event;
  const details: JsonObject = { Kind, Mode, Amount, Currency, SeenPlace: events.length, SeenState: { ...State } };
  const record = ledgerEntry(
    {
      auditId: derivedAuditId("REFUSAL", call.operation, call.caller.requestId, String(sent.position)),
      action: "REFUSAL",
      actor: sent.actor,
      table: EVENTS.logicalName,
      transactionId: TransactionID,
      asked: { recordIds: [EventID], details },
      answered: { recordIds: [], result: code },
    },
    call,
  );
  return { result: { ...refusedOne(sent, refusal(code)), State }, record };
}

function refusedOne({ position, event }: SentLifeEvent, reason: Refusal): EventResult {
  return { position, outcome: "refused", TransactionID: event.TransactionID, EventID: event.EventID, ...reason };
}

export function storedResult(
  { position, event }: SentLifeEvent,
  item: StoredItem,
  outcome: "stored" | "duplicate",
): EventResult {
  const { Place, State, Breach } = eventView(item);
  return {
    position,
    outcome,
    TransactionID: event.TransactionID,
    EventID: event.EventID,
    AuditID: writeAuditId(EVENTS.logicalName, event.EventID),
    Place,
    State,
    ...(Breach === undefined ? {} : { Breach }),
  };
}

/** A rule that a grant would break, as its refusal says it. The others concern facts only. */
export function refusalOfBreach(code: BreachCode): RefusalCode {
  switch (code) {
    case "OF_UNKNOWN":
    case "OF_OTHER_KIND":
    case "OF_SETTLED":
      throw new Error("A grant settles no event.");
    default:
      return code;
  }
}
