/** Inputs that are taken and refused of payments and events that arrive as files, messages and direct `payment_data`. */

import { parseExactJson } from "../../../ledger/rules/exact-json";
import { isPaymentEvent, parseFact } from "../../../ledger/rules/payment-event";
import { parsePaymentMessage } from "../../../ledger/rules/payment-message";
import { transactionQuerySchema } from "../../../ledger/rules/queries";
import { parseWith } from "../../../ledger/rules/schema";
import { parseTransaction } from "../../../ledger/rules/transaction";
import {
  AMOUNTS_REFUSED,
  badIds,
  badNewIds,
  badReasons,
  badTimes,
  EVENT_WAY_IN,
  type Input,
  inAnyObject,
  LONE_SURROGATE,
  missing,
  NOW,
  noObjects,
  type RefusedInput,
  tooFarAhead,
  unknownFields,
  WAYS_IN,
  type WayIn,
} from "../../support/ledger-fixtures";
import { ARRIVING_FACTS, LIFE_WAY_IN } from "./life-way-in";

const TRANSACTION: Input = { transactionId: "txn-1", amount: "100.00", currency: "USD", cardLast4: "4242" };
const MESSAGE: Input = {
  paymentId: "pay-1",
  amount: "10.50",
  currency: "EUR",
  timestamp: "2026-11-20T10:00:00.000Z",
};
const QUERY: Input = { transactionId: "txn-1", Actor: "support" };
const MESSAGE_QUERY: Input = { Query: "payment", paymentId: "pay-1", Actor: "support" };
const TIME_QUERY: Input = {
  Query: "time",
  Table: "payment-audit-trail",
  From: "2026-11-20T00:00:00Z",
  To: "2026-11-21T00:00:00Z",
  Actor: "support",
};

export const aTransaction = (changes: Input = {}): Input => ({ ...TRANSACTION, ...changes });
export const aMessage = (changes: Input = {}): Input => ({ ...MESSAGE, ...changes });

/** As text that the ledger parses itself. */
const asText = (input: unknown): unknown => parseExactJson(JSON.stringify(input));

const badAmounts = (base: Input): RefusedInput[] => [
  ...AMOUNTS_REFUSED.map((amount) => ({
    why: `amount ${JSON.stringify(amount)}`,
    input: { ...base, amount },
    code: "INVALID_AMOUNT" as const,
    field: "amount",
  })),
  ...[null, ["10.50"], { value: "10.50", isLosslessNumber: true }, true].map((amount) => ({
    why: `amount ${JSON.stringify(amount)}`,
    input: { ...base, amount },
    code: "AMOUNT_NOT_TEXT" as const,
    field: "amount",
  })),
  ...["usd", "XAU", "", 840, "__proto__", null].map((currency) => ({
    why: `currency ${currency}`,
    input: { ...base, currency },
    code: "UNKNOWN_CURRENCY" as const,
    field: "currency",
  })),
  {
    why: "more decimals than the currency has",
    input: { ...base, amount: "1.005" },
    code: "AMOUNT_DECIMALS",
    field: "amount",
    beyondSchema: true,
  },
];

/** Amounts written as numbers where their digits are still there. */
const badNumbers = (base: Input): RefusedInput[] => [
  { why: "a negative number", input: { ...base, amount: -1 }, code: "INVALID_AMOUNT", field: "amount" },
  {
    why: "a number with an exponent",
    input: { ...base, amount: 1e21 },
    code: "INVALID_AMOUNT",
    field: "amount",
    beyondSchema: true,
  },
  {
    why: "a number with too many decimals",
    input: { ...base, amount: 1.005 },
    code: "AMOUNT_DECIMALS",
    field: "amount",
    beyondSchema: true,
  },
];

const badMetadata: RefusedInput[] = [
  ...["text", 7, [], null, true].map((metadata) => ({
    why: `metadata ${JSON.stringify(metadata)}`,
    input: aTransaction({ metadata }),
    code: "INVALID_METADATA" as const,
    field: "metadata",
  })),
  ...[
    { why: "more than 32 KiB of metadata", metadata: { note: "x".repeat(32 * 1024 - 10) } },
    { why: "more than 32 KiB of metadata in UTF-8", metadata: { note: "é".repeat(16 * 1024) } },
    { why: "a lone surrogate in the metadata", metadata: { a: [LONE_SURROGATE] } },
    { why: "a lone surrogate in a name of the metadata", metadata: { [LONE_SURROGATE]: 1 } },
  ].map(({ why, metadata }) => ({
    why,
    input: aTransaction({ metadata }),
    code: "INVALID_METADATA" as const,
    field: "metadata",
    beyondSchema: true as const,
  })),
];

const transactionFaults: RefusedInput[] = [
  ...noObjects,
  ...unknownFields(TRANSACTION),
  { why: "a schema version", input: aTransaction({ schemaVersion: 1 }), code: "UNKNOWN_FIELD" },
  ...missing(TRANSACTION, ["transactionId", "amount", "currency", "cardLast4"]),
  ...badNewIds(TRANSACTION, "transactionId", "INVALID_TRANSACTION_ID"),
  ...badIds(TRANSACTION, "actor", "INVALID_ACTOR"),
  ...badAmounts(TRANSACTION),
  ...["", "424", "42424", "4 42", "４２４２", "4242\n", 4242, null].map((cardLast4) => ({
    why: `cardLast4 ${JSON.stringify(cardLast4)}`,
    input: aTransaction({ cardLast4 }),
    code: "INVALID_CARD_LAST4" as const,
    field: "cardLast4",
  })),
  ...badMetadata,
  ...badIds(TRANSACTION, "importedFrom", "INVALID_IMPORTED_FROM"),
  ...badTimes(aTransaction({ importedFrom: "old-table" }), "originallyProcessedAt"),
  tooFarAhead(aTransaction({ importedFrom: "old-table" }), "originallyProcessedAt"),
  {
    why: "an earlier time of what is not imported",
    input: aTransaction({ originallyProcessedAt: "2025-03-01T10:00:00Z" }),
    code: "MISSING_FIELD",
    field: "importedFrom",
    beyondSchema: true,
  },
];

const transactionsTaken: readonly Input[] = [
  TRANSACTION,
  aTransaction({ actor: "importer", metadata: {} }),
  aTransaction({ metadata: { shop: { name: "Köln", tags: ["a", null, true, 7] }, note: "" } }),
  aTransaction({ metadata: JSON.parse('{"__proto__":{"x":1}}') }),
  aTransaction({ metadata: { note: "x".repeat(32 * 1024 - 11) } }),
  aTransaction({ amount: "1500", currency: "JPY", cardLast4: "0000" }),
  aTransaction({ importedFrom: "old-table" }),
  aTransaction({ importedFrom: "old-table", originallyProcessedAt: "2025-03-01T11:00:00+01:00" }),
];

const TRANSACTION_WAY_IN: WayIn = {
  schema: "payment-processor.request",
  around: (payment) => ({ payment_data: payment }),
  parse: (input) => parseTransaction(input, NOW),
  accepted: transactionsTaken,
  refused: [
    ...transactionFaults,
    ...[10.5, 10].map((amount) => ({
      why: `amount ${amount} without quotes`,
      input: aTransaction({ amount }),
      code: "AMOUNT_NOT_TEXT" as const,
      field: "amount",
    })),
    ...[1.5, 2 ** 53, Number.POSITIVE_INFINITY].map((number) => ({
      why: `the number ${number} in the metadata, which may have lost digits on its way`,
      input: aTransaction({ metadata: { number } }),
      code: "INVALID_METADATA" as const,
      field: "metadata",
      beyondSchema: true as const,
    })),
  ],
};

const ROW_WAY_IN: WayIn = {
  schema: "payment-files.row",
  parse: (input) => (isPaymentEvent(input) ? parseFact(input, NOW) : parseTransaction(asText(input), NOW)),
  accepted: [
    ...ARRIVING_FACTS.accepted,
    ...transactionsTaken,
    aTransaction({ amount: 100.1 }),
    aTransaction({ amount: 0 }),
    aTransaction({ metadata: { fraction: 1.5, large: 2 ** 60, small: 1e-7 } }),
  ],
  refused: [
    ...ARRIVING_FACTS.refused,
    {
      why: "a payment's field",
      input: { ...ARRIVING_FACTS.accepted[0], transactionId: "txn-1" },
      code: "UNKNOWN_FIELD",
    },
    ...transactionFaults,
    ...badNumbers(TRANSACTION),
  ],
};

const MESSAGE_WAY_IN: WayIn = {
  schema: "audit-trail-queue.message",
  parse: (input) => (isPaymentEvent(input) ? parseFact(input, NOW) : parsePaymentMessage(asText(input), NOW)),
  accepted: [
    ...ARRIVING_FACTS.accepted,
    MESSAGE,
    { paymentId: "pay-1", amount: "1.2345" },
    aMessage({ amount: 10.5, timestamp: 1763632800000 }),
    aMessage({ timestamp: "1763632800000", processorId: "acme", status: "Partly captured", actor: "billing" }),
    aMessage({ timestamp: 946684800000 }),
    aMessage({ importedFrom: "old-table" }),
  ],
  refused: [
    ...ARRIVING_FACTS.refused,
    ...noObjects,
    ...unknownFields(MESSAGE),
    ...missing(MESSAGE, ["paymentId", "amount"]),
    ...badNewIds(MESSAGE, "paymentId", "INVALID_TRANSACTION_ID"),
    ...badIds(MESSAGE, "processorId", "INVALID_PROCESSOR_ID"),
    ...badIds(MESSAGE, "actor", "INVALID_ACTOR"),
    ...badIds(MESSAGE, "importedFrom", "INVALID_IMPORTED_FROM"),
    ...badAmounts(MESSAGE),
    ...badNumbers(MESSAGE),
    ...["", " x", "1st", "x".repeat(33), "é", 7, null].map((status) => ({
      why: `status ${status}`,
      input: aMessage({ status }),
      code: "INVALID_STATUS" as const,
      field: "status",
    })),
    ...badTimes(MESSAGE, "timestamp"),
    tooFarAhead(MESSAGE, "timestamp"),
    ...["yesterday", "12345678901", "12345678901234", 1.5e12 + 0.5].map((timestamp) => ({
      why: `timestamp ${timestamp}`,
      input: aMessage({ timestamp }),
      code: "INVALID_TIMESTAMP" as const,
      field: "timestamp",
    })),
    ...[946684799999, "946684799999", NOW.getTime() + 16 * 60_000].map((timestamp) => ({
      why: `${JSON.stringify(timestamp)} milliseconds`,
      input: aMessage({ timestamp }),
      code: "TIMESTAMP_OUT_OF_RANGE" as const,
      field: "timestamp",
      beyondSchema: true as const,
    })),
  ],
};

/** The same events as in a direct call, one in each message. */
const QUEUED_EVENT_WAY_IN: WayIn = { ...EVENT_WAY_IN, schema: "payment-audit-trail.message" };

const TRANSACTION_QUERY_WAY_IN: WayIn = {
  schema: "query_transactions.request",
  parse: (input) => parseWith(transactionQuerySchema, input),
  accepted: [
    QUERY,
    { ...QUERY, Reason: "Ticket 7", schemaVersion: 1 },
    { ...QUERY, Query: "transaction" },
    MESSAGE_QUERY,
    ...["payment-audit-trail", "payment-transactions"].map((Table) => ({ ...TIME_QUERY, Table })),
    { ...TIME_QUERY, Limit: 90, PageToken: "token" },
  ],
  refused: [
    ...noObjects,
    ...inAnyObject(QUERY),
    ...missing(QUERY, ["transactionId", "Actor"]),
    ...missing(MESSAGE_QUERY, ["paymentId", "Actor"]),
    ...missing(TIME_QUERY, ["Table", "From", "To", "Actor"]),
    ...badIds(QUERY, "transactionId", "INVALID_TRANSACTION_ID"),
    ...badIds(MESSAGE_QUERY, "paymentId", "INVALID_TRANSACTION_ID"),
    ...badIds(QUERY, "Actor", "INVALID_ACTOR"),
    ...badReasons(QUERY),
    { why: "an unknown query", input: { ...QUERY, Query: "everything" }, code: "INVALID_QUERY", field: "Query" },
    { why: "another table", input: { ...TIME_QUERY, Table: "PaymentLedger" }, code: "INVALID_QUERY", field: "Table" },
  ],
};

export const ALL_WAYS_IN: readonly WayIn[] = [
  ...WAYS_IN,
  LIFE_WAY_IN,
  TRANSACTION_WAY_IN,
  ROW_WAY_IN,
  MESSAGE_WAY_IN,
  QUEUED_EVENT_WAY_IN,
  TRANSACTION_QUERY_WAY_IN,
];
