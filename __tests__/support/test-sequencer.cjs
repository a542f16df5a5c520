/**
 * The order of the test files: those that take longest come first, so that no core waits at the end for one of them. Jest
 * itself orders by file size where it has no times of an earlier run, and size says little here.
 */

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
].map((name) => `__tests__/${name}.test.ts`);

function placeOf({ path }) {
  const place = LONGEST_FIRST.findIndex((name) => path.endsWith(`/${name}`));
  return place === -1 ? LONGEST_FIRST.length : place;
}

module.exports = class extends TestSequencer {
  sort(tests) {
    return super.sort(tests).sort((a, b) => placeOf(a) - placeOf(b));
  }
};

module.exports.LONGEST_FIRST = LONGEST_FIRST;
