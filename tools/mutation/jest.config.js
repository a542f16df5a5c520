/** The tests that `npm run mutate` runs. It adds their folders as `testRegex`. */

const { testMatch: _all, testSequencer: _order, ...common } = require("../../jest.config.js");

/** @type {import('jest').Config} */
module.exports = {
  ...common,
  rootDir: "../..",
  // Stryker resolves it by itself, and adds to it which test reaches which change.
  testEnvironment: require.resolve("../../__tests__/support/test-environment.ts"),
  maxWorkers: 1,
};
