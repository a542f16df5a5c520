/** A payment that arrives as a message on `audit-trail-queue`. */

import { isLosslessNumber } from "lossless-json";
import * as z from "zod";
import { CURRENCY_CODES, CURRENCY_WITH_TIME } from "./currencies";
import { numbersAsText } from "./exact-json";
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
} from "./schema";
import { normalizeTimestamp, TIMESTAMP_PATTERN } from "./timestamps";

/** Milliseconds since 1970, from 2000 on. */
const MILLISECONDS_PATTERN = /^[0-9]{12,13}$/;
const MESSAGE_TIME_PATTERN = new RegExp(`${TIMESTAMP_PATTERN.source}|${MILLISECONDS_PATTERN.source}`);

export const paymentMessageSchema = z
  .strictObject({
    paymentId: newTransactionId.describe("Unique id of the payment; sending it again is safe."),
    amount: z
      .string(coded("AMOUNT_NOT_TEXT"))
      .regex(AMOUNT_PATTERN, "INVALID_AMOUNT")
      .describe("Decimal; in quotes, or as a JSON number, whose digits are kept."),
    currency: z
      .enum(CURRENCY_CODES, coded("UNKNOWN_CURRENCY"))
      .optional()
      .describe(`${CURRENCY_WITH_TIME} With it the decimals are checked.`),
    timestamp: z
      .string(coded("INVALID_TIMESTAMP"))
      .regex(MESSAGE_TIME_PATTERN)
      .optional()
      .describe(
        "When the payment was processed: ISO 8601 with offset, or milliseconds since 1970. Default: when it is recorded.",
      ),
    processorId: processorId.optional(),
    status: z
      .string(coded("INVALID_STATUS"))
      .regex(/^[A-Za-z][A-Za-z0-9 _-]{0,31}$/)
      .optional(),
    actor: actor.optional(),
    importedFrom: importedFrom.optional(),
  })
  .meta({ id: "payment-message", title: "Payment message", description: "One payment on audit-trail-queue." });

/** A payment that was understood: what was not sent is absent. */
export type PaymentMessage = Sent<typeof paymentMessageSchema, "actor" | "importedFrom">;

/** @param input JSON that this ledger parsed itself, with exact numbers. */
export function parsePaymentMessage(
  input: unknown,
  now: Date,
): Parsed<{ readonly payment: PaymentMessage; readonly actor?: string; readonly imported?: Imported }> {
  if (typeof input !== "object" || input === null || Array.isArray(input) || isLosslessNumber(input)) {
    return refused("NOT_AN_OBJECT");
  }
  const parsed = parseWith(paymentMessageSchema, withTexts(input));
  if (!parsed.ok) return parsed;
  const { actor: claimedActor, amount, currency, timestamp, importedFrom: from, ...rest } = parsed.value;
  const time = timestamp === undefined ? undefined : normalizeTimestamp(isoOf(timestamp), now);
  if (time !== undefined && "fault" in time) return refused(time.fault, "timestamp");
  // Without a currency no decimals can be checked: the amount is kept as it was written.
  const money = currency === undefined ? { amount } : normalizeAmount(amount, currency, time?.timestamp);
  if ("fault" in money) return refused(money.fault, money.fault === "UNKNOWN_CURRENCY" ? "currency" : "amount");
  const payment: PaymentMessage = {
    paymentId: rest.paymentId,
    amount: money.amount,
    ...(currency === undefined ? {} : { currency }),
    ...(time === undefined ? {} : { timestamp: time.timestamp }),
    ...(rest.processorId === undefined ? {} : { processorId: rest.processorId }),
    ...(rest.status === undefined ? {} : { status: rest.status }),
  };
  return accepted({ payment, ...(claimedActor === undefined ? {} : { actor: claimedActor }), ...importMark(from) });
}

function withTexts(input: object): unknown {
  const sent = input as Readonly<Record<string, unknown>>;
  const texts = ["amount", "timestamp"].filter((name) => isLosslessNumber(sent[name]));
  return { ...sent, ...Object.fromEntries(texts.map((name) => [name, numbersAsText(sent[name])])) };
}

function isoOf(timestamp: string): string {
  return MILLISECONDS_PATTERN.test(timestamp) ? new Date(Number(timestamp)).toISOString() : timestamp;
}
