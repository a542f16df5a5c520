/** `npm run embedded -- up|down|status|env`: the embedded AWS in the background, with what the synthesized stacks say. */
import "./sdk-warning";
import { type ChildProcess, execFile, fork } from "node:child_process";
import { once } from "node:events";
import { existsSync, openSync } from "node:fs";
import { mkdir, readFile, rename, rm, writeFile } from "node:fs/promises";
import path from "node:path";
import { setTimeout as delay } from "node:timers/promises";
import { promisify } from "node:util";
import { credentialsOf, deploy } from "./deploy";
import { type EmbeddedAws, startEmbeddedAws } from "./embedded-aws";
import { LocalError, type LocalErrorCode } from "./errors";
import { DEFAULT_PERSON, isPerson, PEOPLE, type PersonId } from "./iam/people";
import { synthesize } from "./synthesize";

const STATE_DIRECTORY = path.join(__dirname, "..", ".local", "embedded");
const UP_TIMEOUT_MS = 300_000;
const DOWN_TIMEOUT_MS = 15_000;
const DOWN_POLL_MS = 25;

/** What `up` leaves behind for `down`, `status` and a curious reader. */
export interface UpState {
  readonly pid: number;
  readonly endpoint: string;
  readonly region: string;
  readonly accessKeyId: string;
  readonly secretAccessKey: string;
  readonly resourceCount: number;
}

const NOT_UP = "The embedded AWS is not up. Bring it up with: npm run embedded -- up";

type ServeMessage = { readonly ready: UpState } | { readonly failed: { code: LocalErrorCode; message: string } };

/** Starts a background process that holds the embedded AWS and returns when everything is deployed. */
export async function up(outputDirectory: string, stateDirectory = STATE_DIRECTORY): Promise<UpState> {
  const existing = await status(stateDirectory);
  if (existing !== undefined) {
    throw new LocalError(
      "EMBEDDED_ALREADY_UP",
      `The embedded AWS is up at ${existing.endpoint} (process ${existing.pid}). Each run starts from nothing; run "npm run embedded -- down" first.`,
    );
  }
  await mkdir(stateDirectory, { recursive: true });
  const log = openSync(path.join(stateDirectory, "log.txt"), "w");
  const child = fork(__filename, ["serve", outputDirectory, stateDirectory], {
    detached: true,
    execArgv: ["--require", require.resolve("tsx/cjs")],
    stdio: ["ignore", log, log, "ipc"],
  });
  try {
    return await readyMessage(child);
  } finally {
    if (child.connected) child.disconnect();
    child.unref();
  }
}

/** Returns what was stopped, or undefined where nothing was up. */
export async function down(stateDirectory = STATE_DIRECTORY): Promise<UpState | undefined> {
  const state = await status(stateDirectory);
  if (state !== undefined) await endProcess(state.pid);
  await rm(stateDirectory, { recursive: true, force: true });
  return state;
}

export async function status(stateDirectory = STATE_DIRECTORY): Promise<UpState | undefined> {
  const text = await readFile(stateFile(stateDirectory), "utf8").catch(() => undefined);
  if (text === undefined) return undefined;
  const state = JSON.parse(text) as UpState;
  return (await isOurProcess(state.pid)) ? state : undefined;
}

async function readyMessage(child: ChildProcess): Promise<UpState> {
  const timeout = AbortSignal.timeout(UP_TIMEOUT_MS);
  const ended = once(child, "exit", { signal: timeout }).then(() => undefined);
  const said = once(child, "message", { signal: timeout }).then(([message]) => message as ServeMessage);
  const message = await Promise.race([said, ended]).catch(() => undefined);
  ended.catch(() => undefined);
  said.catch(() => undefined);
  if (message !== undefined && "ready" in message) return message.ready;
  child.kill("SIGTERM");
  if (message !== undefined) throw new LocalError(message.failed.code, message.failed.message);
  throw new LocalError(
    "EMBEDDED_START_TIMEOUT",
    `The embedded AWS was not up within ${UP_TIMEOUT_MS / 1000} s, or ended before. Its log is .local/embedded/log.txt.`,
  );
}

/** The background process. It ends on SIGTERM, and then the emulator and the state file are gone. */
async function serve(outputDirectory: string, stateDirectory: string): Promise<void> {
  let aws: EmbeddedAws | undefined;
  const stop = async (code: number) => {
    await aws?.stop();
    await rm(stateFile(stateDirectory), { force: true });
    process.exit(code);
  };
  for (const signal of ["SIGTERM", "SIGINT"] as const) process.once(signal, () => void stop(0));
  try {
    aws = await startEmbeddedAws();
    const ready = await deployInto(aws, outputDirectory);
    await writeWhole(stateFile(stateDirectory), JSON.stringify(ready, undefined, 2));
    process.send?.({ ready } satisfies ServeMessage);
    // The emulator is unreferenced, so this process needs a reason of its own to stay.
    setInterval(() => {}, 2 ** 30);
  } catch (error) {
    const code = error instanceof LocalError ? error.code : "RESOURCE_FAILED";
    const message = error instanceof Error ? error.message : String(error);
    process.send?.({ failed: { code, message } } satisfies ServeMessage, () => void stop(1));
  }
}

async function deployInto(aws: EmbeddedAws, outputDirectory: string): Promise<UpState> {
  const { resources, region, gate } = await deploy({ aws, outputDirectory });
  return {
    pid: process.pid,
    endpoint: gate?.url ?? aws.endpoint,
    region,
    ...(gate === undefined ? { accessKeyId: "", secretAccessKey: "" } : credentialsOf(DEFAULT_PERSON)),
    resourceCount: resources.filter(({ block }) => block.mode === "resource").length,
  };
}

async function endProcess(pid: number): Promise<void> {
  process.kill(pid, "SIGTERM");
  const deadline = Date.now() + DOWN_TIMEOUT_MS;
  while (await isOurProcess(pid)) {
    if (Date.now() > deadline) process.kill(pid, "SIGKILL");
    await delay(DOWN_POLL_MS);
  }
}

/** A process id is used again one day; only a process that runs this file is ever signalled. */
async function isOurProcess(pid: number): Promise<boolean> {
  const command = await commandLine(pid);
  return command.includes(path.basename(__filename)) && command.includes("serve");
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

function stateFile(directory: string): string {
  return path.join(directory, "state.json");
}

async function writeWhole(file: string, text: string): Promise<void> {
  await writeFile(`${file}.new`, text);
  await rename(`${file}.new`, file);
}

function describe(state: UpState): string {
  return [
    `The embedded AWS is up at ${state.endpoint} (process ${state.pid}) with ${state.resourceCount} resources. To talk to it:`,
    "",
    ...environmentOf(state, DEFAULT_PERSON).map((line) => `  ${line}`),
    "",
    `The access key id says who you are: ${PEOPLE.join(", ")}. For another one's variables:`,
    '  eval "$(npm run embedded --silent -- env --as auditor)"',
    "Stop it, and lose everything in it, with: npm run embedded -- down",
  ].join("\n");
}

/** What a shell evaluates to talk to the embedded AWS as somebody. */
function environmentOf({ endpoint, region }: UpState, person: PersonId): string[] {
  const { accessKeyId, secretAccessKey } = credentialsOf(person);
  return [
    `export AWS_ENDPOINT_URL=${endpoint} AWS_REGION=${region}`,
    `export AWS_ACCESS_KEY_ID=${accessKeyId} AWS_SECRET_ACCESS_KEY=${secretAccessKey}`,
    "unset AWS_PROFILE AWS_SESSION_TOKEN",
  ];
}

/** @throws LocalError `PERSON_UNKNOWN`. */
export function personIn(words: readonly string[]): PersonId {
  const [option, person = DEFAULT_PERSON, ...rest] = words;
  if ((option === undefined || option === "--as") && rest.length === 0 && isPerson(person)) return person;
  throw new LocalError("PERSON_UNKNOWN", `Say "env --as" and one of ${PEOPLE.join(", ")}.`);
}

/** With AWS_ENDPOINT_URL set there is nothing to hold in the background: deploy there and return. */
async function upCommand(): Promise<string> {
  const outputDirectory = await synthesize(process.env["CDKTF_OUTDIR"]);
  if (!process.env["AWS_ENDPOINT_URL"]) return describe(await up(outputDirectory));
  const aws = await startEmbeddedAws();
  const { resourceCount } = await deployInto(aws, outputDirectory);
  return `Deployed ${resourceCount} resources to ${aws.endpoint}, which AWS_ENDPOINT_URL names. "down" leaves it alone.`;
}

async function command(name: string | undefined, words: readonly string[]): Promise<string> {
  switch (name) {
    case "up":
      return upCommand();
    case "down": {
      const stopped = await down();
      return stopped === undefined
        ? "The embedded AWS was not up."
        : `The embedded AWS at ${stopped.endpoint} is gone.`;
    }
    case "status": {
      const state = await status();
      if (state !== undefined) return describe(state);
      process.exitCode = 1;
      return NOT_UP;
    }
    case "env": {
      const person = personIn(words);
      const state = await status();
      if (state !== undefined) return environmentOf(state, person).join("\n");
      throw new LocalError("EMBEDDED_NOT_UP", NOT_UP);
    }
    default:
      process.exitCode = 2;
      return `Usage: npm run embedded -- up|down|status|env [--as ${PEOPLE.join("|")}]`;
  }
}

if (require.main === module) {
  const [name, ...words] = process.argv.slice(2);
  if (name === "serve") {
    const [outputDirectory = "", stateDirectory = ""] = words;
    void serve(outputDirectory, stateDirectory);
  } else {
    command(name, words).then(
      (text) => process.stdout.write(`${text}\n`),
      (error: unknown) => {
        process.stderr.write(`${error instanceof LocalError ? error.message : String((error as Error).stack)}\n`);
        process.exitCode = 1;
      },
    );
  }
}
