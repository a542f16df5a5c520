/** What each kind of event does to a payment's totals and to the books, and the two sums that hold over the totals. */

import type { EventKind, EventMode } from "./event-kinds";
import { amountMinor } from "./money";
import { negated, postingsOf, type SignedMinor } from "./postings";

/** What of an event decides about the life. */
export interface LifeEvent {
  readonly EventID: string;
  readonly Kind: EventKind;
  readonly Mode: EventMode;
  readonly Amount: string;
  readonly Currency: string;
  readonly Of?: string;
}

export type Total = "authorised" | "captured" | "refundHeld" | "refunded" | "disputed" | "fees";
const TOTALS: readonly Total[] = ["authorised", "captured", "refundHeld", "refunded", "disputed", "fees"];
/** In minor units of the payment's currency. */
export type Totals = Readonly<Record<Total, bigint>>;

/** What an event does. A correction takes it back. */
export interface Effect {
  readonly totals: Readonly<Partial<Record<Total, bigint>>>;
  /** Voids and expiries: what closes a payment. */
  readonly closing?: 1 | -1;
  readonly postings: SignedMinor;
}
export const NO_EFFECT: Effect = { totals: {}, postings: new Map() };

export interface SettledEvent {
  readonly event: LifeEvent;
  readonly effect: Effect;
}

/** @param of the event that it settles or takes back, with what that one did. */
export function effectOf(event: LifeEvent, of: SettledEvent | undefined, processorId: string): Effect {
  const amount = amountMinor(event.Amount);
  const held = of === undefined ? 0n : amountMinor(of.event.Amount);
  const postings = postingsOf(event.Kind, of?.event.Kind, amount, held, processorId);
  switch (event.Kind) {
    case "AUTHORISED":
      return { totals: { authorised: amount }, postings };
    case "CAPTURED":
      return { totals: { captured: amount }, postings };
    case "VOIDED":
    case "EXPIRED":
      return { totals: { authorised: -amount }, closing: 1, postings };
    case "REFUND_HELD":
      return { totals: { refundHeld: amount }, postings };
    case "REFUNDED":
      return { totals: { refundHeld: -held, refunded: amount }, postings };
    case "REFUND_FAILED":
      if (of === undefined) return NO_EFFECT;
      return of.event.Kind === "REFUND_HELD"
        ? { totals: { refundHeld: -held }, postings }
        : { totals: { refunded: -least(amount, held) }, postings };
    case "DISPUTED":
      return { totals: { disputed: amount }, postings };
    case "DISPUTE_WON":
      return of === undefined ? NO_EFFECT : { totals: { disputed: -least(amount, held) }, postings };
    case "DISPUTE_LOST":
      return { totals: of === undefined ? { disputed: amount } : {}, postings };
    case "FEE":
      return { totals: { fees: amount }, postings };
    case "PAID_OUT":
      return { totals: {}, postings };
    case "CORRECTED":
      return of === undefined ? NO_EFFECT : reversed(of.effect);
  }
}

/** How much more is captured than is authorised. */
export function overAuthorised({ authorised, captured }: Totals): bigint {
  return captured - authorised;
}

/** How much more is refunded, held for refunds and disputed than is captured. */
export function overCaptured({ captured, refunded, refundHeld, disputed }: Totals): bigint {
  return refunded + refundHeld + disputed - captured;
}

/** A fact breaks the rule when it makes the excess larger than it was; a grant is not given while there is any. */
export function isBroken(excess: (totals: Totals) => bigint, before: Totals, after: Totals, isAsked: boolean): boolean {
  return excess(after) > 0n && (isAsked || excess(after) > excess(before));
}

export function added(before: Totals, parts: readonly Effect[]): Totals {
  const totals = { ...before };
  for (const part of parts) for (const total of TOTALS) totals[total] += part.totals[total] ?? 0n;
  return totals;
}

export function reversed({ totals, closing, postings }: Effect): Effect {
  const back = Object.entries(totals).map(([total, minor]) => [total, -minor]);
  return {
    totals: Object.fromEntries(back),
    ...(closing === undefined ? {} : { closing: closing === 1 ? -1 : 1 }),
    postings: negated(postings),
  };
}

function least(a: bigint, b: bigint): bigint {
  return a < b ? a : b;
}
