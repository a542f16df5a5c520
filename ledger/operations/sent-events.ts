/** Events of payments as they are sent: how one is validated, whichever way it comes in. */

import { numbersAsFloats } from "../rules/exact-json";
import { type PaymentEvent, parseFact, parsePaymentEvent } from "../rules/payment-event";
import type { Refusal } from "../rules/refusals";
import type { SentTokens } from "../rules/sent-tokens";
import { paymentEventMac } from "../store/event-record";
import type { Services } from "../store/services";
import type { Call } from "./call";
import { refuseActor, refuseHarmful } from "./validation";

/** An event that passed the checks of its form. */
export interface ValidEvent {
  /** Its place in the request or the batch; of a row of a file its number. */
  readonly position: number;
  readonly actor: string;
  readonly event: PaymentEvent;
}

/** An event that may be recorded. */
export interface SentLifeEvent extends ValidEvent {
  readonly contentMac: string;
}

/** When an event is judged, and who AWS says sent it. */
type JudgedCall = Pick<Call, "now" | "caller">;

/** How an entry of a request is validated as an event. */
interface EventInput {
  readonly position: number;
  /** Those of the whole request. */
  readonly tokens: SentTokens;
  /** The actor named around a list; an entry's own actor goes before it. */
  readonly listActor?: string | undefined;
}

/** An event of a request: a grant or a fact. */
export function validateLifeEvent(
  entry: unknown,
  { position, tokens, listActor }: EventInput,
  { now, caller }: JudgedCall,
  services: Services,
): ValidEvent | Refusal {
  const harmful = refuseHarmful(entry, services, { tokens, clear: entry });
  if (harmful !== undefined) return harmful;
  const parsed = parsePaymentEvent(entry, listActor, now);
  if (!parsed.ok) return parsed.refusal;
  const { event, actor } = parsed.value;
  return refuseActor(actor, caller, services) ?? { position, actor, event };
}

/**
 * An event of a message or of a row of a file, where nobody waits for an answer: only a fact. It is searched as it was
 * written and as a direct call would have it, with floats.
 *
 * @param exact the body or row with exact numbers.
 */
export function validateFact(
  exact: unknown,
  position: number,
  { now, caller }: JudgedCall,
  services: Services,
): ValidEvent | Refusal {
  const harmfulAsWritten = refuseHarmful(exact, services);
  if (harmfulAsWritten !== undefined) return harmfulAsWritten;
  // The same object is taken or refused by every way in.
  const entry = numbersAsFloats(exact);
  const harmful = refuseHarmful(entry, services);
  if (harmful !== undefined) return harmful;
  const parsed = parseFact(entry, now);
  if (!parsed.ok) return parsed.refusal;
  const { event, actor } = parsed.value;
  return refuseActor(actor, caller, services) ?? { position, actor, event };
}

export async function acceptLifeEvent(valid: ValidEvent, services: Services): Promise<SentLifeEvent> {
  return { ...valid, contentMac: await paymentEventMac(valid.event, services) };
}
