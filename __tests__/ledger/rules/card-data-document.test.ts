/** docs/card-data.md names every kind of identifier that is mistaken for card data more often than once in a thousand. */

import { readFileSync } from "node:fs";
import { AMBIGUOUS_KINDS, IdentifierRandom, ORDINARY_KINDS } from "../../../tools/bench/identifier-kinds";

const DOCUMENT = readFileSync("docs/card-data.md", "utf8");

test("the document's table has the kinds and bounds of the measurement, and rates within them", () => {
  const rows = [...DOCUMENT.matchAll(/^\| (.+) \| ([\d.]+) % \| ([\d.]+) % \|$/gm)];
  expect(rows.map(([, name, , bound]) => [name, Number(bound)])).toEqual(
    AMBIGUOUS_KINDS.map(({ name, boundPercent }) => [name, boundPercent]),
  );
  for (const [, , rate, bound] of rows) expect(Number(rate)).toBeLessThanOrEqual(Number(bound));
});

test("every other kind has the bound of one in a thousand", () => {
  expect(ORDINARY_KINDS.filter(({ boundPercent }) => boundPercent !== 0.1)).toEqual([]);
});

test("the samples are the same for the same seed", () => {
  for (const { make } of [...ORDINARY_KINDS, ...AMBIGUOUS_KINDS])
    expect(String(make(new IdentifierRandom(1)))).toBe(String(make(new IdentifierRandom(1))));
});
