/** Synthesizes the four stacks with the same program that `npx cdktf synth` runs. */

import { execFile } from "node:child_process";
import path from "node:path";
import { OVERRIDES } from "../../stacks/config/load";
import { LocalError } from "../errors";

const PROJECT = path.join(__dirname, "..", "..");
const TIMEOUT_MS = 120_000;

/** Always as `dev`: a job that feeds samples and forges a row has no business in an environment that keeps its data. */
export const JOB_ENVIRONMENT = "dev";

/** @param signal ends the synth: what it is for will not come. */
export async function synthesizeForJob(outputDirectory: string, signal?: AbortSignal): Promise<void> {
  const environment = { ...process.env, [OVERRIDES.environment]: JOB_ENVIRONMENT, CDKTF_OUTDIR: outputDirectory };
  await new Promise<void>((resolve, reject) => {
    const arguments_ = ["cli/typescript.cjs", "main.ts"];
    const options = { cwd: PROJECT, env: environment, timeout: TIMEOUT_MS, ...(signal && { signal }) };
    execFile(process.execPath, arguments_, options, (error, stdout, stderr) => {
      if (error === null) resolve();
      else reject(failed(`${stdout}${stderr}`.trim() || error.message));
    });
  });
}

function failed(output: string): LocalError {
  return new LocalError(
    "SYNTH_FAILED",
    `SYNTH_FAILED: the stacks could not be synthesized.\n${output}\n` +
      "  Rule:   the job deploys what `npx cdktf synth` writes, and nothing else.\n" +
      "  Remedy: make `npx cdktf synth` work, then start the job again.",
  );
}
