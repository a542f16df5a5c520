import { chmodSync, mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { copyProviderLocks, lockCommand } from "../../tools/provider-locks";
import { runScript } from "../support/run-script";

const folder = mkdtempSync(join(tmpdir(), "payment-ledger-locks-test-"));
afterAll(() => rmSync(folder, { recursive: true }));

test("the registry is asked for every platform, or for those that the caller names", () => {
  const four = ["-platform=linux_amd64", "-platform=linux_arm64", "-platform=darwin_amd64", "-platform=darwin_arm64"];
  expect(lockCommand("out", [])).toEqual(["-chdir=out", "providers", "lock", ...four]);
  const named = ["-platform=linux_amd64", "-fs-mirror=mirror"];
  expect(lockCommand("out", named)).toEqual(["-chdir=out", "providers", "lock", ...named]);
});

test("a registry that cannot be reached is one message", async () => {
  const terraform = join(folder, "terraform");
  writeFileSync(terraform, "#!/bin/sh\nexit 1\n");
  chmodSync(terraform, 0o755);
  const { code, err } = await runScript("tools/provider-locks.ts", [], { PATH: folder });
  expect(code).toBe(1);
  expect(err).toContain("They need Terraform 1.10 or newer on the path");
  expect(err).not.toMatch(/^ +at /m);
});

test("a synth copies the lock file of each stack that has one", () => {
  const outdir = join(folder, "out");
  for (const stack of ["data", "other"]) mkdirSync(join(outdir, "stacks", stack), { recursive: true });
  const locks = join(folder, "locks");
  mkdirSync(locks);
  writeFileSync(join(locks, "data.terraform.lock.hcl"), "# checksums\n");
  copyProviderLocks(outdir, locks);
  expect(readFileSync(join(outdir, "stacks", "data", ".terraform.lock.hcl"), "utf8")).toBe("# checksums\n");
  expect(() => readFileSync(join(outdir, "stacks", "other", ".terraform.lock.hcl"))).toThrow("ENOENT");
});
