/**
 * Runs one built handler bundle in a child process: the only way to kill a function between any two of its AWS calls
 * (with the fault proxy's hooks) and still see everything else as it runs in Lambda.
 */
import { type ChildProcess, fork } from "node:child_process";
import { randomUUID } from "node:crypto";
import { existsSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import path from "node:path";
import { unzipSync } from "fflate";

const TIMEOUT_MS_DEFAULT = 30_000;
const LOGS_CHARS_MAX = 1_000_000;

export interface BundleRun {
  /** The function's zip file, or its bundle: a folder that holds `index.js`, or that file. */
  readonly bundle: string;
  readonly event: unknown;
  /** The function's variables, as `Deployment.functionEnvironment()` gives them. Nothing of this process's environment is added but PATH. */
  readonly environment: Readonly<Record<string, string>>;
  /** Signs the function's AWS calls; take those of the embedded AWS. */
  readonly credentials: { readonly accessKeyId: string; readonly secretAccessKey: string };
  readonly region: string;
  readonly functionName?: string;
  readonly timeoutMs?: number;
}

export type BundleResult = { readonly logs: string } & (
  | { readonly outcome: "answered"; readonly answer: unknown }
  | { readonly outcome: "failed"; readonly errorName: string; readonly errorMessage: string }
  | { readonly outcome: "killed"; readonly signal: NodeJS.Signals | null; readonly exitCode: number | null }
  | { readonly outcome: "timedOut" }
);

export interface RunningBundle {
  readonly pid: number;
  /** Ends the process at once, as a host that dies. Safe when it has ended already. */
  kill(): void;
  readonly result: Promise<BundleResult>;
}

export function startBundle(run: BundleRun): RunningBundle {
  const timeoutMs = run.timeoutMs ?? TIMEOUT_MS_DEFAULT;
  const child = fork(path.join(__dirname, "bundle-child.cjs"), {
    env: childEnvironment(run),
    execArgv: [],
    serialization: "json",
    stdio: ["ignore", "pipe", "pipe", "ipc"],
  });
  child.send({ bundle: path.resolve(fileOf(run.bundle)), event: run.event, context: lambdaContext(run, timeoutMs) });
  return { pid: child.pid ?? 0, kill: () => child.kill("SIGKILL"), result: resultOf(child, timeoutMs) };
}

function fileOf(bundle: string): string {
  const folder = bundle.endsWith(".zip") ? unpacked(bundle) : bundle;
  const index = path.join(folder, "index.js");
  return existsSync(index) ? index : folder;
}

const unpackedFolders = new Map<string, string>();

/** Once for each zip file; the folder goes when this process does. */
function unpacked(zip: string): string {
  const existing = unpackedFolders.get(zip);
  if (existing !== undefined) return existing;
  const folder = mkdtempSync(path.join(tmpdir(), "payment-ledger-bundle-"));
  for (const [name, bytes] of Object.entries(unzipSync(readFileSync(zip))))
    writeFileSync(path.join(folder, name), bytes);
  process.once("exit", () => rmSync(folder, { recursive: true, force: true }));
  unpackedFolders.set(zip, folder);
  return folder;
}

export function runBundle(run: BundleRun): Promise<BundleResult> {
  return startBundle(run).result;
}

function resultOf(child: ChildProcess, timeoutMs: number): Promise<BundleResult> {
  let logs = "";
  for (const stream of [child.stdout, child.stderr]) {
    stream?.on("data", (chunk: Buffer) => {
      logs = (logs + chunk.toString()).slice(-LOGS_CHARS_MAX);
    });
  }
  return new Promise((resolve, reject) => {
    let answer: BundleResult | undefined;
    const timeout = setTimeout(() => {
      answer = { outcome: "timedOut", logs };
      child.kill("SIGKILL");
    }, timeoutMs);
    child.once("message", (message) => {
      answer = message as BundleResult;
    });
    child.once("error", reject);
    // "close" comes after "exit" and after the last byte of both streams.
    child.once("close", (exitCode, signal) => {
      clearTimeout(timeout);
      resolve({ ...(answer ?? { outcome: "killed", signal, exitCode }), logs });
    });
  });
}

function childEnvironment(run: BundleRun): NodeJS.ProcessEnv {
  return {
    PATH: process.env["PATH"],
    TZ: "UTC",
    ...run.environment,
    AWS_REGION: run.region,
    AWS_ACCESS_KEY_ID: run.credentials.accessKeyId,
    AWS_SECRET_ACCESS_KEY: run.credentials.secretAccessKey,
    AWS_CONFIG_FILE: "/nonexistent/aws-config",
    AWS_SHARED_CREDENTIALS_FILE: "/nonexistent/aws-credentials",
    AWS_EC2_METADATA_DISABLED: "true",
    AWS_LAMBDA_FUNCTION_NAME: run.functionName ?? "bundle",
  };
}

function lambdaContext(run: BundleRun, timeoutMs: number) {
  const functionName = run.functionName ?? "bundle";
  return {
    awsRequestId: randomUUID(),
    functionName,
    functionVersion: "$LATEST",
    invokedFunctionArn: `arn:aws:lambda:${run.region}:${run.credentials.accessKeyId}:function:${functionName}`,
    memoryLimitInMB: "1024",
    logGroupName: `/aws/lambda/${functionName}`,
    logStreamName: "local",
    callbackWaitsForEmptyEventLoop: true,
    timeoutMs,
  };
}
