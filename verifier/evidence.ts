/** The evidence folder as the verifier reads it: tiles and bundles by C2SP tlog-tiles, from a disk or from wherever they lie. */

import { opendirSync, readFileSync } from "node:fs";
import path from "node:path";
import { HASH_BYTES } from "../log/hashing";
import { bundlePath, CHECKPOINT_PATH, TILE_WIDTH, tilePath } from "../log/paths";
import { parseCheckpoint } from "./checkpoint";

export interface EvidenceFolder {
  /** How reports name it. */
  readonly name: string;
  /** Undefined when there is no such object. */
  read(path: string): Promise<Buffer | undefined>;
  /** Paths of the objects whose path begins so, in any order. */
  list(prefix: string): AsyncIterable<string>;
}

/** An object is there, and is not what its path says. */
export class EvidenceError extends Error {
  override readonly name = "EvidenceError";
  readonly code = "EVIDENCE_ALTERED";
  constructor(
    readonly path: string,
    reason: string,
  ) {
    super(`${path}: ${reason}`);
  }
}

/** A folder on this machine's disk, as `aws s3 sync` leaves it. Reading is synchronous: thousands of small files go twice as fast. */
export function localEvidence(top: string): EvidenceFolder {
  const onDisk = (name: string) => path.join(top, ...name.split("/"));
  return {
    name: top,
    read: async (name) => ifThere(() => readFileSync(onDisk(name))),
    list: async function* (prefix) {
      const folder = prefix.slice(0, prefix.lastIndexOf("/") + 1);
      for (const name of filesUnder(onDisk(folder), folder)) if (name.startsWith(prefix)) yield name;
    },
  };
}

/** One entry at a time: a log publishes half a million checkpoints a year into one folder. */
function* filesUnder(directory: string, prefix: string): Generator<string> {
  const opened = ifThere(() => opendirSync(directory));
  try {
    for (let entry = opened?.readSync() ?? null; entry !== null; entry = opened?.readSync() ?? null) {
      if (entry.isDirectory()) yield* filesUnder(path.join(directory, entry.name), `${prefix}${entry.name}/`);
      else yield `${prefix}${entry.name}`;
    }
  } finally {
    opened?.closeSync();
  }
}

function ifThere<T>(read: () => T): T | undefined {
  try {
    return read();
  } catch (error) {
    if (["ENOENT", "ENOTDIR", "EISDIR"].includes((error as NodeJS.ErrnoException).code ?? "")) return undefined;
    throw error;
  }
}

/**
 * The folder as of its checkpoint now: later checkpoints, which the log publishes while it is being read, are not seen.
 * For evidence that is read in place, where it grows every minute.
 */
export async function asOfNow(evidence: EvidenceFolder): Promise<EvidenceFolder> {
  const checkpoint = await evidence.read(CHECKPOINT_PATH);
  const size = checkpoint === undefined ? 0 : parseCheckpoint(checkpoint).size;
  const isLater = (name: string) => Number(/^(?:checkpoints|cosignatures)\/([0-9]{16})/.exec(name)?.[1] ?? 0) > size;
  return {
    name: evidence.name,
    read: async (name) =>
      name === CHECKPOINT_PATH ? checkpoint : isLater(name) ? undefined : await evidence.read(name),
    list: async function* (prefix) {
      for await (const name of evidence.list(prefix)) if (!isLater(name)) yield name;
    },
  };
}

/**
 * The first `width` hashes of a tile, 32 bytes each. A log may remove a partial tile once the full one is there.
 * @returns undefined when neither is there. @throws EvidenceError when it has another length.
 */
export async function readTile(
  evidence: EvidenceFolder,
  level: number,
  index: number,
  width: number = TILE_WIDTH,
): Promise<Buffer | undefined> {
  const own = tilePath(level, index, width);
  const tile = await evidence.read(own);
  if (tile !== undefined) return ofLength(tile, width * HASH_BYTES, own);
  if (width === TILE_WIDTH) return undefined;
  const fullPath = tilePath(level, index);
  const full = await evidence.read(fullPath);
  return full && ofLength(full, TILE_WIDTH * HASH_BYTES, fullPath).subarray(0, width * HASH_BYTES);
}

function ofLength(tile: Buffer, length: number, name: string): Buffer {
  if (tile.length !== length) throw new EvidenceError(name, `it has ${tile.length} bytes; this tile has ${length}.`);
  return tile;
}

/**
 * The first `width` entries of a bundle.
 * @returns undefined when neither the partial nor the full bundle is there. @throws EvidenceError when it has others.
 */
export async function readBundle(
  evidence: EvidenceFolder,
  index: number,
  width: number = TILE_WIDTH,
): Promise<Buffer[] | undefined> {
  const own = bundlePath(index, width);
  const bundle = await evidence.read(own);
  if (bundle !== undefined) return entriesOf(bundle, width, own);
  if (width === TILE_WIDTH) return undefined;
  const fullPath = bundlePath(index);
  const full = await evidence.read(fullPath);
  return full && entriesOf(full, TILE_WIDTH, fullPath).slice(0, width);
}

const LENGTH_BYTES = 2;

/** Entries, each behind its length in two bytes. @throws EvidenceError when there are not `width` of them to the last byte. */
export function entriesOf(bundle: Buffer, width: number, name: string): Buffer[] {
  const ends = endsOf(bundle, width, name);
  return ends.map((end, at) => bundle.subarray((at === 0 ? 0 : (ends[at - 1] ?? 0)) + LENGTH_BYTES, end));
}

/** Where each entry of a bundle ends; the next one begins two bytes behind. @throws EvidenceError */
export function endsOf(bundle: Buffer, width: number, name: string): number[] {
  const ends: number[] = [];
  let at = 0;
  while (at + LENGTH_BYTES <= bundle.length) {
    const end = at + LENGTH_BYTES + bundle.readUInt16BE(at);
    if (end > bundle.length) break;
    ends.push(end);
    at = end;
  }
  if (at !== bundle.length || ends.length !== width) {
    throw new EvidenceError(name, `it does not consist of ${width} entries, each behind its length.`);
  }
  return ends;
}
