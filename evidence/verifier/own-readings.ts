/** The readings of a verification that this process does itself: the first one of the log and of the sources with threads, the others alone. */

import type { LogicalTableName } from "../../contract";
import type { KeyedHash } from "../../ledger/rules/tally";
import type { Digest } from "./digest";
import { isOfPart } from "./lives";
import {
  type BlockRange,
  blocksOf,
  type EntryFilter,
  entriesInBlock,
  type LogChunk,
  type LogReading,
  readBlock,
  statementsIn,
  type WantedEntry,
} from "./log-block";
import { isPairIn } from "./pairs";
import { ParallelReading, type Threads } from "./parallel-reading";
import type { Readings, RecordFilter, RecordReading } from "./readings";
import { type DigestedChange, readSource } from "./record-pass";
import { bucketOf, type RecordTally } from "./record-tally";
import type { Finding } from "./report";
import type { Run } from "./run";
import type { RecordSource } from "./sources";

export class OwnReadings implements Readings {
  private parallel: ParallelReading | undefined;

  constructor(
    private readonly run: Run,
    private readonly keyed: KeyedHash,
    private readonly sources: readonly RecordSource[],
    private readonly runKey: Buffer,
    private readonly threads: Threads,
  ) {}

  get shared(): ParallelReading | undefined {
    return this.parallel?.readsRecords === true ? this.parallel : undefined;
  }

  async *log(reading: LogReading, tally: RecordTally): AsyncGenerator<LogChunk> {
    this.parallel = ParallelReading.of(this.run, reading, this.sources, this.runKey, this.threads);
    if (this.parallel?.readsLog === true) yield* this.parallel.log(reading, tally, this.run);
    else for (let block = 0; block < blocksOf(reading); block++) yield* readBlock(block, reading, tally, this.run);
  }

  async *statements(reading: BlockRange): AsyncGenerator<Finding> {
    for (let block = 0; block < blocksOf(reading); block++) yield* statementsIn(block, reading, this.run);
  }

  async *entriesAgain(reading: BlockRange, filter: EntryFilter): AsyncGenerator<WantedEntry> {
    for (let block = 0; block < blocksOf(reading); block++)
      yield* entriesInBlock(block, reading, filter, this.keyed, this.run);
  }

  async recordsAgain(
    { sources, filter, what }: RecordReading,
    take: (source: RecordSource, change: DigestedChange) => void,
  ): Promise<void> {
    for (const source of sources) {
      const isIn = filterOf(filter, source.table, this.keyed);
      await readSource(source, this.run, { reportFaults: false, what }, (change) => {
        if (isIn(change)) take(source, change);
      });
    }
  }

  stop(): void {
    this.parallel?.stop();
  }
}

/** Whether a change of this table is one that the filter is about: as it was before or as it is now. */
export function filterOf(
  filter: RecordFilter,
  table: LogicalTableName,
  keyed: KeyedHash,
): (change: DigestedChange) => boolean {
  const isIn = (digest: Digest | undefined) => {
    if (digest === undefined) return false;
    if (filter.by === "payment") return isOfPart(digest, filter.part, filter.parts);
    if (filter.by === "pair") return isPairIn(table, digest, filter.buckets, keyed);
    return filter.buckets.has(bucketOf(keyed.placeOf(digest.keyText)));
  };
  return ({ now, before }) => isIn(now) || isIn(before);
}
