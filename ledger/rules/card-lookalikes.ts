/** What looks like a card number and is something else, told by its own form and check digits. */

/** RFC 9562 with a version and a variant that exist, and no hexadecimal digit on either side. */
const UUID = /(?<![0-9a-f])[0-9a-f]{8}-[0-9a-f]{4}-[1-8][0-9a-f]{3}-[89ab][0-9a-f]{3}-[0-9a-f]{12}(?![0-9a-f])/gi;
const UUID_LENGTH = 36;

/** The text with a letter for each UUID in it. */
export function withoutUuids(text: string): string {
  return text.length < UUID_LENGTH || !text.includes("-") ? text : text.replace(UUID, "u");
}

/** A whole ISO 8601 date and time. The fraction is bounded: nothing measures more than nanoseconds. */
export function isTimestamp(text: string): boolean {
  return TIMESTAMP.test(text);
}

const TIMESTAMP =
  /^(?:19|2\d)\d\d-?(?:0[1-9]|1[0-2])-?(?:0[1-9]|[12]\d|3[01])[T ](?:[01]\d|2[0-4]):?[0-5]\d(?::?[0-5]\d|:?60)?(?:[.,]\d{1,9})?(?:Z|[+-](?:[01]\d|2[0-3])(?::?[0-5]\d)?)?$/i;

/** A whole decimal number below 1,000, such as an exchange rate. Its fraction is no part of a card number. */
export function isSmallDecimal(text: string): boolean {
  return /^[+-]?\d{1,3}\.\d{1,30}$/.test(text);
}

/** Whether the digits from `start` follow a `0.` that is not itself the end of a longer number. */
export function isFraction(text: string, start: number): boolean {
  return text[start - 1] === "." && text[start - 2] === "0" && !/[\d.]/.test(text[start - 3] ?? "");
}

/** Thirteen digits are the longest telephone numbers in common use; only Visa and Maestro are that short. */
const TELEPHONE_DIGITS_MAX = 13;

/** Whether a plus sign makes it a telephone number. After a letter or digit it is the code of a space in a web form. */
export function isTelephone(text: string, start: number, length: number): boolean {
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
/** The longest IBAN, in groups of four. */
const IBAN_WRITTEN_MAX = 33 + 8;
const IBAN_START = /(?<![A-Za-z0-9])[A-Z]{2}(?=\d\d)/gi;

/** Whether the digits from `start` to `end` lie within an IBAN, written in one piece or in groups. */
export function isInIban(text: string, start: number, end: number): boolean {
  const from = Math.max(0, start - IBAN_WRITTEN_MAX);
  for (const { index } of text.slice(from, start + 2).matchAll(IBAN_START)) {
    if (from + index < start && ibanEnd(text, from + index) >= end) return true;
  }
  return false;
}

/** Where the IBAN that begins there ends; 0 when none does. */
function ibanEnd(text: string, start: number): number {
  const length = IBAN_LENGTHS.get(text.slice(start, start + 2).toUpperCase()) ?? 0;
  let iban = "";
  let at = start;
  while (iban.length < length) {
    const word = /^[A-Z0-9]+/i.exec(text.slice(at, at + length - iban.length))?.[0] ?? "";
    if (word === "") return 0;
    iban += word.toUpperCase();
    at += word.length;
    if (iban.length < length && text[at] === " ") at++;
  }
  const isWhole = length > 0 && !/[A-Z0-9]/i.test(text[at] ?? "");
  return isWhole && hasIbanCheckDigits(iban) ? at : 0;
}

/** ISO 7064 MOD 97-10 over the IBAN with its first four characters moved to its end, letters counting from 10. */
function hasIbanCheckDigits(iban: string): boolean {
  let rest = 0;
  for (const character of iban.slice(4) + iban.slice(0, 4)) {
    const value = Number.parseInt(character, 36);
    rest = (rest * (value > 9 ? 100 : 10) + value) % 97;
  }
  return rest === 1;
}

const GS1_NAME =
  /^(?:[a-z]*(?:product|item|article|sku))?(?:ean|gtin|upca?|barcode)(?:8|12|13|14)?(?:code|number|no)?$/;
const TELEPHONE_NAME = /^(?:[a-z]*(?:phone|mobile|msisdn|whatsapp)|tel|fax)(?:number|no)?$/;

/**
 * Whether a field holds an article number or a telephone number by its name and its form. Both can have 13 digits that
 * begin with 4, as one in ten German articles and every German mobile number has.
 *
 * @param name in lower case, letters and digits only.
 */
export function isNamedNumber(name: string, value: string): boolean {
  if (GS1_NAME.test(name)) return hasGs1CheckDigit(value);
  return TELEPHONE_NAME.test(name) && /^\+?[\d ()./-]+$/.test(value) && digitCount(value) <= TELEPHONE_DIGITS_MAX;
}

function digitCount(text: string): number {
  return text.replace(/\D/g, "").length;
}

/** GTIN-8, -12, -13 or -14 of the GS1 General Specifications: weights 3 and 1 from the right. */
function hasGs1CheckDigit(text: string): boolean {
  if (!/^(?:\d{8}|\d{12,14})$/.test(text)) return false;
  const digits = [...text].reverse().map(Number);
  return digits.reduce((sum, digit, index) => sum + digit * (index % 2 === 1 ? 3 : 1), 0) % 10 === 0;
}
