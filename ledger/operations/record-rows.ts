/** Records a batch of rows of a payment file: its payments together, then its facts one after another for each payment. */

import { TABLES } from "../../contract";
import type { BadRow, DoneRows, FactCounts, FileProgress, RowCounts } from "../files/progress";
import type { AuditEntry, Caller } from "../rules/audit-entry";
import type { RefusalCode } from "../rules/refusals";
import type { EntryResult, EventResult } from "../rules/responses";
import type { Transaction } from "../rules/transaction";
import type { Services } from "../store/services";
import type { Call } from "./call";
import type { EventOutcome } from "./event-outcomes";
import type { FileFacts } from "./file-facts";
import { type Attempt, cardDataEntry } from "./file-records";
import type { JudgedRow, RefusedRow } from "./judge-rows";
import { recordEntries } from "./record-entries";
import { recordedOutcomes } from "./record-payments";
import { transactionsBook } from "./transactions-book";
import { type Accepted, acceptPayment } from "./validation";

const EVENTS = TABLES.paymentEvents.logicalName;

/** One run over a file, as its rows need it. */
export interface RowsOfFile {
  readonly progress: FileProgress;
  /** What AWS says of who put the file there. */
  readonly caller: Caller;
  readonly call: Call;
  readonly services: Services;
}

/** Rows that are being recorded. */
export interface RowBatch {
  /** The payments and refused rows among them; facts of later batches wait for it. */
  readonly payments: Promise<unknown>;
  /** Undefined where the time ran out before the last of the facts. */
  readonly done: Promise<BatchOutcome | undefined>;
}

interface BatchOutcome extends DoneRows {
  /** What the rows leave beside their own records, in the order of the file. */
  readonly attempts: readonly Attempt[];
}

/** @param underWay the batches before it that are not done. */
export function beginBatch(
  rows: readonly JudgedRow[],
  underWay: readonly RowBatch[],
  facts: FileFacts,
  source: RowsOfFile,
): RowBatch {
  const payments = recordPaymentRows(rows, source);
  const valid = rows.flatMap((row) => ("fact" in row ? [row.fact] : []));
  const told = facts.record(valid, Promise.all([...underWay.map((batch) => batch.payments), payments]));
  const done = outcomeOf(rows, payments, told);
  // Their failures are met when the batch's turn comes; until then they must not count as unhandled.
  for (const each of [payments, told, done]) each.catch(() => undefined);
  return { payments, done };
}

async function outcomeOf(
  rows: readonly JudgedRow[],
  payments: Promise<BatchOutcome>,
  factsTold: Promise<readonly EventOutcome[] | undefined>,
): Promise<BatchOutcome | undefined> {
  const outcome = await payments;
  const told = await factsTold;
  if (told === undefined) return undefined;
  const { badRows, attempts } = outcome;
  const isAnyEvent = rows.some((row) => "fact" in row || ("isEvent" in row && row.isEvent));
  if (!isAnyEvent) return outcome;
  const repeats = new Set(rows.flatMap((row) => ("fact" in row && row.isRepeat ? [row.number] : [])));
  const counts = { ...outcome.counts };
  const facts: FactCounts = { ...noCounts(), breached: 0 };
  for (const row of rows) if ("isEvent" in row && row.isEvent) facts.refused += 1;
  for (const { result } of told) {
    facts[result.outcome] += 1;
    counts[result.outcome] += 1;
    if (result.outcome === "stored" && result.Breach !== undefined) facts.breached += 1;
  }
  const attemptsOfFacts = told.flatMap(({ result, record }) => attemptOf(result.position, record, true));
  return {
    ...outcome,
    counts,
    facts,
    badRows: [...badRows, ...told.flatMap(({ result }) => badRowOf(result, repeats))].sort((a, b) => a.row - b.row),
    attempts: [...attempts, ...attemptsOfFacts].sort((a, b) => a.row - b.row),
  };
}

async function recordPaymentRows(rows: readonly JudgedRow[], source: RowsOfFile): Promise<BatchOutcome> {
  const { caller, services } = source;
  const call = { ...source.call, now: new Date() };
  const book = transactionsBook(services);
  const accepted: Accepted<Transaction>[] = [];
  const records: AuditEntry[] = [];
  const badRows: BadRow[] = [];
  const repeats = new Set<number>();
  const counts = noCounts();
  let cardDataRows = 0;
  for (const row of rows) {
    if ("fact" in row) continue;
    const { number } = row;
    if ("payment" in row) {
      accepted.push(await acceptPayment(book, row, { position: number, caller }, services));
      if (row.isRepeat) repeats.add(number);
      continue;
    }
    counts.refused += 1;
    if (row.badRow !== undefined) badRows.push(row.badRow);
    if (row.hasCardData) cardDataRows += 1;
    if (row.hasAuditRecord) records.push(recordOfCardData(row, { ...source, call }));
  }
  const outcomes = await recordedOutcomes(book, accepted, call, services);
  outcomes.sort((a, b) => a.result.position - b.result.position);
  await recordEntries(records, services);
  for (const { result } of outcomes) {
    counts[result.outcome] += 1;
    badRows.push(...badRowOf(result, repeats));
  }
  const attempts = outcomes.flatMap(({ result, record }) => attemptOf(result.position, record, false));
  return { rows: rows.length, counts, badRows: badRows.sort((a, b) => a.row - b.row), cardDataRows, attempts };
}

function recordOfCardData({ number, claims, isEvent }: RefusedRow, { progress, caller, call }: RowsOfFile): AuditEntry {
  const place = { place: String(number), details: { Row: number }, claims };
  return cardDataEntry(progress, isEvent ? { ...place, table: EVENTS } : place, { caller, call });
}

function attemptOf(row: number, entry: AuditEntry | undefined, isEvent: boolean): Attempt[] {
  return entry === undefined ? [] : [{ row, isEvent, entry }];
}

function noCounts(): RowCounts {
  return { stored: 0, duplicate: 0, conflict: 0, refused: 0 };
}

/**
 * A duplicate is what a file that is sent again consists of; within one file it may be a payment or event that got the wrong
 * id.
 */
function badRowOf(result: EntryResult | EventResult, repeats: ReadonlySet<number>): BadRow[] {
  const { position: row, outcome, code, TransactionID: transactionId } = result;
  const named = { ...(transactionId === undefined ? {} : { transactionId }), ...namesOfEvent(result) };
  if (outcome === "conflict") return [{ row, outcome, code: "CONFLICT", ...named }];
  if (outcome === "duplicate" && repeats.has(row)) return [{ row, outcome, code: "DUPLICATE", ...named }];
  return outcome === "refused" ? [{ row, outcome, code: code as RefusalCode, ...named }] : [];
}

/** Where the id of an event has other content, the fields that differ are known too. */
function namesOfEvent(result: EntryResult | EventResult): Pick<BadRow, "eventId" | "field"> {
  if (!("EventID" in result) || result.EventID === undefined) return {};
  const { EventID: eventId, field } = result;
  return { ...(field === undefined ? {} : { field }), eventId };
}
