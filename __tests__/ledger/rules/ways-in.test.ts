/** Every way into the ledger: what each takes, and that each refusal has the right code and field. */

import { gzipSync } from "node:zlib";
import { ROW_LENGTH_MAX, readRows } from "../../../ledger/files/rows";
import { runPaymentProcessor } from "../../../ledger/operations/payment-processor";
import { REFUSAL_CODES, type RefusalCode } from "../../../ledger/rules/refusals";
import { ALL_WAYS_IN as WAYS_IN } from "./arriving-ways-in";
import { stubCall, stubFiles, stubServices } from "./stub-services";

describe.each(WAYS_IN.map((wayIn) => [wayIn.schema, wayIn] as const))("%s", (_name, wayIn) => {
  test.each(wayIn.accepted.map((input) => [JSON.stringify(input).slice(0, 120), input] as const))(
    "takes %s",
    (_text, input) => {
      const result = wayIn.parse(input);
      if (!result.ok) throw new Error(`Refused: ${result.refusal.code}`);
      // The MAC of the content covers each member, so one that was not sent must not be there as `undefined`.
      expect(Object.entries(result.value as object).filter(([, value]) => value === undefined)).toEqual([]);
    },
  );

  test.each(wayIn.refused.map((refused) => [refused.why, refused.code, refused] as const))(
    "refuses %s as %s",
    (_why, code, { input, field }) => {
      const result = wayIn.parse(input);
      expect(result).toMatchObject({ ok: false, refusal: { code } });
      if (!result.ok) expect(result.refusal.field).toBe(field);
    },
  );
});

/** Rows of files that are refused before any payment is read from them. */
const UNREADABLE: readonly (readonly [RefusalCode, string | Uint8Array])[] = [
  ["NOT_JSON", "{broken}"],
  ["NOT_JSON", '{"transactionId":"a","transactionId":"a"}'],
  ["NOT_UTF8", Buffer.from([0x7b, 0xe9, 0x7d])],
  ["DAMAGED_GZIP", gzipSync("{}").subarray(0, 12)],
  ["NOT_CSV", "transactionId\na,b"],
  ["ROW_TOO_LONG", `{"transactionId":"${"x".repeat(ROW_LENGTH_MAX)}"}`],
];

test.each(UNREADABLE)("a row of a file is refused as %s", async (code, bytes) => {
  async function* file(): AsyncGenerator<Uint8Array> {
    yield Buffer.from(bytes);
  }
  const rows = [];
  for await (const row of readRows(file())) rows.push(row);
  expect(rows).toEqual([expect.objectContaining({ fault: code })]);
});

const FOREIGN_EVENTS: readonly unknown[] = [{}, null, "text", [], { payment_data: "text" }, { Records: [] }];

test.each(FOREIGN_EVENTS)(
  "an event that the processor does not handle is refused as INVALID_EVENT: %j",
  async (event) => {
    const settings = { files: stubFiles().files, removeCardDataFiles: true };
    const answer = await runPaymentProcessor(event, stubCall("payment-processor"), stubServices(), settings);
    expect(answer.statusCode).toBe(400);
    expect(JSON.parse(answer.body)).toMatchObject({ outcome: "refused", code: "INVALID_EVENT" });
  },
);

/** Codes that depend on more than one entry by itself: on lists, on the card-data search, or on what is stored. */
const OF_OTHERS = [
  "CARD_DATA",
  "TOKEN_IN_CLEAR",
  "INPUT_TOO_COMPLEX",
  "EMPTY_LIST",
  "LIST_TOO_LONG",
  "INVALID_TRANSITION",
  "CONFLICT",
  "UNEXPECTED_STATUS",
  "NOT_FOUND",
  "RECORD_FORGED",
  "AUDIT_RECORD_MISSING",
  // By who called: `ledger/operations/callers.test.ts`.
  "ACTOR_NOT_CALLER",
  "CALLER_UNKNOWN",
  // Of a file as a whole: `ledger/operations/file-integrity.test.ts`.
  "GZIP_RATIO_TOO_HIGH",
  "NO_ROWS",
  "TOO_MANY_ROWS",
  "TOO_MUCH_CARD_DATA",
  // Of an event, by what happened to its payment before: `ledger/rules/payment-life.test.ts`.
  "AMOUNT_DIFFERS",
  "OTHER_CURRENCY",
  "OVER_AUTHORISED",
  "OVER_CAPTURED",
  "PAYMENT_CLOSED",
  "PAYMENT_UNKNOWN",
  "VOID_AFTER_CAPTURE",
  // As above, and by what is stored: `ledger/operations/record-events.test.ts`.
  "BUSY",
  "LIFE_BROKEN",
  // Of a payment with 9,999 events: `ledger/operations/life-full.test.ts`.
  "LIFE_FULL",
  "PAYMENT_HAS_EVENTS",
];

test("every refusal code of a call or a file has a failing case above", () => {
  const shown = new Set<RefusalCode>(["INVALID_EVENT", ...UNREADABLE.map(([code]) => code)]);
  for (const wayIn of WAYS_IN) for (const { code } of wayIn.refused) shown.add(code);
  expect(REFUSAL_CODES.filter((code) => !shown.has(code)).sort()).toEqual(OF_OTHERS.toSorted());
});
