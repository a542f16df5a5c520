/** `npm run validate-oscal`: has compliance-trestle validate `docs/pci-dss.oscal.json`, in a separate Python environment. */

import { execFileSync } from "node:child_process";
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { ensureVenv } from "../../local/python";

const DOCUMENT = join(__dirname, "..", "..", "docs", "pci-dss.oscal.json");

/** @throws Error with what the validator says, when it refuses the document. */
async function validate(document: string): Promise<void> {
  const requirementsFile = join(__dirname, "oscal-requirements.txt");
  const { python } = await ensureVenv({ name: "oscal", requirementsFile, onInstall: console.error });
  const workspace = mkdtempSync(join(tmpdir(), "payment-ledger-oscal-"));
  const trestle = (...words: string[]) =>
    execFileSync(python, ["-m", "trestle", ...words], { cwd: workspace, encoding: "utf8", stdio: "pipe" });
  try {
    trestle("init", "--local");
    // It imports what is valid, and nothing else.
    trestle("import", "--file", document, "--output", "payment-ledger");
    console.log(trestle("validate", "--all").trim());
  } catch (error) {
    const { stdout = "", stderr = "" } = error as { stdout?: string; stderr?: string };
    throw new Error(`${document} is no valid OSCAL.\n${`${stdout}${stderr}`.trim() || error}`);
  } finally {
    rmSync(workspace, { recursive: true, force: true });
  }
}

validate(process.argv[2] ?? DOCUMENT).catch((error: unknown) => {
  console.error(error instanceof Error ? error.message : error);
  process.exitCode = 1;
});
