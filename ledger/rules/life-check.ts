/**
 * Whether stored events follow from each other: the same check when an event is recorded, when a life is read, and offline.
 * Items are in the form of exports, so that everyone can make them.
 */

import { type LogicalTableName, TABLES } from "../../contract";
import type { ItemJson } from "./attribute-value";
import { canonicalJson } from "./canonical-json";
import { commitmentOf } from "./commitment";
import { EVENT_KINDS, type EventKind } from "./event-kinds";
import type { LifeEvent } from "./life-effects";
import { AMOUNT_PATTERN } from "./money";
import { type LifeOutcome, type LifeRow, PaymentLife } from "./payment-life";

const LEDGER: LogicalTableName = TABLES.paymentLedger.logicalName;
const EVENTS: LogicalTableName = TABLES.paymentEvents.logicalName;

/** The last place of a life. DynamoDB sorts numbers, so this bounds nothing but the work of reading one. */
export const PLACE_MAX = 9_999;

export const LIFE_FAULTS = [
  /** There is no event at a place before the last one. */
  "LIFE_EVENT_MISSING",
  /** Two places hold an event with one EventID. */
  "LIFE_EVENT_REPEATED",
  /** The event names another one as the event before it than the one that is there. */
  "LIFE_NOT_LINKED",
  /** The payment's row, with which the life began, is not there. */
  "LIFE_ROW_MISSING",
  /** `State` is not what the events up to here add up to. */
  "LIFE_STATE_WRONG",
  /** `Postings` are not those of the event, or do not add up to zero. */
  "LIFE_POSTINGS_WRONG",
  /** `Breach` is not the list of the rules that the fact breaks. */
  "LIFE_BREACH_WRONG",
  /** A grant is recorded that breaks a rule. */
  "LIFE_GRANT_BROKE_RULE",
  /** It has not the form of an event. */
  "LIFE_EVENT_UNREADABLE",
] as const;
export type LifeFaultCode = (typeof LIFE_FAULTS)[number];

export interface LifeFault {
  readonly code: LifeFaultCode;
  readonly place: number;
  readonly message: string;
}

export interface CheckedLife {
  readonly life: PaymentLife;
  readonly faults: readonly LifeFault[];
}

/** An event with its commitment, where somebody has computed it already. */
export interface StoredEvent {
  readonly item: ItemJson;
  readonly commitment?: string;
}

/**
 * @param row the payment's row in PaymentLedger as it is stored, with its commitment where that is known.
 * @param events all of one payment, in any order.
 */
export function checkLife(row: StoredEvent | undefined, events: readonly StoredEvent[]): CheckedLife {
  const inOrder = events.toSorted((a, b) => placeOf(a.item) - placeOf(b.item));
  const check = new LifeCheck(row, inOrder[0]?.item);
  for (const event of inOrder) check.take(event);
  return { life: check.life, faults: check.faults };
}

class LifeCheck {
  readonly faults: LifeFault[] = [];
  readonly life: PaymentLife;
  private next = 1;
  private before: StoredEvent | undefined;
  private beforeTable: LogicalTableName = LEDGER;
  /** What follows an event whose effect is not known has no state that could be computed. */
  private isFoldKnown = true;

  /** @param first the first event: one that names nothing before it began the life without a row. */
  constructor(row: StoredEvent | undefined, first: ItemJson | undefined) {
    const isOpenedByRow = first === undefined || placeOf(first) !== 1 || textIn(first, "Previous") !== undefined;
    this.before = row;
    this.life = new PaymentLife(isOpenedByRow && row !== undefined ? lifeRowOf(row.item) : undefined);
  }

  take(stored: StoredEvent): void {
    const place = placeOf(stored.item);
    this.checkPlace(place, stored);
    this.next = place + 1;
    this.before = stored;
    this.beforeTable = EVENTS;
    const event = lifeEventIn(stored.item);
    if (event === undefined) {
      this.isFoldKnown = false;
      this.fault("LIFE_EVENT_UNREADABLE", place, "It has not the form of an event.");
    } else if (this.life.has(event.EventID)) {
      this.isFoldKnown = false;
      this.fault("LIFE_EVENT_REPEATED", place, `An earlier event of the payment is ${event.EventID} too.`);
    } else this.checkOutcome(this.life.add(event), event, place, stored.item);
  }

  private checkPlace(place: number, { item }: StoredEvent): void {
    if (place > this.next) {
      this.isFoldKnown = false;
      const gap = place - this.next === 1 ? `place ${this.next}` : `places ${this.next} to ${place - 1}`;
      this.fault("LIFE_EVENT_MISSING", place, `There is no event at ${gap} before it.`);
      return;
    }
    const previous = textIn(item, "Previous");
    if (place === 1) this.checkOpening(previous, place);
    else if (previous !== this.commitmentBefore())
      this.fault("LIFE_NOT_LINKED", place, `It does not name the event at place ${place - 1} as the one before it.`);
  }

  /** A life of a payment without a row names nothing before it, and a row that came later does not count. */
  private checkOpening(previous: string | undefined, place: number): void {
    if (previous === undefined) return;
    if (this.before === undefined)
      this.fault("LIFE_ROW_MISSING", place, "The payment's row, with which the life began, is not there.");
    else if (previous !== this.commitmentBefore())
      this.fault("LIFE_NOT_LINKED", place, "It does not name the payment's row as what was before it.");
    if (this.faults.length > 0) this.isFoldKnown = false;
  }

  private commitmentBefore(): string | undefined {
    return this.before && (this.before.commitment ?? commitmentOf(this.beforeTable, this.before.item));
  }

  private checkOutcome(outcome: LifeOutcome, event: LifeEvent, place: number, item: ItemJson): void {
    if (!addsUpToZero(item)) this.fault("LIFE_POSTINGS_WRONG", place, "Its postings do not add up to zero.");
    if (!this.isFoldKnown) return;
    const { State, Postings, Breach } = outcomeForm(outcome);
    const isSame = (name: string, form: object | undefined) => text(item[name]) === text(form);
    if (event.Mode === "grant" && outcome.breaches.length > 0)
      this.fault("LIFE_GRANT_BROKE_RULE", place, `It was granted against the rule ${outcome.breaches.join(", ")}.`);
    else if (!isSame("Breach", Breach))
      this.fault("LIFE_BREACH_WRONG", place, "Its breaches are not those that the events before it give.");
    if (!isSame("Postings", Postings))
      this.fault("LIFE_POSTINGS_WRONG", place, "Its postings are not those of its kind, amount and predecessor.");
    if (isSame("State", State)) return;
    // Those behind it carry its error on.
    this.isFoldKnown = false;
    this.fault("LIFE_STATE_WRONG", place, "Its State is not what the events up to it add up to.");
  }

  private fault(code: LifeFaultCode, place: number, message: string): void {
    if (!this.faults.some((each) => each.code === code && each.place === place))
      this.faults.push({ code, place, message });
  }
}

/** What the rules made of an event, in the form in which it is stored. */
export function outcomeForm({ state, postings, breaches }: LifeOutcome) {
  const { Closed, ...totals } = state;
  const texts = Object.fromEntries(Object.entries(totals).map(([name, each]) => [name, { S: each }]));
  return {
    State: { M: { ...texts, Closed: { BOOL: Closed } } },
    Postings: {
      L: postings.map(({ Account, Amount, Currency }) => ({
        M: { Account: { S: Account }, Amount: { S: Amount }, Currency: { S: Currency } },
      })),
    },
    ...(breaches.length === 0 ? {} : { Breach: { L: breaches.map((code) => ({ S: code })) } }),
  };
}

export function placeOf(item: ItemJson): number {
  const { N } = (item["Place"] ?? {}) as { readonly N?: unknown };
  return typeof N === "string" ? Number(N) : 0;
}

/** The event as the rules see it; undefined for an item that is not an event. */
export function lifeEventIn(item: ItemJson): LifeEvent | undefined {
  const [EventID, kind, mode, Amount, Currency] = ["EventID", "Kind", "Mode", "Amount", "Currency"].map((name) =>
    textIn(item, name),
  );
  if (EventID === undefined || kind === undefined || Amount === undefined || Currency === undefined) return undefined;
  if (!Object.hasOwn(EVENT_KINDS, kind) || !AMOUNT_PATTERN.test(Amount)) return undefined;
  const Kind = kind as EventKind;
  const Mode = EVENT_KINDS[Kind].find((each) => each === mode);
  if (Mode === undefined) return undefined;
  const Of = textIn(item, "Of");
  return { EventID, Kind, Mode, Amount, Currency, ...(Of === undefined ? {} : { Of }) };
}

/** What a life begins with; undefined for an item that is no payment. */
export function lifeRowOf(item: ItemJson): LifeRow | undefined {
  const [Amount, Currency, ProcessorID, status] = ["Amount", "Currency", "ProcessorID", "Status"].map((name) =>
    textIn(item, name),
  );
  const Status = (["Success", "Failure"] as const).find((each) => each === status);
  if (Amount === undefined || Currency === undefined || ProcessorID === undefined || Status === undefined)
    return undefined;
  return AMOUNT_PATTERN.test(Amount) ? { Amount, Currency, ProcessorID, Status } : undefined;
}

function textIn(item: ItemJson, name: string): string | undefined {
  const { S } = (item[name] ?? {}) as { readonly S?: unknown };
  return typeof S === "string" ? S : undefined;
}

function text(form: object | undefined): string {
  return form === undefined ? "" : canonicalJson(form);
}

const SIGNED_AMOUNT = /^-?[0-9]{1,20}(\.[0-9]{1,4})?$/;

/** By account and currency, without asking what they should be. */
function addsUpToZero(item: ItemJson): boolean {
  const { L } = (item["Postings"] ?? {}) as { readonly L?: unknown };
  if (!Array.isArray(L)) return false;
  const sums = new Map<string, bigint>();
  for (const each of L as readonly { readonly M?: ItemJson }[]) {
    const [amount = "", currency = ""] = [each.M && textIn(each.M, "Amount"), each.M && textIn(each.M, "Currency")];
    if (!SIGNED_AMOUNT.test(amount)) return false;
    const [whole = "", decimals = ""] = amount.split(".");
    const scaled = BigInt(`${whole}${decimals.padEnd(4, "0")}`);
    sums.set(currency, (sums.get(currency) ?? 0n) + scaled);
  }
  return [...sums.values()].every((sum) => sum === 0n);
}
