/** The kit that a deployment puts into the evidence bucket, as it is built. */

import { spawnSync } from "node:child_process";
import { mkdtempSync, readdirSync, readFileSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { buildAuditorKit } from "../../tools/build-auditor-kit";

const folder = mkdtempSync(join(tmpdir(), "payment-ledger-kit-"));
afterAll(() => rmSync(folder, { recursive: true }));
const [one, other] = ["one", "other"].map((name) => buildAuditorKit(join(folder, name)));

test("two builds have the same files and the same bytes", () => {
  expect(one?.sha256).toBe(other?.sha256);
  const files = ["LICENSE", "README.md", "THIRD-PARTY-NOTICES.txt", "evidence.js"];
  expect(readdirSync(one?.directory ?? "").sort()).toEqual(files);
});

test("its verifier needs no other file, and its README says how to compare the verifier's fingerprint", () => {
  const { status, stdout, stderr } = spawnSync(
    process.execPath,
    [join(one?.directory ?? "", "evidence.js"), "verify", "--help"],
    { cwd: folder, encoding: "utf8" },
  );
  expect([status, stderr]).toEqual([0, ""]);
  expect(stdout).toContain("verify --evidence DIR");
  expect(readFileSync(join(one?.directory ?? "", "README.md"), "utf8")).toContain("sha256sum evidence.js");
});
