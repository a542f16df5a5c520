/**
 * The Merkle tree of RFC 6962 section 2.1. First its inclusion and consistency proofs: made from the stored tiles, and
 * checked without them. Then the tree that a verification grows from the entries. Sizes and indexes are whole numbers up to 2^53, so they are halved by division: bit operators keep 32 bits.
 */

import { hash } from "node:crypto";
import { CodedError } from "../../contract";
import { EMPTY_ROOT, ENTRY_BYTES_MAX, HASH_BYTES, nodeHash, perfectRoot } from "../log/hashing";
import { TILE_WIDTH, tilePath } from "../log/paths";
import { type EvidenceFolder, readTile } from "./evidence";

/** A tile spans this many levels of the tree. */
export const TILE_HEIGHT = 8;

/** A tile is not there that a tree of the stated size must have. */
export class MissingTileError extends CodedError<"TILE_MISSING"> {
  override readonly name = "MissingTileError";

  constructor(
    readonly path: string,
    folder: string,
  ) {
    super(
      "TILE_MISSING",
      `${path} is not in ${folder}, and the tree cannot be followed without it. Fetch the evidence again.`,
    );
  }
}

/** The hash of the perfect subtree of `2^height` leaves that begins at leaf `index * 2^height`. */
export type SubtreeHashes = (height: number, index: number) => Promise<Buffer>;

/**
 * Reads subtrees of the tree of this size, and so of every smaller one, from its tiles. It trusts the tiles, so
 * compare the result with a signed root. What was read stays in memory, so one reader serves a few proofs.
 */
export function tileReader(evidence: EvidenceFolder, size: number): SubtreeHashes {
  const tiles = new Map<string, Promise<Buffer>>();
  const tileOf = (level: number, index: number) => {
    const width = Math.min(TILE_WIDTH, Math.floor(size / TILE_WIDTH ** level) - index * TILE_WIDTH);
    const path = tilePath(level, index, width);
    const reading = tiles.get(path) ?? presentTile(evidence, level, index, width);
    tiles.set(path, reading);
    return reading;
  };
  const known = new Map<string, Buffer>();
  return async (height, index) => {
    const name = `${height}/${index}`;
    const hash = known.get(name) ?? (await subtreeHash(tileOf, height, index));
    known.set(name, hash);
    return hash;
  };
}

async function subtreeHash(
  tileOf: (level: number, index: number) => Promise<Buffer>,
  height: number,
  index: number,
): Promise<Buffer> {
  const level = Math.floor(height / TILE_HEIGHT);
  const spread = 2 ** (height - level * TILE_HEIGHT);
  const tile = Math.floor((index * spread) / TILE_WIDTH);
  const offset = (index * spread - tile * TILE_WIDTH) * HASH_BYTES;
  return perfectRoot((await tileOf(level, tile)).subarray(offset, offset + spread * HASH_BYTES));
}

async function presentTile(evidence: EvidenceFolder, level: number, index: number, width: number): Promise<Buffer> {
  const tile = await readTile(evidence, level, index, width);
  if (tile === undefined) throw new MissingTileError(tilePath(level, index, width), evidence.name);
  return tile;
}

// ------------------------------------------------------------------------------------------------------ making proofs

/** `MTH(D[0:size])`. */
export function treeRoot(hashes: SubtreeHashes, size: number): Promise<Buffer> {
  return size === 0 ? Promise.resolve(EMPTY_ROOT) : rangeHash(hashes, 0, size);
}

/** `PATH(index, D[0:size])`, from the leaf's sibling up. @throws RangeError when the tree has no such leaf. */
export async function inclusionProof(hashes: SubtreeHashes, index: number, size: number): Promise<Buffer[]> {
  if (!isSize(size) || !isSize(index) || index >= size) {
    throw new RangeError(`A tree of ${size} leaves has no leaf ${index}.`);
  }
  const path: Buffer[] = [];
  for (let [start, end] = [0, size]; end - start > 1; ) {
    const middle = start + splitOf(end - start);
    const isLeft = index < middle;
    path.unshift(isLeft ? await rangeHash(hashes, middle, end) : await rangeHash(hashes, start, middle));
    [start, end] = isLeft ? [start, middle] : [middle, end];
  }
  return path;
}

/** `PROOF(first, D[0:second])`; empty from the empty tree and between equal ones. @throws RangeError when the first is larger. */
export async function consistencyProof(hashes: SubtreeHashes, first: number, second: number): Promise<Buffer[]> {
  if (!isSize(first) || !isSize(second) || first > second) {
    throw new RangeError(`No proof leads from a tree of ${first} leaves to one of ${second}.`);
  }
  if (first === 0 || first === second) return [];
  const proof: Buffer[] = [];
  let [start, end, isWhole] = [0, second, true];
  while (first !== end) {
    const middle = start + splitOf(end - start);
    const isLeft = first <= middle;
    proof.unshift(isLeft ? await rangeHash(hashes, middle, end) : await rangeHash(hashes, start, middle));
    [start, end, isWhole] = isLeft ? [start, middle, isWhole] : [middle, end, false];
  }
  // The first tree's root is known to who checks, so its hash is left out where it is one subtree of the second.
  return isWhole ? proof : [await rangeHash(hashes, start, end), ...proof];
}

/** Of the leaves from `start` to before `end`, where `start` is a multiple of the power of two that holds them. */
async function rangeHash(hashes: SubtreeHashes, start: number, end: number): Promise<Buffer> {
  const height = heightOf(end - start);
  if (height !== undefined) return hashes(height, start / (end - start));
  const split = splitOf(end - start);
  return nodeHash(await rangeHash(hashes, start, start + split), await rangeHash(hashes, start + split, end));
}

/** The largest power of two below a number above 1. */
function splitOf(count: number): number {
  let split = 1;
  while (split * 2 < count) split *= 2;
  return split;
}

/** Of the perfect tree with so many leaves; undefined for a number that is no power of two. */
function heightOf(count: number): number | undefined {
  let height = 0;
  while (2 ** height < count) height += 1;
  return 2 ** height === count ? height : undefined;
}

function isSize(value: number): boolean {
  return Number.isSafeInteger(value) && value >= 0;
}

// ---------------------------------------------------------------------------------------------------- checking proofs

/** The root that the proof leads to (RFC 9162 section 2.1.3.2), or undefined when it has too many or too few hashes. */
export function rootOfInclusion(
  leaf: Uint8Array,
  index: number,
  size: number,
  proof: readonly Uint8Array[],
): Buffer | undefined {
  if (!isSize(size) || !isSize(index) || index >= size || leaf.length !== HASH_BYTES) return undefined;
  let [node, last, root]: [number, number, Buffer] = [index, size - 1, Buffer.from(leaf)];
  for (const step of proof) {
    if (last === 0 || step.length !== HASH_BYTES) return undefined;
    if (isOdd(node) || node === last) {
      root = nodeHash(step, root);
      while (!isOdd(node) && node !== 0) [node, last] = [halved(node), halved(last)];
    } else {
      root = nodeHash(root, step);
    }
    [node, last] = [halved(node), halved(last)];
  }
  return last === 0 ? root : undefined;
}

export interface Tree {
  readonly size: number;
  readonly root: Uint8Array;
}

/** Whether the second tree begins with all of the first (RFC 9162 section 2.1.4.2, and its trivial cases). */
export function isConsistent(first: Tree, second: Tree, proof: readonly Uint8Array[]): boolean {
  if (!isSize(first.size) || !isSize(second.size) || first.size > second.size) return false;
  if (first.size === 0) return proof.length === 0 && EMPTY_ROOT.equals(first.root);
  if (first.size === second.size) return proof.length === 0 && Buffer.from(first.root).equals(second.root);
  const path = heightOf(first.size) !== undefined ? [first.root, ...proof] : proof;
  const roots = rootsOfConsistency(first.size, second.size, path);
  return roots?.first.equals(first.root) === true && roots.second.equals(second.root);
}

function rootsOfConsistency(
  firstSize: number,
  secondSize: number,
  [start, ...path]: readonly Uint8Array[],
): { first: Buffer; second: Buffer } | undefined {
  let [node, last] = [firstSize - 1, secondSize - 1];
  while (isOdd(node)) [node, last] = [halved(node), halved(last)];
  if (start === undefined || start.length !== HASH_BYTES) return undefined;
  let [first, second]: [Buffer, Buffer] = [Buffer.from(start), Buffer.from(start)];
  for (const step of path) {
    if (last === 0 || step.length !== HASH_BYTES) return undefined;
    if (isOdd(node) || node === last) {
      [first, second] = [nodeHash(step, first), nodeHash(step, second)];
      while (!isOdd(node) && node !== 0) [node, last] = [halved(node), halved(last)];
    } else {
      second = nodeHash(second, step);
    }
    [node, last] = [halved(node), halved(last)];
  }
  return last === 0 ? { first, second } : undefined;
}

function isOdd(value: number): boolean {
  return value % 2 === 1;
}

function halved(value: number): number {
  return Math.floor(value / 2);
}

const LEAF_PREFIX = 0x00;
const NODE_PREFIX = 0x01;
const HEIGHTS = 53;

/** A whole subtree: its height, and its root. */
export type Node = readonly [height: number, root: Buffer];

/** A tile that has just become full. The buffer is used again for the next one. */
export type OnTile = (level: number, index: number, hashes: Buffer) => void;

/**
 * The tree, grown leaf by leaf from the entries as they are read: its root at any size on the way, and the tiles that it
 * must have. Hashes pass as texts of 32 one-byte characters: a buffer for each would cost more than the hash.
 */
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
