/** What the ledger understands of a payment, and what makes two payments the same one. */

import fc from "fast-check";
import { parsePayment } from "../../../ledger/rules/payment";
import { contentMac } from "../../../ledger/rules/record-mac";
import { aPayment, type Input, MAC_KEY, NOW, without } from "../../support/ledger-fixtures";

function parsed(input: Input, listActor?: string) {
  const result = parsePayment(input, NOW, listActor);
  if (!result.ok) throw new Error(`Refused: ${result.refusal.code}`);
  return result.value;
}
const macOf = (input: Input) => contentMac("PaymentLedger", parsed(input).payment, MAC_KEY);

test("amount and time are normalised, and the actor is beside the payment", () => {
  const sent = aPayment({ Amount: "10.5", Timestamp: "2026-11-21T11:00:00.123456+01:00", schemaVersion: 1 });
  expect(parsed(sent)).toEqual({
    actor: "checkout",
    payment: {
      TransactionID: "txn-1",
      SecureToken: "tok_4f2a",
      Amount: "10.50",
      Currency: "EUR",
      ProcessorID: "acme",
      Status: "Success",
      Timestamp: "2026-11-21T10:00:00.123Z",
    },
  });
});

test("an entry's own actor goes before the list's, which counts for the other entries", () => {
  expect(parsed(aPayment(), "importer").actor).toBe("checkout");
  expect(parsed(without(aPayment(), "Actor"), "importer").actor).toBe("importer");
});

test("the content holds neither actor nor schema version, and no time where none was sent", () => {
  const { payment } = parsed(without(aPayment({ schemaVersion: 1 }), "Timestamp"));
  expect(Object.keys(payment).sort()).toEqual([
    "Amount",
    "Currency",
    "ProcessorID",
    "SecureToken",
    "Status",
    "TransactionID",
  ]);
});

test.each<[string, Input]>([
  ["by another actor", aPayment({ Actor: "somebody-else" })],
  ["with the schema version named", aPayment({ schemaVersion: 1 })],
  ["with fewer decimals", aPayment({ Amount: "10.5" })],
  ["with the time at another offset", aPayment({ Timestamp: "2026-11-21T11:00:00+01:00" })],
  ["with its fields in another order", Object.fromEntries(Object.entries(aPayment()).reverse())],
])("sent again %s it is the same payment", (_how, again) => {
  expect(macOf(again)).toBe(macOf(aPayment()));
});

test.each<[string, Input]>([
  ["another token", aPayment({ SecureToken: "tok_4f2b" })],
  ["another amount", aPayment({ Amount: "10.51" })],
  ["the same figures in another currency", aPayment({ Currency: "USD" })],
  ["another processor", aPayment({ ProcessorID: "zenith" })],
  ["another status", aPayment({ Status: "Failure" })],
  ["another time", aPayment({ Timestamp: "2026-11-21T10:00:00.001Z" })],
  ["no time", without(aPayment(), "Timestamp")],
])("with %s it is another content", (_how, other) => {
  expect(macOf(other)).not.toBe(macOf(aPayment()));
});

test("property: a good payment is taken whatever its token holds, unchanged", () => {
  fc.assert(
    fc.property(fc.string({ unit: "grapheme", minLength: 1, maxLength: 200 }), (SecureToken) => {
      expect(parsed(aPayment({ SecureToken })).payment.SecureToken).toBe(SecureToken);
    }),
  );
});
