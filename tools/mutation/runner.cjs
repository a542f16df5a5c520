/**
 * Runs the test files that reach the change, the quickest first, up to the first that fails. Stryker alone would load every
 * test file for every change. `environment.ts` notes in Stryker's first run what each file reaches.
 */

const { existsSync, readFileSync } = require("node:fs");
const path = require("node:path");
const { default: TestRunner } = require("jest-runner");

module.exports = class extends TestRunner {
  async runTests(tests, watcher, options) {
    const change = process.env.__STRYKER_ACTIVE_MUTANT__;
    if (change === undefined) return super.runTests(tests, watcher, options);
    let hasFailed = false;
    this.on("test-file-success", ([, result]) => {
      hasFailed ||= result.numFailingTests > 0 || result.testExecError !== undefined;
    });
    this.on("test-file-failure", () => {
      hasFailed = true;
    });
    const reaching = tests
      .map((test) => ({ test, note: noteOf(test) }))
      .filter(({ note }) => note === undefined || note.changes.includes(change))
      .sort((a, b) => (a.note?.ms ?? 0) - (b.note?.ms ?? 0));
    for (const { test } of reaching) {
      if (!hasFailed) await super.runTests([test], watcher, options);
    }
  }
};

function noteOf({ path: file, context }) {
  const { rootDir } = context.config;
  const note = path.join(rootDir, ".reached", `${path.relative(rootDir, file)}.json`);
  return existsSync(note) ? JSON.parse(readFileSync(note, "utf8")) : undefined;
}
