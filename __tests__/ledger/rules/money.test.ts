/** Exact money: the currency table against an independent one, and arithmetic against whole numbers of minor units. */

import currencyCodes from "currency-codes";
import fc from "fast-check";
import {
  CURRENCY_CODES,
  CURRENT_CURRENCY_CODES,
  ISO_4217_AMENDMENT,
  minorUnitsOf,
} from "../../../ledger/rules/currencies";
import { amountMinor, normalizeAmount } from "../../../ledger/rules/money";
import { parsePayment } from "../../../ledger/rules/payment";
import { parsePaymentMessage } from "../../../ledger/rules/payment-message";
import { refusal } from "../../../ledger/rules/refusals";
import { parseTransaction } from "../../../ledger/rules/transaction";
import { AMENDMENTS, LIST_ONE_PUBLISHED, LIST_THREE } from "./iso-4217-facts";

/** Codes of List One that are no currency of payments: ISO 4217 gives them no minor units, or reserves them. */
const NOT_MONEY = ["XAG", "XAU", "XPD", "XPT", "XBA", "XBB", "XBC", "XBD", "XDR", "XSU", "XUA", "XTS", "XXX"];

describe("the currency table", () => {
  const listOne = new Map(currencyCodes.data.map(({ code, digits }) => [code, digits]));
  const current = new Map(CURRENT_CURRENCY_CODES.map((code) => [code, minorUnitsOf(code)]));

  test("is List One of its source with every later amendment, and names the last of them", () => {
    expect(currencyCodes.publishDate).toBe(LIST_ONE_PUBLISHED);
    const expected = new Map(listOne);
    for (const code of NOT_MONEY) expect(expected.delete(code)).toBe(true);
    for (const { added, ended } of AMENDMENTS) {
      for (const [code, minorUnits] of Object.entries(added)) expected.set(code, minorUnits);
      for (const code of ended) expect(expected.delete(code)).toBe(true);
    }
    expect([...current].sort()).toEqual([...expected].sort());
    const last = AMENDMENTS.at(-1);
    expect(ISO_4217_AMENDMENT).toEqual({ number: last?.number, effectiveFrom: last?.effectiveFrom });
  });

  test("names the amendments in order, and the amendment in its refusal", () => {
    expect(AMENDMENTS.map(({ number }) => number)).toEqual([176, 178, 179, 180]);
    expect(refusal("UNKNOWN_CURRENCY").message).toContain(
      `amendment ${ISO_4217_AMENDMENT.number}, ${ISO_4217_AMENDMENT.effectiveFrom}`,
    );
  });

  test("takes a currency that has ended until its last day, for payments that say when they happened", () => {
    for (const [code, minorUnits, lastDay] of LIST_THREE) {
      const nextDay = new Date(Date.parse(lastDay) + 86_400_000).toISOString();
      expect([code, minorUnitsOf(code, `${lastDay}T23:59:59.999Z`)]).toEqual([code, minorUnits]);
      expect([code, minorUnitsOf(code, "2000-01-01T00:00:00.000Z")]).toEqual([code, minorUnits]);
      expect([code, minorUnitsOf(code, nextDay)]).toEqual([code, undefined]);
      expect([code, minorUnitsOf(code)]).toEqual([code, undefined]);
    }
    const taken = new Set([...CURRENT_CURRENCY_CODES, ...LIST_THREE.map(([code]) => code)]);
    expect([...CURRENCY_CODES]).toEqual([...taken].sort());
  });

  test("takes a current currency at any time", () => {
    for (const code of CURRENT_CURRENCY_CODES)
      expect(minorUnitsOf(code, "2000-01-01T00:00:00.000Z")).toBe(current.get(code));
  });

  test("knows only codes in capitals, and no names of object internals", () => {
    for (const code of ["eur", "Eur", " EUR", "", "constructor", "__proto__"]) {
      expect(minorUnitsOf(code)).toBeUndefined();
      expect(minorUnitsOf(code, "2020-01-01T00:00:00.000Z")).toBeUndefined();
    }
  });

  test("a payment's own time decides, on each way in", () => {
    const now = new Date("2026-11-28T00:00:00.000Z");
    const at = (Timestamp?: string) => {
      const payment = {
        TransactionID: "txn-1",
        SecureToken: "tok_1",
        Amount: "10.5",
        Currency: "HRK",
        ProcessorID: "p",
        Status: "Success",
        Actor: "a",
        ...(Timestamp === undefined ? {} : { Timestamp }),
      };
      const message = { paymentId: "txn-1", amount: "10.5", currency: "HRK", timestamp: Timestamp };
      return [parsePayment(payment, now), parsePaymentMessage(message, now)];
    };
    const unknown = { ok: false, refusal: { code: "UNKNOWN_CURRENCY", field: expect.stringMatching(/^[Cc]urrency$/) } };
    for (const parsed of at("2022-06-01T12:00:00Z")) expect(parsed).toMatchObject({ ok: true });
    for (const parsed of [...at("2023-06-01T12:00:00Z"), ...at()]) expect(parsed).toMatchObject(unknown);
    const row = { transactionId: "txn-1", amount: "10.50", currency: "HRK", cardLast4: "4242" };
    expect(parseTransaction(row, new Date())).toMatchObject(unknown);
    expect(parseTransaction({ ...row, currency: "XAD" }, new Date())).toMatchObject({ ok: true });
  });
});

test.each([
  ["1500", "JPY", "1500", 1500n],
  ["0", "JPY", "0", 0n],
  ["10", "USD", "10.00", 1000n],
  ["10.5", "USD", "10.50", 1050n],
  ["10.50", "USD", "10.50", 1050n],
  ["0", "EUR", "0.00", 0n],
  ["0.07", "EUR", "0.07", 7n],
  ["1.5", "KWD", "1.500", 1500n],
  ["0.001", "BHD", "0.001", 1n],
  ["2", "CLF", "2.0000", 20000n],
  ["0.0001", "UYW", "0.0001", 1n],
  ["999999999999999.9999", "CLF", "999999999999999.9999", 9999999999999999999n],
])("%s %s is %s, in minor units %s", (sent, currency, normalized, minor) => {
  expect(normalizeAmount(sent, currency)).toEqual({ amount: normalized });
  expect(amountMinor(normalized)).toBe(minor);
});

test.each([
  ["10.0", "JPY", "AMOUNT_DECIMALS"],
  ["10.500", "USD", "AMOUNT_DECIMALS"],
  ["1.0000", "KWD", "AMOUNT_DECIMALS"],
  ["1.00000", "CLF", "INVALID_AMOUNT"],
  ["1", "XAU", "UNKNOWN_CURRENCY"],
  ["", "EUR", "INVALID_AMOUNT"],
  ["-1", "EUR", "INVALID_AMOUNT"],
  ["-0", "EUR", "INVALID_AMOUNT"],
  ["1e2", "EUR", "INVALID_AMOUNT"],
  ["1,5", "EUR", "INVALID_AMOUNT"],
  ["1 000", "EUR", "INVALID_AMOUNT"],
  ["00", "EUR", "INVALID_AMOUNT"],
  ["01.00", "EUR", "INVALID_AMOUNT"],
  ["1.", "EUR", "INVALID_AMOUNT"],
  [".5", "EUR", "INVALID_AMOUNT"],
  ["1.5\n", "EUR", "INVALID_AMOUNT"],
  ["\u0661", "EUR", "INVALID_AMOUNT"],
  ["Infinity", "EUR", "INVALID_AMOUNT"],
  ["1000000000000000", "EUR", "INVALID_AMOUNT"],
])("refuses %j %s as %s", (amount, currency, fault) => {
  expect(normalizeAmount(amount, currency)).toEqual({ fault });
});

/** A currency, and an amount of it as a whole number of minor units, up to the largest that the form allows. */
const moneyArbitrary = fc.constantFrom(...CURRENT_CURRENCY_CODES).chain((currency) => {
  const scale = 10n ** BigInt(minorUnitsOf(currency) ?? 0);
  return fc.record({ currency: fc.constant(currency), minor: fc.bigInt({ min: 0n, max: 10n ** 15n * scale - 1n }) });
});

/** Decimal text by whole-number arithmetic alone, so that it shares no step with the code under test. */
function decimalText(minor: bigint, minorUnits: number): string {
  const digits = minor.toString().padStart(minorUnits + 1, "0");
  const point = digits.length - minorUnits;
  return minorUnits === 0 ? digits : `${digits.slice(0, point)}.${digits.slice(point)}`;
}

test("property: minor units come out exactly as they went in, far beyond the precision of floats", () => {
  fc.assert(
    fc.property(moneyArbitrary, ({ currency, minor }) => {
      const text = decimalText(minor, minorUnitsOf(currency) ?? 0);
      const shortest = text.includes(".") ? text.replace(/\.?0+$/, "") : text;
      for (const sent of [text, shortest]) {
        const result = normalizeAmount(sent, currency);
        expect(result).toEqual({ amount: text });
        expect(amountMinor(text)).toBe(minor);
      }
    }),
  );
});

test("property: normalising is idempotent, and whatever it takes is one plain decimal", () => {
  const texts = fc.oneof(
    fc.string(),
    fc.stringMatching(/^[-+]?[0-9]{0,17}[.,]?[0-9]{0,6}$/),
    moneyArbitrary.map(({ minor }) => minor.toString()),
  );
  fc.assert(
    fc.property(texts, fc.constantFrom(...CURRENT_CURRENCY_CODES), (text, currency) => {
      const once = normalizeAmount(text, currency);
      if ("fault" in once) return;
      expect(once.amount).toMatch(/^[0-9]{1,15}(\.[0-9]{2,4})?$/);
      expect(normalizeAmount(once.amount, currency)).toEqual(once);
    }),
    { numRuns: 1000 },
  );
});
