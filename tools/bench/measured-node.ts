/** Runs a program of Node.js in a separate process, and says what that process took from its start to its end. */

import { execFile } from "node:child_process";
import path from "node:path";
import { promisify } from "node:util";

export const PROJECT = path.join(__dirname, "..", "..");
const COUNT = path.join(__dirname, "processor-time.cjs");

export interface NodeCost {
  readonly wallMs: number;
  readonly cpuMs: number;
  /** The most memory that it held at once. */
  readonly peakMb: number;
  /** What the program printed. */
  readonly output: string;
}

/** Throws where the program ends with another code than 0. */
export async function measuredNode(
  words: readonly string[],
  variables: Record<string, string> = {},
): Promise<NodeCost> {
  const started = performance.now();
  const { stdout } = await promisify(execFile)(process.execPath, ["--require", COUNT, ...words], {
    cwd: PROJECT,
    // Nothing of the caller's: his options of Node.js would be measured with it.
    env: variables,
    maxBuffer: 2 ** 26,
  });
  const wallMs = performance.now() - started;
  const lines = stdout.trimEnd().split("\n");
  const { cpuMs, peakMb } = JSON.parse(lines.pop() ?? "") as Pick<NodeCost, "cpuMs" | "peakMb">;
  return { wallMs, cpuMs, peakMb, output: lines.join("\n") };
}
