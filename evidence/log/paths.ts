/** Where the parts of the log lie in the evidence folder, by C2SP tlog-tiles. */

import { SWEPT_PREFIX } from "../../contract";

/** Hashes in a full tile, and entries in a full bundle. */
export const TILE_WIDTH = 256;

/** Full bundles in a pack. */
export const PACK_BUNDLES = 256;

/** Entries of which the bundles lie once more in one object. */
export const PACK_ENTRIES: number = PACK_BUNDLES * TILE_WIDTH;

/** Entries whose bundles are larger together get no pack: one has some 20 MB, and writers and readers hold it in memory. */
export const PACK_BYTES_MAX: number = 64 * 1024 * 1024;

export const PACKS_PREFIX = "packs/";

/** The newest signed checkpoint: the only object that is ever replaced. */
export const CHECKPOINT_PATH = "checkpoint";

/** @param width 256 for a full tile, less for the last one of a tree. */
export function tilePath(level: number, index: number, width: number = TILE_WIDTH): string {
  return `tile/${level}/${tileName(index, width)}`;
}

export function bundlePath(index: number, width: number = TILE_WIDTH): string {
  return `tile/entries/${tileName(index, width)}`;
}

/** The bundles from 256 times the index on, one after another. Our own object, beside those of C2SP. */
export function packPath(index: number): string {
  return `${PACKS_PREFIX}${tileName(index, TILE_WIDTH)}`;
}

/** Number of the pack that has this path; undefined for every other path. */
export function packIndexOf(path: string): number | undefined {
  const index = Number(path.slice(PACKS_PREFIX.length).replaceAll(/[x/]/g, ""));
  return Number.isInteger(index) && packPath(index) === path ? index : undefined;
}

/** Numbers of the packs among these paths, of a tree of this size. */
export async function packsAmong(paths: AsyncIterable<string>, size: number): Promise<Set<number>> {
  const found = new Set<number>();
  for await (const path of paths) {
    const index = packIndexOf(path);
    if (index !== undefined && index < packsOf(size)) found.add(index);
  }
  return found;
}

/**
 * Numbers of those that a tree of this size lacks: a log that has packs has one for each 65,536 entries from its first one on.
 * One after another, because who verifies does not trust the size.
 */
export function* missingPacks(found: ReadonlySet<number>, size: number): Generator<number> {
  const first = [...found].reduce((least, index) => Math.min(least, index), packsOf(size));
  for (let index = first; index < packsOf(size); index++) if (!found.has(index)) yield index;
}

function packsOf(size: number): number {
  return Math.floor(size / PACK_ENTRIES);
}

/** `x001/x234/067` for 1234067, with `.p/<width>` for a partial one. */
function tileName(index: number, width: number): string {
  const groups: string[] = [];
  for (let rest = index; groups.length === 0 || rest > 0; rest = Math.floor(rest / 1000)) {
    groups.unshift(`${groups.length === 0 ? "" : "x"}${String(rest % 1000).padStart(3, "0")}`);
  }
  return `${groups.join("/")}${width === TILE_WIDTH ? "" : `.p/${width}`}`;
}

/** Every checkpoint that was ever published, under the size of its tree: so that a tree can be held against an earlier one. */
export function checkpointPath(size: number): string {
  return `checkpoints/${String(size).padStart(16, "0")}`;
}

/** A checkpoint that a sweep has verified, under the size of its tree. */
export function sweptPath(size: number): string {
  return `${SWEPT_PREFIX}${String(size).padStart(16, "0")}`;
}

/** Verifier keys that ever signed, for the record. Auditors pin the key from elsewhere. @param keyId eight hex digits. */
export function verifierKeyPath(keyId: string): string {
  return `keys/${keyId}.vkey`;
}

/** Cosignatures of a checkpoint by one witness. @param witnessKeyId eight hex digits. */
export function cosignaturePath(size: number, witnessKeyId: string): string {
  return `cosignatures/${String(size).padStart(16, "0")}/${witnessKeyId}`;
}
