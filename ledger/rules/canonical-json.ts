/**
 * Canonical JSON by RFC 8785 (JCS): one text for each value, so that hashing and MACs do not depend on
 * key order or white space. Used for record MACs, content MACs, audit ids and log entries.
 */

import { CodedError } from "../../contract";

export type JsonValue = string | number | boolean | null | readonly JsonValue[] | { readonly [key: string]: JsonValue };
export type JsonObject = { readonly [key: string]: JsonValue };

export class CanonicalJsonError extends CodedError<"NOT_CANONICAL_JSON"> {
  override readonly name = "CanonicalJsonError";

  constructor(message: string) {
    super("NOT_CANONICAL_JSON", message);
  }
}

/**
 * Values nested deeper than this are refused: the recursion below must not exhaust the stack on hostile input. The bound
 * lies above what DynamoDB can hold (32 levels, each two in export form), so that a forged row is always checked.
 */
const DEPTH_MAX = 128;

/**
 * @throws CanonicalJsonError for what JSON cannot carry exactly: lone surrogates, NaN, infinities, undefined, functions,
 *   bigint, class instances. RFC 8785 section 3.2.2.2 demands the error for lone surrogates.
 */
export function canonicalJson(value: unknown): string {
  return write(value, 0);
}

function write(value: unknown, depth: number): string {
  if (depth > DEPTH_MAX)
    throw new CanonicalJsonError(`The value is nested deeper than ${DEPTH_MAX} levels; flatten it.`);
  switch (typeof value) {
    case "string":
      return canonicalString(value);
    case "boolean":
      return value ? "true" : "false";
    case "number":
      // ECMAScript's own number formatting is what RFC 8785 section 3.2.2.3 prescribes; -0 becomes "0" in both.
      if (!Number.isFinite(value))
        throw new CanonicalJsonError("A number is NaN or infinite; JSON has no such number.");
      return JSON.stringify(value);
    case "object":
      if (value === null) return "null";
      return Array.isArray(value) ? writeArray(value, depth) : writeObject(value, depth);
    default:
      throw new CanonicalJsonError(`A value of type ${typeof value} has no JSON form; convert it to text first.`);
  }
}

/** What JSON writes as it is: ASCII without quotes, backslashes and control characters. */
const PLAIN = /^[ !#-[\]-~]*$/;

/** @throws CanonicalJsonError for a lone surrogate. */
export function canonicalString(text: string): string {
  if (PLAIN.test(text)) return `"${text}"`;
  if (!text.isWellFormed()) throw new CanonicalJsonError("A text holds a lone surrogate; send well-formed Unicode.");
  return JSON.stringify(text);
}

function writeArray(elements: readonly unknown[], depth: number): string {
  let text = "";
  // By place: the holes of a sparse array are refused as undefined instead of written as nothing.
  for (let place = 0; place < elements.length; place++) {
    text += `${place === 0 ? "" : ","}${write(elements[place], depth + 1)}`;
  }
  return `[${text}]`;
}

function writeObject(value: object, depth: number): string {
  const prototype = Object.getPrototypeOf(value);
  if (prototype !== Object.prototype && prototype !== null) {
    throw new CanonicalJsonError("A value is an instance of a class; only plain objects have a canonical form.");
  }
  // JavaScript compares strings by UTF-16 code units, which is the order that RFC 8785 section 3.2.3 asks for.
  const members = value as Readonly<Record<string, unknown>>;
  let text = "";
  for (const name of Object.keys(members).sort()) {
    text += `${text === "" ? "" : ","}${canonicalString(name)}:${write(members[name], depth + 1)}`;
  }
  return `{${text}}`;
}
