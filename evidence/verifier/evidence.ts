/** The evidence folder as the verifier reads it: tiles and bundles by C2SP tlog-tiles, from wherever they lie. */

import { setTimeout as delay } from "node:timers/promises";
import { CodedError, IDENTITIES_PREFIX } from "../../contract";
import { parseCheckpoint } from "../log/checkpoint";
import { ENTRY_BYTES_MAX, HASH_BYTES } from "../log/hashing";
import { NoteError } from "../log/note";
import { bundlePath, CHECKPOINT_PATH, PACK_BYTES_MAX, PACKS_PREFIX, TILE_WIDTH, tilePath } from "../log/paths";
import type { Findings } from "./findings";

export interface EvidenceFolder {
  /** How reports name it. */
  readonly name: string;
  /** Where it is a folder on this machine's disk, the path: then threads can read it too. */
  readonly folder?: string;
  /** Undefined when there is no such object. @throws EvidenceError for one that cannot be what its path says. */
  read(path: string): Promise<Buffer | undefined>;
  /** Paths of the objects whose path begins so, in any order. */
  list(prefix: string): AsyncIterable<string>;
  /** Where bundles may come from packs (`packs.ts`). */
  readonly packs?: Packs;
}

/** What a folder knows of its packs. Bundles and tiles are full ones. */
export interface Packs {
  /** Whether this bundle lies in a pack that can be read. */
  holds(bundle: number): Promise<boolean>;
  /** The tile over this bundle as a separate object; undefined where it does not exist, or where packs are read in its place. */
  storedTile(bundle: number): Promise<Buffer | undefined>;
  /** What is wrong with the pack: as a whole, said with its first bundle, or that it holds other entries than the bundle. */
  faultAt(bundle: number, entries: readonly Buffer[] | undefined): Promise<EvidenceError | undefined>;
}

/** An object is there, and is not what its path says. */
export class EvidenceError extends CodedError<"EVIDENCE_ALTERED"> {
  override readonly name = "EvidenceError";
  constructor(
    readonly path: string,
    reason: string,
  ) {
    super("EVIDENCE_ALTERED", `${path}: ${reason}`);
  }
}

/** Tiles and bundles have their lengths by the specification; a note with a hundred post-quantum signatures fits. */
const TILE_BYTES_MAX = TILE_WIDTH * HASH_BYTES;
const BUNDLE_BYTES_MAX = TILE_WIDTH * (2 + ENTRY_BYTES_MAX);
const NOTE_BYTES_MAX = 1024 * 1024;
/** A line of about 400 bytes for each call of a day. */
const IDENTITIES_BYTES_MAX = 256 * 1024 * 1024;

/** How long an object of the evidence can be. */
export function maxBytesOf(name: string): number {
  if (name.startsWith(IDENTITIES_PREFIX)) return IDENTITIES_BYTES_MAX;
  if (name.startsWith(PACKS_PREFIX)) return PACK_BYTES_MAX;
  if (name.startsWith("tile/entries/")) return BUNDLE_BYTES_MAX;
  return name.startsWith("tile/") ? TILE_BYTES_MAX : NOTE_BYTES_MAX;
}

/** Objects that cannot be read become findings; tiles and bundles are reported by who compares them with the entries. */
export function withFindings(evidence: EvidenceFolder, findings: Findings): EvidenceFolder {
  const told = new Set<string>();
  const tell = (error: unknown): undefined => {
    if (!(error instanceof EvidenceError)) throw error;
    if (told.has(error.path)) return undefined;
    told.add(error.path);
    findings.add({ verdict: "altered", code: "EVIDENCE_ALTERED", message: error.message });
    return undefined;
  };
  return {
    name: evidence.name,
    ...(evidence.folder !== undefined && { folder: evidence.folder }),
    ...(evidence.packs && { packs: evidence.packs }),
    read: (name) => (name.startsWith("tile/") ? evidence.read(name) : evidence.read(name).catch(tell)),
    list: async function* (prefix) {
      try {
        yield* evidence.list(prefix);
      } catch (error) {
        tell(error);
      }
    },
  };
}

/** A checkpoint is stored under its size first, and under `checkpoint` a moment later. */
const PUBLISHING_MS = 5_000;

/** What a reader of a growing log took up first, and goes by. */
export interface StoredHead {
  /** Undefined when the file does not exist. */
  readonly checkpoint: Buffer | undefined;
  /** Names under `checkpoints/` that were there before `checkpoint` was read. */
  readonly published: readonly string[];
  /** Of the published ones, those of larger trees than the checkpoint's: signed, they prove that the log was set back. */
  readonly larger: readonly string[];
}

/**
 * The published checkpoints are listed first and the newest one is read after them, so it covers them all; where it does not, it
 * is read once more after a while, because it may just be published.
 */
export async function storedHead(evidence: EvidenceFolder, waitMs: number = PUBLISHING_MS): Promise<StoredHead> {
  const published: string[] = [];
  for await (const name of evidence.list("checkpoints/")) published.push(name);
  const read = async () => {
    const checkpoint = await evidence.read(CHECKPOINT_PATH);
    const size = sizeIn(checkpoint);
    return { checkpoint, published, larger: published.filter((name) => publishedSize(name) > size) };
  };
  const head = await read();
  if (head.checkpoint === undefined || head.larger.length === 0) return head;
  await delay(waitMs);
  return read();
}

/** Infinite for bytes that are no checkpoint: nothing is later than they. */
function sizeIn(checkpoint: Buffer | undefined): number {
  if (checkpoint === undefined) return 0;
  try {
    return parseCheckpoint(checkpoint).size;
  } catch (error) {
    if (error instanceof NoteError) return Number.POSITIVE_INFINITY;
    throw error;
  }
}

/** Of the tree that an object is about; 0 for an object that is about none. */
export function publishedSize(name: string): number {
  return Number(/^(?:checkpoints|cosignatures)\/([0-9]{16})(?:\/|$)/.exec(name)?.[1] ?? 0);
}

/**
 * The folder as of its checkpoint now: checkpoints that the log publishes while it is being read are not seen. Larger ones
 * that were there before stay visible, because they say that the log was set back. For evidence that is read in place.
 */
export async function asOfNow(evidence: EvidenceFolder, waitMs: number = PUBLISHING_MS): Promise<EvidenceFolder> {
  return asOfHead(evidence, await storedHead(evidence, waitMs));
}

/** The folder as of a head that was taken up before. */
export function asOfHead(
  evidence: EvidenceFolder,
  { checkpoint, larger }: Pick<StoredHead, "checkpoint" | "larger">,
): EvidenceFolder {
  const size = sizeIn(checkpoint);
  const isKnown = new Set(larger);
  const isLater = (name: string) => publishedSize(name) > size && !isKnown.has(name);
  return {
    name: evidence.name,
    ...(evidence.packs && { packs: evidence.packs }),
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

/**
 * Where each entry of a bundle ends; the next one begins two bytes behind.
 * @param every of a pack: says only where each so many entries end. @throws EvidenceError
 */
export function endsOf(bundle: Buffer, width: number, name: string, every = 1): number[] {
  const ends: number[] = [];
  let [at, entries] = [0, 0];
  // Ends at the width: a hostile file may hold millions of empty entries, and their ends would fill the memory.
  while (entries < width && at + LENGTH_BYTES <= bundle.length) {
    const end = at + LENGTH_BYTES + bundle.readUInt16BE(at);
    if (end > bundle.length) break;
    entries += 1;
    if (entries % every === 0) ends.push(end);
    at = end;
  }
  if (at !== bundle.length || entries !== width) {
    throw new EvidenceError(name, `it does not consist of ${width} entries, each behind its length.`);
  }
  return ends;
}

export interface Bundle {
  readonly index: number;
  /** Entries of the bundle that the tree has. */
  readonly width: number;
  /** Undefined when they cannot be read. */
  readonly entries?: readonly Buffer[];
  /** Why they cannot; undefined then too, when the bundle is not there. */
  readonly error?: EvidenceError;
  /** The tile over it as it is stored, where it was asked for; undefined when it is not there, `in-pack` when it need not be. */
  readonly tile?: Buffer | EvidenceError | "in-pack";
  /** What is wrong with the pack that holds it too; looked at with the tile. */
  readonly packFault?: EvidenceError;
}

/** A bucket answers in tens of milliseconds; a disk at once. */
const AHEAD = 8;

/** The log's entries, bundle by bundle in the order of `indexes`, a few fetched ahead. @param withTiles whether their tiles are fetched ahead too. */
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
    withTile ? orError(() => tileOver(evidence, index, width)) : undefined,
  ]);
  const isRead = entries !== undefined && !(entries instanceof EvidenceError);
  const isPacked = withTile && width === TILE_WIDTH;
  const packFault = isPacked ? await evidence.packs?.faultAt(index, isRead ? entries : undefined) : undefined;
  const beside = { ...(tile && { tile }), ...(packFault && { packFault }) };
  if (entries instanceof EvidenceError) return { index, width, error: entries, ...beside };
  return entries === undefined ? { index, width, ...beside } : { index, width, entries, ...beside };
}

/** The tile over a bundle; `in-pack` where the bundle lies in a pack and no tile is looked at, because it would follow from the entries. */
export async function tileOver(
  evidence: EvidenceFolder,
  bundle: number,
  width: number,
): Promise<Buffer | "in-pack" | undefined> {
  const { packs } = evidence;
  // Without packs the tile is asked for at once, beside its bundle.
  const isPacked = packs !== undefined && width === TILE_WIDTH && (await packs.holds(bundle));
  if (!isPacked) return readTile(evidence, 0, bundle, width);
  return (await packs.storedTile(bundle)) ?? "in-pack";
}

/** What was read, or why it is not what its path says. */
export async function orError<T>(read: () => Promise<T>): Promise<T | EvidenceError> {
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
