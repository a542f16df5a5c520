/** The restore drill with imports as AWS documents them: it never passes on a table that lacks something, and ends after a lost answer. */
import { gunzipSync, gzipSync } from "node:zlib";
import { DRILL_TABLE_PREFIX, TABLES } from "../../../contract";
import type { DrillOperationSettings } from "../../../evidence/checks/drill-operation";
import { drillTables } from "../../../evidence/checks/drill-tables";
import { DocumentedImport } from "./documented-import";
import { DrillWorld, tables } from "./drill-world";

const LEDGER = TABLES.paymentLedger.logicalName;
const DAY_OF_EXPORT = 1;

let world: DrillWorld;
let imports: DocumentedImport;
let settings: DrillOperationSettings;
/** The bytes of the export, as they were taken. */
const taken = new Map<string, Uint8Array>();
let days = DAY_OF_EXPORT + 0.1;

beforeAll(async () => {
  world = await DrillWorld.start();
  await world.ledger.record(20, world.day(0));
  await world.exportAll(DAY_OF_EXPORT);
  for (const key of await world.objectKeys("exports/")) taken.set(key, await world.bytes(key));
});
afterAll(() => world.stop());
beforeEach(async () => {
  days += 0.1;
  world.logged.length = 0;
  await world.restoreObjects();
  const { dynamo } = world.ledger.harness.services;
  imports = new DocumentedImport(dynamo, world.ledger.s3);
  settings = world.settings({ scratch: drillTables(imports.client()) });
});

const dataFiles = (table: string) =>
  [...taken.keys()].filter((key) => key.startsWith(`exports/${table}/`) && key.endsWith(".json.gz"));
const linesOf = (key: string) =>
  gunzipSync(taken.get(key) ?? Buffer.alloc(0))
    .toString("utf8")
    .split("\n")
    .filter(Boolean);

async function drill() {
  await world.step("start", days, settings);
  const { last } = await world.finish(days, settings);
  expect(await world.scratchTables()).toEqual([]);
  const report = JSON.parse(await world.object(`drills/${last?.drill}.json`));
  const findings: { verdict: string; table?: string }[] = report.verification?.findings ?? [];
  const missing = findings.filter(({ verdict, table }) => verdict === "missing" && table === LEDGER);
  return { last, problems: report.problems as string[], missing: missing.length };
}

test("whole files pass", async () => {
  expect(await drill()).toMatchObject({ last: { passed: true }, problems: [], missing: 0 });
  expect(imports.requests).toHaveLength(tables.length);
});

test("a request that is sent again after its import has ended finds its table there: the drill imports anew, and passes", async () => {
  const records = (await world.drillRecords()).length;
  imports.lostAnswers = 1;
  await expect(world.step("start", days, settings)).rejects.toThrow("socket hang up");
  expect(await world.scratchTables()).toEqual([`${DRILL_TABLE_PREFIX}${LEDGER}`]);
  const { last } = await world.finish(days, settings);
  expect(last).toMatchObject({ drill: world.day(days).toISOString(), passed: true });
  const asked = imports.requests.filter((each) => each.TableCreationParameters?.TableName?.endsWith(LEDGER));
  const [first, replayed, anew] = asked.map(({ ClientToken }) => ClientToken);
  expect(replayed).toBe(first);
  expect(anew).not.toBe(first);
  expect(asked).toHaveLength(3);
  // Its own table is nothing that an earlier drill left behind.
  expect(world.logged).toEqual([]);
  expect(await world.scratchTables()).toEqual([]);
  expect(await world.drillRecords()).toHaveLength(records + 1);
});

test("a prefix without objects gives an empty table, and every record of it is missing", async () => {
  await world.removeObjects(dataFiles(LEDGER));
  expect(await drill()).toMatchObject({ last: { verdict: "missing", passed: false }, problems: [], missing: 20 });
});

test("a file of no bytes gives no items: those it held are missing", async () => {
  const [file = ""] = dataFiles(LEDGER).filter((key) => linesOf(key).length > 0);
  await world.putObject(file, "");
  const { last, missing } = await drill();
  expect(last).toMatchObject({ verdict: "missing", passed: false });
  expect(missing).toBe(linesOf(file).length);
});

test("a file of no bytes passes where it held no items", async () => {
  for (const key of dataFiles(TABLES.paymentMessages.logicalName)) {
    expect(linesOf(key)).toEqual([]);
    await world.putObject(key, "");
  }
  expect(await drill()).toMatchObject({ last: { passed: true } });
});

test("a line that is no item leaves out the rest of its file: the error and the missing records are both named", async () => {
  const [file = ""] = dataFiles(LEDGER).sort((a, b) => linesOf(b).length - linesOf(a).length);
  const [kept = "", ...left] = linesOf(file);
  expect(left.length).toBeGreaterThan(0);
  await world.putObject(file, gzipSync([kept, "no item", ...left].join("\n")));
  const { last, problems, missing } = await drill();
  expect(last?.passed).toBe(false);
  expect(problems).toEqual([expect.stringMatching(/^The import of PaymentLedger ended with 1 error: /)]);
  expect(missing).toBe(left.length);
});

test("a bad last line alone fails the drill too, although every record is there", async () => {
  const [file = ""] = dataFiles(LEDGER);
  await world.putObject(file, gzipSync([...linesOf(file), "no item"].join("\n")));
  const { last, problems, missing } = await drill();
  expect(last).toMatchObject({ verdict: "incomplete", passed: false });
  expect([problems.length, missing]).toEqual([1, 0]);
});
