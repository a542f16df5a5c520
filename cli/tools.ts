/** Commands that run a tool of the project in a separate process, because nothing else needs what a tool loads. */

import { spawn } from "node:child_process";
import { once } from "node:events";
import path from "node:path";
import type { CommandBody } from "../evidence/commands/command";

const PROJECT = path.join(__dirname, "..");

/** @param words what the tool is given before the words of the user. @returns its exit code. */
export async function runTool(file: string, words: readonly string[]): Promise<number> {
  const child = spawn(process.execPath, ["--import", "tsx", path.join(PROJECT, file), ...words], {
    cwd: PROJECT,
    stdio: "inherit",
  });
  const [code] = (await once(child, "close")) as [number | null];
  return code ?? 2;
}

export function tool(file: string, details: string): CommandBody {
  return {
    details,
    options: {},
    run: (given) => {
      given.noOperand();
      return runTool(file, given.flag("json") ? ["--json"] : []);
    },
  };
}
