import fc from "fast-check";
import {
  bundlePath,
  checkpointPath,
  cosignaturePath,
  packIndexOf,
  packPath,
  tilePath,
  verifierKeyPath,
} from "../../../evidence/log/paths";
import { naivePath } from "../sealing/naive-log";

/** The first two are the examples of C2SP tlog-tiles. */
test.each([
  ["tile/0/x001/x234/067", () => tilePath(0, 1234067)],
  ["tile/1/000.p/1", () => tilePath(1, 0, 1)],
  ["tile/0/000", () => tilePath(0, 0)],
  ["tile/0/999", () => tilePath(0, 999)],
  ["tile/0/x001/000", () => tilePath(0, 1000)],
  ["tile/0/273.p/112", () => tilePath(0, 273, 112)],
  ["tile/2/x001/x000/000.p/255", () => tilePath(2, 1_000_000, 255)],
  ["tile/entries/x001/x234/067", () => bundlePath(1234067)],
  ["packs/000", () => packPath(0)],
  ["packs/x015/258", () => packPath(15_258)],
  ["tile/entries/005.p/7", () => bundlePath(5, 7)],
  ["checkpoints/0000000000001234", () => checkpointPath(1234)],
  ["keys/530d903a.vkey", () => verifierKeyPath("530d903a")],
  ["cosignatures/0000000000001234/530d903a", () => cosignaturePath(1234, "530d903a")],
])("%s", (expected, path) => {
  expect(path()).toBe(expected);
});

test("any index and width", () => {
  const index = fc.oneof(fc.nat({ max: 2_000_000 }), fc.maxSafeNat());
  fc.assert(
    fc.property(fc.nat({ max: 63 }), index, fc.integer({ min: 1, max: 256 }), (level, at, width) => {
      expect(tilePath(level, at, width)).toBe(naivePath(String(level), at, width));
      expect(bundlePath(at, width)).toBe(naivePath("entries", at, width));
    }),
  );
});

test("a pack's path has its number, and no other path has one", () => {
  fc.assert(fc.property(fc.maxSafeNat(), (index) => expect(packIndexOf(packPath(index))).toBe(index)));
  for (const path of ["packs/", "packs/1", "packs/-01", "packs/0.5", "packs/000.p/7", "packs/../000", "packs/Infinity"])
    expect([path, packIndexOf(path)]).toEqual([path, undefined]);
});
