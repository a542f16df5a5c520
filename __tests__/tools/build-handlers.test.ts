import { execFileSync } from "node:child_process";
import { createHash } from "node:crypto";
import {
  cpSync,
  mkdirSync,
  mkdtempSync,
  readFileSync,
  rmSync,
  statSync,
  symlinkSync,
  utimesSync,
  writeFileSync,
} from "node:fs";
import { tmpdir } from "node:os";
import { dirname, join, resolve } from "node:path";
import { strFromU8, unzipSync } from "fflate";
import { FUNCTIONS } from "../../contract";
import { buildHandlers, HandlerBuildError } from "../../tools/build-handlers";
import { ALLOWED_LICENCES, bundledPackages, NOTICES_FILE } from "../../tools/licences/notices";

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
function buildIn(
  project: string,
  entries: readonly string[] = ENTRIES,
): { sha256: string; code: string; notices: string; zip: string }[] {
  const built = buildHandlers({ project, entries });
  return entries.map(built).map(({ zip, sha256 }) => {
    const files = unzipSync(readFileSync(zip));
    expect(Object.keys(files)).toEqual(["index.js", NOTICES_FILE]);
    expect(createHash("sha256").update(readFileSync(zip)).digest("hex")).toBe(sha256);
    const [code = "", notices = ""] = Object.values(files).map((bytes) => strFromU8(bytes));
    return { sha256, code, notices, zip };
  });
}

test("two checkouts give the same bytes, which name no place", () => {
  const elsewhere = checkout("some/where/else");
  const here = buildIn(PROJECT);
  // The first and the last entry of the list, and one with much of S3: the others are bundled by the same call.
  const some = [ENTRIES[0], "drill-restore", ENTRIES.at(-1)] as (typeof ENTRIES)[number][];
  const hashes = some.map((entry) => here[ENTRIES.indexOf(entry)]?.sha256);
  expect(buildIn(elsewhere, some).map(({ sha256 }) => sha256)).toEqual(hashes);
  for (const { code } of here) {
    expect(code).toContain("handler");
    expect([PROJECT, elsewhere, tmpdir()].filter((place) => code.includes(place))).toEqual([]);
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

test("every bundled package is named in the notices beside the bundle, with an allowed licence and its text", () => {
  for (const { notices, code } of buildIn(PROJECT)) {
    const [, ...parts] = notices.split(`\n${"-".repeat(80)}\n`);
    const named = parts.flatMap((part) =>
      [...part.matchAll(/^(\S+) [0-9.]+ \(([^)]+)\)$/gm)].map(([, name, licence]) => ({ name, licence })),
    );
    const names = named.map(({ name }) => name);
    expect(names).toEqual(
      expect.arrayContaining(["@smithy/core", "@aws-sdk/client-dynamodb", "@aws-lambda-powertools/logger", "zod"]),
    );
    expect(names.includes("csv-parse")).toBe(code.includes("CSV_QUOTE_NOT_CLOSED"));
    expect(named.filter(({ licence = "" }) => !ALLOWED_LICENCES.includes(licence))).toEqual([]);
    for (const part of parts) expect(part).toMatch(/permission is hereby granted|TERMS AND CONDITIONS FOR USE/i);
    // Each text is there once: a text for each package would be four times as much.
    expect(notices.length).toBeLessThan(80_000);
  }
});

describe("a package whose licence nobody has allowed stops the build", () => {
  const bundledFrom = (manifest: object, files: Readonly<Record<string, string>>) => {
    const project = temporaryFolder();
    const folder = join(project, "node_modules", "gold");
    mkdirSync(folder, { recursive: true });
    for (const [name, text] of Object.entries({ "package.json": JSON.stringify(manifest), ...files })) {
      writeFileSync(join(folder, name), text);
    }
    const output = {
      bytes: 1,
      imports: [],
      exports: [],
      inputs: { "node_modules/gold/index.js": { bytesInOutput: 1 } },
    };
    return () => bundledPackages(output, project);
  };
  const gold = { name: "gold", version: "1.0.0" };

  test.each([
    ["another licence", { ...gold, license: "GPL-3.0-only" }, { LICENSE: "..." }, "LICENCE_NOT_ALLOWED"],
    ["no licence", gold, { LICENSE: "..." }, "LICENCE_NOT_ALLOWED"],
    ["no text", { ...gold, license: "MIT" }, {}, "LICENCE_TEXT_MISSING"],
  ])("%s", (_what, manifest, files, code) => {
    expect(bundledFrom(manifest, files)).toThrow(expect.objectContaining({ code }));
  });

  test("but its text and its notice are taken as they are", () => {
    const bundled = bundledFrom({ ...gold, license: "Apache-2.0" }, { LICENSE: "the terms\n", NOTICE: "by gold\r\n" });
    expect(bundled()).toEqual([{ ...gold, licence: "Apache-2.0", text: "the terms\n\nby gold" }]);
  });
});

test.each(["Pacific/Kiritimati", "America/Los_Angeles"])("a zip file made in %s is the same", (zone) => {
  const project = checkout("here");
  const entry = "query-transactions";
  const script = `const { buildHandlers } = require("./tools/build-handlers");
    console.log(buildHandlers({ entries: ["${entry}"] })("${entry}").sha256);`;
  for (const part of ["build-handlers.ts", "bundle-record.ts", "licences"]) {
    cpSync(join(PROJECT, "tools", part), join(project, "tools", part), { recursive: true });
  }
  const printed = execFileSync(process.execPath, ["--import", "tsx", "-e", script], {
    cwd: project,
    env: { ...process.env, TZ: zone },
    encoding: "utf8",
  });
  expect(printed.trim()).toBe(buildHandlers()(entry).sha256);
});

describe("bundles that exist", () => {
  const entries = ["tiny"];
  let project = "";
  const write = (path: string, text: string) => {
    mkdirSync(dirname(join(project, path)), { recursive: true });
    writeFileSync(join(project, path), text);
  };
  const manifest = (main: string) => JSON.stringify({ name: "pkg", version: "1.0.0", license: "MIT", main });
  const build = () => buildHandlers({ project, entries })("tiny");
  const codeOf = ({ zip }: { zip: string }) => strFromU8(unzipSync(readFileSync(zip))["index.js"] as Uint8Array);

  beforeEach(() => {
    project = temporaryFolder();
    write(
      "handlers/tiny.ts",
      'import { rule } from "../ledger/rule"; import name from "pkg"; console.log(rule, name);',
    );
    write("ledger/rule.ts", 'export const rule = "first rule";');
    write("node_modules/pkg/index.js", 'export default "first package";');
    write("node_modules/pkg/package.json", manifest("index.js"));
    write("node_modules/pkg/LICENSE", "the terms");
    write("node_modules/.package-lock.json", "{}");
  });

  test("are taken as they are while nothing changes", () => {
    const first = build();
    const { ino } = statSync(first.zip);
    expect(build()).toEqual(first);
    expect(statSync(first.zip).ino).toBe(ino);
  });

  test.each<[string, () => void, string]>([
    ["a file of the project", () => write("ledger/rule.ts", 'export const rule = "second rule";'), "second rule"],
    ["a file of a package", () => write("node_modules/pkg/index.js", 'export default "other";'), "other"],
    [
      "a new file that takes the place of another",
      () => write("ledger/rule.tsx", 'export const rule = "new rule";'),
      "new rule",
    ],
    ["a new file with the name of a folder", () => write("ledger.ts", ""), "first rule"],
    [
      "what npm installed",
      () => {
        write("node_modules/.package-lock.json", '{"packages":{}}');
        write("node_modules/pkg/package.json", manifest("moved.js"));
        write("node_modules/pkg/moved.js", 'export default "moved";');
      },
      "moved",
    ],
    ["a zip file", () => write("dist/handlers/tiny.zip", "cut"), "first rule"],
    ["a zip file, which is removed,", () => rmSync(join(project, "dist/handlers/tiny.zip")), "first rule"],
    ["package.json", () => write("package.json", '{"sideEffects":false}'), "first rule"],
    ["the record", () => write("dist/handlers/made-from.json", "{"), "first rule"],
  ])("are built again after a change of %s", (_, change, expected) => {
    build();
    change();
    const { ino } = statSync(join(project, "dist/handlers/made-from.json"));
    expect(codeOf(build())).toContain(expected);
    expect(statSync(join(project, "dist/handlers/made-from.json")).ino).not.toBe(ino);
  });

  test("are taken beside a new file of another name", () => {
    const { ino } = statSync(build().zip);
    write("ledger/other.ts", "");
    write("cdktf.out/manifest.json", "{}");
    expect(statSync(build().zip).ino).toBe(ino);
  });

  test("are built each time where it is unknown what npm installed", () => {
    rmSync(join(project, "node_modules/.package-lock.json"));
    const { ino } = statSync(build().zip);
    expect(statSync(build().zip).ino).not.toBe(ino);
  });
});

test("a function without its entry file is refused by name", () => {
  const project = temporaryFolder();
  expect(() => buildHandlers({ project, entries: ["persist-payment-ledger"] })).toThrow(HandlerBuildError);
  expect(() => buildHandlers({ project, entries: ["persist-payment-ledger"] })).toThrow(
    /^handlers\/persist-payment-ledger\.ts does not exist\.\n {2}Rule: .+\n {2}Remedy: .+$/,
  );
});
