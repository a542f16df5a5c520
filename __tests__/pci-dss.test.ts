/** Holds `docs/pci-dss.json`: complete, its tests exist, and `docs/pci-dss.md` is what it renders to. */

import { LEDGER_ACTIONS } from "../ledger/rules/audit-entry";
import { parsePciMapping, pciPage } from "../tools/pci-dss";
import { textOf } from "./support/documents";
import { testsNamed } from "./support/test-titles";

const JSON_TEXT = textOf("docs/pci-dss.json");
const MAPPING = parsePciMapping(JSON_TEXT);

test("the page is what the file renders to (else: npm run pci-dss)", () => {
  expect(textOf("docs/pci-dss.md")).toBe(pciPage(MAPPING));
});

test("every requirement from 10.2.1 to 10.7.3 has its row, in order", () => {
  expect(MAPPING.requirements.map(({ id }) => id)).toEqual([
    ...["10.2.1", "10.2.1.1", "10.2.1.2", "10.2.1.3", "10.2.1.4", "10.2.1.5", "10.2.1.6", "10.2.1.7", "10.2.2"],
    ...["10.3.1", "10.3.2", "10.3.3", "10.3.4"],
    ...["10.4.1", "10.4.1.1", "10.4.2", "10.4.2.1", "10.4.3"],
    ...["10.5.1", "10.6.1", "10.6.2", "10.6.3", "10.7.1", "10.7.2", "10.7.3"],
  ]);
});

test("each row of the software names tests that exist", () => {
  const tests = MAPPING.requirements.flatMap((row) => (row.by === "operator" ? [] : row.tests));
  const missing = tests.filter(({ file, title }) => testsNamed(file, title) !== 1);
  expect(tests.length).toBeGreaterThan(30);
  expect(missing).toEqual([]);
  expect(testsNamed("__tests__/pci-dss.test.ts", "there is no such test")).toBe(0);
});

test("the kinds of record are the ledger's", () => {
  const kinds = MAPPING.requirements.flatMap((row) => (row.by === "operator" ? [] : row.records));
  expect(kinds.filter((kind) => kind !== "all" && !(LEDGER_ACTIONS as readonly string[]).includes(kind))).toEqual([]);
});

test.each([
  ["a row of the software without a test", { by: "software", control: "c", records: [], tests: [] }],
  ["a row of the operator without a word", { by: "operator", operator: "" }],
  ["a row of nobody", { by: "nobody", operator: "x" }],
])("%s is refused", (_, row) => {
  const requirements = [{ id: "10.2.1", topic: "t", evidence: [], ...row }];
  expect(() => parsePciMapping(JSON.stringify({ ...MAPPING, requirements }))).toThrow();
});
