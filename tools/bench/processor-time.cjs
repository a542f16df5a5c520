/** `node --require` loads it before a program: prints what the process took, as JSON on its last line, when it ends. */

const { isMainThread } = require("node:worker_threads");

// A thread of the program loads this too, and its process is measured once.
if (isMainThread)
  process.on("exit", () => {
    const { user, system } = process.cpuUsage();
    console.log(JSON.stringify({ cpuMs: (user + system) / 1000, peakMb: process.resourceUsage().maxRSS / 1024 }));
  });
