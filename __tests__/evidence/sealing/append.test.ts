import fc from "fast-check";
import { LOG_STATE } from "../../../contract";
import { entryBytes, type RecordEntry } from "../../../evidence/log/entry";
import { appendAfter, appendEntries, type LogOptions, openLog } from "../../../evidence/sealing/append";
import { batchesBetween, newestBatches } from "../../../evidence/sealing/committed-batches";
import { rootOf } from "../../../evidence/sealing/frontier";
import { batchKey, batchName, readHead } from "../../../evidence/sealing/log-state-table";
import { RecentEntries } from "../../../evidence/sealing/recent-entries";
import { sdkItem } from "../../../ledger/store/transaction";
import { naiveLeaf, naiveRoot } from "./naive-log";
import { entry, ORIGIN } from "./sealer";
import { type FakeWorld, fakeWorld } from "./worlds";

const noPause = async () => {};

const entries = (from: number, to: number) => Array.from({ length: to - from }, (_, index) => entry(from + index));

let world: FakeWorld;
beforeEach(() => {
  world = fakeWorld();
});

/** A log as a separate process opens it. */
function open(options: LogOptions = {}) {
  return openLog(
    { dynamo: world.clients().dynamo, tableName: world.tableName, origin: ORIGIN },
    { pause: noPause, ...options },
  );
}

async function logTexts(): Promise<string[]> {
  const log = open();
  const { frontier } = await readHead(log.table);
  const texts: string[] = [];
  for await (const batch of batchesBetween(log.table, 0, frontier.size)) texts.push(...batch.entries.map(String));
  return texts;
}

const texts = (some: readonly RecordEntry[]) => some.map((each) => entryBytes(each).toString());

test("entries are committed in order, with a head that knows size, root and kinds", async () => {
  const all = [...entries(0, 3), entry(3, { kind: "FORGED" }), entry(4, { kind: "LATE", sequence: "" })];
  expect(await appendEntries(all, open())).toEqual({ appended: 5, repeated: 0, size: 5 });
  expect(await logTexts()).toEqual(texts(all));
  const { frontier, counts } = await readHead(open().table);
  expect(rootOf(frontier)).toEqual(naiveRoot(all.map((each) => naiveLeaf(entryBytes(each)))));
  expect(counts).toEqual({ RECORD: 3, FORGED: 1, TAMPER: 0, LATE: 1, HEARTBEAT: 0 });
  expect((await world.batches()).map(({ start }) => start)).toEqual([0]);
});

test("nothing is written when there is nothing to append", async () => {
  expect(await appendEntries([], open())).toEqual({ appended: 0, repeated: 0, size: 0 });
  expect(world.aws.items.size).toBe(0);
});

test("the same entries again add nothing: in this process, in another, cut otherwise, within one call", async () => {
  const log = open();
  await appendEntries(entries(0, 10), log);
  expect(await appendEntries(entries(0, 10), log)).toEqual({ appended: 0, repeated: 10, size: 10 });
  expect(await appendEntries(entries(5, 15), open())).toEqual({ appended: 5, repeated: 5, size: 15 });
  expect(await appendEntries(entries(0, 15), log)).toMatchObject({ appended: 0, repeated: 15 });
  expect(await appendEntries([entry(20), entry(20)], log)).toMatchObject({ appended: 1, repeated: 1 });
  expect(await logTexts()).toEqual(texts([...entries(0, 15), entry(20)]));
});

test("a process does not read again what it has committed itself", async () => {
  const log = open();
  await appendEntries(entries(0, 10), log);
  const commands: unknown[] = [];
  log.table.dynamo.middlewareStack.add(
    (next, context) => (args) => {
      commands.push(context["commandName"]);
      return next(args);
    },
    { step: "initialize", name: "commands", priority: "high" },
  );
  expect(await appendEntries(entries(5, 15), log)).toMatchObject({ appended: 5, repeated: 5 });
  expect(commands).toEqual(["GetItemCommand", "TransactWriteItemsCommand"]);
});

test("only what is the same byte for byte is the same", async () => {
  const kinds: Partial<RecordEntry>[] = [
    { kind: "LATE" },
    { sequence: "" },
    { version: "2" },
    { previous: "p".repeat(43) },
  ];
  const others = kinds.map((changes) => entry(1, changes));
  expect(await appendEntries([entry(1), ...others], open())).toMatchObject({ appended: 5 });
});

test("beyond the newest entries that a new process reads a repeat is appended; it is harmless", async () => {
  await appendEntries(entries(0, 40), open());
  await appendEntries(entries(40, 42), open());
  expect(await appendEntries([entry(0), entry(41)], open({ recentEntries: 2 }))).toMatchObject({
    appended: 1,
    repeated: 1,
  });
  expect((await logTexts()).at(-1)).toBe(texts([entry(0)])[0]);
});

test("many entries take many batches, of 1,000 entries and of what an item holds", async () => {
  // More than a process remembers: what it has just committed it must not commit again.
  expect(await appendEntries(entries(0, 2_500), open({ recentEntries: 5 }))).toMatchObject({
    appended: 2_500,
    size: 2_500,
  });
  expect((await world.batches()).map(({ start }) => start)).toEqual([0, 1_000, 2_000]);
  expect(await logTexts()).toEqual(texts(entries(0, 2_500)));
});

test("a sealer that comes second looks again, drops what the first has sealed, and goes on behind it", async () => {
  const other = open();
  let lost = 0;
  const log = open({
    pause: async () => {
      lost += 1;
    },
  });
  await appendEntries(entries(0, 2), log);
  beforeCommit(log.table.dynamo, async () => {
    await appendEntries(entries(2, 6), other);
  });
  expect(await appendEntries(entries(4, 8), log)).toEqual({ appended: 2, repeated: 2, size: 8 });
  expect(lost).toBe(1);
  expect(await logTexts()).toEqual(texts(entries(0, 8)));
});

/** Does something just before the next commit of these clients, once. */
function beforeCommit(dynamo: ReturnType<FakeWorld["clients"]>["dynamo"], act: () => Promise<void>): void {
  let isDone = false;
  dynamo.middlewareStack.add(
    (next, context) => async (args) => {
      if (context["commandName"] === "TransactWriteItemsCommand" && !isDone) {
        isDone = true;
        await act();
      }
      return next(args);
    },
    { step: "initialize", name: "beforeCommit", priority: "high" },
  );
}

test("an entry that depends on the entries before it is made again when another sealer came first", async () => {
  const other = open();
  const log = open();
  beforeCommit(log.table.dynamo, async () => {
    await appendEntries(entries(0, 3), other);
  });
  const seen: number[] = [];
  const size = await appendAfter(log, async ({ frontier, counts }) => {
    seen.push(frontier.size);
    const time = "2026-11-21T12:00:00.000Z";
    return { kind: "HEARTBEAT", time, counts, previousSize: 0, previousCheckpoint: "" };
  });
  expect([seen, size]).toEqual([[0, 3], 4]);
  expect((await logTexts()).at(-1)).toContain('"RECORD":"3"');
});

test("a sealer that loses every race gives up, and nothing of it is in the log", async () => {
  let number = 100;
  const other = open();
  const log = open();
  log.table.dynamo.middlewareStack.add(
    (next, context) => async (args) => {
      if (context["commandName"] === "TransactWriteItemsCommand") await appendEntries([entry(number++)], other);
      return next(args);
    },
    { step: "initialize", name: "alwaysFirst", priority: "high" },
  );
  await expect(appendEntries([entry(1)], log)).rejects.toMatchObject({ code: "LOG_CONTENDED" });
  expect((await readHead(other.table)).frontier.size).toBe(40);
  expect(await logTexts()).not.toContain(texts([entry(1)])[0]);
});

test("a batch beyond the head is looked at again, and appending goes on where it was only seen too early", async () => {
  await appendEntries(entries(0, 3), open());
  const { table } = open();
  const early = batchKey(table, 3);
  const log = open({
    pause: async () => {
      for (const [name] of world.aws.items) if (name.includes(batchName(3))) world.aws.items.delete(name);
    },
  });
  world.aws.putItem(world.tableName, sdkItem({ ...early, Start: { N: "3" }, Count: { N: "1" } }));
  expect(await appendEntries([entry(3)], log)).toEqual({ appended: 1, repeated: 0, size: 4 });
  expect(await logTexts()).toEqual(texts(entries(0, 4)));
});

describe("a table that somebody else wrote to", () => {
  const headOf = () => [...world.aws.items].find(([name]) => name.endsWith("|head|")) ?? ["", {}];

  test("a head that was put back: LOG_FORKED, and nothing is appended", async () => {
    await appendEntries(entries(0, 3), open());
    const [name, head] = headOf();
    const warm = open();
    await appendEntries(entries(3, 6), warm);
    world.aws.items.set(name, head);
    await expect(appendEntries([entry(9)], open())).rejects.toMatchObject({ code: "LOG_FORKED", isTampering: true });
    await expect(appendEntries([entry(9)], warm)).rejects.toMatchObject({ code: "LOG_FORKED" });
    expect((await world.batches()).map(({ start }) => start)).toEqual([0, 3]);
  });

  test.each<[string, object]>([
    ["another size than its hashes have", { Size: { N: "2" } }],
    ["no size", { Size: { S: "3" } }],
    ["the size of an empty log", { Size: { N: "0" }, Frontier: { B: Buffer.alloc(0) } }],
    ["half a hash", { Frontier: { B: Buffer.alloc(16) } }],
    ["no counts", { Counts: { M: {} } }],
  ])("a head with %s: LOG_STATE_BROKEN", async (_what, changes) => {
    await appendEntries(entries(0, 3), open());
    const [name, head] = headOf();
    world.aws.items.set(name, { ...head, ...changes });
    await expect(appendEntries([entry(9)], open())).rejects.toMatchObject({
      code: "LOG_STATE_BROKEN",
      isTampering: true,
    });
  });

  test.each<[string, (name: string) => void]>([
    ["is gone", (name) => world.aws.items.delete(name)],
    ["holds other bytes", (name) => change(name, { Entries: { B: Buffer.from("junk") } })],
    ["says another count", (name) => change(name, { Count: { N: "9" } })],
  ])("a batch that %s is found when the log is read, and does not hold up what is sealed", async (_what, tamper) => {
    for (let start = 0; start < 9; start += 3) await appendEntries(entries(start, start + 3), open());
    tamper([...world.aws.items.keys()].find((name) => name.includes("batch#0000000000000003")) ?? "");
    await expect(logTexts()).rejects.toMatchObject({ code: "LOG_STATE_BROKEN" });
    expect(await appendEntries([entry(9)], open())).toMatchObject({ appended: 1, size: 10 });
  });

  function change(name: string, changes: object): void {
    world.aws.items.set(name, { ...world.aws.items.get(name), ...changes });
  }
});

test("reading begins and ends in the middle of batches", async () => {
  for (let start = 0; start < 40; start += 4) await appendEntries(entries(start, start + 4), open());
  const read = async (from: number, to: number) => {
    const found: string[] = [];
    for await (const batch of batchesBetween(open().table, from, to)) {
      expect(batch.start).toBe(from + found.length);
      found.push(...batch.entries.map(String));
    }
    return found;
  };
  expect(await read(0, 40)).toEqual(texts(entries(0, 40)));
  expect(await read(6, 31)).toEqual(texts(entries(6, 31)));
  expect(await read(7, 8)).toEqual(texts(entries(7, 8)));
  expect(await read(8, 8)).toEqual([]);
});

describe("batches of a log that was begun by an earlier version, which put them beside the head", () => {
  /** Moves the batch that begins at this entry to where the earlier version put it. */
  function moveBesideHead(start: number): void {
    const name = [...world.aws.items.keys()].find((each) => each.includes(batchName(start))) ?? "";
    const item = world.aws.items.get(name) ?? {};
    world.aws.items.delete(name);
    world.aws.putItem(world.tableName, { ...item, [LOG_STATE.partitionKey]: { S: ORIGIN } });
  }

  test("are read, remembered and appended behind", async () => {
    const log = open();
    for (let start = 0; start < 300; start += 3) await appendEntries(entries(start, start + 3), log);
    for (let start = 0; start < 300; start += 3) moveBesideHead(start);
    expect(await logTexts()).toEqual(texts(entries(0, 300)));
    expect(await appendEntries(entries(295, 305), open())).toEqual({ appended: 5, repeated: 5, size: 305 });
    expect(await logTexts()).toEqual(texts(entries(0, 305)));
    const keys = [...world.aws.items.keys()].filter((name) => name.includes(batchName(300)));
    expect(keys).toEqual([expect.stringContaining("#batches#")]);
  });

  test("are read in any mixture with newer ones, from any entry to any other, forward and backward", async () => {
    await fc.assert(
      fc.asyncProperty(
        fc.array(fc.record({ length: fc.integer({ min: 1, max: 400 }), isEarlier: fc.boolean() }), {
          minLength: 1,
          maxLength: 8,
        }),
        fc.nat(),
        fc.nat(),
        async (batches, a, b) => {
          world = fakeWorld();
          let size = 0;
          for (const { length, isEarlier } of batches) {
            await appendEntries(entries(size, size + length), open({ recentEntries: 0 }));
            if (isEarlier) moveBesideHead(size);
            size += length;
          }
          const [from, to] = [a % size, b % (size + 1)].sort((x, y) => x - y) as [number, number];
          const { table } = open();
          const forward: string[] = [];
          for await (const batch of batchesBetween(table, from, to)) forward.push(...batch.entries.map(String));
          expect(forward).toEqual(texts(entries(from, to)));
          const backward: string[] = [];
          for await (const batch of newestBatches(table, 0, size)) backward.unshift(...batch.entries.map(String));
          expect(backward).toEqual(texts(entries(0, size)));
        },
      ),
      { numRuns: 12 },
    );
  });
});

test("batches of any one length spread over the partition keys, and the head has its own", async () => {
  const { table } = open();
  for (const length of [1, 7, 64, 100, 256, 500, 512, 1_000]) {
    const unitsOf = new Map<string, number>();
    const records = 20_000;
    for (let start = 0; start < records; start += length) {
      const partition = batchKey(table, start)[LOG_STATE.partitionKey];
      const name = partition !== undefined && "S" in partition ? partition.S : "";
      unitsOf.set(name, (unitsOf.get(name) ?? 0) + length);
    }
    expect([...unitsOf.keys()]).not.toContain(ORIGIN);
    expect(Math.max(...unitsOf.values())).toBeLessThanOrEqual(0.12 * records);
  }
});

test("what is remembered is bounded, and the oldest is forgotten first", () => {
  const recent = new RecentEntries(10);
  const leaves = Array.from({ length: 100 }, (_, index) => naiveLeaf(Buffer.of(index)));
  for (const [index, leaf] of leaves.entries()) recent.add([leaf], index + 1);
  expect(leaves.filter((leaf) => recent.has(leaf))).toEqual(leaves.slice(60));
});

test("two logs in one table do not see each other", async () => {
  const other = openLog({ ...open().table, origin: `${ORIGIN}0` }, { pause: noPause });
  await appendEntries(entries(0, 3), open());
  await appendEntries(entries(0, 5), other);
  expect(await logTexts()).toHaveLength(3);
  expect(await readHead(other.table)).toMatchObject({ frontier: { size: 5 } });
});
