/** Direct `payment_data`: what a service gets back when it calls the processor itself. */

import type { CurrencySums } from "../samples/values";
import type { LedgerCalls } from "./calls";

const ONE = {
  transactionId: "direct-0001",
  amount: "45.10",
  currency: "EUR",
  cardLast4: "4242",
  metadata: { order: 4711, lines: ["shoes", "socks"] },
};
const TWO = { transactionId: "direct-0002", amount: "1800", currency: "JPY", cardLast4: "0005" };
const REFUSED = { transactionId: "direct-0003", amount: "18.5", currency: "JPY", cardLast4: "0005" };

/** Of the two that are stored. */
export const DIRECT_SUMS: CurrencySums = { EUR: { payments: 1, total: "45.10" }, JPY: { payments: 1, total: "1800" } };
export const DIRECT_REFUSALS = 2;
export const DIRECT_CONFLICTS = 1;
/** As query_transactions must return it. */
export const DIRECT_READ = { ...ONE, metadata: '{"lines":["shoes","socks"],"order":4711}' };

interface Step {
  readonly what: string;
  readonly event: unknown;
  readonly statusCode: number;
  /** Counts of the body, where it has some: stored, duplicate, conflict, refused. */
  readonly counts?: readonly [number, number, number, number];
}

const STEPS: readonly Step[] = [
  { what: "one payment", event: { payment_data: ONE }, statusCode: 200, counts: [1, 0, 0, 0] },
  { what: "the same again", event: { payment_data: ONE }, statusCode: 200, counts: [0, 1, 0, 0] },
  { what: "a list with a bad one", event: { payment_data: [TWO, REFUSED] }, statusCode: 400, counts: [1, 0, 0, 1] },
  {
    what: "another amount",
    event: { payment_data: { ...ONE, amount: "45.11" } },
    statusCode: 409,
    counts: [0, 0, 1, 0],
  },
  { what: "an event that is not handled", event: { payments: [TWO] }, statusCode: 400 },
];

export interface DirectCalls {
  readonly calls: number;
  readonly faults: readonly string[];
  /** How often each status was answered. */
  readonly statuses: ReadonlyMap<number, number>;
}

export async function callDirectly(calls: LedgerCalls): Promise<DirectCalls> {
  const faults: string[] = [];
  const statuses = new Map<number, number>();
  for (const step of STEPS) {
    const { statusCode, body } = await calls.processDirect(step.event);
    statuses.set(statusCode, (statuses.get(statusCode) ?? 0) + 1);
    const { counts } = JSON.parse(body) as { counts?: Record<string, number> };
    const counted = ["stored", "duplicate", "conflict", "refused"].map((outcome) => counts?.[outcome]);
    const wanted = step.counts ?? [undefined, undefined, undefined, undefined];
    if (statusCode === step.statusCode && counted.join() === wanted.join()) continue;
    faults.push(`${step.what} was answered ${statusCode} with counts ${counted.join(" ")}`);
  }
  return { calls: STEPS.length, faults, statuses };
}
