/** The fields that a conflict names: exactly those that differ, without a value, and an encrypted one only as the last. */

import fc from "fast-check";
import { differingFields } from "../../../ledger/rules/differing-fields";

const RECORDED = { TransactionID: "txn-1", Amount: "10.50", Currency: "EUR", Timestamp: "2026-11-20T10:00:00.000Z" };
const SENT = { ...RECORDED, SecureToken: "tok_1" };
const ENCRYPTED = ["SecureToken"];

test.each<[string, object, string]>([
  ["one readable field", { Amount: "10.51" }, "Amount"],
  ["several readable fields", { Amount: "10.51", Currency: "USD" }, "Amount, Currency"],
  ["a readable field beside another token", { Amount: "10.51", SecureToken: "tok_2" }, "Amount"],
  ["no readable field", { SecureToken: "tok_2" }, "SecureToken"],
  ["a field that was not recorded", { Note: "new" }, "Note"],
  ["a field that was not sent", { Currency: undefined }, "Currency"],
])("%s", (_what, change, field) => {
  expect(differingFields({ ...SENT, ...change }, { fields: RECORDED, encrypted: ENCRYPTED })).toBe(field);
});

describe("a time that may be the time of recording", () => {
  const recorded = { fields: RECORDED, defaultedTime: "Timestamp", encrypted: ENCRYPTED };

  test("agrees with a request that names no time", () => {
    expect(differingFields({ ...SENT, Timestamp: undefined, Amount: "1.00" }, recorded)).toBe("Amount");
  });

  test("differs from another time", () => {
    expect(differingFields({ ...SENT, Timestamp: "2026-11-20T10:00:00.001Z" }, recorded)).toBe("Timestamp");
  });

  test("may differ from the same time, because the sender may have read it", () => {
    expect(differingFields(SENT, recorded)).toBe("SecureToken, Timestamp");
  });
});

test("no field is named where no difference is known", () => {
  expect(differingFields(RECORDED, { fields: RECORDED })).toBeUndefined();
});

test("property: the readable fields that differ are named, all of them and no other, and no value is", () => {
  const names = ["Amount", "Currency", "ProcessorID", "Status"];
  const values = fc.record(Object.fromEntries(names.map((name) => [name, fc.stringMatching(/^[0-9]{12}$/)])));
  fc.assert(
    fc.property(values, fc.subarray(names), (recorded, changed) => {
      const sent = Object.fromEntries(
        names.map((name) => [name, changed.includes(name) ? `${recorded[name]}9` : recorded[name]]),
      );
      const field = differingFields({ ...sent, SecureToken: "tok" }, { fields: recorded, encrypted: ENCRYPTED });
      expect(field).toBe(
        changed.length === 0 ? "SecureToken" : names.filter((name) => changed.includes(name)).join(", "),
      );
    }),
  );
});
