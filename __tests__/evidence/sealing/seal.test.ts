import { createHash } from "node:crypto";
import { readHead } from "../../../evidence/sealing/log-state-table";
import { sdkItem } from "../../../ledger/store/transaction";
import { stubServices } from "../../ledger/rules/stub-services";
import { anAuditRecord, aPaymentRecord, aStatusChanged, LEDGER, streamRecord, TRAIL } from "./changes";
import { naiveCheckpoint, naiveEntries } from "./naive-log";
import { startSealer } from "./sealer";
import { type FakeWorld, fakeWorld } from "./worlds";

const services = stubServices();
let world: FakeWorld;
beforeEach(() => {
  world = fakeWorld();
});

const sealed = async () =>
  (await world.batches()).flatMap(({ bundle }) => naiveEntries(bundle)).map((entry) => JSON.parse(String(entry)));

test("a batch of a stream: every change a leaf, in order, and nothing published yet", async () => {
  const sealer = startSealer(world);
  const row = await aPaymentRecord("txn-1", services);
  const { now, audit } = await aStatusChanged(row, "Failure", services);
  await world.putRecord(TRAIL, audit);
  const records = [
    streamRecord(LEDGER, { now: row }),
    streamRecord(TRAIL, { now: await anAuditRecord("W-1", services) }),
    streamRecord(LEDGER, { before: row, now }),
  ];
  expect(await sealer.seal(records)).toEqual({
    outcome: "sealed",
    counts: { sealed: 3, repeated: 0, forged: 0, tampered: 0, unconfirmed: 0, size: 3 },
  });
  expect((await sealed()).map(({ kind, table, version }) => [kind, table, version])).toEqual([
    ["RECORD", LEDGER, "1"],
    ["RECORD", TRAIL, "1"],
    ["RECORD", LEDGER, "2"],
  ]);
  expect([sealer.signals, sealer.codes, world.aws.objects.size]).toEqual([[], [], 0]);
});

test("each forgery and each tampering is an alarm, again when the batch comes again", async () => {
  const row = await aPaymentRecord("txn-2", services);
  const forged = { ...row, Amount: { S: "99.00" } };
  await world.putRecord(LEDGER, forged);
  const records = [streamRecord(LEDGER, { now: forged }), streamRecord(LEDGER, { before: forged })];
  const first = startSealer(world);
  expect(await first.seal(records)).toMatchObject({ counts: { sealed: 2, forged: 1, tampered: 1 } });
  // The first one may have been killed after it appended, before its metrics were written.
  const second = startSealer(world);
  expect(await second.seal(records)).toMatchObject({ counts: { sealed: 0, repeated: 2, forged: 1, tampered: 1 } });
  expect([first.signals, second.signals]).toEqual(Array(2).fill(["TamperingSealed", "TamperingSealed"]));
});

test("a made-up event leaves no entry, and an alarm", async () => {
  const row = await aPaymentRecord("txn-there", services);
  await world.putRecord(LEDGER, row);
  const sealer = startSealer(world);
  await sealer.seal([streamRecord(LEDGER, { now: row })]);
  const made = [
    streamRecord(LEDGER, { before: { TransactionID: { S: "never-was" } } }),
    streamRecord(LEDGER, { now: { TransactionID: { S: "never-was" } } }),
    streamRecord(LEDGER, { before: row }),
  ];
  expect(await sealer.seal(made)).toMatchObject({ counts: { sealed: 1, forged: 0, tampered: 0, unconfirmed: 3 } });
  expect([sealer.codes, sealer.signals]).toEqual([["CHANGE_NOT_CONFIRMED"], Array(3).fill("TamperingSealed")]);
  const [record, late] = await sealed();
  expect(late).toMatchObject({ kind: "LATE", key: ["txn-there"], commitment: record.commitment });
  expect(await sealer.seal(made)).toMatchObject({ counts: { sealed: 0, repeated: 1 } });
});

test("an audit record that cannot be read is a technical fault: nothing of the batch is sealed, and it comes again", async () => {
  const row = await aPaymentRecord("txn-3", services);
  const { now, audit } = await aStatusChanged(row, "Failure", services);
  const records = [streamRecord(LEDGER, { now: row }), streamRecord(LEDGER, { before: row, now })];
  const sealer = startSealer(world);
  sealer.clients.dynamo.middlewareStack.add(
    (next, context) => async (args) => {
      if (context["commandName"] === "GetItemCommand" && "AuditID" in ((args.input as { Key?: object }).Key ?? {})) {
        throw new Error("throttled");
      }
      return next(args);
    },
    { step: "initialize", name: "throttled", priority: "high" },
  );
  await expect(sealer.seal(records)).rejects.toThrow("throttled");
  expect(await sealed()).toEqual([]);
  world.aws.putItem(TRAIL, sdkItem(audit));
  expect(await startSealer(world).seal(records)).toMatchObject({ counts: { sealed: 2, tampered: 0 } });
});

test("a heartbeat holds its time, the counts of the entries before it, and the checkpoint that it continues", async () => {
  let now = Date.parse("2026-11-21T11:59:00.000Z");
  const clock = () => {
    now += 60_000;
    return new Date(now);
  };
  const sealer = startSealer(world, { clock });
  await sealer.seal([streamRecord(LEDGER, { now: await aPaymentRecord("txn-4", services) })]);
  expect(await sealer.beat()).toEqual({ outcome: "published", counts: { size: 2 } });
  expect(await sealer.beat()).toEqual({ outcome: "published", counts: { size: 3 } });
  const [, first, second] = await sealed();
  expect(first).toEqual({
    format: "payment-ledger/entry/1",
    kind: "HEARTBEAT",
    time: "2026-11-21T12:00:00.000Z",
    counts: { RECORD: "1", FORGED: "0", TAMPER: "0", LATE: "0", HEARTBEAT: "0" },
    previousSize: "0",
    previousCheckpoint: "",
  });
  const [checkpoint] = (await world.objects()).get("checkpoint") ?? [];
  const { text } = naiveCheckpoint(String(checkpoint));
  expect(second).toMatchObject({
    counts: { RECORD: "1", HEARTBEAT: "1" },
    previousSize: "2",
    previousCheckpoint: createHash("sha256").update(text).digest("base64url"),
  });
  expect(sealer.signals).toEqual(["CheckpointPublished", "CheckpointPublished"]);
});

test("the clock is read after the head: what another sealer appended meanwhile was written before the heartbeat's time", async () => {
  const order: string[] = [];
  const clock = () => {
    order.push("clock");
    return new Date("2026-11-21T12:00:00.000Z");
  };
  const sealer = startSealer(world, { clock });
  sealer.clients.dynamo.middlewareStack.add(
    (next, context) => async (args) => {
      order.push(String(context["commandName"]));
      return next(args);
    },
    { step: "initialize", name: "order", priority: "high" },
  );
  await sealer.beat();
  expect(order.slice(0, 3)).toEqual(["GetItemCommand", "clock", "TransactWriteItemsCommand"]);
});

test.each([
  ["nothing", undefined],
  ["an empty object", {}],
  ["a heartbeat with more in it", { kind: "heartbeat", at: "now" }],
  ["another kind", { kind: "sweep" }],
  ["an event of a bucket", { Records: [{ eventSource: "aws:s3" }] }],
])("%s is refused by sealer and publisher with its code in the log, and is no alarm", async (_what, event) => {
  const sealer = startSealer(world);
  await expect(sealer.invoke(event)).rejects.toMatchObject({ code: "UNKNOWN_EVENT" });
  await expect(sealer.beat(event ?? null)).rejects.toMatchObject({ code: "UNKNOWN_EVENT" });
  const both = ["UNKNOWN_EVENT", "UNKNOWN_EVENT"];
  expect([sealer.codes, sealer.signals, world.aws.items.size]).toEqual([both, [], 0]);
});

test("sealer and publisher do not do each other's work", async () => {
  const sealer = startSealer(world);
  const records = [streamRecord(LEDGER, { now: await aPaymentRecord("txn-5", services) })];
  await expect(sealer.beat({ Records: records })).rejects.toMatchObject({ code: "UNKNOWN_EVENT" });
  await expect(sealer.invoke({ kind: "heartbeat" })).rejects.toMatchObject({ code: "UNKNOWN_EVENT" });
  expect(world.aws.items.size).toBe(0);
});

test("changes of several tables in one event go to one log", async () => {
  const sealer = startSealer(world);
  const records = await Promise.all(
    Array.from({ length: 40 }, async (_, index) =>
      index % 2 === 0
        ? streamRecord(LEDGER, { now: await aPaymentRecord(`txn-many-${index}`, services) })
        : streamRecord(TRAIL, { now: await anAuditRecord(`W-many-${index}`, services) }),
    ),
  );
  await sealer.seal(records);
  expect((await sealed()).map(({ sequence }) => sequence)).toEqual(
    records.map(({ dynamodb }) => dynamodb.SequenceNumber),
  );
  expect((await readHead(sealer.settings.log.table)).counts).toMatchObject({ RECORD: 40 });
});
