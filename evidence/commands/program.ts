/**
 * A program of commands: finds the command, reads its words, gives help, and turns every error into one message with an
 * exit code. Exit codes: 0 done; 1 the answer is no; 2 a wrong use, or something that could not be done; 10 and up the
 * verdicts of a verification.
 */

import {
  type Command,
  type CommandArguments,
  type CommandNode,
  type Commands,
  isGroup,
  loaded,
  type Output,
  parseWords,
  type Terminal,
} from "./command";
import { EvidenceToolError, NOT_DONE, UsageError } from "./errors";
import { commandHelp, listHelp, usageLine } from "./help";
import { nearest } from "./nearest";
import { painter, progressBar, progressLines } from "./screen";
import { VERSION } from "./version";

export const DONE = 0;
/** The command did its work, and the answer is no: a payment was refused, an export is damaged. */
export const ANSWER_IS_NO = 1;

/** What an error means to the user. */
export interface Explained {
  readonly message: string;
  readonly exitCode: number;
}

export interface Program {
  /** As it is typed. */
  readonly name: string;
  readonly about: string;
  readonly commands: Commands;
  /** Lines below the list of commands. */
  readonly footer?: readonly string[];
  /** Undefined for an error that only a defect of the code can cause. */
  explain(error: unknown): Explained | undefined;
}

interface FoundCommand {
  readonly path: readonly string[];
  readonly rest: readonly string[];
  readonly node: CommandNode | undefined;
  readonly commands: Commands;
}

/** Follows the words into the tree as far as they name groups. */
function find(words: readonly string[], commands: Commands, path: readonly string[] = []): FoundCommand {
  const [name = "", ...rest] = words;
  const node = Object.hasOwn(commands, name) ? commands[name] : undefined;
  if (node === undefined) return { path, rest: words, node, commands };
  if (isGroup(node)) {
    const inner = find(rest, node.commands, [...path, name]);
    return inner.node === undefined ? { ...inner, node: undefined } : inner;
  }
  return { path: [...path, name], rest, node, commands };
}

/** @throws UsageError that says which commands there are. */
function refuseWord({ path, rest: [word = ""], commands }: FoundCommand): never {
  const where = [...path, ""].join(" ");
  if (word === "" || word.startsWith("-")) throw new UsageError("A command is missing.");
  const close = nearest(word, Object.keys(commands));
  const guess = close === undefined ? "" : ` Did you mean "${where}${close}"?`;
  throw new UsageError(`There is no command "${where}${word}".${guess}`);
}

/** The command that the words name, and what it is given. @throws UsageError */
export function commandOf(words: readonly string[], commands: Commands): { command: Command; args: CommandArguments } {
  const found = find(words, commands);
  if (found.node === undefined || isGroup(found.node)) return refuseWord(found);
  const command = loaded(found.node);
  return { command, args: parseWords(found.rest, command.options) };
}

/**
 * Runs one command in this process, without help and without catching anything.
 * @throws UsageError, and the errors of the commands.
 */
export async function runCommand(words: readonly string[], commands: Commands, output: Output): Promise<number> {
  const { command, args } = commandOf(words, commands);
  return command.run(args, terminalOf(output, args));
}

function terminalOf(output: Output, args: CommandArguments): Terminal {
  const isJson = args.flag("json");
  return {
    ...output,
    answer: (value, text) => output.print(isJson ? JSON.stringify(value, undefined, 2) : text),
  };
}

/** The help that the words ask for; undefined when they ask for none. */
export function helpFor(words: readonly string[], program: Program): string | undefined {
  const first = words[0] === "help" ? words.slice(1) : words;
  const isAsked = words[0] === "help" || beforeDashes(words).some((word) => word === "--help" || word === "-h");
  if (!isAsked) return undefined;
  const found = find(
    first.filter((word) => word !== "--help" && word !== "-h"),
    program.commands,
  );
  if (found.node !== undefined && !isGroup(found.node)) {
    return commandHelp(program.name, found.path, loaded(found.node));
  }
  if (found.rest.length > 0 && !found.rest[0]?.startsWith("-")) return refuseWord(found);
  return listOf(found.path, program);
}

function beforeDashes(words: readonly string[]): readonly string[] {
  const at = words.indexOf("--");
  return at < 0 ? words : words.slice(0, at);
}

function listOf(path: readonly string[], program: Program): string {
  let [about, commands] = [program.about, program.commands];
  for (const name of path) {
    const node = commands[name];
    if (node !== undefined && isGroup(node)) [about, commands] = [node.summary, node.commands];
  }
  return listHelp([program.name, ...path].join(" "), about, commands, path.length === 0 ? program.footer : []);
}

/** What is printed under the message of a wrong use: how this command is used, and nothing of the others. */
function usageFor(words: readonly string[], program: Program): string {
  const { path, node } = find(words, program.commands);
  const name = [program.name, ...path].join(" ");
  const usage = node === undefined || isGroup(node) ? `Usage: ${name} <command>` : usageLine(name, loaded(node));
  return `${usage}\nHelp:  ${name} --help`;
}

/** Runs the command of this process to its end. */
export async function main(program: Program, words: readonly string[] = process.argv.slice(2)): Promise<void> {
  process.stdout.removeListener("error", endOfReader).on("error", endOfReader);
  const bar = process.stderr.isTTY ? progressBar((text) => process.stderr.write(text)) : undefined;
  const tell = (text: string) => console.error(text);
  const output: Output = {
    print: (text) => {
      bar?.end();
      console.log(text);
    },
    tell,
    stopped,
    progress: bar?.show ?? progressLines(tell),
  };
  try {
    checkNode(process.versions.node);
    process.exitCode = await answerTo(words, program, output);
    bar?.end();
  } catch (error) {
    bar?.end();
    process.exitCode = report(error, words, program);
  }
}

/** A reader that has seen enough (head) closes the pipe. */
function endOfReader(error: NodeJS.ErrnoException): void {
  if (error.code === "EPIPE") process.exit(DONE);
  throw error;
}

function stopped(): Promise<void> {
  return new Promise((resolve) => {
    for (const signal of ["SIGINT", "SIGTERM"] as const) process.once(signal, () => resolve());
  });
}

async function answerTo(words: readonly string[], program: Program, output: Output): Promise<number> {
  if (words[0] === "--version" || words[0] === "version") {
    output.print(words.includes("--json") ? JSON.stringify({ version: VERSION }) : VERSION);
    return DONE;
  }
  const help = helpFor(words, program);
  if (help === undefined) return runCommand(words, program.commands, output);
  output.print(help);
  return DONE;
}

/** Tells an error on the error channel. @returns the exit code. */
function report(error: unknown, words: readonly string[], program: Program): number {
  const isUsage = error instanceof UsageError;
  const explained = isUsage ? { message: error.message, exitCode: NOT_DONE } : program.explain(error);
  const isJson = beforeDashes(words).includes("--json");
  const { message, exitCode } = explained ?? defect(error);
  if (isJson) console.error(JSON.stringify({ error: { code: codeOf(error), message } }));
  else console.error(painter(process.stderr)("red", message));
  if (isUsage && !isJson) console.error(`\n${usageFor(words, program)}`);
  if (words.includes("--debug")) console.error(error);
  return exitCode;
}

function defect(error: unknown): Explained {
  const what = error instanceof Error ? `${error.name}: ${error.message}` : String(error);
  return {
    message: `${what}\nThis is not an error that the command expects. Run it again with --debug to see where it comes from.`,
    exitCode: NOT_DONE,
  };
}

function codeOf(error: unknown): string {
  const { code, name } = (error ?? {}) as { code?: unknown; name?: unknown };
  if (error instanceof UsageError) return "USAGE";
  return typeof code === "string" ? code : typeof name === "string" ? name : "UNKNOWN";
}

/** Hashing in one call came with Node.js 20.12. */
export function checkNode(version: string): void {
  const [major = 0, minor = 0] = version.split(".").map(Number);
  if (major > 20 || (major === 20 && minor >= 12)) return;
  throw new EvidenceToolError("OLD_NODE", `This is Node.js ${version}; the commands need 20.12 or newer.`);
}
