/** The shipped sample is what its generator writes, and holds what the main job needs. */

import { readdirSync, readFileSync } from "node:fs";
import path from "node:path";
import { makeSampleFiles } from "../../local/samples/files";
import { makeSampleMessages } from "../../local/samples/messages";
import { expectedText } from "../../local/samples/values";
import { makeSample } from "../../tools/samples/make";
import { PUBLISHED_TEST_NUMBERS } from "../ledger/rules/card-test-numbers";

const SAMPLES = path.join(__dirname, "..", "..", "samples");
const shipped = (name: string) => readFileSync(path.join(SAMPLES, name), "utf8");
const REMEDY = "Run npx tsx tools/samples/make.ts.";

test("the shipped files are what the generator writes", () => {
  const { ndjson, expected } = makeSample();
  expect([REMEDY, shipped("payments.ndjson") === ndjson]).toEqual([REMEDY, true]);
  expect(shipped("payments.expected.json")).toBe(expectedText(expected));
  const messages = makeSampleMessages();
  expect([REMEDY, shipped("messages.ndjson") === messages.ndjson]).toEqual([REMEDY, true]);
  expect(shipped("messages.expected.json")).toBe(expectedText(messages.expected));
  const { files, expected: expectedFiles } = makeSampleFiles();
  const same = files.map(({ name, bytes }) => [name, readFileSync(path.join(SAMPLES, "files", name)).equals(bytes)]);
  expect([REMEDY, same]).toEqual([REMEDY, files.map(({ name }) => [name, true])]);
  expect(readdirSync(path.join(SAMPLES, "files")).sort()).toEqual(files.map(({ name }) => name).sort());
  expect(shipped("files.expected.json")).toBe(expectedText(expectedFiles));
});

test("the files come in every format, on two days, with every outcome", () => {
  const { files } = makeSampleFiles().expected;
  const endings = [...new Set(files.map(({ name }) => name.slice(name.indexOf("."))))].sort();
  expect(endings).toEqual([".csv", ".json", ".ndjson", ".ndjson.gz"]);
  expect([...new Set(files.map(({ day }) => day))]).toEqual([1, 2]);
  const total = (outcome: "stored" | "duplicate" | "conflict" | "refused") =>
    files.reduce((sum, { counts }) => sum + counts[outcome], 0);
  for (const outcome of ["stored", "duplicate", "conflict", "refused"] as const)
    expect(total(outcome)).toBeGreaterThan(0);
  for (const { rows, counts } of files) {
    expect(Object.values(counts).reduce((sum, count) => sum + count, 0)).toBe(rows);
  }
  expect(shipped("files/beta-2025-09-01.ndjson").charCodeAt(0)).toBe(0xfeff);
  expect(files.filter(({ cardDataRows }) => cardDataRows > 0)).toHaveLength(1);
});

test("a payment is in two files", () => {
  const again = shipped("files/alpha-2025-09-02.ndjson").split("\n");
  const first = shipped("files/alpha-2025-09-01.json");
  const ids = again.flatMap((line) =>
    line === "" ? [] : [(JSON.parse(line) as { transactionId: string }).transactionId],
  );
  expect(ids.filter((id) => first.includes(`"${id}"`)).length).toBeGreaterThan(0);
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
  for (const { expected } of [makeSample(), makeSampleFiles(), makeSampleMessages()]) {
    expect(published).toEqual(expect.arrayContaining(expected.cardNumbers.split(" ")));
  }
});
