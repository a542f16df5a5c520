/** Both sides of the comparison, summed up: what the log says must be in the tables, and what the sources hold. */

import type { LogicalTableName } from "../../contract";
import { BitSet, BUCKETS, type KeyedHash, Tally } from "../../ledger/rules/tally";
import type { RecordEntry } from "../log/entry";
import type { Digest } from "./digest";

export class RecordTally {
  readonly leaves = new Tally();
  readonly items = new Tally();

  /** @param histories marks records with a history: with an entry that is not of a first version. */
  constructor(
    readonly keyed: KeyedHash,
    readonly histories: BitSet = new BitSet(),
  ) {}

  /**
   * Adds the version that an entry brings and takes away the one that it replaces, so that what is left is what must be
   * in the table. An entry does not state the version of what it replaces; where this guess is wrong the sums differ, and a
   * closer look decides.
   * @param counts false for an entry that need not be in the source.
   */
  addLeaf(entry: RecordEntry, counts: boolean): void {
    const { table, commitment, previous, version } = entry;
    const keyText = entry.key.join("\n");
    const place = this.keyed.placeOf(keyText);
    if (previous !== "" || version !== "1") this.histories.add(place);
    if (!counts) return;
    const bucket = bucketOf(place);
    if (commitment !== "") {
      this.keyed.ofRecord(table, commitment, version, keyText);
      this.leaves.add(bucket, this.keyed.lanes, 1);
    }
    if (previous !== "") {
      this.keyed.ofRecord(table, previous, replacedVersion(entry), keyText);
      this.leaves.add(bucket, this.keyed.lanes, -1);
    }
  }

  addItem(table: LogicalTableName, { keyText, version, commitment }: Omit<Digest, "writtenAt">, times: 1 | -1): void {
    const bucket = bucketOf(this.keyed.placeOf(keyText));
    this.keyed.ofRecord(table, commitment, version, keyText);
    this.items.add(bucket, this.keyed.lanes, times);
  }
}

export function bucketOf(place: number): number {
  return place & (BUCKETS - 1);
}

function replacedVersion({ commitment, version }: RecordEntry): string {
  return commitment === "" ? version : String(Number(version) - 1);
}
