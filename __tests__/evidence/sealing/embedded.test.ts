import { setTimeout as delay } from "node:timers/promises";
import { DescribeTableCommand, UpdateTableCommand } from "@aws-sdk/client-dynamodb";
import { DeleteObjectCommand, HeadObjectCommand, ListObjectVersionsCommand } from "@aws-sdk/client-s3";
import { FAULTS } from "../../../local/fault-proxy";
import { stubServices } from "../../ledger/rules/stub-services";
import { aMessageRecord, aPaymentRecord, aStatusChanged, LEDGER, MESSAGES, streamRecord, TRAIL } from "./changes";
import { naiveCheckpoint, naiveVerify } from "./naive-log";
import { checkLog, type Expected, expectationOf, type RaceWorld } from "./race";
import { type Sealer, startSealer } from "./sealer";
import { type EmbeddedWorld, startEmbeddedWorld } from "./worlds";

const services = stubServices();
let embedded: EmbeddedWorld;
beforeAll(async () => {
  embedded = await startEmbeddedWorld();
});
afterAll(() => embedded?.stop());
beforeEach(() => embedded.proxy.reset());

let logs = 0;
const makeLog = () => embedded.makeLog(`sealed-log-${++logs}`);

/** Seals messages of new payments, and notes what the log must hold. */
async function sealSome(sealer: Sealer, expected: Expected, count: number): Promise<void> {
  const ids = Array.from({ length: count }, (_, index) => `msg-${expected.entries.length + index}`);
  const records = await Promise.all(
    ids.map(async (id) => streamRecord(MESSAGES, { now: await aMessageRecord(id, services) })),
  );
  expected.entries.push(...records.map(expectationOf));
  await sealer.seal(records);
}

async function newestOf(world: RaceWorld) {
  return naiveCheckpoint(String((await world.objects()).get("checkpoint")?.at(-1)));
}

async function keysOf(world: RaceWorld): Promise<string[]> {
  return [...(await world.objects())].filter(([path]) => path.startsWith("keys/")).map(([, [key]]) => String(key));
}

test("changes are sealed and published under Object Lock, and what was published cannot be removed", async () => {
  const world = await makeLog();
  const expected: Expected = { entries: [] };
  const sealer = startSealer(world);
  const row = await aPaymentRecord("txn-1", services);
  const { now, audit } = await aStatusChanged(row, "Failure", services);
  await world.putRecord(TRAIL, audit);
  const records = [streamRecord(LEDGER, { now: row }), streamRecord(LEDGER, { before: row, now })];
  expected.entries.push(...records.map(expectationOf));
  await sealer.seal(records);
  await sealSome(sealer, expected, 300);
  await sealer.beat();
  expect(await startSealer(world).seal(records)).toMatchObject({ counts: { sealed: 0, repeated: 2 } });
  await sealSome(sealer, expected, 20);
  expect(await startSealer(world).beat()).toEqual({ outcome: "published", counts: { size: 324 } });
  expect(await checkLog(world, expected)).toEqual({ entries: 324, heartbeats: 2, repeats: 0, checkpoints: 2 });

  const { s3 } = world.direct;
  for (const Key of ["log/tile/0/000", "log/checkpoint", "log/checkpoints/0000000000000324"]) {
    const head = await s3.send(new HeadObjectCommand({ Bucket: world.bucket, Key }));
    expect(head).toMatchObject({ ObjectLockMode: "COMPLIANCE" });
    const remove = new DeleteObjectCommand({ Bucket: world.bucket, Key, VersionId: head.VersionId });
    await expect(s3.send(remove)).rejects.toMatchObject({ name: "AccessDenied" });
  }
});

test("the signatures of KMS are those of C2SP: Ed25519, then both, then P-256 alone", async () => {
  const world = await makeLog();
  const expected: Expected = { entries: [] };
  const [old = ""] = world.keyArns;
  const next = await embedded.createKey("ECC_NIST_P256");
  for (const [keyArns, types] of [
    [[old], [1]],
    [
      [old, next],
      [1, 2],
    ],
    [[next], [2]],
  ] as const) {
    const sealer = startSealer(world, { keyArns });
    await sealSome(sealer, expected, 1);
    await sealer.beat();
    const checkpoint = await newestOf(world);
    const keys = (await keysOf(world)).filter((key) => naiveVerify(checkpoint, key));
    expect(keys.map((key) => Buffer.from(key.split("+").slice(2).join("+"), "base64")[0]).sort()).toEqual(types);
    expect(checkpoint.signatures).toHaveLength(types.length);
    expect(keys.some((key) => naiveVerify({ ...checkpoint, text: `${checkpoint.text} ` }, key))).toBe(false);
  }
  await checkLog(world, expected);
  await expect(startSealer(world, { keyArns: [old] }).beat()).rejects.toMatchObject({ code: "CHECKPOINT_NOT_OURS" });
});

test("answers that are lost after their call took effect change nothing", async () => {
  const world = await makeLog();
  const expected: Expected = { entries: [] };
  const sealer = startSealer(world);
  const put = (path: string) => `PUT /${world.bucket}/log/${path}`;
  const lost = ["DynamoDB.TransactWriteItems", put("tile/*"), put("checkpoint"), put("checkpoints/*"), put("keys/*")];
  for (let round = 0; round < 3; round++) {
    embedded.proxy.reset();
    const rules = lost.map((target) => ({
      target,
      rule: embedded.proxy.inject({
        target: "*",
        where: (call) => new RegExp(`^${target.replaceAll("*", ".*")}(\\?|$)`).test(call.target),
        calls: { from: 1 },
        fault: FAULTS.loseAnswer(),
      }),
    }));
    await sealSome(sealer, expected, 130);
    await sealer.beat();
    const unfired = rules.filter(({ rule }) => rule.fired === 0).map(({ target }) => target);
    expect(unfired).toEqual(round === 0 ? [] : [put("keys/*")]);
  }
  expect(await checkLog(world, expected)).toEqual({ entries: 393, heartbeats: 3, repeats: 0, checkpoints: 3 });
});

describe("a heartbeat looks whether the tables' streams are still those that feed the sealer", () => {
  const everyFifthMinute = new Date("2026-11-21T12:05:00.000Z");
  const update = async (world: Awaited<ReturnType<typeof makeLog>>, enabled: boolean): Promise<string> => {
    const { dynamo } = world.direct;
    const StreamSpecification = enabled
      ? { StreamEnabled: true, StreamViewType: "NEW_AND_OLD_IMAGES" as const }
      : { StreamEnabled: false };
    await dynamo.send(new UpdateTableCommand({ TableName: MESSAGES, StreamSpecification }));
    const { Table } = await dynamo.send(new DescribeTableCommand({ TableName: MESSAGES }));
    return Table?.LatestStreamArn ?? "";
  };

  test("one that was switched off, and one that was switched on again, are alarms", async () => {
    const world = await makeLog();
    const streamArn = await update(world, true);
    const beat = async (now = everyFifthMinute) => {
      const sealer = startSealer(world, { streams: [{ table: MESSAGES, streamArn }], now });
      await sealer.beat();
      return [...sealer.signals, ...sealer.codes];
    };
    expect(await beat()).toEqual(["CheckpointPublished"]);
    await update(world, false);
    expect(await beat()).toEqual(["CheckpointPublished", "StreamLost", "STREAM_LOST"]);
    expect(await beat(new Date("2026-11-21T12:06:00.000Z"))).toEqual(["CheckpointPublished"]);
    await delay(1_100);
    expect(await update(world, true)).not.toBe(streamArn);
    expect(await beat()).toEqual(["CheckpointPublished", "StreamLost", "STREAM_LOST"]);
    const elsewhere = streamArn.replace(`/${MESSAGES}/`, "/not-there/");
    const gone = startSealer(world, { streams: [{ table: MESSAGES, streamArn: elsewhere }], now: everyFifthMinute });
    await gone.beat();
    expect(gone.codes).toEqual(["STREAM_LOST"]);
  });
});

test("conflicts and throttles of DynamoDB are waited out", async () => {
  const world = await makeLog();
  const expected: Expected = { entries: [] };
  const sealer = startSealer(world);
  const target = "DynamoDB.TransactWriteItems";
  embedded.proxy.inject({ target, calls: { from: 1, to: 3 }, fault: FAULTS.transactionConflict([0, 1]) });
  embedded.proxy.inject({ target, calls: { from: 1, to: 1 }, fault: FAULTS.provisionedThroughputExceeded() });
  await sealSome(sealer, expected, 5);
  await sealer.beat();
  expect(await checkLog(world, expected)).toMatchObject({ entries: 6, repeats: 0 });
});

test("while another transaction holds the head a batch may seem to be there already: it is looked at again", async () => {
  const world = await makeLog();
  const expected: Expected = { entries: [] };
  const sealer = startSealer(world);
  await sealSome(sealer, expected, 2);
  const target = "DynamoDB.TransactWriteItems";
  embedded.proxy.inject({ target, calls: { from: 1 }, fault: FAULTS.partlyDecided(0, 1) });
  await sealSome(sealer, expected, 2);
  await sealer.beat();
  expect(await checkLog(world, expected)).toMatchObject({ entries: 5, repeats: 0 });
});

test("an older checkpoint never replaces a newer one", async () => {
  const world = await makeLog();
  const expected: Expected = { entries: [] };
  const slow = startSealer(world);
  await sealSome(slow, expected, 3);
  embedded.proxy.inject({
    target: "*",
    where: ({ target }) =>
      target.startsWith(`PUT /${world.bucket}/log/checkpoint?`) || target === `PUT /${world.bucket}/log/checkpoint`,
    calls: { from: 1 },
    fault: FAULTS.before(async () => {
      const other = startSealer({ ...world, clients: () => world.direct });
      await sealSome(other, expected, 1);
      await other.beat();
    }),
  });
  expect(await slow.beat()).toEqual({ outcome: "published", counts: { size: 6 } });
  expect((await newestOf(world)).size).toBe(6);
  const { Versions = [] } = await world.direct.s3.send(
    new ListObjectVersionsCommand({ Bucket: world.bucket, Prefix: "log/checkpoint" }),
  );
  expect(Versions.filter(({ Key }) => Key === "log/checkpoint")).toHaveLength(1);
  await checkLog(world, expected);
});
