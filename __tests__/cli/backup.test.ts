import {
  CreateTableCommand,
  DynamoDBClient,
  GetItemCommand,
  ListTablesCommand,
  PutItemCommand,
  ResourceNotFoundException,
  UpdateContinuousBackupsCommand,
} from "@aws-sdk/client-dynamodb";
import {
  CreateBucketCommand,
  DeleteObjectCommand,
  ListObjectsV2Command,
  PutObjectCommand,
  S3Client,
} from "@aws-sdk/client-s3";
import { shapeOf } from "../../backup/export-lines";
import { dynamoExportService } from "../../backup/export-service";
import { exportPrefix } from "../../backup/layout";
import { removeScratch, restoreTable } from "../../backup/restore";
import { keyAttributes, planRestore, sdkItemOf } from "../../backup/restore-plan";
import { s3Folder } from "../../backup/s3-folder";
import { toItemJson } from "../../ledger/rules/attribute-value";
import type { StoredItem } from "../../ledger/rules/stored-item";
import { sdkItem, storedItem } from "../../ledger/store/transaction";
import type { EmbeddedAws } from "../../local/embedded-aws";
import { exportFiles, writeRequestedExports } from "../../local/export-stand-in";
import { at, ExportOnDisk, payment, payments } from "../backup/fixture";
import { payledger } from "../support/run-in-process";
import { type ScriptResult, variablesOf } from "../support/run-script";
import { sharedEmbeddedAws } from "../support/shared-aws";

const LEDGER = "PaymentLedger-dev";
const BUCKET = "payment-exports-cli";
const MINUTES_OF_DAY = 24 * 60;

let aws: EmbeddedAws;
let dynamo: DynamoDBClient;
let s3: S3Client;

beforeAll(async () => {
  aws = await sharedEmbeddedAws();
  dynamo = new DynamoDBClient(aws.clientConfig());
  s3 = new S3Client(aws.clientConfig());
  await s3.send(new CreateBucketCommand({ Bucket: BUCKET }));
  for (const name of [
    LEDGER,
    "PaymentAuditTrail-dev",
    "payment-audit-trail-dev",
    "payment-transactions-dev",
    "PaymentEvents-dev",
  ]) {
    const logical = name.replace("-dev", "") as "PaymentLedger";
    await dynamo.send(
      new CreateTableCommand({ TableName: name, BillingMode: "PAY_PER_REQUEST", ...keyAttributes(shapeOf(logical)) }),
    );
    const PointInTimeRecoverySpecification = { PointInTimeRecoveryEnabled: true };
    await dynamo.send(new UpdateContinuousBackupsCommand({ TableName: name, PointInTimeRecoverySpecification }));
  }
  await putAll(payments(40, -2000));
});
afterAll(async () => {
  dynamo?.destroy();
  s3?.destroy();
  await aws?.stop();
});

async function putAll(items: readonly StoredItem[]): Promise<void> {
  for (const item of items) await dynamo.send(new PutItemCommand({ TableName: LEDGER, Item: sdkItem(item) }));
}

function backup(...words: readonly string[]): Promise<ScriptResult> {
  return payledger(["backup", ...words], variablesOf(aws));
}

async function itemOf(table: string, id: string): Promise<object | undefined> {
  const answer = await dynamo.send(new GetItemCommand({ TableName: table, Key: { TransactionID: { S: id } } }));
  return answer.Item && toItemJson(storedItem(answer.Item));
}

/** A full export and two windows in the bucket, with a change and a removal, and what must come out of them. */
async function writeChain(): Promise<void> {
  const service = dynamoExportService(dynamo, BUCKET, "arn:aws:kms:us-east-1:111122223333:key/x");
  const table = { table: "PaymentLedger", arn: `arn:aws:dynamodb:${aws.region}:111122223333:table/${LEDGER}` };
  const windows = [
    { kind: "full", to: at(0) },
    { kind: "incremental", from: at(0), to: at(MINUTES_OF_DAY) },
    { kind: "incremental", from: at(MINUTES_OF_DAY), to: at(2 * MINUTES_OF_DAY) },
  ] as const;
  for (const window of windows) await service.start(table, { ...window, attempt: 1, status: "planned" });
  await putAll([
    ...payments(10, 60),
    { ...payment("txn-0-2000", at(-2000)), StatusChangedAt: { S: at(MINUTES_OF_DAY + 5) } },
  ]);
  expect(await writeRequestedExports({ dynamo, s3 })).toHaveLength(3);
}

test("without a command that it knows, it says how it is used", async () => {
  for (const words of [
    [],
    ["anything"],
    ["check"],
    ["check", "a", "b"],
    ["restore", "--table", "x"],
    ["list", "--x"],
  ]) {
    const { code, err } = await backup(...words);
    expect({ code, usage: err.includes("Usage: npx payledger backup") }).toEqual({ code: 2, usage: true });
  }
});

test("now and list: a backup of every table of the environment, and what recovery reaches", async () => {
  const made = await backup("now");
  expect(made).toMatchObject({ code: 0, err: "" });
  expect(made.out.trim().split("\n")).toHaveLength(5);
  const listed = await backup("list");
  expect(listed.out).toContain(`${LEDGER}: any moment from `);
  expect(listed.out).toContain(made.out.trim().split("\n")[0]?.split(" ").at(-1));
  expect((await backup("list", "--table", LEDGER)).out).not.toContain("payment-transactions-dev");
});

test("restore from a backup: the rows as they were then, into a scratch table only, and once", async () => {
  const arn = (await backup("now", "--table", LEDGER)).out.trim().split(" ").at(-1) ?? "";
  await putAll([payment("txn-after-backup", at(-5))]);
  const restored = await backup("restore", "--table", LEDGER, "--backup", arn, "--into", "scratch-backup");
  expect(restored).toMatchObject({ code: 0, err: "" });
  expect(restored.out).toContain("scratch-backup holds 40 items");
  expect(restored.out).toContain("npx payledger backup remove-scratch scratch-backup");
  const again = await backup("restore", "--table", LEDGER, "--backup", arn, "--into", "scratch-backup");
  expect(again).toMatchObject({ code: 2, out: "" });
  expect(again.err).toContain("A restore overwrites nothing");
  expect((await backup("restore", "--table", LEDGER, "--backup", arn, "--into", "PaymentLedger-copy")).err).toContain(
    "scratch-",
  );
});

test("restore to a moment", async () => {
  const restored = await backup("restore", "--table", LEDGER, "--into", "scratch-now");
  expect(restored.out).toContain("scratch-now holds 41 items");
  const earlier = await backup(
    "restore",
    "--table",
    LEDGER,
    "--to-time",
    new Date().toISOString(),
    "--into",
    "scratch-earlier",
  );
  expect(earlier).toMatchObject({ code: 0, err: "" });
  expect((await backup("restore", "--table", LEDGER, "--to-time", "yesterday", "--into", "scratch-x")).err).toContain(
    "is no time",
  );
  expect((await backup("restore", "--table", "PaymentLedger-absent", "--into", "scratch-x")).err).toContain(
    "There is no table",
  );
});

test("remove-scratch removes scratch tables and nothing else", async () => {
  expect((await backup("remove-scratch", LEDGER)).err).toContain("begin with");
  expect((await backup("remove-scratch", "scratch-absent")).err).toContain("There is no table");
  expect(await backup("remove-scratch", "scratch-now")).toMatchObject({ code: 0, err: "" });
  const { TableNames } = await dynamo.send(new ListTablesCommand({}));
  expect(TableNames).toContain(LEDGER);
  expect(TableNames).not.toContain("scratch-now");
});

describe("exports in the bucket", () => {
  const PLACE = `s3://${BUCKET}/exports/PaymentLedger`;

  beforeAll(writeChain);

  test("check: good against its table, in words and as JSON", async () => {
    const text = await backup("check", PLACE, "--table", LEDGER);
    expect(text).toMatchObject({ code: 0, err: "" });
    expect(text.out).toMatch(/^GOOD: s3:\/\/payment-exports-cli\/exports\/PaymentLedger\/\n/);
    expect(text.out).toContain("compared with PaymentLedger-dev: 51 items");
    const json = await backup("check", PLACE, "--json");
    expect(JSON.parse(json.out)).toMatchObject({
      verdict: "good",
      exports: [{ items: 41 }, { items: 10 }, { items: 1 }],
    });
    expect((await backup("check", PLACE, "--table", "PaymentAuditTrail-dev")).err).toContain("There is no export of");
  });

  test("restore: the full export and every window after it, byte for byte", async () => {
    const restored = await backup("restore", "--table", LEDGER, "--export", PLACE, "--into", "scratch-export");
    expect(restored).toMatchObject({ code: 0, err: "" });
    expect(restored.out).toContain("scratch-export holds 51 items");
    for (const id of ["txn-0-2000", "txn-000065", "txn-0-1970"]) {
      expect(await itemOf("scratch-export", id)).toEqual(await itemOf(LEDGER, id));
    }
  });

  test("a removal in a window is applied too", async () => {
    const to = at(3 * MINUTES_OF_DAY);
    const window = { kind: "incremental", from: at(2 * MINUTES_OF_DAY), to } as const;
    const prefix = exportPrefix("PaymentLedger", { ...window, attempt: 1, status: "planned" });
    const tableArn = `arn:aws:dynamodb:${aws.region}:111122223333:table/${LEDGER}`;
    const id = "01795500000000-a1b2c3d4";
    const requested = {
      id,
      exportArn: `${tableArn}/export/${id}`,
      tableArn,
      bucket: BUCKET,
      prefix,
      ...window,
      startTime: to,
    };
    const disk = new ExportOnDisk();
    for (const { key, body } of exportFiles(requested, payments(1, 2 * MINUTES_OF_DAY + 9), 1)) disk.put(key, body);
    const [file = ""] = disk.dataFiles();
    const Keys = { TransactionID: { S: "txn-0-1990" } };
    const removal = { Metadata: { WriteTimestampMicros: { N: "1795500000000000" } }, Keys, OldImage: { ...Keys } };
    disk.rewrite(file, [JSON.stringify(removal)], true);
    for (const key of disk.keys()) {
      await s3.send(new PutObjectCommand({ Bucket: BUCKET, Key: key, Body: disk.read(key) }));
    }
    disk.delete();
    const folder = s3Folder(s3, BUCKET, ["exports/PaymentLedger/"]);
    const plan = await planRestore(LEDGER, folder);
    const source = { from: "export", plan, folder, bucket: BUCKET } as const;
    const restore = { dynamo, table: LEDGER, into: "scratch-removal", source, waitMs: 30_000, pollMs: 100 };
    expect(await restoreTable(restore)).toBe(50);
    expect(await itemOf("scratch-removal", "txn-0-1990")).toBeUndefined();
    await removeScratch(dynamo, "scratch-removal");
  });

  test("nothing is restored from a faulty export, and check names the fault", async () => {
    const answer = await s3.send(new ListObjectsV2Command({ Bucket: BUCKET, Prefix: "exports/PaymentLedger/full" }));
    const key = answer.Contents?.map(({ Key = "" }) => Key).find((name) => name.endsWith(".json.gz")) ?? "";
    await s3.send(new DeleteObjectCommand({ Bucket: BUCKET, Key: key }));
    const checked = await backup("check", PLACE);
    expect(checked.code).toBe(1);
    expect(checked.out).toContain("MISSING_FILE");
    expect(checked.out).toContain(key);
    const restored = await backup("restore", "--table", LEDGER, "--export", PLACE, "--into", "scratch-faulty");
    expect(restored).toMatchObject({ code: 2, out: "" });
    expect(restored.err).toContain("nothing was restored");
    expect((await dynamo.send(new ListTablesCommand({}))).TableNames).not.toContain("scratch-faulty");
  });
});

test("check of a folder that was copied to this machine", async () => {
  const disk = new ExportOnDisk();
  disk.write({ kind: "full", to: at(0) }, 0, payments(5, -100));
  expect(await backup("check", disk.top)).toMatchObject({ code: 0, err: "" });
  disk.remove(disk.aDataFile());
  expect((await backup("check", disk.top)).code).toBe(1);
  disk.delete();
  expect(await backup("check", disk.top)).toMatchObject({ code: 2, out: "" });
});

test("a restore that is not ready in time says so and leaves it running", async () => {
  let restoring = false;
  const answer = async ({ input }: { input: { TableName?: string; TargetTableName?: string } }) => {
    restoring ||= input.TargetTableName !== undefined;
    if (input.TableName === LEDGER) return { Table: { TableStatus: "ACTIVE" } };
    if (restoring) return { Table: { TableStatus: "CREATING" } };
    throw new ResourceNotFoundException({ message: "", $metadata: {} });
  };
  const slow = { send: answer } as unknown as DynamoDBClient;
  const source = { from: "time" } as const;
  const waiting = restoreTable({ dynamo: slow, table: LEDGER, into: "scratch-slow", source, waitMs: 20, pollMs: 1 });
  await expect(waiting).rejects.toMatchObject({ code: "RESTORE_TIMEOUT" });
});

test("binary, sets and nested values come back as they were", () => {
  const item: StoredItem = {
    B: { B: Buffer.from([0, 255]) },
    BS: { BS: [Buffer.from([1])] },
    M: { M: { L: { L: [{ N: "1.50" }, { NULL: true }] } } },
    SS: { SS: ["a"] },
  };
  expect(storedItem(sdkItemOf(toItemJson(item)))).toEqual(item);
});
