/** JSON whose numbers stay as they were written: `1.10` is not `1.1`, and no digit of a long number is lost to a float. */

import { isLosslessNumber, parse } from "lossless-json";
import { canonicalJson } from "./canonical-json";

/** The parsed text, with `LosslessNumber` for numbers; undefined when it is no JSON or names a key twice. */
export function parseExactJson(text: string): unknown {
  try {
    return parse(text);
  } catch {
    return undefined;
  }
}

/** The same value with every number as its text: what the card-data scan and the schemas look at. */
export function numbersAsText(value: unknown): unknown {
  if (isLosslessNumber(value)) return value.value;
  if (Array.isArray(value)) return value.map(numbersAsText);
  if (typeof value !== "object" || value === null) return value;
  return withEachMember(value, numbersAsText);
}

/** Canonical JSON (sorted keys, no white space) in which numbers keep the digits of their source. */
export function exactJsonText(value: unknown): string {
  if (isLosslessNumber(value)) return value.value;
  if (Array.isArray(value)) return `[${value.map(exactJsonText).join(",")}]`;
  if (typeof value !== "object" || value === null) return canonicalJson(value);
  const members = Object.keys(value).sort();
  const texts = members.map((key) => `${canonicalJson(key)}:${exactJsonText((value as Record<string, unknown>)[key])}`);
  return `{${texts.join(",")}}`;
}

/** Defines members one by one: assigning a key named `__proto__` would set the prototype and drop the member. */
function withEachMember(value: object, change: (member: unknown) => unknown): object {
  return Object.fromEntries(Object.entries(value).map(([key, member]) => [key, change(member)]));
}
