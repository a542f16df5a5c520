/**
 * Reads blocks of the log, and then parts of the sources, one data file at a time, and sums up what they say of the records. Several
 * readers, in threads, share the blocks and the parts.
 */

import { KeyedHash } from "../../ledger/rules/tally";
import { changesInPart } from "./export-source";
import { LaterRecords } from "./freshness";
import { localEvidence } from "./local-evidence";
import { blocksOf, type LogChunk, type LogReading, readBlock } from "./log-block";
import { PairTally } from "./pairs";
import type { LogState, PartResult, ReaderSums } from "./readings";
import { type ChangeFault, digestChanges } from "./record-pass";
import { RecordTally } from "./record-tally";
import type { RecordChange, RecordPart, RecordSource } from "./sources";

/** The work that readers share: each takes the next block of the log, and then the next part, that no other has taken. */
export interface SharedWork {
  /** The log in a folder on this machine's disk; absent where one reader reads it alone. */
  readonly log?: { readonly folder: string; readonly reading: LogReading };
  readonly parts: readonly RecordPart[];
  /** 32 random bytes, of this verification. */
  readonly runKey: Uint8Array;
  /** A 32-bit counter of the blocks and parts that were taken, in memory that the threads share. */
  readonly taken: SharedArrayBuffer;
}

/** What was read of a block or of a part, or what all blocks of a reader say of the records. */
export type SharedResult =
  | { readonly block: number; readonly chunks: readonly LogChunk[] }
  | { readonly index: number; readonly result: PartResult }
  | { readonly log: LogState };

const FAULTS_MAX = 1_000;

const blocksIn = ({ log }: SharedWork): number => (log === undefined ? 0 : blocksOf(log.reading));

/** The next block of the log that nobody has taken; undefined where none is left. */
export function takeBlock(work: SharedWork): number | undefined {
  const counter = new Int32Array(work.taken);
  for (let next = Atomics.load(counter, 0); next < blocksIn(work); next = Atomics.load(counter, 0)) {
    if (Atomics.compareExchange(counter, 0, next, next + 1) === next) return next;
  }
  return undefined;
}

/** @param onResult called with each block and part that was read, and between the two with what the blocks say of the records. */
export async function readShared(work: SharedWork, onResult: (result: SharedResult) => void): Promise<ReaderSums> {
  const { parts, runKey, taken } = work;
  const keyed = new KeyedHash(Buffer.from(runKey));
  const [tally, pairs] = [new RecordTally(keyed), new PairTally(keyed)];
  await readBlocks(work, tally, onResult);
  const counter = new Int32Array(taken);
  const first = blocksIn(work);
  for (let unit = Atomics.add(counter, 0, 1); ; unit = Atomics.add(counter, 0, 1)) {
    const part = parts[unit - first];
    if (part === undefined) return { items: tally.items.state, pairs: pairs.state };
    onResult({ index: unit - first, result: await readPart(part, () => changesInPart(part), { tally, pairs }) });
  }
}

async function readBlocks(
  work: SharedWork,
  tally: RecordTally,
  onResult: (result: SharedResult) => void,
): Promise<void> {
  if (work.log === undefined) return;
  const { folder, reading } = work.log;
  const reader = { evidence: localEvidence(folder), checkDeadline: () => {}, progress: () => {} };
  for (let block = takeBlock(work); block !== undefined; block = takeBlock(work)) {
    const chunks: LogChunk[] = [];
    for await (const chunk of readBlock(block, reading, tally, reader)) chunks.push(chunk);
    onResult({ block, chunks });
  }
  onResult({ log: { leaves: tally.leaves.state, histories: tally.histories.state } });
}

/** @param sums gain what the part's records say. */
export async function readPart(
  { table, takenAt }: Pick<RecordSource, "table" | "takenAt">,
  read: () => AsyncIterable<readonly RecordChange[]>,
  { tally, pairs }: { readonly tally: RecordTally; readonly pairs: PairTally },
): Promise<PartResult> {
  const later = new LaterRecords({ table, takenAt, name: table }, 0);
  const faults: ChangeFault[] = [];
  let records = 0;
  const changes = await digestChanges(read(), table, {
    take: ({ now, before }) => {
      if (now !== undefined) {
        tally.addItem(table, now, 1);
        pairs.add(table, now, 1);
        later.take(now);
        records += 1;
      }
      if (before !== undefined) {
        tally.addItem(table, before, -1);
        pairs.add(table, before, -1);
        records -= 1;
      }
    },
    onFault: (fault) => {
      if (faults.length <= FAULTS_MAX) faults.push(fault);
    },
  });
  return { changes, records, later: later.state, faults: faults.length > FAULTS_MAX ? undefined : faults };
}
