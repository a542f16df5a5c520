/**
 * Holds `docs/demands.md`: every demand has code and a test, and every file, test and resource that it names is there.
 * Each rule is shown a row that it must object to.
 */

import { readFileSync } from "node:fs";
import { join } from "node:path";
import { ROLES } from "../contract";
import { PROJECT, projectFiles, type SourceFile } from "./support/project-files";
import { configOf, type StackJson, synthesize } from "./support/synth";
import { testsNamed } from "./support/test-titles";

const TEXT = readFileSync(join(PROJECT, "docs/demands.md"), "utf8");
const HEADER = "| Id | Demand | Part | How it is met | Code | Resources | Tests |";

// ------------------------------------------------------------------------------------------------------------ reading

interface Row {
  readonly id: string;
  readonly cells: readonly string[];
  readonly code: readonly string[];
  readonly resources: readonly string[];
  readonly tests: readonly { readonly file: string; readonly title: string }[];
}

const matches = (text: string, pattern: RegExp): string[] => [...text.matchAll(pattern)].map(([, found = ""]) => found);

function rowsOf(text: string): Row[] {
  return text
    .split("\n")
    .filter((line) => /^\| [A-Z]{2}-/.test(line))
    .map((line) => {
      const cells = line.split(" | ").map((cell) => cell.replace(/^\| | \|$/g, "").trim());
      const [id = "", , , , code = "", resources = "", tests = ""] = cells;
      return {
        id,
        cells,
        code: matches(code, /`([^`]+)`/g),
        resources: matches(resources, /`([^`]+)`/g),
        tests: testsOf(tests),
      };
    });
}

/** `` `file`: "title"; "title" ``, more of them after `<br>`. */
function testsOf(cell: string): Row["tests"] {
  return cell.split("<br>").flatMap((part) => {
    const file = /^`([^`]+)`/.exec(part)?.[1] ?? "";
    return matches(part, /"([^"]+)"/g).map((title) => ({ file, title }));
  });
}

// ----------------------------------------------------------------------------------------------------- what there is

const FILES: ReadonlyMap<string, SourceFile> = new Map(projectFiles().map((file) => [file.path, file]));

/** Of the default layout, and of the two with a NAT gateway as `network/nat` and `network/nat-privatelink`. */
const STACKS: Readonly<Record<string, StackJson>> = {
  ...synthesize(configOf("prod")).stacks,
  "network/nat": synthesize(configOf("prod", { connectivity: "nat" })).stacks.network,
  "network/nat-privatelink": synthesize(configOf("prod", { connectivity: "nat-privatelink" })).stacks.network,
};

/** `stack:type.id`, `stack:data.type.id` or `stack:output.name`. */
function isSynthesized(name: string): boolean {
  const [, stack = "", address = ""] = /^([\w/-]+):(.+)$/.exec(name) ?? [];
  const there = STACKS[stack];
  if (there === undefined) return false;
  const [first = "", second = "", third] = address.split(".");
  if (third !== undefined) return first === "data" && there.data[second]?.[third] !== undefined;
  return first === "output" ? second in there.output : there.resource[first]?.[second] !== undefined;
}

// -------------------------------------------------------------------------------------------------------------- rules

type Rule = (rows: readonly Row[]) => string[];
const each =
  (check: (row: Row) => string[]): Rule =>
  (rows) =>
    rows.flatMap((row) => check(row).map((fault) => `${row.id}: ${fault}`));

const sample = (id: string, code: string, resources: string, tests: string) =>
  `${HEADER}\n|---|---|---|---|---|---|---|\n| ${id} | a | b | c | ${code} | ${resources} | ${tests} |\n`;
const GOOD_TEST = '`__tests__/demands.test.ts`: "the table is read"';

const RULES: readonly { name: string; rule: Rule; caught: readonly string[] }[] = [
  {
    name: "every row is whole: seven cells, none of the first four empty, an id of its document",
    rule: each(({ id, cells }) => [
      ...(cells.length === 7 ? [] : [`${cells.length} cells`]),
      ...(cells.slice(0, 4).every((cell) => cell !== "") ? [] : ["an empty cell"]),
      ...(/^(PL|AT|AS|PA|PP|PG)-\d+$/.test(id) ? [] : ["no id"]),
    ]),
    caught: [
      sample("PL-1", "`main.ts`", "", GOOD_TEST).replace("| b ", "| "),
      sample("PL-1", "`main.ts`", "", GOOD_TEST).replace("| c ", "|  "),
      sample("XX-1", "`main.ts`", "", GOOD_TEST),
    ],
  },
  {
    name: "every row has code and a test",
    rule: each(({ code, tests }) => [
      ...(code.length > 0 ? [] : ["no code"]),
      ...(tests.length > 0 ? [] : ["no test"]),
    ]),
    caught: [sample("PL-1", "", "", GOOD_TEST), sample("PL-1", "`main.ts`", "", "")],
  },
  {
    name: "every file is there",
    rule: each(({ code, tests }) =>
      [...code, ...tests.map(({ file }) => file)].filter((path) => !FILES.has(path)).map((path) => `no file ${path}`),
    ),
    caught: [
      sample("PL-1", "`ledger/gold.ts`", "", GOOD_TEST),
      sample("PL-1", "`main.ts`", "", '`__tests__/gold.test.ts`: "x"'),
    ],
  },
  {
    name: "every test is there, once, by the title that is named",
    rule: each(({ tests }) =>
      tests.flatMap(({ file, title }) => {
        const found = testsNamed(file, title);
        return found === 1 ? [] : [`${file} has ${found} tests "${title}"`];
      }),
    ),
    caught: [
      sample("PL-1", "`main.ts`", "", '`__tests__/demands.test.ts`: "the table is read twice"'),
      // In more than one group of that file.
      sample("PL-1", "`main.ts`", "", '`__tests__/local/main-job-checks.test.ts`: "as expected"'),
    ],
  },
  {
    name: "every resource is in the synthesized stacks of prod",
    rule: each(({ resources }) =>
      resources.filter((name) => !isSynthesized(name)).map((name) => `no resource ${name}`),
    ),
    caught: [
      sample("PL-1", "`main.ts`", "`data:aws_dynamodb_table.gold`", GOOD_TEST),
      sample("PL-1", "`main.ts`", "`network:aws_nat_gateway.nat-gateway`", GOOD_TEST),
      sample("PL-1", "`main.ts`", "`security:data.aws_iam_policy_document.gold`", GOOD_TEST),
      sample("PL-1", "`main.ts`", "`security:output.Gold`", GOOD_TEST),
      sample("PL-1", "`main.ts`", "`gold`", GOOD_TEST),
    ],
  },
  {
    name: "no id occurs twice, and each document's ids count on from 1, or from 0 where a row is about the whole document",
    rule: (rows) => {
      const next = new Map<string, number>();
      return rows.flatMap(({ id }) => {
        const [document = "", number = ""] = id.split("-");
        const expected = next.get(document) ?? (number === "0" ? 0 : 1);
        next.set(document, expected + 1);
        return Number(number) === expected ? [] : [`${id} where ${document}-${expected} is due`];
      });
    },
    caught: [sample("PL-1", "`main.ts`", "", GOOD_TEST).repeat(2), sample("PL-2", "`main.ts`", "", GOOD_TEST)],
  },
];

const ROWS = rowsOf(TEXT);

test("the table is read", () => {
  const inEach = ["PL", "AT", "AS", "PA", "PP", "PG"].map(
    (document) => ROWS.filter(({ id }) => id.startsWith(document)).length,
  );
  expect(Math.min(...inEach)).toBeGreaterThan(10);
  expect(ROWS.length).toBe(matches(TEXT, /^\| (?!Id |---)/gm).length);
  expect(matches(TEXT, /^(\| Id .*)$/gm)).toEqual(Array.from({ length: 6 }, () => HEADER));
});

test.each([
  { row: "PP-21", counted: "buckets", type: "aws_s3_bucket", stack: "data" },
  { row: "PP-64", counted: "buckets", type: "aws_s3_bucket_lifecycle_configuration", stack: "data" },
  { row: "PG-18", counted: "tables", type: "aws_dynamodb_table", stack: "data" },
])("$row says of how many $counted the stack has it", ({ row, counted, type, stack }) => {
  const count = Object.keys(STACKS[stack]?.resource[type] ?? {}).length;
  const word = ["", "one", "two", "three", "four", "five", "six"][count];
  expect(
    TEXT.split("\n")
      .find((line) => line.startsWith(`| ${row} |`))
      ?.toLowerCase(),
  ).toContain(`all ${word} ${counted}`);
});

test("PG-24 says how many roles the functions have", () => {
  const words = ["ten", "eleven", "twelve", "thirteen", "fourteen", "fifteen", "sixteen"];
  const row = TEXT.split("\n").find((line) => line.startsWith("| PG-24 |"));
  expect(row?.toLowerCase()).toContain(`${words[Object.keys(ROLES).length - 10]} for the functions`);
});

describe.each(RULES)("$name", ({ rule, caught }) => {
  test("in the table", () => {
    expect(rule(ROWS)).toEqual([]);
  });

  test.each(caught)("and an objection is raised to %j", (text) => {
    expect(rule(rowsOf(text))).not.toEqual([]);
  });
});

test("how a contradiction was settled is said as such", () => {
  const settled = ROWS.filter(({ cells }) => cells[3]?.startsWith("Settled: "));
  expect(settled.length).toBeGreaterThan(20);
});

test("the licence is MIT", () => {
  expect(readFileSync(join(PROJECT, "LICENSE"), "utf8")).toMatch(/^MIT License\n/);
  expect(JSON.parse(readFileSync(join(PROJECT, "package.json"), "utf8"))).toMatchObject({ license: "MIT" });
});
