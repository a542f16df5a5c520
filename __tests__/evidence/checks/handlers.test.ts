/** The sweep and the restore drill as they are deployed: bundled, with their environment, against the embedded AWS. */
import { rmSync } from "node:fs";
import path from "node:path";
import { ENV } from "../../../contract";
import { startEmbeddedAws } from "../../../local/embedded-aws";
import { type BundleResult, runBundle } from "../../../local/run-bundle";
import { bundleHandlers, ledgerVariables } from "../../support/bundles";
import { DrillWorld, EXPORT_BUCKET, importsEnd, tables } from "./drill-world";
import { EVIDENCE_BUCKET, LOG_TABLE, minutesAfter, ORIGIN, SealedLedger } from "./sealed-ledger";

const credentials = { accessKeyId: "111122223333", secretAccessKey: "embedded" };

let world: DrillWorld;
/** Another account, whose clock is that of the functions. */
let ledger: SealedLedger;
let folder: string;
beforeAll(async () => {
  world = await DrillWorld.start();
  // Both have the same table names, so each needs an embedded AWS.
  ledger = await SealedLedger.start(await startEmbeddedAws());
  folder = bundleHandlers("sweep-audit-trail", "drill-restore");
});
afterAll(async () => {
  rmSync(folder, { recursive: true });
  await ledger?.stop();
  await world?.stop();
});

function invoke(entry: "drill-restore" | "sweep-audit-trail", event: unknown, without?: string): Promise<BundleResult> {
  const { harness, keyArn } = entry === "drill-restore" ? world.ledger : ledger;
  const environment: Record<string, string> = {
    ...ledgerVariables(harness.proxy.url, harness.keyArns),
    [ENV.evidenceBucket]: EVIDENCE_BUCKET,
    [ENV.logOrigin]: ORIGIN,
    [ENV.checkpointKeyArns]: keyArn,
    ...(entry === "drill-restore"
      ? {
          [ENV.exportBucket]: EXPORT_BUCKET,
          [ENV.exportKeyArn]: harness.keyArns.token,
          [ENV.tableArns]: tables.map(({ table, arn }) => `${table}=${arn}`).join(","),
          [ENV.drillEveryDays]: "3",
        }
      : { [ENV.logStateTable]: LOG_TABLE, [ENV.evidenceKeyArn]: keyArn }),
  };
  if (without !== undefined) delete environment[without];
  return runBundle({
    bundle: path.join(folder, `${entry}.js`),
    event,
    environment,
    credentials,
    region: "us-east-1",
    functionName: entry,
    timeoutMs: 900_000,
  });
}

test("the drill goes from its start to its verdict, a step an invocation", async () => {
  // The function's own clock runs: what it is given must be of today.
  await world.ledger.record(2, world.day(29));
  await world.exportAll(29.9);
  const begun = await invoke("drill-restore", { kind: "start" });
  expect(begun).toMatchObject({ outcome: "answered", answer: { outcome: "importing", codes: [] } });
  await importsEnd();
  const ended = await invoke("drill-restore", { kind: "step" });
  expect(ended).toMatchObject({ answer: { outcome: "idle", last: { passed: true, verdict: "tail-not-pinned" } } });
  expect(ended.logs).toContain('"RestoreDrillPassed":1');
  expect(await world.scratchTables()).toEqual([]);
  expect(await world.drillRecords()).toHaveLength(1);
});

test("the sweep seals what a stream missed; its log lines and metrics hold nothing of it", async () => {
  const now = new Date();
  const [id = ""] = await ledger.record(1, minutesAfter(now, -60));
  await ledger.seal(minutesAfter(now, -59), (table) => table === "ledger");
  await ledger.seal(now);
  const swept = await invoke("sweep-audit-trail", { kind: "sweep" });
  expect(swept).toMatchObject({ outcome: "answered", answer: { outcome: "repaired", counts: { late: 1, forged: 0 } } });
  expect(swept.logs).toContain('"RecordSealedLate":1');
  expect(swept.logs).toContain('"LogCheckPassed":1');
  expect(swept.logs).toContain('"code":"unsealed"');
  expect(swept.logs).not.toContain(id);
  await ledger.seal(new Date());
  expect(await invoke("sweep-audit-trail", { kind: "sweep" })).toMatchObject({
    answer: { outcome: "good", verdict: "ok" },
  });
});

test.each([
  ["sweep-audit-trail", ENV.logStateTable],
  ["sweep-audit-trail", ENV.checkpointKeyArns],
  ["drill-restore", ENV.evidenceBucket],
  ["drill-restore", ENV.drillEveryDays],
] as const)("%s does not start without %s", async (entry, name) => {
  const failed = await invoke(entry, { kind: "step" }, name);
  expect(failed).toMatchObject({
    outcome: "failed",
    errorName: "EnvironmentError",
    errorMessage: expect.stringContaining(name),
  });
});

test("an invalid request fails the functions, and the log does not repeat it", async () => {
  for (const entry of ["sweep-audit-trail", "drill-restore"] as const) {
    const failed = await invoke(entry, { kind: "full-4711" });
    expect(failed).toMatchObject({ outcome: "failed", errorName: "TechnicalFault" });
    expect(failed.logs).toContain("LogCheckError");
    expect(failed.logs).not.toContain("4711");
  }
});
