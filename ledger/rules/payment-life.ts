/**
 * The life of a payment: what its events add up to, and which rule an event would break. Pure and exact; the function that
 * records events, the reader and the offline verifier all use it.
 *
 * An event that settles another may arrive before it. It then counts provisionally, and is settled when the other arrives:
 * so the totals do not depend on the order in which facts arrive.
 */

import { SETTLES } from "./event-kinds";
import {
  added,
  type Effect,
  effectOf,
  isBroken,
  type LifeEvent,
  NO_EFFECT,
  overAuthorised,
  overCaptured,
  reversed,
  type Total,
  type Totals,
} from "./life-effects";
import { amountMinor } from "./money";
import { type Posting, type SignedMinor, summed } from "./postings";

/** The beginning of a life: its row in PaymentLedger, or nothing where an event names a payment without a row. */
export interface LifeRow {
  readonly Amount: string;
  readonly Currency: string;
  readonly Status: "Success" | "Failure";
  readonly ProcessorID: string;
}

/** Running totals after an event, as stored: decimal texts in the payment's currency. */
export interface LifeState {
  readonly Authorised: string;
  readonly Captured: string;
  readonly RefundHeld: string;
  readonly Refunded: string;
  /** Disputed and not won back: what is disputed now, and what was lost. */
  readonly Disputed: string;
  readonly Fees: string;
  /** Voided or expired with nothing captured: nothing but a fee or a correction may follow. */
  readonly Closed: boolean;
}

export const BREACH_CODES = [
  /** No row of PaymentLedger has the payment. */
  "PAYMENT_UNKNOWN",
  /** The event is in another currency than the payment; it counts nowhere. */
  "OTHER_CURRENCY",
  /** The payment was voided or had expired before. */
  "PAYMENT_CLOSED",
  /** A void of a payment of which something is captured. */
  "VOID_AFTER_CAPTURE",
  /** More is captured, or given up by void and expiry, than was authorised. */
  "OVER_AUTHORISED",
  /** Refunds, holds and disputes are above what was captured. */
  "OVER_CAPTURED",
  /** No event of the payment has the EventID that `Of` names. */
  "OF_UNKNOWN",
  /** The event that `Of` names is of a kind that this one cannot settle or take back. */
  "OF_OTHER_KIND",
  /** The event that `Of` names was settled or taken back before. */
  "OF_SETTLED",
  /** The amount is not that of the event that `Of` names. */
  "AMOUNT_DIFFERS",
] as const;
export type BreachCode = (typeof BREACH_CODES)[number];

/** What an event does to the life. */
export interface LifeOutcome {
  /** The rules that it breaks: a grant with one is refused, a fact is recorded with them. */
  readonly breaches: readonly BreachCode[];
  readonly state: LifeState;
  readonly postings: readonly Posting[];
}

interface JudgedEvent {
  readonly event: LifeEvent;
  readonly breaches: readonly BreachCode[];
  readonly isCounted: boolean;
  effect: Effect;
  /** The event that settles it now; a corrected settlement does not count. */
  settledBy?: string;
  correctedBy?: string;
}

interface EventJudgement {
  readonly breaches: readonly BreachCode[];
  readonly totals: Totals;
  readonly closings: number;
  readonly isClosed: boolean;
  readonly postings: SignedMinor;
  /** What the event itself does, without what it settles of earlier ones: a correction takes this back. */
  readonly own: Effect;
  readonly isCounted: boolean;
  readonly settles?: JudgedEvent;
  /** Came before the event that it settles. */
  readonly early?: { readonly known: JudgedEvent; readonly effect: Effect };
}

export class PaymentLife {
  private totals: Totals;
  private closings = 0;
  private readonly known = new Map<string, JudgedEvent>();
  /** By the EventID that they name: settlements that came before what they settle. */
  private readonly early = new Map<string, JudgedEvent>();
  private currency: string | undefined;
  private decimals: number;
  private readonly processor: string;

  constructor(private readonly row: LifeRow | undefined) {
    const opening = row?.Status === "Success" ? amountMinor(row.Amount) : 0n;
    this.totals = { authorised: opening, captured: opening, refundHeld: 0n, refunded: 0n, disputed: 0n, fees: 0n };
    this.currency = row?.Currency;
    this.decimals = decimalsOf(row?.Amount ?? "");
    this.processor = row?.ProcessorID ?? "unknown";
  }

  get state(): LifeState {
    return this.stateOf(this.totals, this.isClosed(this.totals, this.closings));
  }

  get events(): readonly LifeEvent[] {
    return [...this.known.values()].map(({ event }) => event);
  }

  has(eventId: string): boolean {
    return this.known.has(eventId);
  }

  /** What the event would do; nothing is changed. @throws Error when the life has an event with this EventID. */
  judge(event: LifeEvent): LifeOutcome {
    return this.outcomeOf(this.judged(event), event);
  }

  /** Adds the event. @throws Error when the life has an event with this EventID. */
  add(event: LifeEvent): LifeOutcome {
    const judged = this.judged(event);
    const outcome = this.outcomeOf(judged, event);
    if (this.currency === undefined) [this.currency, this.decimals] = [event.Currency, decimalsOf(event.Amount)];
    const known: JudgedEvent = { event, breaches: judged.breaches, isCounted: judged.isCounted, effect: judged.own };
    this.known.set(event.EventID, known);
    this.totals = judged.totals;
    this.closings = judged.closings;
    if (judged.settles !== undefined) this.settle(judged.settles, known);
    else if (this.isEarly(known)) this.early.set(event.Of ?? "", known);
    if (judged.early !== undefined) {
      judged.early.known.effect = judged.early.effect;
      this.early.delete(event.EventID);
      this.settle(known, judged.early.known);
    }
    return outcome;
  }

  /** Holds that nothing settled, in the order in which they were made. */
  get openHolds(): readonly LifeEvent[] {
    const held = [...this.known.values()].filter(({ event }) => event.Kind === "REFUND_HELD");
    return held.filter((each) => isOpen(each)).map(({ event }) => event);
  }

  /** Breaches that the life still shows, each with the event that brought it. */
  get openBreaches(): readonly { readonly EventID: string; readonly codes: readonly BreachCode[] }[] {
    return [...this.known.values()].flatMap((known) => {
      const codes = known.breaches.filter((code) => this.isStillBroken(code, known));
      return codes.length === 0 ? [] : [{ EventID: known.event.EventID, codes }];
    });
  }

  private isEarly({ event, isCounted }: JudgedEvent): boolean {
    return isCounted && event.Of !== undefined && !this.known.has(event.Of) && !this.early.has(event.Of);
  }

  private settle(settled: JudgedEvent, by: JudgedEvent): void {
    if (by.event.Kind === "CORRECTED") {
      settled.correctedBy = by.event.EventID;
      // What a corrected settlement had settled, or was to settle, is open again.
      const { Of = "", EventID } = settled.event;
      const before = this.known.get(Of);
      if (before?.settledBy === EventID) delete before.settledBy;
      if (this.early.get(Of) === settled) this.early.delete(Of);
    } else settled.settledBy = by.event.EventID;
  }

  private judged(event: LifeEvent): EventJudgement {
    if (this.known.has(event.EventID)) throw new Error("The payment has an event with this EventID already.");
    const breaches: BreachCode[] = [];
    const of = this.ofWhich(event, breaches);
    const isCounted = this.currency === undefined || event.Currency === this.currencyFor(event, of);
    if (!isCounted) breaches.push("OTHER_CURRENCY");
    const before = this.totals;
    if (this.row === undefined && this.known.size === 0) breaches.push("PAYMENT_UNKNOWN");
    const wasClosed = this.isClosed(before, this.closings);
    if (wasClosed && event.Kind !== "FEE" && event.Kind !== "CORRECTED") breaches.push("PAYMENT_CLOSED");
    if (event.Kind === "VOIDED" && before.captured > 0n) breaches.push("VOID_AFTER_CAPTURE");
    const own = isCounted ? effectOf(event, of, this.processor) : NO_EFFECT;
    const early = isCounted ? this.earlyOf(event, own) : undefined;
    if (early !== undefined && !isAmountAllowed(early.known.event, event)) breaches.push("AMOUNT_DIFFERS");
    const parts = early === undefined ? [own] : [own, reversed(early.known.effect), early.effect];
    const totals = added(before, parts);
    const closings = parts.reduce((sum, { closing = 0 }) => sum + closing, this.closings);
    const isGrant = event.Mode === "grant";
    const isHold = event.Kind === "REFUND_HELD";
    if (isBroken(overAuthorised, before, totals, isGrant && !isHold)) breaches.push("OVER_AUTHORISED");
    if (isBroken(overCaptured, before, totals, isGrant && isHold)) breaches.push("OVER_CAPTURED");
    return {
      breaches: BREACH_CODES.filter((code) => breaches.includes(code)),
      totals,
      closings,
      isClosed: this.isClosed(totals, closings),
      postings: summed(parts.map(({ postings }) => postings)),
      own,
      isCounted,
      ...(of === undefined ? {} : { settles: of }),
      ...(early === undefined ? {} : { early }),
    };
  }

  /** The event that this one settles or takes back, where it can. */
  private ofWhich(event: LifeEvent, breaches: BreachCode[]): JudgedEvent | undefined {
    if (event.Of === undefined) return undefined;
    const of = this.known.get(event.Of);
    if (of === undefined) breaches.push(this.early.has(event.Of) ? "OF_SETTLED" : "OF_UNKNOWN");
    else if (!canSettle(event, of.event)) breaches.push("OF_OTHER_KIND");
    else if (!isOpen(of)) breaches.push("OF_SETTLED");
    else {
      if (!isAmountAllowed(event, of.event)) breaches.push("AMOUNT_DIFFERS");
      return of;
    }
    return undefined;
  }

  /** A correction is in the currency of what it corrects; everything else is in the payment's. */
  private currencyFor(event: LifeEvent, of: JudgedEvent | undefined): string | undefined {
    return event.Kind === "CORRECTED" && of !== undefined ? of.event.Currency : this.currency;
  }

  /** A settlement that came before this event, and what it does now that the event is there. */
  private earlyOf(event: LifeEvent, own: Effect): EventJudgement["early"] {
    const known = this.early.get(event.EventID);
    if (known === undefined || !canSettle(known.event, event)) return undefined;
    const effect = effectOf(known.event, { event, effect: own }, this.processor);
    return { known, effect };
  }

  private isStillBroken(code: BreachCode, { event, correctedBy }: JudgedEvent): boolean {
    switch (code) {
      case "OVER_AUTHORISED":
        return overAuthorised(this.totals) > 0n;
      case "OVER_CAPTURED":
        return overCaptured(this.totals) > 0n;
      case "PAYMENT_UNKNOWN":
        return this.totals.authorised <= 0n;
      case "PAYMENT_CLOSED":
        return correctedBy === undefined && this.isClosed(this.totals, this.closings);
      case "VOID_AFTER_CAPTURE":
        return correctedBy === undefined && this.totals.captured > 0n;
      case "OF_UNKNOWN":
        return correctedBy === undefined && !this.hasSettledBy(event);
      default:
        return correctedBy === undefined;
    }
  }

  private hasSettledBy(event: LifeEvent): boolean {
    const of = this.known.get(event.Of ?? "");
    return of !== undefined && canSettle(event, of.event);
  }

  private isClosed({ authorised, captured }: Totals, closings: number): boolean {
    return closings > 0 && authorised === 0n && captured === 0n;
  }

  private outcomeOf({ breaches, totals, isClosed, postings }: EventJudgement, event: LifeEvent): LifeOutcome {
    return { breaches, state: this.stateOf(totals, isClosed, event), postings: this.postingsList(postings, event) };
  }

  private stateOf(totals: Totals, closed: boolean, event?: LifeEvent): LifeState {
    const decimals = this.currency === undefined && event !== undefined ? decimalsOf(event.Amount) : this.decimals;
    const text = (total: Total) => minorText(totals[total], decimals);
    return {
      Authorised: text("authorised"),
      Captured: text("captured"),
      RefundHeld: text("refundHeld"),
      Refunded: text("refunded"),
      Disputed: text("disputed"),
      Fees: text("fees"),
      Closed: closed,
    };
  }

  private postingsList(postings: SignedMinor, event: LifeEvent): Posting[] {
    const Currency = this.currency ?? event.Currency;
    const decimals = this.currency === undefined ? decimalsOf(event.Amount) : this.decimals;
    return [...postings].map(([Account, minor]) => ({ Account, Amount: minorText(minor, decimals), Currency }));
  }
}

/** A settlement of another event than it can be one of does nothing; a correction takes back what is not taken back yet. */
function canSettle(event: LifeEvent, of: LifeEvent): boolean {
  return SETTLES[event.Kind]?.includes(of.Kind) === true;
}

function isOpen({ settledBy, correctedBy }: JudgedEvent): boolean {
  return settledBy === undefined && correctedBy === undefined;
}

/** A refund may be less than its hold, and a dispute may be won in part; the rest of these is let go or lost. */
function isAmountAllowed(event: LifeEvent, of: LifeEvent): boolean {
  const [amount, held] = [amountMinor(event.Amount), amountMinor(of.Amount)];
  if (event.Kind === "CORRECTED") return amount === held && event.Currency === of.Currency;
  return event.Kind === "REFUNDED" || event.Kind === "DISPUTE_WON" ? amount <= held : amount === held;
}

function decimalsOf(amount: string): number {
  return amount.split(".")[1]?.length ?? 0;
}

/** `-1050n` with two decimals is "-10.50". */
function minorText(minor: bigint, decimals: number): string {
  const digits = String(minor < 0n ? -minor : minor).padStart(decimals + 1, "0");
  const whole = digits.slice(0, digits.length - decimals);
  const text = decimals === 0 ? whole : `${whole}.${digits.slice(-decimals)}`;
  return minor < 0n ? `-${text}` : text;
}
