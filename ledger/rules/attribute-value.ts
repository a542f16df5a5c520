/**
 * DynamoDB's ten attribute types. The ledger and the SDK hold binary values as bytes; exports and
 * streams are DynamoDB JSON, where they are base64. MACs and commitments are made over DynamoDB JSON.
 */

import { CodedError } from "../../contract";
import { canonicalJson, canonicalString } from "./canonical-json";

/** @typeParam Binary how a binary value is held. */
export type AttributeOf<Binary> =
  | { readonly S: string }
  | { readonly N: string }
  | { readonly B: Binary }
  | { readonly BOOL: boolean }
  | { readonly NULL: true }
  | { readonly M: { readonly [name: string]: AttributeOf<Binary> } }
  | { readonly L: readonly AttributeOf<Binary>[] }
  | { readonly SS: readonly string[] }
  | { readonly NS: readonly string[] }
  | { readonly BS: readonly Binary[] };

type ItemOf<Binary> = { readonly [name: string]: AttributeOf<Binary> };

/** An item in DynamoDB JSON, as it was read: only `isTypedItem` says whether its values are of DynamoDB's types. */
export type ItemJson = Readonly<Record<string, object>>;

/** The AWS SDK has read an item without one of its values: it loses that of an attribute named `__proto__`. */
export class UnreadableItemError extends CodedError<"ITEM_UNREADABLE"> {
  override readonly name = "UnreadableItemError";

  constructor() {
    super(
      "ITEM_UNREADABLE",
      "An item has an attribute named __proto__, whose value the AWS SDK loses. The ledger writes no attribute of this name. Find " +
        "the item (aws dynamodb scan with the filter attribute_exists), and find out in CloudTrail who wrote it.",
    );
  }
}

/** The item as a DynamoDB export writes it. @throws UnreadableItemError for an item that the SDK has not read whole. */
export function toItemJson(item: ItemOf<Uint8Array>): Record<string, object> {
  return convertedItem(item, base64);
}

/** The item with bytes for base64; undefined when a value is of no type that DynamoDB has. */
export function fromItemJson(json: ItemJson): ItemOf<Uint8Array> | undefined {
  return isTypedItem(json) ? convertedItem(json, (text) => Buffer.from(text, "base64")) : undefined;
}

/**
 * The same as canonical JSON (RFC 8785), written in one pass: `canonicalJson(toItemJson(item))` for every item of this type.
 * @throws CanonicalJsonError for a text that has no canonical form.
 */
export function itemText(item: ItemOf<Uint8Array>): string {
  let text = "";
  for (const name of Object.keys(item).sort()) {
    const value = item[name];
    if (value !== undefined) text += `${text === "" ? "" : ","}${canonicalString(name)}:${valueText(value)}`;
  }
  return `{${text}}`;
}

function valueText(value: AttributeOf<Uint8Array>): string {
  if ("S" in value) return `{"S":${canonicalString(value.S)}}`;
  if ("N" in value) return `{"N":${canonicalString(value.N)}}`;
  if ("B" in value) return `{"B":"${base64(value.B)}"}`;
  if ("M" in value) return `{"M":${itemText(value.M)}}`;
  return canonicalJson(converted(value, base64));
}

function base64(bytes: Uint8Array): string {
  return Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength).toString("base64");
}

function convertedItem<From, To>(item: ItemOf<From>, convert: (binary: From) => To): Record<string, AttributeOf<To>> {
  return Object.fromEntries(Object.entries(item).map(([name, value]) => [name, converted(value, convert)]));
}

function converted<From, To>(value: AttributeOf<From> | undefined, convert: (binary: From) => To): AttributeOf<To> {
  if (value === undefined) throw new UnreadableItemError();
  if ("B" in value) return { B: convert(value.B) };
  if ("BS" in value) return { BS: value.BS.map(convert) };
  if ("M" in value) return { M: convertedItem(value.M, convert) };
  if ("L" in value) return { L: value.L.map((element) => converted(element, convert)) };
  return value;
}

const NUMBER = /^-?[0-9]+(\.[0-9]+)?([eE][+-]?[0-9]+)?$/;
const BASE64 = /^[A-Za-z0-9+/]*={0,2}$/;
/** DynamoDB nests 32 levels. */
const LEVELS_MAX = 32;

/** Whether every value has exactly one of the ten types and is what that type holds. */
export function isTypedItem(value: unknown, levels = LEVELS_MAX): value is ItemOf<string> {
  return isObject(value) && Object.values(value).every((attribute) => isTyped(attribute, levels));
}

function isTyped(attribute: unknown, levels: number): boolean {
  if (!isObject(attribute) || levels < 0) return false;
  const [only, ...others] = Object.entries(attribute);
  if (only === undefined || others.length > 0) return false;
  const [type, value] = only;
  switch (type) {
    case "S":
      return typeof value === "string";
    case "N":
      return isNumber(value);
    case "B":
      return isBase64(value);
    case "BOOL":
      return typeof value === "boolean";
    case "NULL":
      return value === true;
    case "M":
      return isTypedItem(value, levels - 1);
    case "L":
      return Array.isArray(value) && value.every((member) => isTyped(member, levels - 1));
    case "SS":
      return isSet(value, (member) => typeof member === "string");
    case "NS":
      return isSet(value, isNumber);
    case "BS":
      return isSet(value, isBase64);
    default:
      return false;
  }
}

function isSet(value: unknown, fits: (member: unknown) => boolean): boolean {
  return Array.isArray(value) && value.length > 0 && value.every(fits);
}

function isNumber(value: unknown): boolean {
  return typeof value === "string" && NUMBER.test(value);
}

function isBase64(value: unknown): boolean {
  return typeof value === "string" && value.length % 4 === 0 && BASE64.test(value);
}

function isObject(value: unknown): value is Readonly<Record<string, unknown>> {
  return typeof value === "object" && value !== null && !Array.isArray(value);
}
