/**
 * Whether two long lists hold the same keys, in bounded memory. Each side is summed up in buckets by a hash under a secret
 * that is drawn for each run, so that nobody can prepare two lists with the same sums; only where the sums differ are the keys
 * themselves read again and compared.
 */

import { createHmac } from "node:crypto";

const BUCKETS = 65_536;
/** Keys that the second reading holds at once. */
const KEYS_HELD_MAX = 200_000;

/** Counts and sums by bucket; adding and removing the same key leaves nothing. */
export class KeyTally {
  private readonly counts = new Int32Array(BUCKETS);
  private readonly sums = new Uint32Array(BUCKETS * 2);
  size = 0;

  /** @param secret the same for both sides. */
  constructor(private readonly secret: Uint8Array) {}

  add(key: string, times: 1 | -1): void {
    const digest = this.digestOf(key);
    const bucket = digest.readUInt16BE(0);
    this.size += times;
    this.counts[bucket] = (this.counts[bucket] ?? 0) + times;
    for (const half of [0, 1]) {
      const place = bucket * 2 + half;
      this.sums[place] = (this.sums[place] ?? 0) + times * digest.readUInt32BE(2 + half * 4);
    }
  }

  /** The buckets in which the two differ, as far as their keys can be held, and whether these are all. */
  differing(other: KeyTally): { readonly buckets: ReadonlySet<number>; readonly all: boolean } {
    const buckets = new Set<number>();
    let held = 0;
    for (let bucket = 0; bucket < BUCKETS; bucket++) {
      const same =
        this.counts[bucket] === other.counts[bucket] &&
        this.sums[bucket * 2] === other.sums[bucket * 2] &&
        this.sums[bucket * 2 + 1] === other.sums[bucket * 2 + 1];
      if (same) continue;
      held += Math.max(0, this.counts[bucket] ?? 0) + Math.max(0, other.counts[bucket] ?? 0);
      if (held > KEYS_HELD_MAX && buckets.size > 0) return { buckets, all: false };
      buckets.add(bucket);
    }
    return { buckets, all: true };
  }

  bucketOf(key: string): number {
    return this.digestOf(key).readUInt16BE(0);
  }

  private digestOf(key: string): Buffer {
    return createHmac("sha256", this.secret).update(key).digest();
  }
}
