/**
 * Starts the embedded AWS in a separate process, with the resources of the synthesized stacks, and stops it. That process runs
 * this file with the word `serve`.
 */
import "./sdk-warning";
import { type ChildProcess, fork } from "node:child_process";
import { once } from "node:events";
import { openSync } from "node:fs";
import { mkdir, rename, rm, writeFile } from "node:fs/promises";
import path from "node:path";
import { setTimeout as delay } from "node:timers/promises";
import { type Deployment, deploy } from "./deploy";
import { type EmbeddedAws, startEmbeddedAws } from "./embedded-aws";
import { embeddedState, isBackground, stateDirectory, stateFile, type UpState } from "./embedded-state";
import { LocalError, type LocalErrorCode } from "./errors";
import { credentialsOf, DEFAULT_PERSON } from "./iam/identities";

const UP_TIMEOUT_MS = 300_000;
const DOWN_TIMEOUT_MS = 15_000;
const DOWN_POLL_MS = 25;

type ServeMessage = { readonly ready: UpState } | { readonly failed: { code: LocalErrorCode; message: string } };

/** @throws LocalError EMBEDDED_ALREADY_UP: before the minute of work that would be for nothing. */
export async function assertNotUp(directory = stateDirectory()): Promise<void> {
  const existing = await embeddedState(directory);
  if (existing === undefined) return;
  throw new LocalError(
    "EMBEDDED_ALREADY_UP",
    `The embedded AWS is up at ${existing.endpoint} (process ${existing.pid}). Each start begins with nothing; run npx payledger down first.`,
  );
}

/** Starts a background process that holds the embedded AWS and returns when everything is deployed. */
export async function up(outputDirectory: string, directory = stateDirectory()): Promise<UpState> {
  await assertNotUp(directory);
  await mkdir(directory, { recursive: true });
  const log = openSync(path.join(directory, "log.txt"), "w");
  const child = fork(__filename, ["serve", outputDirectory, directory], {
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
export async function down(directory = stateDirectory()): Promise<UpState | undefined> {
  const state = await embeddedState(directory);
  if (state !== undefined) await endProcess(state.pid);
  await rm(directory, { recursive: true, force: true });
  return state;
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
async function serve(outputDirectory: string, directory: string): Promise<void> {
  let aws: EmbeddedAws | undefined;
  const stop = async (code: number) => {
    await aws?.stop();
    await rm(stateFile(directory), { force: true });
    process.exit(code);
  };
  for (const signal of ["SIGTERM", "SIGINT"] as const) process.once(signal, () => void stop(0));
  try {
    aws = await startEmbeddedAws();
    const ready = stateOf(await deploy({ aws, outputDirectory }), aws);
    await writeWhole(stateFile(directory), JSON.stringify(ready, undefined, 2));
    process.send?.({ ready } satisfies ServeMessage);
    // The emulator is unreferenced, so a timer keeps this process alive.
    setInterval(() => {}, 2 ** 30);
  } catch (error) {
    const code = error instanceof LocalError ? error.code : "RESOURCE_FAILED";
    const message = error instanceof Error ? error.message : String(error);
    process.send?.({ failed: { code, message } } satisfies ServeMessage, () => void stop(1));
  }
}

function stateOf({ resources, region, account, gate, outputs }: Deployment, aws: EmbeddedAws): UpState {
  const isSetting = ([name, value]: [string, string | undefined]) =>
    /^PAYMENT_LEDGER_/.test(name) && value !== undefined;
  return {
    pid: process.pid,
    endpoint: gate?.url ?? aws.endpoint,
    inside: aws.endpoint,
    account,
    region,
    ...(gate === undefined ? { accessKeyId: "", secretAccessKey: "" } : credentialsOf(DEFAULT_PERSON)),
    resourceCount: resources.filter(({ block }) => block.mode === "resource").length,
    outputs,
    settings: Object.fromEntries(Object.entries(process.env).filter(isSetting)) as Record<string, string>,
  };
}

async function endProcess(pid: number): Promise<void> {
  process.kill(pid, "SIGTERM");
  const deadline = Date.now() + DOWN_TIMEOUT_MS;
  while (await isBackground(pid)) {
    if (Date.now() > deadline) process.kill(pid, "SIGKILL");
    await delay(DOWN_POLL_MS);
  }
}

async function writeWhole(file: string, text: string): Promise<void> {
  await writeFile(`${file}.new`, text);
  await rename(`${file}.new`, file);
}

if (require.main === module) {
  const [, outputDirectory = "", stateDirectory = ""] = process.argv.slice(2);
  void serve(outputDirectory, stateDirectory);
}
