/** SQS messages as Lambda delivers them, and the answer that tells SQS which to deliver again. */

import { createHash } from "node:crypto";
import * as z from "zod";
import type { Caller } from "../rules/audit-entry";
import type { JsonObject } from "../rules/canonical-json";
import { holdsCardData } from "../rules/card-data";
import { parseExactJson } from "../rules/exact-json";
import type { Refusal } from "../rules/refusals";
import { SentTokens } from "../rules/sent-tokens";
import type { Call } from "./call";
import { type Claims, harmlessClaims, isHarmless, keptPrincipal } from "./claims";

const queueEventSchema = z.object({
  Records: z
    .array(
      z.object({
        messageId: z.string(),
        body: z.string(),
        eventSource: z.literal("aws:sqs"),
        eventSourceARN: z.string(),
        attributes: z.object({
          SenderId: z.string(),
          SentTimestamp: z.string().regex(/^[0-9]{1,13}$/),
          // SQS counts with 20 digits that begin with 188. It is kept, so it must be nothing else.
          SequenceNumber: z
            .string()
            .regex(/^[0-9]{1,39}$/)
            .refine(isHarmless)
            .optional(),
          MessageGroupId: z.string().optional(),
        }),
      }),
    )
    .min(1),
});

export interface QueueMessage {
  readonly messageId: string;
  readonly body: string;
  readonly queueName: string;
  /** Who AWS says sent it. */
  readonly senderId: string;
  readonly sentAt: string;
  /** FIFO queues only. Padded, so that text order is number order. */
  readonly sequenceNumber?: string | undefined;
  readonly groupId?: string | undefined;
}

/** SQS deletes the messages that are not named here and delivers the named ones again. */
export interface QueueResponse {
  readonly batchItemFailures: { readonly itemIdentifier: string }[];
}

/** The messages of the event; undefined when it is no event of a queue. */
export function queueMessages(event: unknown): QueueMessage[] | undefined {
  const parsed = queueEventSchema.safeParse(event);
  if (!parsed.success) return undefined;
  return parsed.data.Records.map(({ messageId, body, eventSourceARN, attributes }) => ({
    messageId,
    body,
    queueName: eventSourceARN.slice(eventSourceARN.lastIndexOf(":") + 1),
    senderId: attributes.SenderId,
    sentAt: new Date(Number(attributes.SentTimestamp)).toISOString(),
    sequenceNumber: attributes.SequenceNumber?.padStart(20, "0"),
    groupId: attributes.MessageGroupId,
  }));
}

export function queueResponse(failed: readonly QueueMessage[]): QueueResponse {
  return { batchItemFailures: failed.map(({ messageId }) => ({ itemIdentifier: messageId })) };
}

const KEPT_BODY_LENGTH_MAX = 32 * 1024;

/**
 * A message that was refused is gone from its queue, so its record keeps the body, encrypted: a person who finds the refusal
 * can correct and send it again. Only what was searched to its end is kept: nothing of a body that holds card data or a
 * token or could not be searched; digest and length of one that is not strict JSON, which readers may understand in more ways than one.
 */
export function keptBody({ body }: QueueMessage, { code }: Refusal): { details?: JsonObject } {
  if (code === "CARD_DATA" || code === "TOKEN_IN_CLEAR" || code === "INPUT_TOO_COMPLEX") return {};
  const length = { BodyLength: body.length };
  if (holdsCardData(body)) return { details: length };
  if (code === "NOT_JSON" || !body.isWellFormed()) {
    return { details: { BodySha256: createHash("sha256").update(body).digest("hex"), ...length } };
  }
  return {
    details: { Body: body.slice(0, KEPT_BODY_LENGTH_MAX), ...(body.length > KEPT_BODY_LENGTH_MAX ? length : {}) },
  };
}

/** What AWS says of a message: the invocation that took it, and its sender. */
export function callerOf(message: QueueMessage, call: Call): Caller {
  return { ...call.caller, principal: keptPrincipal(message.senderId), via: "queue" };
}

/** Who acts and which payment is concerned, as the body of a refused message claims it. */
export function claimsOf({ body }: QueueMessage): Claims {
  return harmlessClaims(parseExactJson(body));
}

/** The tokens in the body of a message, which has no field for one. */
export function tokensOf({ body }: QueueMessage): SentTokens {
  return SentTokens.in(parseExactJson(body) ?? body);
}

/**
 * Parts of the id of a refused message's record, besides its place: a made-up message with the same place then gets
 * another id, and cannot keep the record of the real message out.
 */
export function arrivalParts({ messageId, senderId, body }: QueueMessage): readonly string[] {
  return [messageId, senderId, createHash("sha256").update(body).digest("base64url")];
}
