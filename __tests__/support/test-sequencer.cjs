/**
 * The order of the test files: those that take longest come first, so that no core waits at the end for one of them. Jest
 * itself orders by file size where it has no times of an earlier run, and size says little here.
 */

const { default: TestSequencer } = require("@jest/test-sequencer");

/** Files that take longest, in this order. Only the order of magnitude matters. */
const LONGEST_FIRST = [
  "local/main-job",
  "readme",
  "evidence/checks/drill-crash",
  "evidence/checks/sweep",
  "cli/redrive",
  "evidence/checks/drill",
  "interop/interop",
  "docs",
  "evidence/sealing/race",
  "handlers/crash",
  "backup/embedded",
  "evidence/checks/drill-pieces",
  "local/embedded-aws",
  "ledger/operations/persist-payments",
  "evidence/report/browser",
  "evidence/verifier/packs",
  "cli/backup",
  "evidence/sealing/bundle",
  "evidence/sealing/missing-packs",
  "evidence/sealing/publish",
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
