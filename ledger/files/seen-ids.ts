/** The ids of payments and facts that came in a file so far: which row repeats an earlier one, in some 20 bytes a row. */

import { hash } from "node:crypto";

const SLOTS_AT_FIRST = 1 << 14;
/** Beyond this share of used slots the table doubles. */
const LOAD_MAX = 0.6;

/**
 * A set of 64-bit digests with open addressing. Among five million ids the chance that two share a digest is about one in a
 * million; then a row that is a duplicate anyhow is listed as a repeat.
 */
export class SeenIds {
  private slots = new Uint32Array(SLOTS_AT_FIRST * 2);
  private count = 0;

  get byteLength(): number {
    return this.slots.byteLength;
  }

  /** @returns whether the id was added before. */
  add(id: string): boolean {
    const digest = hash("sha256", id, "hex");
    // An empty slot holds zeros.
    const [high, low] = [Number.parseInt(digest.slice(0, 8), 16) || 1, Number.parseInt(digest.slice(8, 16), 16)];
    if (!this.insert(high, low)) return true;
    this.count += 1;
    if (this.count * 2 > this.slots.length * LOAD_MAX) this.grow();
    return false;
  }

  private insert(high: number, low: number): boolean {
    const mask = this.slots.length - 2;
    for (let at = (low * 2) & mask; ; at = (at + 2) & mask) {
      if (this.slots[at] === 0) {
        this.slots[at] = high;
        this.slots[at + 1] = low;
        return true;
      }
      if (this.slots[at] === high && this.slots[at + 1] === low) return false;
    }
  }

  private grow(): void {
    const old = this.slots;
    this.slots = new Uint32Array(old.length * 2);
    for (let at = 0; at < old.length; at += 2) {
      if (old[at] !== 0) this.insert(old[at] as number, old[at + 1] as number);
    }
  }
}
