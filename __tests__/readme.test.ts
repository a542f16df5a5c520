/**
 * The README's first screen, typed literally, against the embedded AWS: from a clone to the first own payment and its audit.
 * Beside it, what else a stranger runs against such an embedded AWS: the client package and the example for Python.
 */

import { spawnSync } from "node:child_process";
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { ensureVenv } from "../local/python";
import { textOf } from "./support/documents";
import { installPackedClient } from "./support/packed-client";
import { PROJECT } from "./support/project-files";

const SECTION = textOf("README.md").split("## Try it, without an AWS account")[1]?.split("\n## ")[0] ?? "";
const [, ownPayment = ""] = [...SECTION.matchAll(/^```sh\n([\s\S]*?)^```$/gm)].map(([, block = ""]) => block);
const LINES = ownPayment.trimEnd().split("\n");

const folder = mkdtempSync(join(tmpdir(), "payledger-readme-"));
afterAll(() => {
  type("npx payledger down");
  rmSync(folder, { recursive: true, force: true });
});

/** A shell with nothing of the caller's settings; `npx payledger` is this clone's program, as npx finds it. */
function type(line: string): { code: number | null; out: string; err: string } {
  const bin = join(folder, "bin");
  mkdirSync(bin, { recursive: true });
  const npx = `#!/bin/sh\n[ "$1" = payledger ] || exit 127\nshift\nexec node "${PROJECT}/cli/launch.cjs" "$@"\n`;
  writeFileSync(join(bin, "npx"), npx, { mode: 0o755 });
  const env = {
    PATH: [bin, join(process.execPath, ".."), "/usr/bin", "/bin"].join(":"),
    HOME: folder,
    PAYLEDGER_STATE: join(folder, "state"),
    CDKTF_OUTDIR: join(folder, "cdktf.out"),
  };
  const { status, stdout, stderr } = spawnSync("bash", ["-c", line], { cwd: folder, env, encoding: "utf8" });
  return { code: status, out: stdout, err: stderr };
}

/** What each line must end with and say, in the README's order. */
const EXPECTED: readonly (readonly [begins: string, code: number, says: RegExp])[] = [
  ["npx payledger up", 0, /with \d+ resources[\s\S]*It is an emulator/],
  ["npx payledger pay", 0, /^txn-0001: stored/],
  ["npx payledger read", 0, /txn-0001 +10\.50 +EUR +Success/],
  ["npx payledger trail", 0, /WRITE +checkout +txn-0001 +stored[\s\S]*READ +support:maria +txn-0001 +returned/],
  ["npx payledger key", 0, /SHA-256 [0-9a-f]{64}/],
  ["npx payledger audit --first-visit", 0, /^TAIL-NOT-PINNED[\s\S]*First visit/],
  ["npx payledger tamper", 0, /was changed in the table/],
  ["npx payledger audit", 10, /^ALTERED[\s\S]*RECORD_CHANGED PaymentLedger txn-0001/],
  ["npx payledger down", 0, /is gone/],
];

/** Types the lines, each once, and compares what they end with and say. */
function typeLines(lines: readonly string[], expected: readonly (readonly [string, number, RegExp])[]): void {
  for (const [position, line] of lines.entries()) {
    const [, code, says] = expected[position] ?? ["", 0, /x/];
    const ended = type(line);
    expect({ line, ...ended }).toMatchObject({ line, code, out: expect.stringMatching(says) });
    expect(ended.err).not.toMatch(/^\s+at |token|tok_5f2c9a/m);
  }
}

test("each line does what the README says, and no line is left out", () => {
  expect(LINES.map((line, position) => line.startsWith(EXPECTED[position]?.[0] ?? "?"))).toEqual(LINES.map(() => true));
  expect(LINES).toHaveLength(EXPECTED.length);
  typeLines(LINES.slice(0, -1), EXPECTED);
}, 600_000);

/** What both sample programs print: the same payment again is a duplicate, another one under its id a conflict, no amount refused. */
const SAMPLE_PRINTS = [
  /^first: stored, audit record W~/,
  /^again: duplicate/,
  /^other amount: conflict: .* it differs in Amount$/,
  /^no amount: refused: INVALID_AMOUNT: /,
];

function expectLines(program: { code: number | null; out: string; err: string }, lines: readonly RegExp[]): void {
  expect(program).toMatchObject({ code: 0, err: "" });
  const printed = program.out.trimEnd().split("\n");
  expect(printed).toEqual(lines.map((line) => expect.stringMatching(line)));
}

test("the packed client: installed into an empty project it type-checks and handles every answer", () => {
  const { files, program, faults } = installPackedClient(join(folder, "shop"));
  expect(faults).toEqual([]);
  const kinds = new Set(files.map((file) => file.replace(/^dist\/types\/.*\.d\.ts$/, "declarations")));
  expect([...kinds].sort()).toEqual(["README.md", "declarations", "dist/LICENSE", "dist/index.js", "package.json"]);
  expectLines(type(`eval "$(npx payledger env --as payment-service)" && node --no-warnings ${program} dev`), [
    ...SAMPLE_PRINTS,
    /^read: 25\.00 EUR Success$/,
    /^unknown: notFound$/,
    /^refund: stored 5\.00$/,
  ]);
}, 180_000);

test("the example for Python handles every answer", async () => {
  const { python } = await ensureVenv({
    name: "emulator",
    requirementsFile: join(PROJECT, "local", "requirements.txt"),
  });
  const program = join(PROJECT, "samples", "clients", "payments.py");
  expectLines(type(`eval "$(npx payledger env --as payment-service)" && ${python} ${program} dev`), [
    ...SAMPLE_PRINTS,
    /^read: 80\.00 USD Success$/,
    /^refund: stored 5\.00$/,
  ]);
});

test("show draws the life of the payment that a sample refunded", () => {
  const shown = type("npx payledger show invoice-2001 --json");
  expect(shown).toMatchObject({ code: 0, err: "" });
  expect(JSON.parse(shown.out)).toMatchObject({
    life: { State: { Captured: "80.00", RefundHeld: "5.00" }, openHolds: [{ EventID: "refund-2001" }] },
  });
  expect(type("npx payledger show invoice-2001").out).toMatch(
    /^Life\n.*\n1 +REFUND_HELD \(grant\) +5\.00 USD.*open hold$/m,
  );
});

test("the last line ends it", () => typeLines(LINES.slice(-1), EXPECTED.slice(-1)));
