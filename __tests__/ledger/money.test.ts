/** Exact money: the currency table against an independent one, and arithmetic against whole numbers of minor units. */

import currencyCodes from "currency-codes";
import fc from "fast-check";
import { CURRENCY_CODES, minorUnitsOf } from "../../ledger/currencies";
import { amountMinor, normalizeAmount } from "../../ledger/money";

/** Where our table differs from the package `currency-codes` (published 2024-06-25), and why. */
const NOT_MONEY = "no currency of payments: ISO 4217 gives it no minor units";
const DIFFERENCES: Readonly<Record<string, string>> = {
  XCG: "ours only: the Caribbean guilder, in force since 2025-03-31, is newer than the package",
  ANG: "theirs only: replaced by XCG in 2025",
  CUC: "theirs only: withdrawn by Cuba in 2021",
  XAG: NOT_MONEY,
  XAU: NOT_MONEY,
  XPD: NOT_MONEY,
  XPT: NOT_MONEY,
  XBA: NOT_MONEY,
  XBB: NOT_MONEY,
  XBC: NOT_MONEY,
  XBD: NOT_MONEY,
  XDR: NOT_MONEY,
  XSU: NOT_MONEY,
  XUA: NOT_MONEY,
  XTS: "theirs only: reserved for tests",
  XXX: "theirs only: stands for no currency",
};

describe("the currency table", () => {
  const theirs = new Map(currencyCodes.data.map(({ code, digits }) => [code, digits]));

  test("holds the same currencies as an independent package, apart from the listed differences", () => {
    const all = new Set([...theirs.keys(), ...CURRENCY_CODES]);
    const onOneSide = [...all].filter((code) => theirs.has(code) !== (minorUnitsOf(code) !== undefined));
    expect(onOneSide.sort()).toEqual(Object.keys(DIFFERENCES).sort());
  });

  test("gives every shared currency the same minor units", () => {
    const shared = CURRENCY_CODES.filter((code) => theirs.has(code));
    expect(shared.length).toBeGreaterThan(160);
    expect(shared.filter((code) => minorUnitsOf(code) !== theirs.get(code))).toEqual([]);
  });

  test("knows only codes in capitals, and no names of object internals", () => {
    for (const code of ["eur", "Eur", " EUR", "", "constructor", "__proto__"])
      expect(minorUnitsOf(code)).toBeUndefined();
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
const moneyArbitrary = fc.constantFrom(...CURRENCY_CODES).chain((currency) => {
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
    fc.property(texts, fc.constantFrom(...CURRENCY_CODES), (text, currency) => {
      const once = normalizeAmount(text, currency);
      if ("fault" in once) return;
      expect(once.amount).toMatch(/^[0-9]{1,15}(\.[0-9]{2,4})?$/);
      expect(normalizeAmount(once.amount, currency)).toEqual(once);
    }),
    { numRuns: 1000 },
  );
});
