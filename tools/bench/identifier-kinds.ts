/** Kinds of identifiers and numbers that payments carry, made at random, for the measurement of false positives. */

import { LosslessNumber } from "lossless-json";

export interface IdentifierKind {
  readonly name: string;
  /** Percent of them that may be taken for card data; above 0.1 the README names the kind. */
  readonly boundPercent: number;
  /** The value to be searched, as a payment holds it. */
  readonly make: (random: IdentifierRandom) => unknown;
}

/** The same numbers on every machine for the same seed. */
export class IdentifierRandom {
  constructor(private state: number) {}

  /** mulberry32: 32 bits of state, good enough to spread samples. */
  private next(): number {
    this.state = (this.state + 0x6d2b79f5) | 0;
    let mixed = Math.imul(this.state ^ (this.state >>> 15), 1 | this.state);
    mixed = (mixed + Math.imul(mixed ^ (mixed >>> 7), 61 | mixed)) ^ mixed;
    return ((mixed ^ (mixed >>> 14)) >>> 0) / 2 ** 32;
  }

  below(limit: number): number {
    return Math.floor(this.next() * limit);
  }

  between(from: number, to: number): number {
    return from + this.below(to - from + 1);
  }

  pick<T>(values: readonly T[]): T {
    return values[this.below(values.length)] as T;
  }

  text(alphabet: string, length: number): string {
    return Array.from({ length }, () => alphabet[this.below(alphabet.length)]).join("");
  }

  digits(length: number): string {
    return this.text("0123456789", length);
  }

  /** A number of that many digits that begins with none of zero. */
  number(length: number): string {
    return `${this.between(1, 9)}${this.digits(length - 1)}`;
  }

  /** Any moment of the given years, in milliseconds since 1970. */
  moment(fromYear = 2025, toYear = 2027): number {
    const from = Date.UTC(fromYear, 0, 1);
    return from + Math.floor(this.next() * (Date.UTC(toYear + 1, 0, 1) - from));
  }
}

const BASE62 = "0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz";
const CAPITALS = "ABCDEFGHIJKLMNOPQRSTUVWXYZ";
const CROCKFORD = "0123456789ABCDEFGHJKMNPQRSTVWXYZ";
const HEX = "0123456789abcdef";
const padded = (value: number, length: number): string => String(value).padStart(length, "0");

function uuid(random: IdentifierRandom): string {
  const version = random.pick([4, 7]);
  const start = version === 7 ? random.moment().toString(16).padStart(12, "0") : random.text(HEX, 12);
  const rest = `${version}${random.text(HEX, 3)}-${random.text("89ab", 1)}${random.text(HEX, 3)}-${random.text(HEX, 12)}`;
  return `${start.slice(0, 8)}-${start.slice(8)}-${rest}`;
}

function ulid(random: IdentifierRandom): string {
  let milliseconds = random.moment();
  let time = "";
  for (let index = 0; index < 10; index++, milliseconds = Math.floor(milliseconds / 32)) {
    time = `${CROCKFORD[milliseconds % 32]}${time}`;
  }
  return time + random.text(CROCKFORD, 16);
}

/** Milliseconds since the service's own epoch, shifted by 22 bits of machine and sequence. */
const snowflake = (epoch: number, fromYear: number) => (random: IdentifierRandom) =>
  String((BigInt(random.moment(fromYear, 2027) - epoch) << 22n) + BigInt(random.below(2 ** 22)));

/** YDDDhh and a six-digit trace number, as ISO 8583 field 37 recommends. */
function retrievalReference(random: IdentifierRandom): string {
  const at = new Date(random.moment());
  const day = Math.floor((at.getTime() - Date.UTC(at.getUTCFullYear(), 0, 1)) / 86_400_000) + 1;
  return `${at.getUTCFullYear() % 10}${padded(day, 3)}${padded(at.getUTCHours(), 2)}${random.digits(6)}`;
}

/** Mix of use, acquirer's BIN, year and day, sequence, check digit: 23 digits. */
const acquirerReference = (random: IdentifierRandom): string =>
  `${random.pick(["2", "7", "8"])}${random.digits(6)}${random.between(5, 7)}${padded(random.between(1, 365), 3)}${random.digits(12)}`;

/** Mobile numbers of a country: its code, how a national number begins, and how many digits follow. */
const MOBILE: Readonly<Record<string, readonly [string, readonly string[], readonly number[]]>> = {
  German: [
    "49",
    ["151", "152", "155", "157", "159", "160", "162", "163", "170", "171", "172", "175", "176", "179"],
    [7, 8],
  ],
  US: ["1", ["212", "310", "415", "512", "617", "702", "818", "917"], [7]],
  UK: ["44", ["74", "75", "77", "78", "79"], [8]],
  French: ["33", ["6", "7"], [8]],
  Indian: ["91", ["6", "7", "8", "9"], [9]],
  Brazilian: ["55", ["119", "219", "319", "619"], [8]],
  Indonesian: ["62", ["811", "812", "813", "821", "852", "878"], [7, 8]],
  Chinese: ["86", ["13", "15", "17", "18"], [9]],
};

function msisdn(country: string) {
  const [code, starts, lengths] = MOBILE[country] as (typeof MOBILE)[string];
  return (random: IdentifierRandom): string => `${code}${random.pick(starts)}${random.digits(random.pick(lengths))}`;
}

const written = (number: string, random: IdentifierRandom): string =>
  random.pick([
    () => `+${number}`,
    () => `+${number.slice(0, 2)} ${number.slice(2, 5)} ${number.slice(5)}`,
    () => `+${number.slice(0, 2)} ${number.slice(2, 5)}-${number.slice(5, 8)}-${number.slice(8)}`,
    () => `00${number}`,
  ])();

/** The national part of an IBAN by country: `n` a digit, `a` a letter. */
const IBAN_FORMS: readonly (readonly [string, string])[] = [
  ["AT", "n".repeat(16)],
  ["BE", "n".repeat(12)],
  ["CH", "n".repeat(17)],
  ["DE", "n".repeat(18)],
  ["DK", "n".repeat(14)],
  ["ES", "n".repeat(20)],
  ["FI", "n".repeat(14)],
  ["FR", "n".repeat(23)],
  ["GB", `aaaa${"n".repeat(14)}`],
  ["IT", `a${"n".repeat(22)}`],
  ["NL", `aaaa${"n".repeat(10)}`],
  ["NO", "n".repeat(11)],
  ["PL", "n".repeat(24)],
  ["SE", "n".repeat(20)],
];

function iban(random: IdentifierRandom): string {
  const [country, form] = random.pick(IBAN_FORMS);
  const national = [...form].map((place) => (place === "n" ? random.digits(1) : random.text(CAPITALS, 1))).join("");
  const numeric = `${national}${country}00`.replace(/[A-Z]/g, (letter) => String(letter.charCodeAt(0) - 55));
  return `${country}${padded(Number(98n - (BigInt(numeric) % 97n)), 2)}${national}`;
}

const inFours = (text: string): string => (text.match(/.{1,4}/g) ?? []).join(" ");

function withGs1CheckDigit(payload: string): string {
  const sum = [...payload]
    .reverse()
    .reduce((total, digit, index) => total + Number(digit) * (index % 2 === 0 ? 3 : 1), 0);
  return `${payload}${(10 - (sum % 10)) % 10}`;
}

function withLuhnDigit(payload: string): string {
  const sum = [...payload].reverse().reduce((total, digit, index) => {
    const weighted = index % 2 === 0 ? Number(digit) * 2 : Number(digit);
    return total + (weighted > 9 ? weighted - 9 : weighted);
  }, 0);
  return `${payload}${(10 - (sum % 10)) % 10}`;
}

/** GS1 prefixes of many countries, Germany's and Japan's among them, which begin with 4. */
const GS1_PREFIXES = [
  "00",
  "30",
  "40",
  "400",
  "403",
  "44",
  "45",
  "49",
  "50",
  "54",
  "57",
  "690",
  "692",
  "73",
  "76",
  "80",
  "84",
  "87",
  "880",
  "890",
];

function ean13(random: IdentifierRandom): string {
  const prefix = random.pick(GS1_PREFIXES);
  return withGs1CheckDigit(`${prefix}${random.digits(12 - prefix.length)}`);
}

/** Serial numbers of telephones begin with the type's code, which since 2004 begins with 35 or 86 mostly. */
const imei = (random: IdentifierRandom): string =>
  withLuhnDigit(`${random.pick(["35", "35", "35", "86", "01", "99"])}${random.digits(12)}`);

/** Telecom (89), country, issuer, account: 19 or 20 digits. */
const iccid = (random: IdentifierRandom): string =>
  withLuhnDigit(
    `89${random.pick(["49", "1", "44", "33", "91", "86"])}${random.digits(random.pick([14, 15]))}`.slice(0, 19),
  );

/** The quotient of two amounts, as JavaScript, Python and Java write it: up to 17 significant digits. */
function rate(random: IdentifierRandom): string {
  const [one, other] = [random.between(100, 999_999) / 100, random.between(100, 999_999) / 100];
  return String(Math.max(one, other) / Math.min(one, other));
}

function timestamp(random: IdentifierRandom): string {
  const at = new Date(random.moment()).toISOString();
  const offset = random.pick(["Z", "+00:00", "+01:00", "+05:30", "-08:00", "+0900"]);
  return random.pick([
    at,
    `${at.slice(0, -1)}${offset}`,
    `${at.slice(0, 19)}${offset}`,
    `${at.slice(0, 19)}.${random.digits(6)}${offset}`,
  ]);
}

const amount = (random: IdentifierRandom): unknown =>
  random.pick<() => unknown>([
    () => `${random.between(0, 99_999)}.${random.digits(2)}`,
    () => `${random.between(1, 9_999_999)}`,
    () => `${random.number(random.between(9, 12))}.${random.digits(2)}`,
    () => random.between(1, 99_999_999),
    () => random.below(100_000_000) / 100,
  ])();

const isoDay = (random: IdentifierRandom): string => new Date(random.moment()).toISOString().slice(0, 10);

const ORDINARY = 0.1;
const ordinary = (name: string, make: IdentifierKind["make"]): IdentifierKind => ({
  name,
  boundPercent: ORDINARY,
  make,
});
const above = (name: string, boundPercent: number, make: IdentifierKind["make"]): IdentifierKind => ({
  name,
  boundPercent,
  make,
});
const orderNumber = (length: number, boundPercent: number) =>
  above(`order numbers of ${length} digits`, boundPercent, (random) => random.number(length));

/** Of these fewer than one in a thousand may be taken for card data. */
export const ORDINARY_KINDS: readonly IdentifierKind[] = [
  ordinary("UUID, versions 4 and 7", uuid),
  ordinary("UUID with a prefix", (random) => `${random.pick(["pay_", "tx-", "order:", "urn:uuid:"])}${uuid(random)}`),
  ordinary("UUID in a sentence", (random) => `refund of ${uuid(random)} for order ${random.between(1000, 999_999)}`),
  ordinary("UUID as file name", (random) => `payments/${isoDay(random)}/${uuid(random)}.csv`),
  ordinary("ULID", ulid),
  ordinary("KSUID", (random) => `2${random.text(BASE62, 26)}`),
  ordinary("SHA-256 in hexadecimal", (random) => random.text(HEX, 64)),
  ordinary("snowflake of X, from 2018", snowflake(Date.UTC(2010, 10, 4), 2018)),
  ordinary("epoch in seconds", (random) => String(Math.floor(random.moment() / 1000))),
  ordinary("epoch in milliseconds", (random) => random.moment()),
  ordinary("epoch in microseconds", (random) => `${random.moment()}${random.digits(3)}`),
  ordinary("epoch in nanoseconds", (random) => `${random.moment()}${random.digits(6)}`),
  ordinary("ISO timestamp with offset", timestamp),
  ...Object.keys(MOBILE).map((country) =>
    ordinary(`${country} mobile number with +, 00 or named phone`, (random) => {
      const number = msisdn(country)(random);
      return random.pick<() => unknown>([() => written(number, random), () => ({ phone: number })])();
    }),
  ),
  ...Object.keys(MOBILE)
    .filter((country) => country !== "German")
    .map((country) => ordinary(`${country} mobile number, bare`, msisdn(country))),
  ordinary("IBAN", iban),
  ordinary("IBAN in groups of four", (random) => inFours(iban(random))),
  ordinary(
    "IBAN in a sentence",
    (random) => `refund to ${random.pick([iban, (r: IdentifierRandom) => inFours(iban(r))])(random)} please`,
  ),
  ordinary("EAN-13 in a field named ean, gtin, barcode or upc", (random) => ({
    [random.pick(["ean", "ean13", "GTIN", "barcode", "product_ean", "upc"])]: ean13(random),
  })),
  ordinary("ORD-2026-001234 and the like", (random) =>
    random.pick([
      () => `ORD-${random.between(2025, 2027)}-${random.digits(6)}`,
      () => `txn-${isoDay(random).replaceAll("-", "")}-${random.digits(6)}`,
      () => `INV/${random.between(2025, 2027)}/${random.digits(5)}`,
      () => `PO-${random.digits(8)}`,
    ])(),
  ),
  ordinary("Shopify order ids", (random) => String(random.between(5_900_000_000_000, 6_900_000_000_000))),
  ...[8, 9, 10, 11, 12].map((length) => orderNumber(length, ORDINARY)),
  ordinary("exchange rates as numbers", (random) => new LosslessNumber(rate(random))),
  ordinary("exchange rates as floats", (random) => Number(rate(random))),
  ordinary("exchange rates as text", rate),
  ordinary(
    "Stripe ids",
    (random) =>
      `${random.pick(["pi_3", "ch_3", "cus_", "pm_1", "re_3", "evt_1", "txn_3", "in_1"])}${random.text(BASE62, 23)}`,
  ),
  ordinary("Adyen pspReferences", (random) =>
    random.pick([
      () => `88${random.pick(["15", "16", "25", "35"])}${random.digits(12)}`,
      () => random.text(`${CAPITALS}0123456789`, 16),
    ])(),
  ),
  ordinary("PayPal transaction ids", (random) => random.text(`${CAPITALS}0123456789`, 17)),
  ordinary("retrieval references (12)", retrievalReference),
  ordinary("acquirer references (23)", acquirerReference),
  ordinary("IMEI", imei),
  ordinary("ICCID", iccid),
  ordinary("SQS sequence numbers (20)", (random) => `188${random.digits(17)}`),
  ordinary("amounts", amount),
  ordinary("IPv6 addresses", (random) => Array.from({ length: 8 }, () => random.text(HEX, 4)).join(":")),
];

/** Of these more are refused: they are digits only, and nothing tells them from card numbers. */
export const AMBIGUOUS_KINDS: readonly IdentifierKind[] = [
  orderNumber(13, 1.5),
  orderNumber(14, 0.6),
  orderNumber(15, 0.4),
  orderNumber(16, 5),
  orderNumber(17, 0.6),
  orderNumber(18, 2),
  orderNumber(19, 4),
  above("order numbers of 20 digits", 0.2, (random) => random.number(20)),
  above("numbers of 8 to 16 digits, filled to 20 with zeros", 0.8, (random) =>
    random.number(random.between(8, 16)).padStart(20, "0"),
  ),
  above("two ids of 8 digits with a space", 5, (random) => `${random.number(8)} ${random.number(8)}`),
  above("customer-milliseconds", 2.5, (random) => `${random.between(1, 99_999)}-${random.moment()}`),
  above(
    "Amazon order ids",
    0.6,
    (random) => `${random.pick(["028", "111", "114", "302", "306", "701"])}-${random.digits(7)}-${random.digits(7)}`,
  ),
  above("three dates in a row", 0.8, (random) =>
    Array.from({ length: 3 }, () => isoDay(random)).join(random.pick([" ", ", ", "|", "/"])),
  ),
  above("O-6ddddddd-dddddddd", 11, (random) => `O-6${random.digits(7)}-${random.digits(8)}`),
  above("German mobile number, bare", 5.5, msisdn("German")),
  above("EAN-13 elsewhere", 3.5, ean13),
  above("snowflake of Discord, from 2016", 1.5, snowflake(Date.UTC(2015, 0, 1), 2016)),
  above("exchange rates in a sentence", 4, (random) => `converted at ${rate(random)} today`),
  above(
    "IMEISV (16 digits)",
    3.5,
    (random) => `${random.pick(["35", "35", "35", "86", "01", "99"])}${random.digits(14)}`,
  ),
];
