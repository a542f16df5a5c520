/** Every attempt is on record: who met a conflict, an alarm or somebody else's record, in which request. */

import type { Call } from "../../../ledger/operations/call";
import { persistAuditEvents } from "../../../ledger/operations/persist-audit-events";
import { persistPayments } from "../../../ledger/operations/persist-payments";
import { persistQueuedEvents } from "../../../ledger/operations/persist-queued-events";
import { processMessages } from "../../../ledger/operations/process-messages";
import { queryAuditTrail } from "../../../ledger/operations/query-audit-trail";
import { queryLedger } from "../../../ledger/operations/query-ledger";
import { queueMessages } from "../../../ledger/operations/queue";
import { recordPaymentEvents } from "../../../ledger/operations/record-events";
import { revealToken } from "../../../ledger/operations/reveal-token";
import { updatePaymentStatus } from "../../../ledger/operations/update-status";
import { derivedAuditId } from "../../../ledger/rules/identifiers";
import type { AuditView } from "../../../ledger/rules/responses";
import { type StoredItem, textOf, textWithin } from "../../../ledger/rules/stored-item";
import { FAULTS } from "../../../local/fault-proxy";
import { freshId, type Harness, paymentInput, startHarness } from "../../support/ledger-harness";
import { queueRecord } from "../../support/queue-records";

let harness: Harness;
beforeAll(async () => {
  harness = await startHarness();
});
afterAll(() => harness?.stop());

const persist = (event: unknown, call = harness.call()) => persistPayments(event, call, harness.services);
const update = (event: unknown, call = harness.call("update_payment_status")) =>
  updatePaymentStatus(event, call, harness.services);
const reveal = (TransactionID: string, Actor: string, call = harness.call("reveal_payment_token")) =>
  revealToken({ TransactionID, Actor, Reason: "refund" }, call, harness.services);

async function recorded(overrides: Record<string, unknown> = {}) {
  const payment = paymentInput(overrides);
  await persist(payment);
  return payment;
}

async function tamper(TransactionID: string): Promise<void> {
  const row = (await harness.scan("ledger")).find((item) => textOf(item, "TransactionID") === TransactionID);
  await harness.put("ledger", { ...row, Amount: { S: "99999.00" } });
}

const trailOf = async (id: string, action: string) =>
  (await harness.trailOf(id)).filter((record) => textOf(record, "Action") === action);
/** Sorted, because records of one millisecond have no order. */
const actors = (records: readonly StoredItem[]) => records.map((record) => textOf(record, "Actor") ?? "").toSorted();
const requests = (records: readonly StoredItem[]) =>
  records.map((record) => textWithin(record, "Caller", "RequestID") ?? "").toSorted();
const requestIds = (calls: readonly Call[]) => calls.map(({ caller }) => caller.requestId).toSorted();

/** One first record; the others name it and have nothing of what was attempted. */
function expectOneFirst(records: readonly StoredItem[]): StoredItem {
  const firsts = records.filter((record) => !("RepeatOf" in record));
  expect(firsts).toHaveLength(1);
  for (const record of records) {
    if ("RepeatOf" in record) expect(textOf(record, "RepeatOf")).toBe(textOf(firsts[0] ?? {}, "AuditID"));
  }
  return firsts[0] ?? {};
}

test("equal conflicting payments: each request and each actor leaves a record, and the answer names it", async () => {
  const payment = await recorded();
  const other = { ...payment, Amount: "77.00" };
  const calls: Call[] = [];
  const named: (string | undefined)[] = [];
  for (const Actor of ["alice", "mallory", "mallory", "eve"]) {
    calls.push(harness.call());
    const answer = await persist({ ...other, Actor }, calls.at(-1));
    named.push("results" in answer ? answer.results[0]?.AuditID : undefined);
  }
  const conflicts = await trailOf(payment.TransactionID, "CONFLICT");
  expect(actors(conflicts)).toEqual(["alice", "eve", "mallory", "mallory"]);
  expect(requests(conflicts)).toEqual(requestIds(calls));
  expect(conflicts.map((record) => textOf(record, "AuditID")).toSorted()).toEqual(named.toSorted());
  expectOneFirst(conflicts);
});

test("a call that Lambda repeats leaves no second record; two actors of one list leave one each, in its order", async () => {
  const payment = await recorded();
  const list = ["alice", "mallory", "mallory"].map((Actor) => ({ ...payment, Amount: "77.00", Actor }));
  const call = harness.call();
  await persist(list, call);
  await persist(list, call);
  const conflicts = await trailOf(payment.TransactionID, "CONFLICT");
  expect(actors(conflicts)).toEqual(["alice", "mallory"]);
  expect(textOf(expectOneFirst(conflicts), "Actor")).toBe("alice");
});

test("what was attempted is in the first record only; every record says how it ended", async () => {
  const payment = await recorded();
  for (const Actor of ["alice", "mallory"]) await persist({ ...payment, Amount: "77.00", Actor });
  const query = { Query: "transaction", TransactionID: payment.TransactionID, Actor: "auditor" };
  const answer = await queryAuditTrail(query, harness.call("query_payment_audit_trail"), harness.services);
  const records: AuditView[] = answer.outcome === "answered" ? answer.records : [];
  const [first, repeat] = records.filter(({ Action }) => Action === "CONFLICT");
  expect(first?.QueryDetails).toMatchObject({ Attempted: { Amount: "77.00" } });
  expect(repeat).toMatchObject({
    Actor: "mallory",
    RepeatOf: first?.AuditID,
    query_result: "conflict",
    QueryDetails: { Operation: "persist_payment_ledger" },
  });
  expect(repeat?.QueryDetails).not.toHaveProperty("Attempted");
});

test.each<[string, (TransactionID: string, actor: string) => Promise<{ asked: string; attempted: object }>]>([
  [
    "a payment",
    async (TransactionID, Actor) => {
      await recorded({ TransactionID });
      await persist(paymentInput({ TransactionID, Amount: "77.00", Actor }));
      return { asked: TransactionID, attempted: { TransactionID, Amount: "77.00" } };
    },
  ],
  [
    "a payment's event",
    async (TransactionID, Actor) => {
      const fee = {
        TransactionID,
        EventID: freshId("fee"),
        Kind: "FEE",
        Mode: "fact",
        Amount: "1.00",
        Currency: "EUR",
      };
      for (const Amount of ["1.00", "77.00"])
        await recordPaymentEvents({ ...fee, Amount, Actor }, harness.call("record_payment_event"), harness.services);
      return { asked: fee.EventID, attempted: { ...fee, Amount: "77.00" } };
    },
  ],
  [
    "another service's event",
    async (TransactionID, Actor) => {
      const event = { TransactionID, AuditID: freshId("audit"), Actor, Action: "EXPORT" };
      for (const query_result of ["success", "failed"]) {
        const call = harness.call("persist_payment_audit_trail");
        await persistAuditEvents({ ...event, query_result }, call, harness.services);
      }
      return { asked: event.AuditID, attempted: { action: "EXPORT", result: "failed" } };
    },
  ],
])(
  "a conflict about %s: the record names what was sent again and what was attempted, and that nothing was returned",
  async (_what, meet) => {
    const TransactionID = freshId();
    const { asked, attempted } = await meet(TransactionID, "mallory");
    const query = { Query: "transaction", TransactionID, Actor: "auditor" };
    const answer = await queryAuditTrail(query, harness.call("query_payment_audit_trail"), harness.services);
    const records: AuditView[] = answer.outcome === "answered" ? answer.records : [];
    const [conflict] = records.filter(({ Action }) => Action === "CONFLICT");
    expect(conflict).toMatchObject({
      Actor: "mallory",
      query_record_id: asked,
      QueryDetails: { Attempted: attempted },
      response_record_ids: [],
      query_result: "conflict",
    });
  },
);

test("a duplicate that is answered to another actor is on record; one to the same actor is not; both answers name what is stored", async () => {
  const payment = await recorded({ Actor: "alice" });
  const [first, second] = [harness.call(), harness.call()];
  const answers = [];
  for (const call of [first, first, second]) answers.push(await persist({ ...payment, Actor: "mallory" }, call));
  answers.push(await persist(payment));
  const [stored] = await trailOf(payment.TransactionID, "WRITE");
  const result = { outcome: "duplicate", AuditID: textOf(stored ?? {}, "AuditID") };
  expect(answers).toMatchObject(answers.map(() => ({ results: [result] })));
  const duplicates = await trailOf(payment.TransactionID, "DUPLICATE");
  expect(actors(duplicates)).toEqual(["mallory", "mallory"]);
  expect(requests(duplicates)).toEqual(requestIds([first, second]));
});

describe("a status is answered only when the request is on record", () => {
  const change = (TransactionID: string, extra: object = {}) => ({
    TransactionID,
    ExpectedStatus: "Failure",
    Status: "Success",
    Reason: "late answer",
    Actor: "reconciliation",
    ...extra,
  });

  test("each conflict, so that an ExpectedVersion that cannot be is no unrecorded way to read", async () => {
    const { TransactionID } = await recorded();
    const calls = Array.from({ length: 5 }, () => harness.call("update_payment_status"));
    for (const call of calls) {
      const answer = await update(change(TransactionID, { ExpectedVersion: 999 }), call);
      expect(answer).toMatchObject({ outcome: "conflict", Status: "Success", Version: 1 });
    }
    const conflicts = await trailOf(TransactionID, "CONFLICT");
    expect(requests(conflicts)).toEqual(requestIds(calls));
    expectOneFirst(conflicts);
  });

  test("each repeat of a change, also by another claimed caller, but not the same request again", async () => {
    const { TransactionID } = await recorded({ Status: "Failure" });
    const call = harness.call("update_payment_status");
    for (let time = 0; time < 2; time++) await update(change(TransactionID), call);
    expect(await trailOf(TransactionID, "DUPLICATE")).toEqual([]);
    for (const Actor of ["reconciliation", "mallory"]) {
      expect(await update(change(TransactionID, { Actor }))).toMatchObject({ outcome: "duplicate", Version: 2 });
    }
    expect(actors(await trailOf(TransactionID, "DUPLICATE"))).toEqual(["mallory", "reconciliation"]);
  });

  test("when the record cannot be stored nothing is answered", async () => {
    const { TransactionID } = await recorded();
    harness.proxy.inject({ target: "DynamoDB.TransactWriteItems", fault: FAULTS.accessDenied() });
    await expect(update(change(TransactionID, { ExpectedVersion: 999 }))).rejects.toThrow();
    harness.proxy.reset();
  });
});

test.each<[string, (id: string, actor: string, call: Call) => Promise<unknown>]>([
  ["reveals", (id, Actor, call) => reveal(id, Actor, call)],
  [
    "reads",
    (TransactionID, Actor, call) => queryLedger({ Query: "transaction", TransactionID, Actor }, call, harness.services),
  ],
  [
    "status changes",
    (TransactionID, Actor, call) =>
      update({ TransactionID, ExpectedStatus: "Success", Status: "Failure", Reason: "x", Actor }, call),
  ],
  ["payments sent again", (TransactionID, Actor, call) => persist(paymentInput({ TransactionID, Actor }), call)],
])("an altered row: each of the %s that meet it leaves an alarm record", async (_what, meet) => {
  const { TransactionID } = await recorded();
  await tamper(TransactionID);
  const calls = ["alice", "mallory", "mallory"].map((actor) => ({ actor, call: harness.call("some_function") }));
  for (const { actor, call } of calls) await meet(TransactionID, actor, call);
  const last = calls.at(-1);
  if (last !== undefined) await meet(TransactionID, last.actor, last.call);
  const alarms = await trailOf(TransactionID, "ALARM");
  expect(actors(alarms)).toEqual(["alice", "mallory", "mallory"]);
  expect(requests(alarms)).toEqual(requestIds(calls.map(({ call }) => call)));
  expectOneFirst(alarms);
});

test("a further request's record is found by its actor", async () => {
  const payment = await recorded();
  const Actor = freshId("mallory");
  for (const actor of ["alice", Actor]) await persist({ ...payment, Amount: "77.00", Actor: actor });
  const range = {
    From: new Date(Date.now() - 3_600_000).toISOString(),
    To: new Date(Date.now() + 60_000).toISOString(),
  };
  const answer = await queryAuditTrail(
    { Query: "actor", OfActor: Actor, ...range, Actor: "auditor" },
    harness.call("query_payment_audit_trail"),
    harness.services,
  );
  expect(answer).toMatchObject({ records: [{ Action: "CONFLICT", TransactionID: payment.TransactionID }] });
});

describe("other services' events", () => {
  const persistEvents = (event: unknown) =>
    persistAuditEvents(event, harness.call("persist_payment_audit_trail"), harness.services);
  const persistMessages = (...records: readonly unknown[]) =>
    persistQueuedEvents(
      queueMessages({ Records: records }) ?? [],
      harness.call("persist_payment_audit_trail"),
      harness.services,
    );
  const read = async (TransactionID: string) => {
    const query = { Query: "transaction", TransactionID, Actor: "auditor" };
    const answer = await queryAuditTrail(query, harness.call("query_payment_audit_trail"), harness.services);
    return answer.outcome === "answered" ? answer.records.filter(({ Origin }) => Origin === "EVENT") : [];
  };

  test("an AuditID that another sender took does not keep an event out, and a repeat of it is a duplicate", async () => {
    const [TransactionID, AuditID] = [freshId(), freshId("guessable")];
    const event = { TransactionID, AuditID, Actor: "billing", Action: "EXPORT", query_result: "success" };
    await persistMessages(
      queueRecord({ ...event, query_result: "taken" }, { groupId: TransactionID, senderId: "AROAMALLORY:x" }),
    );
    for (const session of ["billing-1", "billing-2"]) {
      await persistMessages(queueRecord(event, { groupId: TransactionID, senderId: `AROABILLING:${session}` }));
    }
    const events = await read(TransactionID);
    expect(events.map(({ query_result }) => query_result)).toEqual(["taken", "success"]);
    expect(events[1]).toMatchObject({ EventID: AuditID, Caller: { Principal: "AROABILLING:billing-1" } });
    // Stored data: its vector is in the test of the identifiers.
    expect(events[1]?.AuditID).toBe(derivedAuditId("EVENT", "own-id", "principal/AROABILLING", AuditID));
    expect(await trailOf(TransactionID, "CONFLICT")).toEqual([]);
  });

  test("the same sender's other content under one AuditID is a conflict, also under a derived id", async () => {
    const [TransactionID, AuditID] = [freshId(), freshId("own")];
    const event = { TransactionID, AuditID, Actor: "billing", Action: "EXPORT" };
    await persistEvents({ ...event, Actor: "mallory" });
    const ownId = derivedAuditId("EVENT", "own-id", "actor/billing", AuditID);
    expect(await persistEvents([event, event])).toMatchObject({
      results: [
        { outcome: "stored", AuditID: ownId },
        { outcome: "duplicate", AuditID: ownId },
      ],
    });
    expect(await persistEvents({ ...event, query_result: "other" })).toMatchObject({
      results: [{ outcome: "conflict" }],
    });
    expect(await read(TransactionID)).toHaveLength(2);
  });

  test("an equal event of another sender is a duplicate, and that sender is on record", async () => {
    const TransactionID = freshId();
    const event = { TransactionID, AuditID: freshId("equal"), Actor: "billing" };
    for (const senderId of ["AROABILLING:1", "AROAMALLORY:1"]) {
      await persistMessages(queueRecord(event, { groupId: TransactionID, senderId }));
    }
    const duplicates = await trailOf(TransactionID, "DUPLICATE");
    expect(duplicates.map((record) => textWithin(record, "Caller", "Principal"))).toEqual(["AROAMALLORY:1"]);
  });

  test("no event is shown as one of the ledger's own records, and none may claim the ledger's names", async () => {
    const TransactionID = freshId();
    const actions = ["WRITE", "READ", "REVEAL", "ALARM", "LOG_CHECK", "EXPORT"];
    await persistEvents(actions.map((Action) => ({ TransactionID, Action, Actor: "mallory" })));
    expect((await read(TransactionID)).map(({ Action }) => Action).toSorted()).toEqual(
      ["EXPORT", ...actions.slice(0, 5).map((action) => `EVENT:${action}`)].toSorted(),
    );
    for (const Actor of ["sweep_audit_trail", "check_backup", "drill_restore", "unclaimed", "payment-processor"]) {
      expect(await persistEvents({ TransactionID, Actor })).toMatchObject({
        results: [{ outcome: "refused", code: "INVALID_ACTOR" }],
      });
      expect(await persist(paymentInput({ Actor }))).toMatchObject({ results: [{ code: "INVALID_ACTOR" }] });
    }
  });

  test("a made-up message in a real one's place keeps no refusal out of the trail", async () => {
    const groupId = freshId();
    const real = queueRecord("{broken", { groupId });
    const madeUp = { ...real, messageId: "made-up", body: "{other" };
    for (const message of [madeUp, real, real]) await persistMessages(message);
    expect(await trailOf(groupId, "GAP")).toHaveLength(2);
    const payment = queueRecord({ paymentId: freshId("pay"), amount: "broken" });
    const paymentId = JSON.parse(payment.body).paymentId;
    for (const message of [{ ...payment, body: JSON.stringify({ paymentId }) }, payment, payment]) {
      await processMessages({ Records: [message] }, harness.call("process_payment_messages"), harness.services);
    }
    expect(await trailOf(paymentId, "REFUSAL")).toHaveLength(2);
  });
});
