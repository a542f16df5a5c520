/** `payledger doctor`: what this machine has of what the project needs, each with a remedy. */

import { execFileSync } from "node:child_process";
import type { CommandArguments, CommandBody } from "../evidence/commands/command";
import { ANSWER_IS_NO, checkNode, DONE } from "../evidence/commands/program";
import { loadConfig } from "../stacks/config/load";
import { AWS_OPTIONS, useAws } from "./aws";
import { explainError } from "./explain-error";

interface Diagnosis {
  readonly what: string;
  readonly ok: boolean;
  readonly found: string;
  /** What needs it. */
  readonly for: string;
  readonly remedy?: string;
}

const CLOCK_SKEW_MAX_MS = 60_000;
const TERRAFORM_MIN = [1, 10] as const;
const PYTHON_MIN = [3, 10] as const;

export const doctor: CommandBody = {
  details:
    "Node.js, Python and Terraform on this machine; configuration, AWS credentials, region and clock. Ends with 1 when something is missing.",
  options: AWS_OPTIONS,
  run: async (args, terminal) => {
    args.noOperand();
    const local = [nodeDiagnosis(), pythonDiagnosis(), terraformDiagnosis(), configDiagnosis(args)];
    const all = [...local, ...(await awsDiagnoses(args))];
    terminal.answer(all, all.map(lineOf).join("\n"));
    return all.every(({ ok }) => ok) ? DONE : ANSWER_IS_NO;
  },
};

function lineOf({ what, ok, found, for: purpose, remedy }: Diagnosis): string {
  const line = `${ok ? "ok     " : "MISSING"} ${what}: ${found} (for ${purpose})`;
  return ok || remedy === undefined ? line : `${line}\n        ${remedy}`;
}

function nodeDiagnosis(): Diagnosis {
  const what = { what: "Node.js", for: "everything", found: process.versions.node };
  try {
    checkNode(process.versions.node);
    return { ...what, ok: true };
  } catch {
    return { ...what, ok: false, remedy: "Install Node.js 20.12 or newer." };
  }
}

/** The first line that a program prints; undefined when there is no such program. */
function printedBy(program: string, args: readonly string[]): string | undefined {
  try {
    return execFileSync(program, args, {
      encoding: "utf8",
      stdio: ["ignore", "pipe", "ignore"],
      timeout: 20_000,
    }).trim();
  } catch {
    return undefined;
  }
}

function isAtLeast(version: string, [major, minor]: readonly [number, number]): boolean {
  const [, foundMajor = 0, foundMinor = 0] = /(\d+)\.(\d+)/.exec(version)?.map(Number) ?? [];
  return foundMajor > major || (foundMajor === major && foundMinor >= minor);
}

function pythonDiagnosis(): Diagnosis {
  const names = ["python3.13", "python3.12", "python3.11", "python3.10", "python3.14", "python3"];
  const check = "import sys, venv, ensurepip; print('.'.join(map(str, sys.version_info[:3])))";
  const versions = names.map((name) => printedBy(name, ["-c", check]) ?? "");
  const found = versions.find((version) => isAtLeast(version, PYTHON_MIN));
  return {
    what: "Python with venv",
    ok: found !== undefined,
    found: found ?? "none that is new enough",
    for: "the embedded AWS: npm start, npx payledger up",
    remedy: "Install Python 3.10 or newer with its venv module (Debian and Ubuntu: apt install python3 python3-venv).",
  };
}

function terraformDiagnosis(): Diagnosis {
  const found = printedBy("terraform", ["version"])?.split("\n")[0];
  return {
    what: "Terraform",
    ok: found !== undefined && isAtLeast(found, TERRAFORM_MIN),
    found: found ?? "none",
    for: "deploying to AWS",
    remedy: "Install Terraform 1.10 or newer from its makers.",
  };
}

function configDiagnosis(args: CommandArguments): Diagnosis {
  const what = { what: "Configuration", for: "synthesizing, and the names of everything" };
  try {
    const name = args.one("env");
    const { environment, region, suffix } = loadConfig(
      name === undefined ? process.env : { ...process.env, PAYMENT_LEDGER_ENV: name },
    );
    return { ...what, ok: true, found: `environment ${environment}, region ${region}, suffix ${suffix}` };
  } catch (error) {
    return { ...what, ok: false, found: "refused", remedy: error instanceof Error ? error.message : String(error) };
  }
}

async function awsDiagnoses(args: CommandArguments): Promise<Diagnosis[]> {
  const { GetCallerIdentityCommand, STSClient } =
    require("@aws-sdk/client-sts") as typeof import("@aws-sdk/client-sts");
  const purpose = "every command that talks to AWS";
  const notes: string[] = [];
  try {
    await useAws(args, { tell: (text) => notes.push(text) });
    const sts = new STSClient({});
    const region = await sts.config.region();
    let answeredAt: string | undefined;
    sts.middlewareStack.add(
      (next) => async (args) => {
        const result = await next(args);
        const { headers = {} } = (result.response ?? {}) as { headers?: Readonly<Record<string, string>> };
        answeredAt = headers["date"];
        return result;
      },
      { step: "deserialize", name: "readDate" },
    );
    const { Arn } = await sts.send(new GetCallerIdentityCommand({}));
    return [
      { what: "AWS", ok: true, found: [`${Arn} in ${region}`, ...notes].join("; "), for: purpose },
      regionDiagnosis(region),
      clockDiagnosis(answeredAt),
    ];
  } catch (error) {
    const remedy = explainError(error)?.message ?? (error instanceof Error ? error.message : String(error));
    return [{ what: "AWS", ok: false, found: "cannot be used", for: purpose, remedy }];
  }
}

/** The region of the commands must be that of the configuration, or they look for names that lie elsewhere. */
function regionDiagnosis(region: string): Diagnosis {
  const configured = safely(() => loadConfig().region);
  return {
    what: "Region",
    ok: configured === region,
    found: `${region}; the configuration names ${configured ?? "none"}`,
    for: "finding the deployment",
    remedy: `Give --region ${configured ?? "REGION"}, or set PAYMENT_LEDGER_REGION together with another suffix.`,
  };
}

function safely<T>(work: () => T): T | undefined {
  try {
    return work();
  } catch {
    return undefined;
  }
}

function clockDiagnosis(answeredAt: string | undefined): Diagnosis {
  const what = { what: "Clock", for: "signatures of calls, and times in the ledger" };
  if (answeredAt === undefined) return { ...what, ok: true, found: "not compared: the endpoint names no time" };
  const skewMs = Date.now() - Date.parse(answeredAt);
  return {
    ...what,
    ok: Math.abs(skewMs) <= CLOCK_SKEW_MAX_MS,
    found: `${Math.round(Math.abs(skewMs) / 1000)} s from AWS's`,
    remedy: "Set this machine's clock, best by NTP.",
  };
}
