/** Collects what an auditor needs to check the evidence: the verifier as one file, and how to use it. */

import { createHash } from "node:crypto";
import { copyFileSync, mkdirSync, readdirSync, readFileSync } from "node:fs";
import { join, resolve } from "node:path";
import type { AuditorKit } from "../stacks/constructs/auditor-kit";
import { VERIFIER_FILE, verifierFolder } from "./build-verifier";
import { NOTICES_FILE } from "./licences/notices";

const PROJECT = resolve(__dirname, "..");
const DIRECTORY = join(PROJECT, "dist", "auditor-kit");

/** The same source gives the same files, so their hash names the version of the kit. */
export function buildAuditorKit(directory: string = DIRECTORY): AuditorKit {
  mkdirSync(directory, { recursive: true });
  const verifier = verifierFolder();
  for (const name of [VERIFIER_FILE, NOTICES_FILE]) copyFileSync(join(verifier, name), join(directory, name));
  copyFileSync(join(PROJECT, "docs", "auditor-kit.md"), join(directory, "README.md"));
  copyFileSync(join(PROJECT, "LICENSE"), join(directory, "LICENSE"));
  const hash = createHash("sha256");
  for (const name of readdirSync(directory).sort()) {
    const bytes = readFileSync(join(directory, name));
    hash.update(`${name}\0${bytes.length}\0`).update(bytes);
  }
  return { directory, sha256: hash.digest("hex") };
}

/** `payledger kit` runs it with the folder. */
if (require.main === module) buildAuditorKit(resolve(process.argv[2] ?? DIRECTORY));
