/**
 * Finds card data in whatever a caller sent, so that the ledger can refuse it before any of it is kept.
 *
 * What counts:
 * - PAN: a prefix and length that a brand issues (`card-brands.ts`) and a valid check digit, as a number, in a text, in
 *   an object key, percent-encoded, or inside a text that is itself JSON. Digits are those of any script. Between two
 *   of them may stand one to three spaces, line breaks, dashes, dots, plus signs or invisible characters, in any
 *   grouping. Letters and other signs end a run of digits but do not hide it: `card4111...x` is found.
 * - TRACK: track 1 (`%B...^...^...`) and track 2 (`;...=...`, also the chip's form with `D`), or a field of that name.
 * - CVV and PIN: by field name, and by `cvv: 123` and `pin=1234` in a text.
 *
 * A group of digits is never cut: a card number must begin and end where a group does. So a 20-digit identifier is not
 * searched for the 16 digits that may lie inside it, and a card number beside other numbers is still found.
 *
 * What is deliberately let through:
 * - underscores and slashes do not join digits: identifiers put them between a counter and a clock reading;
 * - up to 13 digits right after a plus sign: a telephone number (German mobile numbers are 13 digits and begin with 4);
 * - digits after `0.`: a fraction such as a score or a rate;
 * - an IBAN with its country's length and valid check digits (measured: without this and the telephone rule, false
 *   positives are 0.152 % instead of 0.044 %; `npm run measure:card-data`);
 * - numbers spread over several fields, base64, compressed or encrypted content: nothing here decodes those.
 *
 * The code is pure and its work is bounded by the length of the input: each digit starts at most 19 candidates.
 */

import { isLosslessNumber, type LosslessNumber } from "lossless-json";
import { isLuhnValid, issuedLengths, PAN_DIGITS_MAX, PAN_DIGITS_MIN } from "./card-brands";

export type CardDataKind = "PAN" | "CVV" | "TRACK" | "PIN";

export interface CardDataFinding {
  readonly kind: CardDataKind;
  /**
   * Where it is, such as `payments[3].Metadata.note`; `$` when the whole input is one value. Never a value: a key that
   * is not a plain name, or holds three digits in a row, is written `<key>`. What lies inside a text that holds JSON is
   * reported at the field with that text.
   */
  readonly path: string;
}

/** Counts the work done, for tests that it is linear; it changes nothing else. */
export interface ScanMeter {
  characters: number;
  candidates: number;
}

/** The input could not be searched to its end, so nobody may treat it as free of card data. */
export class CardDataScanError extends Error {
  override readonly name = "CardDataScanError";
  constructor(
    readonly code: "INPUT_TOO_DEEP" | "INPUT_TOO_LARGE",
    message: string,
  ) {
    super(message);
  }
}

/** Deeper than any payment message; the same bound as canonical JSON has, well within the stack. A cycle ends here. */
const DEPTH_MAX = 64;
/** JSON in a text in JSON in a text and so on. Each level may be read twice (plain and decoded), so the bound is low. */
const EMBEDDED_LEVELS_MAX = 4;
/** More values than Lambda's 6 MB of input can hold; only shared references can exceed it, by repeating themselves. */
const VALUES_MAX = 4_000_000;
/** `%2525...` is decoded this often; each round reads the text once more. */
const DECODE_ROUNDS_MAX = 3;

/**
 * @param value JSON as it was parsed. Numbers may be floats, `bigint`, or the `LosslessNumber` of exact parsing.
 * @returns one finding for each kind and path, in the order of the input; none when there is no card data.
 * @throws CardDataScanError when the input is too deep (or cyclic) or too large to be searched to its end.
 */
export function findCardData(value: unknown, meter: ScanMeter = { characters: 0, candidates: 0 }): CardDataFinding[] {
  const scan: Scan = { findings: new Map(), meter, values: 0 };
  visit(value, { place: ROOT, depth: 0, embedded: 0 }, scan);
  return [...scan.findings.values()];
}

/** Whether a card number stands anywhere in the text, plain or percent-encoded. */
export function containsPan(text: string): boolean {
  return kindsInText(text, { characters: 0, candidates: 0 }).has("PAN");
}

// ---------------------------------------------------------------------------------------------- walking the input

interface Scan {
  readonly findings: Map<string, CardDataFinding>;
  readonly meter: ScanMeter;
  values: number;
}

interface Place {
  readonly parent: Place | undefined;
  readonly segment: string | number | undefined;
  /** The content of a text that holds JSON: what lies below is reported here. */
  readonly sealed: boolean;
}

interface Position {
  readonly place: Place;
  readonly depth: number;
  readonly embedded: number;
}

const ROOT: Place = { parent: undefined, segment: undefined, sealed: false };

function visit(value: unknown, position: Position, scan: Scan): void {
  if (position.depth > DEPTH_MAX) throw tooDeep(`nested deeper than ${DEPTH_MAX} levels or refers to itself`);
  if (++scan.values > VALUES_MAX) {
    throw new CardDataScanError(
      "INPUT_TOO_LARGE",
      `The input has more than ${VALUES_MAX} values. Input is searched for card data to its end or not accepted. Split it.`,
    );
  }
  if (typeof value === "string") visitText(value, position, scan);
  else if (typeof value === "number" || typeof value === "bigint" || isLosslessNumber(value)) {
    if (numberIsPan(value, scan.meter)) report(new Set(["PAN"]), position.place, scan);
  } else if (typeof value === "object" && value !== null) visitMembers(value, position, scan);
}

function tooDeep(how: string): CardDataScanError {
  return new CardDataScanError(
    "INPUT_TOO_DEEP",
    `The input is ${how}. Input is searched for card data to its end or not accepted. Flatten it.`,
  );
}

function visitMembers(value: object, position: Position, scan: Scan): void {
  if (ArrayBuffer.isView(value)) {
    const bytes = Uint8Array.from(new Uint8Array(value.buffer, value.byteOffset, value.byteLength));
    report(kindsInText(UTF8.decode(bytes), scan.meter), position.place, scan);
  } else if (Array.isArray(value) || value instanceof Set) {
    let index = 0;
    for (const element of value) {
      visit(element, below(position, index), scan);
      index++;
    }
  } else {
    for (const [key, member] of value instanceof Map ? value : Object.entries(value)) {
      visitField(String(key), member, position, scan);
    }
  }
}

function visitField(key: string, value: unknown, position: Position, scan: Scan): void {
  const field = below(position, shownKey(key));
  report(kindsInText(key, scan.meter), field.place, scan);
  report(kindsByName(key, value), field.place, scan);
  // An amount is kept as text, so its digits are read across the point.
  visit(isLosslessNumber(value) && key.toLowerCase() === "amount" ? value.value : value, field, scan);
}

function below(position: Position, segment: string | number): Position {
  return {
    place: { parent: position.place, segment, sealed: false },
    depth: position.depth + 1,
    embedded: position.embedded,
  };
}

function visitText(text: string, position: Position, scan: Scan): void {
  if (isTimestamp(text) || isUuid(text)) return;
  report(kindsInText(text, scan.meter), position.place, scan);
  const decoded = percentDecodings(text).at(-1) ?? text;
  for (const candidate of decoded === text ? [text] : [text, decoded]) visitEmbeddedJson(candidate, position, scan);
}

/** The text itself was searched already; parsing adds the field names and what JSON's own escapes hide. */
function visitEmbeddedJson(text: string, position: Position, scan: Scan): void {
  if (!LOOKS_LIKE_JSON.test(text)) return;
  let parsed: unknown;
  try {
    parsed = JSON.parse(text);
  } catch {
    return;
  }
  if (position.embedded === EMBEDDED_LEVELS_MAX) throw tooDeep("JSON inside texts inside JSON too many times");
  visit(
    parsed,
    {
      place: { ...position.place, sealed: true },
      depth: position.depth + 1,
      embedded: position.embedded + 1,
    },
    scan,
  );
}

const LOOKS_LIKE_JSON = /^\s*["[{]/;

/** A fraction is no part of a card number: `0.4111...` is a score. What stands before the point may be one. */
function numberIsPan(value: number | bigint | LosslessNumber, meter: ScanMeter): boolean {
  const digits = integerDigits(value);
  if (digits.length < PAN_DIGITS_MIN || digits.length > PAN_DIGITS_MAX) return false;
  if (typeof value !== "number" || Math.abs(value) <= Number.MAX_SAFE_INTEGER) {
    return kindsInText(digits, meter).has("PAN");
  }
  // Beyond 2^53 the last digits, and with them the check digit, are lost. Prefix and length must then do: identifiers
  // of that size do not survive as JSON numbers either, so senders who need them send texts.
  return hasLength(issuedLengths(Number(digits.slice(0, 6))), digits.length);
}

/** The digits before the point, without leading zeros; none when there are more than a card number has. */
function integerDigits(value: number | bigint | LosslessNumber): string {
  const [, whole = "", fraction = "", exponent = "0"] =
    /^-?(\d+)(?:\.(\d+))?(?:e([+-]?\d+))?$/i.exec(isLosslessNumber(value) ? value.value : String(value)) ?? [];
  const length = whole.length + Number(exponent);
  if (length <= 0 || length > whole.length + fraction.length + PAN_DIGITS_MAX) return "";
  return `${whole}${fraction}`.slice(0, length).padEnd(length, "0").replace(/^0+/, "");
}

function report(kinds: ReadonlySet<CardDataKind>, place: Place, scan: Scan): void {
  if (kinds.size === 0) return;
  const path = pathOf(place);
  for (const kind of kinds) {
    if (!scan.findings.has(`${kind} ${path}`)) scan.findings.set(`${kind} ${path}`, { kind, path });
  }
}

function pathOf(place: Place): string {
  let path = "";
  for (let at: Place | undefined = place; at !== undefined; at = at.parent) {
    if (at.sealed) path = "";
    if (typeof at.segment === "number") path = `[${at.segment}]${path}`;
    else if (at.segment !== undefined) path = `.${at.segment}${path}`;
  }
  return path === "" ? "$" : path.replace(/^\./, "");
}

/** Keys are chosen by the sender. Paths end up in answers and logs, so only what is clearly a name is repeated there. */
function shownKey(key: string): string {
  return /^[A-Za-z_$@][\w$@:.-]{0,63}$/.test(key) && !/\d{3}/.test(key) ? key : "<key>";
}

// ---------------------------------------------------------------------------------------------- what is exempt

/** A whole ISO 8601 date and time. The fraction is bounded: nothing measures more than nanoseconds. */
function isTimestamp(text: string): boolean {
  return TIMESTAMP.test(text);
}

const TIMESTAMP =
  /^(?:19|2\d)\d\d-?(?:0[1-9]|1[0-2])-?(?:0[1-9]|[12]\d|3[01])[T ](?:[01]\d|2[0-4]):?[0-5]\d(?::?[0-5]\d|:?60)?(?:[.,]\d{1,9})?(?:Z|[+-](?:[01]\d|2[0-3])(?::?[0-5]\d)?)?$/i;

/** RFC 9562 with a version and variant that exist, so that a card number written in the form of a UUID mostly fails. */
function isUuid(text: string): boolean {
  return /^[0-9a-f]{8}-[0-9a-f]{4}-[1-8][0-9a-f]{3}-[89ab][0-9a-f]{3}-[0-9a-f]{12}$/i.test(text);
}

// ---------------------------------------------------------------------------------------------- card data by name

const NO_KINDS: ReadonlySet<CardDataKind> = new Set();

/** What a name may be wrapped in: `card_cvv`, `cvvCode`, `payment.card.cvc2`. */
const named = (core: string) => new RegExp(`^(?:[a-z]*card|cc|payment|customer)?(?:${core})(?:code|number|value|no)?$`);

/** Names that mean nothing else. Any value counts, because a masked or encrypted security code may not be kept either. */
const CVV_NAME = named(
  "cvv[123]?|cvc[123]?|icvv|dcvv2?|cvn2|cvx2|cvd2|cav2|csc2|cvp2|cardverification(?:code|value|number|data)?|cardsecurity(?:code|value|number)",
);
/** Names with other uses (a customer's `cid`, a product's `csc`, a `cve`): they count with 3 or 4 digits only. */
const CVV_NAME_WITH_FORM = named(
  "cid|csc|cvn|cvd|cvx|cav|cve|securitycode|cardcode|verificationvalue|cv(?:code|number|no)",
);
const CVV_FORM = /^\d{3,4}$/;

const PIN_NAME = /^(?:[a-z]*pinblock|(?:encrypted)?pindata|pinoffset|de52)$/;
/** `pincode` is missing on purpose: it is the postal code of India. */
const PIN_NAME_WITH_FORM =
  /^(?:[a-z]*card|atm|debit|old|new|clear|plain|encrypted|customer|user)?(?:pin|pvv)(?:value|number)?$/;
/** A PIN of ISO 9564, or its block of 8 or 16 bytes in hex. */
const PIN_FORM = /^(?:\d{4,12}|[0-9a-f]{16}|[0-9a-f]{32})$/i;

const TRACK_NAME =
  /^(?:[a-z]*card|emv|msr|raw|full|encrypted)?(?:track(?:[123]|one|two|three)?(?:equivalent)?data|track(?:[123]|one|two|three)|mag(?:netic)?stripe(?:data)?|stripedata|swipedata|msrdata|de35|de36|de45)$/;

const NAME_LENGTH_MAX = 64;

function kindsByName(key: string, value: unknown): ReadonlySet<CardDataKind> {
  if (key.length > NAME_LENGTH_MAX || isWithoutContent(value)) return NO_KINDS;
  const name = key
    .normalize("NFKC")
    .toLowerCase()
    .replace(/[^a-z0-9]/g, "");
  if (CVV_NAME.test(name) || (CVV_NAME_WITH_FORM.test(name) && hasForm(value, CVV_FORM))) return new Set(["CVV"]);
  if (PIN_NAME.test(name) || (PIN_NAME_WITH_FORM.test(name) && hasForm(value, PIN_FORM))) return new Set(["PIN"]);
  return TRACK_NAME.test(name) ? new Set(["TRACK"]) : NO_KINDS;
}

/** A boolean says at most that a code was there, which may be kept. */
function isWithoutContent(value: unknown): boolean {
  if (value === null || value === undefined || typeof value === "boolean") return true;
  if (typeof value === "string") return value.trim() === "";
  return typeof value === "object" && Object.keys(value).length === 0;
}

/** Looks one level into arrays and objects, where DynamoDB's JSON keeps a value: `{"pin": {"S": "1234"}}`. */
function hasForm(value: unknown, form: RegExp): boolean {
  const values: unknown[] = typeof value === "object" && value !== null ? Object.values(value) : [value];
  return values.some(
    (each) => (typeof each === "string" || typeof each === "number") && form.test(String(each).trim()),
  );
}

// ---------------------------------------------------------------------------------------------- card data in a text

const TRACK_1 = /%?B[\d ]{12,23}\^[^^]{2,26}\^\d{4}/i;
const TRACK_2 = /;\d{12,19}=\d{4}/;
/** Right after a card number: the separator of track 2 (`=`, on chips `D`), then year and month of expiry. */
const TRACK_2_REST = /^[=D]\d\d(?:0[1-9]|1[0-2])/i;
const CVV_IN_TEXT =
  /(?<![a-z0-9])(?:cvv2?|cvc2?|cav2|cvn2)(?:[ _-]?(?:code|number|value|no))?["'\s:=#\\]{1,7}(?:is )?["']?\d{3,4}(?!\d)/i;
const PIN_IN_TEXT =
  /(?<![a-z0-9])pin(?:["'\\\s]{0,3}[:=]["'\\\s]{0,3}\d{4}(?!\d)|[ _-]?block["'\s:=\\]{1,7}[0-9a-f]{16}(?![0-9a-f]))/i;

/** Every pattern above has bounded repetitions only, so each reads the text in linear time. */
const PATTERNS: readonly (readonly [CardDataKind, RegExp])[] = [
  ["TRACK", TRACK_1],
  ["TRACK", TRACK_2],
  ["CVV", CVV_IN_TEXT],
  ["PIN", PIN_IN_TEXT],
];

/** The shortest card data that can stand in a text is `cvv=123`. */
const TEXT_LENGTH_MIN = 7;
const MAY_HOLD_DIGITS = /[0-9\u0080-\uffff]/;

function kindsInText(text: string, meter: ScanMeter): ReadonlySet<CardDataKind> {
  if (text.length < TEXT_LENGTH_MIN || !MAY_HOLD_DIGITS.test(text)) return NO_KINDS;
  const kinds = new Set<CardDataKind>();
  // The plain text is searched as well: in `%4111111111111111` the decoding would swallow the first two digits.
  for (const form of [text, ...percentDecodings(text)]) {
    searchDigits(form, kinds, meter);
    for (const [kind, pattern] of PATTERNS) if (pattern.test(form)) kinds.add(kind);
  }
  return kinds;
}

const UTF8 = new TextDecoder();

/** The text percent-decoded once, twice and so on, for as long as that changes it. */
function percentDecodings(text: string): string[] {
  const decodings: string[] = [];
  let current = text;
  while (decodings.length < DECODE_ROUNDS_MAX && current.includes("%")) {
    const decoded = current.replace(/(?:%[0-9a-f]{2})+/gi, (escapes) =>
      UTF8.decode(Uint8Array.from(escapes.slice(1).split("%"), (byte) => Number.parseInt(byte, 16))),
    );
    if (decoded === current) break;
    decodings.push(decoded);
    current = decoded;
  }
  return decodings;
}

// ---------------------------------------------------------------------------------------------- card numbers in a text

interface DigitGroup {
  /** Index of its first digit in the run. */
  readonly from: number;
  /** Where it begins and ends in the text. */
  readonly start: number;
  end: number;
}

/** Groups of digits with nothing but separators between them. */
interface DigitRun {
  readonly digits: number[];
  readonly groups: DigitGroup[];
}

/** Enough for " - " or a line break with an indent of one; more is a gap between two different things. */
const SEPARATORS_MAX = 3;

/** Reads the text once, collects runs of digits and judges each as it ends. */
function searchDigits(text: string, kinds: Set<CardDataKind>, meter: ScanMeter): void {
  meter.characters += text.length;
  let run: DigitRun = { digits: [], groups: [] };
  let separators = 0;
  for (let at = 0; at < text.length; ) {
    const codePoint = text.codePointAt(at) ?? 0;
    const width = codePoint > 0xffff ? 2 : 1;
    const digit = digitValue(codePoint);
    if (digit >= 0) {
      appendDigit(run, digit, at, width);
      separators = 0;
    } else if (run.digits.length > 0) {
      separators++;
      if (separators > SEPARATORS_MAX || !isSeparator(codePoint)) {
        judgeRun(run, text, kinds, meter);
        run = { digits: [], groups: [] };
        separators = 0;
      }
    }
    at += width;
  }
  judgeRun(run, text, kinds, meter);
}

function appendDigit(run: DigitRun, digit: number, at: number, width: number): void {
  const last = run.groups.at(-1);
  if (last !== undefined && last.end === at) last.end = at + width;
  else run.groups.push({ from: run.digits.length, start: at, end: at + width });
  run.digits.push(digit);
}

/** Tries every sequence of whole groups that could be a card number. */
function judgeRun(run: DigitRun, text: string, kinds: Set<CardDataKind>, meter: ScanMeter): void {
  const { digits, groups } = run;
  for (let first = 0; first < groups.length; first++) {
    const { from = 0, start = 0 } = groups[first] ?? {};
    if (digits.length - from < PAN_DIGITS_MIN) return;
    meter.candidates++;
    const lengths = issuedLengths(firstSix(digits, from));
    if (lengths === 0 || isFraction(text, start)) continue;
    for (let last = first; last < groups.length; last++) {
      const to = groups[last + 1]?.from ?? digits.length;
      if (to - from > PAN_DIGITS_MAX) break;
      meter.candidates++;
      const end = groups[last]?.end ?? start;
      if (!hasLength(lengths, to - from) || !isLuhnValid(digits, from, to)) continue;
      if (isTelephone(text, start, to - from) || isInIban(text, start, end)) continue;
      kinds.add("PAN");
      if (TRACK_2_REST.test(text.slice(end, end + 5))) kinds.add("TRACK");
    }
  }
}

function firstSix(digits: readonly number[], from: number): number {
  let value = 0;
  for (let index = from; index < from + 6; index++) value = value * 10 + (digits[index] ?? 0);
  return value;
}

function hasLength(lengthBits: number, length: number): boolean {
  return ((lengthBits >> length) & 1) === 1;
}

/** The value of a decimal digit of any script (Unicode category Nd), or -1. */
function digitValue(codePoint: number): number {
  if (codePoint < 0x80) return codePoint >= 0x30 && codePoint <= 0x39 ? codePoint - 0x30 : -1;
  if (!isUnicodeDigit(codePoint)) return -1;
  const known = UNICODE_DIGIT_VALUES.get(codePoint);
  if (known !== undefined) return known;
  // Unicode keeps the digits of a script together and in order, beginning with zero; the mathematical styles follow
  // each other without a gap, fifty digits long.
  let zero = codePoint;
  while (isUnicodeDigit(zero - 1)) zero--;
  UNICODE_DIGIT_VALUES.set(codePoint, (codePoint - zero) % 10);
  return (codePoint - zero) % 10;
}

/** Remembers what the loop above found. It holds digits only, of which Unicode has some seven hundred. */
const UNICODE_DIGIT_VALUES = new Map<number, number>();

function isUnicodeDigit(codePoint: number): boolean {
  return /^\p{Nd}$/u.test(String.fromCodePoint(codePoint));
}

const ASCII_SEPARATORS: ReadonlySet<string> = new Set([" ", "\t", "\n", "\r", "\v", "\f", "-", ".", "+"]);
/** Spaces, dashes and invisible characters by category; then the minus, bullets, dots and bars that replace them. */
const UNICODE_SEPARATOR = /^[\p{Z}\p{Pd}\p{Cf}\u0085\u2212\u2043\u00b7\u2022\u2024\u30fb\u30fc\uff0e\uff0b]$/u;

function isSeparator(codePoint: number): boolean {
  const character = String.fromCodePoint(codePoint);
  return codePoint < 0x80 ? ASCII_SEPARATORS.has(character) : UNICODE_SEPARATOR.test(character);
}

// ---------------------------------------------------------------------------------------------- what looks like one and is not

/** `0.` before the digits, and not itself the end of a longer number. */
function isFraction(text: string, start: number): boolean {
  return text[start - 1] === "." && text[start - 2] === "0" && !/[\d.]/.test(text[start - 3] ?? "");
}

/** Thirteen digits are the longest telephone numbers in common use; only Visa and Maestro are that short. */
const TELEPHONE_DIGITS_MAX = 13;

/** A plus sign after a letter or digit stands for a space in a form, so that one is no telephone number's. */
function isTelephone(text: string, start: number, length: number): boolean {
  return (
    length <= TELEPHONE_DIGITS_MAX && /(?:^|[^A-Za-z0-9])(?:\+|%2B)$/i.test(text.slice(Math.max(0, start - 4), start))
  );
}

/** ISO 13616 lengths. Without them any two letters before a number could make it an IBAN once in 97 times. */
const IBAN_LENGTHS: ReadonlyMap<string, number> = new Map(
  (
    "AD24 AE23 AL28 AT20 AZ28 BA20 BE16 BG22 BH22 BI27 BR29 BY28 CH21 CR22 CY28 CZ24 DE22 DJ27 DK18 DO28 EE20 EG29 " +
    "ES24 FI18 FK18 FO18 FR27 GB22 GE22 GI23 GL18 GR27 GT28 HN28 HR21 HU28 IE22 IL23 IQ23 IS26 IT27 JO30 KW30 KZ20 " +
    "LB28 LC32 LI21 LT20 LU20 LV21 LY25 MC27 MD24 ME22 MK19 MN20 MR27 MT31 MU30 NI28 NL18 NO15 OM23 PK24 PL28 PS29 " +
    "PT25 QA29 RO24 RS22 RU33 SA24 SC31 SD18 SE24 SI19 SK24 SM27 SO23 ST25 SV28 TL23 TN24 TR26 UA29 VA22 VG24 XK20 YE30"
  )
    .split(" ")
    .map((entry) => [entry.slice(0, 2), Number(entry.slice(2))]),
);
const IBAN_LENGTH_MAX = 33;
const IBAN_GROUPED_LENGTH_MAX = IBAN_LENGTH_MAX + 8;

/** Whether the digits belong to an IBAN: the word around them, or the whole text when it is written in groups. */
function isInIban(text: string, start: number, end: number): boolean {
  const before = /[A-Za-z0-9]*$/.exec(text.slice(Math.max(0, start - IBAN_LENGTH_MAX), start))?.[0] ?? "";
  const after = /^[A-Za-z0-9]*/.exec(text.slice(end, end + IBAN_LENGTH_MAX))?.[0] ?? "";
  if (isIban(before + text.slice(start, end) + after)) return true;
  return text.length <= IBAN_GROUPED_LENGTH_MAX && isIban(text.replaceAll(" ", ""));
}

function isIban(text: string): boolean {
  const iban = text.toUpperCase();
  if (!/^[A-Z]{2}\d\d[A-Z0-9]{11,29}$/.test(iban) || IBAN_LENGTHS.get(iban.slice(0, 2)) !== iban.length) return false;
  const digits = (iban.slice(4) + iban.slice(0, 4)).replace(/[A-Z]/g, (letter) => String(letter.charCodeAt(0) - 55));
  return BigInt(digits) % 97n === 1n;
}
