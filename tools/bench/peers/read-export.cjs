/** What no reader of an export can leave out: gunzip, JSON.parse and one SHA-256 a line. Prints how many lines there are. */

const { hash } = require("node:crypto");
const { readdirSync, readFileSync } = require("node:fs");
const { join } = require("node:path");
const { gunzipSync } = require("node:zlib");

const [, , folder] = process.argv;
let lines = 0;
let last = "";
for (const name of readdirSync(folder, { recursive: true, encoding: "utf8" })) {
  if (!name.endsWith(".json.gz")) continue;
  const plain = gunzipSync(readFileSync(join(folder, name)));
  for (let start = 0, end = plain.indexOf(10); end >= 0; start = end + 1, end = plain.indexOf(10, start)) {
    const line = plain.toString("utf8", start, end);
    JSON.parse(line);
    last = hash("sha256", line, "hex");
    lines += 1;
  }
}
if (last === "") throw new Error("There are no records.");
console.log(lines);
