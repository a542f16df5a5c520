/** A synth, as `cdktf synth` runs the app, beside a program that loads CDKTF and the providers' modules that the app uses. */

import { mkdtempSync, readdirSync, readFileSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import path from "node:path";
import { measuredNode, type NodeCost, PROJECT } from "./measured-node";

/** The app of `cdktf.json`, into a folder that stays for the next run. */
export function synthRunner(): { run: () => Promise<NodeCost>; end: () => void } {
  const { app } = JSON.parse(readFileSync(path.join(PROJECT, "cdktf.json"), "utf8")) as { app: string };
  const [, ...words] = app.split(" ");
  const outdir = mkdtempSync(path.join(tmpdir(), "payment-ledger-bench-"));
  return { run: () => measuredNode(words, { CDKTF_OUTDIR: outdir }), end: () => rmSync(outdir, { recursive: true }) };
}

export function loadModules(): Promise<NodeCost> {
  const program = usedModules().map((name) => `require(${JSON.stringify(name)});`);
  return measuredNode(["--eval", program.join("\n")]);
}

/** The modules of CDKTF and its providers from which the stacks import more than types. */
function usedModules(): string[] {
  const sources = readdirSync(path.join(PROJECT, "stacks"), { recursive: true, encoding: "utf8" })
    .filter((name) => name.endsWith(".ts"))
    .map((name) => readFileSync(path.join(PROJECT, "stacks", name), "utf8"));
  const imports = sources.flatMap((source) => [...source.matchAll(/^import (?!type )[^;]*? from "([^"]+)";$/gm)]);
  const names = imports.map(([, name = ""]) => name).filter((name) => /^(cdktf|constructs|@cdktf\/.*)$/.test(name));
  return [...new Set(names)].sort();
}
