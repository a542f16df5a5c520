/** The tests that `npm run mutate` runs. MUTATED_TESTS names their folders below `__tests__/`, as a pattern. */

const { testMatch: _all, testSequencer: _order, ...common } = require("../../jest.config.js");

/** @type {import('jest').Config} */
module.exports = {
  ...common,
  rootDir: "../..",
  // Stryker resolves it by itself, and adds to it which test reaches which change.
  testEnvironment: require.resolve("../../__tests__/support/test-environment.ts"),
  testRegex: [`/__tests__/${process.env.MUTATED_TESTS}/.+\\.test\\.ts$`],
  maxWorkers: 1,
};
