/**
 * Terraform's dependency lock files, one for each stack, in `stacks/provider-locks/`. They hold the checksums of the provider
 * packages, so that `terraform init` refuses any other bytes. `npm run provider-locks` makes them: it asks the provider's
 * registry, for each platform on which people or runners plan and apply. A synth copies those that exist into the stacks'
 * folders, which is where Terraform looks.
 */

import { execFileSync } from "node:child_process";
import { copyFileSync, existsSync, mkdirSync, mkdtempSync, readdirSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join, resolve } from "node:path";
import { buildApp } from "../stacks/build-app";
import { loadConfig } from "../stacks/config/load";
import { buildArtifacts } from "./build-artifacts";

const LOCK_FILE = ".terraform.lock.hcl";
export const PROVIDER_LOCKS = resolve(__dirname, "..", "stacks", "provider-locks");
export const PLATFORMS = ["linux_amd64", "linux_arm64", "darwin_amd64", "darwin_arm64"] as const;

/** Copies each stack's lock file into its folder under `outdir`. A stack without one is left to `terraform init`. */
export function copyProviderLocks(outdir: string, locks: string = PROVIDER_LOCKS): void {
  for (const stack of readdirSync(join(outdir, "stacks"))) {
    const lock = join(locks, `${stack}${LOCK_FILE}`);
    if (existsSync(lock)) copyFileSync(lock, join(outdir, "stacks", stack, LOCK_FILE));
  }
}

/**
 * Words of the command that makes a stack's lock file. Platforms that the caller names take the place of the four, because
 * Terraform would lock all of them together.
 */
export function lockCommand(folder: string, options: readonly string[]): string[] {
  const platforms = options.some((option) => option.startsWith("-platform=")) ? [] : PLATFORMS;
  return [`-chdir=${folder}`, "providers", "lock", ...platforms.map((platform) => `-platform=${platform}`), ...options];
}

/**
 * Has Terraform write the lock files anew.
 * @param options further options of `terraform providers lock`, such as `-fs-mirror=FOLDER`.
 */
export function writeProviderLocks(options: readonly string[], locks: string = PROVIDER_LOCKS): string[] {
  const outdir = mkdtempSync(join(tmpdir(), "payment-ledger-locks-"));
  try {
    buildApp(loadConfig({}), buildArtifacts(), outdir).synth();
    mkdirSync(locks, { recursive: true });
    return readdirSync(join(outdir, "stacks")).map((stack) => {
      const folder = join(outdir, "stacks", stack);
      execFileSync("terraform", lockCommand(folder, options), { stdio: ["ignore", "inherit", "inherit"] });
      const lock = join(locks, `${stack}${LOCK_FILE}`);
      copyFileSync(join(folder, LOCK_FILE), lock);
      return lock;
    });
  } finally {
    rmSync(outdir, { recursive: true });
  }
}

if (require.main === module) {
  try {
    for (const lock of writeProviderLocks(process.argv.slice(2))) console.log(lock);
  } catch (error) {
    console.error(`The lock files could not be made: ${error instanceof Error ? error.message : error}`);
    console.error("They need Terraform 1.10 or newer on the path, and its provider registry within reach.");
    process.exitCode = 1;
  }
}
