/** The functions' bundles for tests that run them as processes of their own. */

import { mkdtempSync } from "node:fs";
import { tmpdir } from "node:os";
import path from "node:path";
import { buildSync } from "esbuild";
import { PROJECT } from "./project-files";

/** @returns a new folder that holds `<entry>.js` for each entry of `handlers/`; it is the caller's to remove. */
export function bundleHandlers(...entries: readonly string[]): string {
  const folder = mkdtempSync(path.join(tmpdir(), "payment-ledger-bundles-"));
  buildSync({
    absWorkingDir: PROJECT,
    entryPoints: entries.map((entry) => `handlers/${entry}.ts`),
    outdir: folder,
    bundle: true,
    platform: "node",
    target: "node20",
    format: "cjs",
    mainFields: ["module", "main"],
  });
  return folder;
}
