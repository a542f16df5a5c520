/**
 * Payment files with something wrong in them, each with what must become of it: the input of `npm run cases`. Like all
 * samples they are written without the ledger's code, so the two can be compared.
 */

import { gzipSync } from "fflate";
import type { CaseResult } from "../../local/file-cases";
import { CARD_NUMBERS } from "../../local/samples/values";

export interface SampleCase {
  readonly name: string;
  readonly bytes: Uint8Array;
  readonly expected: ExpectedCase;
}

/** Form of `NAME.expected.json`. */
export type ExpectedCase = Omit<CaseResult, "file">;

const HEADER = "transactionId,amount,currency,cardLast4";
const [CARD] = CARD_NUMBERS;
const row = (id: number, amount = "10.50") => `pay-${id},${amount},EUR,4242`;
/** The same as a line of NDJSON, with metadata. */
const payment = (id: number | string, metadata: Readonly<Record<string, string | number>>, amount = "10.50") =>
  JSON.stringify({
    transactionId: typeof id === "number" ? `pay-${id}` : id,
    amount,
    currency: "EUR",
    cardLast4: "4242",
    metadata,
  });
/** Two rows of 30.00 EUR together. */
const TWO_ROWS = `${HEADER}\n${row(1)}\n${row(2, "19.50")}\n`;
const TWO_STORED = { stored: 2, sum: { EUR: "30.00" } };
const ONE_STORED = { stored: 1, sum: { EUR: "10.50" } };

const gzip = (text: string, level: 0 | 9 = 9) => gzipSync(Buffer.from(text), { level, mtime: 0 });
const joined = (...parts: (string | Uint8Array)[]) => Buffer.concat(parts.map((part) => Buffer.from(part)));

export function makeSampleCases(): SampleCase[] {
  return [
    ...csvCases(),
    ...otherCases(),
    ...gzipCases(),
    ...cardDataCases(),
    ...lookalikeCases(),
    ...idCases(),
    ...currencyCases(),
    ...repeatCases(),
    ...factCases(),
  ];
}

function csvCases(): SampleCase[] {
  const lines = [HEADER, row(1), row(2)];
  const ends = {
    "cr-only": "\r",
    "cr-cr-lf": "\r\r\n",
    nel: "\u0085",
    "line-separator": "\u2028",
    paragraph: "\u2029",
  };
  return [
    ...Object.entries(ends).map(([name, end]) =>
      refused(`csv-line-ends-${name}.csv`, lines.map((line) => line + end).join(""), {
        NOT_CSV: end.endsWith("\n") ? 3 : 1,
      }),
    ),
    refused("csv-line-ends-in-metadata.csv", `${HEADER},metadata.note\rpay-1,10.50,EUR,4242,first\r`, { NOT_CSV: 1 }),
    of("csv-line-ends-in-quotes.csv", `${HEADER},metadata.note\r\n${row(1)},"a\rb\u2028c\r\nd"\r\n`, ONE_STORED),
    refused("csv-unknown-column.csv", `${HEADER},note\n${row(1)},first\n`, { NOT_CSV: 2 }),
    refused("csv-header-alone.csv", `${HEADER}\n`, { NO_ROWS: 1 }),
    of(
      "csv-amounts-of-spreadsheets.csv",
      `${TWO_ROWS}pay-3,"1,234.56",EUR,4242\npay-4,"12,50",EUR,4242\npay-5,1.5E+3,EUR,4242\n`,
      {
        ...TWO_STORED,
        codes: { INVALID_AMOUNT: 3 },
      },
    ),
  ];
}

function otherCases(): SampleCase[] {
  const good = JSON.stringify({ transactionId: "pay-1", amount: 10.5, currency: "EUR", cardLast4: "4242" });
  return [
    of("empty.csv", "", {}),
    refused("json-empty-array.json", "[]\n", { NO_ROWS: 1 }),
    of("json-array-not-ended.json", `[${good},{"transactionId":`, { ...ONE_STORED, codes: { NOT_JSON: 1 } }),
    of("json-two-arrays.json", `[${good}]\n[${good}]\n`, { ...ONE_STORED, codes: { NOT_JSON: 1 } }),
    of("ndjson-member-twice.ndjson", `${good}\n${good.replace("}", ',"amount":99}')}\n`, {
      ...ONE_STORED,
      codes: { NOT_JSON: 1 },
    }),
    of("ndjson-latin-1.ndjson", joined(`${good}\n{"transactionId":"pay-2","actor":"caf`, Buffer.of(0xe9), '"}\n'), {
      ...ONE_STORED,
      codes: { NOT_UTF8: 1 },
    }),
  ];
}

function gzipCases(): SampleCase[] {
  const [first, second] = [gzip(`${HEADER}\n${row(1)}\n`), gzip(`${row(2, "19.50")}\n`)];
  const damaged = { DAMAGED_GZIP: 1 };
  // Stored without compression, so that the flipped bit changes an amount and nothing else: 10.50 becomes 50.50.
  const flipped = Buffer.from(gzip(TWO_ROWS, 0));
  const amount = flipped.indexOf("10.50");
  flipped[amount] = (flipped[amount] ?? 0) ^ 4;
  return [
    of("gzip-two-members.csv.gz", joined(first, second), TWO_STORED),
    of("gzip-zeros-at-the-end.csv.gz", joined(first, second, Buffer.alloc(512)), TWO_STORED),
    refused("gzip-one-bit-flipped.csv.gz", flipped, damaged),
    refused("gzip-cut.csv.gz", gzip(TWO_ROWS).subarray(0, -2), damaged),
    refused("gzip-zeros-between-members.csv.gz", joined(first, Buffer.alloc(512), second), damaged),
    refused("gzip-text-behind.csv.gz", joined(first, row(2)), damaged),
    refused("gzip-text-behind-a-zero.csv.gz", joined(first, "\0", row(2)), damaged),
    refused("gzip-inflates-too-far.csv.gz", gzip(TWO_ROWS + " \n".repeat(700_000)), { GZIP_RATIO_TOO_HIGH: 1 }),
  ];
}

function cardDataCases(): SampleCase[] {
  const found = { codes: { CARD_DATA: 1 }, cardDataRows: 1, removed: true };
  const array = `[{"transactionId":"pay-1","amount":"10.50","currency":"EUR","cardLast4":"4242"}]`;
  return [
    of("card-in-a-row.csv", `${HEADER}\n${row(1)}\npay-2,1.00,EUR,${CARD}\n`, { ...ONE_STORED, ...found }),
    of("card-in-a-header.csv", `${HEADER},metadata.${CARD}\n`, found),
    of("card-in-a-header-of-other-line-ends.csv", `${HEADER}\rpay-1,1.00,EUR,${CARD}\r`, found),
    of("card-behind-an-array.json", `${array}\n{"note":"${CARD}"}`, { ...ONE_STORED, ...found }),
    of("card-behind-a-limit.csv.gz", gzip(`${HEADER}\n${row(1)}\npay-2,${"1".repeat(270_000)} ${CARD},EUR,4242\n`), {
      ...ONE_STORED,
      ...found,
    }),
    of("card-in-damaged-gzip.csv.gz", gzip(`${HEADER}\n${row(1)}\npay-2,1.00,EUR,${CARD}\n`).subarray(0, -1), found),
    {
      name: "card-in-a-name.txt",
      bytes: Buffer.from(`payments/2026/order-${CARD}.json\n`),
      expected: { ...NOTHING, refused: 1, codes: { CARD_DATA: 1 } },
    },
    of("card-in-an-ean-field.ndjson", `${payment(1, {})}\n${payment(2, { ean: CARD })}\n`, { ...ONE_STORED, ...found }),
  ];
}

/** Digits that would be a card number elsewhere: a known prefix, its length and a right check digit. */
const LOOKALIKES = {
  uuid: "5c0ffeed-4083-4716-8932-0583abcdefab",
  /** With a right check digit of GS1, too. In two parts, so that this file may be searched for card numbers. */
  ean13: ["4012345", "000047"].join(""),
  rate: `1.${CARD}`,
};

function lookalikeCases(): SampleCase[] {
  const names = [
    "payments/a b+c%20d.json",
    "payments/übung/Zahlung (1).json",
    "payments/2026/11/21/0001-20261121T103200Z.json",
    `payments/${LOOKALIKES.uuid}.csv`,
  ];
  return [
    {
      name: "names.txt",
      bytes: Buffer.from(names.map((name) => `${name}\n`).join("")),
      expected: { ...NOTHING, rows: names.length, stored: names.length, sum: { EUR: "4.00" } },
    },
    of("ean-13-in-its-field.ndjson", `${payment(1, { ean: LOOKALIKES.ean13 })}\n`, ONE_STORED),
    of("exchange-rate.csv", `${HEADER},metadata.rate\n${row(1)},${LOOKALIKES.rate}\n`, ONE_STORED),
    of(
      "exchange-rate.ndjson",
      // The first rate is a number in the file, the second a text.
      `${payment(1, { rate: 0 }).replace('"rate":0', `"rate":${LOOKALIKES.rate}`)}\n${payment(2, { rate: LOOKALIKES.rate }, "19.50")}\n`,
      TWO_STORED,
    ),
  ];
}

function idCases(): SampleCase[] {
  const lines = (ids: readonly string[]) => ids.map((id) => `${id},10.50,EUR,4242\n`).join("");
  const placeholders = ["null", "undefined", "NaN", "N/A", "NOTPROVIDED", "None"];
  return [
    // Two payments whose long ids a spreadsheet made one. The last id is hexadecimal and passes.
    of("ids-in-scientific-notation.csv", `${HEADER}\n${lines(["1.23457E+15", "1.23457E+15", "3e8"])}`, {
      ...ONE_STORED,
      codes: { INVALID_TRANSACTION_ID: 2 },
    }),
    refused(
      "ids-for-a-missing-one.ndjson",
      [...placeholders, ...placeholders].map((id) => `${payment(id, {})}\n`).join(""),
      { INVALID_TRANSACTION_ID: 2 * placeholders.length },
    ),
  ];
}

/** A payment of a file happens now: what has ended does not count. */
function currencyCases(): SampleCase[] {
  const codes = ["BGN", "HRK", "XAD", "XCG"];
  return [
    of(
      "currencies-ended-and-new.csv",
      `${HEADER}\n${codes.map((code) => `pay-${code},10.50,${code},4242\n`).join("")}`,
      {
        stored: 2,
        codes: { UNKNOWN_CURRENCY: 2 },
        sum: { XAD: "10.50", XCG: "10.50" },
      },
    ),
  ];
}

function repeatCases(): SampleCase[] {
  return [
    of("same-id-twice.csv", `${TWO_ROWS}${row(1)}\n`, { ...TWO_STORED, duplicate: 1, codes: { DUPLICATE: 1 } }),
    of("same-id-other-amount.csv", `${TWO_ROWS}${row(1, "99.99")}\n`, {
      ...TWO_STORED,
      conflict: 1,
      codes: { CONFLICT: 1 },
    }),
  ];
}

/** Facts about payments, which are recorded in their own table: the sum is that of the payments. */
function factCases(): SampleCase[] {
  const columns = "EventID,TransactionID,Kind,Mode,Amount,Currency,Of,Actor";
  const fact = (id: string, more: Readonly<Record<string, string>>) =>
    JSON.stringify({
      TransactionID: "pay-1",
      EventID: id,
      Kind: "FEE",
      Mode: "fact",
      Amount: "0.10",
      Currency: "EUR",
      Actor: "feed",
      ...more,
    });
  const hold = fact("hold-1", { Kind: "REFUND_HELD", Mode: "grant" });
  const rows = [payment(1, {}), fact("fee-1", {}), hold, fact("fee-1", {}), fact("fee-1", { Amount: "0.20" })];
  return [
    of("facts-beside-payments.ndjson", rows.join("\n"), {
      stored: 2,
      duplicate: 1,
      conflict: 1,
      refused: 1,
      codes: { CONFLICT: 1, DUPLICATE: 1, GRANT_NEEDS_ANSWER: 1 },
      sum: { EUR: "10.50" },
    }),
    of(
      "facts-in-csv.csv",
      `${columns}\ndp-1,pay-1,DISPUTED,fact,5.00,EUR,,feed\nwon-1,pay-1,DISPUTE_WON,fact,5.00,EUR,dp-1,feed\n`,
      { stored: 2 },
    ),
    refused("facts-and-payments-in-csv.csv", `${columns},transactionId\ne-1,pay-1,FEE,fact,1.00,EUR,,feed,pay-1\n`, {
      NOT_CSV: 2,
    }),
  ];
}

const NOTHING: ExpectedCase = {
  rows: 0,
  stored: 0,
  duplicate: 0,
  conflict: 0,
  refused: 0,
  codes: {},
  cardDataRows: 0,
  removed: false,
  sum: {},
};

/** All codes that are neither of a conflict nor of a repeat are refusals. */
function of(name: string, content: string | Uint8Array, what: Partial<ExpectedCase>): SampleCase {
  const { stored = 0, duplicate = 0, conflict = 0, codes = {} } = what;
  const listed = Object.values(codes).reduce((sum, count) => sum + count, 0);
  const counts = { refused: listed - duplicate - conflict, rows: stored + listed };
  return { name, bytes: Buffer.from(content), expected: { ...NOTHING, ...counts, ...what } };
}

function refused(name: string, content: string | Uint8Array, codes: Readonly<Record<string, number>>): SampleCase {
  return of(name, content, { codes });
}
