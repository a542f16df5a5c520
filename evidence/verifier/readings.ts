/**
 * The readings that a verification consists of: of the log, and of the records. Each is described by plain data, and gives
 * its results in the order of the log and of the sources. So the verification does not depend on who reads: this process, threads, or
 * pieces of the work elsewhere (`pieces.ts`).
 */

import type { BitSetState, TallyState } from "../../ledger/rules/tally";
import type { LaterState } from "./freshness";
import type { BlockRange, EntryFilter, LogChunk, LogReading, WantedEntry } from "./log-block";
import type { ChangeFault, DigestedChange } from "./record-pass";
import type { RecordTally } from "./record-tally";
import type { Finding } from "./report";
import type { RecordSource } from "./sources";

/** Which records a further reading of the sources is about. */
export type RecordFilter =
  | { readonly by: "record" | "pair"; readonly buckets: ReadonlySet<number> }
  | { readonly by: "payment"; readonly part: number; readonly parts: number };

export interface RecordReading {
  readonly sources: readonly RecordSource[];
  readonly filter: RecordFilter;
  /** For the progress. */
  readonly what: string;
}

export interface Readings {
  /** The first reading of the log. @param tally has gained what all entries say of the records when the iteration has ended. */
  log(reading: LogReading, tally: RecordTally): AsyncIterable<LogChunk>;
  /** The log's own statements of forged and changed records, once more. */
  statements(reading: BlockRange): AsyncIterable<Finding>;
  entriesAgain(reading: BlockRange, filter: EntryFilter): AsyncIterable<WantedEntry>;
  /** The first reading of the sources by others; undefined where the verification reads them itself. */
  readonly shared: SharedReading | undefined;
  /** @param take called with the changes that the filter is about; kept free of promises, because there may be millions. */
  recordsAgain(reading: RecordReading, take: (source: RecordSource, change: DigestedChange) => void): Promise<void>;
  /** Ends what still reads. */
  stop(): void;
}

/** A first reading of the sources by several readers, each of which has read some of the parts. */
export interface SharedReading {
  /** Waits until all parts are read. @param onProgress called with the number of changes that were read so far. */
  finish(onProgress: (changes: number) => void): Promise<readonly ReaderSums[]>;
  /** What was read of each part of the source. @param firstPart place of its first one among the parts of all sources. */
  resultsOf(source: RecordSource, firstPart: number): Promise<readonly PartResult[]>;
}

/** What was read of one part. */
export interface PartResult {
  readonly changes: number;
  readonly records: number;
  readonly later: LaterState;
  /** In their order; undefined where there are so many that they are read again when their turn comes. */
  readonly faults: readonly ChangeFault[] | undefined;
}

/** What all entries that one reader has read say of the records. */
export interface LogState {
  readonly leaves: TallyState;
  readonly histories: BitSetState;
}

/** What one reader has summed up of all its parts. */
export interface ReaderSums {
  readonly items: TallyState;
  readonly pairs: PairState;
}

/** What one reader has summed up of the pairs. */
export interface PairState {
  readonly rows: TallyState;
  readonly records: TallyState;
  readonly rowCount: number;
}
