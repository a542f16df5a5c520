/**
 * Records the payments of one file: each valid row once, whatever is retried; bad rows are reported and stop no other.
 * Rows stream by in batches, a few of them under way at once, so memory does not grow with the file.
 */

import { TABLES } from "../contract";
import type { FileVersion, PaymentFiles } from "../files/payment-files";
import { type BadRow, digestOf, type FileProgress } from "../files/progress";
import { type Row, readRows } from "../files/rows";
import type { AuditEntry, Caller } from "../ledger/audit-entry";
import { derivedAuditId } from "../ledger/identifiers";
import { type Refusal, type RefusalCode, refusal } from "../ledger/refusals";
import type { EntryResult } from "../ledger/responses";
import { transactionId as transactionIdSchema } from "../ledger/schema";
import { parseTransaction, type Transaction } from "../ledger/transaction";
import type { Store } from "../store/store";
import { transactionContentMac } from "../store/transaction-record";
import { type Call, cardDataRefusal, isHarmless, ledgerEntry, recordEntries, UNCLAIMED_ACTOR } from "./call";
import { type Accepted, recordPayments } from "./record-payments";
import { transactionsBook } from "./transactions-book";

const TRANSACTIONS = TABLES.paymentTransactions.logicalName;

/** As many as share one transaction. */
const BATCH_ROWS = 50;
const BATCHES_AT_ONCE = 4;
/** What is kept back for finishing the batches under way and writing the report or the continuation. */
const RESERVE_MS = 60_000;

export interface FileSettings {
  readonly files: PaymentFiles;
  /** Removes a file that held card data, after its report. */
  readonly removeCardDataFiles: boolean;
}

export interface FileOutcome {
  readonly finished: boolean;
  readonly counts: FileProgress["counts"];
}

interface Batch {
  readonly rows: readonly Row[];
  readonly done: Promise<BatchOutcome>;
}

interface BatchOutcome {
  readonly counts: { stored: number; duplicate: number; conflict: number; refused: number };
  readonly badRows: readonly BadRow[];
  readonly cardDataRows: number;
}

export async function processFile(
  progress: FileProgress,
  settings: FileSettings,
  call: Call,
  store: Store,
): Promise<FileOutcome> {
  const { principal } = progress;
  const caller = principal === undefined ? call.caller : { ...call.caller, principal };
  const finished = await recordRows(progress, caller, settings.files, call, store);
  if (!finished) {
    await progress.continueLater();
    return { finished, counts: progress.counts };
  }
  const remove = settings.removeCardDataFiles && progress.cardDataRows > 0;
  await progress.report(remove);
  if (remove) await settings.files.remove(progress.file);
  return { finished, counts: progress.counts };
}

/** False when the time ran out before the file ended. */
async function recordRows(
  progress: FileProgress,
  caller: Caller,
  files: PaymentFiles,
  call: Call,
  store: Store,
): Promise<boolean> {
  const { file } = progress;
  const underWay: Batch[] = [];
  const settleFirst = async () => {
    const batch = underWay.shift();
    if (batch === undefined) return;
    const { counts, badRows, cardDataRows } = await batch.done;
    await progress.add(batch.rows.length, counts, badRows, cardDataRows);
  };
  try {
    for await (const rows of batchesOf(readRows(await files.open(file)), progress.rows)) {
      if (underWay.length >= BATCHES_AT_ONCE) await settleFirst();
      if (call.remainingMs() < RESERVE_MS) {
        while (underWay.length > 0) await settleFirst();
        return false;
      }
      const done = recordBatch(rows, file, caller, { ...call, now: new Date() }, store);
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

async function* batchesOf(rows: AsyncIterable<Row>, skip: number): AsyncGenerator<Row[]> {
  let batch: Row[] = [];
  let seen = 0;
  for await (const row of rows) {
    seen += 1;
    if (seen <= skip) continue;
    batch.push(row);
    if (batch.length < BATCH_ROWS) continue;
    yield batch;
    batch = [];
  }
  if (batch.length > 0) yield batch;
}

async function recordBatch(
  rows: readonly Row[],
  file: FileVersion,
  caller: Caller,
  call: Call,
  store: Store,
): Promise<BatchOutcome> {
  const accepted: Accepted<Transaction>[] = [];
  const records: AuditEntry[] = [];
  const badRows: BadRow[] = [];
  for (const row of rows) {
    const door = admit(row, store);
    if ("code" in door) {
      badRows.push(badRow(row, door));
      if (door.code === "CARD_DATA") records.push(cardDataEntry(row.number, file, caller, call));
      continue;
    }
    const { payment, actor = UNCLAIMED_ACTOR } = door;
    const contentMac = await transactionContentMac(payment, store);
    accepted.push({ position: row.number, id: payment.transactionId, actor, caller, payment, contentMac });
  }
  const cardDataRows = records.length;
  const recording = await recordPayments(transactionsBook(store), accepted, call, store);
  await recordEntries([...records, ...recording.records], store);
  const counts = { stored: 0, duplicate: 0, conflict: 0, refused: badRows.length };
  for (const result of recording.results) {
    counts[result.outcome] += 1;
    badRows.push(...badRowOf(result));
  }
  return { counts, badRows, cardDataRows };
}

function admit(row: Row, store: Store) {
  if ("fault" in row) return cardDataRefusal(row.text, store) ?? refusal(row.fault);
  const cardData = cardDataRefusal(row.value, store);
  if (cardData !== undefined) return cardData;
  const parsed = parseTransaction(row.value);
  return parsed.ok ? parsed.value : parsed.refusal;
}

function badRow(row: Row, { code, field }: Refusal): BadRow {
  const value = "value" in row && typeof row.value === "object" && row.value !== null ? row.value : {};
  const id = transactionIdSchema.safeParse("transactionId" in value ? value.transactionId : undefined);
  return {
    row: row.number,
    outcome: "refused",
    code,
    ...(field === undefined ? {} : { field }),
    // Whoever sent the row finds it by this; the file itself may be gone by then.
    ...(id.success && isHarmless(id.data) ? { transactionId: id.data } : {}),
  };
}

function badRowOf({ position: row, outcome, code, TransactionID: transactionId }: EntryResult): BadRow[] {
  const named = transactionId === undefined ? {} : { transactionId };
  if (outcome === "conflict") return [{ row, outcome, code: "CONFLICT", ...named }];
  return outcome === "refused" ? [{ row, outcome, code: code as RefusalCode, ...named }] : [];
}

/** The record of a row with card data: the file's version and the row, never a value. */
function cardDataEntry(row: number, { key, versionId }: FileVersion, caller: Caller, call: Call): AuditEntry {
  const entry = ledgerEntry(
    {
      auditId: derivedAuditId("REFUSAL", "payment-file", key, versionId ?? "", String(row)),
      action: "REFUSAL",
      actor: UNCLAIMED_ACTOR,
      table: TRANSACTIONS,
      asked: {
        recordIds: [],
        details: { Row: row, File: digestOf(key), ...(versionId === undefined ? {} : { VersionId: versionId }) },
      },
      answered: { recordIds: [], result: "CARD_DATA" },
    },
    call,
  );
  return { ...entry, caller };
}
