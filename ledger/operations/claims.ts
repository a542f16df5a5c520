/** What of an input that was refused may be kept: who sent it and which payment it concerns, where that is harmless. */

import type * as z from "zod";
import { holdsCardData } from "../rules/card-data";
import { EVENT_ID_FIELD } from "../rules/event-kinds";
import { actor as actorSchema, eventId as eventIdSchema, transactionId as transactionIdSchema } from "../rules/schema";
import { SentTokens } from "../rules/sent-tokens";

/** The names under which the requests, messages, rows and events state who acts and which payment is concerned. */
const ACTOR_FIELDS = ["Actor", "actor", "user_id"];
const PAYMENT_FIELDS = ["TransactionID", "transactionId", "paymentId", "query_record_id"];

export interface Claims {
  readonly actor?: string;
  readonly transactionId?: string;
  /** Of an event of a payment's life. */
  readonly eventId?: string;
}

/**
 * Who acts and which payment and event are concerned, as a refused input claims it, where it is well formed and neither card data nor
 * one of the request's tokens.
 */
export function harmlessClaims(input: unknown, tokens = SentTokens.in(input)): Claims {
  const actor = firstHarmless(input, ACTOR_FIELDS, actorSchema, tokens);
  const transactionId = firstHarmless(input, PAYMENT_FIELDS, transactionIdSchema, tokens);
  const eventId = firstHarmless(input, [EVENT_ID_FIELD], eventIdSchema, tokens);
  return {
    ...(actor === undefined ? {} : { actor }),
    ...(transactionId === undefined ? {} : { transactionId }),
    ...(eventId === undefined ? {} : { eventId }),
  };
}

function firstHarmless(
  input: unknown,
  fields: readonly string[],
  schema: z.ZodType<string>,
  tokens: SentTokens,
): string | undefined {
  if (typeof input !== "object" || input === null) return undefined;
  const sent = input as Readonly<Record<string, unknown>>;
  const claims = fields.map((field) => schema.safeParse(sent[field]));
  return claims.find((claim) => claim.success && isHarmless(claim.data) && !tokens.areIn(claim.data))?.data;
}

/** Each claim is scanned separately before it is kept: the scan of the whole input may have given up before it. */
export function isHarmless(text: string): boolean {
  return !holdsCardData(text);
}

/**
 * Who AWS says sent something, as it is kept. What is behind the last colon is the name of a session, which the sender
 * chooses: one that carries card data is withheld, and so is the whole where the rest carries some too.
 */
export function keptPrincipal(principal: string): string {
  if (isHarmless(principal)) return principal;
  const ofAws = principal.slice(0, principal.lastIndexOf(":") + 1);
  return isHarmless(ofAws) ? `${ofAws}(withheld)` : "(withheld)";
}
