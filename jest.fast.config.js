/** `npm run test:fast`: the rules of what is accepted and stored, and the stacks. No emulator and no child process. */

/** Each searches many inputs, synthesizes many layouts, or runs the app in separate processes. */
const slow = [
  "ledger/rules/(card-numbers|card-data|canonical-json|schema)",
  "ledger/files/(rows|card-data-search|progress)",
  "stacks/(app|hcl)",
  "stacks/config/main",
];

const { testMatch: _all, ...common } = require("./jest.config.js");

/** @type {import('jest').Config} */
module.exports = {
  ...common,
  testRegex: ["/__tests__/(ledger/(rules|files|store)|evidence/log|stacks)/.+\\.test\\.ts$"],
  testPathIgnorePatterns: slow.map((names) => `/__tests__/${names}\\.test\\.ts$`),
};
