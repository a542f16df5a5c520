/**
 * `npm run checkov` and `npm run tfsec`: a scanner over what dev and prod synthesize, in every layout of the network. Zero failed,
 * apart from the scanner's reviewed exceptions in `<scanner>-exceptions.json`, of which none may be stale.
 */

import { execFileSync } from "node:child_process";
import { mkdirSync, mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { LocalError } from "../local/errors";
import { goProgram } from "../local/go-program";
import { ensureVenv } from "../local/python";
import { inForm } from "../local/synthesize";
import { buildApp } from "../stacks/build-app";
import { loadConfig, OVERRIDES } from "../stacks/config/load";
import { buildArtifacts } from "./build-artifacts";
import { type Exception, judge, type ScanReport, type ScanResults, tfsecResults } from "./scan-judge";

interface Scanner {
  /** The form of Terraform that it reads. */
  readonly form: "json" | "hcl";
  /** @returns scans the stacks in a folder that CDKTF wrote. */
  prepare(): Promise<(outdir: string) => Promise<ScanResults>>;
}

const REPORT_BYTES_MAX = 64 * 1024 * 1024;

/** Each layout of the network is scanned once with production's settings, and one of them with the private API. */
const SCANS: Readonly<Record<string, Readonly<Record<string, string>>>> = {
  dev: { [OVERRIDES.environment]: "dev" },
  prod: { [OVERRIDES.environment]: "prod" },
  "prod-nat": { [OVERRIDES.environment]: "prod", [OVERRIDES.connectivity]: "nat" },
  "prod-nat-privatelink": {
    [OVERRIDES.environment]: "prod",
    [OVERRIDES.connectivity]: "nat-privatelink",
    [OVERRIDES.privateApi]: "on",
    [OVERRIDES.actors]: "caller",
  },
};

const SCANNERS: Readonly<Record<string, Scanner>> = {
  checkov: {
    form: "json",
    async prepare() {
      const requirementsFile = join(__dirname, "checkov-requirements.txt");
      const { python } = await ensureVenv({ name: "checkov", requirementsFile, onInstall: console.error });
      return async (outdir) => {
        dropRequiredVersion(outdir);
        return (JSON.parse(runCheckov(python, outdir)) as { results: ScanResults }).results;
      };
    },
  },
  tfsec: {
    // It misreads the nested blocks of the JSON form.
    form: "hcl",
    async prepare() {
      const tfsec = await goProgram({
        name: "tfsec",
        folder: join(__dirname, "tfsec"),
        package: "github.com/aquasecurity/tfsec/cmd/tfsec",
        files: [],
        onBuild: console.error,
      });
      return async (outdir) => {
        const options = [
          "--format",
          "json",
          "--include-passed",
          "--soft-fail",
          "--no-module-downloads",
          "--no-ignores",
        ];
        const { code, out, err } = await tfsec(outdir, ...options);
        if (code !== 0) throw new Error(`tfsec cannot read the stacks:\n${err}`);
        return tfsecResults(out, outdir);
      };
    },
  },
};

async function main(name = ""): Promise<void> {
  const scanner = SCANNERS[name];
  if (scanner === undefined) throw new Error(`Name one scanner: ${Object.keys(SCANNERS).join(" or ")}.`);
  const scan = await scanner.prepare();
  const reports: ScanReport[] = [];
  for (const environment of Object.keys(SCANS)) {
    reports.push({ environment, ...(await synthesized(environment, scanner.form, scan)) });
  }
  const exceptionsFile = `${name}-exceptions.json`;
  const exceptions = JSON.parse(readFileSync(join(__dirname, exceptionsFile), "utf8")) as Exception[];
  const { passed, excepted, problems } = judge(reports, exceptions, `tools/${exceptionsFile}`);
  for (const problem of problems) console.error(problem);
  console.log(`${name}: ${passed} passed, ${problems.length} failed, ${excepted} excepted`);
  process.exitCode = problems.length === 0 ? 0 : 1;
}

/** Synthesizes into a separate folder and reads that. */
async function synthesized<Result>(
  environment: string,
  form: Scanner["form"],
  read: (outdir: string) => Promise<Result>,
): Promise<Result> {
  const folder = mkdtempSync(join(tmpdir(), "payment-ledger-scan-"));
  try {
    const outdir = join(folder, "out");
    mkdirSync(outdir);
    inForm(form, () => buildApp(loadConfig(SCANS[environment]), buildArtifacts(), outdir).synth());
    return await read(outdir);
  } finally {
    rmSync(folder, { recursive: true });
  }
}

/** Checkov cannot parse a stack whose `terraform` block holds a plain value; it checks nothing in that block. */
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
    maxBuffer: REPORT_BYTES_MAX,
    stdio: ["ignore", "pipe", "pipe"],
  });
}

main(process.argv[2]).catch((error: unknown) => {
  console.error(error instanceof LocalError ? error.message : error);
  process.exitCode = 1;
});
