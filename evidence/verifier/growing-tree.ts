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

/** A whole subtree: its height, and its root. */
export type Node = readonly [height: number, root: Buffer];

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
    this.appendNode(0, hash("sha256", this.leaf.subarray(0, 1 + entry.length), "binary"));
  }

  /**
   * Adds a whole subtree by its root, where such a subtree begins.
   * @param from the height: a multiple of 8, so that its root is a hash of a tile. @param text the root, as 32 one-byte characters.
   */
  appendNode(from: number, root: string): void {
    let text = root;
    this.size += 2 ** from;
    this.toTile(from / TILE_HEIGHT, text);
    let height = from;
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

  /** @param behind whole subtrees that follow this tree's leaves, each lower than all of this tree's own; the lowest first. */
  root(behind: readonly Node[] = []): Buffer {
    let right: Buffer | undefined;
    for (const [, left] of [...behind, ...this.openNodes]) {
      right = right === undefined ? Buffer.from(left) : nodeHash(left, right);
    }
    return right ?? EMPTY_ROOT;
  }

  /** The whole subtrees that the tree consists of, the lowest, which is the last, first. */
  get openNodes(): Node[] {
    return this.isOpen.flatMap((isOpen, height): Node[] =>
      isOpen ? [[height, this.nodeAt(height).subarray(1, 1 + HASH_BYTES)]] : [],
    );
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
