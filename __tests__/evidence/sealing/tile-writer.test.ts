import zlib from "node:zlib";
import fc from "fast-check";
import { leafHash } from "../../../evidence/log/hashing";
import {
  BATCH_BYTES_MAX,
  BATCH_ENTRIES_MAX,
  bundleBytes,
  entriesIn,
  packFirst,
  unpack,
} from "../../../evidence/sealing/batches";
import type { EvidenceFile } from "../../../evidence/sealing/evidence-bucket";
import { extended, rootOf } from "../../../evidence/sealing/frontier";
import { TileWriter, unfinishedWidths } from "../../../evidence/sealing/tile-writer";
import { naiveEntries, naiveLeaf, naiveRoot, naiveTiles } from "./naive-log";

const entry = (index: number) => Buffer.from(`entry ${index}`);
const entries = (count: number) => Array.from({ length: count }, (_, index) => entry(index));
const byPath = (files: readonly EvidenceFile[]) => new Map(files.map(({ path, bytes }) => [path, bytes]));

/** Everything that a tree of this size consists of. */
function grown(count: number): Map<string, Buffer> {
  const tree = new TileWriter(0, []);
  for (const each of entries(count)) tree.add(each);
  return byPath([...tree.takeFinished(), ...tree.unfinished()]);
}

test.each([0, 1, 2, 255, 256, 257, 511, 512, 1000, 65536, 70000])("bundles, tiles and root of %i entries", (size) => {
  const leaves = entries(size).map(naiveLeaf);
  const files = grown(size);
  const tiles = naiveTiles(leaves);
  expect([...files.keys()].filter((path) => !path.includes("entries")).sort()).toEqual([...tiles.keys()].sort());
  for (const [path, bytes] of tiles) expect(files.get(path)?.equals(bytes)).toBe(true);
  const bundles = [...files].filter(([path]) => path.includes("entries"));
  expect(bundles).toHaveLength(Math.ceil(size / 256));
  expect(bundles.flatMap(([, bytes]) => naiveEntries(bytes)).length).toBe(size);
});

/** The two examples of C2SP tlog-tiles. */
test("which tiles are partial", () => {
  const widths = (count: number) => [...grown(count).keys()].filter((path) => /^tile\/\d+\/.*\.p\//.test(path)).sort();
  expect(widths(70000)).toEqual(["tile/0/273.p/112", "tile/1/001.p/17", "tile/2/000.p/1"]);
  expect(widths(256)).toEqual(["tile/1/000.p/1"]);
  expect(unfinishedWidths(70000)).toEqual([112, 17, 1]);
  expect(unfinishedWidths(256)).toEqual([0, 1]);
  expect(unfinishedWidths(0)).toEqual([]);
});

test("a tree that grows on from published tiles is the same tree", () => {
  fc.assert(
    fc.property(
      fc.oneof(fc.nat({ max: 2_000 }), fc.integer({ min: 65_000, max: 70_000 })),
      fc.nat({ max: 700 }),
      (before, more) => {
        const leaves = Array.from({ length: before + more }, (_, index) => leafHash(entry(index % 97)));
        // The tiles of the earlier size by the shortest way: whole subtrees of 256 and of 65,536.
        const base = before - (before % 256);
        const subtrees = (width: number, from: number, to: number) =>
          Array.from({ length: (to - from) / width }, (_, index) =>
            rootOf(extended({ size: 0, hashes: [] }, leaves.slice(from + index * width, from + (index + 1) * width))),
          );
        const wide = base - (base % 65_536);
        const tree = new TileWriter(base, [subtrees(256, wide, base), subtrees(65_536, 0, wide)]);
        for (let index = base; index < before + more; index++) tree.add(entry(index % 97));
        expect(tree.frontier()).toEqual(extended({ size: 0, hashes: [] }, leaves));
        expect(tree.size).toBe(before + more);
      },
    ),
    { numRuns: 8 },
  );
});

test("it grows on from the end of a bundle only", () => {
  expect(() => new TileWriter(255, [])).toThrow("full bundle");
});

test("finished files are handed out once", () => {
  const tree = new TileWriter(0, []);
  for (const each of entries(256)) tree.add(each);
  expect(tree.finishedCount).toBe(2);
  expect(tree.takeFinished().map(({ path }) => path)).toEqual(["tile/entries/000", "tile/0/000"]);
  expect(tree.takeFinished()).toEqual([]);
  expect(rootOf(tree.frontier())).toEqual(naiveRoot(entries(256).map(naiveLeaf)));
});

test("entries come out of a bundle, and of a packed batch, as they went in", () => {
  fc.assert(
    fc.property(fc.array(fc.uint8Array({ maxLength: 400 }), { minLength: 1, maxLength: 40 }), (some) => {
      const list = some.map((bytes) => Buffer.from(bytes));
      expect(naiveEntries(bundleBytes(list))).toEqual(list);
      expect(entriesIn(bundleBytes(list))).toEqual(list);
      const { count, bytes } = packFirst(list);
      expect([count, unpack(bytes)]).toEqual([list.length, list]);
    }),
  );
});

test("a batch holds 1,000 entries, or as many as fit", () => {
  expect(packFirst(entries(1_500)).count).toBe(BATCH_ENTRIES_MAX);
  // Hashes do not compress.
  const noise = (length: number) =>
    Buffer.concat(Array.from({ length: Math.ceil(length / 32) }, (_, at) => naiveLeaf(entry(at)))).subarray(0, length);
  const large = Array.from({ length: 20 }, () => noise(65_535));
  const { count, bytes } = packFirst(large);
  expect(count).toBeGreaterThanOrEqual(2);
  expect(count).toBeLessThan(5);
  expect(bytes.length).toBeLessThanOrEqual(BATCH_BYTES_MAX);
  expect(unpack(bytes)).toEqual(large.slice(0, count));
});

test.each([
  ["no deflated bytes", Buffer.from("junk")],
  ["nothing", Buffer.alloc(0)],
])("%s are no batch", (_what, bytes) => {
  expect(unpack(bytes)).toBeUndefined();
});

test("too little memory to unpack a batch does not make it one that no sealer packed", () => {
  const broken = Object.assign(new Error("There was no memory."), { code: "Z_MEM_ERROR" });
  const inflate = jest.spyOn(zlib, "inflateRawSync").mockImplementation(() => {
    throw broken;
  });
  const { bytes } = packFirst(entries(3));
  expect(() => unpack(bytes)).toThrow(broken);
  inflate.mockRestore();
});

test("a bundle that ends in the middle of an entry or of a length is invalid", () => {
  const bundle = bundleBytes([Buffer.from("abc"), Buffer.from("d")]);
  expect(entriesIn(bundle.subarray(0, -1))).toBeUndefined();
  expect(entriesIn(Buffer.concat([bundle, Buffer.of(0)]))).toBeUndefined();
});
