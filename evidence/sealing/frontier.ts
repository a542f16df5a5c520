/**
 * The edge of a growing Merkle tree: the roots of its largest perfect subtrees, left to right. It is all that is needed
 * to append a leaf and to know the root (RFC 6962 section 2.1), in 32 bytes a level.
 */

import { EMPTY_ROOT, HASH_BYTES, nodeHash } from "../log/hashing";

export interface Frontier {
  /** Leaves of the tree. */
  readonly size: number;
  /** One hash for each bit that is set in `size`, the highest bit first. */
  readonly hashes: readonly Buffer[];
}

export const EMPTY_FRONTIER: Frontier = { size: 0, hashes: [] };

export function extended(frontier: Frontier, leaves: readonly Buffer[]): Frontier {
  const hashes = [...frontier.hashes];
  let { size } = frontier;
  for (const leaf of leaves) {
    let hash = leaf;
    // Each bit that the addition carries over joins two subtrees. By division, because bit operators keep 32 bits.
    for (let rest = size; rest % 2 === 1; rest = (rest - 1) / 2) hash = nodeHash(lastOf(hashes), hash);
    hashes.push(hash);
    size += 1;
  }
  return { size, hashes };
}

export function rootOf({ hashes }: Frontier): Buffer {
  return (
    hashes.reduceRight<Buffer | undefined>(
      (right, left) => (right === undefined ? left : nodeHash(left, right)),
      undefined,
    ) ?? EMPTY_ROOT
  );
}

export function frontierBytes({ hashes }: Frontier): Buffer {
  return Buffer.concat(hashes);
}

/** @returns undefined when there are more or fewer hashes than a tree of this size has. */
export function frontierFrom(size: number, bytes: Uint8Array): Frontier | undefined {
  if (!Number.isSafeInteger(size) || size < 0 || bytes.length !== HASH_BYTES * bitsSet(size)) return undefined;
  const all = Buffer.from(bytes);
  const hashes = Array.from({ length: all.length / HASH_BYTES }, (_, index) =>
    all.subarray(index * HASH_BYTES, (index + 1) * HASH_BYTES),
  );
  return { size, hashes };
}

function bitsSet(size: number): number {
  return [...size.toString(2)].filter((bit) => bit === "1").length;
}

function lastOf(hashes: Buffer[]): Buffer {
  const last = hashes.pop();
  if (last === undefined) throw new Error("A frontier has fewer hashes than its size says.");
  return last;
}
