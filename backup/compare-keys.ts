/** The keys of one side, a table or its exports, summed up; only where the sums of both sides differ are keys read again. */

import { BUCKETS, KeyedHash, Tally, type TallyState } from "../ledger/rules/tally";

/** Keys that the second reading holds at once. */
const KEYS_HELD_MAX = 200_000;

export interface KeyTallyState {
  readonly size: number;
  readonly tally: TallyState;
}

export class KeyTally {
  size = 0;
  private readonly keyed: KeyedHash;
  private readonly tally = new Tally();

  /** @param secret 32 random bytes, drawn for each run and the same for both sides. */
  constructor(secret: Buffer) {
    this.keyed = new KeyedHash(secret);
  }

  /** @param times 1 adds the key, -1 takes it away again. */
  add(key: string, times: 1 | -1): void {
    this.size += times;
    this.keyed.ofText(key);
    this.tally.add(this.bucketOf(key), this.keyed.lanes, times);
  }

  /** All that it has summed up, to be added to another of the same secret. */
  get state(): KeyTallyState {
    return { size: this.size, tally: this.tally.state };
  }

  addAll({ size, tally }: KeyTallyState): void {
    this.size += size;
    this.tally.addAll(tally);
  }

  /** The buckets in which the two differ, as far as their keys can be held, and whether these are all. */
  differing(other: KeyTally): { readonly buckets: ReadonlySet<number>; readonly all: boolean } {
    const buckets = new Set<number>();
    let held = 0;
    for (const bucket of this.tally.differing(other.tally)) {
      held += this.tally.touchedIn(bucket) + other.tally.touchedIn(bucket);
      if (held > KEYS_HELD_MAX && buckets.size > 0) return { buckets, all: false };
      buckets.add(bucket);
    }
    return { buckets, all: true };
  }

  bucketOf(key: string): number {
    return this.keyed.placeOf(key) % BUCKETS;
  }
}
