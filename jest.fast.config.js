/** `npm run test:fast`: the rules of what is accepted and stored, and the stacks. No emulator and no child process. */

/** Each searches many inputs, synthesizes many layouts, or runs the app in processes of its own. */
const slow = [
  "ledger/(card-numbers|card-data|canonical-json|schema)",
  "files/(rows|card-data-search|progress)",
  "stacks/(app|hcl)",
  "config/main",
];

/** @type {import('jest').Config} */
module.exports = {
  ...require("./jest.config.js"),
  testMatch: ["<rootDir>/__tests__/{config,files,ledger,log,stacks}/**/*.test.ts"],
  testPathIgnorePatterns: slow.map((names) => `/__tests__/${names}\\.test\\.ts$`),
};
