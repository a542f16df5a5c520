/** The client of the ledger's functions against a stand-in for Lambda: which function it calls, with what, and what it makes of the answer. */

import { readFileSync } from "node:fs";
import { join } from "node:path";
import type { InvokeCommand, LambdaClient } from "@aws-sdk/client-lambda";
import { LedgerCallFailed } from "../../client/invoke";
import { LedgerClient } from "../../client/ledger";
import type { NewPayment } from "../../client/results";
import { namesOf } from "../../stacks/config/names";
import { PROJECT } from "../support/project-files";

interface Call {
  readonly name: string | undefined;
  readonly request: unknown;
}

/** Answers each call with the next of the given answers. */
function lambdaWith(...answers: readonly (object | { readonly fault: string })[]) {
  const calls: Call[] = [];
  const rest = [...answers];
  const send = async ({ input }: InvokeCommand) => {
    calls.push({ name: input.FunctionName, request: JSON.parse(String(input.Payload)) });
    const answer = rest.shift() ?? {};
    return "fault" in answer
      ? { FunctionError: "Unhandled", Payload: Buffer.from(JSON.stringify({ errorType: answer.fault })) }
      : { Payload: Buffer.from(JSON.stringify(answer)) };
  };
  return { lambda: { send } as unknown as LambdaClient, calls };
}

const PAYMENT: NewPayment = {
  TransactionID: "txn-1",
  SecureToken: "tok_5f2c9a",
  Amount: "10.50",
  Currency: "EUR",
  ProcessorID: "acme-pay",
  Status: "Success",
};
const REFUSED = { schemaVersion: 1, outcome: "refused", code: "CARD_DATA", message: "why", AuditID: "F~1" };
const listOf = (...results: readonly object[]) => ({
  schemaVersion: 1,
  results,
  counts: { stored: 0, duplicate: 0, conflict: 0, refused: 0 },
});

test.each(["prod", "dev", "eu"])(
  "in the environment %s it calls the functions by their deployed names",
  async (environment) => {
    const { lambda, calls } = lambdaWith(...Array.from({ length: 4 }, () => listOf({ outcome: "stored" })));
    const ledger = new LedgerClient({ lambda, environment, actor: "checkout" });
    await ledger.record(PAYMENT);
    await ledger.recordEvents([]);
    await ledger.recordAuditEvents([]);
    await ledger.changeStatus({ TransactionID: "txn-1", ExpectedStatus: "Failure", Status: "Success", Reason: "late" });
    await ledger.query({ Query: "transaction", TransactionID: "txn-1" });
    await ledger.reveal({ TransactionID: "txn-1", Reason: "refund" });
    const { functions } = namesOf({ suffix: environment });
    expect(calls.map(({ name }) => name)).toEqual([
      functions.persistPaymentLedger,
      functions.recordPaymentEvent,
      functions.persistPaymentAuditTrail,
      functions.updatePaymentStatus,
      functions.queryPaymentLedger,
      functions.revealPaymentToken,
    ]);
  },
);

test("without an environment it calls those of prod", async () => {
  const { lambda, calls } = lambdaWith(listOf({ outcome: "stored" }));
  await new LedgerClient({ lambda, actor: "checkout" }).record(PAYMENT);
  expect(calls).toEqual([{ name: "persist_payment_ledger", request: { Actor: "checkout", payments: [PAYMENT] } }]);
});

test("a request's own actor goes before the client's", async () => {
  const { lambda, calls } = lambdaWith(REFUSED);
  await new LedgerClient({ lambda, actor: "checkout" }).reveal({ TransactionID: "t", Reason: "r", Actor: "refunds" });
  expect(calls[0]?.request).toEqual({ Actor: "refunds", TransactionID: "t", Reason: "r" });
});

test.each(["stored", "duplicate", "conflict", "refused"])("%s is a result", async (outcome) => {
  const { lambda } = lambdaWith(listOf({ position: 0, outcome, AuditID: "W~1" }));
  expect(await new LedgerClient({ lambda, actor: "a" }).record(PAYMENT)).toMatchObject({ outcome, AuditID: "W~1" });
});

test("the refusal of a whole call is a result too, of a list and of one payment", async () => {
  const { lambda } = lambdaWith(REFUSED, REFUSED);
  const ledger = new LedgerClient({ lambda, actor: "a" });
  const { schemaVersion: _version, ...refused } = REFUSED;
  expect(await ledger.recordAll([PAYMENT])).toEqual(refused);
  expect(await ledger.record(PAYMENT)).toEqual(refused);
});

test("one payment is read: found, not found, forged", async () => {
  const answered = { outcome: "answered", payments: [], refused: [], AuditID: "R~1" };
  const { lambda } = lambdaWith(
    { ...answered, payments: [{ TransactionID: "txn-1" }] },
    answered,
    { ...answered, refused: [{ code: "RECORD_FORGED", message: "why", AuditID: "A~1" }] },
    REFUSED,
  );
  const ledger = new LedgerClient({ lambda, actor: "a" });
  expect(await ledger.read("txn-1")).toEqual({ outcome: "found", payment: { TransactionID: "txn-1" }, AuditID: "R~1" });
  expect(await ledger.read("txn-2")).toEqual({ outcome: "notFound", AuditID: "R~1" });
  expect(await ledger.read("txn-3")).toMatchObject({ outcome: "refused", code: "RECORD_FORGED", AuditID: "A~1" });
  expect(await ledger.read("txn-4")).toMatchObject({ outcome: "refused", code: "CARD_DATA" });
});

test("a function that failed is thrown, with nothing of the request in the error", async () => {
  const { lambda } = lambdaWith({ fault: "TechnicalFault" });
  const error = await new LedgerClient({ lambda, actor: "a" }).record(PAYMENT).catch((reason: unknown) => reason);
  expect(error).toBeInstanceOf(LedgerCallFailed);
  expect(error).toMatchObject({ code: "FUNCTION_FAILED", errorType: "TechnicalFault" });
  expect(JSON.stringify(error) + String(error)).not.toMatch(/tok_5f2c9a|txn-1/);
});

test("an answer without its result is thrown, and taken for no outcome", async () => {
  const { lambda } = lambdaWith(listOf());
  await expect(new LedgerClient({ lambda, actor: "a" }).record(PAYMENT)).rejects.toThrow("no result");
});

test("the package has the project's version, and ranges that begin at the project's own pins", () => {
  const manifest = (path: string) =>
    JSON.parse(readFileSync(join(PROJECT, path), "utf8")) as { version: string; dependencies: Record<string, string> };
  const [project, client] = [manifest("package.json"), manifest("client/package.json")];
  expect(client.version).toBe(project.version);
  for (const [name, range] of Object.entries(client.dependencies)) expect(range).toBe(`^${project.dependencies[name]}`);
});
