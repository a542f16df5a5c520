/** Runs a program inside a test, as a separate process would see it, and keeps what it prints: a start costs a third of a second or more. */

import { PAYLEDGER } from "../../cli/payledger";
import { main, type Program } from "../../evidence/commands/program";
import { PROJECT } from "./project-files";
import type { ScriptResult } from "./run-script";

/** What `cli/launch.cjs` sets. */
const AS_LAUNCHED = { AWS_SDK_JS_NODE_VERSION_SUPPORT_WARNING_DISABLED: "true" };

export interface Surroundings {
  /** Where it runs. */
  readonly folder: string;
  /** All that it finds in its environment, apart from the path. */
  readonly variables: Readonly<Record<string, string>>;
}

/** One program at a time: output, environment and working directory are those of the whole process. */
export async function runInProcess(
  program: Program,
  words: readonly string[],
  { surroundings, onAnswer }: { surroundings?: Surroundings; onAnswer?: () => void } = {},
): Promise<ScriptResult> {
  const text = { out: "", err: "" };
  const spies = [
    jest.spyOn(console, "log").mockImplementation((line) => {
      text.out += `${line}\n`;
      // A server waits for the signal only behind its answer.
      if (onAnswer !== undefined) setTimeout(onAnswer, 100);
    }),
    jest.spyOn(console, "error").mockImplementation((line) => {
      text.err += `${line}\n`;
    }),
  ];
  const before = { exitCode: process.exitCode, variables: { ...process.env }, folder: process.cwd() };
  try {
    if (surroundings !== undefined) {
      setVariables({ PATH: before.variables["PATH"], ...AS_LAUNCHED, ...surroundings.variables });
      process.chdir(surroundings.folder);
    }
    await main(program, words);
    return { code: Number(process.exitCode), ...text };
  } finally {
    process.exitCode = before.exitCode;
    setVariables(before.variables);
    process.chdir(before.folder);
    for (const spy of spies) spy.mockRestore();
  }
}

/** In the environment itself and not in a copy: the home folder, for one, is read past JavaScript. */
function setVariables(variables: NodeJS.ProcessEnv): void {
  for (const name of Object.keys(process.env)) delete process.env[name];
  for (const [name, value] of Object.entries(variables)) if (value !== undefined) process.env[name] = value;
}

/** `npx payledger` with these words. `payledgerProcess` is for what a separate process must show. */
export function payledger(words: readonly string[], variables: Surroundings["variables"]): Promise<ScriptResult> {
  return runInProcess(PAYLEDGER, words, { surroundings: { folder: PROJECT, variables } });
}
