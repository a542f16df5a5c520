/** Exact money: decimal strings checked against the currency's minor units, never a float. */

import { minorUnitsOf } from "./currencies";

/** At most 15 digits before the point: ten times the world's yearly output in any currency, and far from any rounding. */
export const AMOUNT_PATTERN = /^(0|[1-9][0-9]{0,14})(\.[0-9]{1,4})?$/;

export type MoneyFault = "INVALID_AMOUNT" | "UNKNOWN_CURRENCY" | "AMOUNT_DECIMALS";
export type MoneyResult = { readonly amount: string } | { readonly fault: MoneyFault };

/**
 * The amount written with exactly the currency's decimal places ("10.5" USD is "10.50"), so that equal money is equal text.
 * More decimals than the currency has are a fault even when they are zeros: the sender meant another currency or scale.
 *
 * @param at when the payment happened, normalised: a currency that has ended counts for payments before its end.
 */
export function normalizeAmount(amount: string, currencyCode: string, at?: string): MoneyResult {
  const minorUnits = minorUnitsOf(currencyCode, at);
  if (minorUnits === undefined) return { fault: "UNKNOWN_CURRENCY" };
  if (!AMOUNT_PATTERN.test(amount)) return { fault: "INVALID_AMOUNT" };
  const [whole = "", decimals = ""] = amount.split(".");
  if (decimals.length > minorUnits) return { fault: "AMOUNT_DECIMALS" };
  return { amount: minorUnits === 0 ? whole : `${whole}.${decimals.padEnd(minorUnits, "0")}` };
}

/** The amount in the currency's minor units. The amount must be normalised for that currency. */
export function amountMinor(normalizedAmount: string): bigint {
  return BigInt(normalizedAmount.replace(".", ""));
}
