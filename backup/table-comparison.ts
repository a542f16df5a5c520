/**
 * Compares the keys of one table with those of its exports. An item's time of recording is a little earlier than its write, so
 * an export may lack what was recorded shortly before its end. Those recent items are counted separately. A new ledger has only
 * such items; its exports count as compared if they contain all of them.
 */

import { randomBytes } from "node:crypto";
import { KeyTally } from "./compare-keys";
import type { Comparison } from "./findings";

const RUN_KEY_BYTES = 32;

export class TableComparison {
  private readonly secret = randomBytes(RUN_KEY_BYTES);
  private readonly due = this.bothSides();
  private readonly young = this.bothSides();
  private undated = 0;
  /** Items of the table. */
  items = 0;

  /**
   * @param dueUntil items recorded before this must be in the exports.
   * @param exportedUntil the moment at which the exports end.
   */
  constructor(
    readonly dueUntil: string,
    private readonly exportedUntil: string,
  ) {}

  /** Items of the table that were recorded before the exports end, and after `dueUntil`. */
  get youngItems(): number {
    return this.young.held.size;
  }

  isDue(recordedAt: string | undefined): boolean {
    return recordedAt !== undefined && recordedAt < this.dueUntil;
  }

  addExported(key: string, recordedAt: string | undefined, times: 1 | -1): void {
    this.sidesFor(recordedAt)?.exported.add(key, times);
  }

  addHeld(key: string, recordedAt: string | undefined): void {
    this.items += 1;
    if (recordedAt === undefined) this.undated += 1;
    this.sidesFor(recordedAt)?.held.add(key, 1);
  }

  /** Where keys of due items differ; `isDiffering` may be true of some other keys too. */
  differences(): { readonly isDiffering: (key: string) => boolean; readonly some: boolean; readonly all: boolean } {
    const { held, exported } = this.due;
    const { buckets, all } = held.differing(exported);
    return { isDiffering: (key) => buckets.has(held.bucketOf(key)), some: buckets.size > 0, all };
  }

  /** How far the two were compared. Young items count only where no item is due, and only when the exports hold all of them. */
  extent(): Omit<Comparison, "table"> {
    const { due, young, undated } = this;
    const isNewAndWhole =
      due.held.size === 0 && young.held.size > 0 && young.held.differing(young.exported).buckets.size === 0;
    return isNewAndWhole
      ? { recordedUntil: this.exportedUntil, compared: young.held.size, undated }
      : { recordedUntil: this.dueUntil, compared: due.held.size, undated };
  }

  private sidesFor(recordedAt: string | undefined) {
    if (recordedAt === undefined || recordedAt >= this.exportedUntil) return undefined;
    return this.isDue(recordedAt) ? this.due : this.young;
  }

  private bothSides() {
    return { held: new KeyTally(this.secret), exported: new KeyTally(this.secret) };
  }
}
