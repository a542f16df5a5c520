/**
 * What a log entry says of a record's content: a hash over the record exactly as it is stored, ciphertext included, and
 * over the random salt stored with it. Who has the record can check it; who has only the log learns nothing about it.
 */

import { hash } from "node:crypto";
import type { LogicalTableName } from "../../contract";
import type { ItemJson } from "./attribute-value";
import { canonicalJson } from "./canonical-json";

const FORMAT = "payment-ledger/commitment/1";
export const SALT_ATTRIBUTE = "Salt";

/**
 * SHA-256, in base64url, over the canonical JSON (RFC 8785) of [format, salt or null, logical table, item without its salt].
 * The members of sets are sorted, because DynamoDB promises no order for them.
 * @throws CanonicalJsonError for an item that has no canonical form (a lone surrogate, too deep).
 */
export function commitmentOf(table: LogicalTableName, item: ItemJson): string {
  const salt = saltOf(item);
  const saltJson = salt === undefined ? "null" : textJson(salt);
  return hash("sha256", `["${FORMAT}",${saltJson},"${table}",${itemJson(item, salt !== undefined)}]`, "base64url");
}

/** Undefined for an item that no function of the ledger wrote: its `Salt` is missing or no binary value. */
function saltOf(item: ItemJson): string | undefined {
  const attribute = item[SALT_ATTRIBUTE];
  const salt = onlyType(attribute) === "B" ? (attribute as { readonly B: unknown }).B : undefined;
  return typeof salt === "string" ? salt : undefined;
}

/** Written out for the attribute types that records consist of; a million of them are hashed in one verification. */
function itemJson(item: ItemJson, salted: boolean): string {
  let text = "{";
  for (const name of Object.keys(item).sort()) {
    if (salted && name === SALT_ATTRIBUTE) continue;
    text += `${text.length === 1 ? "" : ","}${textJson(name)}:${attributeJson(item[name])}`;
  }
  return `${text}}`;
}

function attributeJson(attribute: object | undefined): string {
  const type = onlyType(attribute);
  const value = type === undefined ? undefined : (attribute as Readonly<Record<string, unknown>>)[type];
  if (typeof value === "string" && (type === "S" || type === "N" || type === "B")) {
    return `{"${type}":${textJson(value)}}`;
  }
  return canonicalJson(sorted(attribute));
}

/** The only member's name, or undefined when the number of members is not one. */
function onlyType(attribute: object | undefined): string | undefined {
  let only: string | undefined;
  for (const type in attribute) {
    if (only !== undefined) return undefined;
    only = type;
  }
  return only;
}

const SETS: ReadonlySet<string> = new Set(["SS", "NS", "BS"]);

/** The same attribute with every set in it sorted by UTF-16 code units. */
function sorted(value: unknown): unknown {
  if (Array.isArray(value)) return value.map(sorted);
  if (typeof value !== "object" || value === null) return value;
  const members = Object.entries(value).map(([name, member]) => {
    const isSet = SETS.has(name) && Array.isArray(member) && member.every((each) => typeof each === "string");
    return [name, isSet ? [...member].sort() : sorted(member)] as const;
  });
  return Object.fromEntries(members);
}

/** Text in which JSON escapes nothing is its own canonical form; anything else takes the long way. */
const PLAIN = /^[\x20\x21\x23-\x5b\x5d-\x7e]*$/;

function textJson(text: string): string {
  return PLAIN.test(text) ? `"${text}"` : canonicalJson(text);
}
