import fc from "fast-check";
import { EMPTY_ROOT, leafHash, nodeHash } from "../../../evidence/log/hashing";
import { TILE_WIDTH, tilePath } from "../../../evidence/log/paths";
import {
  consistencyProof,
  inclusionProof,
  isConsistent,
  rootOfInclusion,
  type SubtreeHashes,
  tileReader,
  treeRoot,
} from "../../../evidence/verifier/merkle-tree";

// RFC 6962, sections 2.1 to 2.1.2, word for word, over a part of the leaves: what the fast code is held against.

const SMALL = 300;
const LARGE = 100_000;
const LEAVES = Array.from({ length: LARGE }, (_, index) => leafHash(Buffer.from(`leaf ${index}`)));

const split = (count: number): number => {
  let power = 1;
  while (power * 2 < count) power *= 2;
  return power;
};

/** Perfect subtrees belong to every tree that has their leaves, so they are hashed once. */
const perfect = new Map<string, Buffer>();

function mth(start: number, end: number): Buffer {
  const known = perfect.get(`${start}-${end}`);
  if (known !== undefined) return known;
  if (end === start) return EMPTY_ROOT;
  if (end - start === 1) return LEAVES[start] as Buffer;
  const k = split(end - start);
  const root = nodeHash(mth(start, start + k), mth(start + k, end));
  if (k * 2 === end - start) perfect.set(`${start}-${end}`, root);
  return root;
}

function path(m: number, start: number, end: number): Buffer[] {
  if (end - start <= 1) return [];
  const k = split(end - start);
  return m < k
    ? [...path(m, start, start + k), mth(start + k, end)]
    : [...path(m - k, start + k, end), mth(start, start + k)];
}

function proof(m: number, size: number): Buffer[] {
  return m === 0 || m === size ? [] : subproof(m, 0, size, true);
}

function subproof(m: number, start: number, end: number, whole: boolean): Buffer[] {
  if (m === end - start) return whole ? [] : [mth(start, end)];
  const k = split(end - start);
  return m <= k
    ? [...subproof(m, start, start + k, whole), mth(start + k, end)]
    : [...subproof(m - k, start + k, end, false), mth(start, start + k)];
}

const treeOf = (size: number) => ({ size, root: mth(0, size) });

/** The tiles of a tree, computed from its leaves by the definition of C2SP tlog-tiles. */
function tilesOf(leaves: readonly Buffer[]): Map<string, Buffer> {
  const tiles = new Map<string, Buffer>();
  let hashes = leaves;
  for (let level = 0; hashes.length > 0; level += 1) {
    const above: Buffer[] = [];
    for (let index = 0; index * TILE_WIDTH < hashes.length; index += 1) {
      const tile = hashes.slice(index * TILE_WIDTH, (index + 1) * TILE_WIDTH);
      tiles.set(tilePath(level, index, tile.length), Buffer.concat(tile));
      if (tile.length === TILE_WIDTH) above.push(pairwise(tile));
    }
    hashes = above;
  }
  return tiles;
}

function pairwise(hashes: readonly Buffer[]): Buffer {
  const above = hashes.flatMap((hash, at) => (at % 2 === 0 ? [nodeHash(hash, hashes[at + 1] as Buffer)] : []));
  return above.length === 1 ? (above[0] as Buffer) : pairwise(above);
}

function folderOf(files: ReadonlyMap<string, Buffer>, reads: string[] = []) {
  return {
    name: "the test's folder",
    read: async (file: string) => {
      reads.push(file);
      return files.get(file);
    },
    list: async function* () {
      yield* files.keys();
    },
  };
}

const tilesAt = (size: number) => tilesOf(LEAVES.slice(0, size));
const readerOf = (size: number): SubtreeHashes => tileReader(folderOf(tilesAt(size)), size);
const largeTiles = tilesAt(LARGE);

describe("every tree of 0 to 300 leaves", () => {
  const same = (made: readonly Buffer[], expected: readonly Buffer[]) =>
    made.length === expected.length && made.every((hash, at) => hash.equals(expected[at] as Buffer));

  test("its root, and the inclusion proof of each leaf", async () => {
    const wrong: string[] = [];
    for (let size = 0; size <= SMALL; size += 1) {
      const hashes = readerOf(size);
      const root = await treeRoot(hashes, size);
      if (!root.equals(mth(0, size))) wrong.push(`root of ${size}`);
      for (let index = 0; index < size; index += 1) {
        const made = await inclusionProof(hashes, index, size);
        if (!same(made, path(index, 0, size))) wrong.push(`path of ${index} in ${size}`);
        const led = rootOfInclusion(LEAVES[index] as Buffer, index, size, made);
        if (led?.equals(root) !== true) wrong.push(`check of ${index} in ${size}`);
      }
    }
    expect(wrong).toEqual([]);
  });

  test("the consistency proof from each smaller one", async () => {
    const wrong: string[] = [];
    const trees = Array.from({ length: SMALL + 1 }, (_, size) => treeOf(size));
    for (let size = 0; size <= SMALL; size += 1) {
      const hashes = readerOf(size);
      for (let first = 0; first <= size; first += 1) {
        const made = await consistencyProof(hashes, first, size);
        if (!same(made, proof(first, size))) wrong.push(`proof from ${first} to ${size}`);
        if (!isConsistent(trees[first] ?? treeOf(0), trees[size] ?? treeOf(0), made))
          wrong.push(`check from ${first} to ${size}`);
      }
    }
    expect(wrong).toEqual([]);
  });
});

describe("trees of up to 100,000 leaves", () => {
  const anySize = fc.integer({ min: 1, max: LARGE });

  test("roots and inclusion, from the tiles of the largest", async () => {
    await fc.assert(
      fc.asyncProperty(anySize, fc.nat(), async (size, chosen) => {
        const index = chosen % size;
        const hashes = tileReader(folderOf(largeTiles), LARGE);
        const made = await inclusionProof(hashes, index, size);
        expect(await treeRoot(hashes, size)).toEqual(mth(0, size));
        expect(rootOfInclusion(LEAVES[index] as Buffer, index, size, made)).toEqual(mth(0, size));
        expect(made.length).toBeLessThanOrEqual(Math.ceil(Math.log2(size)));
      }),
    );
  });

  test("consistency, at sizes whose own partial tiles are gone and full ones are there", async () => {
    const sizes = fc.integer({ min: 1, max: TILE_WIDTH ** 2 - 1 });
    await fc.assert(
      fc.asyncProperty(sizes, sizes, async (one, other) => {
        const [first, second] = [Math.min(one, other), Math.max(one, other)];
        const made = await consistencyProof(tileReader(folderOf(largeTiles), second), first, second);
        expect(isConsistent(treeOf(first), treeOf(second), made)).toBe(true);
      }),
    );
  });

  test("a proof takes few tiles", async () => {
    const reads: string[] = [];
    await inclusionProof(tileReader(folderOf(largeTiles, reads), LARGE), 12_345, LARGE);
    expect(reads.length).toBeLessThanOrEqual(5);
    expect(new Set(reads).size).toBe(reads.length);
  });
});

describe("what is wrong is not taken for right", () => {
  const flipped = (bytes: Buffer, at: number) => {
    const copy = Buffer.from(bytes);
    copy[at] = (copy[at] ?? 0) ^ 1;
    return copy;
  };
  const pairs = fc
    .tuple(fc.integer({ min: 2, max: SMALL }), fc.nat(), fc.nat(), fc.nat())
    .map(([size, index, part, byte]) => ({ size, index: index % size, part, byte: byte % 32 }));

  test("an inclusion proof with a changed, added or missing hash, another leaf, index or size", async () => {
    await fc.assert(
      fc.asyncProperty(pairs, async ({ size, index, part, byte }) => {
        const root = mth(0, size);
        const made = path(index, 0, size);
        const leaf = LEAVES[index] as Buffer;
        const changed = made.map((hash, at) => (at === part % made.length ? flipped(hash, byte) : hash));
        expect(rootOfInclusion(leaf, index, size, changed)).not.toEqual(root);
        expect(rootOfInclusion(flipped(leaf, byte), index, size, made)).not.toEqual(root);
        expect(rootOfInclusion(leaf, index, size, [...made, root])).toBeUndefined();
        expect(rootOfInclusion(leaf, index, size, made.slice(0, -1))).toBeUndefined();
        const other = (index + 1) % size;
        expect(rootOfInclusion(leaf, other, size, made)).not.toEqual(root);
        expect(rootOfInclusion(leaf, size, size, made)).toBeUndefined();
      }),
      { numRuns: 200 },
    );
  });

  test("a consistency proof with a changed, added or missing hash, or of other roots", async () => {
    const both = fc.tuple(pairs, fc.nat()).map(([pair, first]) => ({ ...pair, first: 1 + (first % (pair.size - 1)) }));
    await fc.assert(
      fc.asyncProperty(both, async ({ size, first, part, byte }) => {
        const made = proof(first, size);
        const [from, to] = [treeOf(first), treeOf(size)];
        const changed = made.map((hash, at) => (at === part % made.length ? flipped(hash, byte) : hash));
        expect(isConsistent(from, to, changed)).toBe(false);
        expect(isConsistent(from, to, [...made, to.root])).toBe(false);
        expect(isConsistent(from, to, made.slice(0, -1))).toBe(false);
        expect(isConsistent({ ...from, root: flipped(from.root, byte) }, to, made)).toBe(false);
        expect(isConsistent(from, { ...to, root: flipped(to.root, byte) }, made)).toBe(false);
        expect(isConsistent(to, from, made)).toBe(false);
      }),
      { numRuns: 200 },
    );
  });

  test("between trees that need no proof, only an empty proof is accepted", () => {
    const [empty, one] = [treeOf(0), treeOf(1)];
    expect(isConsistent(empty, empty, [])).toBe(true);
    expect(isConsistent(empty, one, [])).toBe(true);
    expect(isConsistent(one, one, [])).toBe(true);
    expect(isConsistent(empty, one, [one.root])).toBe(false);
    expect(isConsistent({ size: 0, root: one.root }, one, [])).toBe(false);
    expect(isConsistent(one, one, [one.root])).toBe(false);
    expect(isConsistent(one, { size: 1, root: EMPTY_ROOT }, [])).toBe(false);
    expect(isConsistent(one, treeOf(2), [])).toBe(false);
  });

  test("a hash that has not 32 bytes, and an impossible size", () => {
    const made = path(0, 0, 3);
    const leaf = LEAVES[0] as Buffer;
    const short = made.map((hash) => hash.subarray(1));
    expect(rootOfInclusion(leaf, 0, 3, short)).toBeUndefined();
    expect(rootOfInclusion(leaf.subarray(1), 0, 3, made)).toBeUndefined();
    expect(rootOfInclusion(leaf, 0, 2 ** 53, made)).toBeUndefined();
    expect(rootOfInclusion(leaf, -1, 3, made)).toBeUndefined();
    expect(rootOfInclusion(leaf, 0.5, 3, made)).toBeUndefined();
    const [from, to] = [treeOf(2), treeOf(3)];
    expect(isConsistent(from, to, proof(2, 3))).toBe(true);
    const shortened = proof(2, 3).map((hash) => hash.subarray(1));
    expect(isConsistent(from, to, shortened)).toBe(false);
    expect(isConsistent({ ...from, size: 1.5 }, to, [])).toBe(false);
  });

  test("there is no proof of a leaf outside the tree, nor back to a larger tree", async () => {
    const hashes = readerOf(5);
    await expect(inclusionProof(hashes, 5, 5)).rejects.toThrow(RangeError);
    await expect(inclusionProof(hashes, -1, 5)).rejects.toThrow(RangeError);
    await expect(inclusionProof(hashes, 0, 0)).rejects.toThrow(RangeError);
    await expect(consistencyProof(hashes, 6, 5)).rejects.toThrow(RangeError);
  });

  test("sizes beyond 32 bits are counted right", () => {
    const size = 2 ** 40 + 3;
    const steps = LEAVES.slice(0, 40);
    // The last leaf of three beyond a perfect tree: its own subtree's two, then the perfect tree.
    const [left, before, leaf] = steps as [Buffer, Buffer, Buffer];
    expect(rootOfInclusion(leaf, size - 1, size, [left, before])).toEqual(nodeHash(before, nodeHash(left, leaf)));
    const root = steps.reduce((below, step) => nodeHash(below, step), leaf);
    expect(rootOfInclusion(leaf, 0, 2 ** 40, steps)).toEqual(root);
    // 2^53 - 1 is no power of two, though its logarithm rounds to 53.
    const first = { size: 2 ** 53 - 2, root };
    expect(isConsistent(first, { size: 2 ** 53 - 1, root }, [root])).toBe(false);
  });
});

describe("tiles that are not as they must be", () => {
  test("a missing one is named", async () => {
    const tiles = tilesAt(260);
    tiles.delete(tilePath(0, 1, 4));
    const reading = treeRoot(tileReader(folderOf(tiles), 260), 260);
    await expect(reading).rejects.toMatchObject({ code: "TILE_MISSING", path: "tile/0/001.p/4" });
  });

  test.each([-1, 1, 32])("one of %i bytes more is named, a full one in place of a partial too", async (bytes) => {
    const longer = (tile: Buffer) => (bytes < 0 ? tile.subarray(0, bytes) : Buffer.concat([tile, Buffer.alloc(bytes)]));
    const tiles = tilesAt(260);
    tiles.set(tilePath(0, 1, 4), longer(tiles.get(tilePath(0, 1, 4)) as Buffer));
    const reading = treeRoot(tileReader(folderOf(tiles), 260), 260);
    await expect(reading).rejects.toMatchObject({ code: "EVIDENCE_ALTERED", path: "tile/0/001.p/4" });
    tiles.set(tilePath(0, 0), longer(tiles.get(tilePath(0, 0)) as Buffer));
    const earlier = treeRoot(tileReader(folderOf(tiles), 100), 100);
    await expect(earlier).rejects.toMatchObject({ code: "EVIDENCE_ALTERED", path: "tile/0/000" });
  });

  test("an altered one gives another root, which no signed checkpoint has", async () => {
    const tiles = tilesAt(260);
    const tile = Buffer.from(tiles.get(tilePath(0, 1, 4)) as Buffer);
    tile[40] = (tile[40] ?? 0) ^ 1;
    tiles.set(tilePath(0, 1, 4), tile);
    expect(await treeRoot(tileReader(folderOf(tiles), 260), 260)).not.toEqual(mth(0, 260));
  });
});
