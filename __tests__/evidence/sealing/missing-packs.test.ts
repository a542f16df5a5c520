/** Packs that an older version did not put: put later, unless somebody deleted them or something else is wrong there. */

import { appendEntries } from "../../../evidence/sealing/append";
import { putMissingPacks } from "../../../evidence/sealing/missing-packs";
import { publish } from "../../../evidence/sealing/publish";
import { withPacks } from "../../../evidence/verifier/packs";
import { memoryEvidence } from "../../support/naive-log";
import { entry, startSealer } from "./sealer";
import { type FakeWorld, fakeWorld } from "./worlds";

const PACK = 65_536;
const SIZE = 3 * PACK + 300;
const HALF_PAST = new Date("2026-11-21T12:30:10.000Z");

let world: FakeWorld;
/** The bucket with all its packs. */
let whole: ReadonlyMap<string, Buffer[]>;
beforeAll(async () => {
  world = fakeWorld();
  const { log, ...settings } = startSealer(world).settings;
  await appendEntries(
    Array.from({ length: SIZE }, (_, index) => entry(index)),
    log,
  );
  await publish({ ...settings, table: log.table, outOfTime: () => false });
  whole = new Map(world.aws.objects);
}, 120_000);
beforeEach(() => {
  world.aws.deleted.clear();
  world.aws.objects.clear();
  for (const [name, versions] of whole) world.aws.objects.set(name, versions);
});

const nameOf = (path: string) => `${world.bucket}/log/${path}`;
const without = (...paths: string[]) => {
  for (const path of paths) world.aws.objects.delete(nameOf(path));
};
const slipIn = (path: string, bytes: Buffer) => world.aws.objects.set(nameOf(path), [bytes]);
const packs = () =>
  [...world.aws.objects.keys()]
    .map((name) => name.slice(nameOf("").length))
    .filter((path) => path.startsWith("packs/"));
/** A pack has megabytes, which jest would compare byte by byte. */
const areEqual = ([one, ...more]: readonly Buffer[] = [], [other, ...others]: readonly Buffer[] = []) =>
  one !== undefined && other?.equals(one) === true && more.length === 0 && others.length === 0;
/** One look of a publisher. */
const look = (turn = 0, outOfTime = () => false) => {
  const { log, evidence } = startSealer(world).settings;
  return putMissingPacks({ table: log.table, evidence, outOfTime }, SIZE, turn);
};

test("the publisher puts missing packs once an hour, with the bytes that they would have had", async () => {
  without("packs/001", "packs/002");
  await startSealer(world, { now: new Date("2026-11-21T12:29:59.000Z") }).beat();
  expect(packs()).toEqual(["packs/000"]);
  await startSealer(world, { now: HALF_PAST }).beat();
  for (const path of ["packs/000", "packs/001", "packs/002"])
    expect([path, areEqual(world.aws.objects.get(nameOf(path)), whole.get(nameOf(path)))]).toEqual([path, true]);
  expect(await look()).toEqual([]);
}, 60_000);

test("what a reader takes from such a pack is what the bundles hold", async () => {
  without("packs/001");
  expect(await look()).toEqual(["packs/001"]);
  const files = new Map([...world.aws.objects].map(([name, versions]) => [name.slice(nameOf("").length), versions[0]]));
  const evidence = withPacks(memoryEvidence(files as Map<string, Buffer>), () => true);
  for (const path of ["tile/entries/256", "tile/entries/511"])
    expect(await evidence.read(path)).toEqual(files.get(path));
}, 60_000);

test("an older log gets none for what was published before its first pack, and a log without packs none at all", async () => {
  without("packs/000", "packs/001");
  expect(await look()).toEqual([]);
  without("packs/002");
  expect(await look()).toEqual([]);
  expect(packs()).toEqual([]);
});

test.each<[string, () => void]>([
  ["that somebody deleted", () => world.aws.deleted.add(nameOf("packs/001"))],
  ["one of whose bundles is missing", () => without("tile/entries/300")],
  ["one of whose bundles is another", () => slipIn("tile/entries/511", Buffer.from("other"))],
  ["whose tile is missing", () => without("tile/1/001")],
  ["whose tile is cut off", () => slipIn("tile/1/001", Buffer.alloc(32))],
])(
  "a pack %s stays missing, and holds up no other",
  async (_what, damage) => {
    without("packs/001", "packs/002");
    damage();
    expect(await look()).toEqual(["packs/002"]);
    expect(await look(1)).toEqual([]);
    expect(packs()).toEqual(["packs/000", "packs/002"]);
  },
  60_000,
);

test("over a tile that does not follow from what was committed nothing is put, and it is a fork", async () => {
  without("packs/001");
  slipIn("tile/1/001", Buffer.alloc(256 * 32));
  await expect(look()).rejects.toMatchObject({ code: "LOG_FORKED", isTampering: true });
  const sealer = startSealer(world, { now: HALF_PAST });
  await expect(sealer.beat()).rejects.toMatchObject({ code: "LOG_FORKED" });
  expect(sealer.signals).toEqual(["CheckpointPublished", "TamperingSealed"]);
  expect(packs()).toEqual(["packs/000", "packs/002"]);
}, 60_000);

test("a publisher whose time is nearly over leaves the rest to a later one; two at once put the same", async () => {
  without("packs/001", "packs/002");
  expect(await look(0, () => packs().length > 1)).toEqual(["packs/001"]);
  without("packs/001");
  await Promise.all([look(0), look(1)]);
  expect([...packs()].sort()).toEqual(["packs/000", "packs/001", "packs/002"]);
  for (const [name, versions] of whole)
    expect([name, world.aws.objects.get(name)?.length]).toEqual([name, versions.length]);
}, 60_000);
