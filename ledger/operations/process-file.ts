/**
 * Records the payments of one file: each valid row once, whatever is retried; bad rows are reported and stop no other.
 * Nothing is recorded before the file was read to its end and its checksums hold. Rows stream by in batches, a few of them
 * under way at once, so memory does not grow with the file but for its ids.
 */

import { TABLES } from "../../contract";
import { GzipHeaderSearch } from "../files/gzip-headers";
import type { FileVersion, OpenFile, PaymentFiles } from "../files/payment-files";
import { type BadRow, digestOf, type FileProgress } from "../files/progress";
import { readRows } from "../files/rows";
import { gzipFault, isCardDataBefore } from "../files/verify";
import type { AuditEntry, Caller } from "../rules/audit-entry";
import type { JsonObject } from "../rules/canonical-json";
import { derivedAuditId, UNCLAIMED_ACTOR } from "../rules/identifiers";
import type { RefusalCode } from "../rules/refusals";
import type { EntryResult } from "../rules/responses";
import type { Transaction } from "../rules/transaction";
import type { Services } from "../store/services";
import type { Call } from "./call";
import type { Claims } from "./claims";
import { FILE_LIMITS, type FileLimits, type JudgedRow, RowJudge } from "./judge-rows";
import { ledgerEntry } from "./ledger-entry";
import { transactionsBook } from "./payment-books";
import { recordEntries } from "./record-entries";
import { recordedOutcomes } from "./record-payments";
import { type Accepted, acceptPayment } from "./validation";

const TRANSACTIONS = TABLES.paymentTransactions.logicalName;

/** As many as share one transaction. */
const BATCH_ROWS = 50;
const BATCHES_AT_ONCE = 4;
/** What is kept back for finishing the batches under way and writing the report or the continuation. */
const RESERVE_MS = 60_000;
const NO_COUNTS = { stored: 0, duplicate: 0, conflict: 0, refused: 0 };

export interface FileSettings {
  readonly files: PaymentFiles;
  /** Removes a file that held card data, after its report. */
  readonly removeCardDataFiles: boolean;
  readonly limits?: FileLimits;
}

export interface FileOutcome {
  readonly finished: boolean;
  readonly counts: FileProgress["counts"];
}

interface Batch {
  readonly rows: readonly JudgedRow[];
  readonly done: Promise<BatchOutcome>;
}

interface BatchOutcome {
  readonly counts: { stored: number; duplicate: number; conflict: number; refused: number };
  readonly badRows: readonly BadRow[];
  readonly cardDataRows: number;
  /** What the rows leave beside their payments' own records, in the order of the file. */
  readonly attempts: readonly AuditEntry[];
}

/** One run over a file. */
interface FileRun {
  readonly progress: FileProgress;
  readonly settings: FileSettings;
  readonly limits: FileLimits;
  readonly caller: Caller;
  readonly call: Call;
  readonly services: Services;
}

export async function processFile(
  progress: FileProgress,
  settings: FileSettings,
  call: Call,
  services: Services,
): Promise<FileOutcome> {
  const { principal } = progress;
  const caller = principal === undefined ? call.caller : { ...call.caller, principal };
  const run: FileRun = { progress, settings, limits: settings.limits ?? FILE_LIMITS, caller, call, services };
  const finished = (await isVerified(run)) ? await recordRows(run) : true;
  if (!finished) {
    await progress.continueLater();
    return { finished, counts: progress.counts };
  }
  await recordUnlistedCardData(run);
  await recordFurtherAttempts(run);
  const remove = settings.removeCardDataFiles && progress.cardDataRows > 0;
  await progress.report(remove);
  if (remove) await settings.files.remove(progress.file);
  return { finished, counts: progress.counts };
}

/** Reads the file to its end, once in all its runs. False, and one bad row, when nothing of it may be recorded. */
async function isVerified({ progress, settings: { files }, caller, call, services }: FileRun): Promise<boolean> {
  if (progress.verified !== undefined) return true;
  const { file } = progress;
  const { bytes, etag } = await files.open(file);
  const headers = new GzipHeaderSearch();
  const fault = await gzipFault(headers.watch(bytes));
  const isInHeader = headers.end();
  if (fault === undefined && !isInHeader) {
    progress.markVerified(etag);
    return true;
  }
  const hasCardData =
    isInHeader || (fault !== undefined && (await isCardDataBefore(fault, (await files.open(file, etag)).bytes)));
  if (hasCardData) {
    services.signal("CardDataRefused");
    await recordEntries([cardDataEntry(progress, "1", { Row: 1 }, { caller, call })], services);
  }
  const code = hasCardData || fault === undefined ? "CARD_DATA" : fault.code;
  const badRow: BadRow = { row: 1, outcome: "refused", code };
  await progress.add(1, { ...NO_COUNTS, refused: 1 }, [badRow], hasCardData ? 1 : 0);
  call.noteOutcomes?.({ refused: 1 });
  return false;
}

/** False when the time ran out before the file ended. */
async function recordRows(run: FileRun): Promise<boolean> {
  const { progress, settings, call } = run;
  const underWay: Batch[] = [];
  const settleFirst = async () => {
    const batch = underWay.shift();
    if (batch === undefined) return;
    const { counts, badRows, cardDataRows, attempts } = await batch.done;
    await recordAttempts(attempts, run);
    await progress.add(batch.rows.length, counts, badRows, cardDataRows);
    call.noteOutcomes?.(counts);
  };
  try {
    for await (const rows of batchesOf(await settings.files.open(progress.file, progress.verified?.etag), run)) {
      if (underWay.length >= BATCHES_AT_ONCE) await settleFirst();
      if (call.remainingMs() < RESERVE_MS) {
        while (underWay.length > 0) await settleFirst();
        return false;
      }
      const done = recordBatch(rows, run);
      // Its failure is met when its turn comes; until then it must not count as unhandled.
      done.catch(() => undefined);
      underWay.push({ rows, done });
    }
    while (underWay.length > 0) await settleFirst();
    return true;
  } finally {
    await Promise.allSettled(underWay.map((batch) => batch.done));
  }
}

async function* batchesOf(
  { bytes }: OpenFile,
  { progress, settings, limits, caller, call, services }: FileRun,
): AsyncGenerator<JudgedRow[]> {
  const { rows: skip, cardDataRows } = progress;
  const judge = new RowJudge(
    { cardDataRows, stopsAtLimit: settings.removeCardDataFiles, limits, now: call.now, caller },
    services,
  );
  let batch: JudgedRow[] = [];
  let seen = 0;
  for await (const row of readRows(bytes)) {
    seen += 1;
    if (seen <= skip) judge.pass(row);
    else batch.push(judge.judge(row));
    if (judge.isStopped) break;
    if (batch.length < BATCH_ROWS) continue;
    yield batch;
    batch = [];
  }
  if (batch.length > 0) yield batch;
}

async function recordBatch(rows: readonly JudgedRow[], run: FileRun): Promise<BatchOutcome> {
  const { progress, caller, services } = run;
  const call = { ...run.call, now: new Date() };
  const book = transactionsBook(services);
  const accepted: Accepted<Transaction>[] = [];
  const records: AuditEntry[] = [];
  const badRows: BadRow[] = [];
  const repeats = new Set<number>();
  const counts = { ...NO_COUNTS };
  let cardDataRows = 0;
  for (const row of rows) {
    const { number } = row;
    if ("payment" in row) {
      accepted.push(await acceptPayment(book, row, { position: number, caller }, services));
      if (row.isRepeat) repeats.add(number);
      continue;
    }
    counts.refused += 1;
    if (row.badRow !== undefined) badRows.push(row.badRow);
    if (row.hasCardData) cardDataRows += 1;
    if (row.hasAuditRecord) {
      records.push(cardDataEntry(progress, String(number), { Row: number }, { caller, call }, row.claims));
    }
  }
  const outcomes = await recordedOutcomes(book, accepted, call, services);
  outcomes.sort((a, b) => a.result.position - b.result.position);
  await recordEntries(records, services);
  for (const { result } of outcomes) {
    counts[result.outcome] += 1;
    badRows.push(...badRowOf(result, repeats));
  }
  const attempts = outcomes.flatMap(({ record }) => (record === undefined ? [] : [record]));
  return { counts, badRows: badRows.sort((a, b) => a.row - b.row), cardDataRows, attempts };
}

/** Batch by batch in the order of the file, so that a run that is repeated leaves the same records. */
async function recordAttempts(attempts: readonly AuditEntry[], { progress, limits, services }: FileRun): Promise<void> {
  const own = attempts.filter((entry) => progress.countAttempt(entry.response?.result ?? "") <= limits.attemptsMax);
  await recordEntries(own, services);
}

/** A duplicate is what a file that is sent again consists of; within one file it may be a payment that got the wrong id. */
function badRowOf(
  { position: row, outcome, code, TransactionID: transactionId }: EntryResult,
  repeats: ReadonlySet<number>,
): BadRow[] {
  const named = transactionId === undefined ? {} : { transactionId };
  if (outcome === "conflict") return [{ row, outcome, code: "CONFLICT", ...named }];
  if (outcome === "duplicate" && repeats.has(row)) return [{ row, outcome, code: "DUPLICATE", ...named }];
  return outcome === "refused" ? [{ row, outcome, code: code as RefusalCode, ...named }] : [];
}

/** One record for all rows with card data beyond the limit of separate records: a small file could otherwise leave millions. */
async function recordUnlistedCardData({ progress, limits, caller, call, services }: FileRun): Promise<void> {
  const rows = progress.cardDataRows - limits.cardDataRowsMax;
  if (rows <= 0) return;
  await recordEntries([cardDataEntry(progress, "further", { FurtherRows: rows }, { caller, call })], services);
}

/** One record for all rows of a result beyond the limit of separate records. */
async function recordFurtherAttempts({ progress, limits, caller, call, services }: FileRun): Promise<void> {
  const { file, request, attempts } = progress;
  const entries = Object.entries(attempts).flatMap(([result, rows]) => {
    if (rows <= limits.attemptsMax) return [];
    const action = result === "conflict" ? "CONFLICT" : result === "duplicate" ? "DUPLICATE" : "ALARM";
    const details = { FurtherRows: rows - limits.attemptsMax, ...namesOfFile(file) };
    const entry = ledgerEntry(
      {
        auditId: derivedAuditId(action, "payment-file", file.key, file.versionId ?? "", request, "further", result),
        action,
        actor: UNCLAIMED_ACTOR,
        table: TRANSACTIONS,
        asked: { recordIds: [], details },
        answered: { recordIds: [], result },
      },
      call,
    );
    return [{ ...entry, caller }];
  });
  await recordEntries(entries, services);
}

/** The record of card data in a file: the file's version, the row and its harmless claims, never another value. */
function cardDataEntry(
  { file }: FileProgress,
  place: string,
  details: JsonObject,
  { caller, call }: Pick<FileRun, "caller" | "call">,
  { actor = UNCLAIMED_ACTOR, transactionId }: Claims = {},
): AuditEntry {
  const { key, versionId } = file;
  const entry = ledgerEntry(
    {
      auditId: derivedAuditId("REFUSAL", "payment-file", key, versionId ?? "", place),
      action: "REFUSAL",
      actor,
      table: TRANSACTIONS,
      transactionId,
      asked: {
        recordIds: transactionId === undefined ? [] : [transactionId],
        details: { ...details, ...namesOfFile(file) },
      },
      answered: { recordIds: [], result: "CARD_DATA" },
    },
    call,
  );
  return { ...entry, caller };
}

/** How an audit record names a file. */
export function namesOfFile({ key, versionId }: FileVersion): JsonObject {
  return { File: digestOf(key), ...(versionId === undefined ? {} : { VersionId: versionId }) };
}
