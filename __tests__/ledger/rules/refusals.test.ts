/** The texts of refusals: each tells what happened, the rule and the remedy, and states limits as the code has them. */

import * as z from "zod";
import { ROW_LENGTH_MAX } from "../../../ledger/files/rows";
import { ENTRIES_MAX } from "../../../ledger/rules/entries";
import {
  ACTOR_LENGTH_MAX,
  AUDIT_ID_LENGTH_MAX,
  PROCESSOR_ID_LENGTH_MAX,
  TRANSACTION_ID_LENGTH_MAX,
} from "../../../ledger/rules/identifiers";
import {
  auditQuerySchema,
  ledgerQuerySchema,
  PAGE_LIMIT_MAX,
  transactionQuerySchema,
} from "../../../ledger/rules/queries";
import { QUERIES, TRANSACTION_BOOKS } from "../../../ledger/rules/query-names";
import { REFUSAL_CODES, type RefusalCode, refusal } from "../../../ledger/rules/refusals";
import { SCHEMA_VERSION } from "../../../ledger/rules/schema";

test.each(REFUSAL_CODES)("%s tells what happened, the rule and the remedy in three sentences", (code) => {
  const { message } = refusal(code);
  const sentences = message.split(/(?<=\.) (?=[A-Z])/);
  expect(sentences).toHaveLength(3);
  for (const sentence of sentences) expect(sentence.trim().split(" ").length).toBeGreaterThanOrEqual(2);
  expect(message).toMatch(/\.$/);
});

test.each(REFUSAL_CODES)("%s has no placeholder and no unfinished text", (code) => {
  expect(refusal(code).message).not.toMatch(/\$\{|undefined|null|NaN|TODO|FIXME|%s|\[object|<[a-z]+>/i);
});

test("codes are literal words, and no two say the same", () => {
  for (const code of REFUSAL_CODES) expect(code).toMatch(/^[A-Z]+(_[A-Z]+[0-9]?)*$/);
  expect(new Set(REFUSAL_CODES.map((code) => refusal(code).message)).size).toBe(REFUSAL_CODES.length);
});

test.each<[RefusalCode, number]>([
  ["LIST_TOO_LONG", ENTRIES_MAX],
  ["ROW_TOO_LONG", ROW_LENGTH_MAX / 1024],
  ["INVALID_LIMIT", PAGE_LIMIT_MAX],
  ["INVALID_TRANSACTION_ID", TRANSACTION_ID_LENGTH_MAX],
  ["INVALID_PROCESSOR_ID", PROCESSOR_ID_LENGTH_MAX],
  ["INVALID_ACTOR", ACTOR_LENGTH_MAX],
  ["INVALID_AUDIT_ID", AUDIT_ID_LENGTH_MAX],
  ["INVALID_RECORD_ID", AUDIT_ID_LENGTH_MAX],
  ["UNSUPPORTED_SCHEMA_VERSION", SCHEMA_VERSION],
])("%s states the limit that the code has: %d", (code, limit) => {
  expect(refusal(code).message).toMatch(new RegExp(`\\b${limit}\\b`));
});

test("INVALID_QUERY lists the queries that the functions have, and the tables of a query by time", () => {
  const namesOf = (schema: z.ZodType) =>
    [
      ...JSON.stringify(z.toJSONSchema(schema, { unrepresentable: "any" })).matchAll(
        /"Query":\{[^{}]*"const":"([a-z-]+)"/g,
      ),
    ].map(([, name]) => name);
  expect(namesOf(ledgerQuerySchema)).toEqual(QUERIES.query_payment_ledger);
  expect(namesOf(auditQuerySchema)).toEqual(QUERIES.query_payment_audit_trail);
  expect(namesOf(transactionQuerySchema)).toEqual(QUERIES.query_transactions);
  const { message } = refusal("INVALID_QUERY");
  for (const name of [...Object.values(QUERIES).flat(), ...TRANSACTION_BOOKS]) expect(message).toContain(name);
});

test("a field is named only where one is given", () => {
  expect(refusal("MISSING_FIELD", "Actor")).toMatchObject({ code: "MISSING_FIELD", field: "Actor" });
  expect(refusal("MISSING_FIELD")).not.toHaveProperty("field");
});
