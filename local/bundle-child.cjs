// Runs one built handler once in a process of its own, so that a test can kill it at any moment. Used by run-bundle.ts.
"use strict";

process.once("message", async ({ bundle, event, context }) => {
  let answer;
  try {
    // A function of the runtime cannot travel between processes; the deadline can.
    const deadline = Date.now() + context.timeoutMs;
    const lambdaContext = { ...context, getRemainingTimeInMillis: () => Math.max(0, deadline - Date.now()) };
    answer = { outcome: "answered", answer: (await require(bundle).handler(event, lambdaContext)) ?? null };
  } catch (error) {
    answer = { outcome: "failed", errorName: String(error?.name), errorMessage: String(error?.message) };
  }
  process.send(answer, () => process.exit(0));
});
