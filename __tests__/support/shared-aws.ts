/** The embedded AWS of this jest worker, empty at the start of each test file. Its process is shared, its state is not. */

import type { EmbeddedAws } from "../../local/embedded-aws";

declare global {
  /** Set by `test-environment.ts`. */
  var embeddedAwsOfWorker: () => Promise<EmbeddedAws>;
}

let used = false;

/**
 * `stop()` empties the emulator and leaves its process to the next file. At an endpoint that AWS_ENDPOINT_URL gave,
 * nothing is emptied.
 *
 * @throws Error if this test file uses it already: emptying it would remove what the file has there.
 */
export async function sharedEmbeddedAws(): Promise<EmbeddedAws> {
  if (used) {
    throw new Error(
      "This test file uses the shared embedded AWS already. Pass the one that it has, or stop that first.",
    );
  }
  const aws = await globalThis.embeddedAwsOfWorker();
  if (aws.kind === "external") return aws;
  used = true;
  // An earlier file of this worker may have failed before it stopped what it used.
  await empty(aws);
  const endings: (() => Promise<void>)[] = [];
  return {
    ...aws,
    beforeStop: (work) => endings.push(work),
    stop: async () => {
      await Promise.all(endings.splice(0).map((work) => work()));
      await empty(aws);
      used = false;
    },
  };
}

async function empty({ endpoint }: EmbeddedAws): Promise<void> {
  const answer = await fetch(`${endpoint}/_ministack/reset`, { method: "POST" });
  if (!answer.ok) throw new Error(`The embedded AWS could not be emptied: ${answer.status} ${await answer.text()}`);
}
