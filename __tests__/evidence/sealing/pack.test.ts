/** Which packs are put; how a publisher puts them is in the tests of publishing. */

import { appendEntries } from "../../../evidence/sealing/append";
import { batchesBetween } from "../../../evidence/sealing/committed-batches";
import { putFinishedPack } from "../../../evidence/sealing/pack";
import { TileWriter } from "../../../evidence/sealing/tile-writer";
import { entry, startSealer } from "./sealer";
import { fakeWorld } from "./worlds";

const PACK = 65_536;

test("no pack is put over entries that are too large together, nor over others than the tree's", async () => {
  const world = fakeWorld();
  const { log, evidence } = startSealer(world).settings;
  await appendEntries(
    Array.from({ length: PACK }, (_, index) => entry(index)),
    log,
  );
  const tree = new TileWriter(0, []);
  for await (const { entries } of batchesBetween(log.table, 0, PACK)) for (const each of entries) tree.add(each);
  await putFinishedPack(tree, log.table, evidence, 1_000_000);
  const paths = [...world.aws.objects.keys()].map((name) => name.slice(`${world.bucket}/log/`.length));
  expect(paths).toContain("tile/1/000");
  expect(paths.filter((path) => path.startsWith("packs/"))).toEqual([]);

  world.aws.objects.clear();
  const other = new TileWriter(0, []);
  for (let at = 0; at < PACK; at++) other.add(Buffer.from(`entry ${at}`));
  await expect(putFinishedPack(other, log.table, evidence)).rejects.toMatchObject({ code: "LOG_FORKED" });
}, 60_000);
