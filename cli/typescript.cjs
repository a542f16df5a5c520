/**
 * Loads TypeScript with tsx, and packages as Node.js alone does: for `node cli/typescript.cjs main.ts`, and for a program that
 * requires this file. tsx looks through each file of a package for the syntax of ES modules, and Node.js then decodes the source
 * map at its end: for the classes of the AWS resources that took longer than to load them.
 */

const { enableCompileCache } = require("node:module");
const { join, resolve, sep } = require("node:path");

// Node.js 22 and later can keep compiled code from one start to the next, which saves a fifth of a command's time. It is kept in
// the project, because in a shared folder another user of the machine could leave code that would be run.
enableCompileCache?.(join(__dirname, "..", "node_modules", ".cache", "compiled"));

const PACKAGES = `${sep}node_modules${sep}`;
const withoutTsx = require.extensions[".js"];
require("tsx/cjs");
const withTsx = require.extensions[".js"];

require.extensions[".js"] = (module, file) => {
  if (!file.includes(PACKAGES)) return withTsx(module, file);
  // Node.js asks when it reads a file. The project's own files keep their source maps, so errors name the lines of the source.
  process.setSourceMapsEnabled(false);
  try {
    withoutTsx(module, file);
  } finally {
    process.setSourceMapsEnabled(true);
  }
};

if (require.main === module) require(resolve(process.argv[2]));
