/** The log's entries in their order, bundle by bundle, a few of them fetched ahead. */

import { TILE_WIDTH } from "../log/paths";
import { EvidenceError, type EvidenceFolder, readBundle, readTile } from "./evidence";

export interface Bundle {
  readonly index: number;
  /** Entries of the bundle that the tree has. */
  readonly width: number;
  /** Undefined when they cannot be read. */
  readonly entries?: readonly Buffer[];
  /** Why they cannot; undefined then too, when the bundle is not there. */
  readonly error?: EvidenceError;
  /** The tile over it as it is stored, where it was asked for; undefined when it is not there. */
  readonly tile?: Buffer | EvidenceError;
}

/** A bucket answers in tens of milliseconds; a disk at once. */
const AHEAD = 8;

/** Bundles in the order of `indexes`. @param withTiles whether their tiles are fetched ahead too. */
export async function* bundlesOf(
  evidence: EvidenceFolder,
  size: number,
  indexes: Iterable<number>,
  withTiles = false,
): AsyncGenerator<Bundle> {
  const waiting: Promise<Bundle>[] = [];
  for (const index of indexes) {
    const width = Math.min(TILE_WIDTH, size - index * TILE_WIDTH);
    const fetched = bundleAt(evidence, index, width, withTiles);
    // The reader gets the error when it comes to this file; a reader that stops early does not.
    fetched.catch(() => {});
    waiting.push(fetched);
    const next = waiting.length > AHEAD ? waiting.shift() : undefined;
    if (next !== undefined) yield await next;
  }
  for (const next of waiting) yield await next;
}

async function bundleAt(evidence: EvidenceFolder, index: number, width: number, withTile: boolean): Promise<Bundle> {
  const [entries, tile] = await Promise.all([
    orError(() => readBundle(evidence, index, width)),
    withTile ? orError(() => readTile(evidence, 0, index, width)) : undefined,
  ]);
  const over = tile === undefined ? {} : { tile };
  if (entries instanceof EvidenceError) return { index, width, error: entries, ...over };
  return entries === undefined ? { index, width, ...over } : { index, width, entries, ...over };
}

async function orError<T>(read: () => Promise<T>): Promise<T | EvidenceError> {
  try {
    return await read();
  } catch (error) {
    if (error instanceof EvidenceError) return error;
    throw error;
  }
}

export function* upwards(size: number): Generator<number> {
  for (let index = 0; index * TILE_WIDTH < size; index++) yield index;
}

export function* downwards(size: number): Generator<number> {
  for (let index = Math.ceil(size / TILE_WIDTH) - 1; index >= 0; index--) yield index;
}
