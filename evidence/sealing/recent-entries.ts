/** What was committed lately, by leaf hash: so that a change that was sealed already is not sealed a second time. */

import { leafHash } from "../log/hashing";
import { newestBatches } from "./committed-batches";
import { logForked } from "./errors";
import type { LogTable } from "./log-state-table";

/** Enough for all that other sealers commit between a delivery of a stream batch and the next. More repeats are harmless. */
export const RECENT_ENTRIES_DEFAULT = 5_000;
/** A warm sealer knows more than it read when it started. */
const KEPT_FACTOR = 4;

export class RecentEntries {
  readonly #known = new Set<string>();
  #size = 0;

  constructor(private readonly entriesMax: number) {}

  has(leaf: Buffer): boolean {
    return this.#known.has(nameOf(leaf));
  }

  /** Reads what was committed since the last look, at most the newest `entriesMax`. @param size of the log now. */
  async follow(table: LogTable, size: number): Promise<void> {
    if (size < this.#size) throw logForked("The log-state table holds a shorter log than before");
    const batches: (readonly Buffer[])[] = [];
    let entries = 0;
    if (size > this.#size && this.entriesMax > 0) {
      for await (const batch of newestBatches(table, this.#size, size)) {
        batches.push(batch.entries);
        entries += batch.entries.length;
        if (entries >= this.entriesMax) break;
      }
    }
    for (const batch of batches.reverse()) this.#keep(batch.map(leafHash));
    this.#size = size;
  }

  /** Takes in what this sealer has just committed itself. */
  add(leaves: readonly Buffer[], size: number): void {
    this.#keep(leaves);
    this.#size = size;
  }

  #keep(leaves: readonly Buffer[]): void {
    for (const leaf of leaves) this.#known.add(nameOf(leaf));
    for (const oldest of this.#known) {
      if (this.#known.size <= this.entriesMax * KEPT_FACTOR) break;
      this.#known.delete(oldest);
    }
  }
}

function nameOf(leaf: Buffer): string {
  return leaf.toString("latin1");
}
