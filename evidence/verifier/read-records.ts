/** The first reading of the sources, by this thread or by several: every record is summed up, and what cannot be read is a finding. */

import type { LogicalTableName } from "../../contract";
import { readersOf } from "./export-source";
import { LaterRecords } from "./freshness";
import type { PairTally } from "./pairs";
import { faultsOf } from "./parallel-reading";
import type { SharedReading } from "./readings";
import { faultFinding, readSource } from "./record-pass";
import type { RecordTally } from "./record-tally";
import type { Run } from "./run";
import type { RecordSource } from "./sources";

export interface FirstReading {
  readonly run: Run;
  readonly tally: RecordTally;
  readonly pairs: PairTally;
  readonly settleMs: number;
}

/** @returns the number of records of each table. */
export async function readRecords(
  sources: readonly RecordSource[],
  reading: FirstReading,
  shared: SharedReading | undefined,
): Promise<ReadonlyMap<LogicalTableName, number>> {
  if (shared !== undefined) return takeShared(sources, reading, shared);
  const recordsOf = new Map<LogicalTableName, number>();
  for (const source of sources) recordsOf.set(source.table, await readOne(source, reading));
  return recordsOf;
}

async function readOne(source: RecordSource, { run, tally, pairs, settleMs }: FirstReading): Promise<number> {
  let records = 0;
  const later = new LaterRecords(source, settleMs);
  await readSource(source, run, { reportFaults: true, what: "records" }, ({ now, before }) => {
    if (now !== undefined) {
      tally.addItem(source.table, now, 1);
      pairs.add(source.table, now, 1);
      later.take(now);
      records += 1;
    }
    if (before !== undefined) {
      tally.addItem(source.table, before, -1);
      pairs.add(source.table, before, -1);
      records -= 1;
    }
  });
  later.report(run.findings);
  return records;
}

/** What several readers have read, reported in the order in which one thread reads. */
async function takeShared(
  sources: readonly RecordSource[],
  { run, tally, pairs, settleMs }: FirstReading,
  shared: SharedReading,
): Promise<ReadonlyMap<LogicalTableName, number>> {
  const expected = sources.reduce((sum, source) => sum + (source.expected ?? 0), 0);
  const sums = await shared.finish((changes) => {
    run.checkDeadline();
    run.progress(changes, expected, "records");
  });
  for (const each of sums) {
    tally.items.addAll(each.items);
    pairs.addAll(each.pairs);
  }
  const recordsOf = new Map<LogicalTableName, number>();
  let firstPart = 0;
  for (const source of sources) {
    const later = new LaterRecords(source, settleMs);
    let [changes, records] = [0, 0];
    const readers = readersOf(source);
    for (const [index, result] of (await shared.resultsOf(source, firstPart)).entries()) {
      const before = changes;
      const read = readers[index];
      if (read === undefined) throw new Error(`There are results of more parts than ${source.name} has.`);
      await faultsOf(source.table, read, result, (fault) =>
        run.findings.add(faultFinding({ ...fault, position: before + fault.position }, source.table)),
      );
      later.addAll(result.later);
      changes += result.changes;
      records += result.records;
    }
    firstPart += readers.length;
    recordsOf.set(source.table, records);
    later.report(run.findings);
  }
  return recordsOf;
}
