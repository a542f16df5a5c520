/** Payments of the queue: what is understood, and what makes two of them the same one. */

import { parseExactJson } from "../../../ledger/rules/exact-json";
import { parsePaymentMessage } from "../../../ledger/rules/payment-message";
import { contentMac } from "../../../ledger/rules/record-mac";
import { type Input, MAC_KEY, NOW, without } from "../../support/ledger-fixtures";
import { aMessage } from "./arriving-ways-in";

function understood(text: string) {
  const result = parsePaymentMessage(parseExactJson(text), NOW);
  if (!result.ok) throw new Error(`Refused: ${result.refusal.code}`);
  return result.value;
}
const macOf = (input: Input | string) => {
  const text = typeof input === "string" ? input : JSON.stringify(input);
  return contentMac("payment-audit-trail", understood(text).payment, MAC_KEY);
};

test("golden: the content MAC, which other code computed (Python's hmac) and which must never change", () => {
  expect(macOf(aMessage({ processorId: "acme", status: "Captured", actor: "billing" }))).toBe(
    "1.testkey.mw08Ok2T_oYyJkN1nz2RDr8HiQ7zXJkwVX-h7x7SzVA",
  );
  expect(macOf('{"paymentId":"pay-1","amount":10.5}')).toBe("1.testkey.wUgc7cGkikh5bGU2esrRSryG_I3RfMbTZeHjJCoSloE");
});

test("times of both forms are the same moment, amounts are normalised, and the actor is beside", () => {
  const expected = {
    actor: "billing",
    payment: { paymentId: "pay-1", amount: "10.50", currency: "EUR", timestamp: "2026-11-20T10:00:00.000Z" },
  };
  for (const timestamp of ['"2026-11-20T11:00:00+01:00"', String(Date.UTC(2026, 10, 20, 10)), '"1795168800000"']) {
    const text = `{"paymentId":"pay-1","amount":10.5,"currency":"EUR","timestamp":${timestamp},"actor":"billing"}`;
    expect(understood(text)).toEqual(expected);
  }
});

test("digits of a long amount stay", () => {
  expect(understood('{"paymentId":"a","amount":999999999999999.1234}').payment.amount).toBe("999999999999999.1234");
});

test("without a currency an amount is kept, and compared, as it was written", () => {
  const bare = (amount: string) => macOf(`{"paymentId":"a","amount":${amount}}`);
  expect(bare("10.5")).toBe(bare('"10.5"'));
  expect(bare("10.5")).not.toBe(bare("10.50"));
});

test.each<[string, Input]>([
  ["another id", aMessage({ paymentId: "pay-2" })],
  ["another amount", aMessage({ amount: "10.51" })],
  ["no currency", without(aMessage(), "currency")],
  ["another time", aMessage({ timestamp: "2026-11-20T10:00:00.001Z" })],
  ["no time", without(aMessage(), "timestamp")],
  ["a processor", aMessage({ processorId: "acme" })],
  ["a status", aMessage({ status: "Captured" })],
])("with %s it is another content; by another actor it is not", (_what, other) => {
  expect(macOf(other)).not.toBe(macOf(aMessage()));
  expect(macOf({ ...other, actor: "somebody" })).toBe(macOf(other));
});
