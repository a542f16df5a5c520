/** Loaded into each Node.js process of a command under test: refuses to look up host names, and writes down which were asked for. */

const { appendFileSync } = require("node:fs");
const dns = require("node:dns");

const lookup = dns.lookup;
dns.lookup = (host, options, callback) => {
  if (host === "localhost" || host === "127.0.0.1") return lookup(host, options, callback);
  appendFileSync(process.env.REFUSED_CALLS, `${host}\n`);
  const answer = typeof options === "function" ? options : callback;
  process.nextTick(answer, Object.assign(new Error(`refused by the test: ${host}`), { code: "ENOTFOUND" }));
};
