/** Facts about payments that arrive as messages: what the processor did, which nobody waits for. */

import { groupedBy } from "../rules/grouped";
import type { Services } from "../store/services";
import { type Call, noteResults } from "./call";
import { KeptLives } from "./kept-lives";
import { callerOf, type QueueMessage } from "./queue";
import { recordEvent } from "./record-events";
import type { SentLifeEvent } from "./sent-events";

export interface QueuedFact {
  readonly message: QueueMessage;
  readonly fact: SentLifeEvent;
}

/**
 * Records the facts, those of one payment in the order in which they came.
 *
 * @returns the messages to deliver again, after a technical fault or a place that others kept taking: with each the later
 *   ones of its payment.
 */
export async function recordFacts(
  facts: readonly QueuedFact[],
  call: Call,
  services: Services,
): Promise<QueueMessage[]> {
  const payments = groupedBy(facts, ({ fact }) => fact.event.TransactionID);
  const lives = new KeptLives();
  const waiting = [...payments.values()].map(async (ofPayment) => {
    for (const [index, each] of ofPayment.entries())
      if (!(await isSettled(each, lives, call, services))) return ofPayment.slice(index).map(({ message }) => message);
    return [];
  });
  return (await Promise.all(waiting)).flat();
}

async function isSettled(
  { message, fact }: QueuedFact,
  lives: KeptLives,
  call: Call,
  services: Services,
): Promise<boolean> {
  try {
    const result = await recordEvent(fact, { ...call, caller: callerOf(message, call) }, services, lives);
    if (result.code === "BUSY") return false;
    if (result.outcome === "refused") services.signal("MessageRefused");
    noteResults([result], call);
    return true;
  } catch (error) {
    services.logFault(error);
    return false;
  }
}
