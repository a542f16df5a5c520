/** Names: where this ledger's exports lie in the bucket, and what AWS documents of the files inside an export. */

import { createHash } from "node:crypto";
import { EXPORT_PREFIXES, type LogicalTableName, TABLES } from "../contract";
import { canonicalJson } from "../ledger/rules/canonical-json";
import type { ExportEntry } from "./windows";

/** The folder that DynamoDB makes under every export prefix. */
export const AWS_FOLDER = "AWSDynamoDB";
export const SUMMARY_FILE = "manifest-summary.json";
export const FILES_FILE = "manifest-files.json";
/** The documentation says `.checksum`, the service writes `.md5`; both hold the base64 MD5 of the manifest beside it. */
export const CHECKSUM_ENDINGS = [".md5", ".checksum"] as const;

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

/** The logical name of a deployed table: itself, or with the environment's suffix. */
export function logicalNameOf(deployedName: string): LogicalTableName | undefined {
  return Object.values(TABLES)
    .map(({ logicalName }) => logicalName)
    .find((name) => deployedName === name || deployedName.startsWith(`${name}-`));
}

export function tableNameOfArn(arn: string): string {
  return /:table\/([^/]+)/.exec(arn)?.[1] ?? "";
}

/** `2026-11-21T10:00:00.000Z` as `20261121T100000Z`: windows begin and end at whole seconds. */
function compact(time: string): string {
  return time.replace(/\.\d{3}Z$/, "Z").replaceAll(/[-:]/g, "");
}

function expanded(time: string): string {
  return time.replace(/^(\d{4})(\d\d)(\d\d)T(\d\d)(\d\d)(\d\d)Z$/, "$1-$2-$3T$4:$5:$6.000Z");
}
