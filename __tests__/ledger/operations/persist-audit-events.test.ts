import { persistAuditEvents } from "../../../ledger/operations/persist-audit-events";
import { queryAuditTrail } from "../../../ledger/operations/query-audit-trail";
import { refusal } from "../../../ledger/rules/refusals";
import type { PersistResponse } from "../../../ledger/rules/responses";
import { textOf } from "../../../ledger/rules/stored-item";
import { everythingIn, freshId, type Harness, startHarness } from "../../support/ledger-harness";

let harness: Harness;
beforeAll(async () => {
  harness = await startHarness();
});
afterAll(() => harness?.stop());

async function persist(event: unknown, call = harness.call("persist_payment_audit_trail")): Promise<PersistResponse> {
  const response = await persistAuditEvents(event, call, harness.services);
  if (!("results" in response)) throw new Error(`The call was refused: ${response.code}`);
  return response;
}

async function recordsOf(TransactionID: string) {
  const query = { Query: "transaction", TransactionID, Actor: "auditor" };
  const response = await queryAuditTrail(query, harness.call("query_payment_audit_trail"), harness.services);
  if (response.outcome !== "answered") throw new Error(`The query was refused: ${response.code}`);
  return response.records.filter((record) => record.Origin === "EVENT");
}

test("the sources' vocabulary comes back in both vocabularies", async () => {
  const TransactionID = freshId();
  const event = {
    TransactionID,
    Action: "READ",
    Actor: "user-service",
    Timestamp: "2026-11-20T10:00:00Z",
    QueryDetails: { statement: "refund lookup", page: 1 },
    Response: "one record",
  };
  expect((await persist(event)).counts.stored).toBe(1);
  expect(await recordsOf(TransactionID)).toMatchObject([
    {
      Action: "EVENT:READ",
      Actor: "user-service",
      user_id: "user-service",
      timestamp: "2026-11-20T10:00:00.000Z",
      QueryDetails: event.QueryDetails,
      Response: "one record",
    },
  ]);
});

test("the audit system's vocabulary comes back in both vocabularies", async () => {
  const TransactionID = freshId();
  const event = {
    TransactionID,
    user_id: "alice",
    timestamp: "2026-11-20T10:00:00Z",
    query_record_id: TransactionID,
    response_record_ids: [TransactionID, "txn-other"],
    query_result: "success",
  };
  await persist(event);
  expect(await recordsOf(TransactionID)).toMatchObject([
    {
      ...event,
      timestamp: "2026-11-20T10:00:00.000Z",
      Actor: "alice",
      Timestamp: "2026-11-20T10:00:00.000Z",
      Action: "EVENT:READ",
    },
  ]);
});

test("details are ciphertext at rest", async () => {
  const secret = freshId("very-secret-detail");
  await persist({
    TransactionID: freshId(),
    Actor: "alice",
    QueryDetails: secret,
    Response: { note: secret },
    query_result: secret,
  });
  expect(everythingIn(await harness.scan("audit"))).not.toContain(secret);
});

test("the same AuditID again is a duplicate; other content under it is a conflict, and each attempt is on record", async () => {
  const event = { AuditID: freshId("audit"), TransactionID: freshId(), Actor: "alice", query_result: "success" };
  expect((await persist([event, event])).results.map((result) => result.outcome)).toEqual(["stored", "duplicate"]);
  expect((await persist(event)).results[0]?.outcome).toBe("duplicate");
  for (let attempt = 0; attempt < 2; attempt++) {
    expect((await persist({ ...event, query_result: "failed" })).results[0]).toMatchObject({
      outcome: "conflict",
      ...refusal("CONFLICT", "QueryDetails, Response"),
    });
  }
  const actions = (await harness.trailOf(event.TransactionID)).map((record) => textOf(record, "Action"));
  expect(actions.filter((action) => action === "CONFLICT")).toHaveLength(2);
  expect(actions).toHaveLength(3);
});

test("conflicting repeats within one list, and a forged record named twice, do not fail the call", async () => {
  const event = { AuditID: freshId("audit"), TransactionID: freshId(), Actor: "alice", query_result: "success" };
  const other = { ...event, query_result: "failed" };
  const outcomes = (await persist([event, other, other])).results.map(({ outcome, field }) => [outcome, field]);
  expect(outcomes).toEqual([
    ["stored", undefined],
    ["conflict", "Response"],
    ["conflict", "Response"],
  ]);
  const renamed = await persist({ ...event, Action: "EXPORT", TransactionID: freshId() });
  expect(renamed.results[0]).toMatchObject(refusal("CONFLICT", "TransactionID, Action"));
  const forged = { AuditID: freshId("audit"), TransactionID: freshId(), Actor: "alice" };
  await harness.put("audit", { AuditID: { S: forged.AuditID } });
  const { results } = await persist([forged, forged]);
  expect(results.map((result) => result.code)).toEqual(["RECORD_FORGED", "RECORD_FORGED"]);
});

test("a conflict names the time where that differs, or is missing in the repeat of an event that named it", async () => {
  const unnamed = { AuditID: freshId("audit"), TransactionID: freshId(), Actor: "alice", query_result: "success" };
  await persist({ ...unnamed, Timestamp: "2026-11-20T10:00:00Z" });
  for (const repeat of [unnamed, { ...unnamed, Timestamp: "2026-11-20T10:00:01Z" }]) {
    expect((await persist(repeat)).results[0]).toMatchObject(refusal("CONFLICT", "Timestamp"));
  }
});

test("an event without an id is stored once however often the platform repeats the invocation", async () => {
  const TransactionID = freshId();
  const call = harness.call("persist_payment_audit_trail");
  const events = [
    { TransactionID, Actor: "alice" },
    { TransactionID, Actor: "alice" },
  ];
  await persist(events, call);
  expect((await persist(events, call)).counts).toMatchObject({ duplicate: 2 });
  expect(await recordsOf(TransactionID)).toHaveLength(2);
});

test("150 events in one call, larger than one transaction", async () => {
  const TransactionID = freshId();
  const details = "x".repeat(40_000);
  const events = Array.from({ length: 150 }, () => ({ TransactionID, QueryDetails: details }));
  expect((await persist({ events, Actor: "bulk-job" })).counts.stored).toBe(150);
});

test.each([
  ["MISSING_FIELD", { Action: "READ" }],
  ["VOCABULARY_CONFLICT", { Actor: "alice", user_id: "bob" }],
  ["VOCABULARY_CONFLICT", { Actor: "alice", Timestamp: "2026-11-20T10:00:00Z", timestamp: "2026-11-20T10:00:01Z" }],
  ["INVALID_AUDIT_ID", { Actor: "alice", AuditID: "W~guard" }],
  ["INVALID_ACTION", { Actor: "alice", Action: "read it" }],
  ["INVALID_DETAILS", { Actor: "alice", QueryDetails: "x".repeat(70_000) }],
  ["INVALID_RECORD_ID", { Actor: "alice", response_record_ids: ["#"] }],
  ["TIMESTAMP_OUT_OF_RANGE", { Actor: "alice", Timestamp: "2999-01-01T00:00:00Z" }],
  ["CARD_DATA", { Actor: "alice", QueryDetails: { search: "4111 1111 1111 1111" } }],
  ["NOT_AN_OBJECT", "text"],
])("refuses with %s and leaves a refusal record", async (code, event) => {
  const { results } = await persist([event]);
  expect(results[0]).toMatchObject({ outcome: "refused", code });
  const record = (await harness.scan("audit")).find((item) => textOf(item, "AuditID") === results[0]?.AuditID);
  expect(record === undefined ? undefined : textOf(record, "Action")).toBe("REFUSAL");
});
