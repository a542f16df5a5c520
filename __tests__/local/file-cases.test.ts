/** `npm run cases`: the shipped cases end as they must, and a case that does not is reported. */

import { mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import path from "node:path";
import type { EmbeddedAws } from "../../local/embedded-aws";
import { caseNames, differences, FileCases } from "../../local/file-cases";
import { expectedText } from "../../local/samples/values";
import { makeSampleCases } from "../../tools/samples/cases";
import { sharedEmbeddedAws } from "../support/shared-aws";

const FOLDER = path.join(__dirname, "..", "..", "samples", "cases");
const made = makeSampleCases();

let aws: EmbeddedAws;
let cases: FileCases;
beforeAll(async () => {
  aws = await sharedEmbeddedAws();
  cases = await FileCases.start(aws);
});
afterAll(async () => {
  cases?.stop();
  await aws?.stop();
});

test("the shipped cases are what the generator writes", () => {
  const shipped = made.flatMap(({ name, bytes, expected }) => [
    [name, Buffer.from(bytes)] as const,
    [`${name}.expected.json`, Buffer.from(expectedText(expected))] as const,
  ]);
  expect(readdirSync(FOLDER).sort()).toEqual(shipped.map(([name]) => name).sort());
  const differing = shipped.filter(([name, bytes]) => !readFileSync(path.join(FOLDER, name)).equals(bytes));
  expect(["Run npx tsx tools/samples/make.ts.", differing.map(([name]) => name)]).toEqual([
    "Run npx tsx tools/samples/make.ts.",
    [],
  ]);
  expect(caseNames(FOLDER)).toEqual(made.map(({ name }) => name).sort());
});

test.each(made.map(({ name }) => name))("%s ends as expected", async (name) => {
  expect(differences(FOLDER, await cases.run(FOLDER, name))).toEqual([]);
});

test("a case is independent of others, and what differs from its expectation is reported", async () => {
  const folder = mkdtempSync(path.join(tmpdir(), "payment-ledger-cases-"));
  try {
    const text = "transactionId,amount,currency,cardLast4\npay-1,10.50,EUR,4242\npay-2,3,JPY,4242\n";
    for (const name of ["a.csv", "b.csv"]) writeFileSync(path.join(folder, name), text);
    writeFileSync(path.join(folder, "a.csv.expected.json"), '{"stored":3,"sum":{"EUR":"10.50","JPY":"3"},"other":1}');
    writeFileSync(path.join(folder, "a.csv.expected.txt"), "Read by people.");
    expect(caseNames(folder)).toEqual(["a.csv", "b.csv"]);
    const [first, second] = [await cases.run(folder, "a.csv"), await cases.run(folder, "b.csv")];
    expect(second).toEqual({ ...first, file: "b.csv" });
    expect(second).toMatchObject({ stored: 2, duplicate: 0, sum: { EUR: "10.50", JPY: "3" } });
    expect(differences(folder, first)).toEqual([
      "a.csv: stored is 2, expected 3",
      "a.csv: other is undefined, expected 1",
    ]);
    expect(differences(folder, second)).toEqual([]);
  } finally {
    rmSync(folder, { recursive: true });
  }
});
