/** What a page shows of entries, records, the checkpoint and a path: the builder writes these texts, and the page's check compares them. */

import type { ItemJson } from "../../ledger/rules/attribute-value";
import type { LogEntry } from "../log/entry";
import { shown } from "./html";
import { base64, type PathStep } from "./web-crypto";

export const HEAD_LABELS = ["Log", "Entries", "Root hash"] as const;

export function headTexts(head: {
  readonly origin: string;
  readonly size: number;
  readonly rootText: string;
}): string[] {
  return [head.origin, String(head.size), head.rootText].map(shown);
}

export const ENTRY_COLUMNS = ["Entry", "What", "Record", "Version", "By", "Recorded"] as const;

const KIND_WORDS = {
  RECORD: "Record",
  LATE: "Record, sealed late",
  FORGED: "ALARM: forged record",
  TAMPER: "ALARM: stored record changed",
  HEARTBEAT: "Seal",
} as const;

/** One text for each column. @param record the record that the entry commits to, where it is shown. */
export function entryTexts(index: number, entry: LogEntry, record: ItemJson | null): string[] {
  if (entry.kind === "HEARTBEAT") return [String(index), KIND_WORDS.HEARTBEAT, "", "", "", entry.time];
  const { kind, table, key, version, commitment } = entry;
  const isRemoved = kind === "TAMPER" && commitment === "";
  const word = isRemoved ? "ALARM: stored record removed" : KIND_WORDS[kind];
  const [action] = ["Action", "Kind", "Status", "status"].flatMap((attribute) => textIn(record, attribute) ?? []);
  const about = textIn(record, "TransactionID");
  const name = about === undefined || about === key[0] ? key.join(" ") : `${key.join(" ")} (payment ${about})`;
  return [
    String(index),
    action === undefined ? word : `${word}: ${action}`,
    `${table} ${name}`,
    version,
    textIn(record, "Actor") ?? "",
    recordedAt(record) ?? "",
  ].map(shown);
}

/** When the ledger recorded this version, by its own clock. */
export function recordedAt(record: ItemJson | null): string | undefined {
  return textIn(record, "StatusChangedAt") ?? textIn(record, "RecordedAt") ?? textIn(record, "processedAt");
}

/** Undefined where there is no such text. */
export function textIn(record: ItemJson | null, name: string): string | undefined {
  const { S } = (record?.[name] ?? {}) as { readonly S?: unknown };
  return typeof S === "string" ? S : undefined;
}

/** What says nothing to a reader: salts, codes and the keys of indexes. */
const NOT_SHOWN: ReadonlySet<string> = new Set([
  ...[
    "Salt",
    "Mac",
    "ContentMac",
    "TimeKey",
    "ProcessorDay",
    "FailureDay",
    "ActorDay",
    "AuditDay",
    "ReviewDay",
    "TransactionOrder",
  ],
]);

/** Name and value by turns, sorted by name. Binary values are ciphertext or keys: only their length is shown. */
export function recordTexts(record: ItemJson): string[] {
  const names = Object.keys(record)
    .filter((name) => !NOT_SHOWN.has(name))
    .sort();
  return names.flatMap((name) => [shown(name), shown(valueText(record[name] ?? {}))]);
}

function valueText(attribute: object): string {
  const [type = "", value] = Object.entries(attribute)[0] ?? [];
  if (type === "B" && typeof value === "string") return `encrypted, ${Math.floor((value.length * 3) / 4)} bytes`;
  return typeof value === "string" ? value : withoutBinary(value);
}

function withoutBinary(value: unknown): string {
  return JSON.stringify(value, (name, member: unknown) => (name === "B" || name === "BS" ? "encrypted" : member)) ?? "";
}

export const PATH_COLUMNS = ["Level", "Hash of the sibling", "Side", "Hash above the two"] as const;

/** The leaf first, then the columns of each step from the leaf up. */
export function pathTexts(leaf: string, index: number, steps: readonly PathStep[]): string[] {
  const rows = steps.flatMap(({ sibling, side, node }, at) => [String(at + 1), base64(sibling), side, base64(node)]);
  return [String(index), leaf, ...rows];
}

export interface PathRow {
  readonly sibling: string;
  readonly side: string;
  readonly node: string;
}

/** The steps in the texts of a path. */
export function pathRows(path: readonly string[]): PathRow[] {
  const rows: PathRow[] = [];
  for (let at = 2; at < path.length; at += PATH_COLUMNS.length) {
    const [, sibling = "", side = "", node = ""] = path.slice(at, at + PATH_COLUMNS.length);
    rows.push({ sibling, side, node });
  }
  return rows;
}

/** The same, short enough for a drawing: entry and leaf, then the sibling and the node above of each level. */
export function treeTexts(path: readonly string[]): string[] {
  const short = (hash: string) => `${hash.slice(0, 16)}…`;
  const [index = "", leaf = ""] = path;
  return [
    `entry ${index}`,
    short(leaf),
    ...pathRows(path).flatMap(({ sibling, node }) => [short(sibling), short(node)]),
  ];
}
