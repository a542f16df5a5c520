/** What a function's log says: one line a call, and nothing of what was sent or of an error's message. */

import type { Context } from "aws-lambda";
import type { Operation } from "../../handlers/runtime/serve";
import { PieceError } from "../../ledger/pieces/plan";
import type { Signal } from "../../ledger/store/services";
import { VARIABLES } from "./variables";

const SECRET = "tok_9fKx27Qm-secret";

const lines: string[] = [];
let makeHandler: (operation: Operation<object>) => (event: unknown) => Promise<object>;

beforeAll(() => {
  jest.replaceProperty(process, "env", {
    ...process.env,
    ...VARIABLES,
    AWS_REGION: "eu-west-1",
  });
  for (const stream of [process.stdout, process.stderr]) {
    jest.spyOn(stream, "write").mockImplementation((text) => {
      lines.push(...String(text).trimEnd().split("\n"));
      return true;
    });
  }
  // It reads its environment when it is loaded.
  const { serve } = jest.requireActual<typeof import("../../handlers/runtime/serve")>("../../handlers/runtime/serve");
  const context = { awsRequestId: "req-1", getRemainingTimeInMillis: () => 60_000 } as unknown as Context;
  makeHandler = (operation) => {
    const handler = serve("persist_payment_ledger", operation);
    return (event) => handler(event, context);
  };
});
beforeEach(() => {
  lines.length = 0;
});
afterAll(() => jest.restoreAllMocks());

const logged = () => lines.map((line) => JSON.parse(line) as Record<string, unknown>);

test("an answered call leaves one line with its outcome", async () => {
  const counts = { stored: 1, duplicate: 0, conflict: 2, refused: 0 };
  const answer = { counts, results: [{ note: SECRET }], SecureToken: SECRET };
  expect(await makeHandler(async () => answer)({ SecureToken: SECRET, Amount: "10.50" })).toBe(answer);
  expect(logged()).toEqual([
    {
      level: "INFO",
      message: "answered",
      timestamp: expect.any(String),
      service: "persist_payment_ledger",
      requestId: "req-1",
      operation: "persist_payment_ledger",
      ...counts,
      durationMs: expect.any(Number),
    },
  ]);
});

test("the line of messages or a file has what became of its entries, and how many messages go back to the queue", async () => {
  const answer = { batchItemFailures: [{ itemIdentifier: SECRET }] };
  await makeHandler(async (_event, call) => {
    call.noteOutcomes?.({ stored: 2, refused: 1 });
    call.noteOutcomes?.({ stored: 1, duplicate: 4 });
    return answer;
  })({});
  expect(logged()).toMatchObject([
    { message: "answered", stored: 3, duplicate: 4, conflict: 0, refused: 1, failed: 1 },
  ]);
  expect(lines.join()).not.toContain(SECRET);
});

const named = (name: string) => Object.assign(new Error(`The item ${SECRET} is too large`), { name, Item: SECRET });

test.each<[string, unknown, string]>([
  ["an error of the SDK", named("ValidationException"), "ValidationException"],
  ["an error whose name is input", named(`${SECRET}`), "UnknownError"],
  ["an error with a cause", new TypeError(SECRET, { cause: named("Inner") }), "TypeError"],
  ["a text that was thrown", SECRET, "UnknownError"],
])("%s leaves a line with the error's name and nothing else of it", async (_what, error, errorName) => {
  const handler = makeHandler(async () => {
    throw error;
  });
  const fault: unknown = await handler({ SecureToken: SECRET }).catch((thrown: unknown) => thrown);
  expect(fault).toMatchObject({ name: "TechnicalFault", code: "TECHNICAL_FAULT" });
  expect(`${String(fault)} ${JSON.stringify(fault)} ${(fault as Error).stack}`).not.toContain(SECRET);
  expect(logged()).toEqual([
    {
      level: "ERROR",
      message: "failed",
      timestamp: expect.any(String),
      service: "persist_payment_ledger",
      requestId: "req-1",
      operation: "persist_payment_ledger",
      errorName,
      durationMs: expect.any(Number),
    },
  ]);
});

test("an error of the project leaves its code too, and nothing of its message", async () => {
  const handler = makeHandler(async () => {
    throw new PieceError("OUT_OF_TIME", SECRET);
  });
  await expect(handler({})).rejects.toMatchObject({ code: "TECHNICAL_FAULT" });
  expect(lines.join()).not.toContain(SECRET);
  expect(logged()).toMatchObject([{ message: "failed", errorName: "PieceError", code: "OUT_OF_TIME" }]);
});

test("a failed part of a batch leaves a line with the error's name and nothing else of it", async () => {
  await makeHandler(async (_event, _call, services) => {
    services.logFault(named("InternalServerError"));
    return {};
  })({});
  expect(lines.join()).not.toContain(SECRET);
  expect(logged()).toMatchObject([{ level: "ERROR", errorName: "InternalServerError" }, { message: "answered" }]);
});

/** What the calls of the services left beside the log line. */
async function metricsOf(signals: readonly Signal[]): Promise<unknown[]> {
  await makeHandler(async (_event, _call, services) => {
    for (const signal of signals) services.signal(signal);
    return {};
  })({});
  return logged().filter((line) => "_aws" in line);
}

test("what a call signalled is one line in the embedded metric format, a value for each time", async () => {
  const [line, ...more] = await metricsOf(["PaymentConflict", "CardDataRefused", "PaymentConflict"]);
  expect(more).toEqual([]);
  const metrics = [
    { Name: "PaymentConflict", Unit: "Count" },
    { Name: "CardDataRefused", Unit: "Count" },
  ];
  expect(line).toEqual({
    _aws: {
      Timestamp: expect.any(Number),
      CloudWatchMetrics: [{ Namespace: "PaymentLedger", Dimensions: [["service"]], Metrics: metrics }],
    },
    service: "persist_payment_ledger",
    PaymentConflict: [1, 1],
    CardDataRefused: 1,
  });
  lines.length = 0;
  expect(await metricsOf([])).toEqual([]);
});

test("a line has at most the 100 values of a metric that CloudWatch takes", async () => {
  const found = await metricsOf(Array.from({ length: 250 }, () => "PaymentConflict" as const));
  expect(found.map((line) => (line as { PaymentConflict: number[] }).PaymentConflict.length)).toEqual([100, 100, 50]);
});
