/**
 * Dated facts of ISO 4217, as its maintenance agency published them: what came after the List One of 2024-06-25, which the
 * package `currency-codes` 2.2.0 holds, and List Three as far as the ledger takes its codes. Add a new amendment
 * here first; the test then fails until the table of `ledger/rules/currencies.ts` follows.
 */

export const LIST_ONE_PUBLISHED = "2024-06-25";

export interface Amendment {
  readonly number: number;
  readonly effectiveFrom: string;
  /** Codes that came to List One, with their minor units. */
  readonly added: Readonly<Record<string, number>>;
  /** Codes that went to List Three. */
  readonly ended: readonly string[];
}

/** Amendment 177 (ZWG for ZWL) is in that List One already. */
export const AMENDMENTS: readonly Amendment[] = [
  // The Caribbean guilder replaces the Netherlands Antillean guilder, which stayed legal tender until 30 June 2025.
  { number: 176, effectiveFrom: "2025-03-31", added: { XCG: 2 }, ended: ["ANG"] },
  // The peso convertible, withdrawn from 1 January to 30 June 2021. Published in February 2025, in force at once.
  { number: 178, effectiveFrom: "2025-02-14", added: {}, ended: ["CUC"] },
  // Arab Accounting Dinar of the Arab Monetary Fund.
  { number: 179, effectiveFrom: "2025-05-12", added: { XAD: 2 }, ended: [] },
  // Bulgaria takes the euro; lev and euro side by side from 1 to 31 January 2026.
  { number: 180, effectiveFrom: "2026-01-01", added: {}, ended: ["BGN"] },
];

/** Of each code: minor units, the last day of payments, and where both are from. */
export const LIST_THREE: readonly (readonly [code: string, minorUnits: number, lastDay: string, source: string])[] = [
  ["LVL", 2, "2014-01-14", "List One of 2013-10-01 (currency-codes 1.1.0); two weeks beside the euro"],
  ["LTL", 2, "2015-01-15", "List One of 2013-10-01 (currency-codes 1.1.0); 15 days beside the euro"],
  ["BYR", 0, "2016-12-31", "List One of 2013-10-01 (currency-codes 1.1.0); half a year beside BYN"],
  ["VEF", 2, "2018-08-20", "List One of 2018-05-01 (currency-codes 1.5.0); VES from that day"],
  ["CUC", 2, "2021-06-30", "amendment 178"],
  ["HRK", 2, "2023-01-14", "List One of 2018-08-29 (currency-codes 2.1.0); two weeks beside the euro"],
  ["SLL", 2, "2023-12-31", "amendment 175"],
  ["ZWL", 2, "2024-08-31", "amendment 177"],
  ["ANG", 2, "2025-06-30", "amendment 176"],
  ["BGN", 2, "2026-01-31", "amendment 180"],
];
