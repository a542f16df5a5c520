/**
 * Items of one table mostly have the same attributes in the same order. From one such text a template is learnt, which
 * takes all texts that differ from it in their values only, and puts them into their canonical form without parsing them.
 */

import type { LogicalTableName } from "../../contract";
import { tableContract } from "../log/identity";

/** What a template finds in a text. */
export interface TemplateMatch {
  /** As the commitment has them: the salt as JSON text or `null`, the other attributes in canonical form. */
  readonly salt: string;
  readonly content: string;
  readonly keyText: string;
  readonly version: string;
  /** When the ledger wrote it last, as it says; empty when it does not. */
  readonly writtenAt: string;
  /** What its WRITE record is named from, where that is not the partition key. */
  readonly writtenAs?: string;
}

const NAME = '"[A-Za-z0-9_.-]+"';
/** A text as canonical JSON writes it: with the short escapes only. */
const TEXT = '[^"\\\\\\x00-\\x1f]*(?:\\\\["\\\\bfnrt][^"\\\\\\x00-\\x1f]*)*';
const VALUE = `\\{"[SNB]":"${TEXT}"\\}`;
const MEMBER = `${NAME}:${VALUE}`;
const MEMBERS = new RegExp(MEMBER, "g");
/** Texts, numbers and binaries, and maps of these. */
const ATTRIBUTES = new RegExp(`${NAME}:(?:${VALUE}|\\{"M":\\{(?:${MEMBER},?)*\\}\\})`, "g");
/** Far more than a record has; a pattern of as many as fit an item would be too large. */
const ATTRIBUTES_MAX = 200;
const MAP = '{"M":{';
const VALUE_START = /^"([^"]+)":\{"[SNB]":"/;
const SALT = '"Salt":{"B":"';
const VERSION = '"Version":{"N":"';

/** A text, or the number of the value in its place. */
type Token = string | number;

interface AttributePattern {
  readonly name: string;
  /** Of a regular expression; each value is a group. */
  readonly pattern: string;
  /** In canonical form. */
  readonly tokens: readonly Token[];
}

interface ValuePositions {
  readonly salt: number;
  readonly version: number;
  readonly writtenAt: number;
  /** Undefined in a table whose WRITE records are named from the partition key. */
  readonly writtenAs: number | undefined;
  readonly keys: readonly number[];
}

export class ItemTemplate {
  private constructor(
    private readonly pattern: RegExp,
    /** In canonical order: a text, then the value behind it. */
    private readonly parts: readonly { readonly before: string; readonly value: number }[],
    private readonly end: string,
    /** Numbers of values; 0 for none. */
    private readonly places: ValuePositions,
  ) {}

  /** Undefined where the text is not of the kind that can be learnt from. */
  static from(text: string, table: LogicalTableName): ItemTemplate | undefined {
    const attributes = text.startsWith("{") && text.endsWith("}") ? listOf(text.slice(1, -1), ATTRIBUTES) : undefined;
    if (attributes === undefined || attributes.length > ATTRIBUTES_MAX) return undefined;
    const groups = new Map<string, number>();
    const learnt = allDistinct(attributes.map((attribute) => learnAttribute(attribute, groups)));
    if (learnt === undefined) return undefined;
    const keys = keyStarts(table).map((start) => groups.get(start) ?? 0);
    if (keys.includes(0)) return undefined;
    const [salt, version] = [groups.get(SALT) ?? 0, groups.get(VERSION) ?? 0];
    const writtenAt =
      timeNames(table)
        .map((name) => groups.get(`"${name}":{"S":"`))
        .find((place) => place !== undefined) ?? 0;
    const named = writtenAsName(table);
    const writtenAs = named === undefined ? undefined : (groups.get(`"${named}":{"S":"`) ?? 0);
    const sealed = sortedByName(learnt).filter(({ tokens }) => salt === 0 || !tokens.includes(salt));
    const { parts, end } = partsOf(joined(sealed));
    const pattern = new RegExp(`^\\{${learnt.map((each) => each.pattern).join(",")}\\}$`);
    return new ItemTemplate(pattern, parts, end, { salt, version, writtenAt, writtenAs, keys });
  }

  match(text: string): TemplateMatch | undefined {
    const values = this.pattern.exec(text);
    if (values === null) return undefined;
    const { salt, version, writtenAt, writtenAs, keys } = this.places;
    let keyText = values[keys[0] ?? 0] ?? "";
    for (let part = 1; part < keys.length; part++) keyText += `\n${values[keys[part] ?? 0]}`;
    const versionText = version === 0 ? "1" : (values[version] ?? "");
    const time = writtenAt === 0 ? "" : (values[writtenAt] ?? "");
    const named = writtenAs === undefined ? undefined : writtenAs === 0 ? "" : (values[writtenAs] ?? "");
    // A text with an escape has another value than its characters.
    if ([keyText, versionText, time, named].some((each) => each?.includes("\\"))) return undefined;
    let content = "";
    for (const { before, value } of this.parts) content += before + values[value];
    content += this.end;
    return {
      salt: salt === 0 ? "null" : `"${values[salt]}"`,
      content,
      keyText,
      version: versionText,
      writtenAt: time,
      ...(named === undefined ? {} : { writtenAs: named }),
    };
  }
}

/** The parts of a list with commas between them; undefined when there is anything else in it. */
function listOf(text: string, each: RegExp): string[] | undefined {
  const found: string[] = text.match(each) ?? [];
  return found.join(",") === text ? found : undefined;
}

/** @param groups numbers of the values learnt so far, by the text before them. */
function learnAttribute(attribute: string, groups: Map<string, number>): AttributePattern | undefined {
  if (VALUE_START.test(attribute)) return learnValue(attribute, groups, "");
  const start = attribute.slice(0, attribute.indexOf(MAP) + MAP.length);
  const found = listOf(attribute.slice(start.length, -2), MEMBERS) ?? [undefined];
  const members = allDistinct(found.map((each) => each && learnValue(each, groups, start)));
  if (members === undefined) return undefined;
  return {
    name: start.slice(1, start.indexOf('"', 1)),
    pattern: `${literal(start)}${members.map(({ pattern }) => pattern).join(",")}\\}\\}`,
    tokens: [start, ...joined(sortedByName(members)), "}}"],
  };
}

function learnValue(member: string, groups: Map<string, number>, within: string): AttributePattern {
  const [start = "", name = ""] = VALUE_START.exec(member) ?? [];
  const group = groups.size + 1;
  groups.set(`${within}${start}`, group);
  return { name, pattern: `${literal(start)}(${TEXT})"\\}`, tokens: [start, group, '"}'] };
}

function literal(text: string): string {
  return text.replaceAll(/[.{}]/g, "\\$&");
}

/** Undefined when one could not be learnt, or two have the same name. */
function allDistinct(learnt: readonly (AttributePattern | "" | undefined)[]): AttributePattern[] | undefined {
  const all = learnt.filter((each) => each !== undefined && each !== "");
  return new Set(all.map(({ name }) => name)).size === learnt.length ? all : undefined;
}

function sortedByName(learnt: readonly AttributePattern[]): AttributePattern[] {
  return learnt.toSorted((a, b) => (a.name < b.name ? -1 : 1));
}

function joined(learnt: readonly AttributePattern[]): Token[] {
  return learnt.flatMap(({ tokens }, at) => (at === 0 ? tokens : [",", ...tokens]));
}

function partsOf(tokens: readonly Token[]) {
  const parts: { before: string; value: number }[] = [];
  let open = "";
  for (const token of tokens) {
    if (typeof token === "string") {
      open += token;
      continue;
    }
    parts.push({ before: open, value: token });
    open = "";
  }
  return { parts, end: open };
}

/** The attributes that say when a record was written, the one that counts first. */
export function timeNames(table: LogicalTableName): readonly string[] {
  return ["StatusChangedAt", tableContract(table).recordedAt];
}

/** The attribute from which an item's WRITE record is named; undefined where that is the partition key. */
export function writtenAsName(table: LogicalTableName): string | undefined {
  const shape = tableContract(table);
  return "writtenAs" in shape ? shape.writtenAs : undefined;
}

function keyStarts(table: LogicalTableName): string[] {
  const shape = tableContract(table);
  const partition = `"${shape.partitionKey}":{"S":"`;
  return "sortKey" in shape ? [partition, `"${shape.sortKey.name}":{"${shape.sortKey.type}":"`] : [partition];
}
