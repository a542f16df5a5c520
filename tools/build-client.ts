/** Builds the client package into `client/dist`: one CommonJS file, and the declarations that its types follow from. `npm pack ./client` runs it. */

import { copyFileSync, readFileSync, rmSync } from "node:fs";
import { join, resolve } from "node:path";
import ts from "@typescript/typescript6";
import { buildSync } from "esbuild";

const PROJECT = resolve(__dirname, "..");
const ENTRY = join(PROJECT, "client", "index.ts");
const DIST = join(PROJECT, "client", "dist");

interface Manifest {
  readonly dependencies: Readonly<Record<string, string>>;
  readonly peerDependencies: Readonly<Record<string, string>>;
}

/** @throws Error if a declaration cannot be made. */
export function buildClient(): void {
  rmSync(DIST, { recursive: true, force: true });
  const { dependencies, peerDependencies } = JSON.parse(
    readFileSync(join(PROJECT, "client", "package.json"), "utf8"),
  ) as Manifest;
  buildSync({
    absWorkingDir: PROJECT,
    entryPoints: [ENTRY],
    outfile: join(DIST, "index.js"),
    bundle: true,
    platform: "node",
    target: "node20",
    format: "cjs",
    external: Object.keys({ ...dependencies, ...peerDependencies }),
    logLevel: "silent",
    tsconfigRaw: { compilerOptions: { target: "es2022" } },
  });
  writeDeclarations();
  copyFileSync(join(PROJECT, "LICENSE"), join(DIST, "LICENSE"));
}

/** The project's own type check looks for errors; this only writes. */
function writeDeclarations(): void {
  const { config } = ts.readConfigFile(join(PROJECT, "tsconfig.json"), ts.sys.readFile);
  const { options } = ts.parseJsonConfigFileContent({ ...config, files: [ENTRY], include: [] }, ts.sys, PROJECT);
  const program = ts.createProgram([ENTRY], {
    ...options,
    noEmit: false,
    noCheck: true,
    declaration: true,
    emitDeclarationOnly: true,
    rootDir: PROJECT,
    outDir: join(DIST, "types"),
  });
  const [fault] = program.emit().diagnostics;
  if (fault !== undefined) throw new Error(ts.flattenDiagnosticMessageText(fault.messageText, "\n"));
}

if (require.main === module) {
  buildClient();
  console.log("client/dist is built. npm pack ./client packs it.");
}
