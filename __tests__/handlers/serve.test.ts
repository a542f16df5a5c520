/** What a function's log says: one line a call, and nothing of what was sent or of an error's message. */

import type { Context } from "aws-lambda";
import type { Operation } from "../../handlers/runtime/serve";
import { PieceError } from "../../ledger/pieces/plan";
import { VARIABLES } from "./variables";

const SECRET = "tok_9fKx27Qm-secret";

const lines: string[] = [];
let makeHandler: (operation: Operation<object>) => (event: unknown) => Promise<object>;

beforeAll(() => {
  jest.replaceProperty(process, "env", {
    ...process.env,
    ...VARIABLES,
    AWS_REGION: "eu-west-1",
    // Lets the logger write through the console, where the test sees it.
    POWERTOOLS_DEV: "true",
  });
  for (const method of ["log", "info", "error", "warn"] as const) {
    jest.spyOn(console, method).mockImplementation((...parts: unknown[]) => {
      lines.push(parts.map(String).join(" "));
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
