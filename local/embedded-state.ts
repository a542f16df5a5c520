/** Whether an embedded AWS is up in the background, and how to talk to it. Needs no AWS SDK. */

import { execFile } from "node:child_process";
import { existsSync } from "node:fs";
import { readFile } from "node:fs/promises";
import path from "node:path";
import { promisify } from "node:util";
import { credentialsOf, type PersonId } from "./iam/identities";

/** `PAYLEDGER_STATE` names another folder, for a second embedded AWS beside the first. */
export function stateDirectory(): string {
  return process.env["PAYLEDGER_STATE"] ?? path.join(__dirname, "..", ".local", "embedded");
}
/** Name of the file that the background process runs; its command line has it. */
export const BACKGROUND_FILE = "embedded-background.ts";

export type Outputs = Readonly<Record<string, Readonly<Record<string, unknown>>>>;

/** What `up` leaves behind for the commands that come after. */
export interface UpState {
  readonly pid: number;
  readonly endpoint: string;
  /** The emulator itself, past all permissions: what AWS does inside goes there. */
  readonly inside: string;
  readonly account: string;
  readonly region: string;
  readonly accessKeyId: string;
  readonly secretAccessKey: string;
  readonly resourceCount: number;
  /** Outputs of the stacks, by stack and name. */
  readonly outputs: Outputs;
  /** The `PAYMENT_LEDGER_*` variables under which it was synthesized: they decide the names of everything. */
  readonly settings: Readonly<Record<string, string>>;
}

/** Undefined when none is up. */
export async function embeddedState(directory = stateDirectory()): Promise<UpState | undefined> {
  const text = await readFile(stateFile(directory), "utf8").catch(() => undefined);
  if (text === undefined) return undefined;
  const state = JSON.parse(text) as UpState;
  return (await isBackground(state.pid)) ? state : undefined;
}

/** The environment variables with which any AWS tool talks to it as somebody. */
export function shellVariablesOf({ endpoint, region, settings }: UpState, person: PersonId): Record<string, string> {
  const { accessKeyId, secretAccessKey } = credentialsOf(person);
  return {
    AWS_ENDPOINT_URL: endpoint,
    AWS_REGION: region,
    AWS_DEFAULT_REGION: region,
    AWS_ACCESS_KEY_ID: accessKeyId,
    AWS_SECRET_ACCESS_KEY: secretAccessKey,
    ...settings,
  };
}

export function stateFile(directory: string): string {
  return path.join(directory, "state.json");
}

/** A process id is used again one day; only a process that runs our file is ever signalled. */
export async function isBackground(pid: number): Promise<boolean> {
  const command = await commandLine(pid);
  return command.includes(BACKGROUND_FILE) && command.includes("serve");
}

/** From /proc where there is one (slim images have no ps), else from ps (macOS has no /proc). Empty when the process is gone. */
async function commandLine(pid: number): Promise<string> {
  try {
    if (existsSync("/proc/self/cmdline")) return await readFile(`/proc/${pid}/cmdline`, "utf8");
    return (await promisify(execFile)("ps", ["-o", "command=", "-p", String(pid)])).stdout;
  } catch {
    return "";
  }
}
