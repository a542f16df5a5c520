/**
 * The order of the test files: those that take longest come first, so that no core waits at the end for one of them. Jest
 * itself orders by file size where it has no times of an earlier run, and size says little here.
 */

const { existsSync } = require("node:fs");
const path = require("node:path");
const { default: TestSequencer } = require("@jest/test-sequencer");

/** Files that take longest, in this order. Only the order of magnitude matters. */
const LONGEST_FIRST = [
  "local/main-job",
  "readme",
  "interop/interop",
  "evidence/checks/drill-crash",
  "evidence/verifier/mutation-records",
  "evidence/checks/sweep",
  "evidence/verifier/mutation-evidence",
  "evidence/sealing/race",
  "cli/backup",
  "evidence/checks/drill",
  "handlers/crash",
  "evidence/verifier/threads",
  "cli/redrive",
  "ledger/operations/file-integrity",
  "evidence/verifier/hostile-files",
  "tools/build-handlers",
  "evidence/commands/commands",
  "stacks/app",
  "stacks/hcl",
].map((name) => path.join(__dirname, "..", `${name}.test.ts`));

const gone = LONGEST_FIRST.filter((file) => !existsSync(file));
if (gone.length > 0) throw new Error(`There is no ${gone.join(", no ")}. Correct LONGEST_FIRST in ${__filename}.`);

function placeOf(test) {
  const place = LONGEST_FIRST.indexOf(test.path);
  return place === -1 ? LONGEST_FIRST.length : place;
}

module.exports = class extends TestSequencer {
  sort(tests) {
    return super.sort(tests).sort((a, b) => placeOf(a) - placeOf(b));
  }
};
