/** No refusal repeats what was sent: not a value, not an unknown field's name, at any depth of any input. */

import fc from "fast-check";
import { type ListName, parseEntries } from "../../../ledger/rules/entries";
import { REFUSAL_CODES, type Refusal, refusal } from "../../../ledger/rules/refusals";
import type { Input } from "../../support/ledger-fixtures";
import { ALL_WAYS_IN as WAYS_IN } from "./arriving-ways-in";

const MARKER = "MARK7f3e";
/** Values that carry the marker in a way that most fields refuse. */
const markers: fc.Arbitrary<unknown> = fc.constantFrom<unknown>(
  `${MARKER} !`,
  `#${MARKER}`,
  { [MARKER]: MARKER },
  { [MARKER]: { [MARKER]: Number.POSITIVE_INFINITY } },
  [`${MARKER} !`, { [MARKER]: [`${MARKER} !`] }],
  [[`${MARKER} !`]],
  `${MARKER}\ud800`,
  `${MARKER}`.repeat(400),
);

/** Names that the schemas chose, with a position in a list at most. */
const FIELD = /^[A-Za-z]+[0-9]?(_[a-z]+)*(\.[0-9]+)?(, [A-Za-z]+[0-9]?(_[a-z]+)*)*$/;

function expectNoEcho(found: Refusal): void {
  expect(JSON.stringify(found)).not.toContain(MARKER);
  expect(REFUSAL_CODES).toContain(found.code);
  expect(found.message).toBe(refusal(found.code).message);
  if (found.field !== undefined) expect(found.field).toMatch(FIELD);
}

/** The input with marked values in some of its fields, and perhaps a field whose very name is the marker. */
function marked(input: Input): fc.Arbitrary<Input> {
  const replacements = fc.dictionary(fc.constantFrom(...Object.keys(input), MARKER, `${MARKER} !`), markers, {
    minKeys: 1,
  });
  return replacements.map((replaced) => ({ ...input, ...replaced }));
}

test.each(WAYS_IN.map((wayIn) => [wayIn.schema, wayIn] as const))("property: %s echoes nothing", (_name, wayIn) => {
  let refusals = 0;
  fc.assert(
    fc.property(fc.constantFrom(...wayIn.accepted).chain(marked), (input) => {
      const result = wayIn.parse(input);
      if (result.ok) return;
      refusals += 1;
      expectNoEcho(result.refusal);
    }),
    { numRuns: 500 },
  );
  // Nearly every marked input must be refused, or the property would say nothing.
  expect(refusals).toBeGreaterThan(400);
});

test.each(WAYS_IN.map((wayIn) => [wayIn.schema, wayIn] as const))(
  "%s: the refused examples echo nothing",
  (_name, wayIn) => {
    for (const { input } of wayIn.refused) {
      const result = wayIn.parse(input);
      if (result.ok) throw new Error("It was taken.");
      expect(result.refusal.message).toBe(refusal(result.refusal.code).message);
      if (result.refusal.field !== undefined) expect(result.refusal.field).toMatch(FIELD);
    }
  },
);

/** What decides which other fields an input needs. */
const DISCRIMINATORS = ["Query", "Kind"];
/** Needed only beside another field, `originallyProcessedAt`, and judged when the payment itself lacks nothing. */
const COMPANIONS = ["importedFrom"];

test.each(WAYS_IN.map((wayIn) => [wayIn.schema, wayIn] as const))(
  "%s: all fields that are missing are named",
  (_name, wayIn) => {
    for (const input of wayIn.accepted as readonly Input[]) {
      const fieldWithout = (names: readonly string[]) => {
        const result = wayIn.parse(Object.fromEntries(Object.entries(input).filter(([name]) => !names.includes(name))));
        return result.ok || result.refusal.code !== "MISSING_FIELD" ? undefined : result.refusal.field;
      };
      const required = Object.keys(input).filter(
        (name) => ![...DISCRIMINATORS, ...COMPANIONS].includes(name) && fieldWithout([name]) === name,
      );
      // An event with an actor in both vocabularies needs neither of them.
      expect((fieldWithout(required)?.split(", ") ?? []).toSorted()).toEqual(required.toSorted());
    }
  },
);

test.each<ListName>(["payments", "events"])("property: what is around %s is not echoed", (listName) => {
  const envelope = { [listName]: [{}], Actor: "importer" };
  let refusals = 0;
  fc.assert(
    fc.property(marked(envelope), (event) => {
      const parsed = parseEntries(event, listName);
      if (!("refusal" in parsed)) return;
      refusals += 1;
      expectNoEcho(parsed.refusal);
    }),
  );
  expect(refusals).toBeGreaterThan(70);
});
