/**
 * Writes `samples/`, the input of `npm start`: payments for the ledger (here), payment files (sample-files.ts) and payment
 * messages (sample-messages.ts), each with what must come of it; and of `npm run cases` (sample-cases.ts).
 *
 * It knows what it put into each line and imports nothing of the ledger, so the two can be held against each other.
 * Seeded: the same bytes on every machine.
 */

import { mkdirSync, writeFileSync } from "node:fs";
import path from "node:path";
import { makeSampleFiles } from "../../local/samples/files";
import { makeSampleMessages } from "../../local/samples/messages";
import {
  BASE32,
  BASE62,
  CARD_NUMBERS,
  type CurrencySums,
  DECIMALS,
  decimalText,
  expectedText,
  grouped,
  HEX,
  SampleRandom,
  sampleCardNumber,
  sumsOf,
} from "../../local/samples/values";
import { makeSampleCases } from "./cases";

export interface Sample {
  readonly ndjson: string;
  readonly expected: ExpectedOutcomes;
}

/** Form of `payments.expected.json`. */
export interface ExpectedOutcomes {
  readonly lines: number;
  readonly outcomes: Readonly<Record<Outcome, number>>;
  /** Refused lines by refusal code. */
  readonly refusals: Readonly<Record<string, number>>;
  /** Conflicting contents, each counted once however often it was sent. */
  readonly distinctConflicts: number;
  /** Of the stored payments, by currency: how many, and their exact sum. */
  readonly sums: CurrencySums;
  readonly storedFailures: number;
  /** Card numbers somewhere in the file: none may occur in any table or log line. Separated by spaces. */
  readonly cardNumbers: string;
  /** Line numbers (from 1, separated by spaces) by outcome, or by code for refused lines. All other lines are stored. */
  readonly lineNumbers: Readonly<Record<string, string>>;
}

type Outcome = "stored" | "duplicate" | "conflict" | "refused" | "broken";
/** How a line must end: an outcome, or the refusal code of a refused line. */
type ExpectedEnd = Exclude<Outcome, "refused"> | Uppercase<string>;
type Fields = Record<string, unknown>;

interface Line {
  readonly text: string;
  readonly ending: ExpectedEnd;
}

interface ValidPayment {
  readonly fields: Fields;
  readonly currency: string;
  readonly minorUnits: bigint;
}

const SEED = 20250901;
const VALID_PAYMENTS = 1_080;
const FIRST_MOMENT = Date.UTC(2025, 8, 1, 5, 0, 0);
const PERIOD_MS = 7 * 24 * 60 * 60 * 1000;
/** Repeats come at most this many payments later, as retries and re-sent files do. */
const REPEAT_DISTANCE_MAX = 400;

interface Processor {
  readonly name: string;
  readonly currencies: readonly string[];
  readonly transactionId: (random: SampleRandom, at: Date, count: number) => string;
  readonly token: (random: SampleRandom) => string;
  readonly time: (at: Date) => string;
  /** Of processors whose feed names its sender in each line. */
  readonly actor?: string;
}

/** Five neutral processors, each with its own way of writing ids, tokens and times. */
const PROCESSORS: readonly Processor[] = [
  {
    name: "processor-alpha",
    currencies: ["EUR", "EUR", "USD", "GBP"],
    transactionId: (_random, at, count) => `alpha-${compactDay(at)}-${String(count).padStart(6, "0")}`,
    token: (random) => `tok_${random.text(BASE62, 28)}`,
    time: (at) => at.toISOString(),
  },
  {
    name: "processor-beta",
    currencies: ["USD", "USD", "EUR", "JPY"],
    transactionId: (random) => uuid(random),
    token: (random) => `btk-${random.text(HEX, 32)}`,
    time: (at) => `${at.toISOString().slice(0, 19)}Z`,
  },
  {
    name: "processor-gamma",
    currencies: ["JPY", "KRW", "KRW", "USD"],
    transactionId: (random) => `GMA.${random.text(BASE32, 12)}`,
    token: (random) => `gamma/vault/${random.text(BASE62, 24)}`,
    time: (at) => withOffset(at, 9),
    actor: "gamma-settlement-import",
  },
  {
    name: "processor-delta",
    currencies: ["BHD", "KWD", "USD"],
    transactionId: (random) => `dlt_${random.text(BASE32, 26)}`,
    token: (random) => `dtok.${random.text(BASE62, 12)}.${random.text(BASE62, 22)}`,
    time: (at) => withOffset(at, 3),
  },
  {
    name: "processor-epsilon",
    currencies: ["GBP", "GBP", "EUR"],
    transactionId: (_random, at, count) => `orders/${at.getUTCFullYear()}/${String(count + 40_000)}`,
    token: (random) => `${random.text(BASE62, 22)}==`,
    time: (at) => `${at.toISOString().slice(0, 23)}417Z`,
  },
];

/** @param validPayments how many distinct good payments; every kind of bad line comes once or more in any case. */
export function makeSample(validPayments = VALID_PAYMENTS): Sample {
  const random = new SampleRandom(SEED);
  const valid = Array.from({ length: validPayments }, (_, count) => makePayment(random, count, validPayments));
  const placed = [
    ...valid.map((payment, at) => ({ at, line: line(payment.fields, "stored") })),
    ...repeats(random, valid),
    ...badLines(random, valid).map((bad) => ({ at: random.below(validPayments) + 0.5, line: bad })),
  ];
  const lines = placed.sort((a, b) => a.at - b.at).map((entry) => entry.line);
  return { ndjson: lines.map(({ text }) => `${text}\n`).join(""), expected: expectedOf(lines, valid) };
}

function makePayment(random: SampleRandom, count: number, total: number): ValidPayment {
  const processor = random.pick(PROCESSORS);
  const at = new Date(FIRST_MOMENT + Math.floor((count * PERIOD_MS) / total) + random.below(60_000));
  const currency = random.pick(processor.currencies);
  const minorUnits = BigInt(50 + random.below(10 ** (3 + random.below(4))));
  const fields: Fields = {
    TransactionID: processor.transactionId(random, at, count),
    SecureToken: processor.token(random),
    Amount: amountText(minorUnits, DECIMALS[currency] ?? 0, random),
    Currency: currency,
    ProcessorID: processor.name,
    Status: random.below(100) < 9 ? "Failure" : "Success",
    // A few feeds leave the time to the ledger.
    ...(random.below(100) < 1 ? {} : { Timestamp: processor.time(at) }),
    ...(processor.actor === undefined ? {} : { Actor: processor.actor }),
  };
  return { fields: random.below(10) === 0 ? { schemaVersion: 1, ...fields } : fields, currency, minorUnits };
}

/** The exact amount; some senders leave trailing zeros out ("10.5", "10"), which is the same money. */
function amountText(minorUnits: bigint, decimals: number, random: SampleRandom): string {
  const full = decimalText(minorUnits, decimals);
  return decimals > 0 && random.below(6) === 0 ? full.replace(/\.?0+$/, "") : full;
}

interface PlacedLine {
  readonly at: number;
  readonly line: Line;
}

/** The same id again, later in the file: with the same content in one form or another, or with other content. */
function repeats(random: SampleRandom, valid: readonly ValidPayment[]): PlacedLine[] {
  const every = Math.max(1, Math.floor(valid.length / 60));
  return valid.flatMap((payment, at) => {
    if (at % every !== 0) return [];
    const later = () => at + 1 + random.below(REPEAT_DISTANCE_MAX) + 0.25;
    const kind = (at / every) % 3;
    if (kind < 2) return [{ at: later(), line: line(sameContent(random, payment), "duplicate") }];
    const conflict = line(otherContent(random, payment), "conflict");
    // Now and then the same wrong content is sent twice, as a sender does who retries what was refused.
    const again = random.below(4) === 0 ? [{ at: at + REPEAT_DISTANCE_MAX + 1.25, line: conflict }] : [];
    return [{ at: later(), line: conflict }, ...again];
  });
}

/** Other key order, another writing of the same amount or moment, another sender: still the same payment. */
function sameContent(random: SampleRandom, { fields, currency, minorUnits }: ValidPayment): Fields {
  const time = fields["Timestamp"];
  switch (random.below(5)) {
    case 0:
      return Object.fromEntries(Object.entries(fields).reverse());
    case 1:
      return { ...fields, Amount: decimalText(minorUnits, DECIMALS[currency] ?? 0) };
    case 2:
      return typeof time === "string" ? { ...fields, Timestamp: withOffset(new Date(time), -4) } : fields;
    case 3:
      return { ...fields, Actor: "nightly-reconciliation" };
    default:
      return fields;
  }
}

function otherContent(random: SampleRandom, { fields, currency, minorUnits }: ValidPayment): Fields {
  switch (random.below(5)) {
    case 0:
      return { ...fields, SecureToken: `tok_${random.text(BASE62, 28)}` };
    case 1:
      return { ...fields, Status: fields["Status"] === "Success" ? "Failure" : "Success" };
    default:
      return { ...fields, Amount: decimalText(minorUnits + 1n, DECIMALS[currency] ?? 0) };
  }
}

function badLines(random: SampleRandom, valid: readonly ValidPayment[]): Line[] {
  /** A payment with a unique id that is valid but for one fault. */
  const bad = (ending: ExpectedEnd, change: (fields: Fields) => Fields): Line => {
    const id = `bad-${random.text(BASE32, 10)}`;
    return line(change({ ...random.pick(valid).fields, Currency: "EUR", Amount: "12.50", TransactionID: id }), ending);
  };
  const withValue = (ending: ExpectedEnd, field: string, values: readonly unknown[]): Line[] =>
    values.map((value) => bad(ending, (fields) => ({ ...fields, [field]: value })));
  return [
    ...badAmounts(bad),
    ...["TransactionID", "SecureToken", "Amount", "Currency", "ProcessorID", "Status"].flatMap((field) =>
      [1, 2].map(() => bad("MISSING_FIELD", ({ [field]: _left, ...rest }) => rest)),
    ),
    ...["CustomerEmail", "Metadata", "amount", "transaction_id", "__proto__", "Fee"].map((field) =>
      bad("UNKNOWN_FIELD", (fields) => Object.defineProperty({ ...fields }, field, { value: "x", enumerable: true })),
    ),
    ...withValue("INVALID_TIMESTAMP", "Timestamp", BAD_TIMES),
    ...withValue("TIMESTAMP_OUT_OF_RANGE", "Timestamp", ["1999-12-31T23:59:59.999Z", "2999-01-01T00:00:00.000Z"]),
    ...withValue("UNKNOWN_CURRENCY", "Currency", ["eur", "EURO", "XYZ", "BTC", "", 978]),
    ...withValue("INVALID_STATUS", "Status", ["SUCCESS", "approved", "pending", "", true]),
    ...withValue("INVALID_TRANSACTION_ID", "TransactionID", ["", "two words", "a#b", "x".repeat(129), 77]),
    ...withValue("INVALID_PROCESSOR_ID", "ProcessorID", ["", "processor alpha", "p".repeat(65)]),
    ...withValue("INVALID_ACTOR", "Actor", ["", "somebody else"]),
    ...withValue("INVALID_SECURE_TOKEN", "SecureToken", ["", "t".repeat(2049), 12]),
    ...withValue("UNSUPPORTED_SCHEMA_VERSION", "schemaVersion", [2, "1"]),
    ...["[]", '"payment"', "42", "null"].map((text): Line => ({ text, ending: "NOT_AN_OBJECT" })),
    ...cardData(bad),
    ...brokenLines(valid),
  ];
}

const BAD_TIMES = [
  "2025-09-03T10:00:00",
  "2025-02-30T10:00:00Z",
  "2025-13-01T10:00:00Z",
  "2025-09-03 10:00:00Z",
  "03.09.2025 10:00",
  "yesterday",
  1_756_893_600,
];

type MakeBad = (ending: ExpectedEnd, change: (fields: Fields) => Fields) => Line;

function badAmounts(bad: MakeBad): Line[] {
  const money = (ending: ExpectedEnd, Currency: string, Amount: unknown) =>
    bad(ending, (fields) => ({ ...fields, Currency, Amount }));
  return [
    ...["10.5", "980.00", "0.1"].flatMap((text) => [
      money("AMOUNT_DECIMALS", "JPY", text),
      money("AMOUNT_DECIMALS", "KRW", text),
    ]),
    ...["10.505", "7.0000", "0.001"].flatMap((text) =>
      ["EUR", "USD", "GBP"].map((currency) => money("AMOUNT_DECIMALS", currency, text)),
    ),
    ...["1.2345", "10.0000"].flatMap((text) => [
      money("AMOUNT_DECIMALS", "BHD", text),
      money("AMOUNT_DECIMALS", "KWD", text),
    ]),
    ...[10.5, 12, 0.1, 1e21, null, true].map((value) => money("AMOUNT_NOT_TEXT", "EUR", value)),
    ...["-5.00", "+5.00", "1,250.00", "1e3", "", " 5.00", "05.00", ".50", "5.", "1234567890123456.00"].map((text) =>
      money("INVALID_AMOUNT", "USD", text),
    ),
  ];
}

/** Published test numbers, and other card data, wherever senders have been seen to put them. */
function cardData(bad: MakeBad): Line[] {
  const refused = (added: Fields) => bad("CARD_DATA", (fields) => ({ ...fields, ...added }));
  const places: readonly ((pan: string) => Fields)[] = [
    (pan) => ({ TransactionID: pan }),
    (pan) => ({ TransactionID: `order-${pan}` }),
    (pan) => ({ SecureToken: pan }),
    (pan) => ({ SecureToken: `tok:${grouped(pan, " ")}` }),
    (pan) => ({ SecureToken: grouped(pan, "-") }),
    (pan) => ({ ProcessorID: pan }),
    (pan) => ({ Metadata: { customer: { card: { number: pan } } } }),
    (pan) => ({ Notes: ["refund by phone", [`card ${grouped(pan, " ")} exp 12/30`]] }),
    (pan) => ({ Cards: { [pan]: "primary" } }),
    (pan) => ({ Raw: JSON.stringify({ pan }) }),
    (pan) => ({ Number: Number(pan) }),
    (pan) => ({ Callback: `https://shop.example/done?card=${encodeURIComponent(grouped(pan, " "))}` }),
  ];
  return [
    ...places.flatMap((place, index) => [index, index + 5].map((at) => refused(place(sampleCardNumber(at))))),
    refused({ cvv: "123" }),
    refused({ Metadata: { CVC2: 321 } }),
    refused({ Notes: "customer read out cvv: 1234" }),
    refused({ pin: "1234" }),
    refused({ Track2: `;${sampleCardNumber(0)}=30121011000012345678?` }),
    refused({ Amount: sampleCardNumber(3) }),
  ];
}

/** Lines that are not JSON. One contains a card number, which a report of a broken line must not repeat. */
function brokenLines(valid: readonly ValidPayment[]): Line[] {
  const good = JSON.stringify(valid[0]?.fields);
  const texts = [
    good.slice(0, 70),
    `${good.slice(0, -1)},}`,
    good.replaceAll('"', "'"),
    `${good}${good}`,
    `${good};`,
    "TransactionID,SecureToken,Amount,Currency,ProcessorID,Status",
    `bad-csv-1,${sampleCardNumber(0)},12.50,EUR,processor-alpha,Success`,
    "# end of batch 7",
    '{"TransactionID": "bad-json-1", "Amount": 010.50}',
    '{"TransactionID": "bad-json-2", "Amount": NaN}',
    '{"TransactionID": "bad-json-3"',
    "<payment><TransactionID>bad-xml-1</TransactionID></payment>",
  ];
  return texts.map((text) => ({ text, ending: "broken" }));
}

function line(fields: Fields, ending: ExpectedEnd): Line {
  return { text: JSON.stringify(fields), ending };
}

function expectedOf(lines: readonly Line[], valid: readonly ValidPayment[]): ExpectedOutcomes {
  const numbers = new Map<ExpectedEnd, number[]>();
  for (const [index, { ending }] of lines.entries()) numbers.set(ending, [...(numbers.get(ending) ?? []), index + 1]);
  const countOf = (ending: ExpectedEnd) => numbers.get(ending)?.length ?? 0;
  const codes = [...numbers.keys()].filter((ending) => ending === ending.toUpperCase()).sort();
  const refusals = Object.fromEntries(codes.map((code) => [code, countOf(code)]));
  const refused = Object.values(refusals).reduce((sum, count) => sum + count, 0);
  const [stored, duplicate, conflict, broken] = [
    countOf("stored"),
    countOf("duplicate"),
    countOf("conflict"),
    countOf("broken"),
  ];
  return {
    lines: lines.length,
    outcomes: { stored, duplicate, conflict, refused, broken },
    refusals,
    distinctConflicts: new Set(lines.filter(({ ending }) => ending === "conflict").map(({ text }) => text)).size,
    sums: sumsOf(valid),
    storedFailures: valid.filter(({ fields }) => fields["Status"] === "Failure").length,
    cardNumbers: CARD_NUMBERS.join(" "),
    lineNumbers: Object.fromEntries(
      (["duplicate", "conflict", "broken", ...codes] as const).map((ending) => [
        ending,
        (numbers.get(ending) ?? []).join(" "),
      ]),
    ),
  };
}

function compactDay(at: Date): string {
  return at.toISOString().slice(0, 10).replaceAll("-", "");
}

/** The same moment as a local time with its offset. */
function withOffset(at: Date, hours: number): string {
  const local = new Date(at.getTime() + hours * 60 * 60 * 1000).toISOString().slice(0, 23);
  return `${local}${hours < 0 ? "-" : "+"}${String(Math.abs(hours)).padStart(2, "0")}:00`;
}

function uuid(random: SampleRandom): string {
  const hex = (length: number) => random.text(HEX, length);
  return `${hex(8)}-${hex(4)}-4${hex(3)}-${random.text("89ab", 1)}${hex(3)}-${hex(12)}`;
}

if (require.main === module) {
  const { ndjson, expected } = makeSample();
  write("payments.ndjson", ndjson);
  write("payments.expected.json", expectedText(expected));
  const files = makeSampleFiles();
  for (const { name, bytes } of files.files) write(path.join("files", name), bytes);
  write("files.expected.json", expectedText(files.expected));
  const messages = makeSampleMessages();
  write("messages.ndjson", messages.ndjson);
  write("messages.expected.json", expectedText(messages.expected));
  for (const { name, bytes, expected: outcome } of makeSampleCases()) {
    write(path.join("cases", name), bytes);
    write(path.join("cases", `${name}.expected.json`), expectedText(outcome));
  }
  console.log(
    `samples/: ${expected.lines} lines for the ledger, ${files.files.length} payment files, ${messages.expected.messages} messages.`,
  );
}

function write(name: string, content: string | Uint8Array): void {
  const file = path.join(__dirname, "..", "..", "samples", name);
  mkdirSync(path.dirname(file), { recursive: true });
  writeFileSync(file, content);
}
