/**
 * Measures how easy the code is to live in, `npm run measure:house`: lines by room, names that two files export, functions
 * and parameter lists that are too long, and the test files that need an emulator. Fails where a count that must be 0 is not.
 */

import { availableParallelism } from "node:os";
import { posix } from "node:path";
import ts from "@typescript/typescript6";
import { longFunctions, tooManyParameters } from "../__tests__/support/code-rules";
import { OWN_EMBEDDED_AWS } from "../__tests__/support/emulator-rule";
import { sharedNames } from "../__tests__/support/exported-names";
import {
  imports,
  isCode,
  isTest,
  nodes,
  projectFiles,
  type SourceFile,
  usedName,
} from "../__tests__/support/project-files";

const FILES = projectFiles().filter(({ path }) => path.endsWith(".ts"));
const CODE = FILES.filter((file) => isCode(file) && !isTest(file));
const TEST_FILES = FILES.filter(({ path }) => path.endsWith(".test.ts"));
const STARTS = new Set(["startEmbeddedAws", "sharedEmbeddedAws"]);

function roomOf({ path }: SourceFile): string {
  return path.includes("/") ? (path.split("/")[0] ?? "") : "(top)";
}

function linesOf({ text }: SourceFile): number {
  return text.split("\n").length - 1;
}

function row(name: string, ...figures: readonly (string | number)[]): string {
  return name.padEnd(14) + figures.map((figure) => String(figure).padStart(8)).join("");
}

function roomTable(): string {
  const rooms = [...new Set(FILES.map(roomOf))].sort();
  const rows = rooms.map((room) => {
    const files = FILES.filter((file) => roomOf(file) === room);
    return row(
      room,
      files.length,
      files.reduce((sum, file) => sum + linesOf(file), 0),
    );
  });
  return [row("room", "files", "lines"), ...rows].join("\n");
}

/** Whether the file, or test code that it imports, uses an embedded AWS. */
function usesEmulator(file: SourceFile, seen = new Set<string>()): boolean {
  if (seen.has(file.path)) return false;
  seen.add(file.path);
  if (callsOf(file).some((name) => STARTS.has(name))) return true;
  const support: SourceFile[] = [];
  imports(file, (module) => {
    const path = `${posix.join(posix.dirname(file.path), module)}.ts`;
    const imported = FILES.find((each) => each.path === path);
    if (imported !== undefined && isTest(imported)) support.push(imported);
    return undefined;
  });
  return support.some((each) => usesEmulator(each, seen));
}

function callsOf(file: SourceFile): string[] {
  const names: string[] = [];
  nodes(file, (node) => {
    if (ts.isCallExpression(node)) names.push(usedName(node) ?? "");
    return undefined;
  });
  return names;
}

/** Those that a worker starts once are counted by the workers of `jest.config.js`. */
function ownStarts(): number {
  const own = FILES.filter(({ path }) => OWN_EMBEDDED_AWS[path] !== undefined && !path.includes("/support/"));
  return own.flatMap(callsOf).filter((name) => name === "startEmbeddedAws").length;
}

const faults = [...sharedNames(FILES), ...CODE.flatMap(longFunctions), ...FILES.flatMap(tooManyParameters)];
const emulated = TEST_FILES.filter((file) => usesEmulator(file)).length;

console.log(`${roomTable()}

exported names that occur twice   ${sharedNames(FILES).length}
functions over 60 lines           ${CODE.flatMap(longFunctions).length}
functions over 5 parameters       ${FILES.flatMap(tooManyParameters).length}
test files                        ${TEST_FILES.length}
  that use an embedded AWS        ${emulated}
emulators started by npm test     at most ${availableParallelism() + 1 + ownStarts()}: one for each worker, and ${ownStarts()} calls of tests about starting`);
for (const fault of faults) console.log(fault);
process.exitCode = faults.length === 0 ? 0 : 1;
