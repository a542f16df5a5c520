/** All tests: the slowest files first, one embedded AWS for each worker. */

const { availableParallelism } = require("node:os");

/** @type {import('jest').Config} */
module.exports = {
  // One embedded AWS for all test files of a worker.
  testEnvironment: "<rootDir>/__tests__/support/test-environment.ts",
  runtime: "<rootDir>/__tests__/support/test-runtime.cjs",
  testSequencer: "<rootDir>/__tests__/support/test-sequencer.cjs",
  setupFiles: ["<rootDir>/local/sdk-warning.ts"],
  testMatch: ["<rootDir>/__tests__/**/*.test.ts"],
  transform: {
    "^.+\\.ts$": ["@swc/jest", { jsc: { parser: { syntax: "typescript" }, target: "es2022" } }],
  },
  modulePathIgnorePatterns: ["<rootDir>/cdktf.out", "<rootDir>/.local", "<rootDir>/dist"],
  // An emulator starts in seconds on an idle machine, and in minutes on one that does much else.
  testTimeout: 180_000,
  // Jest's default leaves one core idle. Many suites wait for an emulator or for processes, so there is one worker more than
  // there are cores.
  maxWorkers: availableParallelism() + 1,
};
