import { TABLES } from "../../../contract";
import type { RecordEntry } from "../../../evidence/log/entry";
import { entryTexts, recordTexts } from "../../../evidence/report/entry-text";

test("no key of an index is shown to a reader, except the id of the payment", () => {
  const indexes = Object.values(TABLES).flatMap((table) => Object.values(table.indexes));
  const names = indexes.flatMap(({ partitionKey, sortKey }) => [partitionKey, sortKey]);
  expect(names).toContain("ReviewDay");
  expect(recordTexts(Object.fromEntries(names.map((name) => [name, { S: "x" }])))).toEqual(["TransactionID", "x"]);
});

test.each([
  ["an audit record by its action", { Action: { S: "WRITE" } }, "Record: WRITE"],
  ["an event of a payment by its kind", { Kind: { S: "REFUND_HELD" } }, "Record: REFUND_HELD"],
  ["a payment by its status", { Status: { S: "approved" } }, "Record: approved"],
  ["a record without any of them as a record", {}, "Record"],
])("the timeline names %s", (_what, record, named) => {
  const hashes = { sequence: "1", commitment: "c", previous: "" };
  const entry: RecordEntry = { kind: "RECORD", table: "PaymentEvents", key: ["p-1", "1"], version: "1", ...hashes };
  expect(entryTexts(0, entry, record)[1]).toBe(named);
});
