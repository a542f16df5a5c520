/** What can be asked of the ledger and of the audit trail. Every query names its actor, because every read is audited. */

import { createHash } from "node:crypto";
import * as z from "zod";
import { canonicalJson, type JsonObject } from "./canonical-json";
import { AFTER_ALL_IDS, timeKey } from "./index-keys";
import { TRANSACTION_BOOKS } from "./query-names";
import {
  accepted,
  actor,
  coded,
  type Parsed,
  processorId,
  reason,
  recordedActor,
  refused,
  schemaVersion,
  timestamp,
  transactionId,
} from "./schema";
import { normalizeTimestamp } from "./timestamps";

/** One page is one transaction: the read's record and a pointer for each id must fit into DynamoDB's 100 actions. */
export const PAGE_LIMIT_MAX = 90;
const PAGE_LIMIT_DEFAULT = 50;
const RANGE_DAYS_MAX = 31;
/** A clock that lets every time pass, where only the form and the order of times count. */
const FAR_FUTURE = new Date(Date.UTC(9000, 0, 1));

const asking = { schemaVersion, Actor: actor.describe("Who asks."), Reason: reason.optional() };
const paging = {
  Limit: z
    .int(coded("INVALID_LIMIT"))
    .min(1)
    .max(PAGE_LIMIT_MAX)
    .optional()
    .describe(`Records a page, 1 to ${PAGE_LIMIT_MAX}. Default: ${PAGE_LIMIT_DEFAULT}.`),
  PageToken: z
    .string(coded("INVALID_PAGE_TOKEN"))
    .max(8192)
    .optional()
    .describe("NextPageToken of the page before. It continues only the query that returned it."),
};
const range = {
  From: timestamp.describe("First moment of the range."),
  To: timestamp.describe(`Last moment of the range, at most ${RANGE_DAYS_MAX} days after From.`),
};

export const ledgerQuerySchema = z
  .discriminatedUnion(
    "Query",
    [
      z.strictObject({ Query: z.literal("transaction"), TransactionID: transactionId, ...asking }),
      z.strictObject({ Query: z.literal("processor"), ProcessorID: processorId, ...range, ...paging, ...asking }),
      z.strictObject({ Query: z.literal("failures"), ...range, ...paging, ...asking }),
      z.strictObject({
        Query: z.literal("life"),
        TransactionID: transactionId.describe("The payment whose state and events are asked for."),
        ...paging,
        ...asking,
      }),
      z.strictObject({
        Query: z.literal("open-holds").describe("Holds for refunds that nothing settled, by their time of recording."),
        ...range,
        ...paging,
        ...asking,
      }),
      z.strictObject({
        Query: z
          .literal("open-breaches")
          .describe("Facts that broke a rule, while the payment still shows it, by their time of recording."),
        ...range,
        ...paging,
        ...asking,
      }),
    ],
    coded("INVALID_QUERY"),
  )
  .meta({
    title: "Ledger query",
    description: "Reads payments and what happened to them; tokens stay masked.",
  });

export const auditQuerySchema = z
  .discriminatedUnion(
    "Query",
    [
      z.strictObject({ Query: z.literal("transaction"), TransactionID: transactionId, ...paging, ...asking }),
      z.strictObject({
        Query: z.literal("actor"),
        OfActor: recordedActor.describe("Whose actions."),
        ...range,
        ...paging,
        ...asking,
      }),
      z.strictObject({ Query: z.literal("time"), ...range, ...paging, ...asking }),
    ],
    coded("INVALID_QUERY"),
  )
  .meta({
    title: "Audit trail query",
    description: "Reads the audit trail, in both vocabularies.",
  });

export const revealSchema = z
  .strictObject({
    schemaVersion,
    TransactionID: transactionId,
    Reason: reason.describe("Why the clear token is needed. Stored encrypted in the audit record."),
    Actor: actor,
  })
  .meta({
    title: "Token reveal",
    description: "Returns the clear token of one payment.",
  });

export const transactionQuerySchema = z
  .discriminatedUnion(
    "Query",
    [
      z.strictObject({
        Query: z.literal("transaction").optional(),
        transactionId: transactionId.describe("Id of a payment of a file or of payment_data."),
        ...asking,
      }),
      z.strictObject({
        Query: z.literal("payment"),
        paymentId: transactionId.describe("Id of a payment of a message."),
        ...asking,
      }),
      z.strictObject({
        Query: z.literal("time"),
        Table: z
          .enum(TRANSACTION_BOOKS, coded("INVALID_QUERY"))
          .describe("Whose payments, by their time of recording."),
        ...range,
        ...paging,
        ...asking,
      }),
    ],
    coded("INVALID_QUERY"),
  )
  .meta({
    id: "query-transactions-request",
    title: "Transactions query",
    description: "Reads the payments of files, of payment_data and of messages.",
  });

export type LedgerQuery = z.infer<typeof ledgerQuerySchema>;
export type AuditQuery = z.infer<typeof auditQuerySchema>;
export type TransactionQuery = z.infer<typeof transactionQuerySchema>;
export type RevealRequest = z.infer<typeof revealSchema>;

export interface TimeRange {
  readonly from: string;
  readonly to: string;
}

export interface Page {
  readonly limit: number;
  /** Where the page before ended; the parts depend on the query. */
  readonly after?: readonly string[];
}

export function parseRange(query: { From: string; To: string }, now: Date): Parsed<TimeRange> {
  const from = normalizeTimestamp(query.From, now);
  if ("fault" in from) return refused(from.fault, "From");
  // "Until now" is often asked with a little slack, so the end of a range may lie ahead of the clock.
  const to = normalizeTimestamp(query.To, FAR_FUTURE);
  if ("fault" in to) return refused(to.fault, "To");
  const days = (Date.parse(to.timestamp) - Date.parse(from.timestamp)) / (24 * 60 * 60 * 1000);
  return days < 0 || days > RANGE_DAYS_MAX
    ? refused("RANGE_TOO_LONG", "To")
    : accepted({ from: from.timestamp, to: to.timestamp });
}

export function parsePage(
  query: { Limit?: number | undefined; PageToken?: string | undefined } & JsonQuery,
): Parsed<Page> {
  const limit = query.Limit ?? PAGE_LIMIT_DEFAULT;
  if (query.PageToken === undefined) return accepted({ limit });
  const after = decodePageToken(query.PageToken, query);
  return after === undefined ? refused("INVALID_PAGE_TOKEN", "PageToken") : accepted({ limit, after });
}

type JsonQuery = { readonly [key: string]: string | number | undefined };

/** A token that continues exactly this query: it names the query by a digest, and the last key that was returned. */
export function encodePageToken(query: JsonQuery, after: readonly string[]): string {
  return Buffer.from(JSON.stringify([1, queryDigest(query), ...after])).toString("base64url");
}

function decodePageToken(token: string, query: JsonQuery): readonly string[] | undefined {
  try {
    const parts: unknown = JSON.parse(Buffer.from(token, "base64url").toString("utf8"));
    if (!Array.isArray(parts) || parts[0] !== 1 || parts[1] !== queryDigest(query)) return undefined;
    const after = parts.slice(2);
    return after.every((part) => typeof part === "string") && continuesWithin(query, after) ? after : undefined;
  } catch {
    return undefined;
  }
}

/**
 * A token is not signed, so the place that it names is checked like any input. A range is continued only inside itself:
 * the read's record names that range, and its length bounds the work. The id in the place may have any form, because a
 * row that somebody inserted must not stop the listing that would show it.
 */
function continuesWithin(query: JsonQuery, after: readonly string[]): boolean {
  if (after.some((part) => part === "")) return false;
  if (typeof query["From"] !== "string" || typeof query["To"] !== "string") return after.length === 2;
  const range = parseRange({ From: query["From"], To: query["To"] }, FAR_FUTURE);
  const [place = ""] = after;
  const day = normalizeTimestamp(`${place.slice(0, 10)}T00:00:00Z`, FAR_FUTURE);
  if (!range.ok || after.length !== 1 || "fault" in day) return false;
  return place >= range.value.from && place < timeKey(range.value.to, AFTER_ALL_IDS);
}

/** Who asks, why, and how much a page holds may change from page to page; what is asked may not. */
function queryDigest(query: JsonQuery): string {
  const { Actor: _actor, Reason: _reason, Limit: _limit, PageToken: _token, schemaVersion: _version, ...asked } = query;
  const present = Object.fromEntries(Object.entries(asked).filter(([, value]) => value !== undefined)) as JsonObject;
  return createHash("sha256").update(canonicalJson(present)).digest("base64url").slice(0, 22);
}
