/** Every door of the ledger: what each takes, and that each refusal has the right code and field. */

import { REFUSAL_CODES } from "../../ledger/refusals";
import { DOORS } from "../support/ledger-fixtures";

describe.each(DOORS.map((door) => [door.functionName, door] as const))("%s", (_name, door) => {
  test.each(door.accepted.map((input) => [JSON.stringify(input).slice(0, 120), input] as const))(
    "takes %s",
    (_text, input) => {
      expect(door.parse(input)).toMatchObject({ ok: true });
    },
  );

  test.each(door.refused.map((refused) => [refused.why, refused.code, refused] as const))(
    "refuses %s as %s",
    (_why, code, { input, field }) => {
      const result = door.parse(input);
      expect(result).toMatchObject({ ok: false, refusal: { code } });
      if (!result.ok) expect(result.refusal.field).toBe(field);
    },
  );
});

/** Codes that depend on more than one entry by itself: on lists, on the card-data search, or on what is stored. */
const OF_OTHERS = [
  "CARD_DATA",
  "INPUT_TOO_COMPLEX",
  "EMPTY_LIST",
  "LIST_TOO_LONG",
  "INVALID_TRANSITION",
  "NOT_FOUND",
  "RECORD_FORGED",
  "AUDIT_RECORD_MISSING",
];

test("every refusal code of a door has a failing case above", () => {
  const shown = new Set(DOORS.flatMap((door) => door.refused.map(({ code }) => code)));
  expect(REFUSAL_CODES.filter((code) => !shown.has(code)).sort()).toEqual(OF_OTHERS.toSorted());
});
