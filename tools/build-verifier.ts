/**
 * `npm run build:verifier`: bundles the offline evidence commands into `dist/evidence.js`, one file that needs nothing but
 * Node.js, and writes the licences of the packages in it beside it. Auditors get it separately from the evidence, with the verifier keys.
 */

import { createHash } from "node:crypto";
import { chmodSync, mkdirSync, renameSync, writeFileSync } from "node:fs";
import { dirname, join, resolve } from "node:path";
import { buildSync } from "esbuild";
import { bundledPackages, NOTICES_FILE, noticesText } from "./licences/notices";

const PROJECT = resolve(__dirname, "..");
export const VERIFIER_FILE = join(PROJECT, "dist", "evidence.js");

export interface BuiltVerifier {
  readonly sha256: string;
  readonly bytes: number;
  /** Licences of the packages in it, to be shipped beside it. */
  readonly notices: string;
}

/** The same source gives the same bytes, so an auditor can compare their SHA-256 with that of another build. */
export function buildVerifier(file: string = VERIFIER_FILE): BuiltVerifier {
  const { outputFiles, metafile } = buildSync({
    absWorkingDir: PROJECT,
    entryPoints: ["evidence/commands/offline.ts"],
    write: false,
    metafile: true,
    bundle: true,
    platform: "node",
    target: "node20.12",
    format: "cjs",
    mainFields: ["module", "main"],
    banner: { js: "#!/usr/bin/env node" },
    legalComments: "none",
    preserveSymlinks: true,
    charset: "utf8",
    logLevel: "silent",
    tsconfigRaw: { compilerOptions: { target: "es2022" } },
  });
  const code = outputFiles[0]?.contents ?? new Uint8Array();
  mkdirSync(dirname(file), { recursive: true });
  const partial = `${file}.${process.pid}.part`;
  writeFileSync(partial, code);
  chmodSync(partial, 0o755);
  renameSync(partial, file);
  const [output] = Object.values(metafile.outputs);
  return {
    sha256: createHash("sha256").update(code).digest("hex"),
    bytes: code.length,
    notices: noticesText(bundledPackages(output, PROJECT)),
  };
}

if (require.main === module) {
  const { sha256, bytes, notices } = buildVerifier();
  writeFileSync(join(dirname(VERIFIER_FILE), NOTICES_FILE), notices);
  console.log(`dist/evidence.js: ${bytes} bytes, SHA-256 ${sha256}`);
}
