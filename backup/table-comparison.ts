/**
 * Compares the keys of one table with those of its exports. An item's time of recording is a little earlier than its write, so
 * an export may lack what was recorded shortly before its end. Those recent items are counted separately. A new ledger has only
 * such items; its exports count as compared if they contain all of them.
 */

import { type PackedTally, packedTally, unpackedTally } from "../ledger/pieces/packed";
import type { Chain } from "./chain";
import { KeyTally } from "./compare-keys";
import type { Comparison } from "./findings";

const SETTLE_MS = 15 * 60 * 1000;

/**
 * @param runKey 32 random bytes, drawn for each check.
 * @param settleMs items recorded so shortly before the end of the exports are not due.
 */
export function comparisonOf({ until }: Chain, runKey: Buffer, settleMs: number = SETTLE_MS): TableComparison {
  return new TableComparison(new Date(Date.parse(until) - settleMs).toISOString(), until, runKey);
}

export class TableComparison {
  private readonly due: Sides;
  private readonly young: Sides;
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
    runKey: Buffer,
  ) {
    const bothSides = () => ({ held: new KeyTally(runKey), exported: new KeyTally(runKey) });
    [this.due, this.young] = [bothSides(), bothSides()];
  }

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

  /** The buckets in which keys of due items differ, as far as their keys can be held, and whether these are all. */
  differing(): { readonly buckets: ReadonlySet<number>; readonly all: boolean } {
    return this.due.held.differing(this.due.exported);
  }

  isIn(buckets: ReadonlySet<number>, key: string): boolean {
    return buckets.has(this.due.held.bucketOf(key));
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

  /** As if everything had been added here that was added to another comparison of the same chain and key. */
  addAll({ due, young, undated, items }: PackedComparison): void {
    addSides(this.due, due);
    addSides(this.young, young);
    this.undated += undated;
    this.items += items;
  }

  get state() {
    const { due, young, undated, items } = this;
    return { due, young, undated, items };
  }
}

interface Sides {
  readonly held: KeyTally;
  readonly exported: KeyTally;
}

interface PackedSide {
  readonly size: number;
  readonly tally: PackedTally;
}

interface PackedSides {
  readonly held: PackedSide;
  readonly exported: PackedSide;
}

/** All that a comparison has summed up, as what JSON can hold. */
export interface PackedComparison {
  readonly due: PackedSides;
  readonly young: PackedSides;
  readonly undated: number;
  readonly items: number;
}

export function packedComparison(comparison: TableComparison): PackedComparison {
  const { due, young, undated, items } = comparison.state;
  return { due: packedSides(due), young: packedSides(young), undated, items };
}

function packedSides({ held, exported }: Sides): PackedSides {
  const side = ({ state: { size, tally } }: KeyTally): PackedSide => ({ size, tally: packedTally(tally) });
  return { held: side(held), exported: side(exported) };
}

function addSides({ held, exported }: Sides, packed: PackedSides): void {
  const stateOf = ({ size, tally }: PackedSide) => ({ size, tally: unpackedTally(tally) });
  held.addAll(stateOf(packed.held));
  exported.addAll(stateOf(packed.exported));
}
