/** Names: where this ledger's exports lie in the bucket. */

import { createHash } from "node:crypto";
import { EXPORT_PREFIXES } from "../contract";
import { AWS_FOLDER } from "../ledger/exports/names";
import { canonicalJson } from "../ledger/rules/canonical-json";
import type { ExportEntry } from "./windows";

/** `exports/PaymentLedger/incremental/20261121T100000Z-20261122T100000Z/1`: nothing but that attempt's files lies under it. */
export function exportPrefix(table: string, { kind, from, to, attempt }: ExportEntry): string {
  const window = from === undefined ? compact(to) : `${compact(from)}-${compact(to)}`;
  return `${EXPORT_PREFIXES.exports}${table}/${kind}/${window}/${attempt}`;
}

/** What `exportPrefix` says, read back; undefined for a prefix of somebody else. */
export function entryOfPrefix(prefix: string): PlannedExport | undefined {
  const found = /\/(full|incremental)\/(?:(\d{8}T\d{6}Z)-)?(\d{8}T\d{6}Z)\/\d+$/.exec(prefix);
  if (found === null) return undefined;
  const [, kind, from, to = ""] = found;
  if (kind === "incremental" && from !== undefined) return { kind, from: expanded(from), to: expanded(to) };
  return kind === "full" && from === undefined ? { kind, to: expanded(to) } : undefined;
}

export type PlannedExport = Pick<ExportEntry, "kind" | "from" | "to">;

/** What the export was asked for under whose prefix a file lies, as the prefix says it; undefined elsewhere. */
export function planOfPath(path: string): PlannedExport | undefined {
  const end = path.indexOf(`/${AWS_FOLDER}/`);
  return end < 0 ? undefined : entryOfPrefix(path.slice(0, end));
}

/** Follows from what is exported alone, so asking again within the token's eight hours starts nothing twice. */
export function clientToken(tableArn: string, { kind, from, to, attempt }: ExportEntry): string {
  const parts = ["payment-ledger/export/1", tableArn, kind, from ?? null, to, attempt];
  return createHash("sha256").update(canonicalJson(parts)).digest("hex");
}

export function stateKey(table: string): string {
  return `${EXPORT_PREFIXES.state}${table}.json`;
}

/** `2026-11-21T10:00:00.000Z` as `20261121T100000Z`: windows begin and end at whole seconds. */
function compact(time: string): string {
  return time.replace(/\.\d{3}Z$/, "Z").replaceAll(/[-:]/g, "");
}

function expanded(time: string): string {
  return time.replace(/^(\d{4})(\d\d)(\d\d)T(\d\d)(\d\d)(\d\d)Z$/, "$1-$2-$3T$4:$5:$6.000Z");
}
