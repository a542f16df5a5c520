/** The reading of a log bundle by bundle: what is asked of the folder, and how far ahead. */

import { HASH_BYTES } from "../../../evidence/log/hashing";
import { bundlePath, TILE_WIDTH, tilePath } from "../../../evidence/log/paths";
import { type Bundle, bundlesOf, type EvidenceFolder, upwards } from "../../../evidence/verifier/evidence";

const BUNDLES = 40;
const SIZE = BUNDLES * TILE_WIDTH;

/** Full bundles of empty entries, and tiles that hold their number. */
function folder(asked: string[], read: (path: string) => void = () => {}): EvidenceFolder {
  const files = new Map<string, Buffer>();
  for (const index of upwards(SIZE)) {
    files.set(bundlePath(index), Buffer.alloc(2 * TILE_WIDTH));
    files.set(tilePath(0, index), Buffer.alloc(HASH_BYTES * TILE_WIDTH, index));
  }
  return {
    name: "a folder",
    list: async function* () {},
    read: async (path) => {
      asked.push(path);
      read(path);
      return files.get(path);
    },
  };
}

async function all(bundles: AsyncIterable<Bundle>): Promise<Bundle[]> {
  const found: Bundle[] = [];
  for await (const bundle of bundles) found.push(bundle);
  return found;
}

test("a bundle brings the tile of its hashes along, which is asked for once", async () => {
  const asked: string[] = [];
  const bundles = await all(bundlesOf(folder(asked), SIZE, upwards(SIZE), true));
  expect(bundles.map(({ index, tile }) => [index, tile])).toEqual(
    [...upwards(SIZE)].map((index) => [index, Buffer.alloc(HASH_BYTES * TILE_WIDTH, index)]),
  );
  expect(asked).toEqual([...upwards(SIZE)].flatMap((index) => [bundlePath(index), tilePath(0, index)]));
});

test("a reading that needs no tiles asks for none", async () => {
  const asked: string[] = [];
  expect(await all(bundlesOf(folder(asked), SIZE, upwards(SIZE)))).toHaveLength(BUNDLES);
  expect(asked).toEqual([...upwards(SIZE)].map((index) => bundlePath(index)));
});

test("only a few are fetched ahead", async () => {
  const asked: string[] = [];
  const bundles = bundlesOf(folder(asked), SIZE, upwards(SIZE), true);
  expect((await bundles.next()).value).toMatchObject({ index: 0 });
  expect(asked).toHaveLength(18);
});

test("an error reaches the reader when it comes to that file, and no reader that stops before", async () => {
  const failing = (path: string) => {
    if (path === tilePath(0, 3)) throw new Error("no such luck");
  };
  const bundles = bundlesOf(folder([], failing), SIZE, upwards(SIZE), true);
  for (const index of [0, 1, 2]) expect((await bundles.next()).value).toMatchObject({ index });
  await expect(bundles.next()).rejects.toThrow("no such luck");
  const stopping = bundlesOf(folder([], failing), SIZE, upwards(SIZE), true);
  await stopping.next();
  await stopping.return(undefined);
});
