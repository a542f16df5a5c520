/** Payments of files and of direct `payment_data`: what is understood, and what makes two of them the same one. */

import fc from "fast-check";
import { parseExactJson } from "../../../ledger/rules/exact-json";
import { contentMac } from "../../../ledger/rules/record-mac";
import { parseTransaction } from "../../../ledger/rules/transaction";
import { type Input, MAC_KEY, NOW } from "../../support/ledger-fixtures";
import { aTransaction } from "./arriving-ways-in";

function understood(input: unknown) {
  const result = parseTransaction(input, NOW);
  if (!result.ok) throw new Error(`Refused: ${result.refusal.code}`);
  return result.value;
}
const macOf = (input: unknown) => contentMac("payment-transactions", understood(input).payment, MAC_KEY);
const row = (fields: string) =>
  parseExactJson(`{"transactionId":"txn-1","currency":"USD","cardLast4":"4242",${fields}}`);

test("golden: the content MAC, which other code computed (Python's hmac) and which must never change", () => {
  expect(macOf(row('"amount":100.1,"metadata":{"b":1.10,"a":12345678901234567890.12}'))).toBe(
    "1.testkey.7L8H608S2OR1SXGN2CNjUJHzpRz-T76V3nZ98Ve3SrE",
  );
  expect(macOf(aTransaction({ amount: "100.10" }))).toBe("1.testkey.UBYqhnKBW50qJYXRkSwWwmXnDdJcrzUmBY5g9EjjhhY");
});

test("the amount is normalised, metadata becomes canonical text, and the actor is beside the payment", () => {
  expect(understood(row('"amount":"7.5","actor":"importer","metadata":{"z":[1.0,{}],"a":null}'))).toEqual({
    actor: "importer",
    payment: {
      transactionId: "txn-1",
      amount: "7.50",
      currency: "USD",
      cardLast4: "4242",
      metadata: '{"a":null,"z":[1.0,{}]}',
    },
  });
});

test.each<[string, unknown]>([
  ["by another actor", aTransaction({ actor: "somebody-else" })],
  ["with empty metadata", aTransaction({ metadata: {} })],
  ["with its fields in another order", Object.fromEntries(Object.entries(aTransaction()).reverse())],
  ["as a row with the amount as a number", row('"amount":100')],
  ["as a row with fewer decimals", row('"amount":"100.0"')],
])("sent again %s it is the same payment", (_how, again) => {
  expect(macOf(again)).toBe(macOf(aTransaction()));
});

const withMetadata = (text: string) => row(`"amount":"100.00","metadata":${text}`);

test.each<[string, Input]>([
  ["another id", aTransaction({ transactionId: "txn-2" })],
  ["another amount", aTransaction({ amount: "100.01" })],
  ["another currency", aTransaction({ currency: "EUR" })],
  ["other digits of the card", aTransaction({ cardLast4: "4243" })],
  ["metadata", aTransaction({ metadata: { a: 1 } })],
])("with %s it is another content", (_what, other) => {
  expect(macOf(other)).not.toBe(macOf(aTransaction()));
});

test("numbers compare as they are written; order of members and white space do not count", () => {
  const macs = ["1.1", "1.10", "11e-1", '"1.1"'].map((number) => macOf(withMetadata(`{"n":${number}}`)));
  expect(new Set(macs).size).toBe(macs.length);
  expect(macOf(withMetadata('{"a":1,"b":2}'))).toBe(macOf(withMetadata(' { "b" : 2 , "a" : 1 } ')));
});

test("whole numbers sent directly are those of a file", () => {
  expect(macOf(aTransaction({ metadata: { n: 7, m: -(2 ** 53 - 1) } }))).toBe(
    macOf(withMetadata('{"n":7,"m":-9007199254740991}')),
  );
});

test("property: metadata of a file is kept with every digit, and reads back as it was", () => {
  fc.assert(
    fc.property(fc.dictionary(fc.string(), fc.jsonValue()), (metadata) => {
      const text = JSON.stringify(metadata);
      const { payment } = understood(withMetadata(text));
      expect(JSON.parse(payment.metadata)).toEqual(JSON.parse(text));
    }),
  );
});
