/** Holds `docs/pci-dss.json`: complete, its tests exist, and `docs/pci-dss.md` is what it renders to. */

import * as z from "zod";
import { LEDGER_ACTIONS } from "../ledger/rules/audit-entry";
import { parsePciMapping } from "../tools/pci-dss/mapping";
import { pciOscalText, pciPage } from "../tools/pci-dss/pci-dss";
import { textOf } from "./support/documents";
import { testsNamed } from "./support/test-titles";

const JSON_TEXT = textOf("docs/pci-dss.json");
const MAPPING = parsePciMapping(JSON_TEXT);

test("the page is what the file renders to (else: npm run pci-dss)", () => {
  expect(textOf("docs/pci-dss.md")).toBe(pciPage(MAPPING));
});

describe("as an OSCAL component definition", () => {
  /** The parts of the format that are used, by the patterns of NIST's model; `npm run validate-oscal` asks a validator of others. */
  const token = z.string().regex(/^(\p{L}|_)(\p{L}|\p{N}|[.\-_])*$/u);
  const uuid = z.string().regex(/^[0-9a-f]{8}-[0-9a-f]{4}-[45][0-9a-f]{3}-[89ab][0-9a-f]{3}-[0-9a-f]{12}$/);
  const text = z.string().regex(/^\S(.*\S)?$/);
  const properties = z.array(z.strictObject({ name: token, ns: z.url(), value: text })).min(1);
  const requirement = z.strictObject({
    uuid,
    "control-id": token,
    description: text,
    props: properties.optional(),
    "responsible-roles": z.array(z.strictObject({ "role-id": z.literal("operator") })).optional(),
  });
  const implementation = z.strictObject({
    uuid,
    source: z.url(),
    description: text,
    "implemented-requirements": z.array(requirement).min(1),
  });
  const schema = z.strictObject({
    "component-definition": z.strictObject({
      uuid,
      metadata: z.strictObject({
        title: text,
        "last-modified": z.iso.datetime(),
        version: text,
        "oscal-version": z.literal("1.1.3"),
        roles: z.tuple([z.strictObject({ id: z.literal("operator"), title: text })]),
        remarks: text,
      }),
      components: z.array(
        z.strictObject({
          uuid,
          type: token,
          title: text,
          description: text,
          "control-implementations": z.array(implementation).length(1),
        }),
      ),
    }),
  });
  const OSCAL = textOf("docs/pci-dss.oscal.json");
  const [software, operator] = schema
    .parse(JSON.parse(OSCAL))
    ["component-definition"].components.map((component) =>
      component["control-implementations"].flatMap((each) => each["implemented-requirements"]),
    );

  test("the file is what the mapping gives (else: npm run pci-dss)", () => {
    expect(OSCAL).toBe(pciOscalText(MAPPING));
  });

  test("each requirement is in the component of the party that supports it; what the software supports names its tests", () => {
    const idsBy = (...who: readonly string[]) =>
      MAPPING.requirements.filter(({ by }) => who.includes(by)).map(({ id }) => `pci-dss-${id}`);
    expect(software?.map((row) => row["control-id"])).toEqual(idsBy("software", "both"));
    expect(operator?.map((row) => row["control-id"])).toEqual(idsBy("operator", "both"));
    const tests = software?.map(({ props = [] }) =>
      props.filter(({ name }) => name === "test").map(({ value }) => value),
    );
    expect(tests).toEqual(
      MAPPING.requirements.flatMap((row) =>
        row.by === "operator" ? [] : [row.tests.map(({ file, title }) => `${file}: ${title}`)],
      ),
    );
    for (const row of operator ?? []) expect(row["responsible-roles"]).toHaveLength(1);
  });

  test("no id is given twice, and nothing is called compliant", () => {
    const ids = [...OSCAL.matchAll(/"uuid": "([^"]+)"/g)].map(([, id]) => id);
    expect(new Set(ids).size).toBe(ids.length);
    expect(OSCAL).not.toMatch(/complian(t|ce)|certified/i);
  });
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
