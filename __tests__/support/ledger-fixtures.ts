/** Inputs that the ledger's ways in take and refuse, shared by the tests of the ways in and of the published schemas. */

import { parseAuditEvent } from "../../ledger/rules/audit-event";
import { parsePayment } from "../../ledger/rules/payment";
import {
  auditQuerySchema,
  encodePageToken,
  ledgerQuerySchema,
  parsePage,
  parseRange,
  revealSchema,
} from "../../ledger/rules/queries";
import type { MacKey } from "../../ledger/rules/record-mac";
import type { RefusalCode } from "../../ledger/rules/refusals";
import { type Parsed, parseWith } from "../../ledger/rules/schema";
import { statusChangeSchema } from "../../ledger/rules/status-change";

/** The ledger's clock in these tests. */
export const NOW = new Date("2026-11-21T12:00:00.000Z");

export const MAC_KEY: MacKey = { reference: "testkey", secret: Uint8Array.from({ length: 32 }, (_, index) => index) };

export type Input = Readonly<Record<string, unknown>>;

const PAYMENT: Input = {
  TransactionID: "txn-1",
  SecureToken: "tok_4f2a",
  Amount: "10.50",
  Currency: "EUR",
  ProcessorID: "acme",
  Status: "Success",
  Timestamp: "2026-11-21T10:00:00.000Z",
  Actor: "checkout",
};
const EVENT: Input = { AuditID: "event-1", TransactionID: "txn-1", Action: "READ", Actor: "support" };
const STATUS_CHANGE: Input = {
  TransactionID: "txn-1",
  ExpectedStatus: "Failure",
  Status: "Success",
  Reason: "Approved late",
  Actor: "reconciler",
};
const REVEAL: Input = { TransactionID: "txn-1", Reason: "Refund", Actor: "refunds" };
const RANGE: Input = { From: "2026-11-20T00:00:00Z", To: "2026-11-21T00:00:00Z" };
const BY_TRANSACTION: Input = { Query: "transaction", TransactionID: "txn-1", Actor: "support" };
const BY_PROCESSOR: Input = { Query: "processor", ProcessorID: "acme", ...RANGE, Actor: "support" };
const FAILURES: Input = { Query: "failures", ...RANGE, Actor: "support" };
const BY_ACTOR: Input = { Query: "actor", OfActor: "support", ...RANGE, Actor: "auditor" };
const BY_TIME: Input = { Query: "time", ...RANGE, Actor: "auditor" };

/** An input without one of its fields. */
export function without(input: Input, field: string): Input {
  return Object.fromEntries(Object.entries(input).filter(([name]) => name !== field));
}

export const aPayment = (changes: Input = {}): Input => ({ ...PAYMENT, ...changes });
export const anEvent = (changes: Input = {}): Input => ({ ...EVENT, ...changes });
export const aStatusChange = (changes: Input = {}): Input => ({ ...STATUS_CHANGE, ...changes });
export const aProcessorQuery = (changes: Input = {}): Input => ({ ...BY_PROCESSOR, ...changes });

export interface RefusedInput {
  readonly why: string;
  readonly input: unknown;
  readonly code: RefusalCode;
  readonly field?: string;
  /** JSON Schema cannot say this rule; its description does. */
  readonly beyondSchema?: true;
}

/** One way in: a function's judgement of one entry or request, without clock, tables or card-data search. */
export interface WayIn {
  /** The published schema that describes it. */
  readonly schema: string;
  /** Puts an entry into the document that the schema describes. */
  readonly around?: (input: unknown) => unknown;
  readonly parse: (input: unknown) => Parsed<unknown>;
  readonly accepted: readonly Input[];
  readonly refused: readonly RefusedInput[];
}

export const LONE_SURROGATE = "tok_\ud800";
const BAD_IDS = ["", " txn", "txn 1", "-txn", "txn#1", "txn~1", "txn\n", "txn\u00e9", "x".repeat(300), 7, null];

export const badIds = (base: Input, field: string, code: RefusalCode): RefusedInput[] =>
  BAD_IDS.map((id) => ({
    why: `${field} ${JSON.stringify(id).slice(0, 20)}`,
    input: { ...base, [field]: id },
    code,
    field,
  }));

/** Ids of what is to be recorded are no placeholders, and no numbers that have lost their digits. */
export const badNewIds = (base: Input, field: string, code: RefusalCode): RefusedInput[] => [
  ...badIds(base, field, code),
  ...["null", "Undefined", "NaN", "N/A", "NOTPROVIDED", "1.23457E+15"].map((id) => ({
    why: `${field} ${id}`,
    input: { ...base, [field]: id },
    code,
    field,
  })),
];

export const missing = (base: Input, fields: readonly string[]): RefusedInput[] =>
  fields.map((field) => ({ why: `${field} missing`, input: without(base, field), code: "MISSING_FIELD", field }));

export const noObjects: RefusedInput[] = [null, "text", 7, true, [[]]].map((input) => ({
  why: `${JSON.stringify(input)} is no object`,
  input,
  code: "NOT_AN_OBJECT",
}));

export const unknownFields = (base: Input): RefusedInput[] => [
  { why: "a field that the schema does not know", input: { ...base, Metadata: {} }, code: "UNKNOWN_FIELD" },
  {
    why: "__proto__ as a field",
    input: JSON.parse(`{"__proto__":{},${JSON.stringify(base).slice(1)}`),
    code: "UNKNOWN_FIELD",
  },
];

export const inAnyObject = (base: Input): RefusedInput[] => [
  ...unknownFields(base),
  {
    why: "schema version 2",
    input: { ...base, schemaVersion: 2 },
    code: "UNSUPPORTED_SCHEMA_VERSION",
    field: "schemaVersion",
  },
];

export const badTimes = (base: Input, field: string): RefusedInput[] => [
  ...[
    "2026-11-21",
    "2026-11-21T10:00:00",
    "21.11.2026",
    "2026-11-20T24:00:00Z",
    "2026-11-21T10:00:00+0100",
    1,
    null,
  ].map((time) => ({
    why: `${field} ${time}`,
    input: { ...base, [field]: time },
    code: "INVALID_TIMESTAMP" as const,
    field,
  })),
  {
    why: `${field} on 30 February`,
    input: { ...base, [field]: "2026-02-30T10:00:00Z" },
    code: "INVALID_TIMESTAMP",
    field,
    beyondSchema: true,
  },
  {
    why: `${field} in 1999`,
    input: { ...base, [field]: "1999-12-31T23:59:59.999Z" },
    code: "TIMESTAMP_OUT_OF_RANGE",
    field,
    beyondSchema: true,
  },
];

export const tooFarAhead = (base: Input, field: string): RefusedInput => ({
  why: `${field} 16 minutes ahead`,
  input: { ...base, [field]: "2026-11-21T12:16:00Z" },
  code: "TIMESTAMP_OUT_OF_RANGE",
  field,
  beyondSchema: true,
});

export const badReasons = (base: Input): RefusedInput[] => [
  ...["", "x".repeat(257), 7].map((Reason) => ({
    why: `Reason ${String(Reason).slice(0, 5)}`,
    input: { ...base, Reason },
    code: "INVALID_REASON" as const,
    field: "Reason",
  })),
  {
    why: "Reason with a lone surrogate",
    input: { ...base, Reason: LONE_SURROGATE },
    code: "INVALID_REASON",
    field: "Reason",
    beyondSchema: true,
  },
];

export const AMOUNTS_REFUSED = [
  "",
  "-1",
  "+1",
  "1e3",
  "01",
  "1.",
  ".5",
  "1,50",
  "10.50\n",
  " 1",
  "0x10",
  "1".repeat(16),
  "1.00000",
  "\uff11",
  "NaN",
];

export const PAYMENT_WAY_IN: WayIn = {
  schema: "persist_payment_ledger.request",
  parse: (input) => parsePayment(input, NOW),
  accepted: [
    aPayment(),
    without(aPayment(), "Timestamp"),
    aPayment({ schemaVersion: 1 }),
    aPayment({ Amount: "0" }),
    aPayment({ Amount: "1500", Currency: "JPY" }),
    aPayment({ Amount: "999999999999999.9999", Currency: "CLF" }),
    aPayment({ TransactionID: "order:2026/11@a+b=c_d.e-f" }),
    aPayment({ SecureToken: "\u{1f600} any text" }),
    aPayment({ ImportedFrom: "PaymentLedger-old" }),
  ],
  refused: [
    ...noObjects,
    ...inAnyObject(aPayment()),
    ...missing(aPayment(), ["TransactionID", "SecureToken", "Amount", "Currency", "ProcessorID", "Status", "Actor"]),
    ...badNewIds(aPayment(), "TransactionID", "INVALID_TRANSACTION_ID"),
    ...badIds(aPayment(), "ProcessorID", "INVALID_PROCESSOR_ID"),
    ...badIds(aPayment(), "Actor", "INVALID_ACTOR"),
    ...badIds(aPayment(), "ImportedFrom", "INVALID_IMPORTED_FROM"),
    ...["", "x".repeat(2049), 7, null].map((SecureToken) => ({
      why: `SecureToken ${String(SecureToken).slice(0, 5)}`,
      input: aPayment({ SecureToken }),
      code: "INVALID_SECURE_TOKEN" as const,
      field: "SecureToken",
    })),
    {
      why: "SecureToken with a lone surrogate",
      input: aPayment({ SecureToken: LONE_SURROGATE }),
      code: "INVALID_SECURE_TOKEN",
      field: "SecureToken",
      beyondSchema: true,
    },
    ...[10.5, 10, null, ["10.50"]].map((Amount) => ({
      why: `Amount ${JSON.stringify(Amount)} without quotes`,
      input: aPayment({ Amount }),
      code: "AMOUNT_NOT_TEXT" as const,
      field: "Amount",
    })),
    ...AMOUNTS_REFUSED.map((Amount) => ({
      why: `Amount ${JSON.stringify(Amount)}`,
      input: aPayment({ Amount }),
      code: "INVALID_AMOUNT" as const,
      field: "Amount",
    })),
    {
      why: "three decimals of euro",
      input: aPayment({ Amount: "10.500" }),
      code: "AMOUNT_DECIMALS",
      field: "Amount",
      beyondSchema: true,
    },
    {
      why: "a decimal of yen",
      input: aPayment({ Amount: "10.0", Currency: "JPY" }),
      code: "AMOUNT_DECIMALS",
      field: "Amount",
      beyondSchema: true,
    },
    ...["eur", "EU", "XAU", "BTC", "", 978, "__proto__"].map((Currency) => ({
      why: `Currency ${Currency}`,
      input: aPayment({ Currency }),
      code: "UNKNOWN_CURRENCY" as const,
      field: "Currency",
    })),
    ...["success", "Pending", "", 1, null].map((Status) => ({
      why: `Status ${Status}`,
      input: aPayment({ Status }),
      code: "INVALID_STATUS" as const,
      field: "Status",
    })),
    ...badTimes(aPayment(), "Timestamp"),
    tooFarAhead(aPayment(), "Timestamp"),
  ],
};

const deep = (levels: number): unknown => JSON.parse(`${"[".repeat(levels)}1${"]".repeat(levels)}`);
const MANY_LONG_IDS = Array.from({ length: 600 }, (_, index) => String(index).padStart(128, "0"));
const badDetails: RefusedInput[] = [
  { why: "over 64 KiB of ids asked for", input: anEvent({ query_record_id: MANY_LONG_IDS }), code: "INVALID_DETAILS" },
  {
    why: "over 64 KiB of ids returned",
    input: anEvent({ response_record_ids: MANY_LONG_IDS }),
    code: "INVALID_DETAILS",
  },
  {
    why: "more than 64 KiB of details",
    input: anEvent({ QueryDetails: "x".repeat(64 * 1024) }),
    code: "INVALID_DETAILS",
  },
  {
    why: "details in both fields over 64 KiB",
    input: anEvent({ QueryDetails: "x".repeat(40_000), Response: "x".repeat(40_000) }),
    code: "INVALID_DETAILS",
  },
  { why: "details nested 200 levels", input: anEvent({ QueryDetails: deep(200) }), code: "INVALID_DETAILS" },
  {
    why: "an infinite number in the details",
    input: JSON.parse('{"Actor":"a","QueryDetails":{"n":1e999}}'),
    code: "INVALID_DETAILS",
  },
  {
    why: "a lone surrogate in the details",
    input: anEvent({ Response: { text: LONE_SURROGATE } }),
    code: "INVALID_DETAILS",
  },
  {
    why: "a lone surrogate in query_result",
    input: anEvent({ query_result: LONE_SURROGATE }),
    code: "INVALID_DETAILS",
  },
].map((refused) => ({ ...refused, code: "INVALID_DETAILS", beyondSchema: true }));

export const EVENT_WAY_IN: WayIn = {
  schema: "persist_payment_audit_trail.request",
  parse: (input) => parseAuditEvent(input, NOW),
  accepted: [
    anEvent(),
    { Actor: "support" },
    {
      user_id: "support",
      timestamp: "2026-11-21T10:00:00+01:00",
      query_record_id: "txn-1",
      response_record_ids: ["txn-1"],
      query_result: "success",
    },
    anEvent({ user_id: "support", query_record_id: ["txn-1", "txn-2"], response_record_ids: [], query_result: "" }),
    anEvent({ QueryDetails: { filter: ["a", 1, null, { deep: true }] }, Response: null }),
    anEvent({ QueryDetails: deep(60) }),
    anEvent({ Action: "EXPORT_2", schemaVersion: 1 }),
    anEvent({ ImportedFrom: "PaymentAuditTrail-old" }),
    anEvent({ Timestamp: "2026-11-21T10:00:00Z", timestamp: "2026-11-21T11:00:00+01:00" }),
  ],
  refused: [
    ...noObjects,
    ...inAnyObject(anEvent()),
    { why: "nobody acts", input: without(anEvent(), "Actor"), code: "MISSING_FIELD", field: "Actor" },
    ...badNewIds(anEvent(), "AuditID", "INVALID_AUDIT_ID"),
    {
      why: "an AuditID of the ledger's own kind",
      input: anEvent({ AuditID: "W~QiSDVgW5JDRdopupPRMPuFR0TqfiJDY1" }),
      code: "INVALID_AUDIT_ID",
      field: "AuditID",
    },
    ...badNewIds(anEvent(), "TransactionID", "INVALID_TRANSACTION_ID"),
    ...badIds(anEvent(), "ImportedFrom", "INVALID_IMPORTED_FROM"),
    ...badIds(anEvent(), "Actor", "INVALID_ACTOR"),
    ...badIds({ Action: "READ" }, "user_id", "INVALID_ACTOR"),
    ...["read", "", "1READ", "READ ALL", "X".repeat(33), 7].map((Action) => ({
      why: `Action ${Action}`,
      input: anEvent({ Action }),
      code: "INVALID_ACTION" as const,
      field: "Action",
    })),
    ...["txn 1", 7, { id: "txn-1" }].map((id) => ({
      why: `query_record_id ${JSON.stringify(id)}`,
      input: anEvent({ query_record_id: id }),
      code: "INVALID_RECORD_ID" as const,
      field: "query_record_id",
    })),
    {
      why: "a bad id in a list",
      input: anEvent({ response_record_ids: ["txn-1", "txn 2"] }),
      code: "INVALID_RECORD_ID",
      field: "response_record_ids.1",
    },
    {
      why: "one id where a list is due",
      input: anEvent({ response_record_ids: "txn-1" }),
      code: "INVALID_RECORD_ID",
      field: "response_record_ids",
    },
    {
      why: "1001 ids",
      input: anEvent({ response_record_ids: Array.from({ length: 1001 }, (_, index) => `txn-${index}`) }),
      code: "INVALID_RECORD_ID",
      field: "response_record_ids",
    },
    ...["x".repeat(257), 7].map((query_result) => ({
      why: `query_result ${String(query_result).slice(0, 5)}`,
      input: anEvent({ query_result }),
      code: "INVALID_DETAILS" as const,
      field: "query_result",
    })),
    ...badDetails,
    ...badTimes(anEvent(), "Timestamp"),
    ...badTimes(anEvent(), "timestamp"),
    tooFarAhead(anEvent(), "timestamp"),
    {
      why: "two actors",
      input: anEvent({ user_id: "somebody-else" }),
      code: "VOCABULARY_CONFLICT",
      field: "user_id",
      beyondSchema: true,
    },
    {
      why: "two moments",
      input: anEvent({ Timestamp: "2026-11-21T10:00:00Z", timestamp: "2026-11-21T10:00:00+01:00" }),
      code: "VOCABULARY_CONFLICT",
      field: "timestamp",
      beyondSchema: true,
    },
  ],
};

const STATUS_WAY_IN: WayIn = {
  schema: "update_payment_status.request",
  parse: (input) => parseWith(statusChangeSchema, input),
  accepted: [
    aStatusChange(),
    aStatusChange({ ExpectedStatus: "Success", Status: "Failure", schemaVersion: 1, ExpectedVersion: 3 }),
  ],
  refused: [
    ...noObjects,
    ...inAnyObject(aStatusChange()),
    ...missing(aStatusChange(), ["TransactionID", "ExpectedStatus", "Status", "Reason", "Actor"]),
    ...badIds(aStatusChange(), "TransactionID", "INVALID_TRANSACTION_ID"),
    ...badIds(aStatusChange(), "Actor", "INVALID_ACTOR"),
    ...["ExpectedStatus", "Status"].map((field) => ({
      why: `${field} Pending`,
      input: aStatusChange({ [field]: "Pending" }),
      code: "INVALID_STATUS" as const,
      field,
    })),
    ...badReasons(aStatusChange()),
    ...[0, 1.5, "1"].map((ExpectedVersion) => ({
      why: `ExpectedVersion ${JSON.stringify(ExpectedVersion)}`,
      input: aStatusChange({ ExpectedVersion }),
      code: "INVALID_VERSION" as const,
      field: "ExpectedVersion",
    })),
  ],
};

const REVEAL_WAY_IN: WayIn = {
  schema: "reveal_payment_token.request",
  parse: (input) => parseWith(revealSchema, input),
  accepted: [REVEAL],
  refused: [
    ...noObjects,
    ...inAnyObject(REVEAL),
    ...missing(REVEAL, ["TransactionID", "Reason", "Actor"]),
    ...badIds(REVEAL, "TransactionID", "INVALID_TRANSACTION_ID"),
    ...badIds(REVEAL, "Actor", "INVALID_ACTOR"),
    ...badReasons(REVEAL),
  ],
};

/** A page token for a query, as `encodePageToken` takes queries: after parsing. */
export function tokenFor(query: Input, after: readonly string[]): string {
  return encodePageToken(query as Readonly<Record<string, string | number | undefined>>, after);
}

interface PagedQuery {
  readonly From?: string;
  readonly To?: string;
  readonly Limit?: number | undefined;
  readonly PageToken?: string | undefined;
}

/** What the operations check of a query after its schema: range first, then the page. */
function parseQuery(schema: typeof ledgerQuerySchema | typeof auditQuerySchema, input: unknown): Parsed<unknown> {
  const parsed = parseWith<unknown>(schema, input);
  if (!parsed.ok) return parsed;
  const query = parsed.value as PagedQuery & Readonly<Record<string, string | number | undefined>>;
  if (query.From !== undefined && query.To !== undefined) {
    const range = parseRange({ From: query.From, To: query.To }, NOW);
    if (!range.ok) return range;
  }
  return parsePage(query);
}

const badRanges = (base: Input): RefusedInput[] => [
  ...missing(base, ["From", "To"]),
  ...badTimes(base, "From"),
  tooFarAhead(base, "From"),
  ...badTimes(base, "To"),
  {
    why: "To before From",
    input: { ...base, To: "2026-11-19T23:59:59Z" },
    code: "RANGE_TOO_LONG",
    field: "To",
    beyondSchema: true,
  },
  {
    why: "32 days",
    input: { ...base, From: "2026-10-01T00:00:00Z", To: "2026-11-02T00:00:00Z" },
    code: "RANGE_TOO_LONG",
    field: "To",
    beyondSchema: true,
  },
];

const badPages = (base: Input): RefusedInput[] => [
  ...[0, 91, -1, 1.5, "10", null].map((Limit) => ({
    why: `Limit ${JSON.stringify(Limit)}`,
    input: { ...base, Limit },
    code: "INVALID_LIMIT" as const,
    field: "Limit",
  })),
  {
    why: "a page token of garbage",
    input: { ...base, PageToken: "garbage" },
    code: "INVALID_PAGE_TOKEN",
    field: "PageToken",
    beyondSchema: true,
  },
  ...["x".repeat(8193), 7].map((PageToken) => ({
    why: `PageToken ${String(PageToken).slice(0, 5)}`,
    input: { ...base, PageToken },
    code: "INVALID_PAGE_TOKEN" as const,
    field: "PageToken",
  })),
];

const badQueryNames = (base: Input): RefusedInput[] => [
  { why: "no Query", input: without(base, "Query"), code: "INVALID_QUERY", field: "Query" },
  ...["everything", "", 7, null].map((Query) => ({
    why: `Query ${Query}`,
    input: { ...base, Query },
    code: "INVALID_QUERY" as const,
    field: "Query",
  })),
];

export const LEDGER_QUERY_WAY_IN: WayIn = {
  schema: "query_payment_ledger.request",
  parse: (input) => parseQuery(ledgerQuerySchema, input),
  accepted: [
    BY_TRANSACTION,
    { ...BY_TRANSACTION, Reason: "Ticket 7", schemaVersion: 1 },
    BY_PROCESSOR,
    { ...FAILURES, Limit: 90, PageToken: tokenFor(FAILURES, ["2026-11-20T10:00:00.000Z#txn-1"]) },
    { ...FAILURES, From: "2026-11-01T00:00:00Z", To: "2026-12-02T00:00:00Z" },
  ],
  refused: [
    ...noObjects,
    ...inAnyObject(FAILURES),
    ...badQueryNames(FAILURES),
    ...missing(BY_TRANSACTION, ["TransactionID", "Actor"]),
    ...badIds(BY_TRANSACTION, "TransactionID", "INVALID_TRANSACTION_ID"),
    ...badReasons(BY_TRANSACTION),
    { why: "a page of one payment", input: { ...BY_TRANSACTION, Limit: 10 }, code: "UNKNOWN_FIELD" },
    ...badIds(BY_PROCESSOR, "ProcessorID", "INVALID_PROCESSOR_ID"),
    ...badIds(BY_PROCESSOR, "Actor", "INVALID_ACTOR"),
    ...badRanges(BY_PROCESSOR),
    ...badPages(FAILURES),
  ],
};

export const AUDIT_QUERY_WAY_IN: WayIn = {
  schema: "query_payment_audit_trail.request",
  parse: (input) => parseQuery(auditQuerySchema, input),
  accepted: [
    BY_TRANSACTION,
    { ...BY_TRANSACTION, Limit: 1, PageToken: tokenFor(BY_TRANSACTION, ["2026-11-20T10:00:00.000Z", "R~abc.00"]) },
    BY_ACTOR,
    { ...BY_TIME, Reason: "Yearly audit" },
  ],
  refused: [
    ...noObjects,
    ...inAnyObject(BY_TIME),
    ...badQueryNames(BY_TIME),
    ...missing(BY_ACTOR, ["OfActor", "Actor"]),
    ...badIds(BY_ACTOR, "OfActor", "INVALID_ACTOR"),
    ...badRanges(BY_TIME),
    ...badPages(BY_TRANSACTION),
    { why: "a query of the ledger", input: FAILURES, code: "INVALID_QUERY", field: "Query" },
  ],
};

export const WAYS_IN: readonly WayIn[] = [
  PAYMENT_WAY_IN,
  EVENT_WAY_IN,
  STATUS_WAY_IN,
  REVEAL_WAY_IN,
  LEDGER_QUERY_WAY_IN,
  AUDIT_QUERY_WAY_IN,
];
