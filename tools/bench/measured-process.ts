/** Runs one job of a benchmark in a separate process and reads what it took. */

import { execFile } from "node:child_process";
import { mkdtempSync, readFileSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import path from "node:path";
import { promisify } from "node:util";
import { buildSync } from "esbuild";
import { unzipSync } from "fflate";
import type { FUNCTIONS } from "../../contract";
import { ensureVenv } from "../../local/python";
import { buildHandlers } from "../build-handlers";
import { FILES_BUCKET, functionEnvironment } from "./stub";

export interface Job {
  /** `single` and `list` call the function `calls` times, `file` reads as many files, `cold` measures from the process's start. */
  readonly mode: "single" | "list" | "file" | "cold";
  readonly calls?: number;
  readonly inFlight?: number;
  readonly listLength?: number;
}

export interface RunCost {
  readonly cpuMs: number;
  readonly wallMs: number;
  readonly payments: number;
}

/** What is measured: the function's bundle, or a peer. */
export type Runner = (job: Job, url: string) => Promise<RunCost>;

const CREDENTIALS = {
  AWS_REGION: "us-east-1",
  AWS_DEFAULT_REGION: "us-east-1",
  AWS_ACCESS_KEY_ID: "111122223333",
  AWS_SECRET_ACCESS_KEY: "bench",
  AWS_EC2_METADATA_DISABLED: "true",
  AWS_CONFIG_FILE: "/nonexistent/aws-config",
  AWS_SHARED_CREDENTIALS_FILE: "/nonexistent/aws-credentials",
  AWS_SDK_JS_NODE_VERSION_SUPPORT_WARNING_DISABLED: "true",
  AWS_LAMBDA_FUNCTION_NAME: "bench",
};

/** The unpacked bundle of one function, as Lambda would load it. */
export function unpackedBundle(entry: (typeof FUNCTIONS)[keyof typeof FUNCTIONS]["entry"]): string {
  const { zip } = buildHandlers()(entry);
  const folder = mkdtempSync(path.join(tmpdir(), "payment-ledger-bench-"));
  writeFileSync(path.join(folder, "index.js"), unzipSync(readFileSync(zip))["index.js"] as Uint8Array);
  return folder;
}

export function nodeRunner(bundle: string): Runner {
  return (job, url) =>
    run(process.execPath, [path.join(__dirname, "client.cjs")], { ...job, bundle, filesBucket: FILES_BUCKET }, url);
}

export async function boto3Runner(): Promise<Runner> {
  const requirementsFile = path.join(__dirname, "requirements.txt");
  const { python } = await ensureVenv({ name: "bench", requirementsFile, onInstall: (line) => console.error(line) });
  return (job, url) => run(python, [path.join(__dirname, "peers", "put_item.py")], job, url);
}

export function bareSdkRunner(): Runner {
  const outfile = path.join(mkdtempSync(path.join(tmpdir(), "payment-ledger-bench-")), "index.js");
  buildSync({
    entryPoints: [path.join(__dirname, "peers", "put-item.ts")],
    outfile,
    bundle: true,
    platform: "node",
    target: "node20",
    mainFields: ["module", "main"],
    minifySyntax: true,
    minifyWhitespace: true,
    logLevel: "silent",
  });
  return nodeRunner(path.dirname(outfile));
}

async function run(program: string, programArguments: string[], job: object, url: string): Promise<RunCost> {
  const started = performance.now();
  const { stdout, stderr } = await promisify(execFile)(program, [...programArguments, JSON.stringify(job)], {
    env: {
      TZ: "UTC",
      ...functionEnvironment(url),
      ...CREDENTIALS,
    },
    maxBuffer: 2 ** 28,
  });
  const wallMs = performance.now() - started;
  // The function's own log lines come before it.
  const last = `${stdout}\n${stderr}`.trimEnd().split("\n").at(-1) ?? "";
  return { wallMs, payments: 0, ...(JSON.parse(last) as Partial<RunCost> & { cpuMs: number }) };
}
