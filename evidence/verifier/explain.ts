/** Whether the log alone explains what the sources hold: repeated entries count once, and young records may be there or not. */

import type { LogicalTableName } from "../../contract";
import { LANES } from "../../ledger/rules/tally";
import { type History, type Leaf, possibleStates, type RecordState } from "./history";
import type { RecordTally } from "./record-tally";

/** A record as the log tells it. */
export interface KnownRecord {
  readonly table: LogicalTableName;
  readonly keyText: string;
  readonly leaves: readonly Leaf[];
  readonly history: History;
}

/** Ways to explain one bucket that are tried. */
const WAYS_MAX = 4096;

/** @param records those of this bucket. @param cutOf entries of a table before this one had to be in its source. */
export function canExplain(
  tally: RecordTally,
  bucket: number,
  records: readonly KnownRecord[],
  cutOf: (table: LogicalTableName) => number,
): boolean {
  const choices = records.map((record) =>
    distinct(possibleStates(record.history, cutOf(record.table))).map((state) => tokenOf(state, record, tally)),
  );
  const ways = choices.reduce((product, tokens) => product * tokens.length, 1);
  if (ways > WAYS_MAX) return false;
  const wanted = tally.items.sumOf(bucket);
  const tryFrom = (at: number, sums: Uint32Array): boolean => {
    const tokens = choices[at];
    if (tokens === undefined) return sums.join() === wanted;
    return tokens.some((token) =>
      tryFrom(
        at + 1,
        sums.map((sum, lane) => sum + (token[lane] ?? 0)),
      ),
    );
  };
  return tryFrom(0, new Uint32Array(LANES));
}

function distinct(states: readonly RecordState[]): RecordState[] {
  return [...new Map(states.map((state) => [state.commitment, state])).values()];
}

/** What the record adds to the sums of its bucket in this state. */
function tokenOf(
  { commitment, leaf }: RecordState,
  { table, keyText }: KnownRecord,
  { keyed }: RecordTally,
): Uint32Array {
  if (commitment === "" || leaf === undefined) return new Uint32Array(LANES);
  keyed.ofRecord(table, commitment, leaf.version, keyText);
  return Uint32Array.from(keyed.lanes);
}
