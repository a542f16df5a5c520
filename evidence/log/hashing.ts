/** The hashes of the Merkle tree, by RFC 6962 section 2.1 (RFC 9162 section 2.1.1): SHA-256, leaves and nodes told apart by their first byte. */

import { hash } from "node:crypto";

export const HASH_BYTES = 32;
/** An entry's length is written in two bytes (C2SP tlog-tiles, entry bundles). */
export const ENTRY_BYTES_MAX = 65_535;

const LEAF = 0x00;
const NODE = 0x01;

/** Hashing copies its input at once, so one scratch area each serves all calls and none is allocated for a hash. */
const leafInput = Buffer.alloc(1 + ENTRY_BYTES_MAX, LEAF);
const nodeInput = Buffer.alloc(1 + 2 * HASH_BYTES, NODE);

/** `MTH({d})`. @throws RangeError for an entry that no bundle can hold. */
export function leafHash(entry: Uint8Array): Buffer {
  if (entry.length > ENTRY_BYTES_MAX) throw new RangeError(`An entry has at most ${ENTRY_BYTES_MAX} bytes.`);
  leafInput.set(entry, 1);
  return digest(leafInput.subarray(0, 1 + entry.length));
}

/** The hash of a node over its two children. */
export function nodeHash(left: Uint8Array, right: Uint8Array): Buffer {
  if (left.length !== HASH_BYTES || right.length !== HASH_BYTES) throw new RangeError("A node's child has 32 bytes.");
  nodeInput.set(left, 1);
  nodeInput.set(right, 1 + HASH_BYTES);
  return digest(nodeInput);
}

/** The root over a power of two of hashes, which lie one behind the other. */
export function perfectRoot(hashes: Buffer): Buffer {
  const nodes = Buffer.from(hashes);
  for (let length = nodes.length; length > HASH_BYTES; length /= 2) {
    for (let at = 0; at < length; at += 2 * HASH_BYTES) {
      nodes.copy(nodeInput, 1, at, at + 2 * HASH_BYTES);
      nodes.write(hash("sha256", nodeInput, "binary"), at / 2, "binary");
    }
  }
  return Buffer.from(nodes.subarray(0, HASH_BYTES));
}

/** By way of a text: a buffer that Node.js makes for each hash takes longer than the hash. */
function digest(input: Uint8Array): Buffer {
  return Buffer.from(hash("sha256", input, "binary"), "binary");
}

/** The root of the tree without leaves: the hash of no bytes. */
export const EMPTY_ROOT: Buffer = hash("sha256", Buffer.alloc(0), "buffer");
