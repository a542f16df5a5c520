/** What `query_transactions` answers: payments of files, of `payment_data` and of messages. */

import * as z from "zod";
import { importedFromView, notFound, pageFields, refusedResponse, version } from "./responses";

const transactionView = z.strictObject({
  transactionId: z.string(),
  timestamp: z.int().describe("When it was processed, in milliseconds since 1970."),
  amount: z.string(),
  currency: z.string(),
  cardLast4: z.string(),
  status: z.string(),
  processedAt: z.string(),
  metadata: z.string().describe("JSON text with the numbers as they were written."),
  importedFrom: importedFromView.optional(),
  originallyProcessedAt: z.string().optional().describe("When the earlier system processed it, as claimed."),
});
export type TransactionView = z.infer<typeof transactionView>;

const messageView = z.strictObject({
  paymentId: z.string(),
  amount: z.string(),
  currency: z.string().optional(),
  timestamp: z.string().describe("When it was processed, as claimed. Default: when it was recorded."),
  processorId: z.string().optional(),
  status: z.string().optional(),
  processedAt: z.string().describe("When it was recorded."),
  importedFrom: importedFromView.optional(),
});
export type MessageView = z.infer<typeof messageView>;

export const transactionsResponseSchema = z
  .union([
    z.strictObject({
      ...version,
      outcome: z.literal("answered"),
      transactions: z.array(transactionView).describe("Payments of files and of payment_data."),
      ...notFound,
      ...pageFields,
    }),
    z.strictObject({
      ...version,
      outcome: z.literal("answered"),
      payments: z.array(messageView).describe("Payments of messages."),
      ...notFound,
      ...pageFields,
    }),
    refusedResponse,
  ])
  .meta({ id: "query-transactions-response", title: "Answer of query_transactions" });
export type TransactionsResponse = z.infer<typeof transactionsResponseSchema>;
