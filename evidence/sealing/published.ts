/** What was published of the log so far: its newest checkpoint, and the tree on from there. */

import { type Checkpoint, parseOwnCheckpoint } from "../log/checkpoint";
import { HASH_BYTES } from "../log/hashing";
import { CHECKPOINT_PATH, TILE_WIDTH, tilePath } from "../log/paths";
import { SealingError } from "./errors";
import type { EvidenceBucket } from "./evidence-bucket";
import type { Signer } from "./signers";
import { TileWriter, unfinishedWidths } from "./tile-writer";

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
