/** The client package as a stranger gets it: packed, installed into an empty project, type-checked there. */

import { execFileSync, spawnSync } from "node:child_process";
import { cpSync, mkdirSync, symlinkSync, writeFileSync } from "node:fs";
import { join } from "node:path";
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

/** With the strictest settings of a stranger. The declarations of the packages are checked too. */
function compiled(sample: string, folder: string): Pick<Installed, "program" | "faults"> {
  const settings = "--strict --exactOptionalPropertyTypes --target es2022 --module node16 --types node --pretty false";
  const compiler = join(PROJECT, "node_modules", "typescript", "bin", "tsc");
  const { stdout } = spawnSync(process.execPath, [compiler, ...settings.split(" "), sample], {
    cwd: folder,
    encoding: "utf8",
  });
  return { program: join(folder, "payments.js"), faults: stdout.split("\n").filter((line) => line !== "") };
}
