/** Commands that run a tool of the project in a separate process, because nothing else needs what a tool loads. */

import { spawn } from "node:child_process";
import { once } from "node:events";
import path from "node:path";
import type { CommandArguments, CommandBody, Options } from "../evidence/commands/command";
import { loadConfig } from "../stacks/config/load";

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

/** @param options what the tool takes; it is given all of them as they were typed. */
export function tool(file: string, details: string, options: Options = {}): CommandBody {
  return {
    details,
    options,
    run: (args) => {
      args.noOperand();
      loadConfig();
      return runTool(file, [...wordsOf(args, options), ...(args.flag("json") ? ["--json"] : [])]);
    },
  };
}

/** The options as words again. */
export function wordsOf(args: CommandArguments, options: Options): string[] {
  return Object.entries(options).flatMap(([name, { kind }]) => {
    if (kind === "flag") return args.flag(name) ? [`--${name}`] : [];
    const values = kind === "many" ? args.many(name) : [args.one(name)];
    return values.filter((value) => value !== undefined).map((value) => `--${name}=${value}`);
  });
}
