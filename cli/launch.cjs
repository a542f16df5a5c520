#!/usr/bin/env node
// Starts the command from its TypeScript source. `npx payledger` finds it through package.json's `bin`.

// The SDK's advice on Node.js versions, nine lines at each call, is for who writes the program and not for who uses it.
process.env.AWS_SDK_JS_NODE_VERSION_SUPPORT_WARNING_DISABLED ??= "true";
try {
  require("./typescript.cjs");
} catch (error) {
  if (error.code !== "MODULE_NOT_FOUND") throw error;
  console.error("The packages are not installed. Run npm ci in the project's folder, then this command again.");
  process.exit(2);
}
require("./payledger.ts");
