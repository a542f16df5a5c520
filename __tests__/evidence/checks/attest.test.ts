/**
 * The same role calls by every way in and claims to be somebody else. After attest_callers each call shows who it was, a
 * made-up event is contradicted and counted for the alarm, and a trail that is not whole makes the day incomplete.
 */

import { type AttestResponse, attestCallers } from "../../../evidence/checks/attest-operation";
import { type Attestation, attestationHash, parseAttestation } from "../../../evidence/identity/attestation";
import type { Call } from "../../../ledger/operations/call";
import { runPaymentProcessor } from "../../../ledger/operations/payment-processor";
import { persistPayments } from "../../../ledger/operations/persist-payments";
import { throughPrivateApi } from "../../../ledger/operations/private-api";
import { processMessages } from "../../../ledger/operations/process-messages";
import { type StoredItem, textOf, textWithin } from "../../../ledger/rules/stored-item";
import { assumedRole, invokedByRole, invokedByService, type StoredTrailFile } from "../../../local/trail-files";
import { apiEvent } from "../../support/api-event";
import { aPayment } from "../../support/ledger-fixtures";
import { freshId, type Harness, startHarness } from "../../support/ledger-harness";
import { queueRecord } from "../../support/queue-records";
import { filesOfDay, folderOf, functionArn, MALLORY, MALLORYS } from "../identity/trail-world";

const TODAY = new Date();
const DAY = TODAY.toISOString().slice(0, 10);
const NEXT_MORNING = new Date(Date.parse(`${DAY}T05:30:00Z`) + 24 * 60 * 60 * 1000);

let harness: Harness;
const calls: Record<"direct" | "message" | "file" | "api" | "shaped" | "shapedApi", Call> = {} as never;

beforeAll(async () => {
  harness = await startHarness();
  calls.direct = harness.call("persist_payment_ledger", TODAY);
  await persistPayments(
    { Actor: "cfo", payments: [aPayment({ TransactionID: freshId() })] },
    calls.direct,
    harness.services,
  );
  const message = { paymentId: freshId("pay"), amount: "10.50", currency: "EUR", actor: "cfo" };
  calls.message = harness.call("process_payment_messages", TODAY);
  await processMessages(
    { Records: [queueRecord(message, { senderId: "AROAMALLORY:m1" })] },
    calls.message,
    harness.services,
  );
  const row = { transactionId: freshId(), amount: "100.00", currency: "USD", cardLast4: "4242", actor: "cfo" };
  const [uploaded] = (await harness.upload(`payments/${freshId()}.json`, JSON.stringify(row))).Records;
  calls.file = harness.call("payment-processor", TODAY);
  await runPaymentProcessor(
    { Records: [{ ...uploaded, userIdentity: { principalId: "AWS:AROAMALLORY:m1" } }] },
    calls.file,
    harness.services,
    { files: harness.files, removeCardDataFiles: true },
  );
  const api = throughPrivateApi(persistPayments, "PaymentLedger");
  const request = (caller: string) =>
    apiEvent({ Actor: "cfo", payments: [aPayment({ TransactionID: freshId() })] }, caller);
  calls.api = harness.call("persist_payment_ledger", TODAY);
  await api(request("AROAMALLORY:m1"), calls.api, { ...harness.services, privateApi: true });
  calls.shapedApi = harness.call("persist_payment_ledger", TODAY);
  await api(request("AROACFO:cfo"), calls.shapedApi, { ...harness.services, privateApi: true });
  calls.shaped = harness.call("process_payment_messages", TODAY);
  await processMessages(
    { Records: [queueRecord({ ...message, paymentId: freshId("pay") }, { senderId: "AROACFO:cfo" })] },
    calls.shaped,
    harness.services,
  );
});
afterAll(() => harness?.stop());

/** CloudTrail's files of the day, as these calls and their true callers leave them. */
function trailFilesOfDay(): Map<string, StoredTrailFile> {
  const at = ({ caller }: Call) => ({
    requestId: caller.requestId,
    time: `${DAY}T12:00:00Z`,
    functionArn: functionArn(caller.functionName),
  });
  return filesOfDay(
    [
      invokedByRole(at(calls.direct), MALLORY),
      invokedByService(at(calls.message), "lambda.amazonaws.com"),
      invokedByService(at(calls.file), "s3.amazonaws.com"),
      invokedByService(at(calls.api), "apigateway.amazonaws.com"),
      invokedByRole(at(calls.shaped), MALLORY),
      invokedByRole(at(calls.shapedApi), MALLORY),
      assumedRole(MALLORY, `${DAY}T11:00:00Z`),
    ],
    DAY,
  );
}

interface Attested {
  readonly response: AttestResponse;
  readonly attestation: Attestation;
  readonly record: StoredItem;
  readonly bytes: Buffer;
}

async function attest(files: ReadonlyMap<string, StoredTrailFile>): Promise<Attested> {
  const put = new Map<string, Buffer>();
  const call = harness.call("attest_callers", NEXT_MORNING);
  harness.signals.length = 0;
  const response = await attestCallers({ kind: "attest" }, { ...call, remainingMs: () => 900_000 }, harness.services, {
    trail: folderOf(files),
    evidence: {
      putOnce: async ({ path, bytes }) => {
        put.set(path, bytes);
        return undefined;
      },
    },
    logLine: () => {},
  });
  const bytes = put.get(response.file) ?? Buffer.alloc(0);
  const records = (await harness.scan("audit")).filter((item) => textOf(item, "Action") === "IDENTITY_CHECK");
  const record = records.find((item) => textWithin(item, "Caller", "RequestID") === call.caller.requestId) ?? {};
  return { response, attestation: parseAttestation(bytes.toString()), record, bytes };
}

const callOf = ({ attestation }: Attested, call: Call) =>
  attestation.calls.find(({ request }) => request === call.caller.requestId);

test.each(["direct", "message", "file", "api"] as const)(
  "a %s call that claims to be the cfo shows who made it",
  async (way) => {
    expect(callOf(await attest(trailFilesOfDay()), calls[way])).toMatchObject({ verdict: "attested", ...MALLORYS });
  },
);

test.each(["shaped", "shapedApi"] as const)(
  "a made-up event (%s) is contradicted, names who made it, and is counted for the alarm",
  async (made) => {
    const attested = await attest(trailFilesOfDay());
    expect(callOf(attested, calls[made])).toMatchObject({
      verdict: "contradicted",
      reason: "NOT_BY_SERVICE",
      toldPrincipal: "AROACFO:cfo",
      ...MALLORYS,
    });
    expect(attested.response.outcome).toBe("contradicted");
    expect(harness.signals.filter((signal) => signal === "IdentityContradicted")).toHaveLength(2);
    expect(harness.signals).not.toContain("IdentityCheckPassed");
  },
);

test("one record seals the file: its path and its hash are not encrypted", async () => {
  const { record, response, bytes } = await attest(trailFilesOfDay());
  expect(attestationHash(bytes)).toBe(response.sha256);
  expect(record).toMatchObject({
    Actor: { S: "attest_callers" },
    EvidencePath: { S: response.file },
    EvidenceHash: { S: response.sha256 },
  });
});

test("a whole trail without a contradiction passes", async () => {
  const files = trailFilesOfDay();
  const without = new Map(filesOfDay([], DAY));
  const { response } = await attest(without);
  expect(response).toMatchObject({ outcome: "unattested", counts: { attested: 0, contradicted: 0 } });
  expect(harness.signals).toContain("IdentityCheckPassed");
  expect(files.size).toBeGreaterThan(without.size);
});

test("a missing hour or a flipped byte is incomplete, never good", async () => {
  const isDigest = (key: string) => key.includes("CloudTrail-Digest");
  const noHour = filesOfDay([], DAY);
  noHour.delete([...noHour.keys()].filter(isDigest)[10] ?? "");
  const flipped = filesOfDay([assumedRole(MALLORY, `${DAY}T11:00:00Z`)], DAY);
  const [log = ""] = [...flipped.keys()].filter((key) => !isDigest(key));
  const bytes = Buffer.from(flipped.get(log)?.bytes ?? "");
  bytes[20] = (bytes[20] ?? 0) ^ 1;
  flipped.set(log, { bytes, metadata: {} });
  for (const files of [noHour, flipped]) {
    const { response, attestation } = await attest(files);
    expect(response.outcome).toBe("incomplete");
    expect(attestation.problems).toHaveLength(1);
    expect(harness.signals).toContain("IdentityCheckFailed");
    expect(harness.signals).not.toContain("IdentityCheckPassed");
  }
});

test.each([
  ["nothing", {}],
  ["another kind", { kind: "sweep" }],
  ["a day that does not exist", { kind: "attest", day: "2026-13-45" }],
  ["a day whose files are not due", { kind: "attest", day: NEXT_MORNING.toISOString().slice(0, 10) }],
])("%s is an error, not an answer", async (_, event) => {
  const settings = {
    trail: folderOf(new Map()),
    evidence: { putOnce: async () => undefined },
    logLine: () => {},
  };
  const call = harness.call("attest_callers", NEXT_MORNING);
  await expect(attestCallers(event, call, harness.services, settings)).rejects.toMatchObject({ code: "BAD_REQUEST" });
});
