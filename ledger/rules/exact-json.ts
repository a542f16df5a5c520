/** JSON whose numbers stay as they were written: `1.10` is not `1.1`, and no digit of a long number is lost to a float. */

import { isLosslessNumber, parse } from "lossless-json";
import { canonicalJson } from "./canonical-json";

/** The parsed text, with `LosslessNumber` for numbers; undefined when it is no JSON or names a key twice. */
export function parseExactJson(text: string): unknown {
  try {
    const value = parse(text);
    // The parser lets a key pass that comes again with an equal value.
    return membersWritten(text) === membersOf(value) ? value : undefined;
  } catch {
    return undefined;
  }
}

/** Outside of its texts, JSON has one colon for each member. */
function membersWritten(text: string): number {
  return outsideOfTexts(text).split(":").length - 1;
}

function outsideOfTexts(json: string): string {
  return json.replace(/"[^"\\]*(?:\\.[^"\\]*)*"/g, "");
}

function membersOf(value: unknown): number {
  let count = 0;
  const open = [value];
  while (open.length > 0) {
    const next = open.pop();
    if (typeof next !== "object" || next === null || isLosslessNumber(next)) continue;
    const inside = Object.values(next);
    if (!Array.isArray(next)) count += inside.length;
    for (const each of inside) open.push(each);
  }
  return count;
}

/** Below this nothing is looked at any more: the card-data scan, for which this is made, refuses at half of it. */
const DEPTH_MAX = 128;

/** The same value with every number as its text: what the card-data scan and the schemas look at. */
export function numbersAsText(value: unknown): unknown {
  return withNumbers(value, (text) => text, 0);
}

/** The same value with floats, as a parser that makes floats has it. */
export function numbersAsFloats(value: unknown): unknown {
  return withNumbers(value, Number, 0);
}

function withNumbers(value: unknown, change: (text: string) => string | number, depth: number): unknown {
  if (isLosslessNumber(value)) return change(value.value);
  // The parser's stack reaches further than this recursion's, and a row must not be able to exhaust it.
  if (typeof value !== "object" || value === null || depth > DEPTH_MAX) return value;
  if (Array.isArray(value)) return value.map((element) => withNumbers(element, change, depth + 1));
  return withEachMember(value, (member) => withNumbers(member, change, depth + 1));
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

/**
 * Whether some number passed through a parser that makes floats and may have lost digits there: only whole numbers within
 * the safe range are sure to be what was written.
 */
export function holdsInexactNumber(value: unknown): boolean {
  if (typeof value === "number") return !Number.isSafeInteger(value);
  if (typeof value !== "object" || value === null || isLosslessNumber(value)) return false;
  return Object.values(value).some(holdsInexactNumber);
}

/** The numbers of a JSON text whose written form a float does not keep, as they were written. */
export function inexactNumbersIn(json: string): string[] {
  const numbers = outsideOfTexts(json).match(/-?\d+(?:\.\d+)?(?:[eE][+-]?\d+)?/g) ?? [];
  return numbers.filter((number) => String(Number(number)) !== number);
}
