/**
 * Memory of the payment processor over a file of a million rows: the real bundle in a separate process, against a stub
 * that answers for DynamoDB, KMS and S3 and counts what it was asked to store. `npm run bench -- file-memory [rows [gzip]]`.
 */

import "../../local/sdk-warning";
import { execFileSync } from "node:child_process";
import { setTimeout as sleep } from "node:timers/promises";
import { startBundle } from "../../local/run-bundle";
import { unpackedBundle } from "./measured-process";
import { FILES_BUCKET, functionEnvironment, startStub } from "./stub";

const ROWS = Number(process.argv[2] ?? 1_000_000);
const IS_GZIP = process.argv[3] === "gzip";
const FILE_KEY = `payments/rows-${ROWS}.ndjson${IS_GZIP ? ".gz" : ""}`;
const PEAK_MAX_MB = 256;
/** From this row on memory must not grow any more; what it may still vary by is the garbage collector's to choose. */
const FLAT_FROM_ROW = 100_000;
const FLAT_WITHIN_MB = 48;

function residentMb(pid: number): number {
  return Number(execFileSync("ps", ["-o", "rss=", "-p", String(pid)], { encoding: "utf8" }).trim()) / 1024;
}

async function main(): Promise<void> {
  const bundle = unpackedBundle("payment-processor");
  const stub = await startStub();
  const samples: { row: number; mb: number }[] = [];
  const startedAt = Date.now();
  try {
    const running = startBundle({
      bundle,
      event: fileEvent(),
      functionName: "payment-processor-bench",
      environment: functionEnvironment(stub.url),
      credentials: { accessKeyId: "111122223333", secretAccessKey: "bench" },
      region: "us-east-1",
      timeoutMs: 15 * 60 * 1000,
    });
    let isRunning = true;
    const sampling = (async () => {
      while (isRunning) {
        // Two records a payment: the row and its WRITE record.
        const { items } = await stub.stored();
        const mb = isRunning ? residentMb(running.pid) : 0;
        // A process that has just ended has none.
        if (mb > 0) samples.push({ row: Math.round(items / 2), mb });
        await sleep(250);
      }
    })();
    const result = await running.result.finally(() => {
      isRunning = false;
    });
    await sampling;
    if (result.outcome !== "answered") throw new Error(`The processor did not answer: ${JSON.stringify(result)}`);
    report(samples, (await stub.stored()).objects, (Date.now() - startedAt) / 1000);
  } finally {
    stub.stop();
  }
}

function report(
  samples: readonly { row: number; mb: number }[],
  objects: Readonly<Record<string, string>>,
  seconds: number,
): void {
  const summaryKey = Object.keys(objects).find((key) => key.endsWith("/summary.json")) ?? "";
  const summary = JSON.parse(objects[summaryKey] ?? "{}") as { rows: number; counts: Record<string, number> };
  const accounted = Object.values(summary.counts).reduce((sum, count) => sum + count, 0);
  const peak = Math.max(...samples.map(({ mb }) => mb));
  const late = samples.filter(({ row }) => row >= FLAT_FROM_ROW).map(({ mb }) => mb);
  const quarter = Math.max(1, Math.floor(late.length / 4));
  const growth = Math.max(...late.slice(-quarter)) - Math.max(...late.slice(0, quarter));
  for (const at of [0.1, 0.25, 0.5, 0.75, 1]) {
    const sample = samples.filter(({ row }) => row <= ROWS * at).at(-1);
    if (sample !== undefined) console.log(`  at row ${sample.row.toLocaleString("en")}: ${sample.mb.toFixed(0)} MB`);
  }
  console.log(
    `rows: ${ROWS.toLocaleString("en")}, accounted for in the report: ${accounted.toLocaleString("en")} ${JSON.stringify(summary.counts)}`,
  );
  console.log(`peak memory of the handler process: ${peak.toFixed(0)} MB (limit ${PEAK_MAX_MB})`);
  console.log(
    `growth from row ${FLAT_FROM_ROW.toLocaleString("en")} to the end: ${growth.toFixed(0)} MB (limit ${FLAT_WITHIN_MB})`,
  );
  console.log(`time: ${seconds.toFixed(1)} s, ${Math.round(ROWS / seconds).toLocaleString("en")} rows a second`);
  const good = peak < PEAK_MAX_MB && growth < FLAT_WITHIN_MB && accounted === ROWS && summary.rows === ROWS;
  if (!good) process.exitCode = 1;
}

function fileEvent(): object {
  const s3 = { bucket: { name: FILES_BUCKET }, object: { key: FILE_KEY, versionId: "v1" } };
  return { Records: [{ eventSource: "aws:s3", eventName: "ObjectCreated:Put", s3 }] };
}

void main();
