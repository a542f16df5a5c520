/** The restore drill, from the exports to the removed scratch tables, and what it finds when they are not what was sealed. */
import { CreateTableCommand } from "@aws-sdk/client-dynamodb";
import { shapeOf } from "../../../backup/export-lines";
import { keyAttributes } from "../../../backup/restore-plan";
import { DRILL_TABLE_PREFIX, TABLES } from "../../../contract";
import { drillRestore } from "../../../evidence/checks/drill-operation";
import { drillTables } from "../../../evidence/checks/drill-tables";
import { updatePaymentStatus } from "../../../ledger/operations/update-status";
import { textOf } from "../../../ledger/rules/stored-item";
import { everythingIn } from "../../support/ledger-harness";
import { DrillWorld, importsEnd, tables } from "./drill-world";

let world: DrillWorld;
let first: string;
beforeAll(async () => {
  world = await DrillWorld.start();
});
afterAll(() => world?.stop());
beforeEach(() => {
  world.logged.length = 0;
});
afterEach(() => world.restoreObjects());

const changeStatus = async (TransactionID: string, from: string, to: string, days: number) => {
  const change = { TransactionID, ExpectedStatus: from, Status: to, Reason: "Late", Actor: "tests" };
  const call = world.ledger.harness.call("update_payment_status", world.day(days));
  expect(await updatePaymentStatus(change, call, world.ledger.harness.services)).toMatchObject({ outcome: "updated" });
};

interface Report {
  readonly verdict: string;
  readonly passed: boolean;
  readonly exports: readonly { readonly table: string; readonly takenAt: string; readonly items: number }[];
  readonly problems: readonly string[];
  readonly verification?: {
    readonly counts: { readonly records: number };
    readonly findings: readonly { readonly verdict: string; readonly key?: readonly string[] }[];
  };
}

async function reportOf(drill: string | undefined): Promise<Report> {
  return JSON.parse(await world.object(`drills/${drill}.json`)) as Report;
}

test("without a full export of every table there is no drill, and it says so", async () => {
  const signals = await world.signals(async () => {
    expect(await world.step("step", 0)).toEqual({ outcome: "idle", codes: ["NO_EXPORT"] });
  });
  expect([signals, world.logged]).toEqual([[], ["NO_EXPORT"]]);
  expect(await world.objectKeys("drills/")).toEqual([]);
});

test("from the exports to the removed tables: the restored tables agree with the log, and the trail says so", async () => {
  const payments = await world.ledger.record(20, world.day(0));
  first = payments[0] ?? "";
  await world.ledger.seal(world.day(0.05));
  await changeStatus(first, "Success", "Failure", 0.1);
  await world.ledger.seal(world.day(0.2));
  await world.exportAll(1);
  // What was written after the export is in the log, and may not be missed in the restored tables.
  await world.ledger.record(5, world.day(1.1));
  await world.ledger.seal(world.day(1.1));
  await changeStatus(payments[1] ?? "", "Success", "Failure", 1.1);
  await world.ledger.seal(world.day(1.2));
  const before = await world.tableNames();

  world.ledger.harness.proxy.reset();
  const signals = await world.signals(async () => {
    const begun = await world.step("step", 1.3);
    expect(begun).toMatchObject({ outcome: "importing", drill: world.day(1.3).toISOString(), codes: [] });
    expect(await world.scratchTables()).toEqual(tables.map(({ table }) => `${DRILL_TABLE_PREFIX}${table}`).sort());
    const ended = await world.finish(1.35);
    expect(ended).toMatchObject({ outcome: "idle", last: { drill: begun.drill, passed: true }, codes: [] });
  });
  expect(signals).toEqual(["RestoreDrillPassed"]);
  expect(await world.tableNames()).toEqual(before);

  const report = await reportOf(world.day(1.3).toISOString());
  expect(report).toMatchObject({ passed: true, problems: [], verification: { findings: expect.any(Array) } });
  expect(report.exports.map(({ table, items }) => [table, items])).toEqual([
    ["PaymentLedger", 20],
    ["PaymentAuditTrail", 21],
    ["payment-audit-trail", 0],
    ["payment-transactions", 0],
    ["PaymentEvents", 0],
  ]);
  expect(report.verification?.counts.records).toBe(41);
  const records = await world.drillRecords();
  expect(records).toHaveLength(1);
  expect(textOf(records[0] ?? {}, "Actor")).toBe("drill_restore");
  expect(textOf(records[0] ?? {}, "Table")).toBeUndefined();
});

test("what is asked of DynamoDB: imports into scratch tables with the original's key, and nothing of other tables", async () => {
  const { calls } = world.ledger.harness.proxy;
  const asked = (target: string) => calls.filter((call) => call.target === `DynamoDB.${target}`);
  expect(asked("ImportTable")).toHaveLength(5);
  expect(asked("ImportTable")[0]?.input).toMatchObject({
    ClientToken: expect.stringMatching(/^[0-9a-f]{36}$/),
    InputFormat: "DYNAMODB_JSON",
    InputCompressionType: "GZIP",
    S3BucketSource: {
      S3BucketOwner: "111122223333",
      S3KeyPrefix: expect.stringContaining("exports/PaymentLedger/full/"),
    },
    TableCreationParameters: { TableName: `${DRILL_TABLE_PREFIX}PaymentLedger`, BillingMode: "PAY_PER_REQUEST" },
  });
  const removed = asked("DeleteTable").map(({ input }) => String(input?.["TableName"]));
  expect(new Set(removed)).toEqual(new Set(tables.map(({ table }) => `${DRILL_TABLE_PREFIX}${table}`)));
  const scanned = asked("Scan").map(({ input }) => String(input?.["TableName"]));
  expect(scanned.every((name) => name.startsWith(DRILL_TABLE_PREFIX))).toBe(true);
});

test("the next drill waits for its turn, continues the log that the last one saw, and is recorded in its own right", async () => {
  expect(await world.step("step", 4)).toMatchObject({ outcome: "idle", last: { drill: world.day(1.3).toISOString() } });
  await world.ledger.seal(world.day(4.4));
  expect(await world.step("step", 4.5)).toMatchObject({ outcome: "importing" });
  const ended = await world.finish(4.5);
  expect(ended.last).toMatchObject({ drill: world.day(4.5).toISOString(), verdict: "ok", passed: true });
  expect(await world.drillRecords()).toHaveLength(2);
});

test("an amount that was changed in the export is found, by its id, and the tables are still removed", async () => {
  await world.exportAll(5);
  await world.forgeExport("PaymentLedger", (line) => [
    line.includes(`"${first}"`) ? line.replace('"Amount":{"S":"10.50"}', '"Amount":{"S":"99.50"}') : line,
  ]);
  const signals = await world.signals(async () => {
    expect((await world.drill(5.1)).last).toMatchObject({ verdict: "altered", passed: false });
  });
  expect(signals).toEqual(["RestoreDrillFailed"]);
  const report = await reportOf(world.day(5.1).toISOString());
  expect(report.verification?.findings.filter(({ verdict }) => verdict === "altered")).toEqual([
    expect.objectContaining({ table: "PaymentLedger", key: [first] }),
  ]);
  expect(JSON.stringify(report)).not.toContain("99.50");
  expect(await world.scratchTables()).toEqual([]);
});

test("a record that the export lacks is found missing", async () => {
  await world.forgeExport("PaymentLedger", (line) => (line.includes(`"${first}"`) ? [] : [line]));
  expect((await world.drill(5.11)).last).toMatchObject({ verdict: "missing", passed: false });
});

test("items that DynamoDB could not import fail the drill, whatever else it finds", async () => {
  const keyless = '{"Item":{"Note":{"S":"without a key"}}}';
  await world.forgeExport("PaymentLedger", (line) => (line.includes(`"${first}"`) ? [line, keyless] : [line]));
  const { last } = await world.drill(5.12);
  expect(last).toMatchObject({ verdict: "incomplete", passed: false });
  expect((await reportOf(last?.drill)).problems).toEqual([
    expect.stringContaining("The import of PaymentLedger ended"),
  ]);
});

test("an import that ends with errors fails the drill, although all that was sealed is there", async () => {
  await world.ledger.seal(world.day(5.13));
  const real = drillTables(world.ledger.harness.services.dynamo);
  const refusing = {
    ...real,
    importResult: async (arn: string) => {
      const result = await real.importResult(arn);
      return result.status === "completed" ? { ...result, errors: 2 } : result;
    },
  };
  const settings = world.settings({ scratch: refusing });
  await world.step("start", 5.13, settings);
  const { last } = await world.finish(5.13, settings);
  expect(last).toMatchObject({ verdict: "incomplete", passed: false });
  const { problems, verification } = await reportOf(last?.drill);
  expect(problems).toHaveLength(5);
  expect(problems[0]).toMatch(/^The import of PaymentLedger ended with 2 errors: items of the export may be missing/);
  expect(verification?.findings.map(({ verdict }) => verdict)).toEqual(Array(5).fill("incomplete"));
});

test("an export that is no gzip at all fails the drill with DynamoDB's reason", async () => {
  const files = (await world.objectKeys("exports/payment-transactions/full/")).filter((key) => key.endsWith(".gz"));
  await world.putObject(files.at(-1) ?? "", "no gzip");
  const { last } = await world.drill(5.14);
  expect(last).toMatchObject({ verdict: "incomplete", passed: false });
  expect((await reportOf(last?.drill)).problems).toEqual([expect.stringContaining("payment-transactions")]);
  expect(await world.scratchTables()).toEqual([]);
});

test("tables that an earlier drill left behind are reported, removed and replaced", async () => {
  await world.ledger.seal(world.day(5.15));
  const left = `${DRILL_TABLE_PREFIX}${TABLES.paymentMessages.logicalName}`;
  await world.ledger.harness.services.dynamo.send(
    new CreateTableCommand({
      TableName: left,
      BillingMode: "PAY_PER_REQUEST",
      ...keyAttributes(shapeOf("payment-audit-trail")),
    }),
  );
  const signals = await world.signals(async () => {
    expect((await world.drill(5.15)).last).toMatchObject({ verdict: "ok", passed: true });
  });
  expect([signals, world.logged]).toEqual([["RestoreDrillFailed", "RestoreDrillPassed"], ["LEFTOVER_TABLE"]]);
});

test("what a step has found is reported although the step fails after it", async () => {
  const left = `${DRILL_TABLE_PREFIX}${TABLES.paymentMessages.logicalName}`;
  const logged: string[] = [];
  let removed = false;
  const settings = world.settings({
    scratch: {
      ...drillTables(world.ledger.harness.services.dynamo),
      statusOf: async (name) => (name === left && !removed ? "ACTIVE" : undefined),
      remove: async () => {
        removed = true;
      },
      startImport: async () => {
        throw new Error("throttled");
      },
    },
    logLine: (_requestId, code) => logged.push(code),
  });
  const signals = await world.signals(() => expect(world.step("start", 5.16, settings)).rejects.toThrow("throttled"));
  expect([signals, logged]).toEqual([["RestoreDrillFailed"], ["LEFTOVER_TABLE"]]);
  expect((await world.finish(5.16)).last).toMatchObject({ passed: true });
});

test("gutted exports of all tables, dated back to before the first record: each is named, and the drill does not pass", async () => {
  const exportTime = world.day(-1).toISOString();
  for (const { table } of tables) await world.forgeExport(table, () => [], exportTime);
  expect((await world.drill(5.17)).last).toMatchObject({ passed: false });
  const report = await reportOf(world.day(5.17).toISOString());
  expect(report.passed).toBe(false);
  expect(report.problems).toEqual(
    tables.map(({ table }) =>
      expect.stringMatching(`^The full export of ${table} of .* calls itself .* ${exportTime}.$`),
    ),
  );
  const missing = report.verification?.findings.filter(({ verdict }) => verdict === "missing") ?? [];
  expect(missing.map(({ key = [] }) => key[0])).toContain(first);
});

test("an import that never ends fails after a day, and its tables are removed", async () => {
  const { dynamo } = world.ledger.harness.services;
  const stuck = { ...drillTables(dynamo), importResult: async () => ({ status: "running" as const }) };
  const settings = world.settings({ scratch: stuck });
  expect(await world.step("start", 9, settings)).toMatchObject({ outcome: "importing" });
  expect(await world.step("step", 9.9, settings)).toMatchObject({ outcome: "importing" });
  const signals = await world.signals(async () => {
    expect((await world.finish(10.1, settings)).last).toMatchObject({ verdict: "incomplete", passed: false });
  });
  expect(signals).toEqual(["RestoreDrillFailed"]);
  expect(await world.scratchTables()).toEqual([]);
});

test("an import that fails ends the drill with DynamoDB's reason", async () => {
  const { dynamo } = world.ledger.harness.services;
  const failing = {
    ...drillTables(dynamo),
    importResult: async () => ({ status: "failed" as const, code: "S3AccessDenied" }),
  };
  const settings = world.settings({ scratch: failing });
  await world.step("start", 11, settings);
  const { last } = await world.finish(11, settings);
  expect(last).toMatchObject({ verdict: "incomplete", passed: false });
  expect((await reportOf(last?.drill)).problems[0]).toContain("S3AccessDenied");
  expect(await world.scratchTables()).toEqual([]);
});

test("time that runs out is a separate verdict, never a pass", async () => {
  const { harness } = world.ledger;
  const settings = world.settings();
  await world.step("start", 12, settings);
  await importsEnd();
  const call = { ...harness.call("drill_restore", world.day(12)), remainingMs: () => 1_000 };
  await drillRestore({ kind: "step" }, call, harness.services, settings);
  expect((await world.finish(12)).last).toMatchObject({ verdict: "incomplete", passed: false });
});

test("two at once are one drill", async () => {
  await Promise.all([world.step("start", 13), world.step("start", 13), world.step("start", 13)]);
  const before = (await world.drillRecords()).length;
  await Promise.all([world.finish(13), world.finish(13), world.finish(13)]);
  const { last } = await world.finish(13);
  // The log was last sealed days before.
  expect(last).toMatchObject({ drill: world.day(13).toISOString(), verdict: "stale", passed: false });
  expect(await world.drillRecords()).toHaveLength(before + 1);
  expect(await world.scratchTables()).toEqual([]);
});

test.each([{}, { kind: "begin" }, { kind: "start", table: "PaymentLedger" }, null])(
  "%j is no request",
  async (event) => {
    const { harness } = world.ledger;
    await expect(
      drillRestore(event, harness.call("drill_restore"), harness.services, world.settings()),
    ).rejects.toMatchObject({ code: "BAD_REQUEST" });
  },
);

test("exports that are older than their schedule allows fail the drill", async () => {
  await world.ledger.seal(world.day(22.4));
  expect((await world.drill(22.5)).last).toMatchObject({ passed: false });
  const report = await reportOf(world.day(22.5).toISOString());
  expect(report.problems).toEqual(tables.map(() => expect.stringContaining("is more than 8 days old.")));
});

test("its records and reports tell nothing of a payment but ids", async () => {
  const text = everythingIn(await world.drillRecords());
  expect(text).not.toContain("tok_");
  for (const key of await world.objectKeys("drills/")) expect(await world.object(key)).not.toContain("SecureToken");
});
