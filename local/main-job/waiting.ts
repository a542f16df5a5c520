/** Waiting for what functions do on their own, after a file was dropped or a message sent. */

import { setTimeout as delay } from "node:timers/promises";
import { JobError } from "./errors";

const POLL_MS = 100;
/** Far more than any of it takes, so that a slow machine is no failure. */
const WAIT_MAX_MS = 60_000;

/** Asks until there is an answer. */
export async function until<Answer>(what: string, ask: () => Promise<Answer | undefined>): Promise<Answer> {
  const deadline = Date.now() + WAIT_MAX_MS;
  for (;;) {
    const answer = await ask();
    if (answer !== undefined) return answer;
    if (Date.now() > deadline) throw neverCame(what);
    await delay(POLL_MS);
  }
}

function neverCame(what: string): JobError {
  return new JobError(
    "NOTHING_CAME",
    `${what} did not come within ${WAIT_MAX_MS / 1000} s.`,
    "Files and messages start their functions by themselves, as the stacks wire them.",
    "look at the function's log and at stacks/constructs/feeds.ts.",
  );
}
