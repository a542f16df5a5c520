// Preloaded into a process: writes every host and port that it connects to, and every name it looks up, to a file.
"use strict";
const { appendFileSync } = require("node:fs");
const dns = require("node:dns");
const net = require("node:net");

const file = process.env.CONNECTIONS_FILE;
const connect = net.Socket.prototype.connect;
net.Socket.prototype.connect = function recorded(...args) {
  const [first] = args;
  const options = Array.isArray(first) ? first[0] : first;
  if (options?.port !== undefined) appendFileSync(file, `${options.host ?? "localhost"}:${options.port}\n`);
  return connect.apply(this, args);
};
const lookup = dns.lookup;
dns.lookup = function recorded(name, ...rest) {
  if (!net.isIP(name)) appendFileSync(file, `lookup ${name}\n`);
  return lookup.call(this, name, ...rest);
};
