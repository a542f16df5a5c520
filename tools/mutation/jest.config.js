/** The tests that `npm run mutate` runs. It adds their folders as `testRegex`. */

const { testMatch: _all, testSequencer: _order, ...common } = require("../../jest.config.js");

/** @type {import('jest').Config} */
module.exports = {
  ...common,
  rootDir: "../..",
  // Stryker resolves it by itself, and adds to it which test reaches which change.
  testEnvironment: require.resolve("./environment.ts"),
  runner: require.resolve("./runner.cjs"),
  // A change can make a test wait for ever.
  testTimeout: 60_000,
  maxWorkers: 1,
};
