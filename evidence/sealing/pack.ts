/**
 * Packs: the bundles of 65,536 entries once more, in one object, so that who reads the whole log needs one request in place of
 * 512. A pack is put before the first checkpoint that covers its entries, as bundles and tiles are. After a stop at any moment the
 * next publisher comes past the same place and puts the same bytes.
 */

import { HASH_BYTES, leafHash, perfectRoot } from "../log/hashing";
import { PACK_BYTES_MAX, PACK_ENTRIES, packPath, TILE_WIDTH, tilePath } from "../log/paths";
import { bundleBytes } from "./batches";
import { batchesBetween } from "./committed-batches";
import { logForked } from "./errors";
import type { EvidenceBucket } from "./evidence-bucket";
import type { LogTable } from "./log-state-table";
import { putAll } from "./put-all";
import type { TileWriter } from "./tile-writer";

/**
 * Puts what the tree has finished, and then the pack that ends with it. The entries are read from where they were committed,
 * because earlier publishers put most of the bundles.
 * @param tree has just come to the end of a pack.
 * @throws SealingError LOG_FORKED, LOG_STATE_BROKEN
 */
export async function putFinishedPack(
  tree: TileWriter,
  table: LogTable,
  evidence: EvidenceBucket,
  bytesMax = PACK_BYTES_MAX,
): Promise<void> {
  const files = tree.takeFinished();
  await putAll(files, evidence);
  const index = tree.size / PACK_ENTRIES - 1;
  const roots = files.find(({ path }) => path === tilePath(1, index))?.bytes;
  if (roots === undefined) throw new RangeError("A pack ends with a full tile of level 1.");
  const bytes = await packBytes(index, roots, table, bytesMax);
  if (bytes !== undefined) await putAll([{ path: packPath(index), bytes }], evidence);
}

/** @param roots of its bundles. @returns undefined where the entries are too large for a pack. @throws SealingError */
export async function packBytes(
  index: number,
  roots: Buffer,
  table: LogTable,
  bytesMax: number,
): Promise<Buffer | undefined> {
  const bundles: Buffer[] = [];
  let [entries, length]: [Buffer[], number] = [[], 0];
  for await (const batch of batchesBetween(table, index * PACK_ENTRIES, (index + 1) * PACK_ENTRIES)) {
    for (const entry of batch.entries) {
      entries.push(entry);
      if (entries.length < TILE_WIDTH) continue;
      const bundle = bundleWith(
        entries,
        roots.subarray(bundles.length * HASH_BYTES, (bundles.length + 1) * HASH_BYTES),
      );
      length += bundle.length;
      if (length > bytesMax) return undefined;
      bundles.push(bundle);
      entries = [];
    }
  }
  return Buffer.concat(bundles, length);
}

function bundleWith(entries: readonly Buffer[], root: Buffer): Buffer {
  if (perfectRoot(Buffer.concat(entries.map(leafHash))).equals(root)) return bundleBytes(entries);
  throw logForked("The committed entries do not give the hashes of the tiles that were published over them");
}
