/**
 * The restore drill as a machine of small steps. Each reads the drill's state, does what can be done twice without
 * harm, and saves the new state. What takes DynamoDB hours is waited for between the steps, not in them.
 */

import { createHash } from "node:crypto";
import type { DynamoDBClient } from "@aws-sdk/client-dynamodb";
import type { LogicalTableName } from "../../contract";
import { canonicalJson } from "../../ledger/rules/canonical-json";
import type { EvidenceFolder } from "../verifier/evidence";
import type { VerificationReport } from "../verifier/report";
import { type VerifyOptions, verifyLog } from "../verifier/verify";
import { type ExportPlace, newestFullExport } from "./drill-exports";
import { drillReport, reportKeyOf, resultOf } from "./drill-report";
import type { Drill, DrillBucket, DrillState, DrillTable } from "./drill-state";
import type { DrillTables, ImportResult } from "./drill-tables";
import { type DrillPieces, verificationOf } from "./drill-verification";
import { checkpointToKeep, continuingFrom } from "./verification";

export interface DrillSettings {
  readonly tables: readonly { readonly table: LogicalTableName; readonly arn: string }[];
  readonly exports: ExportPlace;
  readonly state: DrillBucket;
  readonly dynamo: DynamoDBClient;
  readonly scratch: DrillTables;
  /** Of a deployed table, the name of the one that is made of its export. */
  readonly scratchName: (deployedName: string) => string;
  readonly evidence: EvidenceFolder;
  /** The verifier keys under which checkpoints are good. */
  readonly keys: () => Promise<readonly string[]>;
  readonly everyDays: number;
  /** Called with what was verified, and how, while the restored tables are still there. */
  readonly onVerified?: (options: VerifyOptions, report: VerificationReport) => Promise<void>;
}

export interface DrillStep extends DrillSettings {
  readonly now: Date;
  /** Begin now, if none is under way. */
  readonly begin: boolean;
  readonly outOfTime: () => boolean;
  /** Where the restored tables are verified. Default: in this step. `later`: not now, because a state machine does it in pieces. */
  readonly verifyIn?: DrillPieces | "later";
  readonly onProgress?: (done: number, total: number, what: string) => void;
  /** Receives what needs somebody's attention. */
  readonly tell: (code: DrillCode) => void;
}

export const DRILL_CODES = ["NO_EXPORT", "LEFTOVER_TABLE", "TABLES_REPLACED", "REMOVAL_PENDING"] as const;
export type DrillCode = (typeof DRILL_CODES)[number];

const HOUR_MS = 60 * 60 * 1000;
const DAY_MS = 24 * HOUR_MS;
/** A drill that cannot verify anything after this has failed. */
const DEADLINE_MS = DAY_MS;
/** Full exports come weekly. */
const EXPORT_AGE_MAX_MS = 8 * DAY_MS;
/** Beginnings with new tables, in one drill. */
const ATTEMPTS_MAX = 5;
/** Far more than one drill has states, with others that overtake this one. */
const SAVES_MAX = 40;

/** Goes on until DynamoDB has to be waited for or there is nothing to do. @returns the drill's state. */
export async function stepDrill(step: DrillStep): Promise<DrillState> {
  let begin = step.begin;
  for (let saves = 0; saves < SAVES_MAX; saves++) {
    const { state, version } = await step.state.load();
    // A drill that ends in this very run is not followed by another one.
    begin &&= state.phase === "idle";
    const next = await advanced(state, version, { ...step, begin });
    if (next === undefined) return state;
    if (next !== state && (await step.state.save(next, version)) !== undefined && next.phase !== "idle") begin = false;
  }
  throw new Error("Other steps changed the state of the drill each time that this one wanted to.");
}

/** The next state; the same one where another step has gone ahead meanwhile; undefined where there is nothing to do now. */
async function advanced(
  state: DrillState,
  version: string | undefined,
  step: DrillStep,
): Promise<DrillState | undefined> {
  try {
    return await advance(state, step);
  } catch (error) {
    // Another one may have removed the tables under this one's hands.
    if ((await step.state.load()).version !== version) return state;
    throw error;
  }
}

function advance(state: DrillState, step: DrillStep): Promise<DrillState | undefined> {
  const { phase, drill } = state;
  if (phase === "idle" || drill === undefined) return beginDrill(state, step);
  if (phase === "removing") return removeTables(state, drill, step);
  if (step.now.getTime() - Date.parse(drill.id) > DEADLINE_MS) {
    return conclude(state, drill, ["It came to no verdict within a day."], step);
  }
  if (phase === "clearing") return clearTables(state, drill, step);
  if (phase === "importing") return importTables(state, drill, step);
  return verify(state, drill, step);
}

// ---------------------------------------------------------------------------------------------------------- beginning

async function beginDrill(state: DrillState, step: DrillStep): Promise<DrillState | undefined> {
  if (!step.begin && !isDue(state, step)) return undefined;
  const found = await Promise.all(step.tables.map(({ table, arn }) => newestFullExport(table, arn, step.exports)));
  const tables = found.filter((table) => table !== undefined);
  if (tables.length < found.length) {
    step.tell("NO_EXPORT");
    return undefined;
  }
  return { ...state, phase: "clearing", drill: { id: step.now.toISOString(), attempt: 1, tables, problems: [] } };
}

/** What is wrong with the exports themselves, before anything is restored of them. */
function exportProblems({ id, tables }: Drill): string[] {
  return tables.flatMap(({ table, takenAt, fault }) => {
    const isOld = Date.parse(id) - Date.parse(takenAt) > EXPORT_AGE_MAX_MS;
    const what = `The full export of ${table} of ${takenAt}`;
    return [
      ...(fault === undefined ? [] : [`${what} is not the one that was asked for: it ${fault}.`]),
      ...(isOld ? [`${what} is more than 8 days old. Full exports are weekly.`] : []),
    ];
  });
}

function isDue({ last }: DrillState, { now, everyDays }: DrillStep): boolean {
  return last === undefined || now.getTime() - Date.parse(last.finishedAt) >= everyDays * DAY_MS;
}

/** What an earlier drill, or an earlier attempt of this one, has left behind. */
async function clearTables(state: DrillState, drill: Drill, step: DrillStep): Promise<DrillState | undefined> {
  const left = await existingTables(drill, step);
  if (left.length > 0) {
    if (drill.attempt === 1 && left.some(({ status }) => status !== "DELETING")) step.tell("LEFTOVER_TABLE");
    for (const { scratch } of left) await step.scratch.remove(scratch);
    if ((await existingTables(drill, step)).length > 0) return undefined;
  }
  return { ...state, phase: "importing", drill };
}

interface ExistingTable {
  readonly scratch: string;
  readonly status: string;
}

async function existingTables(drill: Drill, { scratch, scratchName }: DrillStep): Promise<ExistingTable[]> {
  const names = drill.tables.map(({ deployedName }) => scratchName(deployedName));
  const existing = await Promise.all(
    names.map(async (name) => ({ scratch: name, status: await scratch.statusOf(name) })),
  );
  return existing.flatMap(({ scratch: name, status }) => (status === undefined ? [] : [{ scratch: name, status }]));
}

// ---------------------------------------------------------------------------------------------------------- restoring

async function importTables(state: DrillState, drill: Drill, step: DrillStep): Promise<DrillState | undefined> {
  const waiting = drill.tables.filter(({ importArn }) => importArn === undefined);
  if (waiting.length > 0) return startImports(state, drill, waiting, step);
  const imports = await Promise.all(drill.tables.map(({ importArn = "" }) => step.scratch.importResult(importArn)));
  const failed = problemsOf(drill.tables, imports, (each) =>
    each.status === "failed"
      ? `ended without success (${each.code}); the log group /aws-dynamodb/imports says more`
      : "",
  );
  if (failed.length > 0) return conclude(state, drill, failed, step);
  if (imports.some(({ status }) => status === "unknown")) return again(state, drill, step);
  if (imports.some(({ status }) => status === "running")) return undefined;
  const existing = await existingTables(drill, step);
  if (existing.length < drill.tables.length) return again(state, drill, step);
  if (existing.some(({ status }) => status !== "ACTIVE")) return undefined;
  // An import leaves out the rest of a file after a line that it cannot read: errors are not a count of items.
  const errors = problemsOf(drill.tables, imports, (each) =>
    each.status === "completed" && each.errors > 0
      ? `ended with ${each.errors} ${each.errors === 1 ? "error" : "errors"}: items of the export may be missing; the log group /aws-dynamodb/imports says more`
      : "",
  );
  return { ...state, phase: "verifying", drill: { ...drill, problems: [...exportProblems(drill), ...errors] } };
}

function problemsOf(
  tables: readonly DrillTable[],
  imports: readonly ImportResult[],
  problem: (existing: ImportResult) => string,
): string[] {
  return imports.flatMap((existing, index) => {
    const text = problem(existing);
    return text === "" ? [] : [`The import of ${tables[index]?.table} ${text}.`];
  });
}

async function startImports(
  state: DrillState,
  drill: Drill,
  waiting: readonly DrillTable[],
  step: DrillStep,
): Promise<DrillState | undefined> {
  const started = new Map<DrillTable, string>();
  for (const table of waiting) {
    const answer = await step.scratch.startImport({
      ...table,
      into: step.scratchName(table.deployedName),
      bucket: step.exports.bucket,
      account: accountOf(table, step),
      token: importToken(drill, table),
    });
    // An earlier try may have started it, and died before it could say so: nothing tells whose table it is.
    if (answer === "taken") return again(state, drill, step);
    if (answer !== "busy") started.set(table, answer.importArn);
  }
  if (started.size === 0) return undefined;
  const tables = drill.tables.map((table) => {
    const importArn = started.get(table);
    return importArn === undefined ? table : { ...table, importArn };
  });
  return { ...state, drill: { ...drill, tables } };
}

function accountOf({ table }: DrillTable, { tables }: DrillStep): string {
  return tables.find((each) => each.table === table)?.arn.split(":")[4] ?? "";
}

function importToken({ id, attempt }: Drill, { table }: DrillTable): string {
  const parts = ["payment-ledger/restore-drill/1", id, attempt, table];
  return createHash("sha256").update(canonicalJson(parts)).digest("hex").slice(0, 36);
}

/** The tables are not those that this drill imported, or not all there: they are cleared away, and imported once more. */
async function again(state: DrillState, drill: Drill, step: DrillStep): Promise<DrillState> {
  if (drill.attempt >= ATTEMPTS_MAX) {
    step.tell("TABLES_REPLACED");
    return conclude(state, drill, [`Its tables were made or removed by others in all ${ATTEMPTS_MAX} attempts.`], step);
  }
  const tables = drill.tables.map(({ importArn: _arn, ...table }) => table);
  return { ...state, phase: "clearing", drill: { ...drill, attempt: drill.attempt + 1, tables, problems: [] } };
}

// ---------------------------------------------------------------------------------------------------------- verifying

/** @throws PiecesLeft for a verification in pieces of which some are still to be read. */
async function verify(state: DrillState, drill: Drill, step: DrillStep): Promise<DrillState | undefined> {
  const existing = await existingTables(drill, step);
  const written = await step.state.read(reportKeyOf(drill.id));
  // The verdict came before the tables went: an earlier try died between its report and its state.
  if (written !== undefined) return concluded(state, drill, written);
  if (existing.length < drill.tables.length) return again(state, drill, step);
  const { verifyIn } = step;
  if (verifyIn === "later") return undefined;
  const { now, seen, evidence, sources, pieces } = await verificationOf(state, drill, verifyIn, step);
  const options: VerifyOptions = {
    evidence,
    sources,
    ...(pieces && { pieces }),
    keys: await step.keys(),
    ...continuingFrom(seen),
    problems: drill.problems,
    settleMs: 0,
    now,
    // The drill's beginning is the moment that counts: full exports come weekly.
    asOf: new Date(drill.id),
    sourceAgeMaxMs: EXPORT_AGE_MAX_MS,
    leftovers: false,
    outOfTime: step.outOfTime,
    ...(step.onProgress === undefined ? {} : { onProgress: step.onProgress }),
  };
  const report = await verifyLog(options);
  await step.onVerified?.(options, report);
  const text = await step.state.putOnce(reportKeyOf(drill.id), drillReport(drill, drill.problems, report, step.now));
  const checkpoint = await checkpointToKeep(report, evidence);
  return { ...concluded(state, drill, text), ...(checkpoint === undefined ? {} : { checkpoint }) };
}

/** Ends a drill that has nothing to verify. */
async function conclude(
  state: DrillState,
  drill: Drill,
  problems: readonly string[],
  { state: bucket, now }: DrillStep,
): Promise<DrillState> {
  return concluded(
    state,
    drill,
    await bucket.putOnce(reportKeyOf(drill.id), drillReport(drill, problems, undefined, now)),
  );
}

function concluded(state: DrillState, drill: Drill, reportText: string): DrillState {
  const last = resultOf(reportText);
  return { ...state, phase: "removing", drill, last, unrecorded: [...state.unrecorded, last] };
}

// ----------------------------------------------------------------------------------------------------------- removing

async function removeTables(
  { drill: _drill, ...state }: DrillState,
  drill: Drill,
  step: DrillStep,
): Promise<DrillState | undefined> {
  for (const { scratch } of await existingTables(drill, step)) await step.scratch.remove(scratch);
  if ((await existingTables(drill, step)).length === 0) return { ...state, phase: "idle" };
  if (step.now.getTime() - Date.parse(drill.id) > 2 * DEADLINE_MS) step.tell("REMOVAL_PENDING");
  return undefined;
}
