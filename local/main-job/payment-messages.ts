/** Payments as messages: everybody may send them, several times, and something that is no payment among them. */

import type { Ground } from "./ground";
import { sendMessages, untilSettled } from "./queues";
import type { MessageSamples } from "./samples";

export async function sendFirstMessages(ground: Ground, samples: MessageSamples): Promise<void> {
  await send(ground, samples.bodies.slice(0, samples.laterFrom - 1));
}

/** What must not overtake the others, because it says other things under their ids. */
export async function sendLaterMessages(ground: Ground, samples: MessageSamples): Promise<void> {
  await untilSettled(ground, "paymentMessages");
  await send(ground, samples.bodies.slice(samples.laterFrom - 1));
}

function send(ground: Ground, bodies: readonly string[]): Promise<void> {
  return sendMessages(
    ground,
    "paymentMessages",
    bodies.map((MessageBody) => ({ MessageBody })),
  );
}
