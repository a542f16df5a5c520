/** Looks at processes and waits for conditions, for the life-cycle tests. Nothing here waits without a bound. */
import { execFileSync, spawn } from "node:child_process";
import { setTimeout as delay } from "node:timers/promises";

const WAIT_MS_MAX = 15_000;
const POLL_MS = 25;

/** The process and everything below it, grandchildren included. */
export function processTree(root: number): number[] {
  const rows = execFileSync("ps", ["-A", "-o", "pid=,ppid="], { encoding: "utf8" }).trim().split("\n");
  const parents = rows.map((row) => row.trim().split(/\s+/).map(Number));
  const below = (pid: number): number[] => [
    pid,
    ...parents.flatMap(([child = 0, parent]) => (parent === pid ? below(child) : [])),
  ];
  return below(root);
}

/** A zombie counts as gone: it runs nothing and holds nothing. */
export function isRunning(pid: number): boolean {
  try {
    return !/^\s*Z/.test(execFileSync("ps", ["-o", "stat=", "-p", String(pid)], { encoding: "utf8" }));
  } catch {
    return false;
  }
}

export async function eventually(what: string, condition: () => boolean | Promise<boolean>): Promise<void> {
  const deadline = Date.now() + WAIT_MS_MAX;
  while (!(await condition())) {
    if (Date.now() > deadline) throw new Error(`not within ${WAIT_MS_MAX} ms: ${what}`);
    await delay(POLL_MS);
  }
}

export interface Script {
  readonly pid: number;
  /** The first line of its output, parsed. */
  readonly said: Promise<unknown>;
  kill(): void;
}

/** Runs a TypeScript file as a separate process with exactly this environment. */
export function startScript(file: string, args: readonly string[], environment: NodeJS.ProcessEnv): Script {
  const child = spawn(process.execPath, ["--require", require.resolve("tsx/cjs"), file, ...args], { env: environment });
  let output = "";
  let complaints = "";
  child.stderr.on("data", (chunk: Buffer) => {
    complaints += chunk.toString();
  });
  const said = new Promise<unknown>((resolve, reject) => {
    child.stdout.on("data", (chunk: Buffer) => {
      output += chunk.toString();
      if (output.includes("\n")) resolve(JSON.parse(output.split("\n")[0] ?? ""));
    });
    child.once("close", () => reject(new Error(`the script ended without a word: ${complaints}`)));
  });
  return { pid: child.pid ?? 0, said, kill: () => child.kill("SIGKILL") };
}
