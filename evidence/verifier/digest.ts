/**
 * What a verification needs of an item: which record it is, its version, and its commitment. Items come parsed, or as the
 * JSON text in which an export holds them: that of an ordinary record needs no parsing to be put into its canonical form,
 * and a million of them take half the time.
 */

import { hash } from "node:crypto";
import type { LogicalTableName } from "../../contract";
import { commitmentOf, type ItemJson } from "../../ledger/rules/commitment";
import { keyValuesOf, versionOf } from "../log/identity";
import { ItemTemplate, type TemplateMatch, timeNames } from "./item-templates";

export interface Digest {
  /** The values of the key attributes, a newline between them. */
  readonly keyText: string;
  readonly version: string;
  readonly commitment: string;
  /** When the ledger wrote it last, as it says; empty when it does not. */
  readonly writtenAt: string;
}

/** It is no item at all, so nothing can be said about it. */
export class ItemError extends Error {
  override readonly name = "ItemError";
}

/** No item is longer, but for escapes; a pattern would need memory by its length. */
const PLAIN_CHARACTERS_MAX = 512 * 1024;
/** Enough for the forms that records have; each further form is parsed. */
const TEMPLATES_MAX = 64;

export class ItemDigester {
  /** The last used first. */
  private readonly templates: ItemTemplate[] = [];

  constructor(private readonly table: LogicalTableName) {}

  /** @throws ItemError for what is no item. */
  take(item: ItemJson | string): Digest {
    if (typeof item !== "string") return this.parsed(item);
    return this.plain(item) ?? this.parsed(parseItem(item));
  }

  private parsed(item: ItemJson): Digest {
    try {
      const commitment = commitmentOf(this.table, item);
      const keyText = keyValuesOf(this.table, item).join("\n");
      return { keyText, version: versionOf(item), commitment, writtenAt: writtenAtOf(this.table, item) };
    } catch {
      throw new ItemError(
        "It has no canonical form: a text in it is no well-formed Unicode, or it is nested too deep.",
      );
    }
  }

  /** The same from the text alone; undefined where that cannot be done. */
  private plain(text: string): Digest | undefined {
    if (text.length > PLAIN_CHARACTERS_MAX) return undefined;
    // A half of a surrogate pair has no UTF-8 form to hash.
    if (!text.isWellFormed()) return undefined;
    const match = this.match(text);
    if (match === undefined) return undefined;
    const { salt, content, keyText, version, writtenAt } = match;
    const canonical = `["payment-ledger/commitment/1",${salt},"${this.table}",{${content}}]`;
    return { keyText, version, commitment: hash("sha256", canonical, "base64url"), writtenAt };
  }

  private match(text: string): TemplateMatch | undefined {
    for (const [at, template] of this.templates.entries()) {
      const match = template.match(text);
      if (match === undefined) continue;
      if (at > 0) this.templates.unshift(...this.templates.splice(at, 1));
      return match;
    }
    const template = this.templates.length < TEMPLATES_MAX ? ItemTemplate.from(text, this.table) : undefined;
    if (template !== undefined) this.templates.unshift(template);
    return template?.match(text);
  }
}

function writtenAtOf(table: LogicalTableName, item: ItemJson): string {
  return (
    timeNames(table)
      .map((name) => textAttribute(item, name))
      .find((time) => time !== undefined) ?? ""
  );
}

export function textAttribute(item: ItemJson, name: string): string | undefined {
  const { S } = (item[name] ?? {}) as Readonly<Record<string, unknown>>;
  return typeof S === "string" ? S : undefined;
}

/** @throws ItemError */
export function parseItem(text: string): ItemJson {
  const item = parseStrictly(text);
  if (!isItem(item)) throw new ItemError("It is no item in typed DynamoDB JSON.");
  return item;
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
