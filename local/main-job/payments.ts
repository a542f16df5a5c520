/** The payments of the file that the ledger stored, as they were sent. */

import type { StoredItem } from "../../ledger/rules/stored-item";
import { textOf } from "../../ledger/rules/stored-item";
import type { CurrencySums } from "../samples/values";
import { JobError } from "./errors";
import type { ExpectedCounts, InputLine, LineOutcome } from "./input";

export interface SamplePayment {
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
  endings: ReadonlyMap<number, LineOutcome>,
  expected: ExpectedCounts,
): SamplePayment[] {
  const stored = lines.filter(
    ({ number }) => endings.get(number) === "stored" && expected.endingOf(number) === "stored",
  );
  // A payment that the ledger accepted has this form.
  return stored.map(({ entry }) => entry as SamplePayment);
}

/**
 * The payment whose whole life the report shows: a failure that later came again with other content, so that its trail
 * has a conflict too. Any failure, or any payment, serves where the file has none.
 */
export function pickSamplePayment(
  payments: readonly SamplePayment[],
  lines: readonly InputLine[],
  expected: ExpectedCounts,
): SamplePayment {
  const conflicting = new Set(
    lines
      .filter(({ number }) => expected.endingOf(number) === "conflict")
      .map(({ entry }) => (entry as Partial<SamplePayment> | undefined)?.TransactionID),
  );
  const timed = payments.filter(({ Timestamp }) => Timestamp !== undefined);
  const failures = timed.filter(({ Status }) => Status === "Failure");
  const samplePayment = failures.find(({ TransactionID }) => conflicting.has(TransactionID)) ?? failures[0] ?? timed[0];
  if (samplePayment !== undefined) return samplePayment;
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

type Sums = ReadonlyMap<string, { readonly payments: number; readonly total: bigint }>;

/** By currency. The ledger's table writes its names with capitals, the tables of files and messages do not. */
export function currencySums(rows: Iterable<StoredItem>): Sums {
  const sums = new Map<string, { payments: number; total: bigint }>();
  for (const row of rows) {
    const currency = textOf(row, "Currency") ?? textOf(row, "currency") ?? "";
    const { payments, total } = sums.get(currency) ?? { payments: 0, total: 0n };
    const amount = textOf(row, "Amount") ?? textOf(row, "amount") ?? "0";
    sums.set(currency, { payments: payments + 1, total: total + tenThousandths(amount) });
  }
  return sums;
}

/** @param expected one or more tables of sums, which add up. */
export function sumsDiffer(sums: Sums, ...expected: readonly CurrencySums[]): string[] {
  const currencies = [...new Set([...sums.keys(), ...expected.flatMap((each) => Object.keys(each))])];
  return currencies.flatMap((currency) => {
    const is = sums.get(currency) ?? { payments: 0, total: 0n };
    const parts = expected.map((each) => each[currency] ?? { payments: 0, total: "0" });
    const payments = parts.reduce((sum, part) => sum + part.payments, 0);
    const total = parts.reduce((sum, part) => sum + tenThousandths(part.total), 0n);
    return is.payments === payments && is.total === total
      ? []
      : [
          `${currency}: ${is.payments} payments and another sum than ${payments} of ${parts.map((part) => part.total).join(" + ")}`,
        ];
  });
}
