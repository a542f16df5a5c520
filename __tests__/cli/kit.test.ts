/** The auditor's kit: its files, its example with the verifier alone, its checksums, its fingerprint. */

import { execFileSync } from "node:child_process";
import { mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { payledger } from "../support/run-in-process";

const folder = mkdtempSync(join(tmpdir(), "payledger-kit-"));
afterAll(() => rmSync(folder, { recursive: true, force: true }));
const kit = join(folder, "kit");
const read = (...names: string[]) => readFileSync(join(kit, ...names), "utf8");
const run = (words: readonly string[], cwd = join(kit, "example")) =>
  execFileSync(process.execPath, words, { cwd, env: {}, encoding: "utf8", stdio: "pipe" });
const PROVE = [
  "../evidence.js",
  "verify-proof",
  "payment.tlog-proof",
  "--record",
  "payment.record",
  "--key",
  "log.vkey",
];

test("it has the verifier, the key, the policy and an example, and nothing else", async () => {
  const ended = await payledger(["kit", "--to", kit, "--key", "samples/proof/log.vkey"], {});
  expect(ended).toMatchObject({ code: 0, err: "" });
  expect(readdirSync(kit).sort()).toEqual(
    [
      "LICENSE",
      "README.md",
      "SHA256SUMS",
      "THIRD-PARTY-NOTICES.txt",
      "evidence.js",
      "example",
      "fingerprints.txt",
      "log.pem",
      "log.vkey",
      "policy.txt",
    ].sort(),
  );
  const [fingerprint = ""] = read("fingerprints.txt").split(" ");
  expect(ended.out).toContain(fingerprint);
  expect(read("policy.txt")).toMatch(/^log payment-ledger\/\S+\nquorum none\n$/m);
});

test("the example gives the expected output with Node.js alone, and another one after a changed byte", () => {
  expect(run(PROVE)).toBe(read("example", "expected.txt"));
  const record = read("example", "payment.record");
  writeFileSync(join(kit, "example", "payment.record"), record.replace('"WRITE"', '"WRITF"'));
  expect(() => run(PROVE)).toThrow(/Command failed/);
  writeFileSync(join(kit, "example", "payment.record"), record);
});

test("the checksums and the fingerprint are what other tools compute", () => {
  expect(execFileSync("sha256sum", ["--check", "--quiet", "SHA256SUMS"], { cwd: kit, encoding: "utf8" })).toBe("");
  const [, fingerprint = "", command = ""] = /^([0-9a-f]{64}) {2}(.*)$/m.exec(read("fingerprints.txt")) ?? [];
  expect(execFileSync("sh", ["-c", command], { cwd: kit, encoding: "utf8" })).toContain(fingerprint);
});

test("a folder that holds something is left alone", async () => {
  const again = await payledger(["kit", "--to", kit, "--key", "samples/proof/log.vkey"], {});
  expect(again).toMatchObject({ code: 2, out: "", err: expect.stringContaining("holds something already") });
});
