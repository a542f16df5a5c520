/**
 * Every reason for which an input is refused: a literal code, what happened, the rule, what to do. The texts are
 * fixed, so no refusal can echo a value that somebody sent.
 */

import { ISO_4217_AMENDMENT } from "./currencies";
import { QUERIES, TRANSACTION_BOOKS } from "./query-names";

export interface Refusal {
  readonly code: RefusalCode;
  /** What happened, the rule and the remedy, in one text. */
  readonly message: string;
  /** The name of the field at fault, or the names of all of them, separated by commas; never a value. */
  readonly field?: string;
}

const id = (length: number) =>
  `It is 1 to ${length} characters of A-Z a-z 0-9 . _ : / @ + = - and begins with a letter or digit. Send the id in that form.`;

const listed = (words: readonly string[], last: "and" | "or" = "and") =>
  `${words.slice(0, -1).join(", ")} ${last} ${words.at(-1)}`;

const newId = (length: number) =>
  id(length).replace(
    ". Send",
    "; a new one is neither a word for a missing id, such as NOTPROVIDED, nor a number like 1.23E+15, which a spreadsheet made of it. Send",
  );

const REFUSAL_TEXTS = {
  CARD_DATA:
    "The input carries card data (a card number, security code, track or PIN). This ledger stores none, in no field. Send the processor's token instead and remove the card data at its source.",
  TOKEN_IN_CLEAR:
    "The input holds a SecureToken where it would be kept readable. A token has one place, the SecureToken of a payment sent to the ledger, where it is encrypted; no other text of the request may contain it. Send it there alone.",
  NOT_AN_OBJECT: "The entry is not a JSON object. Every entry is an object of the published schema. Send it as such.",
  INPUT_TOO_COMPLEX:
    "The entry is nested too deep or holds too many values. It is looked through for card data first, to at most 64 levels and 4 million values. Send it flatter or in parts.",
  EMPTY_LIST: "The list is empty. A call carries at least one entry. Leave the call out when there is nothing to send.",
  LIST_TOO_LONG:
    "The list is too long. A call carries at most 500 entries. Split it; entries already stored answer as duplicates.",
  UNSUPPORTED_SCHEMA_VERSION:
    "The schemaVersion is not supported. This ledger speaks version 1. Send 1 or leave the field out.",
  UNKNOWN_FIELD:
    "The entry has a field that the schema does not know. Unknown fields are refused so that nothing is dropped silently. Remove it or correct its name.",
  MISSING_FIELD:
    "Required fields are missing. The answer names all of them, and the schema what each holds. Add them and send the entry again.",
  INVALID_TRANSACTION_ID: `The TransactionID is malformed. ${newId(128)}`,
  INVALID_PROCESSOR_ID: `The ProcessorID is malformed. ${id(64)}`,
  INVALID_ACTOR: `The Actor is malformed or one of the ledger's own names. ${id(256).replace(". Send the id in that form", ", and is neither unclaimed nor the name of a function of the ledger. Send the name of who acts")}`,
  ACTOR_NOT_CALLER:
    "The Actor is not who called. This ledger is configured to accept only an actor that is the name of the caller's session or is listed for the caller. Send your own name, or have the list changed.",
  CALLER_UNKNOWN:
    "Nothing says who called. A call through the private API names its caller, and so does every call where this ledger is configured to compare actors with callers. Send it through the private API, a queue or the bucket of payment files.",
  INVALID_AUDIT_ID: `The AuditID is malformed. ${newId(128)}`,
  INVALID_RECORD_ID: `A record id is malformed, or a list holds more than 1000 of them. ${id(128).replace("It is", "It is an AuditID, or")}`,
  INVALID_CARD_LAST4:
    "The cardLast4 is malformed. It is a text of exactly four digits. Send the last four digits of the card and nothing more of it.",
  INVALID_METADATA:
    "The metadata is malformed or too large. It is a JSON object of at most 32 KiB; in a direct call its numbers are whole and within 2^53, because others lose digits on the way. Shorten it, or send such numbers as text.",
  INVALID_EVENT:
    "The event is not one that this function handles. It takes S3 events of the payment bucket, or payment_data. Check what invokes the function.",
  NOT_JSON:
    "The entry is not readable JSON. Each entry is one JSON object and names no key twice. Correct it at its source.",
  NOT_UTF8: "The row is not UTF-8. Payment files are UTF-8 text. Encode it so and upload it again.",
  DAMAGED_GZIP:
    "The compressed file is damaged: a checksum or length in it is wrong, or something other than a further member or zeros follows its end. Nothing of it was recorded. Compress and upload it again.",
  GZIP_RATIO_TOO_HIGH:
    "The compressed file inflates to more than 200 times its size. Nothing of such a file is recorded. Upload it without compression.",
  NO_ROWS:
    "The file has text but no row. A file without payments is empty; one with a header or an empty list alone may have lost them. Check its source; to send nothing, send an empty file or none.",
  TOO_MANY_ROWS:
    "The file has more than 5 million rows. The rows from here on were not recorded. Split the file and upload the rest.",
  TOO_MUCH_CARD_DATA:
    "The file has card data in more than 1,000 rows and is removed. Nothing from here on was read. Correct it at its source and upload it again.",
  NOT_CSV:
    "The row is not readable CSV. Rows follow RFC 4180 and end with LF or CRLF, under a header row of known columns. Correct its quotes, columns and line ends.",
  ROW_TOO_LONG: "The row is too long. A row holds at most 256 KiB. Correct it or split it.",
  INVALID_SECURE_TOKEN:
    "The SecureToken is malformed. It is a text of 1 to 2048 characters of well-formed Unicode. Send the processor's token unchanged.",
  AMOUNT_NOT_TEXT:
    "The Amount is not a text. Money is exact only as a decimal string, because JSON numbers are floats. Send it in quotes.",
  INVALID_AMOUNT:
    'The Amount is malformed. It is a decimal string without sign, exponent, spaces or leading zeros, with at most 15 digits before the point. Send for example "10.50".',
  AMOUNT_DECIMALS:
    "The Amount has more decimal places than its currency. ISO 4217 gives each currency its minor units. Check the currency or the scale of the amount.",
  UNKNOWN_CURRENCY: `The Currency is unknown, or had ended when the payment happened. It is a code of ISO 4217 (amendment ${ISO_4217_AMENDMENT.number}, ${ISO_4217_AMENDMENT.effectiveFrom}) in capitals; one that has ended since 2013 counts where the payment's own time is before its end. Send for example "EUR".`,
  INVALID_STATUS:
    "The Status is unknown. A payment is recorded as Success or Failure. Map the processor's answer to one of them.",
  INVALID_VERSION:
    "The ExpectedVersion is malformed. It is a whole number from 1. Send the Version that the payment was read with.",
  INVALID_TIMESTAMP:
    "A time is malformed. Times are ISO 8601 with an offset, for example 2026-11-21T10:00:00.000Z, and a real calendar date. Correct it.",
  TIMESTAMP_OUT_OF_RANGE:
    "A time is out of range. It lies after 1999 and at most 15 minutes ahead of the ledger's clock. Check the sender's clock.",
  INVALID_ACTION:
    "The Action is malformed. It is 1 to 32 characters of A-Z 0-9 _ and begins with a letter, for example READ. Correct it.",
  INVALID_DETAILS:
    "QueryDetails, Response or query_result is malformed or too large. They are JSON values of at most 64 KiB together. Shorten them or refer to a document.",
  VOCABULARY_CONFLICT:
    "The event names one thing twice with different values (for example Actor and user_id). Both vocabularies may be used, but they must agree. Send one of them.",
  INVALID_REASON:
    "The Reason is malformed. It is a text of 1 to 256 characters. Send why the change or the reveal is needed.",
  INVALID_QUERY: `The Query is unknown, or its Table is. Queries of query_payment_ledger are ${listed(QUERIES.query_payment_ledger)}; of query_payment_audit_trail ${listed(QUERIES.query_payment_audit_trail)}; of query_transactions ${listed(QUERIES.query_transactions)}, and the Table of its time is ${listed(TRANSACTION_BOOKS, "or")}. Send one of these.`,
  INVALID_LIMIT:
    "The Limit is out of range. A page holds 1 to 90 records. Correct it and follow NextPageToken for more.",
  RANGE_TOO_LONG: "The time range is not usable. From lies before To and at most 31 days apart. Split the range.",
  INVALID_PAGE_TOKEN:
    "The PageToken does not belong to this query. A token continues exactly the query that returned it. Start again without it.",
  INVALID_IMPORTED_FROM: `The mark of an import is malformed. ${id(128).replace("Send the id in that form", "Send the name of the earlier system, for example its table, in that form")}`,
  INVALID_EVENT_ID: `The EventID is malformed, or Of is. ${newId(128)}`,
  INVALID_KIND:
    "The Kind is unknown. The schema lists what can happen to a payment. Map the processor's word to one of them.",
  GRANT_NEEDS_ANSWER:
    "A grant arrived as a message or in a file. The sender of a grant waits for its answer, and messages and rows of files get none; only facts may arrive so. Send it to record_payment_event by direct call or through the private API.",
  INVALID_MODE:
    "The Mode is unknown or not one of this Kind's. CAPTURED and VOIDED are a grant or a fact, REFUND_HELD is a grant, every other Kind is a fact. Correct it.",
  INVALID_OF:
    "The event must not name another one in Of. Only a REFUNDED, REFUND_FAILED, DISPUTE_WON, DISPUTE_LOST or CORRECTED settles or takes back an event, and none itself. Leave Of out or correct it.",
  AMOUNT_IS_ZERO: "The Amount is zero. An event moves or holds money. Leave the event out or correct its amount.",
  PAYMENT_UNKNOWN:
    "No payment of PaymentLedger has this TransactionID. A grant is given for a recorded payment only. Record the payment first, or check the id.",
  OTHER_CURRENCY:
    "The Currency is not that of the payment. A payment has one currency. Send the amount in the payment's currency.",
  PAYMENT_CLOSED:
    "The payment was voided or has expired. Nothing is granted for it any more. Record a new payment, or correct the event that closed it.",
  OVER_AUTHORISED:
    "The payment is not authorised for that much. Captures, voids and expiries together never exceed what was authorised. Ask for no more than Authorised less Captured.",
  OVER_CAPTURED:
    "That much of the payment is not captured any more. Refunds, holds for refunds and disputes together never exceed what was captured. Ask for no more than Captured less RefundHeld, Refunded and Disputed.",
  VOID_AFTER_CAPTURE:
    "The payment is captured, in part or whole. Only what was never captured can be voided. Hold and make a refund instead.",
  AMOUNT_DIFFERS:
    "The Amount is less than what an event told before says was refunded of this hold. A hold covers its refund. Hold the whole amount.",
  LIFE_FULL: "The payment has 9,999 events. No payment has more. Have the sender looked into.",
  BUSY: "Other events of the payment were recorded over and over while this one was tried. Nothing of it is recorded. Send the same event again after a moment.",
  PAYMENT_HAS_EVENTS:
    "The payment has events, so its status is frozen. What happens to it is recorded with record_payment_event. Record an event that says what changed.",
  LIFE_BROKEN:
    "The payment's events do not follow from each other. One was altered or removed, or put there by somebody else, so nothing is recorded on top of them; an alarm record was made. Have the incident investigated.",
  INVALID_TRANSITION:
    "The status change is not allowed. Allowed are Failure to Success and Success to Failure. Check the requested status.",
  CONFLICT:
    "Other content is recorded under this id. What is recorded stays as it is, and this request changed nothing. Compare the fields that the answer names; a new payment or event needs a new id.",
  UNEXPECTED_STATUS:
    "The payment has another status or version than the request expects. A status changes only from the one that is expected, and nothing was changed. Take the Status and Version of this answer and decide again.",
  NOT_FOUND: "No payment has this TransactionID. Only recorded payments can be changed or revealed. Check the id.",
  RECORD_FORGED:
    "The stored record fails its integrity check. It was not written by this ledger or was altered, so it is not used; an alarm record was made. Have the incident investigated.",
  AUDIT_RECORD_MISSING:
    "A payment or its audit record exists without the other. They are written in one transaction, so one of them was removed or put back to an earlier state; an alarm record was made. Have the incident investigated.",
} as const;

export type RefusalCode = keyof typeof REFUSAL_TEXTS;
export const REFUSAL_CODES = Object.keys(REFUSAL_TEXTS) as [RefusalCode, ...RefusalCode[]];

export function refusal(code: RefusalCode, field?: string): Refusal {
  return { code, message: REFUSAL_TEXTS[code], ...(field === undefined ? {} : { field }) };
}
