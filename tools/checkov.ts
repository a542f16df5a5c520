/**
 * `npm run checkov`: Checkov over what dev and prod synthesize, in every layout of the network. Zero failed, apart from the reviewed exceptions of
 * `checkov-exceptions.json`, of which none may be stale.
 */

import { execFileSync } from "node:child_process";
import { mkdirSync, mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { LocalError } from "../local/errors";
import { ensureVenv } from "../local/python";
import { buildApp } from "../stacks/build-app";
import { loadConfig, OVERRIDES } from "../stacks/config/load";
import { buildArtifacts } from "./build-artifacts";
import { type CheckovReport, type Exception, judge } from "./checkov-judge";

/** Each layout of the network is scanned once with production's settings. */
const SCANS: Readonly<Record<string, Readonly<Record<string, string>>>> = {
  dev: { [OVERRIDES.environment]: "dev" },
  prod: { [OVERRIDES.environment]: "prod" },
  "prod-nat": { [OVERRIDES.environment]: "prod", [OVERRIDES.connectivity]: "nat" },
  "prod-nat-privatelink": { [OVERRIDES.environment]: "prod", [OVERRIDES.connectivity]: "nat-privatelink" },
};

async function main(): Promise<void> {
  const venv = await ensureVenv({
    name: "checkov",
    requirementsFile: join(__dirname, "checkov-requirements.txt"),
    onInstall: (message) => console.error(message),
  });
  const reports = Object.keys(SCANS).map((name) => scan(name, venv.python));
  const exceptions = JSON.parse(readFileSync(join(__dirname, "checkov-exceptions.json"), "utf8")) as Exception[];
  const { passed, excepted, problems } = judge(reports, exceptions);
  for (const problem of problems) {
    console.error(problem);
  }
  console.log(`checkov: ${passed} passed, ${problems.length} failed, ${excepted} excepted`);
  process.exitCode = problems.length === 0 ? 0 : 1;
}

/** Synthesizes into a folder of its own and scans that. */
function scan(name: string, python: string): CheckovReport {
  const folder = mkdtempSync(join(tmpdir(), "payment-ledger-checkov-"));
  try {
    const outdir = join(folder, "out");
    mkdirSync(outdir);
    buildApp(loadConfig(SCANS[name]), buildArtifacts(), outdir).synth();
    dropRequiredVersion(outdir);
    const report = JSON.parse(runCheckov(python, outdir)) as { results: Omit<CheckovReport, "environment"> };
    return { environment: name, ...report.results };
  } finally {
    rmSync(folder, { recursive: true });
  }
}

/** Checkov cannot parse a stack whose `terraform` block holds a plain value; nothing that it checks stands there. */
function dropRequiredVersion(outdir: string): void {
  for (const stack of readdirSync(join(outdir, "stacks"))) {
    const file = join(outdir, "stacks", stack, "cdk.tf.json");
    const content = JSON.parse(readFileSync(file, "utf8")) as { terraform: Record<string, unknown> };
    delete content.terraform["required_version"];
    writeFileSync(file, JSON.stringify(content, null, 2));
  }
}

/** Checkov exits with 1 where a check failed; its report tells more, so only a missing report is an error. */
function runCheckov(python: string, folder: string): string {
  // `terraform_json`: under `terraform` it would scan nothing, report zero failures and succeed.
  const options = ["--framework", "terraform_json", "--skip-download", "--compact", "--soft-fail", "--output", "json"];
  return execFileSync(python, ["-m", "checkov.main", "--directory", folder, ...options], {
    encoding: "utf8",
    maxBuffer: 64 * 1024 * 1024,
    stdio: ["ignore", "pipe", "pipe"],
  });
}

main().catch((error: unknown) => {
  console.error(error instanceof LocalError ? error.message : error);
  process.exitCode = 1;
});
