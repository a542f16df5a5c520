/**
 * Whether two long lists hold the same records, in bounded memory: each side is summed up in buckets, over hashes under a
 * key that is drawn for this run, so that nobody can prepare two lists with the same sums.
 */

import { hash } from "node:crypto";

/** A power of two: of a million records fifteen share a bucket, and all sums take little more than a megabyte a side. */
export const BUCKETS = 2 ** 16;
export const LANES = 4;

const FNV_PRIME = 0x01000193;

function finished(mixed: number): number {
  const once = Math.imul(mixed ^ (mixed >>> 15), 0x2c1b3c6d);
  return (once ^ (once >>> 13)) >>> 0;
}

/** 128 bits of a keyed hash, left in `lanes`, which the next hash overwrites. */
export class KeyedHash {
  readonly lanes = new Uint32Array(LANES);
  private readonly secret: string;
  private readonly seed: number;

  /** @param runKey 32 random bytes. */
  constructor(runKey: Buffer) {
    this.secret = runKey.toString("base64url");
    this.seed = runKey.readUInt32LE(0);
  }

  /** Of one version of a record. No part but the last may hold a newline. */
  ofRecord(table: string, commitment: string, version: string, keyText: string): void {
    this.take(`${this.secret}${table}\n${commitment}\n${version}\n${keyText}`);
  }

  ofText(text: string): void {
    this.take(`${this.secret}${text}`);
  }

  /** Cheap, and different in each run: says which bucket a record's versions share. Not fit to compare by. */
  placeOf(keyText: string): number {
    let mixed = this.seed;
    for (let at = 0; at < keyText.length; at++) mixed = Math.imul(mixed ^ keyText.charCodeAt(at), FNV_PRIME);
    return finished(mixed);
  }

  /** The same of a text that lies in ASCII bytes. */
  placeOfBytes(bytes: Buffer, start: number, end: number): number {
    let mixed = this.seed;
    for (let at = start; at < end; at++) mixed = Math.imul(mixed ^ (bytes[at] ?? 0), FNV_PRIME);
    return finished(mixed);
  }

  private take(text: string): void {
    // As text of one-byte characters: a buffer for each hash would cost more than the hash.
    const digest = hash("sha256", text, "binary");
    for (let lane = 0; lane < LANES; lane++) {
      const at = lane * 4;
      this.lanes[lane] =
        digest.charCodeAt(at) |
        (digest.charCodeAt(at + 1) << 8) |
        (digest.charCodeAt(at + 2) << 16) |
        (digest.charCodeAt(at + 3) << 24);
    }
  }
}

export interface TallyState {
  readonly sums: Uint32Array;
  readonly touched: Uint32Array;
}

/** Counts and sums by bucket; adding and taking away the same record leaves nothing. */
export class Tally {
  /** Both are empty until something is added: a megabyte, and many a tally of a verification stays without anything. */
  private sums = new Uint32Array(0);
  /** How many were added or taken away: what a second reading of the bucket will hold. */
  private touched = new Uint32Array(0);

  add(bucket: number, lanes: Uint32Array, times: 1 | -1): void {
    if (this.touched.length === 0) this.begin();
    this.touched[bucket] = (this.touched[bucket] ?? 0) + 1;
    for (let lane = 0, at = bucket * LANES; lane < LANES; lane++, at++) {
      // Unsigned 32-bit elements sum up modulo 2^32 by themselves.
      this.sums[at] = (this.sums[at] ?? 0) + times * (lanes[lane] ?? 0);
    }
  }

  /** All that it has summed up, to be added to another of the same key: what two threads read is then as one had read it. */
  get state(): TallyState {
    return { sums: this.sums, touched: this.touched };
  }

  addAll({ sums, touched }: TallyState): void {
    if (this.touched.length === 0 && touched.length > 0) this.begin();
    for (let bucket = 0; bucket < touched.length; bucket++) {
      const times = touched[bucket] ?? 0;
      if (times === 0) continue;
      this.touched[bucket] = (this.touched[bucket] ?? 0) + times;
      for (let at = bucket * LANES; at < (bucket + 1) * LANES; at++)
        this.sums[at] = (this.sums[at] ?? 0) + (sums[at] ?? 0);
    }
  }

  touchedIn(bucket: number): number {
    return this.touched[bucket] ?? 0;
  }

  /** The four sums of one bucket, as text. */
  sumOf(bucket: number): string {
    return Array.from({ length: LANES }, (_, lane) => this.sums[bucket * LANES + lane] ?? 0).join();
  }

  differing(other: Tally): number[] {
    const buckets: number[] = [];
    for (let bucket = 0; bucket < BUCKETS; bucket++) {
      if ((this.touched[bucket] ?? 0) === 0 && (other.touched[bucket] ?? 0) === 0) continue;
      for (let at = bucket * LANES; at < (bucket + 1) * LANES; at++) {
        if ((this.sums[at] ?? 0) === (other.sums[at] ?? 0)) continue;
        buckets.push(bucket);
        break;
      }
    }
    return buckets;
  }

  private begin(): void {
    this.sums = new Uint32Array(BUCKETS * LANES);
    this.touched = new Uint32Array(BUCKETS);
  }
}

/** Pages of bits by their number. */
export interface BitSetState {
  readonly pages: ReadonlyMap<number, Uint32Array>;
  readonly count: number;
}

const PAGE_WORDS = 2 ** 10;
const PLACES = 2 ** 26;

/** Whole numbers below 2^26, remembered in a bit each. Of 8 MB, only the pages that hold a number are there. */
export class BitSet {
  private readonly pages = new Map<number, Uint32Array>();
  count = 0;

  add(place: number): void {
    const words = this.page((place % PLACES) >>> 15);
    const at = (place >>> 5) % PAGE_WORDS;
    words[at] = (words[at] ?? 0) | (1 << (place & 31));
    this.count += 1;
  }

  get state(): BitSetState {
    return { pages: this.pages, count: this.count };
  }

  addAll({ pages, count }: BitSetState): void {
    for (const [number, words] of pages) {
      const own = this.page(number);
      for (let at = 0; at < PAGE_WORDS; at++) own[at] = (own[at] ?? 0) | (words[at] ?? 0);
    }
    this.count += count;
  }

  has(place: number): boolean {
    const words = this.pages.get((place % PLACES) >>> 15);
    return words !== undefined && ((words[(place >>> 5) % PAGE_WORDS] ?? 0) & (1 << (place & 31))) !== 0;
  }

  private page(number: number): Uint32Array {
    const words = this.pages.get(number) ?? new Uint32Array(PAGE_WORDS);
    this.pages.set(number, words);
    return words;
  }
}
