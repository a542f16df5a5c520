/** The rule that `npm run test:fast` needs no emulator and starts no process. */

import { imports, isCode, type SourceFile } from "./project-files";

const FAST = require("../../jest.fast.config.js") as {
  readonly testRegex: readonly string[];
  readonly testPathIgnorePatterns: readonly string[];
};

function isFast({ path }: SourceFile): boolean {
  const isIn = (patterns: readonly string[]) => patterns.some((pattern) => new RegExp(pattern).test(`/${path}`));
  return isIn(FAST.testRegex) && !isIn(FAST.testPathIgnorePatterns);
}

/** Modules that start a process (esbuild is one), or that the embedded AWS comes with. */
const STARTS_PROCESSES =
  /^node:child_process$|^esbuild$|\/tools\/build-|\/(embedded-aws|shared-aws|ledger-harness|bundles|run-script)$/;

export function processesInFastTests(files: readonly SourceFile[]): string[] {
  return files
    .filter((file) => isCode(file) && isFast(file))
    .flatMap((file) =>
      imports(file, (module) =>
        STARTS_PROCESSES.test(module)
          ? `imports ${module}, and npm run test:fast runs it. Move the test to the folder of what it starts, or name the file as slow in jest.fast.config.js.`
          : undefined,
      ),
    );
}
