#!/usr/bin/env node
// Stands in for a command of a document's shell block: notes how it was called and answers what its test says.

const { appendFileSync, existsSync, readFileSync } = require("node:fs");
const { basename, join } = require("node:path");

const folder = process.env.STUB_FOLDER;
const args = process.argv.slice(2);
const call = { tool: basename(process.argv[1]), args, files: {} };
for (const arg of args) {
  const path = arg.replace(/^file:\/\//, "");
  if (path.endsWith(".json") && existsSync(path)) call.files[path] = readFileSync(path, "utf8");
}
const log = join(folder, "calls.ndjson");
const earlier = existsSync(log) ? readFileSync(log, "utf8") : "";
appendFileSync(log, `${JSON.stringify(call)}\n`);
const line = [call.tool, ...args].join(" ");
// An answer is given once where it says so: a loop over what is left must come to its end.
const answers = JSON.parse(readFileSync(join(folder, "answers.json"), "utf8"));
const answer = answers.find(({ of, once }) => line.startsWith(of) && !(once && earlier.includes(JSON.stringify(call))));
process.stdout.write(answer?.says ?? "");
