/** Currencies with their minor units, as ISO 4217 has them. A test compares this table with dated facts of the standard. */

/**
 * The last amendment of ISO 4217 that the table follows. The maintenance agency (SIX) publishes them in order; a later one
 * changes the table, this line and the facts of the test together.
 */
export const ISO_4217_AMENDMENT = { number: 180, effectiveFrom: "2026-01-01" } as const;

/** List One: current currencies and funds that have minor units. */
const CURRENT_CODES: Readonly<Record<number, string>> = {
  0: "BIF CLP DJF GNF ISK JPY KMF KRW PYG RWF UGX UYI VND VUV XAF XOF XPF",
  2: `AED AFN ALL AMD AOA ARS AUD AWG AZN BAM BBD BDT BMD BND BOB BOV BRL BSD BTN BWP BYN BZD CAD CDF CHE CHF CHW
    CNY COP COU CRC CUP CVE CZK DKK DOP DZD EGP ERN ETB EUR FJD FKP GBP GEL GHS GIP GMD GTQ GYD HKD HNL HTG HUF IDR ILS
    INR IRR JMD KES KGS KHR KPW KYD KZT LAK LBP LKR LRD LSL MAD MDL MGA MKD MMK MNT MOP MRU MUR MVR MWK MXN MXV MYR MZN
    NAD NGN NIO NOK NPR NZD PAB PEN PGK PHP PKR PLN QAR RON RSD RUB SAR SBD SCR SDG SEK SGD SHP SLE SOS SRD SSP STN SVC
    SYP SZL THB TJS TMT TOP TRY TTD TWD TZS UAH USD USN UYU UZS VED VES WST XAD XCD XCG YER ZAR ZMW ZWG`,
  3: "BHD IQD JOD KWD LYD OMR TND",
  4: "CLF UYW",
};

/**
 * List Three, as far as its currencies ended after 2012 and their minor units are beyond doubt (those of STD and MRO were
 * stated as 0 and as 2). The last day is that of payments, with the weeks in which old and new money went side by side.
 */
const ENDED_CURRENCIES: Readonly<Record<string, { readonly minorUnits: number; readonly lastDay: string }>> = {
  LVL: { minorUnits: 2, lastDay: "2014-01-14" },
  LTL: { minorUnits: 2, lastDay: "2015-01-15" },
  BYR: { minorUnits: 0, lastDay: "2016-12-31" },
  VEF: { minorUnits: 2, lastDay: "2018-08-20" },
  CUC: { minorUnits: 2, lastDay: "2021-06-30" },
  HRK: { minorUnits: 2, lastDay: "2023-01-14" },
  SLL: { minorUnits: 2, lastDay: "2023-12-31" },
  ZWL: { minorUnits: 2, lastDay: "2024-08-31" },
  ANG: { minorUnits: 2, lastDay: "2025-06-30" },
  BGN: { minorUnits: 2, lastDay: "2026-01-31" },
};

const MINOR_UNITS_BY_CODE: ReadonlyMap<string, number> = new Map(
  Object.entries(CURRENT_CODES).flatMap(([minorUnits, codes]) =>
    codes.split(/\s+/).map((code) => [code, Number(minorUnits)] as const),
  ),
);
const ENDED_BY_CODE = new Map(Object.entries(ENDED_CURRENCIES));

/** For payments that state no time. */
export const CURRENT_CURRENCY_CODES: readonly string[] = [...MINOR_UNITS_BY_CODE.keys()].sort();
/** For payments that may say when they happened: those that have ended too. */
export const CURRENCY_CODES: readonly string[] = [...MINOR_UNITS_BY_CODE.keys(), ...ENDED_BY_CODE.keys()].sort();

/** What a schema says of such a field. */
export const CURRENCY_WITH_TIME =
  'ISO 4217 code, for example "EUR"; one that has ended only in a payment whose own time is before its end.';

/**
 * Decimal places of the currency, or undefined when ISO 4217 does not have it at that time.
 *
 * @param at when the payment happened, normalised (`timestamps.ts`); without it only current currencies count.
 */
export function minorUnitsOf(currencyCode: string, at?: string): number | undefined {
  const current = MINOR_UNITS_BY_CODE.get(currencyCode);
  const ended = ENDED_BY_CODE.get(currencyCode);
  if (current !== undefined || ended === undefined || at === undefined) return current;
  return at.slice(0, 10) <= ended.lastDay ? ended.minorUnits : undefined;
}
