/** Values of rows as older systems stored them, in the forms that the ledger takes: exact decimals, moments in UTC, JSON. */

import { isLosslessNumber, LosslessNumber } from "lossless-json";
import type { AttributeOf } from "../../ledger/rules/attribute-value";

/** A row by its column names: texts, numbers with their digits, lists and objects of them, and bytes of binary attributes. */
export type Fields = Readonly<Record<string, unknown>>;

/** What a DynamoDB attribute says. Numbers keep their digits; sets become lists. */
function plainValue(value: AttributeOf<Uint8Array>): unknown {
  if ("S" in value) return value.S;
  if ("N" in value) return new LosslessNumber(value.N);
  if ("B" in value) return value.B;
  if ("BOOL" in value) return value.BOOL;
  if ("NULL" in value) return null;
  if ("L" in value) return value.L.map(plainValue);
  if ("M" in value) return plainFields(value.M);
  if ("SS" in value) return value.SS;
  return "NS" in value ? value.NS.map((digits) => new LosslessNumber(digits)) : value.BS;
}

export function plainFields(item: Readonly<Record<string, AttributeOf<Uint8Array>>>): Record<string, unknown> {
  return Object.fromEntries(Object.entries(item).map(([name, value]) => [name, plainValue(value)]));
}

/** An exponent beyond this is no amount of money; it stays as it is, and the ledger refuses it. */
const EXPONENT_MAX = 40;

/** The digits of a number without an exponent, or the text itself. Anything else stays as it is, for the ledger to judge. */
export function withoutExponent(value: unknown): unknown {
  if (!isLosslessNumber(value)) return value;
  const [, sign = "", whole = "", fraction = "", exponentText = "0"] =
    /^(-?)([0-9]+)(?:\.([0-9]+))?(?:[eE]([+-]?[0-9]+))?$/.exec(value.value) ?? [];
  const exponent = Number(exponentText);
  if (whole === "" || Math.abs(exponent) > EXPONENT_MAX) return value.value;
  const digits = `${"0".repeat(EXPONENT_MAX)}${whole}${fraction}${"0".repeat(EXPONENT_MAX)}`;
  const point = EXPONENT_MAX + whole.length + exponent;
  const wholePart = digits.slice(0, point).replace(/^0+(?=[0-9])/, "");
  const decimals = digits.slice(point, point + Math.max(fraction.length - exponent, 0));
  return `${sign}${wholePart}${decimals === "" ? "" : `.${decimals}`}`;
}

const WITHOUT_OFFSET = /^[0-9]{4}-[0-9]{2}-[0-9]{2}[T ][0-9]{2}:[0-9]{2}:[0-9]{2}(?:\.[0-9]{1,9})?$/;
const SECONDS = /^([0-9]{9,10})(?:\.([0-9]+))?$/;
const MILLISECONDS = /^[0-9]{12,13}$/;

/**
 * A moment as ISO 8601 with an offset. Taken are seconds and milliseconds since 1970, and a time without an offset, which is
 * read as UTC. Anything else stays as it is, for the ledger to judge.
 */
export function momentText(value: unknown): unknown {
  const text = isLosslessNumber(value) ? value.value : value;
  if (typeof text !== "string") return value;
  if (MILLISECONDS.test(text)) return new Date(Number(text)).toISOString();
  const [, seconds, fraction = ""] = SECONDS.exec(text) ?? [];
  if (seconds !== undefined) return new Date(Number(`${seconds}${fraction.padEnd(3, "0").slice(0, 3)}`)).toISOString();
  return WITHOUT_OFFSET.test(text) ? `${text.replace(" ", "T")}Z` : text;
}

/** As JSON that loses no digit: a number that a float cannot hold becomes a text. */
export function jsonValue(value: unknown): unknown {
  if (isLosslessNumber(value)) {
    const number = Number(value.value);
    return Number.isSafeInteger(number) && String(number) === value.value ? number : value.value;
  }
  if (Array.isArray(value)) return value.map(jsonValue);
  if (typeof value !== "object" || value === null || value instanceof Uint8Array) return value;
  return Object.fromEntries(Object.entries(value).map(([name, each]) => [name, jsonValue(each)]));
}

/** The names of the fields that hold bytes, at any depth. */
export function binaryFields(fields: Fields): string[] {
  return Object.keys(fields).filter((name) => holdsBytes(fields[name]));
}

function holdsBytes(value: unknown): boolean {
  if (value instanceof Uint8Array) return true;
  if (typeof value !== "object" || value === null || isLosslessNumber(value)) return false;
  return Object.values(value).some(holdsBytes);
}
