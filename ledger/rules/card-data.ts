/**
 * Finds card data in whatever a caller sent, so that the ledger can refuse it before any of it is kept.
 *
 * What counts:
 * - PAN: a number that a brand issues, with a valid check digit (`card-numbers.ts`), as a number, in a text, in an object
 *   key, escaped (percent-encoding, HTML entities, backslashes), or inside a text that is itself JSON. Digits are those of
 *   any script or style. One to three spaces, line breaks, dashes, dots or plus signs between them may group them in any
 *   way; more of these, or a comma, colon, slash, bar or the like, in the groups in which cards are printed. Letters and
 *   other signs end a number but do not hide it: `card4111...x` is found. So are zeros before the number and the date of
 *   expiry (YYMM) after it.
 * - TRACK: track 1 (`%B...^...^...`) and track 2 (`;...=...`, also the chip's form with `D`), or a field of that name.
 * - CVV and PIN: by field name, and by `cvv: 123`, `security code: 123` and `pin=1234` in a text.
 *
 * What is deliberately let through (`card-lookalikes.ts`): UUIDs; up to 13 digits after a plus sign or in a field named as
 * a telephone; article numbers in a field of such a name; IBANs; times; the fraction of a number; a `pin` of six digits
 * beside the fields of an address, which is India's postal code. Not found: numbers spread over several fields or written
 * in words, base64, compressed or encrypted content.
 *
 * The code is pure and its work is bounded by the length of the input: each digit starts at most 23 candidates.
 */

import { isLosslessNumber, type LosslessNumber, parse } from "lossless-json";
import { CodedError } from "../../contract";
import { hasLength, issuedLengths, PAN_DIGITS_MIN } from "./card-brands";
import { kindsByName, plainName, scalarText } from "./card-field-names";
import { isNamedNumber, isTimestamp } from "./card-lookalikes";
import { type CardDataKind, findCardNumbers, type ScanMeter } from "./card-numbers";
import { addKinds, addKindsByForm, DECODE_ROUNDS_MAX, decodedOnce, kindsInText } from "./card-text";

export type { CardDataKind, ScanMeter };

export interface CardDataFinding {
  readonly kind: CardDataKind;
  /**
   * Where it is, such as `payments[3].Metadata.note`; `$` when the whole input is one value. Never a value: a key that
   * is not a plain name, or holds three digits in a row, is written `<key>`. What lies inside a text that holds JSON is
   * reported at the field with that text.
   */
  readonly path: string;
}

/** The input could not be searched to its end, so nobody may treat it as free of card data. */
export class CardDataScanError extends CodedError<"INPUT_TOO_DEEP" | "INPUT_TOO_LARGE"> {
  override readonly name = "CardDataScanError";
}

/** Deeper than any payment message; the same bound as canonical JSON has, well within the stack. A cycle ends here. */
const DEPTH_MAX = 64;
/** JSON in a text in JSON in a text and so on. */
const EMBEDDED_LEVELS_MAX = 4;
/** More values than Lambda's 6 MB of input can hold; only shared references can exceed it, by repeating themselves. */
const VALUES_MAX = 4_000_000;

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

/**
 * Whether card data is in the text: in its characters, whatever their format, or in the JSON that it is. For text that is
 * kept as it was sent, or that nobody could parse; a number with a point counts as characters here.
 */
export function holdsCardData(text: string): boolean {
  if (kindsInText(text, { characters: 0, candidates: 0 }).size > 0) return true;
  try {
    return findCardData(text).length > 0;
  } catch (error) {
    // JSON that is nested too deep is still text, and the text was searched.
    if (error instanceof CardDataScanError) return false;
    throw error;
  }
}

/** Whether a card number is anywhere in the text, plain or escaped. */
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
    report(kindsInNumber(value, scan.meter), position.place, scan);
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
    visitText(UTF8.decode(bytes), position, scan);
  } else if (Array.isArray(value) || value instanceof Set) {
    let index = 0;
    for (const element of value) {
      visit(element, below(position, index), scan);
      index++;
    }
  } else {
    const members: [unknown, unknown][] = value instanceof Map ? [...value] : Object.entries(value);
    const names = () => members.map(([key]) => String(key));
    for (const [key, member] of members) visitField(String(key), member, names, position, scan);
  }
}

const UTF8 = new TextDecoder();

/** @param besides the names of all fields of the same object. */
function visitField(key: string, value: unknown, besides: () => string[], position: Position, scan: Scan): void {
  const field = below(position, shownKey(key));
  const name = plainName(key);
  report(kindsInText(key, scan.meter), field.place, scan);
  report(kindsByName(name, value, besides), field.place, scan);
  const text = scalarText(value);
  if (text !== undefined && isNamedNumber(name, text)) return;
  // An amount is kept as text, so its digits are read across the point.
  visit(isLosslessNumber(value) && name === "amount" ? value.value : value, field, scan);
}

function below(position: Position, segment: string | number): Position {
  return {
    place: { parent: position.place, segment, sealed: false },
    depth: position.depth + 1,
    embedded: position.embedded,
  };
}

/**
 * A text that is JSON is searched as what it says: that has its field names, its numbers as numbers and its escapes
 * decoded. Any other text is searched as it is written, then decoded, for as long as decoding changes it.
 */
function visitText(text: string, position: Position, scan: Scan): void {
  if (isTimestamp(text)) return;
  let form = text;
  for (let round = 0; round <= DECODE_ROUNDS_MAX; round++) {
    const kinds = new Set<CardDataKind>();
    const json = embeddedJson(form);
    if (json === undefined || json.repeated.length > 0) addKinds(form, kinds, scan.meter);
    else addKindsByForm(form, kinds);
    report(kinds, position.place, scan);
    if (json !== undefined) {
      visitEmbedded(json, position, scan);
      return;
    }
    const decoded = decodedOnce(form);
    if (decoded === form) return;
    form = decoded;
  }
}

interface EmbeddedJson {
  readonly value: unknown;
  /** Members whose name came before in the same object: parsers keep one of them, the text holds all. */
  readonly repeated: readonly { readonly key: string; readonly value: unknown }[];
}

function visitEmbedded({ value, repeated }: EmbeddedJson, position: Position, scan: Scan): void {
  if (position.embedded === EMBEDDED_LEVELS_MAX) throw tooDeep("JSON inside texts inside JSON too many times");
  const inside: Position = {
    place: { ...position.place, sealed: true },
    depth: position.depth + 1,
    embedded: position.embedded + 1,
  };
  visit(value, inside, scan);
  for (const member of repeated) visitField(member.key, member.value, () => [], inside, scan);
}

const LOOKS_LIKE_JSON = /^\s*["[{]/;

/** The text read as JSON, with exact numbers; undefined when it is not JSON. */
function embeddedJson(text: string): EmbeddedJson | undefined {
  if (!LOOKS_LIKE_JSON.test(text)) return undefined;
  const repeated: { key: string; value: unknown }[] = [];
  try {
    // The exact parser is recursive and slow; what is no JSON at all never reaches it.
    JSON.parse(text);
    const value = parse(text, undefined, {
      onDuplicateKey: ({ key, newValue }) => {
        repeated.push({ key, value: newValue });
        return undefined;
      },
    });
    return { value, repeated };
  } catch (error) {
    if (error instanceof RangeError) throw tooDeep("JSON nested too deep for its parser");
    return undefined;
  }
}

// ---------------------------------------------------------------------------------------------- numbers

const NO_KINDS: ReadonlySet<CardDataKind> = new Set();
const PAN: ReadonlySet<CardDataKind> = new Set(["PAN"]);
/** A card number with its date of expiry behind it. */
const NUMBER_DIGITS_MAX = 23;

/** A fraction is no part of a card number: `0.4111...` is a score. What is before the point may be one. */
function kindsInNumber(value: number | bigint | LosslessNumber, meter: ScanMeter): ReadonlySet<CardDataKind> {
  const digits = integerDigits(value);
  if (digits.length < PAN_DIGITS_MIN || digits.length > NUMBER_DIGITS_MAX) return NO_KINDS;
  if (typeof value !== "number" || Math.abs(value) <= Number.MAX_SAFE_INTEGER) {
    const kinds = new Set<CardDataKind>();
    findCardNumbers(digits, kinds, meter);
    return kinds;
  }
  // Beyond 2^53 the last digits, and with them the check digit, are lost. Prefix and length must then do: identifiers
  // of that size do not survive as JSON numbers either, so senders who need them send texts.
  return hasLength(issuedLengths(Number(digits.slice(0, 6))), digits.length) ? PAN : NO_KINDS;
}

/** The digits before the point, without leading zeros; none when there are more than a card number has. */
function integerDigits(value: number | bigint | LosslessNumber): string {
  const [, whole = "", fraction = "", exponent = "0"] =
    /^-?(\d+)(?:\.(\d+))?(?:e([+-]?\d+))?$/i.exec(isLosslessNumber(value) ? value.value : String(value)) ?? [];
  const length = whole.length + Number(exponent);
  if (length <= 0 || length > whole.length + fraction.length + NUMBER_DIGITS_MAX) return "";
  return `${whole}${fraction}`.slice(0, length).padEnd(length, "0").replace(/^0+/, "");
}

// ---------------------------------------------------------------------------------------------- findings

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
