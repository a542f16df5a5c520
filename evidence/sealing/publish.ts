/**
 * Publishes what was committed: bundles and tiles first, then the signed checkpoint over them. Everything follows from
 * the committed entries, so any sealer can do it, at any time, again and again, and puts the same bytes.
 */

import { checkpointText, parseCheckpoint, textOfCheckpoint } from "../log/checkpoint";
import { CHECKPOINT_PATH, checkpointPath, verifierKeyPath } from "../log/paths";
import { batchesBetween } from "./committed-batches";
import { logForked, SealingError } from "./errors";
import type { EvidenceBucket, EvidenceFile } from "./evidence-bucket";
import { frontierBytes, rootOf } from "./frontier";
import { LaterCheckpoints } from "./later-checkpoints";
import type { LogTable } from "./log-keys";
import { type Head, readHead } from "./log-state-table";
import { encodeNote } from "./note";
import { type Published, readPublished, treeAt } from "./published";
import type { Signer } from "./signers";
import type { TileWriter } from "./tile-writer";

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

const ENTRIES_PER_CHECKPOINT = 65_536;
const PARALLEL_PUTS = 16;
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
      await later.compare(tree, table.origin);
      if (tree.finishedCount >= PARALLEL_PUTS) await putAll(tree.takeFinished(), evidence);
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

async function putAll(files: readonly EvidenceFile[], evidence: EvidenceBucket): Promise<void> {
  for (let start = 0; start < files.length; start += PARALLEL_PUTS) {
    await Promise.all(files.slice(start, start + PARALLEL_PUTS).map((file) => putEqual(file, evidence)));
  }
}

async function putEqual(file: EvidenceFile, evidence: EvidenceBucket): Promise<void> {
  const standing = await evidence.putOnce(file);
  if (standing === undefined || standing.equals(file.bytes)) return;
  throw logForked(`${file.path} of the evidence has other bytes than the committed entries give`);
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
