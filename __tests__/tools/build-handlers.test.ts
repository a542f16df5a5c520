import { execFileSync } from "node:child_process";
import { createHash } from "node:crypto";
import { cpSync, mkdirSync, mkdtempSync, readFileSync, rmSync, symlinkSync, utimesSync } from "node:fs";
import { tmpdir } from "node:os";
import { join, resolve } from "node:path";
import { strFromU8, unzipSync } from "fflate";
import { FUNCTIONS } from "../../contract";
import { buildHandlers, HandlerBuildError } from "../../tools/build-handlers";

const PROJECT = resolve(__dirname, "..", "..");
const ENTRIES = Object.values(FUNCTIONS).map(({ entry }) => entry);
const RUN_TIME = ["handlers", "ledger", "evidence", "backup", "contract.ts", "tsconfig.json"];

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

/** What a build in this time zone gives, by entry: the hash of each zip file and the code in it. */
function buildIn(project: string): { sha256: string; code: string; zip: string }[] {
  const built = buildHandlers({ project });
  return ENTRIES.map(built).map(({ zip, sha256 }) => {
    const files = unzipSync(readFileSync(zip));
    expect(Object.keys(files)).toEqual(["index.js"]);
    expect(createHash("sha256").update(readFileSync(zip)).digest("hex")).toBe(sha256);
    return { sha256, code: strFromU8(files["index.js"] as Uint8Array), zip };
  });
}

test("two checkouts give the same bytes, which name no place", () => {
  const projects = [checkout("here"), checkout("some/where/else")];
  const [one, other] = projects.map(buildIn);
  expect(one?.map(({ sha256 }) => sha256)).toEqual(other?.map(({ sha256 }) => sha256));
  for (const { code } of one ?? []) {
    expect(code).toContain("handler");
    expect([...projects, PROJECT, tmpdir()].filter((place) => code.includes(place))).toEqual([]);
  }
});

test("a bundle holds no part of a package that no function uses", () => {
  const built = buildIn(PROJECT);
  for (const { code } of built) {
    expect(code).toContain("NO_CREDENTIALS");
    // The SDK's other sources of credentials, its streams of events, and the languages of zod's messages.
    for (const unused of ["AssumeRoleWithWebIdentity", ":event-type", "Ungültige Eingabe"]) {
      expect(code.includes(unused) ? unused : "").toBe("");
    }
  }
  const bytesOf = (entry: (typeof ENTRIES)[number]) => built[ENTRIES.indexOf(entry)]?.code.length ?? Number.NaN;
  expect(bytesOf("persist-payment-ledger")).toBeLessThan(650_000);
  // Of every operation of S3, the SDK keeps the description: 105 KB.
  expect(bytesOf("drill-restore")).toBeLessThan(1_000_000);
});

test.each(["Pacific/Kiritimati", "America/Los_Angeles"])("a zip file made in %s is the same", (zone) => {
  const project = checkout("here");
  const script =
    'const { buildHandlers } = require("./tools/build-handlers"); console.log(buildHandlers()("query-transactions").sha256);';
  cpSync(join(PROJECT, "tools", "build-handlers.ts"), join(project, "tools", "build-handlers.ts"), {
    recursive: true,
  });
  const printed = execFileSync(process.execPath, ["--import", "tsx", "-e", script], {
    cwd: project,
    env: { ...process.env, TZ: zone },
    encoding: "utf8",
  });
  expect(printed.trim()).toBe(buildHandlers({ project })("query-transactions").sha256);
});

test("a function without its entry file is refused by name", () => {
  const project = temporaryFolder();
  expect(() => buildHandlers({ project, entries: ["persist-payment-ledger"] })).toThrow(HandlerBuildError);
  expect(() => buildHandlers({ project, entries: ["persist-payment-ledger"] })).toThrow(
    /^handlers\/persist-payment-ledger\.ts does not exist\.\n {2}Rule: .+\n {2}Remedy: .+$/,
  );
});
