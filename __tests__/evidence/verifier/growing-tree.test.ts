import { HASH_BYTES } from "../../../evidence/log/hashing";
import { tilePath } from "../../../evidence/log/paths";
import { GrowingTree } from "../../../evidence/verifier/merkle-tree";
import { NaiveLog, treeHash } from "../../support/naive-log";

const entries = Array.from({ length: 600 }, (_, each) => Buffer.from(`entry ${each}`.repeat(1 + (each % 9))));

test("the root at every size is that of the definition", () => {
  const tree = new GrowingTree(() => {});
  expect(tree.root()).toEqual(treeHash([]));
  for (const [index, entry] of entries.entries()) {
    tree.append(entry);
    expect(tree.size).toBe(index + 1);
    const isTelling = index < 70 || index % 37 === 0 || [254, 255, 256, 257, 511, 512].includes(index);
    if (isTelling) expect(tree.root()).toEqual(treeHash(entries.slice(0, index + 1)));
  }
});

test("its tiles are those of the definition, full and partial", () => {
  const full = new Map<string, Buffer>();
  const tree = new GrowingTree((level, index, hashes) => full.set(tilePath(level, index), Buffer.from(hashes)));
  for (const entry of entries) tree.append(entry);
  const log = new NaiveLog([]);
  for (const bytes of entries) log.take({ kind: "bytes", bytes, as: "RECORD" });
  log.publish();
  const partial = tree
    .partialTiles()
    .map(
      ({ level, index, hashes }) => [tilePath(level, index, hashes.length / HASH_BYTES), Buffer.from(hashes)] as const,
    );
  const expected = [...log.files].filter(([path]) => /^tile\/[0-9]/.test(path));
  expect(new Map([...full, ...partial])).toEqual(new Map(expected));
  expect([...full.keys()]).toEqual(["tile/0/000", "tile/0/001"]);
});

test("a level-1 tile that becomes full is reported, and the next begins", () => {
  const told: string[] = [];
  const tree = new GrowingTree((level, index) => told.push(tilePath(level, index)));
  const entry = Buffer.from("x");
  for (let size = 0; size < 65_537; size++) tree.append(entry);
  expect(told.filter((path) => !path.startsWith("tile/0/"))).toEqual(["tile/1/000"]);
  expect(told).toHaveLength(257);
  expect(tree.partialTiles().map(({ level, index, hashes }) => [level, index, hashes.length])).toEqual([
    [0, 256, 32],
    [2, 0, 32],
  ]);
});

test("entries of any length that a bundle can hold", () => {
  const tree = new GrowingTree(() => {});
  const lengths = [0, 1, 65_535].map((length) => Buffer.alloc(length, 9));
  for (const entry of lengths) tree.append(entry);
  expect(tree.root()).toEqual(treeHash(lengths));
});
