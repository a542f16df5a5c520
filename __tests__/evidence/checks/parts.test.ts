/** The parts of the sweep and the drill that need no verification: reading the evidence and the tables, remembering, the guard. */
import { CreateTableCommand, ListTablesCommand, PutItemCommand } from "@aws-sdk/client-dynamodb";
import { CreateBucketCommand, PutObjectCommand, type S3Client } from "@aws-sdk/client-s3";
import { shapeOf } from "../../../backup/export-lines";
import { keyAttributes } from "../../../backup/restore-plan";
import { DRILL_TABLE_PREFIX, ENV, LOG_STATE } from "../../../contract";
import { FIRST_STATE, s3DrillBucket } from "../../../evidence/checks/drill-state";
import { assertDrillTable, drillTables } from "../../../evidence/checks/drill-tables";
import { s3Evidence } from "../../../evidence/checks/s3-evidence";
import { scanSource } from "../../../evidence/checks/scan-source";
import { checkpointMemory } from "../../../evidence/checks/swept-checkpoints";
import type { RecordChange } from "../../../evidence/verifier/sources";
import { readDrillEnvironment } from "../../../handlers/runtime/environment";
import { type Harness, startHarness } from "../../support/ledger-harness";

const BUCKET = "log-check-parts";

let harness: Harness;
let s3: S3Client;
beforeAll(async () => {
  harness = await startHarness();
  ({ s3 } = harness);
  await s3.send(new CreateBucketCommand({ Bucket: BUCKET }));
});
afterAll(() => harness?.stop());

async function listed(paths: AsyncIterable<string>): Promise<string[]> {
  const found: string[] = [];
  for await (const path of paths) found.push(path);
  return found;
}

describe("the evidence in its bucket", () => {
  test("is read and listed by paths below its prefix; what is absent is undefined", async () => {
    for (const key of ["log/checkpoint", "log/tile/0/000", "log/tile/0/001", "other/tile/0/000"]) {
      await s3.send(new PutObjectCommand({ Bucket: BUCKET, Key: key, Body: `bytes of ${key}` }));
    }
    const evidence = s3Evidence(s3, BUCKET);
    expect((await evidence.read("tile/0/001"))?.toString()).toBe("bytes of log/tile/0/001");
    expect(await evidence.read("tile/0/002")).toBeUndefined();
    expect(await listed(evidence.list("tile/"))).toEqual(["tile/0/000", "tile/0/001"]);
    expect(await listed(evidence.list("none/"))).toEqual([]);
  });
});

describe("a table as a source of records", () => {
  const read = async (batches: AsyncIterable<readonly RecordChange[]>) => {
    const all: RecordChange[] = [];
    for await (const batch of batches) all.push(...batch);
    return all;
  };

  test("gives every item once, binary as base64, in as many passes as are asked for", async () => {
    const large = "x".repeat(60_000);
    for (let index = 0; index < 60; index++) {
      const item = { AuditID: { S: `id-${index}` }, Salt: { B: Buffer.from([index]) }, Text: { S: large } };
      await harness.put("audit", item);
    }
    const source = scanSource(harness.services.dynamo, {
      table: "PaymentAuditTrail",
      deployedName: "PaymentAuditTrail",
      takenAt: "2026-11-21T10:00:00.000Z",
    });
    expect(source).toMatchObject({ table: "PaymentAuditTrail", takenAt: "2026-11-21T10:00:00.000Z" });
    for (let pass = 1; pass <= 2; pass++) {
      const items = (await read(source.batches())).map(({ now }) => now);
      expect(items).toHaveLength(60);
      expect(items).toContainEqual({ AuditID: { S: "id-7" }, Salt: { B: "Bw==" }, Text: { S: large } });
    }
  });

  test("a table that is not there is an error, not an empty table", async () => {
    const source = scanSource(harness.services.dynamo, {
      table: "PaymentLedger",
      deployedName: "scratch-none",
      takenAt: "2026-11-21T10:00:00.000Z",
    });
    await expect(read(source.batches())).rejects.toThrow("not found");
  });
});

test("the memory of the sweep keeps the larger tree", async () => {
  await harness.services.dynamo.send(
    new CreateTableCommand({
      TableName: LOG_STATE.name,
      BillingMode: "PAY_PER_REQUEST",
      AttributeDefinitions: [LOG_STATE.partitionKey, LOG_STATE.sortKey].map((AttributeName) => ({
        AttributeName,
        AttributeType: "S" as const,
      })),
      KeySchema: [
        { AttributeName: LOG_STATE.partitionKey, KeyType: "HASH" },
        { AttributeName: LOG_STATE.sortKey, KeyType: "RANGE" },
      ],
    }),
  );
  const memory = checkpointMemory(harness.services.dynamo, LOG_STATE.name, "log/one");
  const now = new Date();
  expect(await memory.load()).toBeUndefined();
  await memory.save({ size: 7, text: "seven" }, now);
  await memory.save({ size: 9, text: "nine" }, now);
  await memory.save({ size: 8, text: "eight" }, now);
  expect(await memory.load()).toEqual({ size: 9, text: "nine" });
  expect(await checkpointMemory(harness.services.dynamo, LOG_STATE.name, "log/two").load()).toBeUndefined();
});

describe("the drill's tables", () => {
  const names = [
    "PaymentLedger",
    "PaymentLedger-dev",
    "scratch-mine",
    "scratch-drill",
    DRILL_TABLE_PREFIX,
    `x${DRILL_TABLE_PREFIX}y`,
  ];

  test.each(names)("%s is not a scratch table: it is neither described nor removed", async (name) => {
    const tables = drillTables(harness.services.dynamo);
    expect(() => assertDrillTable(name)).toThrow(expect.objectContaining({ code: "NOT_A_DRILL_TABLE" }));
    await expect(tables.remove(name)).rejects.toMatchObject({ code: "NOT_A_DRILL_TABLE" });
    await expect(tables.statusOf(name)).rejects.toMatchObject({ code: "NOT_A_DRILL_TABLE" });
    const { TableNames } = await harness.services.dynamo.send(new ListTablesCommand({}));
    expect(TableNames).toContain("PaymentLedger");
  });

  test("a scratch table is reported and removed; one that is already gone is not an error", async () => {
    const { dynamo } = harness.services;
    const name = `${DRILL_TABLE_PREFIX}PaymentLedger`;
    const shape = keyAttributes(shapeOf("PaymentLedger"));
    await dynamo.send(new CreateTableCommand({ TableName: name, BillingMode: "PAY_PER_REQUEST", ...shape }));
    await dynamo.send(new PutItemCommand({ TableName: name, Item: { TransactionID: { S: "a" } } }));
    const tables = drillTables(dynamo);
    expect(await tables.statusOf(name)).toBe("ACTIVE");
    await tables.remove(name);
    await tables.remove(name);
    expect(await tables.statusOf(name)).toBeUndefined();
  });
});

describe("the state of the drill", () => {
  test("is saved only over what was read, and a second writer learns of it", async () => {
    const bucket = s3DrillBucket(s3, BUCKET);
    const first = await bucket.load();
    expect(first).toEqual({ state: FIRST_STATE });
    const version = await bucket.save(FIRST_STATE, first.version);
    expect(version).toEqual(expect.any(String));
    expect(await bucket.save(FIRST_STATE, first.version)).toBeUndefined();
    const next = { ...FIRST_STATE, checkpoint: { size: 7, text: "a note" } };
    expect(await bucket.save(next, version)).toEqual(expect.any(String));
    expect(await bucket.save(FIRST_STATE, version)).toBeUndefined();
    expect((await bucket.load()).state).toEqual(next);
  });

  test("a report is written once, and a later writer gets the report that was written first", async () => {
    const bucket = s3DrillBucket(s3, BUCKET);
    expect(await bucket.putOnce("drills/a.json", "first")).toBe("first");
    expect(await bucket.putOnce("drills/a.json", "second")).toBe("first");
    expect(await bucket.read("drills/none.json")).toBeUndefined();
  });

  const drill = { id: "2026-11-21T10:00:00.000Z", attempt: 1, tables: [], problems: [] };
  test.each([
    ["no JSON", "{"],
    ["another format", JSON.stringify({ ...FIRST_STATE, format: 2 })],
    ["a phase without its drill", JSON.stringify({ ...FIRST_STATE, phase: "removing" })],
    ["a drill that is not under way", JSON.stringify({ ...FIRST_STATE, drill })],
    [
      "a table of nobody",
      JSON.stringify({ ...FIRST_STATE, phase: "removing", drill: { ...drill, tables: [{ table: "users" }] } }),
    ],
  ])("%s is refused, not guessed at", async (_, text) => {
    await s3.send(new PutObjectCommand({ Bucket: BUCKET, Key: "drills/state.json", Body: text }));
    await expect(s3DrillBucket(s3, BUCKET).load()).rejects.toMatchObject({ code: "BAD_STATE" });
  });
});

describe("the environment of the drill", () => {
  const good = { [ENV.evidenceBucket]: "evidence", [ENV.logOrigin]: "payment-ledger/test", [ENV.drillEveryDays]: "3" };

  test("says how often, and where the log is", () => {
    expect(readDrillEnvironment(good)).toEqual({
      evidenceBucket: "evidence",
      logOrigin: "payment-ledger/test",
      everyDays: 3,
    });
  });

  test.each([
    [ENV.drillEveryDays, "0"],
    [ENV.drillEveryDays, "1.5"],
    [ENV.drillEveryDays, "often"],
    [ENV.drillEveryDays, ""],
    [ENV.evidenceBucket, ""],
    [ENV.logOrigin, "with a space"],
  ])("%s may not be %j", (name, value) => {
    expect(() => readDrillEnvironment({ ...good, [name]: value })).toThrow(
      expect.objectContaining({ code: "BAD_ENVIRONMENT", message: expect.stringContaining(name) }),
    );
  });
});
