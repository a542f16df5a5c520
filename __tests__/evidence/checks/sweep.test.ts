/** The sweep over the living tables: what it seals, what it leaves alone, what it finds and what it tells. */
import { generateKeyPairSync } from "node:crypto";
import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import path from "node:path";
import { setTimeout as delay } from "node:timers/promises";
import { DeleteItemCommand } from "@aws-sdk/client-dynamodb";
import { CreateFunctionCommand, LambdaClient } from "@aws-sdk/client-lambda";
import { DeleteObjectCommand, GetObjectCommand, ListObjectsV2Command, PutObjectCommand } from "@aws-sdk/client-s3";
import { strToU8, zipSync } from "fflate";
import type { PiecesWanted } from "../../../backup/piece-requests";
import { type SweepResponse, sweepAuditTrail } from "../../../evidence/checks/sweep-operation";
import { SWEEP_ITEM } from "../../../evidence/checks/swept-checkpoints";
import { readHead } from "../../../evidence/sealing/log-state-table";
import { ED25519, encodeVerifierKey } from "../../../evidence/sealing/note";
import type { Call } from "../../../ledger/operations/call";
import { recordPaymentEvents } from "../../../ledger/operations/record-events";
import { updatePaymentStatus } from "../../../ledger/operations/update-status";
import { textOf } from "../../../ledger/rules/stored-item";
import { FAULTS } from "../../../local/fault-proxy";
import { pieceDefinition } from "../../../stacks/constructs/piece-machine";
import { everythingIn, type TableName } from "../../support/ledger-harness";
import { runMachine } from "../../support/state-machine";
import { EVIDENCE_BUCKET, LOG_TABLE, minutesAfter, ORIGIN, PIECES_BUCKET, SealedLedger } from "./sealed-ledger";

let ledger: SealedLedger;
/** The ledger's clock; each test goes on from where the one before ended. */
let now = minutesAfter(new Date(), -30 * 24 * 60);

beforeAll(async () => {
  ledger = await SealedLedger.start();
});
afterAll(() => ledger?.stop());
beforeEach(() => {
  ledger.reported.length = 0;
});

/** Of a log of the same name, whose private key nobody has any more. */
const { publicKey } = generateKeyPairSync("ed25519");
const material = publicKey.export({ format: "der", type: "spki" }).subarray(-32);
const OTHER_KEY = encodeVerifierKey({ name: ORIGIN, type: ED25519, material });

const pass = (minutes: number) => {
  now = minutesAfter(now, minutes);
  return now;
};

/** An invocation with all the time that the function has. */
const invocation = (): Call => ({ ...ledger.harness.call("sweep_audit_trail", now), remainingMs: () => 900_000 });

const sweep = (call: Call = invocation()): Promise<SweepResponse> =>
  sweepAuditTrail({ kind: "sweep" }, call, ledger.harness.services, ledger.sweepSettings()) as Promise<SweepResponse>;

/** The same by the state machine of the plan, in pieces. @param visited gets the names of its states. */
const sweepInPieces = (name: string, visited: string[] = []): Promise<SweepResponse> =>
  runMachine(
    pieceDefinition({ partition: "aws", functionArn: "sweep", pieces: 3 }),
    name,
    (event) => sweepAuditTrail(event, invocation(), ledger.harness.services, ledger.sweepSettings()),
    visited,
  ) as Promise<SweepResponse>;

const credentials = { accessKeyId: "111122223333", secretAccessKey: "embedded" };
const RUN = "5f1c0c1e-0000-4000-8000-00000000000";

async function signals(run: () => Promise<unknown>): Promise<string[]> {
  const before = ledger.harness.signals.length;
  await run();
  return ledger.harness.signals.slice(before);
}

const only =
  (table: TableName, id: string) =>
  (of: string, key: readonly string[]): boolean =>
    of === table && key[0] === id;

async function checks() {
  return (await ledger.harness.scan("audit")).filter((item) => textOf(item, "Action") === "LOG_CHECK");
}

/** Records payments whose rows no stream reports, and lets them settle. */
async function recordLost(count = 1): Promise<string[]> {
  const ids = await ledger.record(count, pass(1));
  await ledger.seal(pass(1), (table, [id = ""]) => table === "ledger" && ids.includes(id));
  await ledger.seal(pass(30));
  return ids;
}

const changeStatus = async (TransactionID: string, from: string, to: string) => {
  const change = { TransactionID, ExpectedStatus: from, Status: to, Reason: "Late", Actor: "tests" };
  const call = ledger.harness.call("update_payment_status", now);
  expect(await updatePaymentStatus(change, call, ledger.harness.services)).toMatchObject({ outcome: "updated" });
};

test("before the log says anything there is nothing to compare the tables with", async () => {
  const told = await signals(async () => {
    expect(await sweep()).toMatchObject({ outcome: "incomplete", size: 0, counts: { late: 0 } });
  });
  expect(told).toEqual(["LogCheckFailed"]);
});

test("a log that is a minute old is asked about what it covers", async () => {
  await ledger.record(2, pass(1));
  await ledger.seal(pass(1));
  expect(await sweep()).toMatchObject({ outcome: "good", verdict: "tail-not-pinned", counts: { late: 0 } });
});

test("tables that agree with the log pass; the second sweep asks the log to continue what the first one saw", async () => {
  await ledger.record(10, pass(1));
  await ledger.seal(pass(1));
  await ledger.seal(pass(30));
  const told = await signals(async () => {
    expect(await sweep()).toMatchObject({ outcome: "good", verdict: "ok", counts: { records: 26 } });
  });
  expect(told).toEqual(["LogCheckPassed"]);
  await ledger.seal(pass(30));
  const second = await sweep();
  expect(second).toMatchObject({ outcome: "good", verdict: "ok", findings: [] });
  expect(second.counts).toMatchObject({ late: 0, forged: 0, changed: 0, left: 0 });
  expect(ledger.reported).toEqual([]);
});

test("what it found is on record, without anything of a payment", async () => {
  const [record = {}] = await checks();
  expect(textOf(record, "Actor")).toBe("sweep_audit_trail");
  expect(textOf(record, "Table")).toBeUndefined();
  expect(everythingIn([record])).not.toContain("tok_");
});

test("a record that its stream never reported is sealed late, once, and the log is whole again", async () => {
  const [id = ""] = await recordLost();
  const told = await signals(async () => {
    const answer = await sweep();
    expect(answer).toMatchObject({ outcome: "repaired", verdict: "unsealed", counts: { late: 1, forged: 0 } });
    expect(answer.findings).toEqual([
      expect.objectContaining({ verdict: "unsealed", table: "PaymentLedger", key: [id] }),
    ]);
    expect(JSON.stringify(answer)).not.toContain("SecureToken");
  });
  expect(told).toEqual(["RecordSealedLate", "LogCheckPassed"]);
  expect(ledger.reported).toEqual(["unsealed"]);
  await ledger.seal(pass(5));
  expect(await sweep()).toMatchObject({ outcome: "good", verdict: "ok", counts: { late: 0 } });
});

test("a status change that the stream never reported is sealed after the version that it replaced", async () => {
  const [id = ""] = await ledger.record(1, pass(1));
  await ledger.seal(pass(1));
  await changeStatus(id, "Success", "Failure");
  await ledger.seal(pass(1), only("ledger", id));
  await ledger.seal(pass(30));
  const sealed = { outcome: "repaired", counts: { late: 1, changed: 0 } };
  expect(await sweep()).toMatchObject(sealed);
  const { frontier } = await readHead(ledger.log.table);
  // As after a first try that died between its entry and its report: it says the same, and seals nothing twice.
  expect(await sweep()).toMatchObject(sealed);
  expect(await readHead(ledger.log.table)).toMatchObject({ frontier: { size: frontier.size } });
  await ledger.seal(pass(5));
  expect(await sweep()).toMatchObject({ outcome: "good", verdict: "ok" });
});

test("a recent record is left to its stream", async () => {
  await ledger.seal(pass(1));
  const ids = await ledger.record(2, pass(1));
  await ledger.seal(pass(1), (table, [id = ""]) => table === "ledger" && ids.includes(id));
  for (const minutes of [0, 1, 5, 10]) {
    await ledger.seal(pass(minutes));
    const { outcome, counts } = await sweep();
    expect([minutes, outcome, counts.late]).toEqual([minutes, "good", 0]);
  }
  await ledger.seal(pass(10));
  expect(await sweep()).toMatchObject({ outcome: "repaired", counts: { late: 2 } });
  await ledger.seal(pass(5));
});

/** Works just before the sweep reads a payment's row again, which it does before it seals a change as late. */
function onceWhileTheSweepLooks(work: () => Promise<unknown>): void {
  const rule = ledger.harness.proxy.inject({
    target: "DynamoDB.GetItem",
    calls: { from: 1 },
    where: ({ input }) => input?.["TableName"] === "PaymentLedger",
    fault: FAULTS.before(async () => {
      rule.remove();
      await work();
    }),
  });
}

test("a record that changes while the sweep looks is left to the next one", async () => {
  const [id = ""] = await recordLost();
  onceWhileTheSweepLooks(() => changeStatus(id, "Success", "Failure"));
  expect(await sweep()).toMatchObject({ counts: { late: 0, changed: 1 } });
  await ledger.seal(pass(1), only("ledger", id));
  await ledger.seal(pass(30));
  expect(await sweep()).toMatchObject({ outcome: "repaired", counts: { late: 1, changed: 0 } });
  await ledger.seal(pass(5));
});

test("a record that its stream reports while the sweep looks is sealed once", async () => {
  const ids = await ledger.record(1, pass(1));
  const late = pass(30);
  await ledger.seal(late, () => false);
  ids.push(...(await recordLost()));
  const [, id = ""] = ids;
  onceWhileTheSweepLooks(() => ledger.tellAgain("ledger", id));
  expect(await sweep()).toMatchObject({ counts: { late: 0, changed: 1 } });
  await ledger.seal(pass(5));
  expect(await sweep()).toMatchObject({ outcome: "good", verdict: "ok" });
});

test("two sweeps at once seal a record once", async () => {
  await recordLost(3);
  await Promise.all([sweep(), sweep()]);
  await ledger.seal(pass(5));
  expect(await sweep()).toMatchObject({ outcome: "good", counts: { late: 0 } });
});

test("a retry of the same invocation leaves no second record", async () => {
  const before = (await checks()).length;
  const call = invocation();
  await sweep(call);
  await sweep(call);
  expect(await checks()).toHaveLength(before + 1);
});

test("time that runs out is incomplete, never a pass", async () => {
  const told = await signals(async () => {
    expect(await sweep({ ...invocation(), remainingMs: () => 90_000 })).toMatchObject({
      outcome: "incomplete",
      verdict: "incomplete",
    });
  });
  expect(told).toEqual(["LogCheckFailed"]);
});

test("events that somebody made up leave no fault behind: the sweep agrees with the table and the log", async () => {
  const [id = ""] = await ledger.record(1, pass(1));
  await ledger.seal(pass(1));
  const told = await signals(() => ledger.makeUp(id, now));
  expect(told).toEqual(["TamperingSealed", "TamperingSealed", "TamperingSealed"]);
  await ledger.seal(pass(30));
  expect(await sweep()).toMatchObject({ outcome: "good", verdict: "ok" });
});

/** Removes what the sweep remembers in the log-state table. */
const forget = () =>
  ledger.harness.services.dynamo.send(
    new DeleteItemCommand({ TableName: LOG_TABLE, Key: { LogID: { S: ORIGIN }, Item: { S: SWEEP_ITEM } } }),
  );

test("the sweep remembers beside the evidence too, and a sweep without any memory of an older log is no pass", async () => {
  await ledger.seal(pass(27 * 60));
  await ledger.record(1, pass(1));
  await ledger.seal(pass(1));
  await ledger.seal(pass(30));
  expect(await sweep()).toMatchObject({ outcome: "good" });
  const remembered = await ledger.sweepSettings().memory.load();
  await forget();
  expect(await ledger.sweepSettings().memory.load()).toEqual(remembered);
  expect(await sweep()).toMatchObject({ outcome: "good" });

  await forget();
  const { Contents = [] } = await ledger.s3.send(
    new ListObjectsV2Command({ Bucket: EVIDENCE_BUCKET, Prefix: "log/sweeps/" }),
  );
  for (const { Key } of Contents) await ledger.s3.send(new DeleteObjectCommand({ Bucket: EVIDENCE_BUCKET, Key }));
  const told = await signals(async () => {
    const answer = await sweep();
    expect(answer).toMatchObject({ outcome: "incomplete", verdict: "incomplete" });
    expect(answer.findings).toContainEqual(expect.objectContaining({ code: "SWEEP_FORGOTTEN" }));
  });
  expect([told, ledger.reported]).toEqual([["LogCheckFailed"], ["incomplete"]]);
  // It has looked at everything, so the next one goes on from there.
  expect(await sweep()).toMatchObject({ outcome: "good" });
});

test("an altered record is found by its id, and is not sealed away", async () => {
  const [id = ""] = await ledger.record(1, pass(1));
  await ledger.seal(pass(1));
  const original = await ledger.item("ledger", id);
  await ledger.harness.put("ledger", { ...original, Amount: { S: "99.50" } });
  pass(30);
  await ledger.seal(now, only("ledger", id));
  const told = await signals(async () => {
    const answer = await sweep();
    expect(answer).toMatchObject({ outcome: "faulty", verdict: "altered", counts: { late: 0, forged: 0 } });
    expect(answer.findings).toContainEqual(expect.objectContaining({ verdict: "altered", key: [id] }));
    expect(JSON.stringify(answer)).not.toContain("99.50");
  });
  expect(told).toEqual(["LogCheckFailed"]);
  expect(ledger.reported).toEqual(["altered"]);
  await ledger.harness.put("ledger", original);
  await ledger.seal(pass(5), only("ledger", id));
  expect(await sweep()).toMatchObject({ outcome: "good" });
});

test("a record that was removed is found missing", async () => {
  const [id = ""] = await ledger.record(1, pass(1));
  await ledger.seal(pass(1));
  const original = await ledger.item("ledger", id);
  await ledger.harness.remove("ledger", id);
  await ledger.seal(pass(30), only("ledger", id));
  expect(await sweep()).toMatchObject({ outcome: "faulty", verdict: "missing" });
  await ledger.harness.put("ledger", original);
  await ledger.seal(pass(5), only("ledger", id));
  expect(await sweep()).toMatchObject({ outcome: "good" });
});

test("evidence that goes back to an earlier checkpoint is noticed, and is not remembered in its place", async () => {
  const read = async (Key: string) => {
    const answer = await ledger.s3.send(new GetObjectCommand({ Bucket: EVIDENCE_BUCKET, Key }));
    return (await answer.Body?.transformToString()) ?? "";
  };
  const write = (Body: string) =>
    ledger.s3.send(new PutObjectCommand({ Bucket: EVIDENCE_BUCKET, Key: "log/checkpoint", Body }));
  const earlier = await read("log/checkpoint");
  await ledger.seal(pass(1));
  const { size } = await sweep();
  const newest = await read("log/checkpoint");
  await write(earlier);
  for (let time = 1; time <= 2; time++) {
    const answer = await sweep();
    expect(answer).toMatchObject({ outcome: "faulty", verdict: "stale" });
    expect(answer.findings).toContainEqual(expect.objectContaining({ code: "LOG_WENT_BACK" }));
    expect(answer.size).toBeLessThan(size);
  }
  await write(newest);
  // Nothing came since the sweep that remembered this very checkpoint.
  expect(await sweep()).toMatchObject({ outcome: "good", verdict: "tail-not-pinned" });
  await ledger.seal(pass(1));
  expect(await sweep()).toMatchObject({ outcome: "good", verdict: "ok" });
});

test("a checkpoint under a key that the deployment does not name is refused", async () => {
  const stranger = { ...ledger.sweepSettings(), keys: async () => [OTHER_KEY] };
  const answer = await sweepAuditTrail({ kind: "sweep" }, invocation(), ledger.harness.services, stranger);
  expect(answer).toMatchObject({ outcome: "faulty", verdict: "wrong-key" });
});

test("a version that was replaced before anybody sealed it is a fault that stays", async () => {
  const [id = ""] = await ledger.record(1, pass(1));
  await ledger.seal(pass(1), only("ledger", id));
  await changeStatus(id, "Success", "Failure");
  await ledger.seal(pass(1));
  await ledger.seal(pass(30));
  const answer = await sweep();
  expect(answer).toMatchObject({ outcome: "faulty", verdict: "unsealed", counts: { late: 0 } });
  expect(answer.findings).toEqual([expect.objectContaining({ code: "VERSION_UNSEALED", key: [id] })]);
});

test("a forged record that its stream never reported is sealed as forged, once, and stays a fault", async () => {
  const genuine = await ledger.item("ledger", (await ledger.record(1, pass(1)))[0] ?? "");
  const id = "forged-by-hand";
  await ledger.harness.put("ledger", { ...genuine, TransactionID: { S: id } });
  await ledger.seal(pass(1), only("ledger", id));
  await ledger.seal(pass(30));
  let first: SweepResponse | undefined;
  const told = await signals(async () => {
    first = await sweep();
    expect(first).toMatchObject({ outcome: "faulty", counts: { late: 0, forged: 1 } });
  });
  expect(told).toEqual(["TamperingSealed", "LogCheckFailed"]);
  // As after a first try that died between its entry and its report.
  const repeated = await signals(async () => {
    expect(await sweep()).toMatchObject({ outcome: "faulty", counts: first?.counts });
  });
  expect(repeated).toEqual(told);
  await ledger.seal(pass(5));
  const again = await signals(async () => {
    const answer = await sweep();
    expect(answer).toMatchObject({ outcome: "faulty", counts: { forged: 0 } });
    // It has no WRITE record either.
    expect(answer.verdicts.slice(0, 2)).toEqual(["missing", "forged"]);
    expect(answer.findings).toContainEqual(expect.objectContaining({ verdict: "forged", key: [id] }));
  });
  expect(again).toEqual(["LogCheckFailed"]);
});

test.each([{}, { kind: "all" }, { kind: "sweep", table: "x" }, null, "sweep"])("%j is no request", async (event) => {
  const { harness } = ledger;
  await expect(
    sweepAuditTrail(event, harness.call("sweep_audit_trail"), harness.services, ledger.sweepSettings()),
  ).rejects.toMatchObject({ code: "BAD_REQUEST" });
});

test("a breach that is open, and a hold for more than a week, alarm with each sweep", async () => {
  const [TransactionID = ""] = await ledger.record(1, pass(1));
  const event = { TransactionID, Amount: "0.01", Currency: "EUR", Actor: "tests" };
  const call = ledger.harness.call("record_payment_event", now);
  const hold = { ...event, EventID: `${TransactionID}-hold`, Kind: "REFUND_HELD", Mode: "grant" };
  const fact = { ...event, EventID: `${TransactionID}-void`, Kind: "VOIDED", Mode: "fact" };
  expect(await recordPaymentEvents([hold, fact], call, ledger.harness.services)).toMatchObject({
    counts: { stored: 2 },
  });
  await ledger.seal(pass(1));
  await ledger.seal(pass(30));
  const lives = (told: string[]) => told.filter((each) => each === "PaymentBreach" || each === "RefundHoldOld");
  expect(lives(await signals(sweep))).toEqual(["PaymentBreach"]);
  await ledger.seal(pass(8 * 24 * 60));
  await ledger.seal(pass(30));
  expect(lives(await signals(sweep))).toEqual(["PaymentBreach", "RefundHoldOld"]);
});

/** On another ledger: the sweeps of the tests above would read all of it too. */
describe("with hundreds of records", () => {
  beforeAll(async () => {
    await ledger.stop();
    ledger = await SealedLedger.start();
  });

  test("what is recorded and changed while it sweeps is no finding", async () => {
    for (let round = 1; round <= 3; round++) {
      const ids = await ledger.record(10, pass(30));
      await ledger.seal(pass(1));
      await ledger.seal(pass(30));
      const traffic = async () => {
        for (const id of ids) {
          await changeStatus(id, "Success", "Failure");
          await ledger.record(3, minutesAfter(now, 0.1));
        }
        await ledger.seal(minutesAfter(now, 0.2));
      };
      const [answer] = await Promise.all([sweep(), traffic()]);
      expect(answer).toMatchObject({ outcome: "good", counts: { late: 0, changed: 0 } });
    }
  });

  test("a long outage is sealed in one sweep; what there is no time for is left to the next", async () => {
    await recordLost(120);
    let isRead = false;
    const { memory, ...settings } = ledger.sweepSettings();
    const save = async () => {
      isRead = true;
    };
    const call = { ...invocation(), remainingMs: () => (isRead ? 20_000 : 900_000) };
    const ended = { ...settings, memory: { ...memory, save } };
    const answer = await sweepAuditTrail({ kind: "sweep" }, call, ledger.harness.services, ended);
    expect(answer).toMatchObject({ outcome: "incomplete", counts: { late: 0, left: 120 } });
    expect(await sweep()).toMatchObject({ outcome: "repaired", counts: { late: 120, left: 0 } });
    await ledger.seal(pass(5));
    expect(await sweep()).toMatchObject({ outcome: "good" });
  });
});

/** A function that leaves three pieces at its first merging and none at its second: for the emulator, and for this process. */
function stubSource(folder: string): string {
  return `const { existsSync, writeFileSync } = require("node:fs");
    exports.handler = async ({ kind, run }) => {
      if (kind === "piece") return { outcome: "piece-read" };
      const mark = ${JSON.stringify(folder)} + "/" + run;
      if (existsSync(mark)) return { outcome: "good" };
      writeFileSync(mark, "");
      return { outcome: "pieces-left", run, part: "2026-11-28T00:00:00.000Z", pieces: [0, 1, 2] };
    };`;
}

/** There is no client of Step Functions among the project's packages, and this test alone would need one. */
async function stepFunctions(url: string, action: string, body: object): Promise<Record<string, unknown>> {
  const answer = await fetch(url, {
    method: "POST",
    headers: {
      "content-type": "application/x-amz-json-1.0",
      "x-amz-target": `AWSStepFunctions.${action}`,
      authorization: `AWS4-HMAC-SHA256 Credential=${credentials.accessKeyId}/20260101/us-east-1/states/aws4_request, SignedHeaders=host, Signature=0`,
    },
    body: JSON.stringify(body),
  });
  return (await answer.json()) as Record<string, unknown>;
}

describe("in pieces", () => {
  test("the sweep finds what the whole finds", async () => {
    const [id = ""] = await ledger.record(1, pass(1));
    await ledger.seal(pass(1));
    await ledger.harness.remove("ledger", id);
    await ledger.seal(pass(30), only("ledger", id));
    // The first sweep of a log has nothing to go on from; these two have.
    await sweep();
    await ledger.seal(pass(30));
    const { outcome, verdicts, findings } = await sweep();
    expect(verdicts).toContain("missing");
    await ledger.seal(pass(30));
    const visited: string[] = [];
    expect(await sweepInPieces(`${RUN}1`, visited)).toMatchObject({ outcome, verdicts, findings });
    expect(visited.filter((name) => name === "ReadPiece").length % 3).toBe(0);
    expect(visited.at(-1)).toBe("Done");
  });

  test("records that no stream told are found and sealed late", async () => {
    await recordLost(2);
    const told = await signals(async () => {
      const answer = await sweepInPieces(`${RUN}2`);
      expect(answer.counts.late).toBe(2);
    });
    expect(told).toContain("RecordSealedLate");
  });

  test("Step Functions of the embedded AWS makes the same calls of the same definition", async () => {
    const folder = mkdtempSync(path.join(tmpdir(), "payment-ledger-machine-"));
    writeFileSync(path.join(folder, "index.js"), stubSource(folder));
    const { handler } = require(path.join(folder, "index.js")) as { handler: (event: unknown) => Promise<unknown> };
    const { url } = ledger.harness.proxy;
    const lambda = new LambdaClient({ endpoint: url, region: "us-east-1", credentials });
    const { FunctionArn = "" } = await lambda.send(
      new CreateFunctionCommand({
        FunctionName: "sweep-stub",
        Runtime: "nodejs20.x",
        Handler: "index.handler",
        Role: "arn:aws:iam::111122223333:role/sweep-stub",
        Code: { ZipFile: zipSync({ "index.js": strToU8(stubSource(folder)) }) },
      }),
    );
    const definition = pieceDefinition({ partition: "aws", functionArn: FunctionArn, pieces: 3 });
    const visited: string[] = [];
    const expected = await runMachine(definition, "in-this-process", handler, visited);
    expect(visited.filter((name) => name === "ReadPiece")).toHaveLength(3);
    const { stateMachineArn } = await stepFunctions(url, "CreateStateMachine", {
      name: "sweep",
      definition: JSON.stringify(definition),
      roleArn: "arn:aws:iam::111122223333:role/sweep-stub",
    });
    const { executionArn } = await stepFunctions(url, "StartExecution", {
      stateMachineArn,
      name: "run-1",
      input: "{}",
    });
    let execution = await stepFunctions(url, "DescribeExecution", { executionArn });
    for (let tries = 0; execution["status"] === "RUNNING" && tries < 100; tries++) {
      await delay(100);
      execution = await stepFunctions(url, "DescribeExecution", { executionArn });
    }
    expect(execution["status"]).toBe("SUCCEEDED");
    expect(JSON.parse(String(execution["output"]))).toEqual(expected);
    const { mapRuns } = await stepFunctions(url, "ListMapRuns", { executionArn });
    expect(mapRuns).toHaveLength(1);
    lambda.destroy();
    rmSync(folder, { recursive: true });
  });

  test("a result that the sweep did not write ends it; so does a piece of a run that was not begun", async () => {
    const first = { kind: "merge", run: `${RUN}3` };
    const call = (event: unknown) =>
      sweepAuditTrail(event, invocation(), ledger.harness.services, ledger.sweepSettings());
    const { part } = (await call(first)) as PiecesWanted;
    await call({ kind: "piece", run: `${RUN}3`, part, piece: 0 });
    await ledger.s3.send(
      new PutObjectCommand({
        Bucket: PIECES_BUCKET,
        Key: `pieces/sweep/${RUN}3/${part}/round-0/piece-1/done`,
        Body: `${"0".repeat(64)}done`,
      }),
    );
    await expect(call(first)).rejects.toMatchObject({ code: "PIECE_FORGED" });
    const unknown = { kind: "piece", run: `${RUN}4`, part, piece: 0 };
    await expect(call(unknown)).rejects.toMatchObject({ code: "NO_PLAN" });
  });
});
