/** What happened to a payment, read through the ledger's function and drawn for a terminal: one line an event, with the state after it. */

import type { EventView, LedgerQueryResponse, RefusedRecord } from "../ledger/rules/responses";
import { allPages } from "./functions";
import { tableText } from "./query-options";

type Answered = Extract<LedgerQueryResponse, { outcome: "answered" }>;
type LifeView = NonNullable<Answered["life"]>;

/** All events of a payment; without a state when the ledger refused to show its life. */
export interface Life extends Omit<LifeView, "State"> {
  readonly State: LifeView["State"] | undefined;
  readonly refused: readonly RefusedRecord[];
}

const NO_EVENTS: Life = { State: undefined, events: [], openHolds: [], openBreaches: [], refused: [] };

/** A query that is refused as a whole counts as a payment without events: the row's own query says why. */
export async function lifeOf(
  TransactionID: string,
  asking: { readonly Actor: string; readonly Reason: string },
): Promise<Life> {
  const found = await allPages<Answered>("queryPaymentLedger", { Query: "life", TransactionID, ...asking });
  if ("refused" in found) return NO_EVENTS;
  const { pages } = found;
  return {
    ...(pages.at(-1)?.life ?? NO_EVENTS),
    events: pages.flatMap(({ life }) => life?.events ?? []),
    refused: pages.flatMap(({ refused }) => refused),
  };
}

/** The totals of the state, in the order in which money moves. */
const TOTALS = ["Authorised", "Captured", "RefundHeld", "Refunded", "Disputed", "Fees"] as const;

/** A table: each event with the totals after it, then what is still open. */
export function lifeText({
  events,
  openHolds,
  openBreaches,
}: Pick<Life, "events" | "openHolds" | "openBreaches">): string {
  const isHeld = new Set(openHolds.map(({ EventID }) => EventID));
  const broken = new Map(openBreaches.map(({ EventID, Breach = [] }) => [EventID, Breach]));
  const row = ({ Place, EventID, Kind, Mode, Amount, Currency, Of, State }: EventView): string[] => [
    String(Place),
    `${Kind} (${Mode})`,
    `${Amount} ${Currency}`,
    EventID,
    Of ?? "",
    ...TOTALS.map((total) => State[total]),
    [
      ...(State.Closed ? ["closed"] : []),
      ...(isHeld.has(EventID) ? ["open hold"] : []),
      ...(broken.get(EventID) ?? []).map((code) => `open breach ${code}`),
    ].join(", "),
  ];
  const heads = [
    "place",
    "event",
    "amount",
    "id",
    "of",
    "authorised",
    "captured",
    "held",
    "refunded",
    "disputed",
    "fees",
  ];
  return tableText([...heads, ""], events.map(row));
}
