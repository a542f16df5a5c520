// One caller: a process that holds the function's bundle, as Lambda would, and calls it with each event that its parent
// sends. Its parent kills it in the middle of its AWS calls.
"use strict";

const { handler } = require(process.argv[2]);

process.on("message", async ({ event, requestId }) => {
  try {
    const context = { awsRequestId: requestId, getRemainingTimeInMillis: () => 60_000 };
    process.send({ answer: await handler(event, context) });
  } catch (error) {
    process.send({ failed: String(error?.message) });
  }
});
process.once("disconnect", () => process.exit(0));
