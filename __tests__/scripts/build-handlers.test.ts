import { cpSync, mkdirSync, mkdtempSync, readFileSync, rmSync, symlinkSync, utimesSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join, resolve } from "node:path";
import { FUNCTIONS } from "../../contract";
import { buildHandlers, HandlerBuildError, hashDirectory } from "../../scripts/build-handlers";

const PROJECT = resolve(__dirname, "..", "..");
const ENTRIES = Object.values(FUNCTIONS).map(({ entry }) => entry);
const RUN_TIME = [
  ...["backup", "files", "handlers", "ledger", "log", "log-check", "operations", "sealing", "store", "verifier"],
  ...["contract.ts", "tsconfig.json"],
];

const folders: string[] = [];
afterAll(() => {
  for (const folder of folders) {
    rmSync(folder, { recursive: true });
  }
});

function temporaryFolder(): string {
  const folder = mkdtempSync(join(tmpdir(), "payment-ledger-build-"));
  folders.push(folder);
  return folder;
}

/** A checkout elsewhere: the same sources with other times, and packages behind a link. */
function checkout(depth: string): string {
  const folder = join(temporaryFolder(), depth);
  mkdirSync(folder, { recursive: true });
  for (const part of RUN_TIME) {
    cpSync(join(PROJECT, part), join(folder, part), { recursive: true });
  }
  symlinkSync(join(PROJECT, "node_modules"), join(folder, "node_modules"));
  utimesSync(join(folder, "contract.ts"), new Date(0), new Date(0));
  return folder;
}

test("two checkouts give the same bytes, which name no place", () => {
  const projects = [checkout("here"), checkout("some/where/else")];
  const [one, other] = projects.map((project) => buildHandlers({ project }));
  for (const entry of ENTRIES) {
    const [first, second] = [one?.(entry), other?.(entry)];
    expect(first?.sha256).toBe(second?.sha256);
    const code = readFileSync(join(first?.directory ?? "", "index.js"), "utf8");
    expect(code).toContain("handler");
    expect([...projects, PROJECT, tmpdir()].filter((place) => code.includes(place))).toEqual([]);
  }
});

test("a function without its entry file is refused by name", () => {
  const project = temporaryFolder();
  expect(() => buildHandlers({ project, entries: ["persist-payment-ledger"] })).toThrow(HandlerBuildError);
  expect(() => buildHandlers({ project, entries: ["persist-payment-ledger"] })).toThrow(
    /^handlers\/persist-payment-ledger\.ts does not exist\.\n {2}Rule: .+\n {2}Remedy: .+$/,
  );
});

test("the hash is of names and bytes, not of times", () => {
  const folder = temporaryFolder();
  const hashWith = (name: string, text: string) => {
    const directory = mkdtempSync(join(folder, "x"));
    writeFileSync(join(directory, name), text);
    utimesSync(join(directory, name), Math.random() * 1e9, 0);
    return hashDirectory(directory);
  };
  expect(hashWith("a.js", "1")).toBe(hashWith("a.js", "1"));
  expect(new Set([hashWith("a.js", "1"), hashWith("b.js", "1"), hashWith("a.js", "2")]).size).toBe(3);
});
