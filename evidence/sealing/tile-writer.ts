/**
 * Bundles and tiles (C2SP tlog-tiles) of a log, made entry by entry. Of each level only the unfinished tile is kept, so a
 * long log takes no more memory than a short one.
 */

import { leafHash, perfectRoot } from "../log/hashing";
import { bundlePath, TILE_WIDTH, tilePath } from "../log/paths";
import { bundleBytes } from "./batches";
import type { EvidenceFile } from "./evidence-bucket";
import type { Frontier } from "./frontier";

export class TileWriter {
  #size: number;
  #bundle: Buffer[] = [];
  #finished: EvidenceFile[] = [];
  /** Hashes of the unfinished tile of each level. */
  readonly #levels: Buffer[][];

  /**
   * @param size a whole number of bundles: what of the unfinished one was published already is added again.
   * @param upper hashes of the unfinished tiles at that size, from level 1 upward.
   */
  constructor(size: number, upper: readonly (readonly Buffer[])[]) {
    if (size % TILE_WIDTH !== 0) throw new RangeError("A tree grows on from the end of a full bundle.");
    this.#size = size;
    this.#levels = [[], ...upper.map((hashes) => [...hashes])];
  }

  get size(): number {
    return this.#size;
  }

  add(entry: Buffer): void {
    this.#bundle.push(entry);
    this.#level(0).push(leafHash(entry));
    this.#size += 1;
    if (this.#bundle.length < TILE_WIDTH) return;
    this.#finished.push({ path: bundlePath(this.#size / TILE_WIDTH - 1), bytes: bundleBytes(this.#bundle) });
    this.#bundle = [];
    for (let level = 0; this.#level(level).length === TILE_WIDTH; level++) {
      const hashes = this.#level(level);
      const path = tilePath(level, this.#size / TILE_WIDTH ** (level + 1) - 1);
      const bytes = Buffer.concat(hashes);
      this.#finished.push({ path, bytes });
      this.#level(level + 1).push(perfectRoot(bytes));
      this.#levels[level] = [];
    }
  }

  get finishedCount(): number {
    return this.#finished.length;
  }

  /** Full bundles and tiles that came about since the last call. */
  takeFinished(): EvidenceFile[] {
    const files = this.#finished;
    this.#finished = [];
    return files;
  }

  /** The unfinished bundle and tiles, as a checkpoint of this size needs them. */
  unfinished(): EvidenceFile[] {
    const bundle = this.#bundle.length === 0 ? [] : [this.#unfinishedBundle()];
    const tiles = this.#levels.flatMap((hashes, level) => {
      const index = Math.floor(this.#size / TILE_WIDTH ** (level + 1));
      return hashes.length === 0 ? [] : [{ path: tilePath(level, index, hashes.length), bytes: Buffer.concat(hashes) }];
    });
    return [...bundle, ...tiles];
  }

  /** From the tiles alone, so that it can be held against what was counted when the entries were committed. */
  frontier(): Frontier {
    return { size: this.#size, hashes: this.#levels.toReversed().flatMap(perfectSubtrees) };
  }

  #unfinishedBundle(): EvidenceFile {
    const path = bundlePath(Math.floor(this.#size / TILE_WIDTH), this.#bundle.length);
    return { path, bytes: bundleBytes(this.#bundle) };
  }

  #level(level: number): Buffer[] {
    const hashes = this.#levels[level] ?? [];
    this.#levels[level] = hashes;
    return hashes;
  }
}

/** The hashes of a tile joined into the largest perfect subtrees, left to right. */
function perfectSubtrees(hashes: readonly Buffer[]): Buffer[] {
  const roots: Buffer[] = [];
  let at = 0;
  for (let width = TILE_WIDTH / 2; width >= 1; width /= 2) {
    if (hashes.length - at < width) continue;
    roots.push(perfectRoot(Buffer.concat(hashes.slice(at, at + width))));
    at += width;
  }
  return roots;
}

/** Widths of the unfinished tiles of a tree, from level 0 upward; zero where a level has none. */
export function unfinishedWidths(size: number): number[] {
  const widths: number[] = [];
  for (let rest = size; rest > 0; rest = Math.floor(rest / TILE_WIDTH)) widths.push(rest % TILE_WIDTH);
  return widths;
}
