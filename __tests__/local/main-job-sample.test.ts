/** The shipped sample is what its generator writes, and holds what the main job needs. */

import { readFileSync } from "node:fs";
import path from "node:path";
import { makeSample } from "../../scripts/make-sample-payments";
import { expectedText } from "../../scripts/sample-values";
import { PUBLISHED_TEST_NUMBERS } from "../ledger/card-test-numbers";

const SAMPLES = path.join(__dirname, "..", "..", "samples");
const shipped = (name: string) => readFileSync(path.join(SAMPLES, name), "utf8");

test("the shipped files are what the generator writes", () => {
  const { ndjson, expected } = makeSample();
  const remedy = "Run npx tsx scripts/make-sample-payments.ts.";
  expect([remedy, shipped("payments.ndjson") === ndjson]).toEqual([remedy, true]);
  expect(shipped("payments.expected.json")).toBe(expectedText(expected));
});

test("it has the size and every kind of line that the job promises", () => {
  const { expected } = makeSample();
  expect(expected.lines).toBeGreaterThanOrEqual(1_200);
  expect(expected.outcomes.stored).toBeGreaterThanOrEqual(1_000);
  const counts = [...Object.values(expected.outcomes), ...Object.values(expected.refusals)];
  expect(Math.min(...counts)).toBeGreaterThan(0);
  expect(Object.keys(expected.sums)).toEqual(["BHD", "EUR", "GBP", "JPY", "KRW", "KWD", "USD"]);
  expect(expected.storedFailures).toBeGreaterThan(0);
  expect(Object.values(expected.outcomes).reduce((sum, count) => sum + count, 0)).toBe(expected.lines);
});

test("its card numbers are published for testing", () => {
  const published = Object.values(PUBLISHED_TEST_NUMBERS).flat();
  expect(published).toEqual(expect.arrayContaining(makeSample().expected.cardNumbers.split(" ")));
});
