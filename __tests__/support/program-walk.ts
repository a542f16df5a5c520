/** Runs every command of `program-runs.ts` on an embedded AWS that is up, with --json, inside the test. */

import { readFileSync } from "node:fs";
import { join } from "node:path";
import { PAYLEDGER } from "../../cli/payledger";
import type { UpState } from "../../local/embedded-state";
import { RUNS, type Run } from "./program-runs";
import { runInProcess } from "./run-in-process";
import { payledgerProcess, type ScriptResult } from "./run-script";

/** Runs them all, one after another. @param variables of the embedded AWS's state, and nothing of the caller's. */
export async function walk(
  folder: string,
  { state, variables }: { state: UpState; variables: Readonly<Record<string, string>> },
): Promise<readonly (readonly [Run, ScriptResult])[]> {
  const all: (readonly [Run, ScriptResult])[] = [];
  let backupArn = "";
  for (const run of RUNS) {
    run.before?.(folder);
    const words = wordsOf(run, folder, backupArn);
    const surroundings = { folder, variables: { ...variables, ...(run.isInside ? insideOf(state) : {}) } };
    const ended =
      run.how === "process"
        ? await payledgerProcess(words, variables)
        : await runInProcess(PAYLEDGER, words, { surroundings, ...stopOf(run) });
    backupArn = /arn:aws:dynamodb:[^"]*PaymentLedger-dev\/backup[^"]*/.exec(ended.out)?.[0] ?? backupArn;
    all.push([run, ended]);
  }
  return all;
}

/** What is quoted is one word. The moment of the documents is one that the embedded AWS cannot restore. */
function wordsOf({ words }: Run, folder: string, backupArn: string): string[] {
  const split = [...words.matchAll(/"([^"]*)"|(\S+)/g)].map(([, quoted, word]) => quoted ?? word ?? "");
  const meant: Readonly<Record<string, () => string>> = {
    "$(cat log.vkey)": () => readFileSync(join(folder, "log.vkey"), "utf8").trim(),
    "2026-11-20T12:00:00Z": () => new Date().toISOString(),
    "arn:aws:dynamodb:...": () => backupArn,
  };
  return [...split.map((word) => meant[word]?.() ?? word), "--json"];
}

function insideOf({ inside, region, account }: UpState): Record<string, string> {
  return {
    AWS_ENDPOINT_URL: inside,
    AWS_REGION: region,
    AWS_ACCESS_KEY_ID: account,
    AWS_SECRET_ACCESS_KEY: "embedded",
  };
}

/** A server that has said where it listens gets a signal. */
function stopOf({ how }: Run): { onAnswer?: () => void } {
  return how === "server" ? { onAnswer: () => void process.emit("SIGTERM", "SIGTERM") } : {};
}
