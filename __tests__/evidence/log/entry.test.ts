import { createHash } from "node:crypto";
import { type LogicalTableName, TABLES } from "../../../contract";
import { ENTRY_FORMAT, entryBytes, type HeartbeatEntry, type RecordEntry } from "../../../evidence/log/entry";
import { leafHash } from "../../../evidence/log/hashing";
import { keyValuesOf, tableContract, versionOf } from "../../../evidence/log/identity";

const RECORD: RecordEntry = {
  kind: "RECORD",
  table: "payment-transactions",
  key: ["txn-1", "1795255201000"],
  version: "1",
  sequence: "300000000000000000001",
  commitment: "47DEQpj8HBSa-_TImW-5JCeuQeRkm5NMpJWZG3hSuFU",
  previous: "",
};
const HEARTBEAT: HeartbeatEntry = {
  kind: "HEARTBEAT",
  time: "2026-11-21T12:00:00.000Z",
  counts: { RECORD: 12, FORGED: 1, TAMPER: 0, LATE: 2, HEARTBEAT: 9_007_199_254_740_991 },
  previousSize: 23,
  previousCheckpoint: "47DEQpj8HBSa-_TImW-5JCeuQeRkm5NMpJWZG3hSuFU",
};

/** Golden: written out by hand. A byte more or less, and no entry that was sealed before would be found again. */
test("a record's entry, byte for byte", () => {
  const text =
    '{"commitment":"47DEQpj8HBSa-_TImW-5JCeuQeRkm5NMpJWZG3hSuFU","format":"payment-ledger/entry/1",' +
    '"key":["txn-1","1795255201000"],"kind":"RECORD","previous":"","sequence":"300000000000000000001",' +
    '"table":"payment-transactions","version":"1"}';
  expect(entryBytes(RECORD).toString("utf8")).toBe(text);
  expect(leafHash(entryBytes(RECORD)).toString("hex")).toBe(
    createHash("sha256").update(Buffer.of(0)).update(text).digest("hex"),
  );
  expect(leafHash(entryBytes(RECORD)).toString("hex")).toBe(
    "b70564f1ea31699b0e93f609c845b1866c291afe41ebb89c78634ca256840077",
  );
});

test("a heartbeat's entry, byte for byte, with its numbers as text", () => {
  expect(entryBytes(HEARTBEAT).toString("utf8")).toBe(
    '{"counts":{"FORGED":"1","HEARTBEAT":"9007199254740991","LATE":"2","RECORD":"12","TAMPER":"0"},' +
      '"format":"payment-ledger/entry/1","kind":"HEARTBEAT",' +
      '"previousCheckpoint":"47DEQpj8HBSa-_TImW-5JCeuQeRkm5NMpJWZG3hSuFU","previousSize":"23","time":"2026-11-21T12:00:00.000Z"}',
  );
  expect(ENTRY_FORMAT).toBe("payment-ledger/entry/1");
});

test("the longest key that DynamoDB takes, all of it escaped, fits into an entry", () => {
  const key = ["\u0001".repeat(2048), "9".repeat(40)];
  expect(entryBytes({ ...RECORD, key }).length).toBeLessThan(65_535);
});

test("a key with a lone surrogate has no entry", () => {
  expect(() => entryBytes({ ...RECORD, key: ["\ud800"] })).toThrow("lone surrogate");
});

test("an item is named by its key attributes, the partition key first", () => {
  const item = { timestamp: { N: "1795255201000" }, transactionId: { S: "txn-1" }, TransactionID: { S: "no" } };
  expect(keyValuesOf(TABLES.paymentTransactions.logicalName, item)).toEqual(["txn-1", "1795255201000"]);
  expect(keyValuesOf(TABLES.paymentLedger.logicalName, item)).toEqual(["no"]);
  expect(keyValuesOf(TABLES.paymentMessages.logicalName, item)).toEqual([""]);
  expect(keyValuesOf(TABLES.paymentAuditTrail.logicalName, { AuditID: { B: "AAAA" } })).toEqual(["AAAA"]);
});

test.each<[string, object | undefined, string]>([
  ["its number", { N: "7" }, "7"],
  ["1 where the item has no version", undefined, "1"],
  ["1 where it is no number", { S: "7" }, "1"],
])("the version of an item is %s", (_what, Version, version) => {
  expect(versionOf(Version === undefined ? {} : { Version })).toBe(version);
});

test("a table that the contract does not have has no key", () => {
  expect(() => tableContract("orders" as LogicalTableName)).toThrow("The contract has no table orders.");
});
