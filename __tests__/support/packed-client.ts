/** The client package as a stranger gets it: packed, installed into an empty project, type-checked there. */

import { execFileSync } from "node:child_process";
import { cpSync, mkdirSync, readFileSync, symlinkSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import ts from "@typescript/typescript6";
import { PROJECT } from "./project-files";

export interface Installed {
  /** The files of the package. */
  readonly files: readonly string[];
  /** The sample program as ES module, ready to run. */
  readonly program: string;
  /** What the compiler objects to, in the sample and in the package's own declarations. */
  readonly faults: readonly string[];
}

/** Packs the client, and installs it beside the sample program. What it depends on is linked, so that no registry is asked. */
export function installPackedClient(folder: string): Installed {
  mkdirSync(folder, { recursive: true });
  const packed = execFileSync("npm", ["pack", join(PROJECT, "client"), "--json", "--pack-destination", folder], {
    cwd: PROJECT,
    encoding: "utf8",
    stdio: ["ignore", "pipe", "ignore"],
  });
  const [{ filename, files } = { filename: "", files: [] }] = JSON.parse(packed.slice(packed.indexOf("["))) as {
    readonly filename: string;
    readonly files: readonly { readonly path: string }[];
  }[];
  writeFileSync(join(folder, "package.json"), '{ "name": "shop", "private": true, "type": "module" }\n');
  const own = ["zod", "lossless-json"].map((name) => `file:${join(PROJECT, "node_modules", name)}`);
  const quiet = ["--offline", "--no-audit", "--no-fund", "--ignore-scripts", "--legacy-peer-deps"];
  execFileSync("npm", ["install", ...quiet, join(folder, filename), ...own], { cwd: folder, stdio: "pipe" });
  for (const name of ["@aws-sdk", "@types"])
    symlinkSync(join(PROJECT, "node_modules", name), join(folder, "node_modules", name));
  const sample = join(folder, "payments.ts");
  cpSync(join(PROJECT, "samples", "clients", "payments.ts"), sample);
  return { files: files.map(({ path }) => path), ...compiled(sample, folder) };
}

function compiled(sample: string, folder: string): Pick<Installed, "program" | "faults"> {
  const options: ts.CompilerOptions = {
    target: ts.ScriptTarget.ES2022,
    module: ts.ModuleKind.Node16,
    moduleResolution: ts.ModuleResolutionKind.Node16,
    strict: true,
    exactOptionalPropertyTypes: true,
    types: ["node"],
  };
  const program = ts.createProgram([sample], options);
  const ours = program
    .getSourceFiles()
    .filter(({ fileName }) => fileName === sample || fileName.includes("/payment-ledger-client/"));
  const faults = ours.flatMap((file) => [...program.getSemanticDiagnostics(file)]);
  const output = join(folder, "payments.js");
  writeFileSync(
    output,
    ts.transpileModule(readFileSync(sample, "utf8"), { compilerOptions: { ...options, module: ts.ModuleKind.ESNext } })
      .outputText,
  );
  return {
    program: output,
    faults: faults.map(
      ({ file, messageText }) => `${file?.fileName}: ${ts.flattenDiagnosticMessageText(messageText, " ")}`,
    ),
  };
}
