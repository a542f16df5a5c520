/**
 * `npm run mutate`: changes the code in one place at a time with Stryker, runs the tests of the folder, and prints which share
 * of the changes some test noticed. A change that no test can notice, because the program does the same with it, is listed
 * with its reason in `mutation/equivalent.json` and is not counted.
 *
 * All changes take hours. `-- --share 0.05 --seed 7` makes those in a share of the lines, which the seed selects;
 * `-- --folder evidence/verifier` looks at one folder. Code that runs when a module is loaded, such as tables and schemas, is
 * changed with `--static` only: a change there can be noticed by all tests of all files that load the module, so one that
 * nobody notices takes minutes. The exit code is 1 only when Stryker itself fails.
 *
 * Stryker is installed once, into `.local/`, because it would add 104 packages to those of `npm ci`.
 */

import { spawnSync } from "node:child_process";
import { existsSync, mkdirSync, readdirSync, readFileSync, writeFileSync } from "node:fs";
import { setPriority } from "node:os";
import path from "node:path";
import { parseArgs } from "node:util";
import { commandText } from "./mutation/command-text";

/** Stryker loads its own TypeScript. It uses the programming interface, which version 7 does not have. */
const PACKAGES = { "@stryker-mutator/core": "9.6.1", "@stryker-mutator/jest-runner": "9.6.1", typescript: "5.9.3" };
const PROJECT = path.resolve(__dirname, "..");
const OUTPUT = path.join(PROJECT, ".local", "mutation");
const STRYKER = path.join(PROJECT, ".local", `stryker-${PACKAGES["@stryker-mutator/core"]}`);
const SCORE_MIN_PERCENT = 85;
/** Each folder of code, with the folders and files below `__tests__/` whose tests must notice its changes. */
const TESTS_OF: Readonly<Record<string, readonly string[]>> = {
  "ledger/rules": ["ledger/rules", "schemas", "evidence/verifier/mutation-lives"],
  "ledger/files": ["ledger/files"],
  "ledger/store": ["ledger/store", "ledger/rules/(attribute-value|stored-forms)", "ledger/operations"],
  "ledger/operations": ["ledger/operations"],
  "evidence/log": ["evidence/log"],
  "evidence/sealing": ["evidence/sealing"],
  "evidence/verifier": ["evidence/verifier"],
  "stacks/config": ["stacks/config"],
};
/** They run bundles in other processes, of which Stryker sees nothing, or repeat tests in thousands of random orders. */
const LEFT_OUT = "evidence/sealing/(bundle|race)";
/** Lines that are selected together, so that changes of a whole statement are among the selected ones. */
const BLOCK_LINES = 6;
/** Beyond what the tests took in the first run, and half of that: a run that takes longer does not end, and counts as noticed. */
const TIMEOUT_MS = 20_000;
const FIRST_RUN_TIMEOUT_MINUTES = 60;
/** Low: 0 is normal and 19 the lowest. The machine stays usable for as long as this takes. */
const PRIORITY = 15;

interface Mutant {
  readonly mutatorName: string;
  readonly status: "Killed" | "Survived" | "NoCoverage" | "Timeout" | "CompileError" | "RuntimeError" | "Ignored";
  readonly replacement?: string;
  readonly location: { readonly start: { readonly line: number; readonly column: number } };
}

interface Report {
  readonly files: Readonly<Record<string, { readonly source: string; readonly mutants: readonly Mutant[] }>>;
}

/** A change that makes no difference. `code` is the line in which it is made. */
interface Equivalent {
  readonly file: string;
  readonly code: string;
  readonly replacement: string;
  readonly reason: string;
}

interface Score {
  readonly folder: string;
  readonly noticed: number;
  readonly unnoticed: readonly string[];
  readonly equivalent: number;
}

function main(): void {
  const { values } = parseArgs({
    options: {
      share: { type: "string", default: "1" },
      seed: { type: "string", default: "1" },
      folder: { type: "string", multiple: true, default: Object.keys(TESTS_OF) },
      static: { type: "boolean", default: false },
    },
  });
  const [share, seed] = [Number(values.share), Number(values.seed)];
  if (!(share > 0 && share <= 1) || !Number.isInteger(seed)) {
    throw new Error("--share takes a number above 0 and up to 1, and --seed takes a whole number.");
  }
  setPriority(PRIORITY);
  mkdirSync(OUTPUT, { recursive: true });
  installStryker();
  const scores = values.folder.map((folder) =>
    scoreOf(folder, reportOf(folder, linesOf(folder, share, seed), !values.static)),
  );
  console.log(`\nShare of the lines: ${share}, seed ${seed}. Noticed changes by folder:`);
  for (const { folder, noticed, unnoticed, equivalent } of scores) {
    const made = noticed + unnoticed.length;
    const percent = made === 0 ? 100 : (100 * noticed) / made;
    const remark = percent < SCORE_MIN_PERCENT ? `, below ${SCORE_MIN_PERCENT} %` : "";
    const left = equivalent === 0 ? "" : `, ${equivalent} equivalent`;
    console.log(`  ${folder.padEnd(18)} ${percent.toFixed(1).padStart(5)} %  ${noticed} of ${made}${left}${remark}`);
  }
  for (const each of scores.flatMap(({ unnoticed }) => unnoticed)) console.log(`  not noticed: ${each}`);
}

function installStryker(): void {
  const complete = path.join(STRYKER, "complete");
  if (existsSync(complete)) return;
  console.log(`Installing Stryker once, into ${path.relative("", STRYKER)}`);
  mkdirSync(STRYKER, { recursive: true });
  writeFileSync(path.join(STRYKER, "package.json"), JSON.stringify({ private: true, dependencies: PACKAGES }));
  const { status } = spawnSync("npm", ["install", "--no-audit", "--no-fund"], { cwd: STRYKER, stdio: "inherit" });
  if (status !== 0) throw new Error(`npm ended with ${status}. Is the package registry reachable?`);
  writeFileSync(complete, "");
}

/** What Stryker is to change: whole files, or ranges of lines. */
function linesOf(folder: string, share: number, seed: number): string[] {
  const files = readdirSync(path.join(PROJECT, folder)).filter((name) => name.endsWith(".ts"));
  if (share === 1) return files.map((name) => `${folder}/${name}`);
  const random = randomOf(seed);
  return files.flatMap((name) => {
    const lines = readFileSync(path.join(PROJECT, folder, name), "utf8").split("\n").length;
    const starts = Array.from({ length: Math.ceil(lines / BLOCK_LINES) }, (_, block) => 1 + block * BLOCK_LINES);
    return starts.filter(() => random() < share).map((line) => `${folder}/${name}:${line}-${line + BLOCK_LINES}`);
  });
}

/** Mulberry32: the same numbers for the same seed. */
function randomOf(seed: number): () => number {
  let state = seed;
  return () => {
    state = (state + 0x6d2b79f5) | 0;
    let mixed = Math.imul(state ^ (state >>> 15), 1 | state);
    mixed = (mixed + Math.imul(mixed ^ (mixed >>> 7), 61 | mixed)) ^ mixed;
    return ((mixed ^ (mixed >>> 14)) >>> 0) / 2 ** 32;
  };
}

/** @throws Error when Stryker fails: when a test fails without any change, above all. */
function reportOf(folder: string, mutate: readonly string[], ignoreStatic: boolean): Report {
  const tests = TESTS_OF[folder];
  if (tests === undefined) throw new Error(`--folder takes one of ${Object.keys(TESTS_OF).join(", ")}.`);
  const name = folder.replaceAll("/", "-");
  const fileName = path.join(OUTPUT, `${name}.json`);
  const settings = path.join(OUTPUT, `${name}.settings.json`);
  writeFileSync(settings, JSON.stringify({ ...settingsOf(mutate, tests, fileName), ignoreStatic }));
  console.log(`${folder}:`);
  const { status } = spawnSync(path.join(STRYKER, "node_modules", ".bin", "stryker"), ["run", settings], {
    cwd: PROJECT,
    stdio: "inherit",
  });
  if (status !== 0) throw new Error(`Stryker ended with ${status}. What it says above tells why.`);
  return JSON.parse(readFileSync(fileName, "utf8")) as Report;
}

function settingsOf(mutate: readonly string[], tests: readonly string[], fileName: string): object {
  return {
    mutate,
    plugins: ["@stryker-mutator/jest-runner", path.join(__dirname, "mutation", "stryker-plugins.mjs")],
    ignorers: ["prose"],
    testRunner: "jest",
    jest: {
      configFile: "tools/mutation/jest.config.js",
      config: { testRegex: tests.map((place) => `/__tests__/(?!${LEFT_OUT})${place}(/.+)?\\.test\\.ts$`) },
      enableFindRelatedTests: false,
    },
    testRunnerNodeArgs: ["--import", "tsx"],
    coverageAnalysis: "perTest",
    // The embedded AWS and the threads of the verifier already use a second core.
    concurrency: 1,
    timeoutMS: TIMEOUT_MS,
    dryRunTimeoutMinutes: FIRST_RUN_TIMEOUT_MINUTES,
    reporters: ["progress", "unnoticed", "json"],
    jsonReporter: { fileName },
    ignorePatterns: [".local", "cdktf.out", "dist"],
    disableTypeChecks: false,
    // The Python environments are large, and tests need that of the embedded AWS.
    buildCommand: commandText("ln", "-sfn", path.join(PROJECT, ".local"), ".local"),
    tempDirName: path.join(OUTPUT, "sandbox"),
    allowEmpty: true,
  };
}

function scoreOf(folder: string, { files }: Report): Score {
  const known = JSON.parse(
    readFileSync(path.join(__dirname, "mutation", "equivalent.json"), "utf8"),
  ) as readonly Equivalent[];
  let noticed = 0;
  let equivalent = 0;
  const unnoticed: string[] = [];
  for (const [file, { source, mutants }] of Object.entries(files)) {
    const lines = source.split("\n");
    for (const { status, replacement = "", mutatorName, location } of mutants) {
      if (status === "Killed" || status === "Timeout") noticed += 1;
      if (status !== "Survived" && status !== "NoCoverage") continue;
      const code = (lines[location.start.line - 1] ?? "").trim();
      const isKnown = known.some(
        (each) => each.file === file && each.code === code && each.replacement === replacement,
      );
      if (isKnown) equivalent += 1;
      else
        unnoticed.push(
          `${file}:${location.start.line}:${location.start.column} ${mutatorName}: ${code}  ->  ${replacement}`,
        );
    }
  }
  return { folder, noticed, unnoticed, equivalent };
}

try {
  main();
} catch (error) {
  console.error(error instanceof Error ? error.message : error);
  process.exitCode = 1;
}
