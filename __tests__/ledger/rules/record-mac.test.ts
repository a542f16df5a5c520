/** Record MACs are stored data: the vectors below were computed by other code (Python's hmac) and must never change. */

import fc from "fast-check";
import { toItemJson } from "../../../ledger/rules/attribute-value";
import { canonicalJson } from "../../../ledger/rules/canonical-json";
import {
  contentMac,
  equalMac,
  hasGoodMac,
  type MacKey,
  macedRecord,
  recordMac,
  withRecordMac,
} from "../../../ledger/rules/record-mac";
import { type StoredItem, type StoredValue, textOf } from "../../../ledger/rules/stored-item";
import { MAC_KEY } from "../../support/ledger-fixtures";

const ITEM: StoredItem = {
  TransactionID: { S: "txn-1" },
  Amount: { S: "10.50" },
  Version: { N: "1" },
  SecureToken: { B: Uint8Array.of(1, 2, 3, 255) },
  Caller: { M: { RequestID: { S: "r" }, Function: { S: "f" } } },
};
const GOOD = withRecordMac("PaymentLedger", ITEM, MAC_KEY);

test("golden: the MAC of a record", () => {
  expect(recordMac("PaymentLedger", ITEM, MAC_KEY)).toBe("1.testkey.Zu6ibYPT292aF1O8xt2QAsjv5flrDkqoO_qFvMY7qgI");
  expect(hasGoodMac("PaymentLedger", GOOD, MAC_KEY)).toBe(true);
});

test("golden: the MAC of a payment's content", () => {
  const content = {
    TransactionID: "txn-1",
    SecureToken: "tok_é",
    Amount: "10.50",
    Currency: "EUR",
    ProcessorID: "acme",
    Status: "Success",
  };
  const mac = "1.testkey.j7Eo4KVjMGbPqqIWIyPyz42YeoPshXGhlG3LkM55EKk";
  expect(contentMac("PaymentLedger", content, MAC_KEY)).toBe(mac);
  const reordered = Object.fromEntries(Object.entries(content).reverse());
  expect(contentMac("PaymentLedger", reordered, MAC_KEY)).toBe(mac);
  expect(contentMac("status-change", content, MAC_KEY)).not.toBe(mac);
  expect(contentMac("PaymentLedger", { ...content, Amount: "10.5" }, MAC_KEY)).not.toBe(mac);
});

const OTHER_SECRET: MacKey = { ...MAC_KEY, secret: new Uint8Array(32) };
const OTHER_REFERENCE: MacKey = { ...MAC_KEY, reference: "newkey" };
/** Deeper than DynamoDB lets anybody nest (32 levels). */
const DEEP = Array.from({ length: 40 }).reduce<StoredValue>((inner) => ({ M: { a: inner } }), { S: "x" });

test.each<[string, StoredItem]>([
  ["a changed text", { ...GOOD, Amount: { S: "99.50" } }],
  ["a changed number", { ...GOOD, Version: { N: "2" } }],
  ["a changed byte", { ...GOOD, SecureToken: { B: Uint8Array.of(1, 2, 3, 254) } }],
  ["a change inside a map", { ...GOOD, Caller: { M: { RequestID: { S: "r" }, Function: { S: "g" } } } }],
  ["an attribute added", { ...GOOD, Note: { S: "" } }],
  ["a TTL added", { ...GOOD, ExpiresAt: { N: "1" } }],
  ["a text that becomes a number", { ...GOOD, Amount: { N: "10.50" } }],
  ["bytes that become their base64", { ...GOOD, SecureToken: { S: "AQID/w==" } }],
  ["two values swapped", { ...GOOD, Amount: { S: "txn-1" }, TransactionID: { S: "10.50" } }],
  ["an empty MAC", { ...GOOD, Mac: { S: "" } }],
  ["a MAC of another type", { ...GOOD, Mac: { BOOL: true } }],
  ["a MAC of the same length", { ...GOOD, Mac: { S: `1.testkey.${"A".repeat(43)}` } }],
  ["no MAC", ITEM],
  ["a deeply nested attribute", { ...GOOD, Deep: DEEP }],
])("%s is a forgery", (_name, item) => {
  expect(hasGoodMac("PaymentLedger", item, MAC_KEY)).toBe(false);
});

test.each(Object.keys(ITEM))("without %s the record is a forgery", (name) => {
  const { [name]: _removed, ...rest } = GOOD;
  expect(hasGoodMac("PaymentLedger", rest, MAC_KEY)).toBe(false);
});

test("a record that has no canonical form is a forgery, whatever MAC it claims", () => {
  expect(hasGoodMac("PaymentLedger", { ...GOOD, Note: { S: "\ud800" } }, MAC_KEY)).toBe(false);
});

test("a record moved to another table, or checked with another key, is a forgery", () => {
  expect(hasGoodMac("PaymentAuditTrail", GOOD, MAC_KEY)).toBe(false);
  expect(hasGoodMac("PaymentLedger", GOOD, OTHER_SECRET)).toBe(false);
  expect(hasGoodMac("PaymentLedger", GOOD, OTHER_REFERENCE)).toBe(false);
});

const { value: storedValues } = fc.letrec<{ value: StoredValue }>((tie) => ({
  value: fc.oneof(
    { maxDepth: 3 },
    fc.record({ S: fc.string() }),
    fc.record({ N: fc.nat().map(String) }),
    fc.record({ B: fc.uint8Array({ maxLength: 8 }) }),
    fc.record({ BOOL: fc.boolean() }),
    fc.constant<StoredValue>({ NULL: true }),
    fc.record({ L: fc.array(tie("value"), { maxLength: 3 }) }),
    fc.record({ M: fc.dictionary(fc.string(), tie("value"), { maxKeys: 3 }) }),
  ),
}));
const names = fc.string({ minLength: 1 }).filter((name) => name !== "Mac");
const items = fc.dictionary(names, storedValues, { minKeys: 1, maxKeys: 5 });

test("property: the text that is sent of a record is the record with its MAC, and holds what the MAC was made over", () => {
  fc.assert(
    fc.property(items, (item) => {
      const { item: signed, text } = macedRecord("PaymentLedger", item, MAC_KEY);
      expect(JSON.parse(text)).toEqual(JSON.parse(canonicalJson(toItemJson(signed))));
      expect(text.startsWith(canonicalJson(toItemJson(item)).slice(0, -1))).toBe(true);
      expect(textOf(signed, "Mac")).toBe(recordMac("PaymentLedger", item, MAC_KEY));
    }),
  );
});

test("a record without attributes has a text too", () => {
  const { item, text } = macedRecord("PaymentLedger", {}, MAC_KEY);
  expect(JSON.parse(text)).toEqual(item);
});

test("property: a record's MAC is good with its own attributes in any order, and with no others", () => {
  fc.assert(
    fc.property(items, names, storedValues, (item, name, value) => {
      const signed = withRecordMac("PaymentAuditTrail", item, MAC_KEY);
      const reordered = Object.fromEntries(Object.entries(signed).reverse());
      expect(hasGoodMac("PaymentAuditTrail", reordered, MAC_KEY)).toBe(true);
      const altered = Object.fromEntries([...Object.entries(signed), [name, value]]);
      const isSame =
        Object.hasOwn(item, name) &&
        recordMac("PaymentLedger", { [name]: value }, MAC_KEY) ===
          recordMac("PaymentLedger", { [name]: item[name] ?? value }, MAC_KEY);
      expect(hasGoodMac("PaymentAuditTrail", altered, MAC_KEY)).toBe(isSame);
    }),
  );
});

test("property: every attribute counts, whichever is taken away or exchanged", () => {
  fc.assert(
    fc.property(items, fc.nat(), (item, pick) => {
      const signed = withRecordMac("PaymentLedger", item, MAC_KEY);
      const all = Object.keys(item);
      const name = all[pick % all.length] ?? "";
      const rest = Object.entries(signed).filter(([each]) => each !== name);
      expect(hasGoodMac("PaymentLedger", Object.fromEntries(rest), MAC_KEY)).toBe(false);
      const exchanged = Object.fromEntries([...rest, [name, { SS: ["exchanged"] }]]);
      expect(hasGoodMac("PaymentLedger", exchanged, MAC_KEY)).toBe(false);
    }),
  );
});

test("property: MACs are equal exactly when they are the same text", () => {
  fc.assert(
    fc.property(fc.string(), fc.string(), (a, b) => {
      expect(equalMac(a, b)).toBe(a === b);
      expect(equalMac(a, a)).toBe(true);
    }),
  );
});
