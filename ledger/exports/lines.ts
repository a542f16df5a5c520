/** One line of an export's data file: JSON without a member that is named twice, and the items in it. */

import { CodedError } from "../../contract";
import type { ItemJson } from "../rules/attribute-value";

/** It is no item at all, so nothing can be said about it. */
export class ItemError extends CodedError<"BAD_ITEM"> {
  override readonly name = "ItemError";

  constructor(message: string) {
    super("BAD_ITEM", message);
  }
}

/** What a line says of one item: a full export tells it as it is, an incremental one before and after its window. */
export interface ExportedChange {
  /** Of an incremental export: the item's key attributes. */
  readonly keys?: ItemJson;
  readonly now?: ItemJson;
  readonly before?: ItemJson;
  /** Of an incremental export, unchanged. */
  readonly metadata?: unknown;
}

/** @throws ItemError for what is not a line of such an export. */
export function parseExportLine(text: string, kind: "full" | "incremental"): ExportedChange {
  const line = parseStrictly(text);
  if (!isObject(line)) throw new ItemError("The line is not a JSON object.");
  return kind === "full" ? fullLine(line) : incrementalLine(line);
}

function fullLine({ Item }: Readonly<Record<string, unknown>>): ExportedChange {
  if (!isItem(Item)) throw new ItemError("The line holds no item in typed DynamoDB JSON.");
  return { now: Item };
}

/** The documentation names the key `Key`, the service writes `Keys`. */
function incrementalLine(line: Readonly<Record<string, unknown>>): ExportedChange {
  const { Key, Keys: keys = Key, NewImage, OldImage, Metadata: metadata } = line;
  if (!isItem(keys)) throw new ItemError("The line has no Keys in typed DynamoDB JSON.");
  const [now, before] = [NewImage, OldImage].map((image) => imageOf(image, keys));
  return { keys, ...(now && { now }), ...(before && { before }), metadata };
}

function imageOf(image: unknown, keys: ItemJson): ItemJson | undefined {
  if (image === undefined) return undefined;
  if (!isItem(image)) throw new ItemError("An image of the line is no item in typed DynamoDB JSON.");
  const isOfKey = Object.entries(keys).every(([name, value]) => JSON.stringify(image[name]) === JSON.stringify(value));
  if (!isOfKey) throw new ItemError("An image of the line has another key than the line.");
  return image;
}

/** @throws ItemError, too, for an object that names a member twice: others may read another of the two. */
export function parseStrictly(text: string): unknown {
  let value: unknown;
  try {
    value = JSON.parse(text);
  } catch {
    throw new ItemError("It is no JSON.");
  }
  if (namesIn(text) !== membersIn(value, LEVELS_MAX)) throw new ItemError("It names a member twice.");
  return value;
}

export function isItem(value: unknown): value is ItemJson {
  return isObject(value) && Object.values(value).every(isObject);
}

function isObject(value: unknown): value is Readonly<Record<string, unknown>> {
  return typeof value === "object" && value !== null && !Array.isArray(value);
}

const BACKSLASH = 0x5c;
const COLON = 0x3a;

/** How many names of members a JSON text writes; parsing keeps only the last of equal ones. Takes no pattern: one would need memory by the length of a text. */
function namesIn(text: string): number {
  let names = 0;
  for (let start = text.indexOf('"'); start >= 0; ) {
    const end = closingQuote(text, start);
    let after = end + 1;
    while (isSpace(text.charCodeAt(after))) after += 1;
    if (text.charCodeAt(after) === COLON) names += 1;
    start = text.indexOf('"', after);
  }
  return names;
}

/** Of the text that begins at this quote; the text was parsed, so there is one. */
function closingQuote(text: string, start: number): number {
  for (let end = text.indexOf('"', start + 1); end >= 0; end = text.indexOf('"', end + 1)) {
    let escapes = 0;
    while (text.charCodeAt(end - 1 - escapes) === BACKSLASH) escapes += 1;
    if (escapes % 2 === 0) return end;
  }
  return text.length;
}

/** What JSON takes for white space; false at the text's end. */
function isSpace(character: number): boolean {
  return character === 0x20 || character === 0x0a || character === 0x0d || character === 0x09;
}

/** DynamoDB nests 32 levels, each two in its JSON; deeper ones are refused when the item is committed to. */
const LEVELS_MAX = 200;

function membersIn(value: unknown, levels: number): number {
  if (typeof value !== "object" || value === null) return 0;
  if (levels === 0) throw new ItemError("It is nested deeper than any item.");
  const members = Array.isArray(value) ? 0 : Object.keys(value).length;
  return Object.values(value).reduce<number>((sum, member) => sum + membersIn(member, levels - 1), members);
}
