/** What is wrong with an object of the tree: it is not there, or it is not what its path says. */

import { HASH_BYTES } from "../log/hashing";
import { PACK_BUNDLES, packPath, TILE_WIDTH, tilePath } from "../log/paths";
import { EvidenceError, type EvidenceFolder, orError, readTile } from "./evidence";

export interface PathFault {
  readonly path: string;
  /** Absent where nothing is at that path. */
  readonly message?: string;
}

export function faultOf(path: string, error: EvidenceError | undefined): PathFault {
  return error === undefined ? { path } : { path, message: error.message };
}

/** Undefined for a stored tile that has these hashes. */
export function tileFault(
  level: number,
  index: number,
  hashes: Buffer,
  stored: Buffer | EvidenceError | undefined,
): PathFault | undefined {
  const path = tilePath(level, index, hashes.length / HASH_BYTES);
  if (stored === undefined || stored instanceof EvidenceError) return faultOf(path, stored);
  return stored.equals(hashes)
    ? undefined
    : faultOf(path, new EvidenceError(path, "its hashes are not those of the entries."));
}

/** The same of a tile above the lowest level, which is read first. Where the entries may come from a pack, the message names it. */
export async function upperTileFault(
  evidence: EvidenceFolder,
  level: number,
  index: number,
  hashes: Buffer,
): Promise<PathFault | undefined> {
  const width = hashes.length / HASH_BYTES;
  const fault = tileFault(level, index, hashes, await orError(() => readTile(evidence, level, index, width)));
  const pack = fault?.message === undefined ? undefined : await packBelow(evidence, level, index, width);
  if (fault === undefined || pack === undefined) return fault;
  return { ...fault, message: `${fault.message} ${pack} holds these entries too, and may be what was changed.` };
}

/** The pack that holds all entries below a full tile of the two lowest levels; undefined where no pack does. */
export async function packBelow(
  evidence: EvidenceFolder,
  level: number,
  index: number,
  width: number,
): Promise<string | undefined> {
  if (level > 1 || width !== TILE_WIDTH) return undefined;
  const pack = level === 0 ? Math.floor(index / PACK_BUNDLES) : index;
  return (await evidence.packs?.holds(pack * PACK_BUNDLES)) === true ? packPath(pack) : undefined;
}
