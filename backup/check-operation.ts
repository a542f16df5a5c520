/** The backup check in AWS: of each table, the exports that a restore of today would take, held against the table. */

import { PutObjectCommand } from "@aws-sdk/client-s3";
import { BACKUP_METRICS, EXPORT_PREFIXES, type LogicalTableName } from "../contract";
import { tableNameOfArn } from "../ledger/exports/names";
import type { Call } from "../ledger/operations/call";
import { checkEntry } from "../ledger/operations/ledger-entry";
import { recordEntries } from "../ledger/operations/record-entries";
import { keptPlan, openPlan, type PieceStore, partOf } from "../ledger/pieces/plan";
import type { Services } from "../ledger/store/services";
import { judgeExports } from "./check";
import { piecedCheckReadings, readCheckPiece } from "./check-pieces";
import { type CheckReadings, type CheckSource, OwnCheckReadings } from "./check-readings";
import {
  type CheckRun,
  keptCheckRun,
  openCheckRun,
  type PreparedTable,
  prepareRun,
  type RunSettings,
} from "./check-run";
import { CheckFindings, type CheckReport, type CheckVerdict } from "./findings";
import {
  mergedOr,
  type OnePieceRequest,
  type PieceRead,
  type PiecesSetting,
  type PiecesWanted,
  pieceDeadline,
  pieceRequestOf,
} from "./piece-requests";
import { s3Folder } from "./s3-folder";
import { sealedStore } from "./sealed-store";
import { tableReader } from "./table-keys";

export interface CheckSettings extends RunSettings {
  /** Undefined in a deployment that checks in one function. */
  readonly pieces?: PiecesSetting;
  readonly logLine: (requestId: string, table: LogicalTableName, code: string) => void;
}

export interface CheckResponse {
  readonly outcome: CheckVerdict;
  /** Key of the report in the export bucket. */
  readonly report: string;
  readonly tables: readonly {
    readonly table: string;
    readonly verdict: CheckVerdict;
    readonly codes: readonly string[];
  }[];
}

const CONTENTS_NOT_COMPARED =
  "Keys and times of recording were compared with the table. What the exports say of each record was not: the restore drill " +
  "compares full exports with the log, and `npx payledger verify --export` increments too.";

interface TableCheck {
  readonly table: LogicalTableName;
  readonly exportedUntil: string;
  readonly report: CheckReport;
}

/** A run in pieces has this part alone. */
const PART = "exports";
/** Kept for the report and the audit records. */
const RESERVED_MS = 30_000;

/** @param event nothing of it is read, unless the state machine of a check in pieces has sent it. */
export async function checkBackups(
  event: unknown,
  call: Call,
  services: Services,
  settings: CheckSettings,
): Promise<CheckResponse | PiecesWanted | PieceRead> {
  const { pieces } = settings;
  const request = pieces && pieceRequestOf(event);
  if (pieces === undefined || request === undefined) {
    const run = await prepareRun(call.now, settings);
    return concluded(run, ownReadings(run, call, services, settings), call, services, settings);
  }
  const store = sealedStore(pieces, request.run, services.macKeys);
  if (request.kind === "piece") return readOnePiece(request, store, call, services, settings);
  const run = await openCheckRun(store, () => prepareRun(call.now, settings));
  const part = partOf(store, PART);
  const merge = async () => {
    const plan = await openPlan(part, PART, { pieces: pieces.count, now: new Date(run.now) });
    const readings = await piecedCheckReadings({ store: part, plan }, run.tables.length);
    return concluded(run, readings, call, services, settings);
  };
  return mergedOr(request, () => PART, merge);
}

async function readOnePiece(
  { piece }: OnePieceRequest,
  store: PieceStore,
  call: Call,
  services: Services,
  settings: CheckSettings,
): Promise<PieceRead> {
  const run = await keptCheckRun(store);
  const part = partOf(store, PART);
  const checks = run?.tables.map((each) => ({ ...sourceOf(each, services, settings), prepared: each.prepared })) ?? [];
  const plan = run && (await keptPlan(part, PART));
  await readCheckPiece({ store: part, plan, piece, checks, checkDeadline: pieceDeadline(call) });
  return { outcome: "piece-read", piece };
}

function ownReadings(
  { tables }: CheckRun,
  { remainingMs }: Call,
  services: Services,
  settings: CheckSettings,
): CheckReadings[] {
  return tables.map(
    (each) => new OwnCheckReadings(sourceOf(each, services, settings), () => remainingMs() < RESERVED_MS),
  );
}

function sourceOf(
  { table, prepared }: PreparedTable,
  { dynamo }: Services,
  { tables, s3, bucket }: CheckSettings,
): CheckSource {
  const arn = tables.find((each) => each.table === table)?.arn ?? "";
  const reader = tableReader(dynamo, tableNameOfArn(arn));
  return { folder: s3Folder(s3, bucket, []), listed: prepared.listed, tableOf: () => reader };
}

/** @param readings of each table's exports. */
async function concluded(
  run: CheckRun,
  readings: readonly CheckReadings[],
  call: Call,
  services: Services,
  settings: CheckSettings,
): Promise<CheckResponse> {
  const checks: TableCheck[] = [];
  for (const [place, each] of run.tables.entries()) {
    const own = readings[place];
    if (own === undefined) throw new Error("A table has no readings.");
    checks.push(await checkTable(each, own, call));
  }
  const verdict = overall(checks.map(({ report }) => report.verdict));
  const report = await writeReport(checks, verdict, call, settings);
  await recordEntries(
    checks.map((check) => entryOf(check, report, call)),
    services,
  );
  for (const { table, report: of } of checks) {
    services.signal(of.verdict === "good" ? BACKUP_METRICS.checkPassed : BACKUP_METRICS.checkFailed);
    for (const code of codesOf(of)) settings.logLine(call.caller.requestId, table, code);
  }
  const tables = checks.map(({ table, report: of }) => ({ table, verdict: of.verdict, codes: codesOf(of) }));
  return { outcome: verdict, report, tables };
}

async function checkTable(
  { table, exportedUntil, prepared, found, hasEnded }: PreparedTable,
  readings: CheckReadings,
  { remainingMs }: Call,
): Promise<TableCheck> {
  const findings = new CheckFindings();
  findings.addAll(found);
  const report = await judgeExports(prepared, {
    findings,
    readings,
    outOfTime: () => remainingMs() < RESERVED_MS,
    isCompared: () => true,
  });
  if (hasEnded) findings.note(CONTENTS_NOT_COMPARED);
  return { table, exportedUntil, report };
}

async function writeReport(
  checks: readonly TableCheck[],
  verdict: CheckVerdict,
  call: Call,
  settings: CheckSettings,
): Promise<string> {
  const checkedAt = call.now.toISOString();
  const key = `${EXPORT_PREFIXES.checks}${checkedAt}.json`;
  const body = JSON.stringify(
    { format: 1, checkedAt, requestId: call.caller.requestId, verdict, tables: checks },
    undefined,
    2,
  );
  await settings.s3.send(
    new PutObjectCommand({ Bucket: settings.bucket, Key: key, Body: body, ContentType: "application/json" }),
  );
  return key;
}

function entryOf({ table, exportedUntil, report }: TableCheck, key: string, call: Call) {
  return checkEntry(
    {
      action: "BACKUP_CHECK",
      name: [call.caller.requestId, table],
      table,
      asked: { Report: key, ExportedUntil: exportedUntil },
      result: report.verdict,
      found: { Codes: codesOf(report) },
    },
    call,
  );
}

function codesOf({ findings }: CheckReport): string[] {
  return [...new Set(findings.map(({ code }) => code))];
}

function overall(verdicts: readonly CheckVerdict[]): CheckVerdict {
  if (verdicts.includes("faulty")) return "faulty";
  return verdicts.includes("incomplete") ? "incomplete" : "good";
}
