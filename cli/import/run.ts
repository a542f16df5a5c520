/** Sends the rows of a source to the function of their book, in batches, and notes what came of each. */

import type { EntryResult, OutcomeCounts } from "../../ledger/rules/responses";
import { type Entry, type ImportBook, type MapSettings, mapRow } from "./books";
import type { ImportReport, NotRecorded } from "./report";
import type { RowSource, SourceRow } from "./sources";
import type { Fields } from "./values";

/** What a function answers of one entry. */
export type RowResult = Pick<EntryResult, "position" | "outcome" | "code" | "field" | "TransactionID">;

export interface ImportRun {
  readonly book: ImportBook;
  readonly source: RowSource;
  readonly settings: MapSettings;
  readonly report: ImportReport;
  /** Sends entries of one request; results in their order. */
  readonly send: (entries: readonly Entry[]) => Promise<readonly RowResult[]>;
  /** The row with its encrypted fields in clear. */
  readonly decrypt?: (fields: Fields) => Promise<Fields>;
  readonly progress?: ((done: number, total: number | undefined) => void) | undefined;
}

/** A function takes 500 entries, and Lambda 6 MB. */
const BATCH_ROWS = 100;
const BATCH_BYTES = 2 * 1024 * 1024;
const PARALLEL = 4;

interface NumberedEntry {
  readonly number: number;
  readonly entry: Entry;
}

/** Repeatable: what was recorded before is a duplicate. Resumable: what was noted before is not sent again. */
export async function runImport(run: ImportRun): Promise<void> {
  const { source, report } = run;
  const total = await source.check();
  for await (const { rows, next } of source.chunks(report.current.done)) {
    const { entries, notSent } = await mapped(rows, run);
    const results = await sent(entries, run);
    report.add(countsOf(results, notSent), [...notSent, ...notRecorded(results, run.book)].sort(byRow), next);
    run.progress?.(next.rows, total);
  }
  report.finish();
}

async function mapped(rows: readonly SourceRow[], { book, settings, decrypt }: ImportRun) {
  const entries: NumberedEntry[] = [];
  const notSent: NotRecorded[] = [];
  for (const row of rows) {
    const { number } = row;
    if ("fault" in row) {
      notSent.push({ row: number, outcome: "refused", code: row.fault });
      continue;
    }
    const fields = decrypt === undefined ? row.fields : await decrypt(row.fields);
    const judged = mapRow(book, fields, settings);
    if ("fault" in judged) notSent.push({ row: number, outcome: "refused", ...judged.fault });
    else entries.push({ number, ...judged });
  }
  return { entries, notSent };
}

interface NumberedResult extends NumberedEntry {
  readonly result: RowResult;
}

async function sent(entries: readonly NumberedEntry[], { send }: ImportRun): Promise<NumberedResult[]> {
  const open = batchesOf(entries);
  const results: NumberedResult[] = [];
  const work = async () => {
    for (let batch = open.shift(); batch !== undefined; batch = open.shift()) {
      const answered = await send(batch.map(({ entry }) => entry));
      const byPosition = new Map(answered.map((result) => [result.position, result]));
      for (const [position, each] of batch.entries()) {
        const result = byPosition.get(position);
        if (result === undefined) throw new Error("The function answered fewer results than it was sent entries.");
        results.push({ ...each, result });
      }
    }
  };
  await Promise.all(Array.from({ length: PARALLEL }, work));
  return results;
}

function batchesOf(entries: readonly NumberedEntry[]): NumberedEntry[][] {
  const batches: NumberedEntry[][] = [];
  let bytes = Number.POSITIVE_INFINITY;
  for (const entry of entries) {
    const size = Buffer.byteLength(JSON.stringify(entry.entry));
    const last = batches.at(-1);
    if (last === undefined || last.length === BATCH_ROWS || bytes + size > BATCH_BYTES) {
      batches.push([entry]);
      bytes = size;
    } else {
      last.push(entry);
      bytes += size;
    }
  }
  return batches;
}

function countsOf(results: readonly NumberedResult[], notSent: readonly NotRecorded[]): OutcomeCounts {
  const counts = { stored: 0, duplicate: 0, conflict: 0, refused: notSent.length };
  for (const { result } of results) counts[result.outcome] += 1;
  return counts;
}

function notRecorded(results: readonly NumberedResult[], book: ImportBook): NotRecorded[] {
  return results.flatMap(({ number, entry, result }) => {
    const { outcome, code = "CONFLICT", field = unknownFields(code, entry, book), TransactionID } = result;
    if (outcome !== "refused" && outcome !== "conflict") return [];
    const known = {
      ...(field === undefined ? {} : { field }),
      ...(TransactionID === undefined ? {} : { TransactionID }),
    };
    return [{ row: number, outcome, code, ...known }];
  });
}

/** The ledger never repeats a name that its schema does not know; here they are the columns of the user's own table. */
function unknownFields(code: string, entry: Entry, { known }: ImportBook): string | undefined {
  if (code !== "UNKNOWN_FIELD") return undefined;
  return Object.keys(entry)
    .filter((name) => !known.includes(name))
    .join(", ");
}

function byRow(one: NotRecorded, other: NotRecorded): number {
  return one.row - other.row;
}
