// Calls a bundled function as Lambda would, in a process of its own, and prints what it took. Its argument says how
// often and how; `measured-process.ts` starts it, and peers/put_item.py does the same in Python.
"use strict";

const { bundle, mode, calls, inFlight, listLength, filesBucket } = JSON.parse(process.argv[2]);
const { handler } = require(bundle);

const payment = (number) => ({
  TransactionID: `txn-${number}`,
  SecureToken: "tok_4f2a9c31d0",
  Amount: "10.50",
  Currency: "EUR",
  ProcessorID: "acme",
  Status: "Success",
  Timestamp: "2026-11-21T10:00:00.000Z",
  Actor: "checkout",
});
const list = (number) => Array.from({ length: listLength }, (_, index) => payment(number * listLength + index));
const cpuMs = (since) => {
  const { user, system } = process.cpuUsage(since);
  return (user + system) / 1000;
};

const fileEvent = () => {
  const s3 = {
    bucket: { name: filesBucket },
    object: { key: `payments/rows-${calls}.ndjson`, versionId: "v1" },
  };
  return { Records: [{ eventSource: "aws:s3", eventName: "ObjectCreated:Put", s3 }] };
};

/** One file whose rows are the job's calls. */
async function file() {
  const context = { awsRequestId: "request-1", getRemainingTimeInMillis: () => 900_000 };
  const cpuBefore = process.cpuUsage();
  const started = performance.now();
  await handler(fileEvent(), context);
  return { cpuMs: cpuMs(cpuBefore), wallMs: performance.now() - started, payments: calls };
}

async function call(number) {
  const context = { awsRequestId: `request-${number}`, getRemainingTimeInMillis: () => 60_000 };
  const answer = await handler(mode === "list" ? list(number) : payment(number), context);
  const stored = answer.counts?.stored ?? (answer.statusCode < 300 ? 1 : 0);
  if (stored !== (mode === "list" ? listLength : 1)) throw new Error(`Not stored: ${JSON.stringify(answer)}`);
}

async function main() {
  if (mode === "file") return file();
  if (mode === "cold") {
    await call(1);
    await call(2);
    return { cpuMs: cpuMs() };
  }
  // The keys are fetched once.
  await call(0);
  const cpuBefore = process.cpuUsage();
  const started = performance.now();
  let next = 1;
  const worker = async () => {
    while (next <= calls) await call(next++);
  };
  await Promise.all(Array.from({ length: inFlight }, worker));
  return { cpuMs: cpuMs(cpuBefore), wallMs: performance.now() - started, payments: calls * (listLength ?? 1) };
}

main().then(
  (result) => process.stderr.write(`\n${JSON.stringify(result)}\n`, () => process.exit(0)),
  (error) => {
    console.error(error);
    process.exit(1);
  },
);
