/** `npm run test:fast`: the rules of what is accepted and stored, and the stacks. No emulator and no child process. */

/** Each searches many inputs, synthesizes many layouts, or runs the app in processes of its own. */
const slow = [
  "ledger/rules/(card-numbers|card-data|canonical-json|schema)",
  "ledger/files/(rows|card-data-search|progress)",
  "stacks/(app|hcl)",
  "stacks/config/main",
];

/** @type {import('jest').Config} */
module.exports = {
  ...require("./jest.config.js"),
  testMatch: ["<rootDir>/__tests__/{ledger/{rules,files},evidence/log,stacks}/**/*.test.ts"],
  testPathIgnorePatterns: slow.map((names) => `/__tests__/${names}\\.test\\.ts$`),
};
