import type { DynamoDBClient } from "@aws-sdk/client-dynamodb";
import { S3ServiceException } from "@aws-sdk/client-s3";
import { entryBytes } from "../../../evidence/log/entry";
import { appendEntries } from "../../../evidence/sealing/append";
import { packFirst } from "../../../evidence/sealing/batches";
import { batchesBetween } from "../../../evidence/sealing/committed-batches";
import { publish } from "../../../evidence/sealing/publish";
import { preconditionFailed } from "./fake-aws";
import { naiveCheckpoint, naiveEntries, naiveLeaf, naivePath, naiveRoot, naiveTiles, naiveVerify } from "./naive-log";
import { entry, ORIGIN, type Sealer, startSealer } from "./sealer";
import { type FakeWorld, fakeWorld } from "./worlds";

let world: FakeWorld;
beforeEach(() => {
  world = fakeWorld();
});

let made = 0;

/** Appends so many new entries without publishing them. */
async function grow(count: number, sealer: Sealer = startSealer(world)): Promise<void> {
  const entries = Array.from({ length: count }, (_, index) => entry(made + index));
  made += count;
  await appendEntries(entries, sealer.settings.log);
}

const publishNow = ({ settings: { log, ...settings } }: Sealer, outOfTime = () => false) =>
  publish({ ...settings, table: log.table, outOfTime });

const objectName = (path: string) => `${world.bucket}/log/${path}`;
const versionsOf = (path: string) => world.aws.objects.get(objectName(path)) ?? [];
const newest = () => naiveCheckpoint(String(versionsOf("checkpoint").at(-1)));
const paths = () => [...world.aws.objects.keys()].map((name) => name.slice(objectName("").length));

/** Another put of the object by somebody who may write to the bucket. */
const slipIn = (path: string, bytes: Buffer | string) =>
  world.aws.objects.set(objectName(path), [...versionsOf(path), Buffer.from(bytes)]);

async function committedEntries(): Promise<Buffer[]> {
  return (await world.batches()).flatMap(({ bundle }) => naiveEntries(bundle));
}

/** The published tree is the naive tree of everything committed. */
async function expectWhole(size: number): Promise<void> {
  const leaves = (await committedEntries()).slice(0, size).map(naiveLeaf);
  expect(newest()).toMatchObject({ origin: ORIGIN, size, root: naiveRoot(leaves).toString("base64") });
  for (const [path, bytes] of naiveTiles(leaves)) {
    const [only, ...others] = versionsOf(path);
    expect([path, only?.equals(bytes), others.length]).toEqual([path, true, 0]);
  }
}

/** The bundles of the first 65,536 entries, one after another, put once; and no other pack. */
async function expectOnePack(): Promise<void> {
  const bundles = Array.from({ length: 256 }, (_, index) => versionsOf(naivePath("entries", index, 256))[0] ?? "");
  expect(paths().filter((path) => path.startsWith("packs/"))).toEqual(["packs/000"]);
  const [pack, ...others] = versionsOf("packs/000");
  expect([pack?.equals(Buffer.concat(bundles as Buffer[])), others]).toEqual([true, []]);
}

test("the first publication: bundles, tiles, key, checkpoint, in this order", async () => {
  const sealer = startSealer(world);
  await grow(300, sealer);
  expect(await publishNow(sealer)).toEqual({ size: 300, isComplete: true });
  await expectWhole(300);
  const [key = ""] = paths().filter((path) => path.startsWith("keys/"));
  expect(naiveVerify(newest(), String(versionsOf(key).at(-1)))).toBe(true);
  expect(paths().slice(-3)).toEqual([key, "checkpoints/0000000000000300", "checkpoint"]);
  expect(paths()).toEqual(expect.arrayContaining([naivePath("entries", 0, 256), naivePath("entries", 1, 44)]));
});

test("an empty log has nothing to publish", async () => {
  expect(await publishNow(startSealer(world))).toEqual({ size: 0, isComplete: true });
  expect(paths()).toEqual([]);
});

test("an unchanged log is not published again", async () => {
  const sealer = startSealer(world);
  await grow(3, sealer);
  await publishNow(sealer);
  const before = [...world.aws.objects].map(([name, versions]) => [name, versions.length]);
  expect(await publishNow(startSealer(world))).toEqual({ size: 3, isComplete: true });
  expect([...world.aws.objects].map(([name, versions]) => [name, versions.length])).toEqual(before);
});

test("it goes on from any size: within a bundle, at its end, over several levels of tiles", async () => {
  const sealer = startSealer(world);
  for (const more of [1, 254, 1, 1, 255, 65_023, 1, 1, 4_463]) {
    await grow(more, sealer);
    await publishNow(more % 2 === 0 ? startSealer(world) : sealer);
  }
  await expectWhole(70_000);
  expect(paths().filter((path) => path.startsWith("checkpoints/"))).toHaveLength(9);
  await expectOnePack();
  const inOrder = [naivePath("entries", 255, 256), naivePath("1", 0, 256), "packs/000", "checkpoints/0000000000065536"];
  expect(paths().filter((path) => inOrder.includes(path))).toEqual(inOrder);
}, 120_000);

describe("after an outage", () => {
  const step = 512;

  test("checkpoints on the way keep what is done, and a call that runs out of time is gone on with", async () => {
    await grow(2_000);
    const first = startSealer(world, { entriesPerCheckpoint: step });
    expect(await publishNow(first, () => newest().size >= 1_024)).toEqual({ size: 1_024, isComplete: false });
    await expectWhole(1_024);
    const second = startSealer(world, { entriesPerCheckpoint: step });
    expect(await publishNow(second)).toEqual({ size: 2_000, isComplete: true });
    await expectWhole(2_000);
    const sizes = versionsOf("checkpoint").map((note) => naiveCheckpoint(String(note)).size);
    expect(sizes).toEqual([512, 1_024, 1_536, 2_000]);
  });

  test("the checkpoint's time stays the same, and does not go back, where the next sealer's clock is behind", async () => {
    const times = ["2026-11-21T12:00:00.000Z", "2026-11-21T11:59:59.000Z", "2026-11-21T12:00:01.000Z"];
    for (const time of times) {
      await startSealer(world, { clock: () => new Date(time) }).beat();
      await grow(1);
    }
    const { table } = startSealer(world).settings.log;
    const stated: string[] = [];
    for await (const { entries } of batchesBetween(table, 0, 2 * times.length)) {
      stated.push(...entries.flatMap((entry) => JSON.parse(entry.toString("utf8")).time ?? []));
    }
    expect(stated).toEqual([times[0], times[0], times[2]]);
  });

  test("a heartbeat says that it is catching up, and the next ones do", async () => {
    await grow(1_200);
    let remaining = 0;
    let now = Date.parse("2026-11-21T12:00:00.000Z");
    const clock = () => {
      now += 60_000;
      return new Date(now);
    };
    const sealer = startSealer(world, { entriesPerCheckpoint: step, remainingMs: () => remaining, clock });
    expect(await sealer.beat()).toEqual({ outcome: "catching-up", counts: { size: 512 } });
    remaining = 60_000;
    expect(await sealer.beat()).toEqual({ outcome: "published", counts: { size: 1_202 } });
    expect(sealer.signals).toEqual(["CheckpointPublished", "CheckpointPublished"]);
  });

  test("another sealer that was quicker is not overtaken backwards", async () => {
    await grow(1_200);
    const slow = startSealer(world, { entriesPerCheckpoint: step });
    beforePut(slow, "checkpoint", () => publishNow(startSealer(world)));
    expect(await publishNow(slow)).toEqual({ size: 1_200, isComplete: false });
    expect(versionsOf("checkpoint")).toHaveLength(1);
  });
});

/** Does something just before this sealer puts this object, once. */
function beforePut({ clients }: Sealer, path: string, act: () => Promise<unknown>): void {
  let isDone = false;
  (clients.s3.middlewareStack as DynamoDBClient["middlewareStack"]).add(
    (next, context) => async (args) => {
      const { Key } = args.input as { Key?: string };
      if (context["commandName"] === "PutObjectCommand" && Key === `log/${path}` && !isDone) {
        isDone = true;
        await act();
      }
      return next(args);
    },
    { step: "initialize", name: "beforePut", priority: "high" },
  );
}

/** As a lost answer: the put took effect, and the SDK's next attempt finds what it has put itself. */
function afterPutRefused({ clients }: Sealer, path: string): void {
  let isDone = false;
  (clients.s3.middlewareStack as DynamoDBClient["middlewareStack"]).add(
    (next) => async (args) => {
      const answer = await next(args);
      const { Key, Body } = args.input as { Key?: string; Body?: unknown };
      if (Body === undefined || Key !== `log/${path}` || isDone) return answer;
      isDone = true;
      throw preconditionFailed();
    },
    { step: "initialize", name: "afterPutRefused", priority: "high" },
  );
}

describe("two at once", () => {
  test("an older checkpoint never replaces a newer one", async () => {
    await grow(3);
    const slow = startSealer(world);
    beforePut(slow, "checkpoint", async () => {
      await grow(2);
      await publishNow(startSealer(world));
    });
    expect(await publishNow(slow)).toEqual({ size: 5, isComplete: true });
    expect(versionsOf("checkpoint")).toHaveLength(1);
    await expectWhole(5);
    expect(paths()).toContain("checkpoints/0000000000000003");
  });

  test("a newer one replaces an older one that came between", async () => {
    await grow(3);
    const older = startSealer(world);
    const newer = startSealer(world);
    let resume = () => {};
    const held = new Promise<void>((resolve) => {
      resume = resolve;
    });
    beforePut(older, "checkpoint", () => held);
    const running = publishNow(older);
    await grow(2);
    beforePut(newer, "checkpoint", async () => {
      resume();
      await running;
    });
    expect(await publishNow(newer)).toEqual({ size: 5, isComplete: true });
    expect(versionsOf("checkpoint").map((note) => naiveCheckpoint(String(note)).size)).toEqual([3, 5]);
  });

  test("both publishing the same is one publication", async () => {
    await grow(300);
    const results = await Promise.all([publishNow(startSealer(world)), publishNow(startSealer(world))]);
    expect(results).toEqual(Array(2).fill({ size: 300, isComplete: true }));
    await expectWhole(300);
    expect(versionsOf("checkpoint")).toHaveLength(1);
  });

  test.each(["checkpoint", "checkpoints/0000000000000300", "tile/0/000", "tile/entries/001.p/44"])(
    "a lost answer to the put of %s is found again",
    async (path) => {
      const sealer = startSealer(world);
      await grow(300, sealer);
      afterPutRefused(sealer, path);
      expect(await publishNow(sealer)).toEqual({ size: 300, isComplete: true });
      await expectWhole(300);
      expect(versionsOf(path)).toHaveLength(1);
    },
  );

  test.each([
    ["because of another conditional write, for a while", 409, 3, undefined],
    ["because of another conditional write, all the time", 409, 100, "EVIDENCE_BUSY"],
    ["because of an object that is gone at every look", 412, 100, "EVIDENCE_BUSY"],
  ])("S3 refuses %s", async (_how, httpStatusCode, times, code) => {
    const sealer = startSealer(world);
    await grow(2, sealer);
    let refusals = 0;
    (sealer.clients.s3.middlewareStack as DynamoDBClient["middlewareStack"]).add(
      (next, context) => async (args) => {
        if (context["commandName"] !== "PutObjectCommand" || refusals++ >= times) return next(args);
        const $metadata = { httpStatusCode };
        throw new S3ServiceException({ name: "Refused", $fault: "client", message: "", $metadata });
      },
      { step: "initialize", name: "busy", priority: "high" },
    );
    if (code === undefined) expect(await publishNow(sealer)).toEqual({ size: 2, isComplete: true });
    else await expect(publishNow(sealer)).rejects.toMatchObject({ code, isTampering: false });
  });
});

describe("what does not agree is never signed over", () => {
  const SIZE = 600;
  const MORE = 200;
  let before: number;
  beforeEach(async () => {
    await grow(SIZE);
    await publishNow(startSealer(world));
    await grow(MORE);
    before = versionsOf("checkpoint").length;
  });
  const batchName = (start: number) =>
    [...world.aws.items.keys()].find((name) => name.includes(`batch#${String(start).padStart(16, "0")}`)) ?? "";
  const headName = () => [...world.aws.items.keys()].find((name) => name.endsWith("|head|")) ?? "";
  const foreign = async () => {
    const other = startSealer({ ...world, keyArns: [world.aws.createKey("ECC_NIST_EDWARDS25519")] });
    const [signer] = await other.settings.signers();
    const text = `${ORIGIN}\n900\n${Buffer.alloc(32, 1).toString("base64")}\n`;
    return `${text}\n${await signer?.sign(text)}`;
  };

  test.each<[string, string, () => unknown]>([
    ["a bundle that somebody put first", "LOG_FORKED", () => slipIn("tile/entries/002", "other")],
    ["a tile that somebody put first", "LOG_FORKED", () => slipIn("tile/0/002", Buffer.alloc(8192))],
    ["a published tile of an upper level, altered", "LOG_FORKED", () => slipIn("tile/1/000.p/2", Buffer.alloc(64))],
    ["the same, with another length", "EVIDENCE_MISSING", () => slipIn("tile/1/000.p/2", Buffer.alloc(32))],
    ["the same, removed", "EVIDENCE_MISSING", () => world.aws.objects.delete(objectName("tile/1/000.p/2"))],
    ["a checkpoint of nobody's", "CHECKPOINT_NOT_OURS", () => slipIn("checkpoint", "hello\n")],
    ["a checkpoint of another key", "CHECKPOINT_NOT_OURS", async () => slipIn("checkpoint", await foreign())],
    ["a checkpoint of another log", "CHECKPOINT_NOT_OURS", () => slipIn("checkpoint", renamed())],
    ["a checkpoint with another root", "CHECKPOINT_NOT_OURS", () => slipIn("checkpoint", resized())],
    ["a batch that is gone", "LOG_STATE_BROKEN", () => world.aws.items.delete(batchName(SIZE))],
    [
      "a batch with other entries",
      "LOG_FORKED",
      () => world.aws.items.set(batchName(SIZE), { ...world.aws.items.get(batchName(SIZE)), Entries: otherEntries() }),
    ],
    ["a log-state table without a head", "LOG_FORKED", () => world.aws.items.delete(headName())],
  ])("%s: %s", async (_what, code, tamper) => {
    await tamper();
    const sealer = startSealer(world);
    await expect(publishNow(sealer)).rejects.toMatchObject({ code, isTampering: true });
    expect(versionsOf("checkpoint").slice(before).map(String).join()).not.toContain(`\n${SIZE + MORE}\n`);
    expect(paths()).not.toContain(`checkpoints/0000000000000${SIZE + MORE}`);
    await expect(sealer.beat()).rejects.toMatchObject({ code });
    expect([sealer.codes, sealer.signals]).toEqual([[code], ["TamperingSealed"]]);
  });

  const renamed = () => String(versionsOf("checkpoint").at(-1)).replace(`${ORIGIN}\n`, "other/log\n");
  const resized = () => String(versionsOf("checkpoint").at(-1)).replace("\n600\n", "\n599\n");
  /** As many others, so that the count is right. */
  const otherEntries = () => {
    const entries = Array.from({ length: MORE }, (_, index) => entryBytes(entry(777_000 + index)));
    return { B: packFirst(entries).bytes };
  };

  test("a kept checkpoint that somebody put first: LOG_FORKED, and the newest stays", async () => {
    slipIn(`checkpoints/0000000000000${SIZE + MORE}`, "other");
    await expect(publishNow(startSealer(world))).rejects.toMatchObject({ code: "LOG_FORKED" });
    expect(newest().size).toBe(SIZE);
  });

  test("an unchanged log with another root than the published one", async () => {
    await publishNow(startSealer(world));
    const head = world.aws.items.get(headName());
    const frontier = Buffer.from(head?.["Frontier"]?.B ?? []);
    frontier[0] = (frontier[0] ?? 0) ^ 1;
    world.aws.items.set(headName(), { ...head, Frontier: { B: frontier } });
    await expect(publishNow(startSealer(world))).rejects.toMatchObject({ code: "LOG_FORKED" });
  });

  test("an older checkpoint of our own that somebody put back is replaced again", async () => {
    await publishNow(startSealer(world));
    slipIn("checkpoint", versionsOf("checkpoint")[0] ?? "");
    expect(newest().size).toBe(SIZE);
    expect(await publishNow(startSealer(world))).toEqual({ size: SIZE + MORE, isComplete: true });
    await expectWhole(SIZE + MORE);
  });
});

describe("a log that was set back", () => {
  /** What DynamoDB holds of the log, to be put back later. */
  const stateNow = () => new Map(world.aws.items);
  const restore = (state: ReturnType<typeof stateNow>) => {
    world.aws.items.clear();
    for (const [name, item] of state) world.aws.items.set(name, item);
  };
  const signatures = () => paths().filter((path) => path.startsWith("checkpoints/")).length;

  /** 600 entries are published, then 7 more, which somebody wants to be gone: table and checkpoint are put back. */
  async function setBack(): Promise<void> {
    await grow(600);
    await publishNow(startSealer(world));
    const [state, checkpoint] = [stateNow(), versionsOf("checkpoint").at(-1) ?? ""];
    await grow(7);
    await publishNow(startSealer(world));
    restore(state);
    slipIn("checkpoint", checkpoint);
  }

  test.each([
    ["as it is", 0],
    ["with fewer new entries than were cut off", 3],
    ["with as many", 7],
    ["with more", 400],
  ])("%s: nothing is signed over what was published since", async (_how, more) => {
    await setBack();
    await grow(more);
    const signed = signatures();
    const sealer = startSealer(world, { entriesPerCheckpoint: 256 });
    await expect(publishNow(sealer)).rejects.toMatchObject({ code: "LOG_FORKED", isTampering: true });
    await expect(sealer.beat()).rejects.toMatchObject({ code: "LOG_FORKED" });
    expect([signatures(), newest().size, sealer.signals]).toEqual([signed, 600, ["TamperingSealed"]]);
  });

  test("hidden as a whole, the newest checkpoint too: a new history is not signed beside the old one", async () => {
    for (let round = 0; round < 8; round++) {
      await grow(100);
      await publishNow(startSealer(world));
    }
    const signed = signatures();
    world.aws.items.clear();
    world.aws.objects.delete(objectName("checkpoint"));
    await grow(2_000);
    const sealer = startSealer(world, { entriesPerCheckpoint: 256 });
    await expect(publishNow(sealer)).rejects.toMatchObject({ code: "LOG_FORKED" });
    expect([signatures(), versionsOf("checkpoint").length]).toEqual([signed, 0]);
  });

  test("an object that no publisher put among the checkpoints stops it too", async () => {
    await setBack();
    world.aws.objects.delete(objectName("checkpoints/0000000000000607"));
    slipIn("checkpoints/later", "anything");
    await expect(publishNow(startSealer(world))).rejects.toMatchObject({ code: "LOG_FORKED" });
  });

  test("the newest checkpoint hidden, the log as it was: it is made anew, and every checkpoint is compared on the way", async () => {
    for (let round = 0; round < 8; round++) {
      await grow(100);
      await publishNow(startSealer(world));
    }
    const whole = new Map(world.aws.objects);
    world.aws.objects.delete(objectName("checkpoint"));
    expect(await publishNow(startSealer(world, { entriesPerCheckpoint: 256 }))).toEqual({
      size: 800,
      isComplete: true,
    });
    expect(versionsOf("checkpoint").map((note) => naiveCheckpoint(String(note)).size)).toEqual([300, 600, 800]);
    expect([...world.aws.objects.keys()].sort()).toEqual([...whole.keys()].sort());
  });

  test("a publisher that died between its last two puts is no fork: the next one goes on from there", async () => {
    await grow(5);
    const dying = startSealer(world);
    beforePut(dying, "checkpoint", () => Promise.reject(new Error("killed")));
    await expect(publishNow(dying)).rejects.toThrow("killed");
    await grow(5);
    expect(await publishNow(startSealer(world))).toEqual({ size: 10, isComplete: true });
    await expectWhole(10);
  });

  test("a checkpoint that another publisher puts meanwhile is no fork: the head is read again", async () => {
    await grow(5);
    const slow = startSealer(world);
    let isDone = false;
    (slow.clients.s3.middlewareStack as DynamoDBClient["middlewareStack"]).add(
      (next, context) => async (args) => {
        if (context["commandName"] === "ListObjectsV2Command" && !isDone) {
          isDone = true;
          await grow(5);
          await publishNow(startSealer(world));
        }
        return next(args);
      },
      { step: "initialize", name: "meanwhile", priority: "high" },
    );
    expect((await publishNow(slow)).size).toBe(10);
    await expectWhole(10);
  });
});

describe("heartbeats by hand", () => {
  let now: number;
  const clock = () => new Date(now);
  beforeEach(() => {
    now = Date.parse("2026-11-21T12:00:00.000Z");
  });
  const objects = () => [...world.aws.objects.values()].reduce((sum, versions) => sum + versions.length, 0);

  test("twenty within a second leave what one leaves, and the next is taken", async () => {
    await startSealer(world, { clock }).beat();
    const before = [objects(), world.aws.items.size];
    for (let count = 0; count < 20; count++) {
      now += 49;
      expect(await startSealer(world, { clock }).beat()).toEqual({ outcome: "published", counts: { size: 1 } });
    }
    expect([objects(), world.aws.items.size]).toEqual(before);
    now += 20;
    expect(await startSealer(world, { clock }).beat()).toEqual({ outcome: "published", counts: { size: 2 } });
  });

  test("one that has something to publish is taken at once", async () => {
    await startSealer(world, { clock }).beat();
    await grow(3);
    now += 500;
    expect(await startSealer(world, { clock }).beat()).toEqual({ outcome: "published", counts: { size: 5 } });
  });

  test("one that finds a young heartbeat unpublished publishes it", async () => {
    const dying = startSealer(world, { clock });
    beforePut(dying, "checkpoint", () => Promise.reject(new Error("killed")));
    await expect(dying.beat()).rejects.toThrow("killed");
    now += 500;
    expect(await startSealer(world, { clock }).beat()).toEqual({ outcome: "published", counts: { size: 1 } });
    expect(newest().size).toBe(1);
  });

  test("behind a heartbeat more than an hour ahead none is appended and nothing is published, with an alarm", async () => {
    now = Date.parse("2030-01-01T00:00:00.000Z");
    await startSealer(world, { clock }).beat();
    await grow(1);
    now = Date.parse("2029-12-31T22:59:59.999Z");
    const sealer = startSealer(world, { clock });
    await expect(sealer.beat()).rejects.toMatchObject({ code: "HEARTBEAT_AHEAD" });
    expect([sealer.codes, sealer.signals, newest().size]).toEqual([["HEARTBEAT_AHEAD"], ["TamperingSealed"], 1]);
    now += 1;
    expect(await startSealer(world, { clock }).beat()).toMatchObject({ counts: { size: 3 } });
  });
});

describe("keys", () => {
  const signersOf = () =>
    paths()
      .filter((path) => path.startsWith("keys/"))
      .map((path) => String(versionsOf(path).at(-1)))
      .filter((key) => naiveVerify(newest(), key));

  test("one replaces another by way of checkpoints that bear both", async () => {
    const [old = ""] = world.keyArns;
    const next = world.aws.createKey("ECC_NIST_P256");
    for (const [keyArns, signatures] of [
      [[old], 1],
      [[old, next], 2],
      [[old, next], 2],
      [[next], 1],
    ] as const) {
      const sealer = startSealer(world, { keyArns });
      await grow(1, sealer);
      await publishNow(sealer);
      expect(newest().signatures).toHaveLength(signatures);
      expect(signersOf()).toHaveLength(signatures);
    }
    const keys = paths().filter((path) => path.startsWith("keys/"));
    expect(keys.map((path) => versionsOf(path).length)).toEqual([1, 1]);
    const [first = "", second = ""] = versionsOf("checkpoint")
      .slice(1)
      .map((note) => String(note));
    expect(
      [first, second].map((note) => naiveCheckpoint(note).signatures.map(({ keyId }) => `keys/${keyId}.vkey`)),
    ).toEqual(Array(2).fill(keys));
  });

  test("a key that takes over at once is refused: nobody who pinned the old one could go on", async () => {
    await grow(1);
    await publishNow(startSealer(world));
    await grow(1);
    const keyArns = [world.aws.createKey("ECC_NIST_EDWARDS25519")];
    await expect(publishNow(startSealer(world, { keyArns }))).rejects.toMatchObject({ code: "CHECKPOINT_NOT_OURS" });
  });

  test("where a region lacks Ed25519 a P-256 key signs; its signatures differ, its checkpoints do not", async () => {
    const keyArns = [world.aws.createKey("ECC_NIST_P256")];
    await grow(2);
    const killed = startSealer(world, { keyArns });
    beforePut(killed, "checkpoint", async () => {
      throw new Error("killed");
    });
    await expect(publishNow(killed)).rejects.toThrow("killed");
    expect(await publishNow(startSealer(world, { keyArns }))).toEqual({ size: 2, isComplete: true });
    expect(signersOf()).toHaveLength(1);
    const kept = naiveCheckpoint(String(versionsOf("checkpoints/0000000000000002").at(-1)));
    expect(kept.text).toBe(newest().text);
    expect(kept.signatures).not.toEqual(newest().signatures);
  });

  test("any other key is refused before anything is put", async () => {
    await grow(1);
    const keyArns = [world.aws.createKey("RSA_2048")];
    await expect(publishNow(startSealer(world, { keyArns }))).rejects.toMatchObject({ code: "KEY_UNSUITABLE" });
    expect(paths()).toEqual([]);
  });

  test("public keys that could not be asked for are asked for again", async () => {
    await grow(1);
    const sealer = startSealer(world);
    let isFirst = true;
    (sealer.clients.kms.middlewareStack as DynamoDBClient["middlewareStack"]).add(
      (next) => async (args) => {
        if (!isFirst) return next(args);
        isFirst = false;
        throw new Error("throttled");
      },
      { step: "initialize", name: "throttledOnce", priority: "high" },
    );
    await expect(publishNow(sealer)).rejects.toThrow("throttled");
    expect(await publishNow(sealer)).toEqual({ size: 1, isComplete: true });
  });
});

describe("packs", () => {
  const SIZE = 65_600;
  let committed: FakeWorld["aws"]["items"];
  beforeAll(async () => {
    world = fakeWorld();
    await grow(SIZE);
    committed = world.aws.items;
  });
  beforeEach(() => {
    for (const [name, item] of committed) world.aws.items.set(name, item);
  });

  test.each(["packs/000", "checkpoints/0000000000065536"])(
    "a publisher that ends before it puts %s leaves no checkpoint without its pack, and the next one goes on",
    async (path) => {
      const ending = startSealer(world);
      beforePut(ending, path, () => Promise.reject(new Error("the end")));
      await expect(publishNow(ending)).rejects.toThrow("the end");
      expect(paths().filter((each) => each.startsWith("checkpoint"))).toEqual([]);
      expect(await publishNow(startSealer(world))).toEqual({ size: SIZE, isComplete: true });
      await expectOnePack();
    },
  );

  test("a lost answer to its put is found again, and another pack in its place is a fork", async () => {
    const sealer = startSealer(world);
    afterPutRefused(sealer, "packs/000");
    await publishNow(sealer);
    await expectOnePack();
    world.aws.objects.delete(objectName("checkpoint"));
    for (const path of paths()) if (path.startsWith("checkpoints/")) world.aws.objects.delete(objectName(path));
    slipIn("packs/000", "something else");
    await expect(publishNow(startSealer(world))).rejects.toMatchObject({ code: "LOG_FORKED", isTampering: true });
    expect(versionsOf("checkpoint")).toEqual([]);
  });
});
