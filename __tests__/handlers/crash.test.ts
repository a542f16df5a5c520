/** The real bundles, killed between any two of their AWS calls and tried again: the ledger and its trail stay equal. */

import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { DynamoDBClient, ScanCommand } from "@aws-sdk/client-dynamodb";
import { FUNCTIONS, type FunctionId } from "../../contract";
import { type Deployment, deploy } from "../../local/deploy";
import type { EmbeddedAws } from "../../local/embedded-aws";
import { FAULTS, type Fault, type FaultProxy, startFaultProxy } from "../../local/fault-proxy";
import { type BundleResult, startBundle } from "../../local/run-bundle";
import { synthesize } from "../../local/synthesize";
import { freshId, paymentInput } from "../support/ledger-harness";
import { sharedEmbeddedAws } from "../support/shared-aws";

let aws: EmbeddedAws;
/** In front of the function that a test is about. */
let proxy: FaultProxy;
const proxies = new Map<FunctionId, FaultProxy>();
let deployment: Deployment;
let dynamo: DynamoDBClient;
const outputDirectory = mkdtempSync(join(tmpdir(), "payment-ledger-crash-"));

beforeAll(async () => {
  await synthesize(outputDirectory);
  aws = await sharedEmbeddedAws();
  deployment = await deploy({ aws, outputDirectory });
  for (const id of Object.keys(FUNCTIONS) as FunctionId[]) {
    proxies.set(id, await startFaultProxy(deployment.functionEnvironment(id)["AWS_ENDPOINT_URL"] ?? ""));
  }
  dynamo = new DynamoDBClient(deployment.clientConfig());
});
afterAll(async () => {
  dynamo?.destroy();
  await Promise.all([...proxies.values()].map((each) => each.stop()));
  await aws?.stop();
  rmSync(outputDirectory, { recursive: true, force: true });
});

function start(id: FunctionId, event: unknown) {
  proxy = proxyOf(id);
  if (aws.credentials === undefined) throw new Error("The embedded AWS has its own credentials.");
  return startBundle({
    bundle: deployment.functionCode(id),
    event,
    functionName: deployment.functionName(id),
    environment: {
      ...deployment.functionEnvironment(id),
      AWS_ENDPOINT_URL_DYNAMODB: proxy.url,
      AWS_ENDPOINT_URL_KMS: proxy.url,
    },
    credentials: aws.credentials,
    region: deployment.region,
  });
}

function proxyOf(id: FunctionId): FaultProxy {
  const found = proxies.get(id);
  if (found === undefined) throw new Error(`There is no proxy for ${id}.`);
  return found;
}

/** Kills the function when its n-th AWS call took effect, which is also before the next one does. From 0: before its first. */
function killedAfter(call: number, id: FunctionId, event: unknown): Promise<BundleResult> {
  return killedAt(Math.max(call, 1), id, event, call === 0 ? FAULTS.before : FAULTS.after);
}

async function killedAt(
  call: number,
  id: FunctionId,
  event: unknown,
  moment: (hook: () => void) => Fault,
): Promise<BundleResult> {
  proxyOf(id).reset();
  const running = start(id, event);
  proxy.inject({ target: "*", calls: { from: call }, fault: moment(() => running.kill()) });
  return running.result;
}

async function answered(id: FunctionId, event: unknown): Promise<unknown> {
  proxyOf(id).reset();
  const result = await start(id, event).result;
  if (result.outcome !== "answered") throw new Error(`The function did not answer: ${JSON.stringify(result)}`);
  return result.answer;
}

interface Record_ {
  readonly TransactionID?: { S?: string };
  readonly Action?: { S?: string };
  readonly RepeatOf?: { S?: string };
  readonly Version?: { N?: string };
}

async function scan(table: "paymentLedger" | "paymentAuditTrail"): Promise<Record_[]> {
  const answer = await dynamo.send(new ScanCommand({ TableName: deployment.tableName(table), ConsistentRead: true }));
  expect(answer.LastEvaluatedKey).toBeUndefined();
  return answer.Items ?? [];
}

const of = (records: readonly Record_[], transactionId: string) =>
  records.filter((record) => record.TransactionID?.S === transactionId);

/** The number of AWS calls of an undisturbed run is what the loops below count up to. */
async function callsOf(id: FunctionId, event: unknown): Promise<number> {
  await answered(id, event);
  return proxy.calls.length;
}

/** More than there are calls to be killed at. */
const ROUNDS_MAX = 16;

/** Recorded by one invocation: each round takes one. */
async function recordedPayments(overrides: Record<string, unknown> = {}) {
  const payments = Array.from({ length: ROUNDS_MAX }, () => paymentInput(overrides));
  expect(await answered("persistPaymentLedger", payments)).toMatchObject({ counts: { stored: ROUNDS_MAX } });
  return () => {
    const payment = payments.pop();
    if (payment === undefined) throw new Error("There are more rounds than recorded payments.");
    return payment;
  };
}

/** A list with everything that leaves a record: stored ones, a conflict with an earlier one, a refused one. */
function mixedList(existing: ReturnType<typeof paymentInput>) {
  const fresh = [paymentInput(), paymentInput()];
  const refused = paymentInput({ Currency: "ZZZ" });
  return {
    list: [...fresh, { ...existing, Amount: "99.00" }, refused],
    newIds: fresh.map((payment) => payment.TransactionID),
    conflictId: existing.TransactionID,
  };
}

test("persist_payment_ledger", async () => {
  const recorded = await recordedPayments();
  const calls = await callsOf("persistPaymentLedger", mixedList(recorded()).list);
  expect(calls).toBeGreaterThanOrEqual(6);
  let killed = 0;
  for (let call = 0; call <= calls; call++) {
    const { list, newIds, conflictId } = mixedList(recorded());
    const result = await killedAfter(call, "persistPaymentLedger", list);
    if (result.outcome === "killed") killed += 1;
    const half = { ledger: await scan("paymentLedger"), audit: await scan("paymentAuditTrail") };
    for (const id of newIds) expect(of(half.audit, id)).toHaveLength(of(half.ledger, id).length);
    const answer = await answered("persistPaymentLedger", list);
    expect(answer).toMatchObject({ counts: { conflict: 1, refused: 1 } });
    const audit = await scan("paymentAuditTrail");
    const ledger = await scan("paymentLedger");
    for (const id of newIds) {
      expect(of(ledger, id)).toHaveLength(1);
      expect(of(audit, id).map((record) => record.Action?.S)).toEqual(["WRITE"]);
    }
    const conflicts = of(audit, conflictId).filter((record) => record.Action?.S === "CONFLICT");
    // The run that was killed and the one after it are two requests; either has at most one record.
    expect(conflicts.filter((record) => record.RepeatOf === undefined)).toHaveLength(1);
    expect(conflicts.length).toBeLessThanOrEqual(2);
    expect(of(audit, conflictId)).toHaveLength(1 + conflicts.length);
  }
  expect(killed).toBeGreaterThanOrEqual(calls);
  const writes = (await scan("paymentAuditTrail")).filter((record) => record.Action?.S === "WRITE");
  expect(writes).toHaveLength((await scan("paymentLedger")).length);
}, 240_000);

test("update_payment_status", async () => {
  const recorded = await recordedPayments({ Status: "Failure" });
  const change = () => ({
    TransactionID: recorded().TransactionID,
    ExpectedStatus: "Failure",
    Status: "Success",
    Reason: "late approval",
    Actor: "reconciliation",
  });
  const calls = await callsOf("updatePaymentStatus", change());
  for (let call = 0; call <= calls; call++) {
    const sent = change();
    await killedAfter(call, "updatePaymentStatus", sent);
    expect(await answered("updatePaymentStatus", sent)).toMatchObject({ Status: "Success", Version: 2 });
    const updates = of(await scan("paymentAuditTrail"), sent.TransactionID).filter(
      (record) => record.Action?.S === "UPDATE",
    );
    expect(updates).toHaveLength(1);
    expect(of(await scan("paymentLedger"), sent.TransactionID)[0]?.Version?.N).toBe("2");
  }
}, 240_000);

test("persist_payment_audit_trail", async () => {
  const event = () => ({ AuditID: freshId("event"), TransactionID: freshId(), Actor: "user-service", Action: "READ" });
  const calls = await callsOf("persistPaymentAuditTrail", event());
  for (let call = 0; call <= calls; call++) {
    const sent = event();
    await killedAfter(call, "persistPaymentAuditTrail", sent);
    await answered("persistPaymentAuditTrail", sent);
    expect(of(await scan("paymentAuditTrail"), sent.TransactionID)).toHaveLength(1);
  }
}, 240_000);

test("a read that is killed before its answer may leave a record; an answer without a record is impossible", async () => {
  const payment = paymentInput();
  await answered("persistPaymentLedger", payment);
  const query = { Query: "transaction", TransactionID: payment.TransactionID, Actor: "support-desk" };
  const calls = await callsOf("queryPaymentLedger", query);
  let answers = 1;
  for (let call = 1; call <= calls; call++) {
    const result = await killedAt(call, "queryPaymentLedger", query, FAULTS.before);
    if (result.outcome === "answered") answers += 1;
    const reads = of(await scan("paymentAuditTrail"), payment.TransactionID).filter(
      (record) => record.Action?.S === "READ",
    );
    expect(reads.length).toBeGreaterThanOrEqual(answers);
  }
}, 120_000);
