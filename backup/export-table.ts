/**
 * One run of the export function: looks after the exports that were started, repeats failed ones, and starts what is due.
 * What is to be exported is saved before it is asked for, and the request names itself by it (client token); so a run
 * that dies anywhere, or two at once, start nothing twice and leave nothing out.
 */

import { BackupError } from "./errors";
import type { ExportService, ExportTable } from "./export-service";
import type { LoadedState, StateStore } from "./state-store";
import { type ExportEntry, type ExportKind, type ExportState, isSameExport, planExports } from "./windows";

export type ExportFailure = "EXPORT_FAILED" | "WINDOW_LOST";

export interface ExportRun {
  readonly service: ExportService;
  readonly states: StateStore;
  readonly now: Date;
  /** Called for each export that failed at AWS and is repeated, and for each window that can never be exported again. */
  readonly failure: (code: ExportFailure) => void;
}

export interface TableExports {
  readonly table: string;
  readonly exportedUntil: string;
  readonly started: number;
  readonly running: number;
  readonly repeated: number;
  readonly lost: number;
}

/** Two runs at once overtake each other a few times at most. */
const ATTEMPTS_MAX = 8;

export async function exportTable(table: ExportTable, kind: ExportKind, run: ExportRun): Promise<TableExports> {
  const counts = { started: 0, repeated: 0, lost: 0 };
  for (let attempt = 1; attempt <= ATTEMPTS_MAX; attempt++) {
    const loaded = await run.states.load(table.table);
    const refreshed = loaded.state && (await refresh(table, loaded.state, run));
    const failed = refreshed?.exports.filter(({ status }) => status === "failed").length ?? 0;
    const reach = await run.service.reach(table, run.now);
    const plan = planExports(table.table, refreshed, kind, reach);
    const version = await saveIfChanged(loaded, plan.state, run);
    // Another run was faster: what it planned is read, and planned on from there.
    if (version === undefined) continue;
    report(failed, plan.lost.length, run);
    counts.repeated += failed;
    counts.lost += plan.lost.length;
    const { started, outOfReach, state } = await startPlanned(table, plan.state, version, run);
    counts.started += started;
    if (outOfReach === 0) return { table: table.table, ...counts, ...progressOf(state) };
    // DynamoDB knows better how far it reaches: what it refused is lost, and the next plan puts a full export in its place.
    counts.lost += outOfReach;
  }
  throw contended(table.table);
}

function progressOf({ exportedUntil, exports }: ExportState) {
  return { exportedUntil, running: exports.filter(({ status }) => status === "started").length };
}

function report(failed: number, lost: number, run: ExportRun): void {
  for (let count = 0; count < failed; count++) run.failure("EXPORT_FAILED");
  for (let count = 0; count < lost; count++) run.failure("WINDOW_LOST");
}

/** The status of started exports, and whether a planned one was started by a run that died before it saved that. */
async function refresh(table: ExportTable, state: ExportState, run: ExportRun): Promise<ExportState> {
  const exports: ExportEntry[] = [];
  for (const entry of state.exports) {
    const exportArn = entry.status === "planned" ? await run.service.find(table, entry) : entry.exportArn;
    const open = entry.status === "planned" || entry.status === "started";
    if (!open || exportArn === undefined) exports.push(entry);
    else exports.push({ ...entry, exportArn, status: await run.service.status(exportArn) });
  }
  return { ...state, exports };
}

async function saveIfChanged(loaded: LoadedState, state: ExportState, run: ExportRun): Promise<string | undefined> {
  if (loaded.version !== undefined && JSON.stringify(loaded.state) === JSON.stringify(state)) return loaded.version;
  return run.states.save(state, loaded.version);
}

async function startPlanned(table: ExportTable, planned: ExportState, version: string, run: ExportRun) {
  let started = 0;
  let outOfReach = 0;
  const decided: ExportEntry[] = [];
  for (const entry of planned.exports.filter(({ status }) => status === "planned")) {
    const answer = await run.service.start(table, entry);
    if (answer !== "outOfReach") {
      started += 1;
      decided.push({ ...entry, ...answer, status: "started", startedAt: run.now.toISOString() });
    } else {
      outOfReach += 1;
      run.failure("WINDOW_LOST");
      decided.push({ ...entry, status: "lost" });
    }
  }
  return { started, outOfReach, state: await saveDecided(planned, decided, version, run) };
}

/** What was decided is put into whatever the state has become meanwhile. */
async function saveDecided(
  planned: ExportState,
  decided: readonly ExportEntry[],
  version: string,
  run: ExportRun,
): Promise<ExportState> {
  if (decided.length === 0) return planned;
  let current: LoadedState = { state: planned, version };
  for (let attempt = 1; attempt <= ATTEMPTS_MAX; attempt++) {
    const { state } = current;
    if (state === undefined) break;
    const merged = { ...state, exports: state.exports.map((entry) => decisionOn(entry, decided)) };
    if ((await run.states.save(merged, current.version)) !== undefined) return merged;
    current = await run.states.load(planned.table);
  }
  throw contended(planned.table);
}

function decisionOn(entry: ExportEntry, decided: readonly ExportEntry[]): ExportEntry {
  if (entry.status !== "planned") return entry;
  return decided.find((decision) => isSameExport(decision, entry)) ?? entry;
}

function contended(table: string): BackupError {
  return new BackupError(
    "STATE_CONTENDED",
    `Other runs changed the export state of ${table} each time that this one wanted to. One run at a time is expected. Invoke it again when the others have ended.`,
  );
}
