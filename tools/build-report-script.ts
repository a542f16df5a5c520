/**
 * `npm run report-script`: bundles the script that checks a report in its reader's browser into `evidence/report/page-script.json`,
 * from where reports are written. It stays readable: the reader of a report may want to read it.
 */

import { writeFileSync } from "node:fs";
import { join, resolve } from "node:path";
import { buildSync } from "esbuild";

const PROJECT = resolve(__dirname, "..");
export const SCRIPT_FILE = join(PROJECT, "evidence", "report", "page-script.json");

/** The same source gives the same lines. */
export function reportScript(): string[] {
  const { outputFiles } = buildSync({
    absWorkingDir: PROJECT,
    entryPoints: ["evidence/report/page-script.ts"],
    write: false,
    bundle: true,
    platform: "browser",
    target: "es2022",
    format: "iife",
    legalComments: "none",
    charset: "ascii",
    logLevel: "silent",
    tsconfigRaw: { compilerOptions: { target: "es2022" } },
  });
  return (outputFiles[0]?.text ?? "").trimEnd().split("\n");
}

if (require.main === module) {
  const lines = reportScript();
  writeFileSync(SCRIPT_FILE, `${JSON.stringify({ lines }, undefined, 2)}\n`);
  console.log(`${SCRIPT_FILE}: ${lines.join("\n").length} bytes in ${lines.length} lines`);
}
