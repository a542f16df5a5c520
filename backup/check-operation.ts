/** The backup check in AWS: of each table, the exports that a restore of today would take, held against the table. */

import { PutObjectCommand, type S3Client } from "@aws-sdk/client-s3";
import { BACKUP_METRICS, EXPORT_PREFIXES, type LogicalTableName } from "../contract";
import type { ExportFolder } from "../ledger/exports/folder";
import { SUMMARY_FILE, tableNameOfArn } from "../ledger/exports/names";
import type { Call } from "../ledger/operations/call";
import { checkEntry } from "../ledger/operations/ledger-entry";
import { recordEntries } from "../ledger/operations/record-entries";
import type { Services } from "../ledger/store/services";
import { checkFolder } from "./check";
import { CheckFindings, type CheckReport, type CheckVerdict } from "./findings";
import { exportPrefix } from "./layout";
import { s3Folder } from "./s3-folder";
import type { StateStore } from "./state-store";
import { tableReader } from "./table-keys";
import { type ExportEntry, type ExportState, restoreChain } from "./windows";

export interface CheckSettings {
  readonly tables: readonly { readonly table: LogicalTableName; readonly arn: string }[];
  readonly s3: S3Client;
  readonly bucket: string;
  readonly states: StateStore;
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

const HOUR_MS = 60 * 60 * 1000;
/** An export that has not ended after this has not ended well. */
const RUNNING_MAX_MS = 6 * HOUR_MS;
/** Exports are daily; a second one that is missing is a fault. */
const STALE_AFTER_MS = 48 * HOUR_MS;
/** Full exports are weekly. */
const FULL_EXPORT_AGE_MAX_MS = 8 * 24 * HOUR_MS;
/** Kept for the report and the audit records. */
const RESERVED_MS = 30_000;

export async function checkBackups(call: Call, services: Services, settings: CheckSettings): Promise<CheckResponse> {
  const checks: TableCheck[] = [];
  for (const table of settings.tables) checks.push(await checkTable(table, call, services, settings));
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
  { table, arn }: CheckSettings["tables"][number],
  call: Call,
  services: Services,
  settings: CheckSettings,
): Promise<TableCheck> {
  const findings = new CheckFindings();
  const { state } = await settings.states.load(table);
  const chain = restoreChain(state?.exports ?? []);
  const prefixOf = (entry: ExportEntry) => `${exportPrefix(table, entry)}/`;
  const folder = s3Folder(settings.s3, settings.bucket, chain.map(prefixOf));
  const finished = await finishedUnder(folder);
  const missing = chain.filter((entry) => !finished.some((path) => path.startsWith(prefixOf(entry))));
  reportState(table, state, missing, call, findings);
  reportOldFull(table, chain, call, findings);
  if (finished.length === 0 && chain.length > 0 && findings.list.length === 0) {
    findings.add({ code: "CHECK_INCOMPLETE", table, message: "No export of the table has ended yet." });
    return { table, exportedUntil: state?.exportedUntil ?? "", report: emptyReport(folder, findings) };
  }
  const reader = tableReader(services.dynamo, tableNameOfArn(arn));
  const report = await checkFolder(folder, {
    tableOf: () => reader,
    outOfTime: () => call.remainingMs() < RESERVED_MS,
    planOf: (summaryPath) => chain.find((entry) => summaryPath.startsWith(prefixOf(entry))),
    findings,
  });
  findings.note(CONTENTS_NOT_COMPARED);
  return { table, exportedUntil: state?.exportedUntil ?? "", report };
}

function emptyReport({ name }: ExportFolder, { verdict, list, further, notes }: CheckFindings): CheckReport {
  return { verdict, folder: name, exports: [], comparisons: [], findings: list, further, notes };
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
  call: Call,
  findings: CheckFindings,
): void {
  for (const { kind, from, to, startedAt } of missing) {
    const what = `The ${kind} export ${from === undefined ? "of" : `of ${from} to`} ${to}`;
    const isOverdue = startedAt === undefined || call.now.getTime() - Date.parse(startedAt) > RUNNING_MAX_MS;
    if (isOverdue) findings.add({ code: "MISSING_EXPORT", table, message: `${what} has left no manifest.` });
    else findings.note(`${what} is still running.`);
  }
  if (state !== undefined && call.now.getTime() - Date.parse(state.exportedUntil) > STALE_AFTER_MS) {
    findings.add({
      code: "STALE_EXPORT",
      table,
      message: `The last window ended at ${state.exportedUntil}. Exports are daily.`,
    });
  }
}

/** An old full export restores an old table, however good it is; and what it must hold follows from its moment. */
function reportOldFull(table: string, chain: readonly ExportEntry[], call: Call, findings: CheckFindings): void {
  const [full] = chain;
  if (full === undefined || call.now.getTime() - Date.parse(full.to) <= FULL_EXPORT_AGE_MAX_MS) return;
  findings.add({
    code: "STALE_EXPORT",
    table,
    message: `The newest full export is of ${full.to}. Full exports are weekly.`,
  });
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
