/**
 * Publishes what was committed: bundles, tiles and packs first, then the signed checkpoint over them. Everything follows from
 * the committed entries, so any sealer can do it, at any time, again and again, and puts the same bytes.
 */

import {
  type Checkpoint,
  checkpointText,
  parseCheckpoint,
  parseOwnCheckpoint,
  textOfCheckpoint,
} from "../log/checkpoint";
import { HASH_BYTES } from "../log/hashing";
import { CHECKPOINT_PATH, checkpointPath, PACK_ENTRIES, TILE_WIDTH, tilePath, verifierKeyPath } from "../log/paths";
import { batchesBetween } from "./committed-batches";
import { logForked, SealingError } from "./errors";
import type { EvidenceBucket, EvidenceFile } from "./evidence-bucket";
import { frontierBytes, rootOf } from "./frontier";
import { type Head, type LogTable, readHead } from "./log-state-table";
import { encodeNote } from "./note";
import { putFinishedPack } from "./pack";
import { PARALLEL_PUTS, putAll } from "./put-all";
import type { Signer } from "./signers";
import { TileWriter, unfinishedWidths } from "./tile-writer";

export interface PublishSettings {
  readonly table: LogTable;
  readonly evidence: EvidenceBucket;
  readonly signers: () => Promise<readonly Signer[]>;
  /** Asked between two checkpoints; then the next call goes on from the last one. */
  readonly outOfTime: () => boolean;
  /** After an outage a checkpoint is published every so many entries, so that nothing is done twice. A multiple of 256. */
  readonly entriesPerCheckpoint?: number;
}

export interface Publication {
  /** Entries that the newest checkpoint covers. */
  readonly size: number;
  /** False when time ran out before everything that was committed. */
  readonly isComplete: boolean;
}

const ENTRIES_PER_CHECKPOINT = PACK_ENTRIES;
const REPLACE_ATTEMPTS_MAX = 8;

export async function publish(settings: PublishSettings): Promise<Publication> {
  const { evidence, table, entriesPerCheckpoint: step = ENTRIES_PER_CHECKPOINT } = settings;
  const signers = await settings.signers();
  // In this order: whatever was published before is then never ahead of what was committed.
  let published = await readPublished(evidence, signers, table.origin);
  const head = await readHead(table);
  const { size } = head.frontier;
  // Before anything is signed: what was published since an older state proves that the log was set back to it.
  const later = await LaterCheckpoints.after(published?.size ?? 0, evidence);
  await later.checkNoneBeyond(size, async () => (await readHead(table)).frontier.size);
  if (published !== undefined && published.size >= size) return unchanged(published, head);
  const tree = await treeAt(published, evidence);
  if (tree.size === published?.size) checkRoot(tree, published);
  for await (const batch of batchesBetween(table, tree.size, size)) {
    for (const entry of batch.entries) {
      tree.add(entry);
      if (tree.size === published?.size) checkRoot(tree, published);
      if (later.isAt(tree.size)) await later.compare(tree, table.origin);
      if (tree.size % PACK_ENTRIES === 0) await putFinishedPack(tree, table, evidence);
      else if (tree.finishedCount >= PARALLEL_PUTS) await putAll(tree.takeFinished(), evidence);
      if (tree.size === size || !isDue(tree.size, published?.size ?? 0, later, step)) continue;
      published = await signAndPublish(tree, published, signers, settings);
      if (published.size > tree.size || settings.outOfTime()) return { size: published.size, isComplete: false };
    }
  }
  if (!frontierBytes(tree.frontier()).equals(frontierBytes(head.frontier))) {
    throw logForked(
      "The committed entries and the published tree do not give the root that was counted when they were committed",
    );
  }
  published = size === 0 ? undefined : await signAndPublish(tree, published, signers, settings);
  return { size: published?.size ?? 0, isComplete: true };
}

/** While checkpoints lie ahead, nothing but what one of them says is signed: the next may show that the log was set back. */
function isDue(size: number, publishedSize: number, later: LaterCheckpoints, step: number): boolean {
  if (later.areAhead) return later.matchedSize === size && size - publishedSize >= step;
  return size % step === 0 && size > publishedSize;
}

function unchanged(published: Published, { frontier }: Head): Publication {
  if (published.size > frontier.size) {
    throw logForked("The published checkpoint covers more entries than the log-state table holds");
  }
  if (!rootOf(frontier).equals(published.root)) {
    throw logForked("The published checkpoint has another root than the log-state table");
  }
  return { size: published.size, isComplete: true };
}

function checkRoot(tree: TileWriter, { root }: Published): void {
  if (rootOf(tree.frontier()).equals(root)) return;
  throw logForked("The published tiles and the committed entries do not give the root of the published checkpoint");
}

/** @returns the newest checkpoint afterwards: this one, or a larger one of another sealer. */
async function signAndPublish(
  tree: TileWriter,
  published: Published | undefined,
  signers: readonly Signer[],
  settings: PublishSettings,
): Promise<Published> {
  const { evidence, table } = settings;
  await putAll([...tree.takeFinished(), ...tree.unfinished()], evidence);
  const text = checkpointText(table.origin, tree.size, rootOf(tree.frontier()));
  const note = encodeNote(text, await Promise.all(signers.map((signer) => signer.sign(text))));
  const newKeys = signers.filter((signer) => published === undefined || !signer.hasSigned(published));
  await putAll(newKeys.map(keyFile), evidence);
  const bytes = Buffer.from(note);
  const standing = await evidence.putOnce({ path: checkpointPath(tree.size), bytes });
  // Signatures may differ from one signing to the next, and so does the set of keys while one replaces another.
  if (standing !== undefined && textOfCheckpoint(standing) !== text) {
    throw logForked(
      `${checkpointPath(tree.size)} of the evidence is not the checkpoint that the committed entries give`,
    );
  }
  return replaceCheckpoint(note, published, signers, settings);
}

function keyFile({ keyId, verifierKey }: Signer): EvidenceFile {
  return { path: verifierKeyPath(keyId), bytes: Buffer.from(`${verifierKey}\n`) };
}

/** Only a larger checkpoint replaces the newest one, also when others publish at the same time. */
async function replaceCheckpoint(
  note: string,
  published: Published | undefined,
  signers: readonly Signer[],
  { evidence, table: { origin } }: PublishSettings,
): Promise<Published> {
  const bytes = Buffer.from(note);
  const checkpoint = parseCheckpoint(bytes);
  let standing = published;
  for (let attempt = 0; attempt < REPLACE_ATTEMPTS_MAX; attempt++) {
    const version = await evidence.replace({ path: CHECKPOINT_PATH, bytes }, standing?.version);
    if (version !== undefined) return { ...checkpoint, version };
    standing = await readPublished(evidence, signers, origin);
    if (standing === undefined || standing.size < checkpoint.size) continue;
    // The answer to the put may have been lost, and this is it; or another sealer was here.
    if (standing.size > checkpoint.size || standing.note.text === checkpoint.note.text) return standing;
    throw logForked("Two checkpoints of the same size have different roots");
  }
  throw new SealingError(
    "EVIDENCE_BUSY",
    "The newest checkpoint was replaced by others at every attempt. It is tried again with the next heartbeat.",
  );
}

export interface Published extends Checkpoint {
  /** What a newer checkpoint must find unchanged when it takes its place. */
  readonly version: string;
}

/**
 * The newest checkpoint; undefined before the first. Anyone who may write to the bucket can replace the object, so
 * only one that a key of this log has signed is built upon.
 * @throws SealingError CHECKPOINT_NOT_OURS
 */
export async function readPublished(
  evidence: EvidenceBucket,
  signers: readonly Signer[],
  origin: string,
): Promise<Published | undefined> {
  const file = await evidence.read(CHECKPOINT_PATH);
  if (file === undefined) return undefined;
  const checkpoint = parseOwnCheckpoint(file.bytes);
  const isOurs =
    typeof checkpoint !== "string" &&
    checkpoint.origin === origin &&
    signers.some((signer) => signer.hasSigned(checkpoint));
  if (isOurs) return { ...checkpoint, version: file.version };
  throw new SealingError(
    "CHECKPOINT_NOT_OURS",
    "No configured key signed the newest checkpoint in the evidence bucket for this log. Nothing is built upon " +
      "it. If the signing key was exchanged, configure the earlier one beside the new one until a checkpoint bears both; " +
      "otherwise remove the object's newest version, and find out who put it.",
  );
}

/** The tree up to the last full bundle that the checkpoint covers; its upper levels come from the published tiles. */
export async function treeAt(published: Published | undefined, evidence: EvidenceBucket): Promise<TileWriter> {
  const size = published?.size ?? 0;
  const [, ...upper] = unfinishedWidths(size);
  const hashes = upper.map((width, index) => readTile(evidence, index + 1, size, width));
  return new TileWriter(size - (size % TILE_WIDTH), await Promise.all(hashes));
}

async function readTile(evidence: EvidenceBucket, level: number, size: number, width: number): Promise<Buffer[]> {
  if (width === 0) return [];
  const path = tilePath(level, Math.floor(size / TILE_WIDTH ** (level + 1)), width);
  const file = await evidence.read(path);
  if (file?.bytes.length === width * HASH_BYTES) {
    return Array.from({ length: width }, (_, index) =>
      file.bytes.subarray(index * HASH_BYTES, (index + 1) * HASH_BYTES),
    );
  }
  throw new SealingError(
    "EVIDENCE_MISSING",
    `${path} of the evidence is ${file === undefined ? "not there" : "not as long as its name says"}. A checkpoint was ` +
      "published over it. Remove the newest version of the object, or its delete marker, and find out who put that.",
  );
}

const FOLDER = "checkpoints/";

/**
 * The checkpoints that lie in the evidence bucket beyond the newest published one. A publisher that died between its last
 * two puts leaves one there, over entries that are committed. Any other one proves that the log was set back: a person who
 * restores an older log-state table and an older newest checkpoint cannot remove what was published since.
 */
export class LaterCheckpoints {
  /** Size of the last one that was found to be of the growing tree. */
  matchedSize = -1;

  private constructor(
    private readonly evidence: EvidenceBucket,
    private readonly paths: AsyncIterator<string>,
    private nextSize: number | undefined,
  ) {}

  /** @param size of the newest published checkpoint; 0 before the first. */
  static async after(size: number, evidence: EvidenceBucket): Promise<LaterCheckpoints> {
    const paths = evidence.listAfter(FOLDER, checkpointPath(size))[Symbol.asyncIterator]();
    return new LaterCheckpoints(evidence, paths, await nextSizeOf(paths));
  }

  /** Whether any is left that the growing tree has not come to. */
  get areAhead(): boolean {
    return this.nextSize !== undefined;
  }

  /**
   * @param committedSize reads how many entries are committed; asked again where another publisher may have been at work.
   * @throws SealingError LOG_FORKED for one that covers more entries than are committed.
   */
  async checkNoneBeyond(size: number, committedSize: () => Promise<number>): Promise<void> {
    if (!this.areAhead) return;
    const beyond = await nextSizeOf(this.evidence.listAfter(FOLDER, checkpointPath(size))[Symbol.asyncIterator]());
    if (beyond === undefined || beyond <= (await committedSize())) return;
    throw logForked(
      `${checkpointPath(beyond)} of the evidence covers more entries than the log-state table holds: the log was set back`,
    );
  }

  /** Asked after each entry: then the checkpoint of this size has to be compared. */
  isAt(size: number): boolean {
    return size === this.nextSize;
  }

  /** @throws SealingError LOG_FORKED when the checkpoint of the tree's size is of another tree. */
  async compare(tree: TileWriter, origin: string): Promise<void> {
    const path = checkpointPath(tree.size);
    const file = await this.evidence.read(path);
    const text = checkpointText(origin, tree.size, rootOf(tree.frontier()));
    if (file === undefined || textOfCheckpoint(file.bytes) !== text) {
      throw logForked(`${path} of the evidence is not the checkpoint that the committed entries give`);
    }
    this.matchedSize = tree.size;
    this.nextSize = await nextSizeOf(this.paths);
  }
}

async function nextSizeOf(paths: AsyncIterator<string>): Promise<number | undefined> {
  const next = await paths.next();
  if (next.done === true) return undefined;
  const [, digits] = /^checkpoints\/([0-9]{16})$/.exec(next.value) ?? [];
  if (digits !== undefined) return Number(digits);
  throw logForked(`${JSON.stringify(next.value)} of the evidence is not the path of a checkpoint`);
}
