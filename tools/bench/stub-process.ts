/** The stub as a separate process. Its first argument is the wait before each answer, in milliseconds. */

import { once } from "node:events";
import http from "node:http";
import type { AddressInfo } from "node:net";
import { Readable } from "node:stream";
import { createGzip } from "node:zlib";

const latencyMs = Number(process.argv[2] ?? 0);
/** What was asked to be stored: `GET /stored` answers with it. */
const stored = { items: 0, objects: {} as Record<string, string> };

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

function onePayment(number: string): string {
  return `{"TransactionID":"txn-${number}","SecureToken":"tok_4f2a9c31d0","Amount":"10.50","Currency":"EUR","ProcessorID":"acme","Status":"Success","Timestamp":"2026-11-21T10:00:00.000Z"}`;
}

const KMS_ANSWER = JSON.stringify({
  CiphertextBlob: Buffer.alloc(184, 1).toString("base64"),
  Mac: Buffer.alloc(32, 7).toString("base64"),
  KeyId: "k",
});

/** A file of so many rows is `rows-<count>.ndjson`, with `.gz` compressed; a file of one payment is `one/<number>.json`. */
function sendObject(path: string, response: http.ServerResponse): void {
  const [, count, gz] = /rows-(\d+)\.ndjson(\.gz)?$/.exec(path) ?? [];
  const [, one] = /\/one\/(\d+)\.json$/.exec(path) ?? [];
  if (one !== undefined) return void response.end(onePayment(one));
  if (count === undefined) return void response.writeHead(404).end("<Error><Code>NoSuchKey</Code></Error>");
  const text = Readable.from(rows(Number(count)));
  (gz === undefined ? text : text.pipe(createGzip())).pipe(response);
}

function answer(request: http.IncomingMessage, body: Buffer, response: http.ServerResponse): void {
  const target = String(request.headers["x-amz-target"] ?? "");
  const path = decodeURIComponent(String(request.url).split("?")[0] ?? "");
  if (target.startsWith("DynamoDB_")) {
    stored.items += target.endsWith(".PutItem") ? 1 : (body.toString("latin1").match(/"Put":/g) ?? []).length;
    response.setHeader("content-type", "application/x-amz-json-1.0").end("{}");
  } else if (target.startsWith("TrentService.")) {
    response.setHeader("content-type", "application/x-amz-json-1.1").end(KMS_ANSWER);
  } else if (path === "/stored") {
    response.setHeader("content-type", "application/json").end(JSON.stringify(stored));
  } else if (request.method === "GET") {
    sendObject(path, response);
  } else {
    stored.objects[path] = body.toString("utf8");
    response.setHeader("etag", '"stub"').end();
  }
}

const server = http.createServer({ keepAliveTimeout: 60_000 }, (request, response) => {
  const chunks: Buffer[] = [];
  request.on("data", (chunk: Buffer) => chunks.push(chunk));
  request.on("end", () => {
    const body = Buffer.concat(chunks);
    if (latencyMs === 0) answer(request, body, response);
    else setTimeout(() => answer(request, body, response), latencyMs);
  });
});

async function main(): Promise<void> {
  server.listen(0, "127.0.0.1");
  await once(server, "listening");
  process.send?.({ port: (server.address() as AddressInfo).port });
}

process.once("disconnect", () => process.exit(0));
void main();
