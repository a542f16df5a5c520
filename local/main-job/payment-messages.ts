/** Payments as messages: everybody may send them, several times, and something that is no payment among them. */

import type { JobEnvironment } from "./job-environment";
import { sendMessages, untilSettled } from "./queues";
import type { MessageSamples } from "./samples";

export async function sendFirstMessages(environment: JobEnvironment, samples: MessageSamples): Promise<void> {
  await send(environment, samples.bodies.slice(0, samples.laterFrom - 1));
}

/** What must not overtake the others, because it says other things under their ids. */
export async function sendLaterMessages(environment: JobEnvironment, samples: MessageSamples): Promise<void> {
  await untilSettled(environment, "paymentMessages");
  await send(environment, samples.bodies.slice(samples.laterFrom - 1));
}

function send(environment: JobEnvironment, bodies: readonly string[]): Promise<void> {
  return sendMessages(
    environment,
    "paymentMessages",
    bodies.map((MessageBody) => ({ MessageBody })),
  );
}
