/** An event of a payment's life as it is sent and as it is understood. */

import * as z from "zod";
import type { JsonObject } from "./canonical-json";
import { CURRENCY_CODES } from "./currencies";
import {
  EVENT_ID_FIELD,
  EVENT_KIND_NAMES,
  EVENT_KINDS,
  EVENT_MODES,
  type EventKind,
  type EventMode,
  SETTLES,
} from "./event-kinds";
import type { LifeEvent } from "./life-effects";
import { AMOUNT_PATTERN, amountMinor, normalizeAmount } from "./money";
import {
  accepted,
  actor,
  coded,
  eventId,
  newEventId,
  type Parsed,
  parseWith,
  reason,
  refused,
  schemaVersion,
  timestamp,
  transactionId,
} from "./schema";
import { normalizeTimestamp } from "./timestamps";

const OF_IS_OPTIONAL: ReadonlySet<EventKind> = new Set(["REFUNDED"]);

export const paymentEventSchema = z
  .strictObject({
    schemaVersion,
    TransactionID: transactionId.describe("The payment to which it happens."),
    EventID: newEventId.describe(
      "Unique id of the event among the events of all payments, for example the processor's id of the refund; sending it again is safe.",
    ),
    Kind: z.enum(EVENT_KIND_NAMES, coded("INVALID_KIND")).describe("What happens."),
    Mode: z
      .enum(EVENT_MODES, coded("INVALID_MODE"))
      .describe(
        "grant: asked before it is done, and refused where it would break a rule (CAPTURED, VOIDED, REFUND_HELD). fact: told by the processor, and always recorded (all kinds but REFUND_HELD).",
      ),
    Amount: z
      .string(coded("AMOUNT_NOT_TEXT"))
      .regex(AMOUNT_PATTERN, "INVALID_AMOUNT")
      .describe('Decimal string above zero with at most as many decimals as the currency has, for example "10.50".'),
    Currency: z.enum(CURRENCY_CODES, coded("UNKNOWN_CURRENCY")).describe("ISO 4217 code of the payment's currency."),
    Of: eventId
      .optional()
      .describe(
        "EventID of the event that this one settles or takes back. Required for REFUND_FAILED, DISPUTE_WON, DISPUTE_LOST and CORRECTED, allowed for REFUNDED.",
      ),
    Reason: reason.optional().describe("Why, in words that name no person. Stored in clear with the event."),
    Timestamp: timestamp
      .optional()
      .describe(
        "When it happened: ISO 8601 with offset, after 1999, at most 15 minutes ahead of the ledger's clock; cut to milliseconds. Default: when it is recorded.",
      ),
    Actor: actor.optional().describe("Service or user that sends the event. Required here or around the list."),
  })
  .meta({ id: "payment-event", title: "Payment event", description: "One event of a payment's life." });

/** An event that passed the checks of its form: amount and time normalised, `Timestamp` absent where none was sent. */
export interface PaymentEvent extends LifeEvent {
  readonly TransactionID: string;
  readonly Reason?: string;
  readonly Timestamp?: string;
}

export interface SentPaymentEvent {
  readonly event: PaymentEvent;
  readonly actor: string;
}

/** A time at which every currency that the ledger knows was in use: events of an old payment are in its currency. */
const ANY_CURRENCY_IN_USE = "2013-01-01T00:00:00.000Z";

/** @param listActor the actor named around a list; an entry's own `Actor` goes before it. */
export function parsePaymentEvent(input: unknown, listActor: string | undefined, now: Date): Parsed<SentPaymentEvent> {
  const parsed = parseWith(paymentEventSchema, input, requiredToo(input, listActor));
  if (!parsed.ok) return parsed;
  const { Actor, schemaVersion: _version, Timestamp, Of, Reason, ...sent } = parsed.value;
  const claimedActor = Actor ?? listActor;
  if (claimedActor === undefined) return refused("MISSING_FIELD", "Actor");
  if (!(EVENT_KINDS[sent.Kind] as readonly EventMode[]).includes(sent.Mode)) return refused("INVALID_MODE", "Mode");
  const mayHaveOf = sent.Kind in SETTLES;
  if (Of !== undefined && !mayHaveOf) return refused("INVALID_OF", "Of");
  if (Of === undefined && mayHaveOf && !OF_IS_OPTIONAL.has(sent.Kind)) return refused("MISSING_FIELD", "Of");
  if (Of === sent.EventID) return refused("INVALID_OF", "Of");
  const time = Timestamp === undefined ? undefined : normalizeTimestamp(Timestamp, now);
  if (time !== undefined && "fault" in time) return refused(time.fault, "Timestamp");
  const money = normalizeAmount(sent.Amount, sent.Currency, ANY_CURRENCY_IN_USE);
  if ("fault" in money) return refused(money.fault, money.fault === "UNKNOWN_CURRENCY" ? "Currency" : "Amount");
  if (amountMinor(money.amount) === 0n) return refused("AMOUNT_IS_ZERO", "Amount");
  const event = {
    ...sent,
    Amount: money.amount,
    ...(Of === undefined ? {} : { Of }),
    ...(Reason === undefined ? {} : { Reason }),
    ...(time === undefined ? {} : { Timestamp: time.timestamp }),
  };
  return accepted({ event, actor: claimedActor });
}

/** Whether an input is an event and no payment. */
export function isPaymentEvent(input: unknown): boolean {
  return typeof input === "object" && input !== null && Object.hasOwn(input, EVENT_ID_FIELD);
}

/** An event that arrives where nobody waits for an answer. */
export function parseFact(input: unknown, now: Date): Parsed<SentPaymentEvent> {
  const parsed = parsePaymentEvent(input, undefined, now);
  return parsed.ok && parsed.value.event.Mode === "grant" ? refused("GRANT_NEEDS_ANSWER", "Mode") : parsed;
}

/** An event needs its actor, here or around the list, and some kinds need the event that they settle. */
function requiredToo(input: unknown, listActor: string | undefined): string[] {
  const kind = typeof input === "object" && input !== null && "Kind" in input ? input.Kind : undefined;
  const needsOf = EVENT_KIND_NAMES.some((each) => each === kind && each in SETTLES && !OF_IS_OPTIONAL.has(each));
  return [...(listActor === undefined ? ["Actor"] : []), ...(needsOf ? ["Of"] : [])];
}

/** What decides whether the same id came with the same content: everything the sender said, and nothing that we added. */
export function paymentEventContent(event: PaymentEvent): JsonObject {
  return { ...event };
}
