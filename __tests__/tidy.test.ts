/**
 * The house rules as tests. Each rule is a pure function over files, says the remedy in every finding, and is shown a
 * sample that it must catch, because a rule that cannot fail proves nothing.
 */

import ts from "@typescript/typescript6";
import { FUNCTIONS } from "../contract";
import { ALL_TEST_NUMBERS } from "./ledger/rules/card-test-numbers";
import { CARD_NUMBERS_NOT_SEARCHED, unpublishedCardNumbers } from "./support/card-number-rule";
import { focusedOrSkipped, silencedChecks } from "./support/check-rules";
import { importCircles } from "./support/circles";
import { errorsWithoutCode, FUNCTION_LINES_MAX, longFunctions, tooManyParameters } from "./support/code-rules";
import { OWN_EMBEDDED_AWS, ownEmulators } from "./support/emulator-rule";
import { sharedNames } from "./support/exported-names";
import { processesInFastTests } from "./support/fast-tests-rule";
import { jestGlobalsOutsideOfJest } from "./support/jest-globals-rule";
import { importOutsideLayer } from "./support/layers";
import {
  lockGaps,
  looseVersions,
  misplacedPackages,
  scriptsBehindTsx,
  textOf,
  unlistedScripts,
} from "./support/package-rules";
import { unplainWords } from "./support/plain-words";
import {
  imports,
  isCode,
  isTest,
  nodes,
  projectFiles,
  type SourceFile,
  syntaxOf,
  under,
  usedName,
} from "./support/project-files";

const { LONGEST_FIRST } = require("./support/test-sequencer.cjs") as { readonly LONGEST_FIRST: readonly string[] };

interface Rule {
  readonly name: string;
  readonly check: (files: readonly SourceFile[]) => string[];
  /** Each of these sets of files must be caught. */
  readonly caught: readonly (readonly SourceFile[])[];
  /** None of these may be. */
  readonly fine?: readonly SourceFile[];
}

// ------------------------------------------------------------------------------------------------- clocks and chance

/** Where the functions' code may ask for the time or for randomness. Everywhere else both come in as arguments. */
const CLOCK_AND_CHANCE: Readonly<Record<string, readonly string[]>> = {
  "ledger/rules/field-cipher.ts": ["pooledRandomBytes"],
  "ledger/rules/random-bytes.ts": ["randomFillSync"],
  "ledger/store/key-material.ts": ["randomBytes", "Date.now"],
  "ledger/store/payment-record.ts": ["pooledRandomBytes"],
  "ledger/store/audit-record.ts": ["pooledRandomBytes"],
  "ledger/store/event-record.ts": ["pooledRandomBytes"],
  "ledger/store/transaction-record.ts": ["pooledRandomBytes"],
  "ledger/store/transaction.ts": ["randomUUID", "Math.random"],
  "ledger/pieces/plan.ts": ["randomBytes"],
  "ledger/pieces/rounds.ts": ["randomUUID"],
  "ledger/operations/record-entries.ts": ["randomBytes"],
  "ledger/operations/file-facts.ts": ["new Date"],
  "ledger/operations/record-rows.ts": ["new Date"],
  "ledger/operations/read-audit.ts": ["randomBytes"],
  // The time of a log line.
  "handlers/runtime/observe.ts": ["Date.now", "new Date"],
  "handlers/runtime/serve.ts": ["Date.now", "new Date"],
  "handlers/publish-checkpoint.ts": ["new Date"],
};
const CLOCKS = new Set([
  ...["Date.now", "new Date", "performance.now"],
  ...["Math.random", "randomUUID", "randomBytes", "randomFillSync", "pooledRandomBytes"],
]);

function clockOrChance(file: SourceFile): string[] {
  return nodes(file, (node) => {
    const name = usedName(node);
    if (name === undefined || !CLOCKS.has(name) || CLOCK_AND_CHANCE[file.path]?.includes(name)) return undefined;
    return `uses ${name}. Take the time or the random bytes as an argument, so that a retry and a test get the same.`;
  });
}

// ----------------------------------------------------------------------------------------------------- types and tests

function looseType(node: ts.Node): string | undefined {
  if (node.kind === ts.SyntaxKind.AnyKeyword) return "says `any`. Name the type, or take `unknown` and check it.";
  const doubled =
    ts.isAsExpression(node) &&
    ts.isAsExpression(node.expression) &&
    node.expression.type.kind === ts.SyntaxKind.UnknownKeyword;
  return doubled ? "says `as unknown as`. Check the value, or correct the type that is wrong." : undefined;
}

/** Node types a child's pipes as plain streams, although `unref` is theirs as sockets. */
const DOUBLE_ASSERTION_NEEDED = new Set(["local/embedded-aws.ts"]);

// ----------------------------------------------------------------------------------------------------------- lengths

const FILE_LINES_MAX = 350;
const TEST_FILE_LINES_MAX = 600;
/** One subject each that would be harder to follow in parts. Each has its own bound, so that it does not grow on. */
const LONG_FILES: Readonly<Record<string, number>> = {
  "tools/samples/make.ts": 440,
};

function tooLong(file: SourceFile): string[] {
  const lines = file.text.split("\n").length - 1;
  const max = LONG_FILES[file.path] ?? (isTest(file) ? TEST_FILE_LINES_MAX : FILE_LINES_MAX);
  const whole = lines > max ? [`${file.path} has ${lines} lines of at most ${max}. Move one of its subjects out.`] : [];
  return isTest(file) ? whole : [...whole, ...longFunctions(file)];
}

// ---------------------------------------------------------------------------------------------------- whole repository

function strayEntries(files: readonly SourceFile[]): string[] {
  const handlers = files.filter(({ path }) => /^handlers\/[^/]+\.ts$/.test(path));
  const entries: string[] = Object.values(FUNCTIONS).map(({ entry }) => `handlers/${entry}.ts`);
  const known = new Set(entries);
  return [
    ...entries
      .filter((entry) => !handlers.some(({ path }) => path === entry))
      .map((entry) => `${entry} is missing, and FUNCTIONS in contract.ts names it. Add the file.`),
    ...handlers
      .filter(({ path }) => !known.has(path))
      .map(
        ({ path }) => `${path} is no function. Name it in FUNCTIONS of contract.ts, or move it to handlers/runtime/.`,
      ),
    ...handlers
      .filter((file) => exportsOf(file).join() !== "handler")
      .map((file) => `${file.path} exports ${exportsOf(file).join(", ") || "nothing"}. Export \`handler\` alone.`),
  ];
}

function exportsOf(file: SourceFile): string[] {
  return syntaxOf(file).statements.flatMap((statement) => {
    if (ts.isExportDeclaration(statement) || ts.isExportAssignment(statement)) return [statement.getText()];
    const exported = ts.canHaveModifiers(statement)
      ? ts.getModifiers(statement)?.some(({ kind }) => kind === ts.SyntaxKind.ExportKeyword)
      : false;
    if (exported !== true) return [];
    return ts.isVariableStatement(statement)
      ? statement.declarationList.declarations.map(({ name }) => name.getText())
      : [statement.getText().split("\n")[0] ?? ""];
  });
}

/** `jest.config.js` runs what ends with `.test.ts` under `__tests__`, and nothing else. */
function unrunTests(files: readonly SourceFile[]): string[] {
  return files.filter(isCode).flatMap((file) => {
    const isRun = isTest(file) && file.path.endsWith(".test.ts");
    const looksLikeTest = /\.(test|spec)\.[cm]?[jt]s$/.test(file.path) || nodes(file, testCall).length > 0;
    return looksLikeTest && !isRun
      ? [`${file.path} holds tests and jest does not run it. Name it __tests__/....test.ts.`]
      : [];
  });
}

function testCall(node: ts.Node): string | undefined {
  if (!ts.isCallExpression(node) || node.arguments.length < 2) return undefined;
  return ["test", "describe", "it"].includes(node.expression.getText()) ? "" : undefined;
}

/** One file for each AWS service, all explained by the table in `index.ts`. */
const EXPLAINED_BY_INDEX = under("local/resources");

function withoutPurpose(file: SourceFile): string[] {
  const first = file.text.replace(/^#!.*\n/, "").trimStart();
  return /^(\/\*\*|\/\/|#|""")/.test(first) || EXPLAINED_BY_INDEX(file)
    ? []
    : [`${file.path} begins without a comment. Say in one sentence what the file is for.`];
}

function machinePlaces(file: SourceFile): string[] {
  const places = /(?:^|[\s"'`=(:])(\/(?:root|work|home\/[a-z][\w-]*|Users\/[A-Za-z][\w-]*)\/[\w.-]+)/;
  const registries = /"resolved":|(?:index-url|find-links|trusted-host|registry)\s*=?\s*"?https?:/;
  return file.text.split("\n").flatMap((line, index) => {
    const where = `${file.path}:${index + 1}`;
    const place = places.exec(line)?.[1];
    if (place !== undefined) return [`${where} names ${place}, a place on one machine. Use a relative path.`];
    return registries.test(line)
      ? [`${where} names a registry. Leave the choice to each user's own npm or pip configuration.`]
      : [];
  });
}

// ------------------------------------------------------------------------------------------------------------- rules

type Select = (file: SourceFile) => boolean;
const each = (select: Select, check: (file: SourceFile) => string[]) => (files: readonly SourceFile[]) =>
  files.filter(select).flatMap(check);
const code = (path: string, text: string): SourceFile => ({ path, text });
const one = (path: string, text: string): readonly SourceFile[] => [code(path, text)];

const mayReadEnvironment: Select = (file) =>
  under("local", "cli", "__tests__", "tools/mutation")(file) ||
  ["stacks/config/load.ts", "handlers/runtime/variables.ts", "evidence/commands/screen.ts"].includes(file.path);
const mayPrint: Select = (file) =>
  under("local", "cli", "tools", "samples")(file) || ["main.ts", "evidence/commands/program.ts"].includes(file.path);
const ownCheckDigit = `400000${"0".repeat(9)}`;

const RULES: readonly Rule[] = [
  {
    name: "provider packages are imported by their submodules only",
    check: each(isCode, (file) =>
      imports(file, (module) =>
        /^@cdktf\/provider-[^/]+(\/(?!lib\/)|$)/.test(module)
          ? `imports ${module}, which loads thousands of modules. Import ${module.split("/").slice(0, 2).join("/")}/lib/<resource>.`
          : undefined,
      ),
    ),
    caught: [
      one("stacks/x.ts", 'import { kmsKey } from "@cdktf/provider-aws";'),
      one("tools/x.ts", 'const { kmsKey } = require("@cdktf/provider-aws/other");'),
    ],
    fine: one("stacks/x.ts", 'import { KmsKey } from "@cdktf/provider-aws/lib/kms-key";'),
  },
  {
    name: "CDKTF is imported by the stacks, their sample and tests only, so that leaving it stays a small change",
    check: each(
      (file) => isCode(file) && (!under("stacks", "samples", "__tests__")(file) || under("stacks/config")(file)),
      (file) =>
        imports(file, (module) =>
          /^(cdktf|constructs|@cdktf\/.*)$/.test(module)
            ? `imports ${module}. Keep it in stacks/, and give others plain values.`
            : undefined,
        ),
    ),
    caught: [
      one("stacks/config/x.ts", 'import { Fn } from "cdktf";'),
      one("main.ts", 'import type { Construct } from "constructs";'),
    ],
    fine: one("stacks/x.ts", 'import { Fn } from "cdktf";'),
  },
  {
    name: "no two files export the same name",
    check: sharedNames,
    caught: [
      [code("client/a.ts", "export const keyOf = 1;"), code("local/b.ts", "export function keyOf() {}")],
      [code("client/a.ts", "export interface Finding {}"), code("client/b.ts", "export type Finding = string;")],
    ],
    fine: [
      code("client/a.ts", "export const keyOf = 1;\nexport type A = string;\nexport const A = 1;"),
      code("client/b.ts", 'const keyOf = 2;\nexport { keyOf as other } from "./a";'),
      code("handlers/a.ts", "export const handler = 1;"),
      code("handlers/b.ts", "export const handler = 1;"),
    ],
  },
  {
    name: "every error has a literal code",
    check: each((file) => isCode(file) && !isTest(file), errorsWithoutCode),
    caught: [one("client/x.ts", 'export class Lost extends Error { override readonly name = "Lost"; }')],
    fine: one("client/x.ts", 'class Lost extends CodedError<"LOST"> { override readonly name = "Lost"; }'),
  },
  {
    name: "a function takes at most five parameters",
    check: each(isCode, tooManyParameters),
    caught: [one("client/x.ts", "export const f = (a, b, c, d, e, f) => a;")],
    fine: one("client/x.ts", "export function f(a, b, c, d, e) {}"),
  },
  {
    name: "no file and no room imports itself through others",
    check: importCircles,
    caught: [
      [code("client/a.ts", 'import type { B } from "./b";'), code("client/b.ts", 'export { a } from "./a";')],
      [
        code("client/a.ts", 'import { b } from "../local/b";'),
        code("client/c.ts", ""),
        code("local/b.ts", ""),
        code("local/d.ts", 'import "../client/c";'),
      ],
    ],
    fine: [
      code("client/a.ts", 'import { b } from "../local/b";'),
      code("local/b.ts", 'import { c } from "./c";'),
      code("local/c.ts", ""),
    ],
  },
  {
    name: "synth time and run time meet in contract.ts alone, and each layer imports only what lies below it",
    check: each(isCode, importOutsideLayer),
    caught: [
      one("contract.ts", 'import { x } from "./ledger/money";'),
      one("ledger/rules/x.ts", 'import { KMSClient } from "@aws-sdk/client-kms";'),
      one("ledger/rules/x.ts", 'export * from "../ledger/store/store";'),
      one("ledger/store/x.ts", 'import { loadConfig } from "../stacks/config/load";'),
      one("ledger/operations/x.ts", 'import { BaseStack } from "../stacks/base-stack";'),
      one("handlers/runtime/x.ts", 'const local = import("../../local/errors");'),
      one("handlers/x.ts", 'import { Fn } from "cdktf";'),
      one("stacks/x.ts", 'import { minorUnitsOf } from "../ledger/rules/currencies";'),
      one("stacks/constructs/x.ts", 'type X = import("../../handlers/runtime/serve").Operation<object>;'),
      one("stacks/config/x.ts", 'import { y } from "../ledger/operations/call";'),
      one("evidence/log/x.ts", 'import { z } from "zod";'),
      one("evidence/verifier/x.ts", 'import { S3Client } from "@aws-sdk/client-s3";'),
      one("evidence/verifier/x.ts", 'import { rootOf } from "../evidence/sealing/frontier";'),
      one("evidence/sealing/x.ts", 'import { verifyLog } from "../evidence/verifier/verify";'),
    ],
    fine: one("handlers/runtime/x.ts", 'import { ENV } from "../../contract";'),
  },
  {
    name: "the functions' code asks for time and chance in the places listed here only",
    check: each(
      (file) =>
        isCode(file) && under("ledger", "evidence/log", "evidence/sealing", "evidence/checks", "handlers")(file),
      clockOrChance,
    ),
    caught: [
      one("ledger/rules/x.ts", "const now = Date.now();"),
      one("ledger/rules/x.ts", "const now = new Date();"),
      one("ledger/rules/money.ts", "const id = randomBytes(4);"),
      one("ledger/operations/x.ts", "const chance = Math.random();"),
      one("ledger/store/x.ts", "const id = randomUUID();"),
      one("evidence/sealing/x.ts", "const time = new Date();"),
    ],
    fine: one("ledger/rules/x.ts", "const then = new Date(0); // not Date.now()"),
  },
  {
    name: "process.env is read in one place at synth time and in one at run time",
    check: each(
      (file) => isCode(file) && !mayReadEnvironment(file),
      (file) =>
        nodes(file, (node) =>
          ts.isPropertyAccessExpression(node) && node.getText() === "process.env"
            ? "reads process.env. Read it in stacks/config/load.ts or handlers/runtime/variables.ts and pass the value."
            : undefined,
        ),
    ),
    caught: [
      one("stacks/x.ts", 'const region = process.env["AWS_REGION"];'),
      one("ledger/store/x.ts", "const { PATH } = process.env;"),
    ],
    fine: one("stacks/config/load.ts", "export const load = (variables = process.env) => variables;"),
  },
  {
    name: "types are named: no any, no double assertion",
    check: each(
      (file) => isCode(file) && !isTest(file) && !DOUBLE_ASSERTION_NEEDED.has(file.path),
      (file) => nodes(file, looseType),
    ),
    caught: [
      one("ledger/rules/x.ts", "export function x(y: any) { return y; }"),
      one("ledger/rules/x.ts", "export const x = 1 as unknown as string;"),
    ],
    fine: one("ledger/rules/x.ts", 'export const any = "any" as string;'),
  },
  {
    name: "every test runs: none is focused or skipped",
    check: each(
      (file) => isCode(file) && isTest(file),
      (file) => nodes(file, focusedOrSkipped),
    ),
    caught: [
      one("__tests__/x.test.ts", 'test.only("x", () => {});'),
      one("__tests__/x.test.ts", 'describe.skip.each([1])("x", () => {});'),
      one("__tests__/x.test.ts", 'xit("x", () => {});'),
    ],
    fine: one("__tests__/x.test.ts", 'test.each([1])("skip", () => {});'),
  },
  {
    name: "tests share the embedded AWS of their worker",
    check: ownEmulators,
    caught: [one("__tests__/x.test.ts", "const aws = await startEmbeddedAws();")],
    fine: one("__tests__/x.test.ts", "const aws = await sharedEmbeddedAws();"),
  },
  {
    name: "the fast tests need no emulator and start no process",
    check: processesInFastTests,
    caught: [
      one("__tests__/stacks/x.test.ts", 'import { spawnSync } from "node:child_process";'),
      one("__tests__/ledger/store/x.test.ts", 'import { startHarness } from "../../support/ledger-harness";'),
    ],
    fine: one("__tests__/stacks/config/main.test.ts", 'import { spawnSync } from "node:child_process";'),
  },
  {
    name: "what programs import of the tests works outside of Jest",
    check: jestGlobalsOutsideOfJest,
    caught: [
      [
        code("tools/x.ts", 'import { a } from "../__tests__/support/a";'),
        code("__tests__/support/a.ts", 'import { b } from "./b";'),
        code("__tests__/support/b.ts", "export const b = 1;\nafterAll(() => {});"),
      ],
      [
        code("tools/x.ts", 'import { a } from "../__tests__/support/a";'),
        code("__tests__/support/a.ts", "export const a = () => jest.spyOn(console, 'log');"),
      ],
    ],
    fine: [
      code("tools/x.ts", 'import { a } from "../__tests__/support/a";'),
      code("__tests__/support/a.ts", 'export const a = 1;\nif (typeof afterAll === "function") afterAll(() => {});'),
      code("__tests__/support/c.ts", "beforeEach(() => {});"),
    ],
  },
  {
    name: "no check is silenced without its reason",
    check: each(isCode, silencedChecks),
    caught: [
      one("ledger/rules/x.ts", `// @ts-${"ignore"}: it is fine`),
      one("ledger/rules/x.ts", `// biome-${"ignore"} lint/style/useConst: no`),
      one("__tests__/x.test.ts", `// @ts-expect-${"error"}`),
    ],
    fine: one("ledger/rules/x.ts", `// biome-${"ignore"} lint/style/useConst: assigned by the generated code below`),
  },
  {
    name: "only commands print; the functions log through their observer",
    check: each(
      (file) => isCode(file) && !mayPrint(file),
      (file) =>
        nodes(file, (node) =>
          ts.isPropertyAccessExpression(node) && node.expression.getText() === "console"
            ? "prints. In functions use the observer with its allow-list; elsewhere return the text."
            : undefined,
        ),
    ),
    caught: [one("ledger/operations/x.ts", "console.log(event);"), one("__tests__/x.test.ts", 'console.error("x");')],
    fine: one("tools/x.ts", 'console.log("done");'),
  },
  {
    name: "every handler file is a function of contract.ts, exports handler alone, and the other way round",
    check: strayEntries,
    caught: [
      [],
      one("handlers/stray.ts", "export const handler = 1;"),
      one("handlers/persist-payment-ledger.ts", "export const handler = 1;\nexport const other = 2;"),
    ],
  },
  {
    name: "every file begins by saying what it is for",
    check: each(
      (file) => /(\.[cm]?[jt]s|\.py)$/.test(file.path) && (!isTest(file) || under("__tests__/support")(file)),
      withoutPurpose,
    ),
    caught: [one("ledger/rules/x.ts", 'import x from "y";'), one("local/x.py", "#!/usr/bin/env python3\nimport os\n")],
    fine: one("ledger/rules/x.ts", "/** What x is. */\n"),
  },
  {
    name: "functions and files stay short enough to read",
    check: each(isCode, tooLong),
    caught: [
      one("ledger/rules/x.ts", `export function x() {${"\n".repeat(FUNCTION_LINES_MAX)}}`),
      one("ledger/rules/x.ts", "\n".repeat(FILE_LINES_MAX + 1)),
      one("tools/samples/make.ts", "\n".repeat(600)),
      one("__tests__/x.test.ts", "\n".repeat(TEST_FILE_LINES_MAX + 1)),
    ],
    fine: one("ledger/rules/x.ts", `export function x() {${"\n".repeat(FUNCTION_LINES_MAX - 1)}}`),
  },
  {
    name: "packages are pinned exactly",
    check: looseVersions,
    caught: [
      one("package.json", '{"dependencies":{"zod":"^4.0.0"}}'),
      one("package.json", '{"devDependencies":{"jest":"latest"}}'),
    ],
  },
  {
    name: "the lock file is that of package.json and complete for every platform",
    check: lockGaps,
    caught: [
      [code("package.json", '{"dependencies":{"zod":"4.0.0"}}'), code("package-lock.json", '{"packages":{"":{}}}')],
      [
        code("package.json", "{}"),
        code(
          "package-lock.json",
          '{"packages":{"":{},"node_modules/a":{"optionalDependencies":{"a-darwin":"1.0.0"}}}}',
        ),
      ],
    ],
    fine: [
      code("package.json", "{}"),
      code(
        "package-lock.json",
        '{"packages":{"":{},"node_modules/a/node_modules/b":{"optionalDependencies":{"c":"1.0.0"}},"node_modules/a/node_modules/c":{}}}',
      ),
    ],
  },
  {
    name: "what the functions use is a dependency, and nothing else is",
    check: misplacedPackages,
    caught: [
      [code("package.json", '{"devDependencies":{"zod":"4.0.0"}}'), code("ledger/x.ts", 'import { z } from "zod";')],
      one("package.json", '{"dependencies":{"left-pad":"1.0.0"}}'),
    ],
  },
  {
    name: "no registry and no place on one machine is named in any file",
    check: each((file) => !file.path.endsWith("/tidy.test.ts"), machinePlaces),
    caught: [
      one("package-lock.json", '  "resolved": "https://registry.example/zod.tgz",'),
      one("local/requirements.txt", "--index-url https://pypi.example/simple"),
      one(".npmrc", "registry=https://registry.example/"),
      one("README.md", "Run `/home/alice/ledger/help`."),
      one("stacks/x.ts", 'const path = "/root/ledger";'),
    ],
    fine: one("README.md", "It lies in /aws/lambda/x, and arn:aws:iam::111122223333:root is a principal."),
  },
  {
    name: "comments, messages, titles and documents use plain words",
    // This file shows the words as samples.
    check: each((file) => /\.(md|ts)$/.test(file.path) && !file.path.endsWith("/tidy.test.ts"), unplainWords),
    caught: [
      one("backup/x.md", "The record stands\nin the table."),
      one("backup/x.md", "The sweep holds the tables\nagainst the log."),
      one("stacks/x.ts", "/** A key of its own. */"),
      one("stacks/x.ts", "const x = 1; // somebody rings"),
      one("stacks/x.ts", 'throw new Error("No record stands there.");'),
      one("stacks/x.ts", "/**\n * What an event is told,\n * for\n * good.\n */"),
    ],
    fine: [
      code("backup/x.md", "The record exists; `stands` is code.\n```\ndoor\n```\n"),
      code("stacks/x.ts", 'const door = "stands"; /** A stand-in of `standing-items`. */'),
    ],
  },
  {
    name: "every npm script is in help",
    check: unlistedScripts,
    caught: [
      [code("package.json", '{"scripts":{"lint":"biome"}}'), code("help", "npm run lint:all\n")],
      one("package.json", '{"scripts":{"start":"tsx"}}'),
    ],
  },
  {
    name: "a signal reaches every npm script",
    check: scriptsBehindTsx,
    caught: [one("package.json", '{"scripts":{"start":"npx tsx local/main-job.ts"}}')],
    fine: one("package.json", '{"scripts":{"start":"node --import tsx local/main-job.ts","synth":"cdktf synth"}}'),
  },
  {
    name: "jest runs every file that holds tests",
    check: unrunTests,
    caught: [
      one("ledger/rules/money.test.ts", ""),
      one("__tests__/x.spec.ts", ""),
      one("__tests__/support/x.ts", 'test("x", () => {});'),
    ],
    fine: one("__tests__/x.test.ts", 'test("x", () => {});'),
  },
  {
    name: "no card number is in any file but those published for testing",
    check: each(() => true, unpublishedCardNumbers),
    // Composed here, so that this file holds none.
    caught: [
      one("docs/x.md", `Pay with ${ownCheckDigit}2.`),
      one("samples/x.json", `{"n":"4000-${"0000-".repeat(2)}0002"}`),
    ],
    fine: one("docs/x.md", `Pay with ${ALL_TEST_NUMBERS[0]}.`),
  },
];

const FILES = projectFiles();

test("the project's files are read", () => {
  expect(FILES.length).toBeGreaterThan(100);
  expect(FILES.map(({ path }) => path)).toEqual(expect.arrayContaining(["contract.ts", "package-lock.json", "help"]));
});

describe.each(RULES)("$name", ({ check, caught, fine }) => {
  test("holds", () => {
    expect(check(FILES)).toEqual([]);
  });

  test("catches what breaks it, and only that", () => {
    for (const sample of caught) expect(check(sample)).not.toEqual([]);
    if (fine !== undefined) expect(check(fine)).toEqual([]);
  });
});

test("every exception is still needed", () => {
  const paths = new Set(FILES.map(({ path }) => path));
  const excepted = [CLOCK_AND_CHANCE, LONG_FILES, OWN_EMBEDDED_AWS]
    .flatMap(Object.keys)
    .concat(...DOUBLE_ASSERTION_NEEDED, LONGEST_FIRST);
  expect([...excepted, ...CARD_NUMBERS_NOT_SEARCHED].filter((path) => !paths.has(path))).toEqual([]);
  const grown = Object.keys(LONG_FILES).map((path) => (textOf(FILES, path) ?? "").split("\n").length - 1);
  expect(grown.filter((lines) => lines <= FILE_LINES_MAX)).toEqual([]);
});
