/** What is wrong with an object of the tree: it is not there, or it is not what its path says. */

import { HASH_BYTES } from "../log/hashing";
import { packPath, TILE_WIDTH, tilePath } from "../log/paths";
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
  const isOverPack = level === 1 && width === TILE_WIDTH;
  if (fault?.message === undefined || !isOverPack || (await evidence.packs?.holds(index * TILE_WIDTH)) !== true) {
    return fault;
  }
  return {
    ...fault,
    message: `${fault.message} ${packPath(index)} holds these entries too, and may be what was changed.`,
  };
}
