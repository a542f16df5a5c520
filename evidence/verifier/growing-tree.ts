/**
 * The Merkle tree, grown leaf by leaf from the entries as they are read: its root at any size on the way, and the tiles
 * that it must have. Hashes pass as texts of 32 one-byte characters: a buffer for each would cost more than the hash.
 */

import { hash } from "node:crypto";
import { EMPTY_ROOT, ENTRY_BYTES_MAX, HASH_BYTES, nodeHash } from "../log/hashing";
import { TILE_WIDTH } from "../log/paths";

const LEAF_PREFIX = 0x00;
const NODE_PREFIX = 0x01;
/** A tile spans this many levels of the tree. */
export const TILE_HEIGHT = 8;
const HEIGHTS = 53;

/** A tile that has just become full. The buffer is used again for the next one. */
export type OnTile = (level: number, index: number, hashes: Buffer) => void;

export class GrowingTree {
  size = 0;
  /** For each height the input of a node's hash; its left child stays there until the right one comes. */
  private readonly nodes = Array.from({ length: HEIGHTS }, () => Buffer.alloc(1 + 2 * HASH_BYTES, NODE_PREFIX));
  private readonly isOpen = new Array<boolean>(HEIGHTS).fill(false);
  private readonly tiles: { readonly hashes: Buffer; width: number; index: number }[] = [];
  private readonly leaf = Buffer.alloc(1 + ENTRY_BYTES_MAX, LEAF_PREFIX);

  constructor(private readonly onTile: OnTile) {}

  append(entry: Buffer): void {
    entry.copy(this.leaf, 1);
    let text = hash("sha256", this.leaf.subarray(0, 1 + entry.length), "binary");
    this.size += 1;
    this.toTile(0, text);
    let height = 0;
    while (this.isOpen[height] === true) {
      const node = this.nodeAt(height);
      node.write(text, 1 + HASH_BYTES, HASH_BYTES, "latin1");
      text = hash("sha256", node, "binary");
      this.isOpen[height] = false;
      height += 1;
      if (height % TILE_HEIGHT === 0) this.toTile(height / TILE_HEIGHT, text);
    }
    this.nodeAt(height).write(text, 1, HASH_BYTES, "latin1");
    this.isOpen[height] = true;
  }

  root(): Buffer {
    if (this.size === 0) return EMPTY_ROOT;
    let right: Buffer | undefined;
    for (let height = 0; height < HEIGHTS; height++) {
      if (this.isOpen[height] !== true) continue;
      const left = this.nodeAt(height).subarray(1, 1 + HASH_BYTES);
      right = right === undefined ? Buffer.from(left) : nodeHash(left, right);
    }
    return right ?? EMPTY_ROOT;
  }

  /** What the tree's last tiles hold as far as they are filled. */
  partialTiles(): { readonly level: number; readonly index: number; readonly hashes: Buffer }[] {
    return this.tiles.flatMap(({ hashes, width, index }, level) =>
      width === 0 ? [] : [{ level, index, hashes: hashes.subarray(0, width * HASH_BYTES) }],
    );
  }

  /** The hashes of the leaves since the last full tile. */
  lastTile(): Buffer {
    const [tile] = this.tiles;
    return tile === undefined ? Buffer.alloc(0) : tile.hashes.subarray(0, tile.width * HASH_BYTES);
  }

  private toTile(level: number, text: string): void {
    this.tiles[level] ??= { hashes: Buffer.alloc(TILE_WIDTH * HASH_BYTES), width: 0, index: 0 };
    const tile = this.tiles[level];
    tile.hashes.write(text, tile.width * HASH_BYTES, HASH_BYTES, "latin1");
    tile.width += 1;
    if (tile.width < TILE_WIDTH) return;
    this.onTile(level, tile.index, tile.hashes);
    tile.index += 1;
    tile.width = 0;
  }

  private nodeAt(height: number): Buffer {
    const node = this.nodes[height];
    if (node === undefined) throw new RangeError("A tree has at most 2^53 leaves.");
    return node;
  }
}
