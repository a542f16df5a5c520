/**
 * Records the payments and facts of one file: each valid row once, whatever is retried; bad rows are reported and stop no other.
 * Nothing is recorded before the file was read to its end and its checksums hold. Rows stream by in batches, a few of them
 * under way at once, so memory does not grow with the file but for its ids.
 */

import { CodedError } from "../../contract";
import { GzipHeaderSearch } from "../files/gzip-headers";
import type { OpenFile, PaymentFiles } from "../files/payment-files";
import type { BadRow, FileProgress } from "../files/progress";
import { readRows } from "../files/rows";
import { gzipFault, isCardDataBefore } from "../files/verify";
import type { Services } from "../store/services";
import type { Call } from "./call";
import { FileFacts } from "./file-facts";
import { type Attempt, cardDataEntry, furtherAttempts, kindOfAttempt } from "./file-records";
import { FILE_LIMITS, type FileLimits, type JudgedRow, RowJudge } from "./judge-rows";
import { recordEntries } from "./record-entries";
import { beginBatch, type RowBatch, type RowsOfFile } from "./record-rows";

/** As many as share one transaction. */
const BATCH_ROWS = 50;
const BATCHES_AT_ONCE = 4;
/** What is kept back for finishing the batches under way and writing the report or the continuation. */
const RESERVE_MS = 60_000;
/** To read the rows of a long file that are done again takes minutes. With less time than this the next run does it. */
const REOPENING_MS = 300_000;

/** The download ended before the file did, for example because recording rows took longer than the connection waits for its reader. */
class DownloadError extends CodedError<"DOWNLOAD_ENDED"> {
  override readonly name = "DownloadError";
}

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

/** One run over a file. */
interface FileRun extends RowsOfFile {
  readonly settings: FileSettings;
  readonly limits: FileLimits;
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
  await recordEntries(furtherAttempts(progress, run.limits.attemptsMax, run), services);
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
    await recordEntries([cardDataEntry(progress, { place: "1", details: { Row: 1 } }, { caller, call })], services);
  }
  const code = hasCardData || fault === undefined ? "CARD_DATA" : fault.code;
  const badRow: BadRow = { row: 1, outcome: "refused", code };
  const counts = { stored: 0, duplicate: 0, conflict: 0, refused: 1 };
  await progress.add({ rows: 1, counts, badRows: [badRow], cardDataRows: hasCardData ? 1 : 0 });
  call.noteOutcomes?.({ refused: 1 });
  return false;
}

/** False when the time ran out before the file ended. */
async function recordRows(run: FileRun): Promise<boolean> {
  const { progress, caller, call, services } = run;
  const facts = new FileFacts(progress.file, { ...call, caller }, services);
  for (;;) {
    const rowsBefore = progress.rows;
    try {
      return await recordRest(facts, run);
    } catch (error) {
      if (!(error instanceof DownloadError)) throw error;
      if (progress.rows === rowsBefore) throw error.cause;
      // A run that Lambda repeats would begin at the first row, and be as slow.
      if (call.remainingMs() < REOPENING_MS) return false;
    }
  }
}

/**
 * Records the rows behind those that are done. False when the time ran out before the file ended.
 *
 * @throws DownloadError after the rows that were read are done.
 */
async function recordRest(facts: FileFacts, run: FileRun): Promise<boolean> {
  const { progress, settings, call } = run;
  const underWay: RowBatch[] = [];
  /** Adds the first batch to the progress; false where its facts had no time. */
  const settleFirst = async () => {
    const outcome = await underWay[0]?.done;
    if (outcome === undefined) return false;
    underWay.shift();
    await recordAttempts(outcome.attempts, run);
    await progress.add(outcome);
    call.noteOutcomes?.(outcome.counts);
    return true;
  };
  const settleAll = async () => {
    while (underWay.length > 0) if (!(await settleFirst())) return false;
    return true;
  };
  try {
    for await (const rows of batchesOf(await settings.files.open(progress.file, progress.verified?.etag), run)) {
      if (underWay.length >= BATCHES_AT_ONCE && !(await settleFirst())) return false;
      if (call.remainingMs() < RESERVE_MS) {
        await settleAll();
        return false;
      }
      underWay.push(beginBatch(rows, underWay, facts, run));
    }
    return await settleAll();
  } catch (error) {
    if (error instanceof DownloadError && !(await settleAll())) return false;
    throw error;
  } finally {
    await Promise.allSettled(underWay.flatMap((batch) => [batch.payments, batch.done]));
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
  for await (const row of readRows(download(bytes))) {
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

async function* download(bytes: AsyncIterable<Uint8Array>): AsyncGenerator<Uint8Array> {
  try {
    yield* bytes;
  } catch (cause) {
    throw new DownloadError("DOWNLOAD_ENDED", "The download ended before the file did.", { cause });
  }
}

/** Batch by batch in the order of the file, so that a run that is repeated leaves the same records. */
async function recordAttempts(attempts: readonly Attempt[], { progress, limits, services }: FileRun): Promise<void> {
  const own = attempts.filter((attempt) => progress.countAttempt(kindOfAttempt(attempt)) <= limits.attemptsMax);
  await recordEntries(
    own.map(({ entry }) => entry),
    services,
  );
}

/** One record for all rows with card data beyond the limit of separate records: a small file could otherwise leave millions. */
async function recordUnlistedCardData({ progress, limits, caller, call, services }: FileRun): Promise<void> {
  const rows = progress.cardDataRows - limits.cardDataRowsMax;
  if (rows <= 0) return;
  const place = { place: "further", details: { FurtherRows: rows } };
  await recordEntries([cardDataEntry(progress, place, { caller, call })], services);
}
