/**
 * `npm run build:verifier`: bundles the offline evidence commands into `dist/evidence.js`, one file that needs nothing but
 * Node.js, and writes the licences of the packages in it beside it. Auditors get it separately from the evidence, with the verifier keys.
 */

import { readFileSync } from "node:fs";
import { join, resolve } from "node:path";
import { buildSync } from "esbuild";
import { writeWhole } from "../evidence/commands/files";
import { builderOf, fileHash, recordBuild, recordedBuild } from "./bundle-record";
import { bundledPackages, NOTICES_FILE, noticesText } from "./licences/notices";

const PROJECT = resolve(__dirname, "..");
const DIST = join(PROJECT, "dist");
export const VERIFIER_FILE = "evidence.js";

export interface BuiltVerifier {
  readonly sha256: string;
  readonly bytes: number;
  /** Licences of the packages in it, to be shipped beside it. */
  readonly notices: string;
  /** What esbuild read, by paths from the project's folder. */
  readonly inputs: readonly string[];
}

/** The verifier and its notices in `dist/`. They are taken as they are if a build would make the same. */
export function verifierFolder(): string {
  const build = { project: PROJECT, folder: DIST, record: "evidence.made-from.json", builder: builderOf(__filename) };
  if (recordedBuild(build) !== undefined) return DIST;
  const { sha256, notices, inputs } = buildVerifier(join(DIST, VERIFIER_FILE));
  writeWhole(join(DIST, NOTICES_FILE), notices, 0o644);
  recordBuild(build, inputs, { [VERIFIER_FILE]: sha256, [NOTICES_FILE]: fileHash(Buffer.from(notices)) });
  return DIST;
}

/** The same source gives the same bytes, so an auditor can compare their SHA-256 with that of another build. */
export function buildVerifier(file: string): BuiltVerifier {
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
  writeWhole(file, code, 0o755);
  const [output] = Object.values(metafile.outputs);
  return {
    sha256: fileHash(code),
    bytes: code.length,
    notices: noticesText(bundledPackages(output, PROJECT)),
    inputs: Object.keys(metafile.inputs),
  };
}

if (require.main === module) {
  const code = readFileSync(join(verifierFolder(), VERIFIER_FILE));
  console.log(`dist/${VERIFIER_FILE}: ${code.length} bytes, SHA-256 ${fileHash(code)}`);
}
