/** Synthesizes the stacks as `cdktf synth` does, into a folder of choice, without the CLI. */
import { spawn } from "node:child_process";
import { once } from "node:events";
import { readFileSync } from "node:fs";
import path from "node:path";
import { LocalError } from "./errors";

const PROJECT = path.join(__dirname, "..");

/** Returns the output folder (`cdktf.out` of the project by default). */
export async function synthesize(outputDirectory = path.join(PROJECT, "cdktf.out")): Promise<string> {
  const child = spawn(process.execPath, ["cli/typescript.cjs", "main.ts"], {
    cwd: PROJECT,
    env: { ...process.env, CDKTF_OUTDIR: outputDirectory, CDKTF_CONTEXT_JSON: contextOf() },
    stdio: ["ignore", "pipe", "pipe"],
  });
  let output = "";
  for (const stream of [child.stdout, child.stderr]) {
    stream.on("data", (chunk: Buffer) => {
      output += chunk.toString();
    });
  }
  const [code] = await once(child, "close");
  if (code === 0) return outputDirectory;
  throw new LocalError("SYNTH_FAILED", `The stacks could not be synthesized:\n${output.trim()}`);
}

/** CDKTF knows the form by this variable alone; its `App` has no setting that reaches every stack. */
export function inForm(form: "json" | "hcl", synth: () => void): void {
  process.env["SYNTH_HCL_OUTPUT"] = String(form === "hcl");
  try {
    synth();
  } finally {
    delete process.env["SYNTH_HCL_OUTPUT"];
  }
}

function contextOf(): string {
  const { context = {} } = JSON.parse(readFileSync(path.join(PROJECT, "cdktf.json"), "utf8")) as { context?: object };
  return JSON.stringify(context);
}
