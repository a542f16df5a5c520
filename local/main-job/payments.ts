/** The payments of the file that the ledger stored, as they were sent. */

import type { StoredItem } from "../../ledger/stored-item";
import { textOf } from "../../ledger/stored-item";
import { JobError } from "./errors";
import type { Ending, Expected, InputLine } from "./input";

export interface SentPayment {
  readonly TransactionID: string;
  readonly SecureToken: string;
  readonly Amount: string;
  readonly ProcessorID: string;
  readonly Status: "Success" | "Failure";
  readonly Timestamp?: string;
}

/** Lines that were stored and had to be. */
export function storedPayments(
  lines: readonly InputLine[],
  endings: ReadonlyMap<number, Ending>,
  expected: Expected,
): SentPayment[] {
  const stored = lines.filter(
    ({ number }) => endings.get(number) === "stored" && expected.endingOf(number) === "stored",
  );
  // What passed the ledger's door has this form.
  return stored.map(({ entry }) => entry as SentPayment);
}

/**
 * The payment whose whole life the report shows: a failure that later came again with other content, so that its trail
 * has a conflict too. Any failure, or any payment, serves where the file has none.
 */
export function pickHero(
  payments: readonly SentPayment[],
  lines: readonly InputLine[],
  expected: Expected,
): SentPayment {
  const conflicting = new Set(
    lines
      .filter(({ number }) => expected.endingOf(number) === "conflict")
      .map(({ entry }) => (entry as Partial<SentPayment> | undefined)?.TransactionID),
  );
  const timed = payments.filter(({ Timestamp }) => Timestamp !== undefined);
  const failures = timed.filter(({ Status }) => Status === "Failure");
  const hero = failures.find(({ TransactionID }) => conflicting.has(TransactionID)) ?? failures[0] ?? timed[0];
  if (hero !== undefined) return hero;
  throw new JobError(
    "NOTHING_STORED",
    "no payment with a time was stored.",
    "The job follows one stored payment through a status change, reads and a reveal.",
    "feed a file with at least one good payment that has a Timestamp.",
  );
}

/** Money in ten-thousandths, exact, whatever decimals it is written with. Its own arithmetic, not the ledger's. */
export function tenThousandths(amount: string): bigint {
  const [whole = "0", decimals = ""] = amount.split(".");
  return BigInt(whole) * 10_000n + BigInt(decimals.padEnd(4, "0"));
}

export function currencySums(rows: Iterable<StoredItem>): Map<string, { payments: number; total: bigint }> {
  const sums = new Map<string, { payments: number; total: bigint }>();
  for (const row of rows) {
    const currency = textOf(row, "Currency") ?? "";
    const { payments, total } = sums.get(currency) ?? { payments: 0, total: 0n };
    sums.set(currency, {
      payments: payments + 1,
      total: total + tenThousandths(textOf(row, "Amount") ?? "0"),
    });
  }
  return sums;
}
