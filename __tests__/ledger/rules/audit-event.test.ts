/** Audit events: two vocabularies, one record. */

import { type AuditEvent, auditEventContent, parseAuditEvent } from "../../../ledger/rules/audit-event";
import { canonicalJson } from "../../../ledger/rules/canonical-json";
import { anEvent, type Input, NOW } from "../../support/ledger-fixtures";

function parsed(input: Input): AuditEvent {
  const result = parseAuditEvent(input, NOW);
  if (!result.ok) throw new Error(`Refused: ${result.refusal.code}`);
  return result.value;
}

const IDS = { query_record_id: "txn-1", response_record_ids: ["txn-1", "txn-2"], query_result: "success" };

test("both vocabularies, alone or together, give the same record", () => {
  const record = {
    action: "READ",
    actor: "support",
    timestamp: "2026-11-21T10:00:00.000Z",
    queryRecordIds: ["txn-1"],
    responseRecordIds: ["txn-1", "txn-2"],
    result: "success",
  };
  const inFirst = { Actor: "support", Timestamp: "2026-11-21T10:00:00Z", ...IDS };
  const inSecond = { user_id: "support", timestamp: "2026-11-21T11:00:00+01:00", ...IDS };
  for (const sent of [inFirst, inSecond, { ...inFirst, ...inSecond }]) expect(parsed(sent)).toEqual(record);
});

test("one id asked for is the same as a list of it, and READ is the same as no action", () => {
  const asked = parsed({ Actor: "support", query_record_id: "txn-1" });
  expect(parsed({ Actor: "support", query_record_id: ["txn-1"], Action: "READ" })).toEqual(asked);
});

test("nothing is made up: what was not sent is not in the record", () => {
  expect(parsed({ Actor: "support" })).toStrictEqual({
    action: "READ",
    actor: "support",
    queryRecordIds: [],
    responseRecordIds: [],
  });
});

test("the mark of another system is kept, and is not part of the content", () => {
  const sent = anEvent({ Timestamp: "2026-11-21T10:00:00Z" });
  const imported = parsed({ ...sent, ImportedFrom: "old-audit" });
  expect(imported.importedFrom).toBe("old-audit");
  expect(auditEventContent(imported)).toStrictEqual(auditEventContent(parsed(sent)));
});

test.each([
  ["null", null],
  ["false", false],
  ["an empty text", ""],
  ["a member named __proto__", JSON.parse('{"__proto__":{"a":1},"b":[{"constructor":2}]}')],
  ["nested lists", [[[["deep"]]]]],
])("details are kept as they came: %s", (_name, details) => {
  const event = parsed(anEvent({ QueryDetails: details, Response: details }));
  expect(canonicalJson(event.queryDetails)).toBe(canonicalJson(details));
  expect(canonicalJson(event.responseDetails)).toBe(canonicalJson(details));
});

test("the content that tells a repeat from a conflict holds everything that was sent", () => {
  const base = anEvent({ Timestamp: "2026-11-21T10:00:00Z", QueryDetails: { q: 1 }, Response: { r: 1 }, ...IDS });
  const content = (changes: Input) => canonicalJson(auditEventContent(parsed({ ...base, ...changes })));
  expect(content({ Timestamp: "2026-11-21T10:00:00.000+00:00", schemaVersion: 1 })).toBe(content({}));
  const changes: Input[] = [
    { AuditID: "event-2" },
    { TransactionID: "txn-2" },
    { Action: "WRITE" },
    { Actor: "somebody-else" },
    { Timestamp: "2026-11-21T10:00:01Z" },
    { QueryDetails: { q: 2 } },
    { Response: null },
    { query_record_id: "txn-2" },
    { response_record_ids: ["txn-2", "txn-1"] },
    { query_result: "failure" },
  ];
  for (const change of changes) expect(content(change)).not.toBe(content({}));
});

test("an actor that is one in both vocabularies, or a moment written in two offsets, is no conflict", () => {
  expect(parsed(anEvent({ user_id: "support" })).actor).toBe("support");
  const twice = anEvent({ Timestamp: "2026-11-21T10:00:00.0001Z", timestamp: "2026-11-21T05:00:00-05:00" });
  expect(parsed(twice).timestamp).toBe("2026-11-21T10:00:00.000Z");
});
