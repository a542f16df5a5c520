/** The evidence commands by name: parsing, usage, errors as exit codes, the progress bar. Started by `evidence*.ts`. */

import { NoteError } from "../log/note";
import { EntryError } from "../verifier/entries";
import { EvidenceError } from "../verifier/evidence";
import { ProofError } from "../verifier/proof";
import { MissingBundleError } from "../verifier/proof-search";
import { EXIT_CODES } from "../verifier/report";
import { SourceError } from "../verifier/sources";
import { MissingTileError } from "../verifier/tree-proofs";
import { WitnessKeyError } from "../verifier/witness-key";
import { WitnessStateError } from "../verifier/witness-state";
import { type Command, parseWords, type Terminal } from "./arguments";
import { EvidenceToolError, UsageError } from "./errors";
import { history } from "./history";
import { keys } from "./keys";
import { consistency, proveRecord, verifyProof } from "./proofs";
import { writeHtmlReport } from "./report";
import { verify } from "./verify";
import { cosign, newKey, serveWitness } from "./witness";

export type Commands = Readonly<Record<string, Command>>;

/** They read files and nothing else. */
export const OFFLINE: Commands = {
  verify,
  report: writeHtmlReport,
  prove: proveRecord,
  "verify-proof": verifyProof,
  consistency,
  history,
  keys,
  "witness new-key": newKey,
  "witness cosign": cosign,
  "witness serve": serveWitness,
};

const NOT_DONE = 2;

export function usageText(commands: Commands, start: string): string {
  const each = Object.values(commands).map(({ usage }) => `  ${usage}`);
  return `Usage: ${start} <command>
${each.join("\n")}
Verdicts end with: ${Object.entries(EXIT_CODES)
    .map(([verdict, code]) => `${verdict} ${code}`)
    .join(", ")};
2 is a wrong use, or something that could not be done.`;
}

/** @throws UsageError, and the errors of the commands. */
export function runEvidence(words: readonly string[], commands: Commands, terminal: Terminal): Promise<number> {
  const length = words[0] === "witness" ? 2 : 1;
  const name = words.slice(0, length).join(" ");
  const command = Object.hasOwn(commands, name) ? commands[name] : undefined;
  if (command === undefined) {
    throw new UsageError(name === "" ? "A command is missing." : `There is no command "${name}".`);
  }
  return command.run(parseWords(words.slice(length), command.options), terminal);
}

/** What an error means to who started the command; undefined for one that is nobody's fault but the code's. */
function exitCodeOf(error: unknown): number | undefined {
  if (error instanceof EvidenceToolError) return error.exitCode;
  if (error instanceof EvidenceError || error instanceof EntryError) return EXIT_CODES.altered;
  if (error instanceof SourceError && error.code === "SOURCE_DAMAGED") return EXIT_CODES.incomplete;
  if (error instanceof MissingTileError || error instanceof MissingBundleError) return EXIT_CODES.incomplete;
  const isInput =
    error instanceof NoteError ||
    error instanceof ProofError ||
    error instanceof WitnessKeyError ||
    error instanceof WitnessStateError ||
    error instanceof SourceError ||
    error instanceof UsageError;
  return isInput ? NOT_DONE : undefined;
}

/** Runs the command of this process to its end. */
export async function main(commands: Commands, start: string): Promise<void> {
  const bar = process.stderr.isTTY ? progressBar((text) => process.stderr.write(text)) : undefined;
  const terminal: Terminal = {
    print: (text) => console.log(text),
    tell: (text) => console.error(text),
    stopped: () =>
      new Promise((resolve) => {
        for (const signal of ["SIGINT", "SIGTERM"] as const) process.once(signal, () => resolve());
      }),
    ...(bar && { progress: bar.show }),
  };
  try {
    checkNode(process.versions.node);
    process.exitCode = await runEvidence(process.argv.slice(2), commands, terminal);
    bar?.end();
  } catch (error) {
    bar?.end();
    const code = exitCodeOf(error);
    console.error(code !== undefined && error instanceof Error ? error.message : error);
    if (error instanceof UsageError) console.error(`\n${usageText(commands, start)}`);
    process.exitCode = code ?? NOT_DONE;
  }
}

/** Hashing in one call came with Node.js 20.12. */
export function checkNode(version: string): void {
  const [major = 0, minor = 0] = version.split(".").map(Number);
  if (major > 20 || (major === 20 && minor >= 12)) return;
  throw new EvidenceToolError("OLD_NODE", `This is Node.js ${version}; the evidence commands need 20.12 or newer.`);
}

const BAR_WIDTH = 30;
const BAR_EVERY_MS = 100;

/** Draws over itself, and is gone when it ends. */
export function progressBar(write: (text: string) => void, now: () => number = Date.now) {
  let last = Number.NEGATIVE_INFINITY;
  let isShown = false;
  return {
    show: (done: number, total: number, what: string) => {
      const isDue = now() - last >= BAR_EVERY_MS || done === total;
      if (!isDue) return;
      last = now();
      isShown = true;
      const part = total > 0 ? Math.min(done / total, 1) : 0;
      const bar = "#".repeat(Math.round(part * BAR_WIDTH)).padEnd(BAR_WIDTH, ".");
      write(`\r\u001b[K[${bar}] ${String(Math.floor(part * 100)).padStart(3)}% ${done} of ${total} ${what}`);
    },
    end: () => {
      if (isShown) write("\r\u001b[K");
    },
  };
}
