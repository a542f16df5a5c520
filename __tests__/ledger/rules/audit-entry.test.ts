/** The text of encrypted audit details comes back as it went in. */

import fc from "fast-check";
import { type AuditDetails, detailsText, parseDetailsText } from "../../../ledger/rules/audit-entry";
import type { JsonValue } from "../../../ledger/rules/canonical-json";

const details: fc.Arbitrary<AuditDetails & { readonly result?: string }> = fc.record(
  {
    recordIds: fc.array(fc.string()),
    result: fc.string(),
    details: fc.jsonValue().map((value) => JSON.parse(JSON.stringify(value)) as JsonValue),
  },
  { requiredKeys: ["recordIds"] },
);

test("property: what is stored is what is read", () => {
  fc.assert(
    fc.property(details, (entry) => {
      expect(parseDetailsText(detailsText(entry))).toEqual(entry);
    }),
  );
});

test("golden: the stored text", () => {
  const text = '{"RecordIDs":["txn-1"],"Result":"stored","Details":{"Operation":"persist_payment_ledger"}}';
  const entry = { recordIds: ["txn-1"], result: "stored", details: { Operation: "persist_payment_ledger" } };
  expect(detailsText(entry)).toBe(text);
  expect(parseDetailsText(text)).toEqual(entry);
});

test("details that are null differ from details that are absent", () => {
  expect(parseDetailsText('{"RecordIDs":[],"Details":null}')).toEqual({ recordIds: [], details: null });
  expect(parseDetailsText('{"RecordIDs":[]}')).toEqual({ recordIds: [] });
});

test.each(["{}", '{"RecordIDs":"txn-1"}', "[]", "not json"])("%s is a fault of ours, not a record", (text) => {
  expect(() => parseDetailsText(text)).toThrow();
});
