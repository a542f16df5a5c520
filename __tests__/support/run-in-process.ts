/** Runs a program inside a test, and keeps what it prints. */

import { main, type Program } from "../../evidence/commands/program";
import type { ScriptResult } from "./run-script";

/** @param onAnswer called when it has printed something, a moment later. */
export async function runInProcess(
  program: Program,
  words: readonly string[],
  onAnswer?: () => void,
): Promise<ScriptResult> {
  const [out, err]: [string[], string[]] = [[], []];
  const spies = [
    jest.spyOn(console, "log").mockImplementation((text) => {
      out.push(String(text));
      // A server waits for the signal only behind its answer.
      if (onAnswer !== undefined) setTimeout(onAnswer, 100);
    }),
    jest.spyOn(console, "error").mockImplementation((text) => void err.push(String(text))),
  ];
  const before = process.exitCode;
  try {
    await main(program, words);
    return { code: Number(process.exitCode), out: out.join("\n"), err: err.join("\n") };
  } finally {
    process.exitCode = before;
    for (const spy of spies) spy.mockRestore();
  }
}
