/** Queries: ranges, and page tokens that continue exactly the query that returned them. */

import fc from "fast-check";
import { encodePageToken, PAGE_LIMIT_MAX, parsePage, parseRange } from "../../../ledger/rules/queries";
import { NOW } from "../../support/ledger-fixtures";

type Query = Readonly<Record<string, string | number | undefined>>;

const BY_PROCESSOR: Query = {
  Query: "processor",
  ProcessorID: "acme",
  From: "2026-11-20T00:00:00+01:00",
  To: "2026-11-21T00:00:00Z",
  Actor: "support",
};
const BY_TRANSACTION: Query = { Query: "transaction", TransactionID: "txn-1", Actor: "auditor" };
const PLACE = "2026-11-20T10:00:00.000Z#txn-1";
const ORDER = ["2026-11-20T10:00:00.000Z", "R~abc.00"];

const continued = (query: Query, token: string) => parsePage({ ...query, PageToken: token });
/** A token as a caller might forge it: the digest of the query is no secret. */
function forged(query: Query, ...after: unknown[]): string {
  const [version, digest] = JSON.parse(Buffer.from(encodePageToken(query, [PLACE]), "base64url").toString());
  return Buffer.from(JSON.stringify([version, digest, ...after])).toString("base64url");
}
const REFUSED = { ok: false, refusal: { code: "INVALID_PAGE_TOKEN", field: "PageToken" } };

test("a range is in UTC, may end ahead of the clock, and holds up to 31 days", () => {
  expect(parseRange({ From: "2026-11-20T00:00:00+01:00", To: "2026-11-22T00:00:00Z" }, NOW)).toEqual({
    ok: true,
    value: { from: "2026-11-19T23:00:00.000Z", to: "2026-11-22T00:00:00.000Z" },
  });
  const longest = { From: "2026-10-01T00:00:00Z", To: "2026-11-01T00:00:00.000Z" };
  expect(parseRange(longest, NOW).ok).toBe(true);
  expect(parseRange({ ...longest, To: "2026-11-01T00:00:00.001Z" }, NOW)).toMatchObject({
    refusal: { code: "RANGE_TOO_LONG", field: "To" },
  });
  const moment = { From: "2026-11-01T00:00:00Z", To: "2026-11-01T00:00:00Z" };
  expect(parseRange(moment, NOW).ok).toBe(true);
});

test("a page holds 50 records unless its query says otherwise, and never more than one transaction can audit", () => {
  expect(parsePage(BY_PROCESSOR)).toEqual({ ok: true, value: { limit: 50 } });
  expect(parsePage({ ...BY_PROCESSOR, Limit: 7 })).toEqual({ ok: true, value: { limit: 7 } });
  // DynamoDB takes 100 actions in a transaction: the read's own record and a pointer for each id.
  expect(PAGE_LIMIT_MAX + 1).toBeLessThanOrEqual(100);
});

test("a token continues its query where the page before ended", () => {
  const token = encodePageToken(BY_PROCESSOR, [PLACE]);
  expect(continued(BY_PROCESSOR, token)).toEqual({ ok: true, value: { limit: 50, after: [PLACE] } });
  const trail = encodePageToken(BY_TRANSACTION, ORDER);
  expect(continued(BY_TRANSACTION, trail)).toEqual({ ok: true, value: { limit: 50, after: ORDER } });
});

test("who asks, why, and how much a page holds may change from page to page", () => {
  const token = encodePageToken({ ...BY_PROCESSOR, PageToken: "earlier", Limit: 10 }, [PLACE]);
  const next = { ...BY_PROCESSOR, Actor: "somebody-else", Reason: "Ticket 7", Limit: 90, schemaVersion: 1 };
  expect(continued(next, token)).toEqual({ ok: true, value: { limit: 90, after: [PLACE] } });
});

test.each<[string, Query]>([
  ["another processor", { ...BY_PROCESSOR, ProcessorID: "zenith" }],
  ["an earlier begin", { ...BY_PROCESSOR, From: "2026-11-19T00:00:00+01:00" }],
  ["a later end", { ...BY_PROCESSOR, To: "2026-11-21T00:00:01Z" }],
  ["another kind", { Query: "failures", From: BY_PROCESSOR["From"], To: BY_PROCESSOR["To"], Actor: "support" }],
  ["one transaction", BY_TRANSACTION],
])("a token does not continue a query for %s", (_name, other) => {
  expect(continued(other, encodePageToken(BY_PROCESSOR, [PLACE]))).toMatchObject(REFUSED);
});

const text = (value: unknown) => Buffer.from(JSON.stringify(value)).toString("base64url");
test.each<[string, string]>([
  ["nothing", ""],
  ["no base64", "%%%"],
  ["no JSON", Buffer.from("{").toString("base64url")],
  ["an object", text({ after: [PLACE] })],
  ["null", text(null)],
  ["no digest", text([1, PLACE])],
  ["no place", forged(BY_PROCESSOR)],
  ["an empty place", forged(BY_PROCESSOR, "")],
  ["a number for a place", forged(BY_PROCESSOR, 7)],
  ["an object for a place", forged(BY_PROCESSOR, { S: PLACE })],
  ["two places", forged(BY_PROCESSOR, PLACE, PLACE)],
  ["a place before the range", forged(BY_PROCESSOR, "2026-11-19T22:59:59.999Z#txn-1")],
  ["a place of the year 1", forged(BY_PROCESSOR, "0001-01-01T00:00:00.000Z#txn-1")],
  ["a place behind the range", forged(BY_PROCESSOR, "2026-11-21T00:00:00.001Z#txn-1")],
  ["a place that is no time", forged(BY_PROCESSOR, "2026-11-2~")],
  ["a place on no calendar day", forged(BY_PROCESSOR, "2026-11-2xT10:00:00.000Z#txn-1")],
])("a hostile token is refused: %s", (_name, token) => {
  expect(continued(BY_PROCESSOR, token)).toMatchObject(REFUSED);
});

test("a place on no calendar day is refused, though it sorts into the range", () => {
  const wide = { ...BY_PROCESSOR, From: "2026-11-08T00:00:00Z", To: "2026-11-20T00:00:00Z" };
  for (const place of ["2026-11-1x", "2026-11-1:T10:00:00.000Z#txn-1"]) {
    expect(continued(wide, forged(wide, place))).toMatchObject(REFUSED);
  }
  expect(continued(wide, forged(wide, "2026-11-19T10:00:00.000Z#txn-1")).ok).toBe(true);
});

test.each<[string, unknown[]]>([
  ["only an order", ["2026-11-20T10:00:00.000Z"]],
  ["an empty order", ["", "R~abc.00"]],
  ["an empty id", ["2026-11-20T10:00:00.000Z", ""]],
  ["a part too many", [...ORDER, "x"]],
  ["a list", [ORDER]],
])("a hostile token of a transaction's trail is refused: %s", (_name, after) => {
  expect(continued(BY_TRANSACTION, forged(BY_TRANSACTION, ...after))).toMatchObject(REFUSED);
});

test("a token of version 2 is not read as one of version 1", () => {
  const [, ...rest] = JSON.parse(Buffer.from(encodePageToken(BY_PROCESSOR, [PLACE]), "base64url").toString());
  expect(continued(BY_PROCESSOR, text([2, ...rest]))).toMatchObject(REFUSED);
});

test("a row that somebody inserted with an odd id does not stop the listing that shows it", () => {
  const odd = "2026-11-20T10:00:00.000Z#<odd id> é";
  expect(continued(BY_PROCESSOR, encodePageToken(BY_PROCESSOR, [odd]))).toMatchObject({ value: { after: [odd] } });
});

test("property: no text is taken as a token unless the place it names lies in the range", () => {
  const places = fc.oneof(
    fc.string(),
    fc.date({ noInvalidDate: true }).map((date) => `${date.toISOString()}#txn-1`),
  );
  const tokens = fc.oneof(
    fc.string(),
    fc.base64String(),
    places.map((place) => forged(BY_PROCESSOR, place)),
  );
  fc.assert(
    fc.property(tokens, (token) => {
      const page = continued(BY_PROCESSOR, token);
      if (!page.ok) return;
      const [place = ""] = page.value.after ?? [];
      expect(place >= "2026-11-19T23:00:00.000Z").toBe(true);
      expect(place < "2026-11-21T00:00:00.001Z").toBe(true);
    }),
    { numRuns: 1000 },
  );
});
