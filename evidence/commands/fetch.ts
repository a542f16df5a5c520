/**
 * `fetch`: copies the evidence to a folder. What lies there is kept and only what is new is read. The published checkpoints
 * are listed before the newest one is read, so that one of a larger tree among them shows that the log was set back. The
 * newest one is written last, once all of the copy leads to its root.
 */

import { existsSync } from "node:fs";
import path from "node:path";
import { IDENTITIES_PREFIX } from "../../contract";
import { type Checkpoint, parseCheckpoint } from "../log/checkpoint";
import { HASH_BYTES } from "../log/hashing";
import { bundlePath, CHECKPOINT_PATH, PACK_BUNDLES, packPath, TILE_WIDTH, tilePath } from "../log/paths";
import {
  EvidenceError,
  type EvidenceFolder,
  publishedSize,
  readBundle,
  readTile,
  storedHead,
  tileOver,
} from "../verifier/evidence";
import { localEvidence } from "../verifier/local-evidence";
import { GrowingTree, tileReader, treeRoot } from "../verifier/merkle-tree";
import { packsListed } from "../verifier/packs";
import { packBelow } from "../verifier/tile-faults";
import { EvidenceToolError } from "./errors";
import { writeWhole } from "./files";

export interface FetchResult {
  readonly size: number;
  readonly origin: string;
  /** Objects that were not there before. */
  readonly fetched: number;
}

const PARALLEL_READS = 16;
/** A pack has some 20 MB. */
const PARALLEL_PACKS = 3;

/** @param source the bucket's evidence; @param to a folder that need not be there. */
export async function fetchEvidence(
  source: EvidenceFolder,
  to: string,
  onProgress: (done: number, total: number, what: string) => void = () => {},
  /** How long a checkpoint may take from one of its two places to the other. */
  publishingMs?: number,
  /** Copies the bundles too that packs hold, and the tiles over them. */
  withTiles = false,
): Promise<FetchResult> {
  const { checkpoint: note, published, larger } = await storedHead(source, publishingMs);
  if (note === undefined) {
    const message = `${source.name} holds no checkpoint. Name the evidence bucket; a new log has one after its first minute.`;
    throw new EvidenceToolError("BUCKET_EMPTY", message);
  }
  const checkpoint = parseCheckpoint(note);
  const copy = localEvidence(to);
  const earlier = await copy.read(CHECKPOINT_PATH);
  const before = earlier === undefined ? undefined : parseCheckpoint(earlier);
  checkSameLog(before, checkpoint, to);
  const packs = await packsListed(source, checkpoint.size);
  const wanted = [
    ...treePaths(checkpoint.size, withTiles ? new Set() : packs),
    ...(await listedPaths(source, checkpoint.size, published)),
  ];
  const isMissing = (name: string) => !existsSync(path.join(to, ...name.split("/")));
  const [missingPacks, missing] = [[...packs].map(packPath).filter(isMissing), wanted.filter(isMissing)];
  const progressFrom = (before: number) => (done: number) =>
    onProgress(before + done, missingPacks.length + missing.length, "objects");
  await inParallel(missingPacks, PARALLEL_PACKS, (name) => fetchObject(source, to, name), progressFrom(0));
  await inParallel(missing, PARALLEL_READS, (name) => fetchObject(source, to, name), progressFrom(missingPacks.length));
  await checkCopy(copy, checkpoint, before);
  writeWhole(path.join(to, CHECKPOINT_PATH), note);
  if (larger.length > 0) {
    const message =
      `The bucket holds ${[...larger].sort().at(-1)}, and its newest checkpoint has only ${checkpoint.size} entries: the log was set ` +
      `back, or a sealer stopped between two writes. ${to} holds both. Fetch again in two minutes; if it comes again, keep the ` +
      "copy and verify it: a signed checkpoint of more entries proves what was cut off.";
    throw new EvidenceToolError("LOG_WENT_BACK", message, "stale");
  }
  return { size: checkpoint.size, origin: checkpoint.origin, fetched: missingPacks.length + missing.length };
}

function checkSameLog(before: Checkpoint | undefined, now: Checkpoint, to: string): void {
  if (before !== undefined && before.origin !== now.origin) {
    const message = `${to} holds the log ${before.origin}, and the bucket ${now.origin}. Name another folder for another log.`;
    throw new EvidenceToolError("WRONG_KEY", message, "wrong-key");
  }
  if (before === undefined || before.size <= now.size) return;
  const message = `${to} holds ${before.size} entries, and the bucket only ${now.size}: it was set back. A log only grows; keep this copy.`;
  throw new EvidenceToolError("LOG_WENT_BACK", message, "stale");
}

/**
 * Every tile and bundle of a tree of this size; no more, because a log may publish while it is read.
 * @param packed numbers of packs that are copied in place of their bundles and the tiles over them.
 */
export function treePaths(size: number, packed: ReadonlySet<number> = new Set()): string[] {
  const paths: string[] = [];
  for (let [level, width] = [0, size]; width > 0; [level, width] = [level + 1, Math.floor(width / TILE_WIDTH)]) {
    for (let index = 0; index * TILE_WIDTH < width; index += 1) {
      if (level === 0 && packed.has(Math.floor(index / PACK_BUNDLES))) continue;
      const filled = Math.min(TILE_WIDTH, width - index * TILE_WIDTH);
      paths.push(tilePath(level, index, filled));
      if (level === 0) paths.push(bundlePath(index, filled));
    }
  }
  return paths;
}

/**
 * Keys, published checkpoints, cosignatures and who called: their names do not follow from the size. Nothing is taken of a
 * checkpoint that was published since the listing.
 */
async function listedPaths(source: EvidenceFolder, size: number, published: readonly string[]): Promise<string[]> {
  const paths = [...published];
  for await (const name of source.list("keys/")) paths.push(name);
  for await (const name of source.list(IDENTITIES_PREFIX)) paths.push(name);
  const covered = published.reduce((largest, name) => Math.max(largest, publishedSize(name)), size);
  for await (const name of source.list("cosignatures/")) if (publishedSize(name) <= covered) paths.push(name);
  // What a bucket calls its objects must not lead out of the folder.
  return paths.filter((name) => /^[a-z]+(\/[0-9A-Za-z.-]+)+$/.test(name) && !name.includes(".."));
}

async function fetchObject(source: EvidenceFolder, to: string, name: string): Promise<void> {
  const bytes = await source.read(name);
  if (bytes !== undefined) return writeWhole(path.join(to, ...name.split("/")), bytes);
  // A log may remove a partial tile or bundle once the full one is there.
  const full = /^(.*)\.p\/[0-9]+$/.exec(name)?.[1];
  const fullBytes = full === undefined ? undefined : await source.read(full);
  if (full !== undefined && fullBytes !== undefined) {
    return writeWhole(path.join(to, ...full.split("/")), fullBytes);
  }
  throw new EvidenceToolError(
    "OBJECT_MISSING",
    `${name} is not in ${source.name}, and the checkpoint there covers it. Find out who removed it; the bucket keeps its versions.`,
    "incomplete",
  );
}

async function inParallel(
  names: readonly string[],
  workers: number,
  work: (name: string) => Promise<void>,
  onProgress: (done: number) => void,
): Promise<void> {
  const rest = names.values();
  let done = 0;
  const worker = async () => {
    for (const name of rest) {
      await work(name);
      done += 1;
      onProgress(done);
    }
  };
  await Promise.all(Array.from({ length: workers }, worker));
}

/**
 * Every bundle gives its tiles, and these the root: what lay there before, and what was fetched.
 * @throws EvidenceToolError COPY_DAMAGED, or LOG_FORKED when the copy is whole as of the checkpoint that it had before.
 */
async function checkCopy(copy: EvidenceFolder, now: Checkpoint, before: Checkpoint | undefined): Promise<void> {
  const fault = await faultOf(copy, now);
  if (fault === undefined) {
    if (before === undefined) return;
    const root = await treeRoot(tileReader(copy, now.size), before.size);
    if (root.equals(before.root)) return;
  } else if (before === undefined || (await faultOf(copy, before)) !== undefined) {
    throw new EvidenceToolError(
      "COPY_DAMAGED",
      `${fault} Remove the files that are named here from ${copy.name} and fetch again; if it comes again, the bucket holds it so.`,
      "incomplete",
    );
  }
  throw new EvidenceToolError(
    "LOG_FORKED",
    `The log of ${now.size} entries does not begin with the ${before?.size} that ${copy.name} holds: it was forked. ` +
      "Keep this copy: with its signed checkpoint it proves the fork.",
    "forked",
  );
}

/** @returns in words the first object that does not fit. */
async function faultOf(copy: EvidenceFolder, { size, root }: Checkpoint): Promise<string | undefined> {
  const tiles: { level: number; index: number; hashes: Buffer }[] = [];
  const tree = new GrowingTree((level, index, hashes) => tiles.push({ level, index, hashes: Buffer.from(hashes) }));
  try {
    for (let bundle = 0; bundle * TILE_WIDTH < size; bundle += 1) {
      const width = Math.min(TILE_WIDTH, size - bundle * TILE_WIDTH);
      const entries = await readBundle(copy, bundle, width);
      const packFault = width === TILE_WIDTH ? await copy.packs?.faultAt(bundle, entries) : undefined;
      if (packFault !== undefined) return packFault.message;
      if (entries === undefined) return `${bundlePath(bundle, width)} is missing.`;
      for (const entry of entries) tree.append(entry);
      if (tree.size === size) tiles.push(...tree.partialTiles());
      for (const { level, index, hashes } of tiles.splice(0)) {
        const fault = await differenceOf(copy, level, index, hashes);
        if (fault !== undefined) return fault;
      }
    }
  } catch (error) {
    if (error instanceof EvidenceError) return error.message;
    throw error;
  }
  return tree.root().equals(root) ? undefined : "The entries do not lead to the checkpoint's root.";
}

async function differenceOf(
  copy: EvidenceFolder,
  level: number,
  index: number,
  hashes: Buffer,
): Promise<string | undefined> {
  const width = hashes.length / HASH_BYTES;
  const tile = level === 0 ? await tileOver(copy, index, width) : await readTile(copy, level, index, width);
  if (tile === "in-pack" || tile?.equals(hashes) === true) return undefined;
  // The file that holds all entries below the tile, where one does.
  const source = (await packBelow(copy, level, index, width)) ?? (level === 0 ? bundlePath(index, width) : undefined);
  const entries = source === undefined ? "the entries" : `the entries of ${source}`;
  return `${tilePath(level, index, width)} is not what ${entries} give, or they are not what was sealed.`;
}
