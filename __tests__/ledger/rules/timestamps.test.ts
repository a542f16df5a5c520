/** Times: every form that names a moment, none that does not, and never another day than the sender's. */

import fc from "fast-check";
import { dayOf, daysBetween, normalizeTimestamp } from "../../../ledger/rules/timestamps";
import { NOW } from "../../support/ledger-fixtures";

test.each([
  ["2026-11-21T10:00:00Z", "2026-11-21T10:00:00.000Z"],
  ["2026-11-21T10:00:00.1Z", "2026-11-21T10:00:00.100Z"],
  ["2026-11-21T10:00:00.123Z", "2026-11-21T10:00:00.123Z"],
  ["2026-11-21T10:00:00.123999Z", "2026-11-21T10:00:00.123Z"],
  ["2026-11-21T10:00:00.999999999Z", "2026-11-21T10:00:00.999Z"],
  ["2026-11-21T10:00:00+01:00", "2026-11-21T09:00:00.000Z"],
  ["2026-11-21T00:30:00+05:45", "2026-11-20T18:45:00.000Z"],
  ["2026-11-20T23:30:00-01:00", "2026-11-21T00:30:00.000Z"],
  ["2026-11-21T10:00:00-00:00", "2026-11-21T10:00:00.000Z"],
  ["2024-02-29T12:00:00Z", "2024-02-29T12:00:00.000Z"],
  ["2000-02-29T12:00:00Z", "2000-02-29T12:00:00.000Z"],
  ["2000-01-01T00:00:00Z", "2000-01-01T00:00:00.000Z"],
  ["2026-11-21T12:15:00.000Z", "2026-11-21T12:15:00.000Z"],
])("%s is %s", (text, timestamp) => {
  expect(normalizeTimestamp(text, NOW)).toEqual({ timestamp });
});

test.each([
  ["2026-02-30T10:00:00Z", "INVALID_TIMESTAMP"],
  ["2026-02-29T10:00:00Z", "INVALID_TIMESTAMP"],
  ["2026-04-31T10:00:00+02:00", "INVALID_TIMESTAMP"],
  ["2026-13-01T10:00:00Z", "INVALID_TIMESTAMP"],
  ["2026-00-10T10:00:00Z", "INVALID_TIMESTAMP"],
  ["2026-11-00T10:00:00Z", "INVALID_TIMESTAMP"],
  ["2026-11-20T24:00:00Z", "INVALID_TIMESTAMP"],
  ["2026-11-20T23:60:00Z", "INVALID_TIMESTAMP"],
  ["2026-11-20T23:59:60Z", "INVALID_TIMESTAMP"],
  ["2026-11-20T10:00:00+24:00", "INVALID_TIMESTAMP"],
  ["2026-11-20T10:00:00+10:60", "INVALID_TIMESTAMP"],
  ["2026-11-20T10:00:00", "INVALID_TIMESTAMP"],
  ["2026-11-20 10:00:00Z", "INVALID_TIMESTAMP"],
  ["2026-11-20t10:00:00z", "INVALID_TIMESTAMP"],
  ["2026-11-20T10:00Z", "INVALID_TIMESTAMP"],
  ["2026-11-20T10:00:00.Z", "INVALID_TIMESTAMP"],
  ["2026-11-20T10:00:00.1234567890Z", "INVALID_TIMESTAMP"],
  ["2026-11-20T10:00:00,5Z", "INVALID_TIMESTAMP"],
  ["2026-11-20T10:00:00Z\n", "INVALID_TIMESTAMP"],
  ["+002026-11-20T10:00:00Z", "INVALID_TIMESTAMP"],
  ["2026-11-20", "INVALID_TIMESTAMP"],
  ["1763632800", "INVALID_TIMESTAMP"],
  ["", "INVALID_TIMESTAMP"],
  ["1999-12-31T23:59:59.999Z", "TIMESTAMP_OUT_OF_RANGE"],
  ["2000-01-01T00:30:00+01:00", "TIMESTAMP_OUT_OF_RANGE"],
  ["2026-11-21T12:15:00.001Z", "TIMESTAMP_OUT_OF_RANGE"],
  ["9999-12-31T23:59:59Z", "TIMESTAMP_OUT_OF_RANGE"],
])("refuses %j as %s", (text, fault) => {
  expect(normalizeTimestamp(text, NOW)).toEqual({ fault });
});

test("2100 is no leap year", () => {
  const later = new Date("2200-01-01T00:00:00Z");
  expect(normalizeTimestamp("2100-02-29T00:00:00Z", later)).toEqual({ fault: "INVALID_TIMESTAMP" });
  expect(normalizeTimestamp("2096-02-29T00:00:00Z", later)).toEqual({ timestamp: "2096-02-29T00:00:00.000Z" });
});

const FIRST_DAY = new Date("2000-01-02T00:00:00Z");
const moments = fc.date({ min: FIRST_DAY, max: NOW, noInvalidDate: true });

/** The moment as a clock at this offset shows it, with as many decimals as asked for. */
function localText(moment: Date, offsetMinutes: number, decimalsBelow: string): string {
  const local = new Date(moment.getTime() + offsetMinutes * 60_000).toISOString().slice(0, -1);
  const minutes = Math.abs(offsetMinutes);
  const two = (value: number) => String(value).padStart(2, "0");
  const sign = offsetMinutes < 0 ? "-" : "+";
  return `${local}${decimalsBelow}${sign}${two(Math.floor(minutes / 60))}:${two(minutes % 60)}`;
}

test("property: a moment is the same at every offset, and what is finer than a millisecond is cut, never rounded", () => {
  const offsets = fc.integer({ min: -23 * 60 - 59, max: 23 * 60 + 59 });
  fc.assert(
    fc.property(moments, offsets, fc.stringMatching(/^[0-9]{0,6}$/), (moment, offset, decimals) => {
      const result = normalizeTimestamp(localText(moment, offset, decimals), NOW);
      expect(result).toEqual({ timestamp: moment.toISOString() });
    }),
  );
});

test("property: a taken time is in the form that sorts by time", () => {
  fc.assert(
    fc.property(moments, moments, (a, b) => {
      const [first, second] = [a, b].map((moment) => normalizeTimestamp(moment.toISOString(), NOW));
      if (first === undefined || second === undefined || "fault" in first || "fault" in second)
        throw new Error("refused");
      expect(first.timestamp < second.timestamp).toBe(a.getTime() < b.getTime());
    }),
  );
});

test("a day is the day in UTC", () => {
  expect(dayOf("2026-11-21T10:00:00.000Z")).toBe("20261121");
});

test.each([
  ["2026-11-21T23:59:59.999Z", "2026-11-21T23:59:59.999Z", ["20261121"]],
  ["2026-11-20T23:59:59.999Z", "2026-11-21T00:00:00.000Z", ["20261120", "20261121"]],
  ["2024-02-28T12:00:00.000Z", "2024-03-01T00:00:00.000Z", ["20240228", "20240229", "20240301"]],
  ["2025-12-31T00:00:00.000Z", "2026-01-01T00:00:00.000Z", ["20251231", "20260101"]],
  ["2026-11-21T00:00:00.000Z", "2026-11-20T23:59:59.999Z", []],
])("the days from %s to %s", (from, to, days) => {
  expect(daysBetween(from, to)).toEqual(days);
});

test("property: the days of a range hold every moment of it", () => {
  fc.assert(
    fc.property(fc.tuple(moments, moments, moments), (three) => {
      const [from, between, to] = three.map((moment) => moment.toISOString()).sort();
      if (from === undefined || between === undefined || to === undefined) throw new Error("three moments");
      const near = Date.parse(to) - Date.parse(from) < 400 * 24 * 3600 * 1000;
      if (near) expect(daysBetween(from, to)).toContain(dayOf(between));
    }),
  );
});
