/** Finds card data in a text: card numbers, and security codes, PINs and tracks by their form. */

import { type CardDataKind, findCardNumbers, isCardNumber, type ScanMeter } from "./card-numbers";

/** The shortest card data that can be in a text is `cvv=123`. */
const TEXT_LENGTH_MIN = 7;
const MAY_HOLD_DIGITS = /[0-9\u0080-\uffff]/;

/** `%2525...` is decoded this often; each round reads the text once more. */
export const DECODE_ROUNDS_MAX = 3;

/** What is in the characters of the text, whatever its format, plain or escaped. */
export function kindsInText(text: string, meter: ScanMeter): ReadonlySet<CardDataKind> {
  const kinds = new Set<CardDataKind>();
  let form = text;
  for (let round = 0; round <= DECODE_ROUNDS_MAX; round++) {
    addKinds(form, kinds, meter);
    const decoded = decodedOnce(form);
    if (decoded === form) break;
    form = decoded;
  }
  return kinds;
}

/** What is in the text as it is written. */
export function addKinds(text: string, kinds: Set<CardDataKind>, meter: ScanMeter): void {
  if (text.length < TEXT_LENGTH_MIN || !MAY_HOLD_DIGITS.test(text)) return;
  findCardNumbers(text, kinds, meter);
  addKindsByForm(text, kinds);
}

// ---------------------------------------------------------------------------------------------- codes and tracks

const TRACK_1 = /(?<=B[\d ]{12,23})\^[^^]{2,26}\^\d{4}/i;
const TRACK_2 = /(?<=;\d{12,19})=\d{4}/;

/** What may be between a name and its value in JSON, in a form, in a log line. */
const ASSIGNED = `(?:["'\\\\\\s]{0,3}[:=#]|\\sis\\s)["'\\\\\\s]{0,3}`;

/** Names that mean nothing else need no sign behind them: `cvv 123`. The others do: `security code: 123`. */
const CVV = new RegExp(
  "(?<![a-z0-9])(?:" +
    `(?:cvv2?|cvc2?|cav2|cvn2)(?:[ _-]?(?:code|number|value|no))?["'\\s:=#\\\\]{1,7}(?:is )?["']?` +
    `|(?:csc|(?:card[ _-]?)?security[ _-]?(?:code|number|value)|card[ _-]?(?:verification[ _-]?(?:code|number|value)|code))${ASSIGNED}` +
    ")\\d{3,4}(?!\\d)",
  "i",
);

/**
 * Six digits after `PIN:` are more often a postal code of India than a PIN, so a bare `pin` counts with four digits only.
 */
const PIN = new RegExp(
  "(?<![a-z0-9])(?:" +
    `pin(?:[ _-]?(?:code|number|no))?${ASSIGNED}\\d{4}(?!\\d)` +
    `|(?:card|atm|debit)[ _-]?pin(?:[ _-]?(?:code|number|no))?${ASSIGNED}\\d{4,12}(?!\\d)` +
    `|pin[ _-]?block["'\\s:=\\\\]{1,7}[0-9a-f]{16}(?![0-9a-f])` +
    ")",
  "i",
);

/** Every pattern has bounded repetitions only, so each reads the text in linear time. */
export function addKindsByForm(text: string, kinds: Set<CardDataKind>): void {
  if (text.includes("^") && TRACK_1.test(text)) kinds.add("TRACK");
  if (text.includes("=") && TRACK_2.test(text)) kinds.add("TRACK");
  if (CVV.test(text)) kinds.add("CVV");
  if (PIN.test(text)) kinds.add("PIN");
  if (/5[7A]/i.test(text)) addChipKinds(text, kinds);
}

/** Chip data as hexadecimal TLV (EMV Book 3): tag 57 holds track 2, tag 5A the card number, each behind its length. */
function addChipKinds(text: string, kinds: Set<CardDataKind>): void {
  for (const { 1: pan = "" } of text.matchAll(/57(?:0[89A-F]|1[0-3])(\d{12,19})D\d\d(?:0[1-9]|1[0-2])/gi)) {
    if (isCardNumber(pan)) kinds.add("PAN").add("TRACK");
  }
  for (const { index, 1: bytes = "" } of text.matchAll(/5A0([6-9A])(?=\d{12})/gi)) {
    const value = text.slice(index + 4, index + 4 + 2 * Number.parseInt(bytes, 16));
    if (isCardNumber(value.replace(/F$/i, ""))) kinds.add("PAN");
  }
}

// ---------------------------------------------------------------------------------------------- escapes

const ESCAPES =
  /(?:%[0-9a-f]{2})+|%u[0-9a-f]{4}|&(?:#\d{1,7}|#x[0-9a-f]{1,6}|[a-z]{2,8}(?=;));?|\\(?:u[0-9a-f]{4}|x[0-9a-f]{2}|[nrtbf/"\\])/gi;

/** The text with its percent-encoding, HTML entities and backslash escapes decoded, once. */
export function decodedOnce(text: string): string {
  return /[%&\\]/.test(text) ? text.replace(ESCAPES, decodedEscape) : text;
}

function decodedEscape(written: string): string {
  if (written.startsWith("%") && !/^%u/i.test(written)) return decodedBytes(written);
  if (written.startsWith("&") && !written.startsWith("&#"))
    return ENTITIES.get(written.slice(1, -1).toLowerCase()) ?? written;
  if (written.startsWith("\\") && written.length === 2) return BACKSLASHED[written.slice(1)] ?? written.slice(1);
  const decimal = /^&#(\d+)/.exec(written)?.[1];
  const code =
    decimal === undefined ? Number.parseInt(written.replace(/^(?:%u|&#x|\\u|\\x)/i, ""), 16) : Number(decimal);
  return code <= 0x10ffff ? String.fromCodePoint(code) : written;
}

const BACKSLASHED: Readonly<Record<string, string>> = { n: "\n", r: "\r", t: "\t", b: "\b", f: "\f" };

/** The entities of HTML that can be between two digits of a number, or hide another escape. */
const ENTITIES: ReadonlyMap<string, string> = new Map(
  Object.entries({
    " ": "nbsp ensp emsp thinsp hairsp numsp puncsp tab newline",
    "-": "hyphen dash ndash mdash minus horbar",
    "\u00ad": "shy zwj zwnj nobreak",
    "&": "amp",
    '"': "quot",
    "'": "apos",
    "/": "sol",
    "\\": "bsol",
    ",": "comma",
    ":": "colon",
    ";": "semi",
    ".": "period",
    "+": "plus",
    "|": "vert verbar",
    _: "lowbar",
    "*": "ast midast",
    "\u2022": "bull middot",
    "%": "percnt",
    "=": "equals",
    "^": "hat",
  }).flatMap(([character, names]) => names.split(" ").map((name) => [name, character] as const)),
);

const UTF8 = new TextDecoder();

function decodedBytes(escapes: string): string {
  if (escapes.length === 3) {
    const byte = Number.parseInt(escapes.slice(1), 16);
    return byte < 0x80 ? String.fromCharCode(byte) : "\ufffd";
  }
  return UTF8.decode(Buffer.from(escapes.replaceAll("%", ""), "hex"));
}
