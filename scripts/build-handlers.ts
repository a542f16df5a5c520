/**
 * Bundles the functions' code: one file for each entry, the same bytes from the same source on every machine and in every
 * folder. `main.ts` calls it at each synth.
 */

import { createHash } from "node:crypto";
import {
  existsSync,
  mkdirSync,
  readdirSync,
  readFileSync,
  renameSync,
  rmSync,
  utimesSync,
  writeFileSync,
} from "node:fs";
import { join, relative, resolve, sep } from "node:path";
import { buildSync } from "esbuild";
import { FUNCTIONS } from "../contract";
import type { HandlerBundle, HandlerCode } from "../stacks/constructs/handler-code";

/** The first moment a zip can tell, so that no clock enters the archive. */
const FIXED_TIME = new Date("1980-01-01T00:00:00Z");
const PROJECT = resolve(__dirname, "..");

export class HandlerBuildError extends Error {
  override readonly name = "HandlerBuildError";
}

export interface BuildOptions {
  /** Folder that holds `handlers/` and `node_modules/`. */
  readonly project?: string;
  /** Entry files under `handlers/`, without `.ts`. */
  readonly entries?: readonly string[];
}

/** Builds all entries at once into `dist/handlers/<entry>/index.js`. */
export function buildHandlers(options: BuildOptions = {}): HandlerCode {
  const { project = PROJECT, entries = Object.values(FUNCTIONS).map(({ entry }) => entry) } = options;
  for (const entry of entries) {
    if (!existsSync(join(project, "handlers", `${entry}.ts`))) {
      throw new HandlerBuildError(
        `handlers/${entry}.ts does not exist.\n  Rule:   every function of contract.ts has its entry file.\n` +
          "  Remedy: add the file, or take the function out of contract.ts.",
      );
    }
  }
  const bundles = new Map(bundle(project, entries).map((code) => [code.entry, write(project, code)]));
  return (entry) => {
    const built = bundles.get(entry);
    if (built === undefined) {
      throw new HandlerBuildError(`handlers/${entry}.ts was not built: it is no entry of contract.ts.`);
    }
    return built;
  };
}

/** Of relative paths and bytes, in order: a renamed file changes it, a touched one does not. */
export function hashDirectory(directory: string): string {
  const hash = createHash("sha256");
  for (const path of filesOf(directory)) {
    const bytes = readFileSync(join(directory, path));
    hash.update(`${path.split(sep).join("/")}\0${bytes.length}\0`).update(bytes);
  }
  return hash.digest("hex");
}

function filesOf(directory: string): string[] {
  return readdirSync(directory, { recursive: true, withFileTypes: true })
    .filter((file) => file.isFile())
    .map((file) => relative(directory, join(file.parentPath, file.name)))
    .sort();
}

interface BundledCode {
  readonly entry: string;
  readonly code: Uint8Array;
}

function bundle(project: string, entries: readonly string[]): BundledCode[] {
  const outdir = join(project, "dist", "handlers");
  const { outputFiles } = buildSync({
    absWorkingDir: project,
    entryPoints: Object.fromEntries(entries.map((entry) => [`${entry}/index`, `handlers/${entry}.ts`])),
    outdir,
    write: false,
    bundle: true,
    platform: "node",
    // Below the deployed runtime, so that the embedded AWS runs the same bytes on the host's Node.
    target: "node20",
    format: "cjs",
    mainFields: ["module", "main"],
    // Names stay readable in stack traces; comments go, and with them the paths that esbuild writes there.
    minifySyntax: true,
    minifyWhitespace: true,
    legalComments: "none",
    // Else a linked node_modules would show its real place in the bundle.
    preserveSymlinks: true,
    charset: "utf8",
    logLevel: "silent",
    tsconfigRaw: { compilerOptions: { target: "es2022" } },
  });
  return outputFiles.map(({ path, contents }) => ({
    entry: relative(outdir, path).split(sep)[0] as string,
    code: contents,
  }));
}

/** Written beside and renamed: another synth at the same time never sees half a file. */
function write(project: string, { entry, code }: BundledCode): HandlerBundle {
  const directory = join(project, "dist", "handlers", entry);
  mkdirSync(directory, { recursive: true });
  const file = join(directory, "index.js");
  const partial = join(project, "dist", `.${entry}-${process.pid}.js`);
  writeFileSync(partial, code, { mode: 0o644 });
  utimesSync(partial, FIXED_TIME, FIXED_TIME);
  renameSync(partial, file);
  for (const stray of filesOf(directory).filter((path) => path !== "index.js")) {
    rmSync(join(directory, stray));
  }
  return { directory, sha256: hashDirectory(directory) };
}
