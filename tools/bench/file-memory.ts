/**
 * Memory of the payment processor over a file of a million rows: the real bundle in a process of its own, against a stub
 * that answers for DynamoDB, KMS and S3 and counts what it was asked to store. `npm run bench:file-memory [-- rows [gzip]]`.
 */

import "../../local/sdk-warning";
import { execFileSync } from "node:child_process";
import { once } from "node:events";
import { mkdtempSync, readFileSync, writeFileSync } from "node:fs";
import http from "node:http";
import type { AddressInfo } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { Readable } from "node:stream";
import { createGzip } from "node:zlib";
import { unzipSync } from "fflate";
import { startBundle } from "../../local/run-bundle";
import { buildHandlers } from "../build-handlers";

const ROWS = Number(process.argv[2] ?? 1_000_000);
const IS_GZIP = process.argv[3] === "gzip";
const FILE_KEY = "payments/million.ndjson";
const PEAK_MAX_MB = 256;
/** From this row on memory must not grow any more; what it may still vary by is the garbage collector's to choose. */
const FLAT_FROM_ROW = 100_000;
const FLAT_WITHIN_MB = 48;
const BUCKET = "payment-files-bench";

interface Stub {
  readonly url: string;
  readonly transactions: () => number;
  readonly puts: ReadonlyMap<string, string>;
  stop(): Promise<void>;
}

/** Rows like a partner's: ids, amounts of two decimals, some metadata; one in 1,000 has an unknown currency. */
function* rows(count: number): Generator<string> {
  for (let from = 0; from < count; from += 1_000) {
    let chunk = "";
    for (let row = from; row < Math.min(from + 1_000, count); row++) {
      const currency = row % 1_000 === 999 ? "XXX" : "USD";
      chunk += `{"transactionId":"bench-${row}","amount":"${row % 5000}.${String(row % 100).padStart(2, "0")}","currency":"${currency}","cardLast4":"${String(row % 10_000).padStart(4, "0")}","metadata":{"merchant":"Example Store ${row % 77}","batch":${row}}}\n`;
    }
    yield chunk;
  }
}

async function startStub(): Promise<Stub> {
  let transactions = 0;
  const puts = new Map<string, string>();
  const server = http.createServer((request, response) => {
    const chunks: Buffer[] = [];
    request.on("data", (chunk: Buffer) => chunks.push(chunk));
    request.on("end", () => {
      const body = Buffer.concat(chunks);
      const target = String(request.headers["x-amz-target"] ?? "");
      if (target.endsWith(".TransactWriteItems")) {
        transactions += (body.toString("utf8").match(/"Put":/g) ?? []).length;
        response.setHeader("content-type", "application/x-amz-json-1.0").end("{}");
      } else if (target.startsWith("TrentService.")) {
        const answer = {
          CiphertextBlob: Buffer.alloc(184, 1).toString("base64"),
          Mac: Buffer.alloc(32, 7).toString("base64"),
          KeyId: "k",
        };
        response.setHeader("content-type", "application/x-amz-json-1.1").end(JSON.stringify(answer));
      } else if (request.method === "GET" && request.url?.startsWith(`/${BUCKET}/${FILE_KEY}`)) {
        const text = Readable.from(rows(ROWS));
        (IS_GZIP ? text.pipe(createGzip()) : text).pipe(response);
      } else if (request.method === "GET") {
        response.writeHead(404).end("<Error><Code>NoSuchKey</Code></Error>");
      } else {
        puts.set(decodeURIComponent(String(request.url).split("?")[0] ?? ""), body.toString("utf8"));
        response.setHeader("etag", '"stub"').end();
      }
    });
  });
  server.listen(0, "127.0.0.1");
  await once(server, "listening");
  const { port } = server.address() as AddressInfo;
  return {
    url: `http://127.0.0.1:${port}`,
    transactions: () => transactions,
    puts,
    stop: async () => {
      server.closeAllConnections();
      server.close();
      await once(server, "close");
    },
  };
}

function residentMb(pid: number): number {
  return Number(execFileSync("ps", ["-o", "rss=", "-p", String(pid)], { encoding: "utf8" }).trim()) / 1024;
}

async function main(): Promise<void> {
  const { zip } = buildHandlers({ entries: ["payment-processor"] })("payment-processor");
  const bundle = mkdtempSync(join(tmpdir(), "payment-ledger-bench-"));
  writeFileSync(join(bundle, "index.js"), unzipSync(readFileSync(zip))["index.js"] as Uint8Array);
  const stub = await startStub();
  const samples: { row: number; mb: number }[] = [];
  const startedAt = Date.now();
  try {
    const running = startBundle({
      bundle,
      event: fileEvent(),
      functionName: "payment-processor-bench",
      environment: environmentOf(stub.url),
      credentials: { accessKeyId: "111122223333", secretAccessKey: "bench" },
      region: "us-east-1",
      timeoutMs: 15 * 60 * 1000,
    });
    const timer = setInterval(() => {
      // Two records a payment: the row and its WRITE record.
      samples.push({ row: Math.round(stub.transactions() / 2), mb: residentMb(running.pid) });
    }, 250);
    const result = await running.result.finally(() => clearInterval(timer));
    if (result.outcome !== "answered") throw new Error(`The processor did not answer: ${JSON.stringify(result)}`);
    report(samples, stub, (Date.now() - startedAt) / 1000);
  } finally {
    await stub.stop();
  }
}

function report(samples: readonly { row: number; mb: number }[], stub: Stub, seconds: number): void {
  const summaryKey = [...stub.puts.keys()].find((key) => key.endsWith("/summary.json")) ?? "";
  const summary = JSON.parse(stub.puts.get(summaryKey) ?? "{}") as { rows: number; counts: Record<string, number> };
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

function environmentOf(url: string): Record<string, string> {
  const arn = (id: string) => `arn:aws:kms:us-east-1:111122223333:key/${id}`;
  return {
    AWS_ENDPOINT_URL: url,
    PAYMENT_LEDGER_TABLE: "PaymentLedger",
    PAYMENT_AUDIT_TRAIL_TABLE: "PaymentAuditTrail",
    PAYMENT_MESSAGES_TABLE: "payment-audit-trail",
    DYNAMODB_TABLE: "payment-transactions-bench",
    S3_BUCKET: BUCKET,
    REMOVE_CARD_DATA_FILES: "true",
    TOKEN_KEY_ARN: arn("token"),
    AUDIT_KEY_ARN: arn("audit"),
    MAC_KEY_ARN: arn("mac"),
    INDEX_SHARD_COUNT: "8",
    FIELD_ENCRYPTION: "cached",
    CONNECTIVITY: "embedded",
  };
}

function fileEvent(): object {
  const s3 = { bucket: { name: BUCKET }, object: { key: FILE_KEY, versionId: "v1" } };
  return { Records: [{ eventSource: "aws:s3", eventName: "ObjectCreated:Put", s3 }] };
}

void main();
