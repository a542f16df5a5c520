/** The rule that tests share the embedded AWS of their worker, and its exceptions. */

import { isCode, isTest, nodes, type SourceFile, usedName } from "./project-files";

/** Test code that may start a separate embedded AWS, and why: each start costs seconds. */
export const OWN_EMBEDDED_AWS: Readonly<Record<string, string>> = {
  "__tests__/support/test-environment.ts": "starts the one that the files of a worker share",
  "__tests__/local/embedded-aws.test.ts": "tests start and stop",
  "__tests__/local/probe-parent.ts": "a separate process, which is killed",
  "__tests__/local/deploy.test.ts": "AWS_ENDPOINT_URL is given, so nothing is started",
  "__tests__/evidence/checks/handlers.test.ts": "two ledgers of the same names at once",
};

export function ownEmulators(files: readonly SourceFile[]): string[] {
  return files
    .filter((file) => isCode(file) && isTest(file) && OWN_EMBEDDED_AWS[file.path] === undefined)
    .flatMap((file) =>
      nodes(file, (node) =>
        usedName(node) === "startEmbeddedAws"
          ? "starts an embedded AWS. Use sharedEmbeddedAws() or startHarness(); if it must be its own, add the reason to OWN_EMBEDDED_AWS."
          : undefined,
      ),
    );
}
