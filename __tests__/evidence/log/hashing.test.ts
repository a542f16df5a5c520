import fc from "fast-check";
import { EMPTY_ROOT, ENTRY_BYTES_MAX, leafHash, nodeHash, perfectRoot } from "../../../evidence/log/hashing";
import { extended, frontierBytes, frontierFrom, rootOf } from "../../../evidence/sealing/frontier";
import { naiveLeaf, naiveRoot } from "../sealing/naive-log";

/** The leaves and roots of the reference implementation of Certificate Transparency (RFC 6962), trees of 0 to 8 leaves. */
const CT_LEAVES = ["", "00", "10", "2021", "3031", "40414243", "5051525354555657", "606162636465666768696a6b6c6d6e6f"];
const CT_ROOTS = [
  "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855",
  "6e340b9cffb37a989ca544e6bb780a2c78901d3fb33738768511a30617afa01d",
  "fac54203e7cc696cf0dfcb42c92a1d9dbaf70ad9e621f4bd8d98662f00e3c125",
  "aeb6bcfe274b70a14fb067a5e5578264db0fa9b51af5e0ba159158f329e06e77",
  "d37ee418976dd95753c1c73862b9398fa2a2cf9b4ff0fdfe8b30cd95209614b7",
  "4e3bbb1f7b478dcfe71fb631631519a3bca12c9aefca1612bfce4c13a86264d4",
  "76e67dadbcdf1e10e1b74ddc608abd2f98dfb16fbce75277b5232a127f2087ef",
  "ddb89be403809e325750d3d263cd78929c2942b7942a34b77e122c9594a74c8c",
  "5dc9da79a70659a9ad559cb701ded9a2ab9d823aad2f4960cfe370eff4604328",
];
const leaves = CT_LEAVES.map((hex) => leafHash(Buffer.from(hex, "hex")));
const frontierOf = (hashes: readonly Buffer[]) => extended({ size: 0, hashes: [] }, hashes);

test.each(CT_ROOTS.map((root, size) => [size, root] as const))(
  "a tree of %i leaves has the known root",
  (size, root) => {
    expect(rootOf(frontierOf(leaves.slice(0, size))).toString("hex")).toBe(root);
    expect(naiveRoot(leaves.slice(0, size)).toString("hex")).toBe(root);
  },
);

test("the empty tree, a leaf and a node, by hand", () => {
  expect(EMPTY_ROOT.toString("hex")).toBe(CT_ROOTS[0]);
  expect(leafHash(Buffer.alloc(0)).toString("hex")).toBe(CT_ROOTS[1]);
  const [left = EMPTY_ROOT, right = EMPTY_ROOT] = leaves;
  expect(nodeHash(left, right).toString("hex")).toBe(CT_ROOTS[2]);
});

test("a leaf is hashed after whatever was hashed before it: the scratch area keeps nothing", () => {
  fc.assert(
    fc.property(fc.array(fc.uint8Array({ maxLength: 300 }), { minLength: 1, maxLength: 8 }), (entries) => {
      for (const entry of entries) expect(leafHash(entry)).toEqual(naiveLeaf(entry));
    }),
  );
});

test("entries of up to 65,535 bytes are hashed, and no longer ones", () => {
  const longest = Buffer.alloc(ENTRY_BYTES_MAX, "x");
  expect(leafHash(longest)).toEqual(naiveLeaf(longest));
  expect(() => leafHash(Buffer.alloc(ENTRY_BYTES_MAX + 1))).toThrow(RangeError);
  expect(() => nodeHash(Buffer.alloc(31), Buffer.alloc(32))).toThrow(RangeError);
  expect(() => nodeHash(Buffer.alloc(32), Buffer.alloc(33))).toThrow(RangeError);
});

test("the root of a frontier is that of the whole tree, however the leaves came in", () => {
  fc.assert(
    fc.property(fc.integer({ min: 0, max: 600 }), fc.array(fc.nat({ max: 200 }), { maxLength: 6 }), (size, steps) => {
      const all = Array.from({ length: size }, (_, index) => leafHash(Buffer.from(String(index))));
      let frontier = frontierOf([]);
      for (const step of [...steps, size]) {
        frontier = extended(frontier, all.slice(frontier.size, Math.min(size, frontier.size + step)));
        expect(rootOf(frontier)).toEqual(naiveRoot(all.slice(0, frontier.size)));
        expect(frontierFrom(frontier.size, frontierBytes(frontier))).toEqual(frontier);
      }
      expect(frontier.size).toBe(size);
    }),
    { numRuns: 50 },
  );
});

test("sizes beyond 32 bits: a leaf is appended at the right place", () => {
  const size = 2 ** 40 + 2 ** 33 + 3;
  const hashes = Array.from({ length: 4 }, (_, index) => leafHash(Buffer.of(index)));
  const grown = extended({ size, hashes }, [leafHash(Buffer.from("next"))]);
  // 2 + 1 + the new one join into a subtree of four; the two large ones stay.
  const [first, second, two = EMPTY_ROOT, one = EMPTY_ROOT] = hashes;
  const joined = nodeHash(two, nodeHash(one, leafHash(Buffer.from("next"))));
  expect(grown).toEqual({ size: size + 1, hashes: [first, second, joined] });
  expect(frontierFrom(size, Buffer.concat(hashes))).toEqual({ size, hashes });
});

test.each([
  ["too few hashes", 3, 32],
  ["too many hashes", 4, 64],
  ["half a hash", 1, 16],
  ["a size that is no whole number", 1.5, 32],
  ["a negative size", -1, 0],
])("a frontier with %s is invalid", (_what, size, bytes) => {
  expect(frontierFrom(size, Buffer.alloc(bytes))).toBeUndefined();
});

test("the root over a power of two of hashes", () => {
  expect(perfectRoot(Buffer.concat(leaves))).toEqual(naiveRoot(leaves));
  expect(perfectRoot(leaves[0] ?? Buffer.alloc(0))).toEqual(leaves[0]);
});
