import { createHash } from "node:crypto";
import { setTimeout as delay } from "node:timers/promises";
import { gzipSync } from "node:zlib";
import { DescribeExportCommand, ListExportsCommand, UpdateContinuousBackupsCommand } from "@aws-sdk/client-dynamodb";
import {
  CreateBucketCommand,
  DeleteObjectCommand,
  GetObjectCommand,
  ListObjectsV2Command,
  PutObjectCommand,
  type S3Client,
} from "@aws-sdk/client-s3";
import { type CheckResponse, checkBackups } from "../../backup/check-operation";
import { exportTables } from "../../backup/export-operation";
import { dynamoExportService } from "../../backup/export-service";
import { s3StateStore } from "../../backup/state-store";
import { PIECES_PREFIXES, TABLES } from "../../contract";
import { persistPayments } from "../../ledger/operations/persist-payments";
import { updatePaymentStatus } from "../../ledger/operations/update-status";
import { textOf } from "../../ledger/rules/stored-item";
import { writeRequestedExports } from "../../local/export-stand-in";
import { pieceDefinition } from "../../stacks/constructs/piece-machine";
import { type Harness, paymentInput, startHarness } from "../support/ledger-harness";
import { runMachine } from "../support/state-machine";

const BUCKET = "payment-exports-test";
const KEY_ARN = "arn:aws:kms:us-east-1:111122223333:key/0a1b2c3d-4e5f-4a6b-8c7d-9e0f1a2b3c4d";
const DAY = 24 * 60 * 60 * 1000;
/** The ledger's clock in this file: far enough in the past that recovery reaches everything. */
const START = Date.now() - 20 * DAY;
const at = (days: number) => new Date(START + days * DAY);
const tables = Object.values(TABLES).map(({ logicalName }) => ({
  table: logicalName,
  arn: `arn:aws:dynamodb:us-east-1:111122223333:table/${logicalName}`,
}));

let harness: Harness;
let s3: S3Client;
beforeAll(async () => {
  harness = await startHarness();
  ({ s3 } = harness);
  await s3.send(new CreateBucketCommand({ Bucket: BUCKET }));
  for (const { table } of tables) {
    const PointInTimeRecoverySpecification = { PointInTimeRecoveryEnabled: true };
    await harness.services.dynamo.send(
      new UpdateContinuousBackupsCommand({ TableName: table, PointInTimeRecoverySpecification }),
    );
  }
});
afterAll(() => harness?.stop());

const logged: string[] = [];
const logLine = (_: string, table: string, code: string) => logged.push(`${table} ${code}`);

function exportAll(kind: "incremental" | "full", days: number) {
  const service = dynamoExportService(harness.services.dynamo, BUCKET, KEY_ARN);
  const settings = { tables, service, states: s3StateStore(s3, BUCKET), logLine };
  return exportTables({ kind }, harness.call("export_tables", at(days)), harness.services, settings);
}

function checkAll(days: number) {
  const settings = { tables, s3, bucket: BUCKET, states: s3StateStore(s3, BUCKET), logLine };
  const call = harness.call("check_backup", at(days));
  return checkBackups({}, call, harness.services, settings) as Promise<CheckResponse>;
}

/** The same by the state machine of the plan, in pieces. @param visited gets the names of its states. */
async function checkAllInPieces(days: number, visited: string[] = []): Promise<CheckResponse> {
  const pieces = { count: 3, s3, bucket: BUCKET, keyArn: KEY_ARN, prefix: PIECES_PREFIXES.checkBackup };
  const settings = { tables, s3, bucket: BUCKET, states: s3StateStore(s3, BUCKET), logLine, pieces };
  return runMachine(
    pieceDefinition({ partition: "aws", functionArn: "check", pieces: pieces.count }),
    `run-${runs++}`,
    (event) =>
      checkBackups(
        event,
        { ...harness.call("check_backup", at(days)), remainingMs: () => 900_000 },
        harness.services,
        settings,
      ),
    visited,
  ) as Promise<CheckResponse>;
}
let runs = 1;

async function reportText(key: string): Promise<string> {
  const { Body } = await s3.send(new GetObjectCommand({ Bucket: BUCKET, Key: key }));
  return (await Body?.transformToString()) ?? "";
}

/** The report without what differs between two calls of the function. */
async function foundIn({ report }: CheckResponse): Promise<object> {
  const { checkedAt: _at, requestId: _id, ...found } = JSON.parse(await reportText(report));
  return found;
}

const write = () => writeRequestedExports({ dynamo: harness.services.dynamo, s3, filesOfExport: 2 });

async function record(count: number, days: number): Promise<string[]> {
  const payments = Array.from({ length: count }, () =>
    paymentInput({ Timestamp: at(days).toISOString(), Status: "Failure" }),
  );
  const answer = await persistPayments(payments, harness.call("persist_payment_ledger", at(days)), harness.services);
  expect(answer).toMatchObject({ counts: { stored: count } });
  return payments.map(({ TransactionID }) => TransactionID);
}

async function objectsUnder(prefix: string): Promise<string[]> {
  const answer = await s3.send(new ListObjectsV2Command({ Bucket: BUCKET, Prefix: prefix }));
  return (answer.Contents ?? []).map(({ Key }) => Key ?? "");
}

/** Empties the newest full export of each table, as a forger would: everything in it agrees. @returns the original files. */
async function forgeFullExports(exportTime: string): Promise<Map<string, Buffer>> {
  const asItWas = new Map<string, Buffer>();
  const md5 = (body: string | Buffer) => createHash("md5").update(body).digest("base64");
  const put = (Key: string, Body: string | Buffer) => s3.send(new PutObjectCommand({ Bucket: BUCKET, Key, Body }));
  for (const { table } of tables) {
    const keys = await objectsUnder(`exports/${table}/full`);
    const newest = keys
      .map((key) => key.split("/")[3] ?? "")
      .sort()
      .at(-1);
    const own = keys.filter((key) => key.includes(`/${newest}/`));
    for (const key of own) {
      const { Body } = await s3.send(new GetObjectCommand({ Bucket: BUCKET, Key: key }));
      asItWas.set(key, Buffer.from((await Body?.transformToByteArray()) ?? []));
    }
    const empty = gzipSync("");
    for (const key of own.filter((each) => each.endsWith(".json.gz"))) await put(key, empty);
    for (const key of own.filter((each) => each.endsWith(".json"))) {
      const text = String(asItWas.get(key))
        .replaceAll(/"itemCount":\d+/g, '"itemCount":0')
        .replaceAll(/"md5Checksum":"[^"]+"/g, `"md5Checksum":"${md5(empty)}"`)
        .replace(/("exportTime":)"[^"]+"/, `$1"${exportTime}"`);
      await put(key, text);
      await put(key.replace(/\.json$/, ".md5"), md5(text));
    }
  }
  return asItWas;
}

const signalsOf = (run: () => Promise<unknown>) => {
  const before = harness.signals.length;
  return run().then(() => harness.signals.slice(before));
};

test("exports and their check over a week: full, increments, a status change, a check that is audited", async () => {
  const [first = ""] = await record(30, 0);
  expect(await signalsOf(() => exportAll("incremental", 1))).toEqual(Array(5).fill("TablesExported"));
  expect(await write()).toHaveLength(5);
  await record(20, 1.5);
  const change = { TransactionID: first, ExpectedStatus: "Failure", Status: "Success", Reason: "Late", Actor: "tests" };
  expect(
    await updatePaymentStatus(change, harness.call("update_payment_status", at(1.6)), harness.services),
  ).toMatchObject({ outcome: "updated" });
  const run = await exportAll("incremental", 3);
  expect(run.tables.map(({ started }) => started)).toEqual([2, 2, 2, 2, 2]);
  expect(await write()).toHaveLength(10);

  const signals = await signalsOf(async () => {
    const answer = await checkAll(3.1);
    expect(answer).toMatchObject({
      outcome: "good",
      tables: tables.map(({ table }) => ({ table, verdict: "good", codes: [] })),
    });
    const report = await s3.send(new GetObjectCommand({ Bucket: BUCKET, Key: answer.report }));
    const text = (await report.Body?.transformToString()) ?? "";
    const { tables: checks } = JSON.parse(text) as {
      tables: { report: { comparisons: object[]; exports: { items: number }[] } }[];
    };
    expect(checks[0]?.report.exports.map(({ items }) => items)).toEqual([30, 21, 0]);
    expect(checks[0]?.report.comparisons).toEqual([expect.objectContaining({ compared: 50, undated: 0 })]);
    expect(checks[1]?.report.comparisons).toEqual([expect.objectContaining({ compared: 51 })]);
  });
  expect(signals).toEqual(Array(5).fill("BackupCheckPassed"));
  const audited = (await harness.scan("audit")).filter((item) => textOf(item, "Action") === "BACKUP_CHECK");
  expect(audited.map((item) => textOf(item, "Table")).sort()).toEqual(tables.map(({ table }) => table).sort());
  expect(logged).toEqual([]);
});

test("what is asked of DynamoDB", async () => {
  const { ExportSummaries = [] } = await harness.services.dynamo.send(
    new ListExportsCommand({ TableArn: tables[0]?.arn }),
  );
  const first = await harness.services.dynamo.send(
    new DescribeExportCommand({ ExportArn: ExportSummaries[0]?.ExportArn }),
  );
  expect(first.ExportDescription).toMatchObject({
    ExportFormat: "DYNAMODB_JSON",
    ExportType: "FULL_EXPORT",
    S3Bucket: BUCKET,
    S3BucketOwner: "111122223333",
    S3SseAlgorithm: "KMS",
    S3SseKmsKeyId: KEY_ARN,
    S3Prefix: expect.stringMatching(/^exports\/PaymentLedger\/full\/\d{8}T\d{6}Z\/1$/),
  });
  const call = harness.proxy.calls.find(({ input }) => input?.["ExportType"] === "INCREMENTAL_EXPORT");
  expect(call?.input?.["IncrementalExportSpecification"]).toEqual({
    ExportFromTime: expect.any(Number),
    ExportToTime: expect.any(Number),
    ExportViewType: "NEW_AND_OLD_IMAGES",
  });
});

test("in pieces, by the state machine: the report, the records and the signals of the whole, and each piece scans its segment", async () => {
  const whole = await checkAll(3.11);
  harness.proxy.reset();
  const visited: string[] = [];
  const signals = await signalsOf(async () => {
    const inPieces = await checkAllInPieces(3.12, visited);
    expect({ ...inPieces, report: "" }).toEqual({ ...whole, report: "" });
    expect(await foundIn(inPieces)).toEqual(await foundIn(whole));
  });
  expect(signals).toEqual(Array(5).fill("BackupCheckPassed"));
  expect(visited.filter((name) => name === "ReadPiece")).toHaveLength(3);
  const scans = harness.proxy.calls.filter(({ target }) => target === "DynamoDB.Scan");
  expect(scans.map(({ input }) => [input?.["TotalSegments"], input?.["Select"]])).toEqual(
    scans.map(() => [3, "SPECIFIC_ATTRIBUTES"]),
  );
  expect(new Set(scans.map(({ input }) => `${input?.["TableName"]} ${input?.["Segment"]}`)).size).toBe(5 * 3);
});

test("a file that is lost in the bucket fails the check of that table, by name", async () => {
  const [file = ""] = (await objectsUnder("exports/PaymentLedger/full")).filter((key) => key.endsWith(".json.gz"));
  await s3.send(new DeleteObjectCommand({ Bucket: BUCKET, Key: file }));
  logged.length = 0;
  const signals = await signalsOf(async () => {
    const answer = await checkAll(3.2);
    expect(answer.outcome).toBe("faulty");
    expect(answer.tables[0]?.codes).toEqual(expect.arrayContaining(["MISSING_FILE", "WRONG_COUNT", "MISSING_ITEM"]));
    const report = await s3.send(new GetObjectCommand({ Bucket: BUCKET, Key: answer.report }));
    expect(await report.Body?.transformToString()).toContain(`"file": "${file}"`);
  });
  expect(signals).toEqual(["BackupCheckFailed", ...Array(4).fill("BackupCheckPassed")]);
  expect(logged).toContain("PaymentLedger MISSING_FILE");
  const visited: string[] = [];
  expect(await foundIn(await checkAllInPieces(3.3, visited))).toEqual(await foundIn(await checkAll(3.4)));
  // The missing keys take a second round.
  expect(visited.filter((name) => name === "ReadPiece")).toHaveLength(6);
});

test("in pieces: an object that the check did not write ends it, and so does a piece of a run that was not begun", async () => {
  const pieces = { count: 2, s3, bucket: BUCKET, keyArn: KEY_ARN, prefix: PIECES_PREFIXES.checkBackup };
  const settings = { tables, s3, bucket: BUCKET, states: s3StateStore(s3, BUCKET), logLine, pieces };
  const call = (event: object) =>
    checkBackups(
      event,
      { ...harness.call("check_backup", at(3.5)), remainingMs: () => 900_000 },
      harness.services,
      settings,
    );
  const left = await call({ kind: "merge", run: "forged" });
  expect(left).toMatchObject({ outcome: "pieces-left", run: "forged", part: "exports", round: 0, pieces: [0, 1] });
  const Key = "pieces/backup/forged/exports/round-0/piece-1/done";
  await s3.send(new PutObjectCommand({ Bucket: BUCKET, Key, Body: `${"0".repeat(64)}done` }));
  await expect(call({ kind: "merge", run: "forged" })).rejects.toMatchObject({ code: "PIECE_FORGED" });
  const unknown = { kind: "piece", run: "unknown", part: "exports", piece: 0 };
  await expect(call(unknown)).rejects.toMatchObject({ code: "NO_PLAN" });
  const late = { ...harness.call("check_backup", at(3.5)), remainingMs: () => 10_000 };
  await expect(
    checkBackups({ kind: "piece", run: "forged", part: "exports", piece: 0 }, late, harness.services, settings),
  ).rejects.toMatchObject({ code: "OUT_OF_TIME" });
});

test("a new full export mends it, once it is there", async () => {
  await exportAll("full", 4);
  await write();
  // The embedded AWS says after a second that it has ended, and the next run notes it.
  await delay(1_200);
  await exportAll("incremental", 4);
  expect(await checkAll(4.1)).toMatchObject({ outcome: "good" });
});

test("three runs at once start each export once", async () => {
  await Promise.all([exportAll("incremental", 6), exportAll("incremental", 6), exportAll("incremental", 6)]);
  expect(await write()).toHaveLength(10);
  expect(await checkAll(6.1)).toMatchObject({ outcome: "good" });
});

test("a lost answer of DynamoDB, and a run that ends before it can note it, start nothing twice", async () => {
  const lost = harness.proxy.inject({
    target: "DynamoDB.ExportTableToPointInTime",
    calls: { from: 1, to: 5 },
    fault: { kind: "loseAnswer" },
  });
  await expect(exportAll("incremental", 7)).rejects.toThrow();
  lost.remove();
  await exportAll("incremental", 7);
  expect(await write()).toHaveLength(5);
  expect(await checkAll(7.1)).toMatchObject({ outcome: "good" });
});

test("emptied exports of all tables, dated before the first record: each is named, and no table is good", async () => {
  const asItWas = await forgeFullExports(at(-2).toISOString());
  const answer = await checkAll(7.2);
  expect(answer.outcome).toBe("faulty");
  expect(answer.tables.map(({ table, verdict }) => [table, verdict])).toEqual(
    tables.map(({ table }) => [table, "faulty"]),
  );
  for (const { codes } of answer.tables) expect(codes).toContain("WRONG_WINDOW");
  for (const { codes } of answer.tables.slice(0, 2)) expect(codes).toContain("MISSING_ITEM");
  for (const [key, body] of asItWas) await s3.send(new PutObjectCommand({ Bucket: BUCKET, Key: key, Body: body }));
  expect(await checkAll(7.3)).toMatchObject({ outcome: "good" });
});

test("a full export that is older than its schedule allows does not count as a good export", async () => {
  const answer = await checkAll(15.2);
  for (const { codes } of answer.tables) expect(codes).toContain("STALE_EXPORT");
});

test("an export that left nothing, and windows that stopped, fail the check", async () => {
  await exportAll("incremental", 8);
  expect(await checkAll(8.1)).toMatchObject({ outcome: "good" });
  const late = await checkAll(8.5);
  expect(late.tables[0]).toMatchObject({ verdict: "faulty", codes: ["MISSING_EXPORT"] });
  await write();
  expect((await checkAll(10.5)).tables[0]).toMatchObject({ verdict: "faulty", codes: ["STALE_EXPORT"] });
});

test("an invalid request and switched-off recovery are errors that say so", async () => {
  const settings = {
    tables,
    service: dynamoExportService(harness.services.dynamo, BUCKET, KEY_ARN),
    states: s3StateStore(s3, BUCKET),
    logLine,
  };
  await expect(exportTables({ kind: "some" }, harness.call(), harness.services, settings)).rejects.toMatchObject({
    code: "BAD_REQUEST",
  });
  const off = { PointInTimeRecoveryEnabled: false };
  await harness.services.dynamo.send(
    new UpdateContinuousBackupsCommand({ TableName: "PaymentLedger", PointInTimeRecoverySpecification: off }),
  );
  logged.length = 0;
  const before = harness.signals.length;
  await expect(exportAll("incremental", 11)).rejects.toMatchObject({ code: "PITR_DISABLED" });
  // The other tables are exported nevertheless.
  expect(harness.signals.slice(before)).toEqual(["ExportFailed", ...Array(4).fill("TablesExported")]);
  expect(logged).toEqual(["PaymentLedger PITR_DISABLED"]);
});

test("a state that somebody edited is refused, not guessed at", async () => {
  const states = s3StateStore(s3, BUCKET);
  const { version } = await states.load("PaymentLedger");
  expect(await states.save({ format: 1, table: "x", exportedUntil: "x", exports: [] }, '"another"')).toBeUndefined();
  await states.save({ format: 1, table: "PaymentLedger", exportedUntil: "yesterday", exports: [] }, version);
  await expect(states.load("PaymentLedger")).rejects.toMatchObject({ code: "BAD_STATE" });
});
