/** `payledger cases`: sends each payment file of a folder through the processor and shows what became of it. */

import { existsSync } from "node:fs";
import path from "node:path";
import type { CommandBody, Terminal } from "../evidence/commands/command";
import { UsageError } from "../evidence/commands/errors";
import { ANSWER_IS_NO, DONE } from "../evidence/commands/program";
import { startEmbeddedAws } from "../local/embedded-aws";
import { type CaseResult, caseNames, differences, FileCases } from "../local/file-cases";
import { CommandError } from "./errors";

const OWN_FOLDER = path.join(__dirname, "..", "samples", "cases");

export const cases: CommandBody = {
  operands: "[DIR]",
  details:
    "Default: samples/cases of the project. Each file is processed alone. Where NAME.expected.json is beside a file, the result is compared with it. Ends with 1 when a file differs from its expectation or could not be processed. Needs Python 3.10 or newer; it never reaches AWS.",
  options: {},
  examples: ["cases", "cases ./partner-files"],
  run: async (args, terminal) => {
    const [folder = OWN_FOLDER, ...others] = args.operands;
    if (others.length > 0) throw new UsageError("The command takes one folder.");
    const names = existsSync(folder) ? caseNames(folder) : [];
    if (names.length === 0) {
      throw new CommandError("FILE_MISSING", `There is no payment file in ${folder}. Name a folder that holds some.`);
    }
    const aws = await startEmbeddedAws({ onInstall: terminal.tell });
    try {
      const started = await FileCases.start(aws);
      const results: Result[] = [];
      for (const name of names) results.push(await resultOf(started, folder, name));
      started.stop();
      return answer(results, terminal);
    } finally {
      await aws.stop();
    }
  },
};

interface Result {
  readonly file: string;
  /** Absent where the processor failed. */
  readonly result?: CaseResult;
  /** How it differs from its expectation, or why there is no result. */
  readonly problems: readonly string[];
}

async function resultOf(started: FileCases, folder: string, file: string): Promise<Result> {
  try {
    const result = await started.run(folder, file);
    return { file, result, problems: differences(folder, result) };
  } catch (error) {
    const reason = error instanceof Error ? error.message : String(error);
    return { file, problems: [`${file}: the processor failed: ${reason}`] };
  }
}

function answer(results: readonly Result[], terminal: Terminal): number {
  const lines = results.flatMap(({ result }) => (result === undefined ? [] : [JSON.stringify(result)]));
  terminal.answer(results, lines.join("\n"));
  const bad = results.filter(({ problems }) => problems.length > 0);
  for (const problem of bad.flatMap(({ problems }) => problems)) terminal.tell(problem);
  if (bad.length === 0) return DONE;
  terminal.tell(`${bad.length} of ${results.length} files differ from what is expected.`);
  return ANSWER_IS_NO;
}
