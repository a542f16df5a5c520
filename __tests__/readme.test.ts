/** The README's first screen, typed as it stands, against the embedded AWS: from a clone to the first own payment and its audit. */

import { spawnSync } from "node:child_process";
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { textOf } from "./support/documents";
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

test("each line does what the README says, and no line is left out", () => {
  expect(LINES.map((line, position) => line.startsWith(EXPECTED[position]?.[0] ?? "?"))).toEqual(LINES.map(() => true));
  expect(LINES).toHaveLength(EXPECTED.length);
  for (const [position, line] of LINES.entries()) {
    const [, code, says] = EXPECTED[position] ?? ["", 0, /x/];
    const ended = type(line);
    expect({ line, ...ended }).toMatchObject({ line, code, out: expect.stringMatching(says) });
    expect(ended.err).not.toMatch(/^\s+at |token|tok_5f2c9a/m);
  }
}, 600_000);
