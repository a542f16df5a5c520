/** A payment of the payment files and of direct `payment_data`, as it is sent and as it is understood. */

import { isLosslessNumber } from "lossless-json";
import * as z from "zod";
import { CURRENT_CURRENCY_CODES } from "./currencies";
import { exactJsonText, holdsInexactNumber, numbersAsText } from "./exact-json";
import { type Imported, importMarkWithTime } from "./imported";
import { AMOUNT_PATTERN, normalizeAmount } from "./money";
import {
  accepted,
  actor,
  coded,
  importedFrom,
  newTransactionId,
  type Parsed,
  parseWith,
  refused,
  type Sent,
  timestamp,
} from "./schema";

const METADATA_BYTES_MAX = 32 * 1024;

export const transactionSchema = z
  .strictObject({
    transactionId: newTransactionId.describe("Unique id of the payment; sending it again is safe."),
    amount: z
      .string(coded("AMOUNT_NOT_TEXT"))
      .regex(AMOUNT_PATTERN, "INVALID_AMOUNT")
      .describe("Decimal with at most as many decimals as the currency has minor units, in quotes."),
    currency: z.enum(CURRENT_CURRENCY_CODES, coded("UNKNOWN_CURRENCY")).describe("Current ISO 4217 code."),
    cardLast4: z
      .string(coded("INVALID_CARD_LAST4"))
      .regex(/^[0-9]{4}$/)
      .describe("The last four digits of the card, and nothing more of it."),
    // Not a record schema: that one copies the members and loses one named __proto__.
    metadata: z
      .custom<object>(isPlainObject, "INVALID_METADATA")
      .optional()
      .describe("Free-form; kept exactly as written."),
    actor: actor.optional().describe("Service or user that sends the payment."),
    importedFrom: importedFrom.optional(),
    originallyProcessedAt: timestamp
      .optional()
      .describe("When the earlier system processed the payment; only together with importedFrom."),
  })
  .meta({ id: "payment-transaction", title: "Payment", description: "One payment of a file or of payment_data." });

function isPlainObject(value: unknown): value is object {
  return typeof value === "object" && value !== null && !Array.isArray(value) && !isLosslessNumber(value);
}

type NotContent = "actor" | "metadata" | "importedFrom" | "originallyProcessedAt";

/** A payment that was understood. Its metadata is canonical JSON text with the numbers as they were written. */
export type Transaction = Sent<typeof transactionSchema, NotContent> & { readonly metadata: string };

interface SentTransaction {
  readonly payment: Transaction;
  readonly actor?: string;
  readonly imported?: Imported;
}

/**
 * @param input parsed JSON. In text that this ledger parsed itself an amount may be a number, because its digits are still
 *   there; after a parser that makes floats it may not.
 */
export function parseTransaction(input: unknown, now: Date): Parsed<SentTransaction> {
  if (!isPlainObject(input)) return refused("NOT_AN_OBJECT");
  const parsed = parseWith(transactionSchema, withAmountAsText(input));
  if (!parsed.ok) return parsed;
  const { actor: claimedActor, metadata = {}, importedFrom: from, originallyProcessedAt, ...sent } = parsed.value;
  const mark = importMarkWithTime(from, originallyProcessedAt, now);
  if (!mark.ok) return mark;
  const money = normalizeAmount(sent.amount, sent.currency);
  if ("fault" in money) return refused(money.fault, money.fault === "UNKNOWN_CURRENCY" ? "currency" : "amount");
  const metadataText = textOfMetadata(metadata);
  if (metadataText === undefined) return refused("INVALID_METADATA", "metadata");
  const payment = { ...sent, amount: money.amount, metadata: metadataText };
  return accepted({ payment, ...(claimedActor === undefined ? {} : { actor: claimedActor }), ...mark.value });
}

function withAmountAsText(input: object): unknown {
  if (!("amount" in input) || !isLosslessNumber(input.amount)) return input;
  return { ...input, amount: numbersAsText(input.amount) };
}

function textOfMetadata(metadata: object): string | undefined {
  try {
    if (holdsInexactNumber(metadata)) return undefined;
    const text = exactJsonText(metadata);
    return Buffer.byteLength(text) <= METADATA_BYTES_MAX ? text : undefined;
  } catch {
    return undefined;
  }
}
