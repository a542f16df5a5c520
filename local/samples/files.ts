/**
 * Payment files as partners drop them: each in another format, some with rows that must be refused, one with a card number,
 * and a second day on which payments come again, the same and changed. Imports nothing of the ledger.
 */

import { gzipSync } from "fflate";
import {
  type CurrencySums,
  DECIMALS,
  decimalText,
  grouped,
  HEX,
  SampleRandom,
  sampleCardNumber,
  sumsOf,
} from "./values";

export interface SampleFiles {
  readonly files: readonly { readonly name: string; readonly bytes: Uint8Array }[];
  readonly expected: ExpectedFiles;
}

/** Form of `files.expected.json`. */
export interface ExpectedFiles {
  readonly files: readonly ExpectedFile[];
  /** Of the payments stored by all files. */
  readonly sums: CurrencySums;
  readonly distinctConflicts: number;
  /** Written into some file: none may be left anywhere. Separated by spaces. */
  readonly cardNumbers: string;
}

export interface ExpectedFile {
  readonly name: string;
  /** Where partners put it in the bucket. */
  readonly key: string;
  /** 2: dropped when the files of day 1 are through. */
  readonly day: 1 | 2;
  readonly rows: number;
  readonly counts: Readonly<Record<"stored" | "duplicate" | "conflict" | "refused", number>>;
  readonly cardDataRows: number;
  /** Number and code of every row that is not recorded: "17 UNKNOWN_CURRENCY, 30 CONFLICT". */
  readonly badRows: string;
}

type Outcome = "stored" | "duplicate" | "CONFLICT" | Uppercase<string>;

interface Payment {
  readonly transactionId: string;
  readonly minorUnits: bigint;
  readonly currency: string;
  readonly cardLast4: string;
  readonly metadata: Readonly<Record<string, string>>;
}

/** One row as text, and how it must end. */
interface SampleRow {
  readonly text: string;
  readonly outcome: Outcome;
  readonly payment?: Payment;
}

interface SampleFile {
  readonly name: string;
  readonly key: string;
  readonly day: 1 | 2;
  readonly rows: readonly SampleRow[];
  readonly bytes: Uint8Array;
  /** The row's number as reports count: its line, or its place in an array. */
  readonly numberOf: (index: number) => number;
}

const SEED = 20250902;
const CURRENCIES = Object.keys(DECIMALS);
const CARD = sampleCardNumber(5);

export function makeSampleFiles(): SampleFiles {
  const random = new SampleRandom(SEED);
  const alpha = payments(random, "alpha", 46);
  const beta = payments(random, "beta", 55);
  const files = [
    alphaArray(alpha),
    betaLines(beta),
    gammaTable(payments(random, "gamma", 48)),
    deltaCompressed(payments(random, "delta", 90)),
    epsilonWithCard(payments(random, "epsilon", 12)),
    zetaSingle(payments(random, "zeta", 1)),
    alphaAgain(alpha, payments(random, "alpha-late", 4)),
    betaChanged(beta, payments(random, "beta-late", 2)),
  ];
  const stored = files.flatMap(({ rows }) =>
    rows.flatMap((row) => (row.outcome === "stored" ? (row.payment ?? []) : [])),
  );
  const conflicts = files.flatMap(({ rows }) => rows.filter(({ outcome }) => outcome === "CONFLICT"));
  return {
    files: files.map(({ name, bytes }) => ({ name, bytes })),
    expected: {
      files: files.map(expectedOf),
      sums: sumsOf(stored),
      distinctConflicts: conflicts.length,
      cardNumbers: CARD,
    },
  };
}

function payments(random: SampleRandom, partner: string, count: number): Payment[] {
  return Array.from({ length: count }, (_, index) => ({
    transactionId: `${partner}-20250901-${String(index + 1).padStart(4, "0")}`,
    minorUnits: BigInt(50 + random.below(10 ** (3 + random.below(4)))),
    currency: random.pick(CURRENCIES),
    cardLast4: String(random.below(10_000)).padStart(4, "0"),
    metadata: { order: `o-${random.text(HEX, 8)}`, channel: random.pick(["web", "app", "store"]) },
  }));
}

/** A JSON array, amounts as bare numbers, whose digits count. One payment twice, one with another amount. */
function alphaArray(list: readonly Payment[]): SampleFile {
  const rows = list.map((payment) => stored(payment));
  const [first, second] = list;
  if (first === undefined || second === undefined) throw new Error("The list is too short.");
  rows.splice(30, 0, { text: jsonRow(first), outcome: "DUPLICATE" });
  rows.splice(40, 0, { text: jsonRow(dearer(second)), outcome: "CONFLICT" });
  const pretty = JSON.stringify(
    rows.map((row) => JSON.parse(row.text) as unknown),
    null,
    2,
  );
  const text = `${pretty.replace(/"amount": "([0-9.]+)"/g, (_, text: string) => `"amount": ${bare(text)}`)}\n`;
  return file({ name: "alpha-2025-09-01.json", key: "payments/alpha/2025-09-01.json", day: 1, rows }, text);
}

/** Trailing zeros are left out, as JSON writers do; it is the same money. */
function bare(amount: string): string {
  return amount.includes(".") ? amount.replace(/\.?0+$/, "") : amount;
}

/** NDJSON with a byte order mark, a name that must be decoded, and one of each kind of bad row between good ones. */
function betaLines(list: readonly Payment[]): SampleFile {
  const rows = list.map((payment) => stored(payment));
  const bad = (outcome: Outcome, changes: Readonly<Record<string, unknown>>): SampleRow => {
    const good = { transactionId: "beta-bad", amount: "12.50", currency: "EUR", cardLast4: "4242", ...changes };
    return { text: JSON.stringify(good), outcome };
  };
  const badRows: SampleRow[] = [
    { text: '{"transactionId": "beta-cut', outcome: "NOT_JSON" },
    { text: '["beta-list"]', outcome: "NOT_AN_OBJECT" },
    bad("MISSING_FIELD", { currency: undefined }),
    bad("UNKNOWN_FIELD", { customerEmail: "someone@example.com" }),
    bad("INVALID_AMOUNT", { amount: "-12.50" }),
    bad("AMOUNT_DECIMALS", { currency: "JPY" }),
    bad("UNKNOWN_CURRENCY", { currency: "euro" }),
    bad("INVALID_CARD_LAST4", { cardLast4: "42" }),
    bad("INVALID_TRANSACTION_ID", { transactionId: "two words" }),
    bad("INVALID_METADATA", { metadata: "a text" }),
  ];
  for (const [index, row] of badRows.entries()) rows.splice(5 + index * 6, 0, row);
  const text = `\uFEFF${lines(rows)}`;
  return file(
    { name: "beta-2025-09-01.ndjson", key: "payments/beta/Zahlungen für 2025-09-01 + Rest.ndjson", day: 1, rows },
    text,
  );
}

/** CSV with metadata columns and quoted cells; one row lacks a cell, one lacks its amount. */
function gammaTable(list: readonly Payment[]): SampleFile {
  const header = "transactionId,amount,currency,cardLast4,metadata.order,metadata.channel";
  const rows: SampleRow[] = list.map((payment) => ({ text: csvRow(payment), outcome: "stored", payment }));
  rows.splice(10, 0, { text: "gamma-short,12.50,EUR,4242", outcome: "NOT_CSV" });
  rows.splice(20, 0, { text: "gamma-empty,,EUR,4242,o-1,web", outcome: "MISSING_FIELD" });
  const text = `${header}\n${lines(rows)}`;
  // The header is line 1.
  return file(
    {
      name: "gamma-2025-09-01.csv",
      key: "payments/gamma/2025-09-01.csv",
      day: 1,
      rows,
      numberOf: (index) => index + 2,
    },
    text,
  );
}

/** Compressed NDJSON of several batches. */
function deltaCompressed(list: readonly Payment[]): SampleFile {
  const rows = list.map((payment) => stored(payment));
  const plain = file(
    { name: "delta-2025-09-01.ndjson.gz", key: "payments/delta/2025-09-01.ndjson.gz", day: 1, rows },
    lines(rows),
  );
  return { ...plain, bytes: gzipSync(plain.bytes, { mtime: new Date("1980-01-01T12:00:00Z"), level: 6 }) };
}

/** One row with a card number: it is refused, the others are stored, and then the file is removed. */
function epsilonWithCard(list: readonly Payment[]): SampleFile {
  const rows = list.map((payment) => stored(payment));
  const fields = { transactionId: "epsilon-card", amount: "12.50", currency: "EUR", cardLast4: "3222" };
  const metadata = { note: `called in, card ${grouped(CARD, " ")}` };
  rows.splice(6, 0, { text: JSON.stringify({ ...fields, metadata }), outcome: "CARD_DATA" });
  return file(
    { name: "epsilon-2025-09-01.ndjson", key: "payments/epsilon/2025-09-01.ndjson", day: 1, rows },
    lines(rows),
  );
}

/** One payment, written over several lines. */
function zetaSingle([payment]: readonly Payment[]): SampleFile {
  if (payment === undefined) throw new Error("The list is too short.");
  const text = `${JSON.stringify(fieldsOf(payment), null, 2)}\n`;
  const rows: SampleRow[] = [{ text, outcome: "stored", payment }];
  return file({ name: "zeta-payment.json", key: "payments/zeta/payment.json", day: 1, rows }, text);
}

/** The next day the partner sends some payments of the array once more, now as lines, and a few new ones. */
function alphaAgain(earlier: readonly Payment[], late: readonly Payment[]): SampleFile {
  const rows: SampleRow[] = earlier.slice(10, 30).map((payment) => ({ text: jsonRow(payment), outcome: "duplicate" }));
  rows.push(...late.map((payment) => stored(payment)));
  return file({ name: "alpha-2025-09-02.ndjson", key: "payments/alpha/2025-09-02.ndjson", day: 2, rows }, lines(rows));
}

/** "Corrections" under known ids: other content is a conflict, whatever it is meant to be. */
function betaChanged(earlier: readonly Payment[], late: readonly Payment[]): SampleFile {
  const rows: SampleRow[] = earlier
    .slice(0, 4)
    .map((payment) => ({ text: jsonRow(dearer(payment)), outcome: "CONFLICT" }));
  rows.push(...earlier.slice(4, 6).map((payment): SampleRow => ({ text: jsonRow(payment), outcome: "duplicate" })));
  rows.push(...late.map((payment) => stored(payment)));
  return file(
    { name: "beta-2025-09-02.ndjson", key: "payments/beta/corrections 2025-09-02.ndjson", day: 2, rows },
    lines(rows),
  );
}

function dearer(payment: Payment): Payment {
  return { ...payment, minorUnits: payment.minorUnits + 1n };
}

function stored(payment: Payment): SampleRow {
  return { text: jsonRow(payment), outcome: "stored", payment };
}

function jsonRow(payment: Payment): string {
  return JSON.stringify(fieldsOf(payment));
}

function fieldsOf({ transactionId, minorUnits, currency, cardLast4, metadata }: Payment) {
  const amount = decimalText(minorUnits, DECIMALS[currency] ?? 0);
  return { transactionId, amount, currency, cardLast4, metadata };
}

function csvRow(payment: Payment): string {
  const { transactionId, amount, currency, cardLast4, metadata } = fieldsOf(payment);
  return [transactionId, amount, currency, cardLast4, metadata["order"], metadata["channel"]]
    .map((cell, index) => (index === 4 ? `"${cell}"` : cell))
    .join(",");
}

function lines(rows: readonly SampleRow[]): string {
  return rows.map(({ text }) => `${text}\n`).join("");
}

type FileParts = Omit<SampleFile, "bytes" | "numberOf"> & Partial<Pick<SampleFile, "numberOf">>;

function file(parts: FileParts, text: string): SampleFile {
  return { numberOf: (index) => index + 1, ...parts, bytes: Buffer.from(text, "utf8") };
}

function expectedOf({ name, key, day, rows, numberOf }: SampleFile): ExpectedFile {
  const count = (...outcomes: readonly Outcome[]) => rows.filter(({ outcome }) => outcomes.includes(outcome)).length;
  const known = ["stored", "duplicate", "DUPLICATE", "CONFLICT"] as const;
  const badRows = rows.flatMap(({ outcome }, index) =>
    outcome === "stored" || outcome === "duplicate" ? [] : [`${numberOf(index)} ${outcome}`],
  );
  return {
    name,
    key,
    day,
    rows: rows.length,
    counts: {
      stored: count("stored"),
      duplicate: count("duplicate", "DUPLICATE"),
      conflict: count("CONFLICT"),
      refused: rows.length - count(...known),
    },
    cardDataRows: count("CARD_DATA"),
    badRows: badRows.join(", "),
  };
}
