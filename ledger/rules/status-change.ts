/** The only change that a recorded payment allows. */

import * as z from "zod";
import type { JsonObject } from "./canonical-json";
import { PAYMENT_STATUSES, type PaymentStatus } from "./payment";
import { actor, coded, reason, schemaVersion, transactionId } from "./schema";

/** A processor may approve late, or take an approval back. Nothing else happens to a recorded payment. */
const ALLOWED_TRANSITIONS: Readonly<Record<PaymentStatus, readonly PaymentStatus[]>> = {
  Failure: ["Success"],
  Success: ["Failure"],
};

export const statusChangeSchema = z
  .strictObject({
    schemaVersion,
    TransactionID: transactionId,
    ExpectedStatus: z
      .enum(PAYMENT_STATUSES, coded("INVALID_STATUS"))
      .describe("The status that the sender believes the payment to have; another one is a conflict."),
    ExpectedVersion: z
      .int(coded("INVALID_VERSION"))
      .min(1)
      .optional()
      .describe(
        "The version that the sender read. With it a retry is never applied a second time, whatever happened between.",
      ),
    Status: z.enum(PAYMENT_STATUSES, coded("INVALID_STATUS")).describe("The new status."),
    Reason: reason.describe("Why the status changes. Stored encrypted in the audit record."),
    Actor: actor,
  })
  .meta({
    title: "Status change",
    description: "Changes the status of one payment.",
  });

export type StatusChange = z.infer<typeof statusChangeSchema>;

export function isAllowedTransition(from: PaymentStatus, to: PaymentStatus): boolean {
  return ALLOWED_TRANSITIONS[from].includes(to);
}

/** What makes two requests the same change: a retry is recognised by it. The actor may be another worker. */
export function statusChangeContent(change: StatusChange, version: number): JsonObject {
  return {
    TransactionID: change.TransactionID,
    ExpectedStatus: change.ExpectedStatus,
    Status: change.Status,
    Reason: change.Reason,
    Version: version,
  };
}
