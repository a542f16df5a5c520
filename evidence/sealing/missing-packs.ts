/**
 * Packs that are missing behind an earlier one, because a version of this project that makes none has published their entries. They
 * are put later, so that readers find one for each 65,536 entries. A pack that somebody deleted is not put again, nor one whose
 * bundles are not all there as they were sealed: checks go on reporting it.
 */

import { HASH_BYTES } from "../log/hashing";
import {
  bundlePath,
  missingPacks,
  PACK_BUNDLES,
  PACK_BYTES_MAX,
  PACK_ENTRIES,
  PACKS_PREFIX,
  packPath,
  packsAmong,
  TILE_WIDTH,
  tilePath,
} from "../log/paths";
import type { EvidenceBucket } from "./evidence-bucket";
import { packBytes } from "./pack";
import type { PublishSettings } from "./publish";
import { putAll } from "./put-all";

/** Each takes seconds. */
const LOOKED_AT_MAX = 4;
const PARALLEL_READS = 16;

/**
 * Looks at a few of the missing packs, and puts those that it can.
 *
 * @param size entries that a checkpoint covers.
 * @param turn rises by one from call to call, so that each missing pack has its turn, also where others cannot be put.
 * @returns the paths of those that it put.
 * @throws SealingError LOG_FORKED, LOG_STATE_BROKEN
 */
export async function putMissingPacks(
  { table, evidence, outOfTime }: Pick<PublishSettings, "table" | "evidence" | "outOfTime">,
  size: number,
  turn: number,
): Promise<string[]> {
  const put: string[] = [];
  // One pack has none before it.
  if (size < 2 * PACK_ENTRIES) return put;
  const found = await packsAmong(evidence.listAfter(PACKS_PREFIX, PACKS_PREFIX), size);
  const missing = [...missingPacks(found, size)];
  for (let looked = 0; looked < Math.min(LOOKED_AT_MAX, missing.length) && !outOfTime(); looked++) {
    const index = missing[(turn * LOOKED_AT_MAX + looked) % missing.length] ?? 0;
    const path = packPath(index);
    const roots = (await evidence.read(tilePath(1, index)))?.bytes;
    if (roots?.length !== TILE_WIDTH * HASH_BYTES || (await evidence.isDeleted(path))) continue;
    const bytes = await packBytes(index, roots, table, PACK_BYTES_MAX);
    if (bytes === undefined || !(await consistsOfBundles(bytes, index, evidence))) continue;
    await putAll([{ path, bytes }], evidence);
    put.push(path);
  }
  return put;
}

/** Whether the bundles of this pack are all there and are its bytes. */
async function consistsOfBundles(pack: Buffer, index: number, evidence: EvidenceBucket): Promise<boolean> {
  let at = 0;
  for (let first = 0; first < PACK_BUNDLES; first += PARALLEL_READS) {
    const bundles = await Promise.all(
      Array.from({ length: PARALLEL_READS }, (_, offset) =>
        evidence.read(bundlePath(index * PACK_BUNDLES + first + offset)),
      ),
    );
    for (const bundle of bundles) {
      const end = at + (bundle?.bytes.length ?? 0);
      if (bundle === undefined || !bundle.bytes.equals(pack.subarray(at, end))) return false;
      at = end;
    }
  }
  return at === pack.length;
}
