/** Reads parts of the sources, one data file at a time, and sums up their records. Several of them, in threads, share the parts. */

import { KeyedHash } from "../../ledger/rules/tally";
import { changesInPart } from "./export-source";
import { LaterRecords } from "./freshness";
import { PairTally } from "./pairs";
import type { PartResult, ReaderSums } from "./readings";
import { type ChangeFault, digestChanges } from "./record-pass";
import { RecordTally } from "./record-tally";
import type { RecordChange, RecordPart, RecordSource } from "./sources";

/** The work that readers share: each takes the next part that no other has taken. */
export interface SharedWork {
  readonly parts: readonly RecordPart[];
  /** 32 random bytes, of this verification. */
  readonly runKey: Uint8Array;
  /** A 32-bit counter of the parts that were taken, in memory that the threads share. */
  readonly taken: SharedArrayBuffer;
}

const FAULTS_MAX = 1_000;

/** @param onPart called with the place of each part that was read. */
export async function readShared(
  { parts, runKey, taken }: SharedWork,
  onPart: (index: number, result: PartResult) => void,
): Promise<ReaderSums> {
  const counter = new Int32Array(taken);
  const keyed = new KeyedHash(Buffer.from(runKey));
  const [tally, pairs] = [new RecordTally(keyed), new PairTally(keyed)];
  for (let index = Atomics.add(counter, 0, 1); ; index = Atomics.add(counter, 0, 1)) {
    const part = parts[index];
    if (part === undefined) return { items: tally.items.state, pairs: pairs.state };
    onPart(index, await readPart(part, () => changesInPart(part), { tally, pairs }));
  }
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
