/** What is sent: events of every kind, many of which no rule allows. */

import type { EventKind, EventMode } from "../../../ledger/rules/event-kinds";

export const PAYMENTS = 100;
/** Half of the payments are captured when they are recorded, the others are captured by events. */
const CAPTURED_AT_ONCE = 2;

export interface PlannedEvent {
  readonly TransactionID: string;
  readonly EventID: string;
  readonly Kind: EventKind;
  readonly Mode: EventMode;
  readonly Amount: string;
  readonly Currency: "EUR";
  readonly Of?: string;
  readonly Actor: string;
}

export function plannedPayment(payment: number) {
  return {
    TransactionID: `order-${payment}`,
    SecureToken: `tok_of_order_${payment}`,
    Amount: "1000.00",
    Currency: "EUR",
    ProcessorID: "acme",
    Status: payment % CAPTURED_AT_ONCE === 0 ? "Success" : "Failure",
    Actor: "checkout",
  };
}

/** Mulberry32: the same events and faults for the same seed, as far as timers allow. */
export function randomFrom(seed: number): () => number {
  let state = seed >>> 0;
  return () => {
    state = (state + 0x6d2b79f5) >>> 0;
    let mixed = Math.imul(state ^ (state >>> 15), 1 | state);
    mixed = (mixed + Math.imul(mixed ^ (mixed >>> 7), 61 | mixed)) ^ mixed;
    return ((mixed ^ (mixed >>> 14)) >>> 0) / 2 ** 32;
  };
}

const GRANTS: readonly EventKind[] = ["REFUND_HELD", "REFUND_HELD", "REFUND_HELD", "CAPTURED", "VOIDED"];
const FACTS: readonly EventKind[] = ["REFUNDED", "DISPUTED", "FEE", "AUTHORISED", "CAPTURED"];
/** What settles an event of a kind. */
const ENDS: Readonly<Partial<Record<EventKind, readonly EventKind[]>>> = {
  REFUND_HELD: ["REFUNDED", "REFUND_FAILED"],
  DISPUTED: ["DISPUTE_WON", "DISPUTE_LOST"],
};

export function eventsOf(count: number, random: () => number): PlannedEvent[] {
  const pick = <T>(list: readonly T[]): T => list[Math.floor(random() * list.length)] as T;
  const events: PlannedEvent[] = [];
  const open: PlannedEvent[] = [];
  for (let at = 0; at < count; at++) {
    const ended =
      open.length > 0 && random() < 0.35 ? open.splice(Math.floor(random() * open.length), 1)[0] : undefined;
    const event = ended === undefined ? begun(at, random, pick) : endOf(ended, at, pick);
    if (ENDS[event.Kind] !== undefined) open.push(event);
    events.push(event);
  }
  return events;
}

function begun(at: number, random: () => number, pick: <T>(list: readonly T[]) => T): PlannedEvent {
  const isGrant = random() < 0.6;
  const cents = 1 + Math.floor(random() * 15_000);
  return {
    TransactionID: `order-${Math.floor(random() * PAYMENTS)}`,
    EventID: `event-${at}`,
    Kind: pick(isGrant ? GRANTS : FACTS),
    Mode: isGrant ? "grant" : "fact",
    Amount: `${Math.floor(cents / 100)}.${String(cents % 100).padStart(2, "0")}`,
    Currency: "EUR",
    Actor: "soak",
  };
}

/** Also of what was refused, or comes later: facts arrive as they like. */
function endOf(ended: PlannedEvent, at: number, pick: <T>(list: readonly T[]) => T): PlannedEvent {
  const Kind: EventKind = pick<EventKind>(ENDS[ended.Kind] ?? ["FEE"]);
  return { ...ended, EventID: `event-${at}`, Kind, Mode: "fact", Of: ended.EventID };
}
