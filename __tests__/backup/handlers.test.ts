import { rmSync } from "node:fs";
import path from "node:path";
import { UpdateContinuousBackupsCommand } from "@aws-sdk/client-dynamodb";
import { CreateBucketCommand, type S3Client } from "@aws-sdk/client-s3";
import { ENV, TABLES } from "../../contract";
import { persistPayments } from "../../ledger/operations/persist-payments";
import { writeRequestedExports } from "../../local/export-stand-in";
import { type BundleResult, runBundle } from "../../local/run-bundle";
import { bundleHandlers, ledgerVariables } from "../support/bundles";
import { type Harness, paymentInput, startHarness } from "../support/ledger-harness";

const BUCKET = "payment-exports-bundles";
const credentials = { accessKeyId: "111122223333", secretAccessKey: "embedded" };

let harness: Harness;
let folder: string;
let s3: S3Client;
beforeAll(async () => {
  harness = await startHarness();
  folder = bundleHandlers("export-tables", "check-backup");
  ({ s3 } = harness);
  await s3.send(new CreateBucketCommand({ Bucket: BUCKET }));
  for (const { logicalName } of Object.values(TABLES)) {
    const PointInTimeRecoverySpecification = { PointInTimeRecoveryEnabled: true };
    await harness.services.dynamo.send(
      new UpdateContinuousBackupsCommand({ TableName: logicalName, PointInTimeRecoverySpecification }),
    );
  }
});
afterAll(async () => {
  rmSync(folder, { recursive: true });
  await harness?.stop();
});

function invoke(entry: string, event: unknown): Promise<BundleResult> {
  const names = Object.values(TABLES).map(({ logicalName }) => logicalName);
  const arn = (name: string) => `arn:aws:dynamodb:us-east-1:111122223333:table/${name}`;
  const environment = {
    ...ledgerVariables(harness.proxy.url, harness.keyArns),
    [ENV.exportBucket]: BUCKET,
    [ENV.exportKeyArn]: harness.keyArns.token,
    [ENV.tableArns]: names.map((name) => `${name}=${arn(name)}`).join(","),
  };
  const bundle = path.join(folder, `${entry}.js`);
  return runBundle({
    bundle,
    event,
    environment,
    credentials,
    region: "us-east-1",
    functionName: entry,
    timeoutMs: 300_000,
  });
}

test("the functions as they are deployed: exports, then the check, with log lines and metrics and no content", async () => {
  const earlier = new Date(Date.now() - 60 * 60 * 1000);
  const payment = paymentInput({ Timestamp: earlier.toISOString() });
  await persistPayments(payment, harness.call("persist_payment_ledger", earlier), harness.services);

  const exported = await invoke("export-tables", { kind: "full" });
  expect(exported).toMatchObject({
    outcome: "answered",
    answer: { outcome: "exported", tables: Array(5).fill({ started: 1 }) },
  });
  expect(exported.logs).toContain('"TablesExported":[1,1,1,1,1]');

  // Nothing is there yet: the embedded AWS says that it is, and only files count.
  const tooEarly = await invoke("check-backup", {});
  expect(tooEarly).toMatchObject({ outcome: "answered", answer: { outcome: "incomplete" } });
  expect(tooEarly.logs).toContain('"code":"CHECK_INCOMPLETE"');

  expect(await writeRequestedExports({ dynamo: harness.services.dynamo, s3 })).toHaveLength(5);
  const checked = await invoke("check-backup", {});
  expect(checked).toMatchObject({ outcome: "answered", answer: { outcome: "good" } });
  expect(checked.logs).toContain('"BackupCheckPassed":[1,1,1,1,1]');
  for (const { logs } of [exported, tooEarly, checked]) {
    expect(logs).not.toContain(payment.TransactionID);
    expect(logs).not.toContain(payment.SecureToken);
  }
});

test("an invalid request fails the function, and the log does not repeat it", async () => {
  const failed = await invoke("export-tables", { kind: "full-4711" });
  expect(failed).toMatchObject({ outcome: "failed", errorName: "TechnicalFault" });
  expect(failed.logs).toContain("BackupError");
  expect(failed.logs).not.toContain("4711");
});
