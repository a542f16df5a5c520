/** Times are ISO 8601 in UTC with milliseconds (`2026-11-21T10:00:00.000Z`): text that sorts by time. */

/**
 * Date, time to the second, up to nine decimals, and an offset. A time without an offset names no moment and is refused.
 * So is hour 24, which `Date.parse` takes for the next day's midnight.
 */
export const TIMESTAMP_PATTERN =
  /^[0-9]{4}-[0-9]{2}-[0-9]{2}T([01][0-9]|2[0-3]):[0-5][0-9]:[0-5][0-9](\.[0-9]{1,9})?(Z|[+-]([01][0-9]|2[0-3]):[0-5][0-9])$/;

const EARLIEST = Date.UTC(2000, 0, 1);
/** Clocks of two hosts differ; a time further ahead than this is a mistake or an attempt to hide a record from "today". */
const AHEAD_MAX_MS = 15 * 60 * 1000;

export type TimestampFault = "INVALID_TIMESTAMP" | "TIMESTAMP_OUT_OF_RANGE";
export type TimestampResult = { readonly timestamp: string } | { readonly fault: TimestampFault };

/** The moment in UTC, cut (not rounded) to milliseconds. */
export function normalizeTimestamp(text: string, now: Date): TimestampResult {
  if (!TIMESTAMP_PATTERN.test(text)) return { fault: "INVALID_TIMESTAMP" };
  const milliseconds = Date.parse(text.replace(/(\.[0-9]{3})[0-9]+/, "$1"));
  if (Number.isNaN(milliseconds) || !isRealDate(text)) return { fault: "INVALID_TIMESTAMP" };
  if (milliseconds < EARLIEST || milliseconds > now.getTime() + AHEAD_MAX_MS)
    return { fault: "TIMESTAMP_OUT_OF_RANGE" };
  return { timestamp: new Date(milliseconds).toISOString() };
}

/** `Date.parse` rolls 30 February over to March; a ledger must not move a payment to another day. */
function isRealDate(text: string): boolean {
  const [year = 0, month = 0, day = 0] = text.slice(0, 10).split("-").map(Number);
  const date = new Date(Date.UTC(year, month - 1, day));
  return date.getUTCMonth() === month - 1 && date.getUTCDate() === day;
}

/** `yyyymmdd` of a normalised timestamp. */
export function dayOf(timestamp: string): string {
  return timestamp.slice(0, 10).replaceAll("-", "");
}

/** All days (`yyyymmdd`) from one normalised timestamp to another, both included. */
export function daysBetween(from: string, to: string): string[] {
  const days: string[] = [];
  const last = Date.parse(`${to.slice(0, 10)}T00:00:00.000Z`);
  for (let day = Date.parse(`${from.slice(0, 10)}T00:00:00.000Z`); day <= last; day += 24 * 60 * 60 * 1000) {
    days.push(dayOf(new Date(day).toISOString()));
  }
  return days;
}
