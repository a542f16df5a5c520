/** What one run of the backup check is about: of each table the exports that a restore of today would take, and what their records say. */

import type { S3Client } from "@aws-sdk/client-s3";
import type { LogicalTableName } from "../contract";
import type { ExportFolder } from "../ledger/exports/folder";
import { SUMMARY_FILE } from "../ledger/exports/names";
import { packed, unpacked } from "../ledger/pieces/packed";
import type { PieceStore } from "../ledger/pieces/plan";
import { CheckFindings, type FoundState } from "./findings";
import { exportPrefix } from "./layout";
import { type PreparedCheck, prepareCheck } from "./prepared-check";
import { s3Folder } from "./s3-folder";
import type { StateStore } from "./state-store";
import { type ExportEntry, type ExportState, restoreChain } from "./windows";

export interface RunSettings {
  readonly tables: readonly { readonly table: LogicalTableName; readonly arn: string }[];
  readonly s3: S3Client;
  readonly bucket: string;
  readonly states: StateStore;
}

/** Plain data: pieces and mergings of a run go by what its first merging has found. */
export interface CheckRun {
  /** RFC 3339 in UTC. */
  readonly now: string;
  readonly tables: readonly PreparedTable[];
}

export interface PreparedTable {
  readonly table: LogicalTableName;
  readonly exportedUntil: string;
  readonly prepared: PreparedCheck;
  /** What is wrong with the exports before any data file is read. */
  readonly found: FoundState;
  /** False where exports were started and none has ended: then there is nothing to check yet. */
  readonly hasEnded: boolean;
}

const HOUR_MS = 60 * 60 * 1000;
/** An export that has not ended after this has not ended well. */
const RUNNING_MAX_MS = 6 * HOUR_MS;
/** Exports are daily; a second one that is missing is a fault. */
const STALE_AFTER_MS = 48 * HOUR_MS;
/** Full exports are weekly. */
const FULL_EXPORT_AGE_MAX_MS = 8 * 24 * HOUR_MS;

const RUN = "run";

/** The run in the store, or a new one in an empty store. Of several that begin at once all go by the same. */
export async function openCheckRun(store: PieceStore, prepare: () => Promise<CheckRun>): Promise<CheckRun> {
  const kept = await keptCheckRun(store);
  if (kept !== undefined) return kept;
  return unpacked<CheckRun>(await store.create(RUN, packed(await prepare())));
}

/** Undefined where nothing was begun. */
export async function keptCheckRun(store: PieceStore): Promise<CheckRun | undefined> {
  const bytes = await store.read(RUN);
  return bytes && unpacked<CheckRun>(bytes);
}

export async function prepareRun(now: Date, settings: RunSettings): Promise<CheckRun> {
  const tables: PreparedTable[] = [];
  for (const { table } of settings.tables) tables.push(await prepareTable(table, now, settings));
  return { now: now.toISOString(), tables };
}

async function prepareTable(table: LogicalTableName, now: Date, settings: RunSettings): Promise<PreparedTable> {
  const findings = new CheckFindings();
  const { state } = await settings.states.load(table);
  const exportedUntil = state?.exportedUntil ?? "";
  const chain = restoreChain(state?.exports ?? []);
  const prefixOf = (entry: ExportEntry) => `${exportPrefix(table, entry)}/`;
  const folder = s3Folder(settings.s3, settings.bucket, chain.map(prefixOf));
  const finished = await finishedUnder(folder);
  const missing = chain.filter((entry) => !finished.some((path) => path.startsWith(prefixOf(entry))));
  reportState(table, state, missing, now, findings);
  reportOldFull(table, chain, now, findings);
  if (finished.length === 0 && chain.length > 0 && findings.list.length === 0) {
    findings.add({ code: "CHECK_INCOMPLETE", table, message: "No export of the table has ended yet." });
    const nothing = { folder: folder.name, manifests: [], listed: new Map() };
    return { table, exportedUntil, prepared: nothing, found: findings.state, hasEnded: false };
  }
  const planOf = (path: string) => chain.find((entry) => path.startsWith(prefixOf(entry)));
  const prepared = await prepareCheck(folder, findings, planOf);
  return { table, exportedUntil, prepared, found: findings.state, hasEnded: true };
}

async function finishedUnder(folder: ExportFolder): Promise<string[]> {
  const paths: string[] = [];
  for await (const { path } of folder.list()) if (path.endsWith(`/${SUMMARY_FILE}`)) paths.push(path);
  return paths;
}

/** What the export function's own record says, before any file is looked at. */
function reportState(
  table: string,
  state: ExportState | undefined,
  missing: readonly ExportEntry[],
  now: Date,
  findings: CheckFindings,
): void {
  for (const { kind, from, to, startedAt } of missing) {
    const what = `The ${kind} export ${from === undefined ? "of" : `of ${from} to`} ${to}`;
    const isOverdue = startedAt === undefined || now.getTime() - Date.parse(startedAt) > RUNNING_MAX_MS;
    if (isOverdue) findings.add({ code: "MISSING_EXPORT", table, message: `${what} has left no manifest.` });
    else findings.note(`${what} is still running.`);
  }
  if (state !== undefined && now.getTime() - Date.parse(state.exportedUntil) > STALE_AFTER_MS) {
    findings.add({
      code: "STALE_EXPORT",
      table,
      message: `The last window ended at ${state.exportedUntil}. Exports are daily.`,
    });
  }
}

/** An old full export restores an old table, however good it is; and what it must hold follows from its moment. */
function reportOldFull(table: string, chain: readonly ExportEntry[], now: Date, findings: CheckFindings): void {
  const [full] = chain;
  if (full === undefined || now.getTime() - Date.parse(full.to) <= FULL_EXPORT_AGE_MAX_MS) return;
  findings.add({
    code: "STALE_EXPORT",
    table,
    message: `The newest full export is of ${full.to}. Full exports are weekly.`,
  });
}
