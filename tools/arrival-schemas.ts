/** The published forms of what arrives as files and messages, and of the reports about files. */

import * as z from "zod";
import type { BadRow, FileReport } from "../ledger/files/progress";
import { paymentEventSchema } from "../ledger/rules/payment-event";
import { paymentMessageSchema } from "../ledger/rules/payment-message";
import { REFUSAL_CODES } from "../ledger/rules/refusals";
import { transactionSchema } from "../ledger/rules/transaction";

export const DECIMALS_RULE = "An amount must not have more decimals than its currency has minor units in ISO 4217.";
export const EXACT_METADATA =
  "Its metadata is at most 32 KiB. Numbers keep the digits that they are written with; in a direct call they must be whole and within 2^53, because others lose digits on the way.";

const writtenAmount = z.union([transactionSchema.shape.amount, z.number().min(0)]);
const paymentRow = transactionSchema.extend({ amount: writtenAmount }).meta({
  title: "Payment of a payment file",
  description: `In CSV each column is a field and metadata.<name> a member of the metadata. An amount may be a number, because its digits are read as they are written; it has no exponent. ${EXACT_METADATA} ${DECIMALS_RULE}`,
});

const sentMessage = paymentMessageSchema
  .extend({
    amount: z.union([paymentMessageSchema.shape.amount, z.number().min(0)]),
    timestamp: z
      .union([
        paymentMessageSchema.shape.timestamp,
        z
          .int()
          .min(1e11)
          .max(1e13 - 1),
      ])
      .optional(),
  })
  .meta({
    title: "Payment message",
    description: `One payment. Times lie after 1999 and at most 15 minutes ahead of the ledger's clock. A number keeps the digits that it is written with; an amount has no exponent. ${DECIMALS_RULE}`,
  });

const sentFact = paymentEventSchema
  .extend({ Mode: z.literal("fact"), Actor: paymentEventSchema.shape.Actor.unwrap() })
  .meta({
    title: "Fact",
    description: `An event of a payment's life that the processor reports, with the fields of record_payment_event. A message or a row with an EventID is one. ${DECIMALS_RULE}`,
  });
export const queuedMessage = z
  .union([sentMessage, sentFact])
  .meta({ title: "Message of audit-trail-queue", description: "One payment, or one fact about a payment." });

export const fileRow = z.union([paymentRow, sentFact]).meta({
  title: "Row of a payment file",
  description:
    "As a JSON object, or as a row of CSV under a header of its fields: one payment, or one fact about a payment.",
});
const count = z.int().min(0);
export const outcomeCounts = z.strictObject({ stored: count, duplicate: count, conflict: count, refused: count });

export const fileReport = z
  .strictObject({
    key: z.string(),
    versionId: z.exactOptional(z.string()),
    request: z.string().describe("The request that processed the file."),
    rows: count,
    counts: outcomeCounts,
    facts: z
      .exactOptional(
        outcomeCounts.extend({ breached: count.describe("Of those that were stored: how many broke a rule.") }),
      )
      .describe("Of the rows that are facts, which counts has too. Absent where there are none."),
    cardDataRows: count,
    removed: z.boolean().describe("The file held card data and was removed."),
    badRows: z.array(z.string()).describe("Objects that list the bad rows, one JSON object a line."),
  })
  .meta({ title: "Report about a payment file" }) satisfies z.ZodType<FileReport>;

export const badRow = z
  .strictObject({
    row: z.int().min(1).describe("Its last line in NDJSON and CSV, its place in an array; from 1."),
    outcome: z.enum(["conflict", "duplicate", "refused"]).describe("duplicate: an earlier row of the file has its id."),
    code: z.enum([...REFUSAL_CODES, "DUPLICATE"]),
    field: z.exactOptional(z.string()),
    transactionId: z.exactOptional(z.string()).describe("The payment. Present where it can be read and is harmless."),
    eventId: z.exactOptional(z.string()).describe("The fact. Present where it can be read and is harmless."),
  })
  .meta({ title: "Bad row of a payment file" }) satisfies z.ZodType<BadRow>;
