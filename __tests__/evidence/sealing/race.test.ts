import { checkLog, type Expected, playRound } from "./race";
import { ORIGIN } from "./sealer";
import { type EmbeddedWorld, fakeWorld, startEmbeddedWorld } from "./worlds";

const ROUNDS = 200;
const ROUNDS_PER_LOG = 5;

test("200 rounds of two racing sealers, killed at any step: one log, everything sealed, repeats harmless", async () => {
  const seen = { entries: 0, repeats: 0, kills: 0, heartbeats: 0, checkpoints: 0 };
  for (let seed = 1; seed <= ROUNDS; ) {
    const world = fakeWorld();
    const expected: Expected = { entries: [] };
    for (let round = 0; round < ROUNDS_PER_LOG; round++, seed++) {
      const { kills } = await playRound(world, expected, seed);
      seen.kills += kills;
      const { entries, repeats, heartbeats, checkpoints } = await checkLog(world, expected);
      if (round < ROUNDS_PER_LOG - 1) continue;
      seen.entries += entries;
      seen.repeats += repeats;
      seen.heartbeats += heartbeats;
      seen.checkpoints += checkpoints;
    }
  }
  // Without these the rounds would have shown nothing.
  expect(seen.kills).toBeGreaterThan(ROUNDS);
  expect(seen.repeats).toBeGreaterThan(0);
  expect(seen.entries).toBeGreaterThan(ROUNDS * 10);
}, 300_000);

/** A check that cannot fail proves nothing. */
describe("the check of the rounds finds", () => {
  const world = fakeWorld();
  const expected: Expected = { entries: [] };
  beforeAll(async () => {
    for (let seed = 1001; seed <= 1003; seed++) await playRound(world, expected, seed);
  });
  const nameOf = (path: string) => `${world.bucket}/log/${path}`;
  const pathLike = (pattern: RegExp) => [...world.aws.objects.keys()].find((name) => pattern.test(name)) ?? "";
  const versions = (name: string) => world.aws.objects.get(name) ?? [];
  const flipped = ([bytes]: readonly Buffer[]) => {
    const other = Buffer.from(bytes ?? "");
    other[3] = (other[3] ?? 0) ^ 1;
    return [other];
  };

  test("nothing in what was left alone", async () => {
    await expect(checkLog(world, expected)).resolves.toMatchObject({ entries: expect.any(Number) });
  });

  test.each<[string, RegExp, (before: readonly Buffer[]) => Buffer[]]>([
    ["an altered tile", /log\/tile\/0\//, flipped],
    ["an altered bundle", /log\/tile\/entries\//, flipped],
    ["an object that was put twice", /log\/tile\/0\//, ([bytes = Buffer.alloc(0)]) => [bytes, bytes]],
    ["a kept checkpoint of another size", /log\/checkpoints\//, () => versions(nameOf("checkpoint")).slice(-1)],
    ["an older checkpoint over a newer one", /log\/checkpoint$/, (all) => [...all, ...all.slice(0, 1)]],
    [
      "another key",
      /log\/keys\//,
      () => [Buffer.from(`${ORIGIN}+00000000+AekyeRrm56hApGFkyQR4ZCbV54Id2LKaANYcrnKv3U2k`)],
    ],
  ])("%s", async (_what, pattern, alter) => {
    const name = pathLike(pattern);
    const before = versions(name);
    world.aws.objects.set(name, alter(before));
    await expect(checkLog(world, expected)).rejects.toThrow("does not hold");
    world.aws.objects.set(name, [...before]);
  });

  test("a change that is not sealed, one out of order, and an entry that nothing led to", async () => {
    const [first] = expected.entries;
    if (first === undefined) throw new Error("Nothing was expected.");
    const extra = { ...first, text: first.text.replace("RECORD", "LATE") };
    await expect(checkLog(world, { entries: [...expected.entries, extra] })).rejects.toThrow("not sealed");
    await expect(checkLog(world, { entries: expected.entries.slice(1) })).rejects.toThrow("without a cause");
    const twice = expected.entries.filter(({ name }, at, all) =>
      all.some((other, to) => to !== at && other.name === name),
    );
    await expect(
      checkLog(world, { entries: expected.entries.filter((each) => !twice.includes(each)).concat(twice.reverse()) }),
    ).rejects.toThrow("out of order");
  });

  test("a batch that is gone", async () => {
    const [name = "", item = {}] = [...world.aws.items].find(([each]) => each.includes("batch#")) ?? [];
    world.aws.items.delete(name);
    await expect(checkLog(world, expected)).rejects.toThrow("batch");
    world.aws.items.set(name, item);
  });
});

describe("on the embedded AWS, under Object Lock", () => {
  let embedded: EmbeddedWorld;
  beforeAll(async () => {
    embedded = await startEmbeddedWorld();
  });
  afterAll(() => embedded?.stop());

  test("ten rounds give the same", async () => {
    const world = await embedded.makeLog("race-log");
    const expected: Expected = { entries: [] };
    for (let seed = 1; seed <= 10; seed++) await playRound(world, expected, seed);
    const report = await checkLog(world, expected);
    expect(report.entries).toBeGreaterThan(100);
    expect(report.checkpoints).toBeGreaterThanOrEqual(10);
  }, 120_000);
});
