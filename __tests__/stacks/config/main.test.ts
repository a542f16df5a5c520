import { spawnSync } from "node:child_process";
import { existsSync, mkdtempSync, readdirSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join, resolve } from "node:path";

const PROJECT = resolve(__dirname, "..", "..", "..");
const LOADER = join(PROJECT, "cli", "typescript.cjs");

function runMain(variables: Record<string, string>) {
  const outdir = mkdtempSync(join(tmpdir(), "payment-ledger-main-"));
  try {
    const { PATH } = process.env;
    const run = spawnSync(process.execPath, [LOADER, join(PROJECT, "main.ts")], {
      cwd: outdir,
      encoding: "utf8",
      // No credentials, no Terraform settings, nothing of the caller's.
      env: { PATH, HOME: outdir, CDKTF_OUTDIR: outdir, ...variables },
    });
    const stacks = join(outdir, "stacks");
    return { ...run, stacks: existsSync(stacks) ? readdirSync(stacks).sort() : [] };
  } finally {
    rmSync(outdir, { recursive: true });
  }
}

test("a wrong configuration is one message, no stack trace, no output", () => {
  const { status, stdout, stderr, stacks } = runMain({ PAYMENT_LEDGER_ENV: "staging" });
  expect([status, stdout, stacks]).toEqual([1, "", []]);
  expect(stderr.trimEnd().split("\n")).toEqual([
    'Configuration error (unknown_environment): there is no environment "staging".',
    "  Rule:   PAYMENT_LEDGER_ENV names one of: dev, prod.",
    '  Remedy: set PAYMENT_LEDGER_ENV to one of them, or add "staging" to stacks/config/environments.ts.',
  ]);
});

test.each(["dev", "prod"])("%s synthesizes from any folder, without credentials", (environment) => {
  const { status, stderr, stacks } = runMain({ PAYMENT_LEDGER_ENV: environment });
  expect([status, stderr]).toEqual([0, ""]);
  expect(stacks).toEqual(["data", "functions", "network", "security"]);
});

test("a small production synthesizes too, and its one zone is a warning", () => {
  const { status, stderr, stacks } = runMain({ PAYMENT_LEDGER_ENV: "prod", PAYMENT_LEDGER_PROFILE: "small" });
  expect([status, stacks.length]).toEqual([0, 4]);
  expect(stderr).toMatch(
    /^Warning: production is in one availability zone \(a\)\.\n {2}What it means: .+\n(.+\n)* {2}To change it: .+\n$/,
  );
});

test("an error that nobody expected names the line of the source", () => {
  const folder = mkdtempSync(join(tmpdir(), "payment-ledger-main-"));
  try {
    const program = join(folder, "fault.ts");
    writeFileSync(
      program,
      "interface Gold {\n  readonly karat: number;\n}\nconst gold: Gold = { karat: 24 };\nthrow new Error(String(gold.karat));\n",
    );
    const { stderr } = spawnSync(process.execPath, [LOADER, program], { encoding: "utf8" });
    expect(stderr).toContain("fault.ts:5");
  } finally {
    rmSync(folder, { recursive: true });
  }
});
