/** The published forms of what reaches the functions of the queues: SQS's messages, and an import by direct call. */

import * as z from "zod";
import type { QueueResponse } from "../ledger/operations/queue";
import { requestSchema } from "../ledger/rules/entries";
import { paymentMessageSchema } from "../ledger/rules/payment-message";
import { importedFrom } from "../ledger/rules/schema";

export const queueEvent = z
  .object({
    Records: z
      .array(
        z.object({
          messageId: z.string(),
          body: z.string().describe("JSON text of the queue's message schema."),
          eventSource: z.literal("aws:sqs"),
          eventSourceARN: z.string(),
          attributes: z.object({
            SenderId: z.string().describe("Who AWS says sent it; stored beside the claimed actor."),
            SentTimestamp: z.string().regex(/^[0-9]+$/),
            SequenceNumber: z
              .string()
              .regex(/^[0-9]{1,39}$/)
              .optional()
              .describe("FIFO queues: the order within the message group."),
            MessageGroupId: z.string().optional().describe("FIFO queues: the transaction id."),
          }),
        }),
      )
      .min(1),
  })
  .meta({ id: "queue-event", description: "SQS messages as Lambda delivers them, in the parts that are read." });

export const queueAnswer = z
  .strictObject({
    batchItemFailures: z
      .array(z.strictObject({ itemIdentifier: z.string() }))
      .describe("Messages that SQS delivers again, for a technical fault. All others are settled."),
  })
  .meta({ id: "queue-answer", description: "Lambda's partial batch response." }) satisfies z.ZodType<QueueResponse>;

/** What an earlier system recorded of its messages. */
const importedMessage = paymentMessageSchema
  .extend({ importedFrom })
  .meta({ id: "imported-payment-message", title: "Imported payment message" });
export const [, , importOfMessages] = requestSchema("payments", importedMessage, ["actor"]).options;
