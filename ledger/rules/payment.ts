/** A payment of the ledger, as it is sent and as it is understood. */

import * as z from "zod";
import { CURRENCY_CODES, CURRENCY_WITH_TIME } from "./currencies";
import { type Imported, importMark } from "./imported";
import { AMOUNT_PATTERN, normalizeAmount } from "./money";
import {
  accepted,
  actor,
  coded,
  importedFrom,
  newTransactionId,
  type Parsed,
  parseWith,
  processorId,
  refused,
  type Sent,
  schemaVersion,
  timestamp,
} from "./schema";
import { normalizeTimestamp } from "./timestamps";

export const PAYMENT_STATUSES = ["Success", "Failure"] as const;
export type PaymentStatus = (typeof PAYMENT_STATUSES)[number];

export function isPaymentStatus(text: string | undefined): text is PaymentStatus {
  return (PAYMENT_STATUSES as readonly (string | undefined)[]).includes(text);
}

export const paymentSchema = z
  .strictObject({
    schemaVersion,
    TransactionID: newTransactionId.describe("Unique id of the payment; sending it again is safe."),
    SecureToken: z
      .string(coded("INVALID_SECURE_TOKEN"))
      .min(1)
      .max(2048)
      .refine((text) => text.isWellFormed())
      .describe("The payment processor's token. Stored encrypted. Never a card number."),
    Amount: z
      .string(coded("AMOUNT_NOT_TEXT"))
      .regex(AMOUNT_PATTERN, "INVALID_AMOUNT")
      .describe('Decimal string with at most as many decimals as the currency has minor units, for example "10.50".'),
    Currency: z.enum(CURRENCY_CODES, coded("UNKNOWN_CURRENCY")).describe(CURRENCY_WITH_TIME),
    ProcessorID: processorId.describe("The payment processor that handled the payment."),
    Status: z.enum(PAYMENT_STATUSES, coded("INVALID_STATUS")).describe("Outcome that the processor answered."),
    Timestamp: timestamp
      .optional()
      .describe(
        "When the payment happened: ISO 8601 with offset, after 1999, at most 15 minutes ahead of the ledger's clock; cut to milliseconds. Default: when it is recorded.",
      ),
    Actor: actor.optional().describe("Service or user that sends the payment. Required here or around the list."),
    ImportedFrom: importedFrom.optional(),
  })
  .meta({ id: "payment", title: "Payment", description: "One payment to record." });

/** A payment that was understood: amount and time normalised, `Timestamp` absent where none was sent. */
export type Payment = Sent<typeof paymentSchema, "Actor" | "schemaVersion" | "ImportedFrom">;

/** @param listActor the actor named around a list; an entry's own `Actor` goes before it. */
export function parsePayment(
  input: unknown,
  now: Date,
  listActor?: string,
): Parsed<{ readonly payment: Payment; readonly actor: string; readonly imported?: Imported }> {
  const parsed = parseWith(paymentSchema, input, listActor === undefined ? ["Actor"] : []);
  if (!parsed.ok) return parsed;
  const { Actor, schemaVersion: _version, ImportedFrom, Timestamp, ...sent } = parsed.value;
  const claimedActor = Actor ?? listActor;
  if (claimedActor === undefined) return refused("MISSING_FIELD", "Actor");
  const time = Timestamp === undefined ? undefined : normalizeTimestamp(Timestamp, now);
  if (time !== undefined && "fault" in time) return refused(time.fault, "Timestamp");
  const money = normalizeAmount(sent.Amount, sent.Currency, time?.timestamp);
  if ("fault" in money) return refused(money.fault, money.fault === "UNKNOWN_CURRENCY" ? "Currency" : "Amount");
  const own = time === undefined ? {} : { Timestamp: time.timestamp };
  const payment = { ...sent, Amount: money.amount, ...own };
  return accepted({ payment, actor: claimedActor, ...importMark(ImportedFrom) });
}
