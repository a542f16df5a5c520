/** The four books into which older rows are imported: which function takes them, and what of a row becomes what of a request. */

import { createHash } from "node:crypto";
import { isLosslessNumber } from "lossless-json";
import { type FunctionId, type LogicalTableName, TABLES } from "../../contract";
import { auditEventSchema, parseAuditEvent } from "../../ledger/rules/audit-event";
import { canonicalJson, type JsonValue } from "../../ledger/rules/canonical-json";
import { harmfulInput } from "../../ledger/rules/harmful-input";
import { PAYMENT_STATUSES, parsePayment, paymentSchema } from "../../ledger/rules/payment";
import { parsePaymentMessage, paymentMessageSchema } from "../../ledger/rules/payment-message";
import type { Refusal } from "../../ledger/rules/refusals";
import type { Parsed } from "../../ledger/rules/schema";
import { SentTokens, withoutToken } from "../../ledger/rules/sent-tokens";
import { parseTransaction, transactionSchema } from "../../ledger/rules/transaction";
import { binaryFields, type Fields, jsonValue, momentText, withoutExponent } from "./values";

export type Entry = Readonly<Record<string, unknown>>;

export interface ImportBook {
  readonly table: LogicalTableName;
  readonly functionId: FunctionId;
  /** What the function's schema knows. */
  readonly known: readonly string[];
  readonly entryOf: (fields: Fields, from: string) => Entry;
  readonly requestOf: (entries: readonly Entry[], actor: string) => object;
  /** The ledger's own rules, for a dry run. */
  readonly parse: (entry: Entry, now: Date, actor: string) => Parsed<unknown>;
}

export const BOOK_NAMES = ["calls", "files", "messages", "events"] as const;
export type BookName = (typeof BOOK_NAMES)[number];

export const IMPORT_BOOKS: Readonly<Record<BookName, ImportBook>> = {
  calls: {
    table: TABLES.paymentLedger.logicalName,
    functionId: "persistPaymentLedger",
    known: Object.keys(paymentSchema.shape),
    entryOf: ({ Amount, Status, Timestamp, ...rest }, from) =>
      present({
        ...texts(rest),
        Amount: withoutExponent(Amount),
        Status: statusText(Status),
        Timestamp: momentText(Timestamp),
        ImportedFrom: from,
      }),
    requestOf: (payments, Actor) => ({ Actor, payments }),
    parse: parsePayment,
  },
  files: {
    table: TABLES.paymentTransactions.logicalName,
    functionId: "paymentProcessor",
    known: Object.keys(transactionSchema.shape),
    entryOf: transactionEntry,
    // This function has no list with an actor around it.
    requestOf: (entries, actor) => ({ payment_data: entries.map((entry) => ({ actor, ...entry })) }),
    parse: parseTransaction,
  },
  messages: {
    table: TABLES.paymentMessages.logicalName,
    functionId: "processPaymentMessages",
    known: Object.keys(paymentMessageSchema.shape),
    entryOf: ({ amount, timestamp, ...rest }, from) =>
      present({
        ...texts(rest),
        amount: withoutExponent(amount),
        timestamp: momentText(timestamp),
        importedFrom: from,
      }),
    requestOf: (payments, Actor) => ({ Actor, payments }),
    parse: parsePaymentMessage,
  },
  events: {
    table: TABLES.paymentAuditTrail.logicalName,
    functionId: "persistPaymentAuditTrail",
    known: Object.keys(auditEventSchema.shape),
    entryOf: eventEntry,
    requestOf: (events, Actor) => ({ Actor, events }),
    parse: (entry, now, Actor) =>
      parseAuditEvent("Actor" in entry || "user_id" in entry ? entry : { ...entry, Actor }, now),
  },
};

/** The only time of an old row is that of its processing; `processed` is what every row of this book says. */
function transactionEntry(
  { timestamp, processedAt, status, metadata, cardLast4, ...rest }: Fields,
  from: string,
): Entry {
  return present({
    ...texts(rest),
    cardLast4: isLosslessNumber(cardLast4) ? cardLast4.value.padStart(4, "0") : cardLast4,
    metadata: jsonValue(parsedObject(metadata)),
    status: status === "processed" ? undefined : status,
    importedFrom: from,
    originallyProcessedAt: momentText(processedAt ?? timestamp),
  });
}

function parsedObject(value: unknown): unknown {
  if (typeof value !== "string") return value;
  try {
    return JSON.parse(value) as unknown;
  } catch {
    return value;
  }
}

/** Events of the second vocabulary have no id; the same row gives the same one, so that importing it again is a duplicate. */
function eventEntry({ Timestamp, timestamp, ...rest }: Fields, from: string): Entry {
  const event = present({
    ...(jsonValue(rest) as Fields),
    Timestamp: momentText(Timestamp),
    timestamp: momentText(timestamp),
  });
  const AuditID = event["AuditID"] ?? `import-${digestOf(event)}`;
  return { ...event, AuditID, ImportedFrom: from };
}

function digestOf(event: Entry): string {
  try {
    return createHash("sha256")
      .update(canonicalJson(event as JsonValue))
      .digest("base64url");
  } catch {
    // Text without a canonical form: the ledger refuses the event, whatever its id.
    return "malformed";
  }
}

function statusText(status: unknown): unknown {
  if (typeof status !== "string") return status;
  return PAYMENT_STATUSES.find((known) => known.toLowerCase() === status.toLowerCase()) ?? status;
}

function texts(fields: Fields): Entry {
  return Object.fromEntries(Object.entries(fields).map(([name, value]) => [name, withoutExponent(value)]));
}

function present(entry: Entry): Entry {
  return Object.fromEntries(Object.entries(entry).filter(([, value]) => value !== undefined));
}

export interface MapSettings {
  /** Names the older system in each record. */
  readonly from: string;
  /** Values for fields that a row does not have. */
  readonly set: Readonly<Record<string, string>>;
  readonly leaveOut: readonly string[];
}

/** What the ledger would refuse of an entry. Whether it is a duplicate or a conflict only the tables know. */
export function expectedRefusal(book: ImportBook, entry: Entry, actor: string, now: Date): Refusal | undefined {
  const clear = book.table === TABLES.paymentLedger.logicalName ? withoutToken(entry) : entry;
  const harmful = harmfulInput(entry, { tokens: SentTokens.in(entry), clear });
  if (harmful !== undefined) return harmful;
  const parsed = book.parse(entry, now, actor);
  return parsed.ok ? undefined : parsed.refusal;
}

/** The entry of a request; or why the row cannot be sent: the ledger would be given ciphertext for a value. */
export type Mapped =
  | { readonly entry: Entry }
  | { readonly fault: { readonly code: "ENCRYPTED_FIELD"; readonly field: string } };

/** The ledger judges the entry: nothing is corrected here but the form. */
export function mapRow(book: ImportBook, row: Fields, settings: MapSettings): Mapped {
  const given = Object.entries(row).filter(
    ([name, value]) => value !== null && value !== "" && !settings.leaveOut.includes(name),
  );
  const fields = { ...settings.set, ...Object.fromEntries(given) };
  const binary = binaryFields(fields);
  if (binary.length > 0) return { fault: { code: "ENCRYPTED_FIELD", field: binary.join(", ") } };
  return { entry: book.entryOf(fields, settings.from) };
}
