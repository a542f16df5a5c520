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
/** The same without any: a text with an escape has another value than its characters. */
const UNESCAPED = '[^"\\\\\\x00-\\x1f]*';
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

/** A text, or the number of the group in its place. */
type Token = string | number;

/** Numbers of groups of the pattern; 0 for none. */
interface ValueGroups {
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
    /** In canonical order: a text, then the group behind it. */
    private readonly parts: readonly { readonly before: string; readonly group: number }[],
    private readonly end: string,
    private readonly groups: ValueGroups,
  ) {}

  /** Undefined where the text is not of the kind that can be learnt from. */
  static from(text: string, table: LogicalTableName): ItemTemplate | undefined {
    const attributes = text.startsWith("{") && text.endsWith("}") ? listOf(text.slice(1, -1), ATTRIBUTES) : undefined;
    if (attributes === undefined || attributes.length > ATTRIBUTES_MAX) return undefined;
    const names = attributes.map(nameIn);
    if (new Set(names).size < names.length) return undefined;
    const starts = startsOf(table);
    const learning = new PatternLearning(
      new Set([...starts.keys, SALT, VERSION, ...starts.times, ...starts.writtenAs]),
    );
    const sealed = attributes.filter((attribute) => !isSalt(attribute)).sort(byName);
    const [first] = sealed;
    const tokensOf = new Map<string, readonly Token[]>();
    const patterns = attributes.map((attribute, at) => {
      // With the comma before it a text is put in its place as one piece.
      const withComma = at > 0 && attribute !== first && !isSalt(attribute);
      const { pattern, tokens } = learning.attribute(attribute, withComma);
      tokensOf.set(attribute, attribute === first || withComma ? tokens : [",", ...tokens]);
      return at > 0 && !withComma ? `,${pattern}` : pattern;
    });
    const groups = groupsOf(starts, learning.values);
    if (learning.isRefused || groups.keys.includes(0)) return undefined;
    const { parts, end } = partsOf(sealed.flatMap((attribute) => tokensOf.get(attribute) ?? []));
    return new ItemTemplate(new RegExp(`^\\{${patterns.join("")}\\}$`), parts, end, groups);
  }

  match(text: string): TemplateMatch | undefined {
    const found = this.pattern.exec(text);
    if (found === null) return undefined;
    const { salt, version, writtenAt, writtenAs, keys } = this.groups;
    let keyText = found[keys[0] ?? 0] ?? "";
    for (let part = 1; part < keys.length; part++) keyText += `\n${found[keys[part] ?? 0]}`;
    let content = "";
    for (const { before, group } of this.parts) content += before === "" ? found[group] : before + found[group];
    const match = {
      salt: salt === 0 ? "null" : `"${found[salt]}"`,
      content: content + this.end,
      keyText,
      version: version === 0 ? "1" : (found[version] ?? ""),
      writtenAt: writtenAt === 0 ? "" : (found[writtenAt] ?? ""),
    };
    return writtenAs === undefined ? match : { ...match, writtenAs: writtenAs === 0 ? "" : (found[writtenAs] ?? "") };
  }
}

/** Makes the pattern of a template, attribute by attribute in the order of the text, and counts its groups. */
class PatternLearning {
  /** Groups of values, by the text before the value. */
  readonly values = new Map<string, number>();
  /** True once a map has two members of one name, or other values than texts, numbers and binaries. */
  isRefused = false;
  private count = 0;

  /** @param wanted texts before the values that are wanted apart. */
  constructor(private readonly wanted: ReadonlySet<string>) {}

  /** @returns the pattern of the attribute, and what it is in canonical form. */
  attribute(attribute: string, withComma: boolean): { readonly pattern: string; readonly tokens: readonly Token[] } {
    const comma = withComma ? "," : "";
    if (VALUE_START.test(attribute)) {
      const group = this.nextGroup();
      return { pattern: `(${comma}${this.value(attribute)})`, tokens: [group] };
    }
    const start = attribute.slice(0, attribute.indexOf(MAP) + MAP.length);
    const found = listOf(attribute.slice(start.length, -2), MEMBERS);
    const members = found ?? [];
    if (found === undefined || new Set(members.map(nameIn)).size < members.length) this.isRefused = true;
    const groups = new Map(members.map((member) => [member, this.nextGroup()]));
    const patterns = members.map((member) => `(${valuePattern(member, TEXT)})`);
    const pattern = `${comma}${literal(start)}${patterns.join(",")}\\}\\}`;
    const sorted = members.toSorted(byName).flatMap((member) => [",", groups.get(member) ?? 0]);
    return { pattern, tokens: [`${comma}${start}`, ...sorted.slice(1), "}}"] };
  }

  private value(attribute: string): string {
    const [start = ""] = VALUE_START.exec(attribute) ?? [];
    if (!this.wanted.has(start)) return valuePattern(attribute, TEXT);
    this.values.set(start, this.nextGroup());
    return valuePattern(attribute, `(${UNESCAPED})`);
  }

  private nextGroup(): number {
    this.count += 1;
    return this.count;
  }
}

function valuePattern(member: string, value: string): string {
  const [start = ""] = VALUE_START.exec(member) ?? [];
  return `${literal(start)}${value}"\\}`;
}

function isSalt(attribute: string): boolean {
  return attribute.startsWith(SALT);
}

function nameIn(member: string): string {
  return member.slice(1, member.indexOf('"', 1));
}

function byName(one: string, other: string): number {
  return nameIn(one) < nameIn(other) ? -1 : 1;
}

/** The parts of a list with commas between them; undefined when there is anything else in it. */
function listOf(text: string, each: RegExp): string[] | undefined {
  const found: string[] = text.match(each) ?? [];
  return found.join(",") === text ? found : undefined;
}

function literal(text: string): string {
  return text.replaceAll(/[.{}]/g, "\\$&");
}

function partsOf(tokens: readonly Token[]) {
  const parts: { before: string; group: number }[] = [];
  let open = "";
  for (const token of tokens) {
    if (typeof token === "string") {
      open += token;
      continue;
    }
    parts.push({ before: open, group: token });
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

/** The texts before the values that a verification needs apart. */
interface ValueStarts {
  readonly keys: readonly string[];
  /** The one that counts first. */
  readonly times: readonly string[];
  /** None in a table whose WRITE records are named from the partition key. */
  readonly writtenAs: readonly string[];
}

function startsOf(table: LogicalTableName): ValueStarts {
  const shape = tableContract(table);
  const start = (name: string, type = "S") => `"${name}":{"${type}":"`;
  const sort = "sortKey" in shape ? [start(shape.sortKey.name, shape.sortKey.type)] : [];
  const named = writtenAsName(table);
  return {
    keys: [start(shape.partitionKey), ...sort],
    times: timeNames(table).map((name) => start(name)),
    writtenAs: named === undefined ? [] : [start(named)],
  };
}

function groupsOf({ keys, times, writtenAs }: ValueStarts, values: ReadonlyMap<string, number>): ValueGroups {
  const groupOf = (start: string) => values.get(start) ?? 0;
  return {
    salt: groupOf(SALT),
    version: groupOf(VERSION),
    writtenAt: times.map(groupOf).find((group) => group > 0) ?? 0,
    writtenAs: writtenAs.map(groupOf)[0],
    keys: keys.map(groupOf),
  };
}
