/** What the functions answer. The published schemas are generated from these, and the tests validate every answer with them. */

import * as z from "zod";
import type { JsonValue } from "./canonical-json";
import { EVENT_KIND_NAMES, EVENT_MODES } from "./event-kinds";
import { PAYMENT_STATUSES } from "./payment";
import { BREACH_CODES } from "./payment-life";
import { REFUSAL_CODES } from "./refusals";
import { SCHEMA_VERSION } from "./schema";

export const version = { schemaVersion: z.literal(SCHEMA_VERSION) };
const code = z.enum(REFUSAL_CODES).meta({ id: "refusal-code" });
const fault = {
  code,
  message: z.string().describe("What happened, the rule and the remedy. Fixed texts that never repeat what was sent."),
  field: z
    .string()
    .optional()
    .describe("The field at fault, where one is known. Of MISSING_FIELD all that are missing, separated by commas."),
};
/** What a result carries when it is refused or in conflict. */
const resultFault = {
  code: code.optional().describe("Why the entry was refused. CONFLICT: the outcome is conflict."),
  message: z.string().optional(),
  field: z
    .string()
    .optional()
    .describe(
      "The field at fault, where one is known. Of MISSING_FIELD all that are missing, of CONFLICT those that differ, separated by commas.",
    ),
};
export const importedFromView = z.string().describe("The earlier system from which it was imported, as claimed.");
const count = z.int().min(0);
/** Every value of a JSON answer is JSON: there is nothing to check, and zod's own JSON type would exhaust the stack on deep ones. */
const jsonValue = z.unknown() as z.ZodType<JsonValue>;

const entryResult = z.strictObject({
  position: count.describe("The entry's place in the request, from 0."),
  outcome: z
    .enum(["stored", "duplicate", "conflict", "refused"])
    .describe(
      "stored: recorded now. duplicate: the same content is recorded already. conflict: other content is recorded under this id; nothing was changed. refused: see code.",
    ),
  TransactionID: z.string().optional(),
  AuditID: z.string().optional().describe("Audit record of what happened."),
  ...resultFault,
});

export const persistResponseSchema = z
  .strictObject({
    ...version,
    results: z.array(entryResult),
    counts: z.strictObject({ stored: count, duplicate: count, conflict: count, refused: count }),
  })
  .meta({
    id: "persist-results",
    title: "Results of the entries",
    description: "One result an entry, in the order sent.",
  });

export type EntryResult = z.infer<typeof entryResult>;
export type OutcomeCounts = z.infer<typeof persistResponseSchema>["counts"];
export type PersistResponse = z.infer<typeof persistResponseSchema>;

export const refusedResponse = z
  .strictObject({
    ...version,
    outcome: z.literal("refused"),
    ...fault,
    AuditID: z.string().optional().describe("Audit record of the refusal."),
  })
  .meta({ id: "refused", title: "Refusal of the whole call" });
export type RefusedResponse = z.infer<typeof refusedResponse>;

/** What a persist function answers: a result an entry, or the refusal of the whole call. */
export const persistAnswerSchema = z
  .union([persistResponseSchema, refusedResponse])
  .meta({ title: "Answer of the persist functions" });

export const statusResponseSchema = z
  .union([
    z.strictObject({
      ...version,
      outcome: z.enum(["updated", "duplicate", "conflict"]),
      TransactionID: z.string(),
      Status: z.enum(PAYMENT_STATUSES).describe("The payment's status now."),
      Version: z.int().min(1),
      AuditID: z.string(),
      code: code.optional().describe("UNEXPECTED_STATUS: the outcome is conflict."),
      message: z.string().optional(),
      field: z
        .string()
        .optional()
        .describe("What was expected and is not so: ExpectedStatus, ExpectedVersion or both."),
    }),
    refusedResponse,
  ])
  .meta({ title: "Answer of update_payment_status" });
export type StatusResponse = z.infer<typeof statusResponseSchema>;

const paymentView = z.strictObject({
  TransactionID: z.string(),
  SecureToken: z.literal("****").describe("Masked; reveal_payment_token returns it to those who may see it."),
  Amount: z.string(),
  Currency: z.string(),
  ProcessorID: z.string(),
  Status: z.enum(PAYMENT_STATUSES),
  Timestamp: z.string(),
  RecordedAt: z.string(),
  StatusChangedAt: z.string().optional(),
  ImportedFrom: importedFromView.optional(),
  Version: z.int().min(1),
});
export type PaymentView = z.infer<typeof paymentView>;

const refusedRecord = z.strictObject({
  code,
  message: z.string(),
  TransactionID: z.string().optional(),
  AuditID: z.string(),
});
export type RefusedRecord = z.infer<typeof refusedRecord>;

export const notFound = {
  notFound: z
    .literal(true)
    .optional()
    .describe("Present when nothing is recorded of the payment that the query names by its id."),
};
export const pageFields = {
  refused: z.array(refusedRecord).describe("Records that were found and not returned, each with its alarm record."),
  AuditID: z.string().describe("Audit record of this read."),
  NextPageToken: z.string().optional().describe("Present when there may be more."),
};

const lifeState = z
  .strictObject({
    Authorised: z.string(),
    Captured: z.string(),
    RefundHeld: z.string().describe("Held for refunds that are not settled."),
    Refunded: z.string(),
    Disputed: z.string().describe("Disputed and not won back."),
    Fees: z.string(),
    Closed: z.boolean().describe("Voided or expired with nothing captured."),
  })
  .meta({ id: "life-state", description: "Running totals in the payment's currency." });

const breachCodes = z.array(z.enum(BREACH_CODES)).describe("The rules that the fact broke when it was recorded.");

const eventView = z.strictObject({
  Place: z.int().min(1),
  EventID: z.string(),
  Kind: z.enum(EVENT_KIND_NAMES),
  Mode: z.enum(EVENT_MODES),
  Amount: z.string(),
  Currency: z.string(),
  Of: z.string().optional().describe("EventID of the event that this one settles or takes back."),
  Reason: z.string().optional(),
  Timestamp: z.string(),
  RecordedAt: z.string(),
  State: lifeState.describe("After this event."),
  Postings: z
    .array(z.strictObject({ Account: z.string(), Amount: z.string(), Currency: z.string() }))
    .describe("A debit is positive, a credit negative; they add up to zero."),
  Breach: breachCodes.optional(),
});
export type EventView = z.infer<typeof eventView>;

const openEvent = z.strictObject({
  EventID: z.string(),
  Breach: breachCodes.optional().describe("The rules that the payment still breaks because of this event."),
});

const openInPayment = eventView
  .pick({ EventID: true, Place: true, Kind: true, Amount: true, Currency: true, RecordedAt: true, Breach: true })
  .extend({ TransactionID: z.string() })
  .meta({ id: "open-event", description: "A hold that nothing settled, or a fact whose breach is still open." });
export type OpenEventView = z.infer<typeof openInPayment>;

export const ledgerQueryResponseSchema = z
  .union([
    z.strictObject({
      ...version,
      outcome: z.literal("answered"),
      payments: z.array(paymentView).describe("Empty in the lists of open holds and breaches."),
      life: z
        .strictObject({
          State: lifeState.describe("After the last event; of a payment without events: as it began."),
          events: z.array(eventView).describe("By place, one page of them."),
          openHolds: z.array(openEvent.omit({ Breach: true })).describe("Of all events, not of this page only."),
          openBreaches: z.array(openEvent).describe("Of all events, not of this page only."),
        })
        .optional()
        .describe("Answers the query life."),
      ...notFound,
      open: z.array(openInPayment).optional().describe("Answers the queries open-holds and open-breaches."),
      ...pageFields,
    }),
    refusedResponse,
  ])
  .meta({ title: "Answer of query_payment_ledger" });
export type LedgerQueryResponse = z.infer<typeof ledgerQueryResponseSchema>;

const auditView = z.strictObject({
  AuditID: z.string(),
  TransactionID: z.string().optional(),
  Action: z
    .string()
    .describe(
      "What was done. An event that uses one of the ledger's own words is shown with EVENT: before it, for example EVENT:READ.",
    ),
  Actor: z.string(),
  Timestamp: z.string(),
  RecordedAt: z.string(),
  Origin: z.enum(["LEDGER", "EVENT"]).describe("LEDGER: made by this ledger itself. EVENT: sent by another service."),
  Table: z.string().optional(),
  PartOf: z
    .string()
    .optional()
    .describe("The list read that returned this transaction; that record holds the details."),
  RepeatOf: z
    .string()
    .optional()
    .describe("The first record of the same conflict or alarm; this one is a further request that met it."),
  ImportedFrom: importedFromView.optional(),
  EventID: z
    .string()
    .optional()
    .describe("The AuditID that this event was sent with, where another sender's event has that AuditID."),
  SequenceNumber: z.string().optional().describe("Place of the event in its FIFO queue."),
  Caller: z
    .strictObject({
      RequestID: z.string(),
      Function: z.string(),
      Principal: z.string().optional(),
      Via: z.string().optional(),
    })
    .describe("What AWS says of the call."),
  EvidencePath: z.string().optional().describe("The file of the evidence that this record seals."),
  EvidenceHash: z.string().optional().describe("SHA-256 of that file, in hexadecimal."),
  QueryDetails: jsonValue.optional(),
  Response: jsonValue.optional(),
  user_id: z.string(),
  timestamp: z.string(),
  query_record_id: z.union([z.string(), z.array(z.string())]).optional(),
  response_record_ids: z.array(z.string()).optional(),
  query_result: z.string().optional(),
});
export type AuditView = z.infer<typeof auditView>;

export const auditQueryResponseSchema = z
  .union([
    z.strictObject({
      ...version,
      outcome: z.literal("answered"),
      records: z.array(auditView),
      ...notFound,
      ...pageFields,
    }),
    refusedResponse,
  ])
  .meta({ title: "Answer of query_payment_audit_trail" });
export type AuditQueryResponse = z.infer<typeof auditQueryResponseSchema>;

export const revealResponseSchema = z
  .union([
    z.strictObject({
      ...version,
      outcome: z.literal("revealed"),
      TransactionID: z.string(),
      SecureToken: z.string(),
      AuditID: z.string(),
    }),
    refusedResponse,
  ])
  .meta({ title: "Answer of reveal_payment_token" });
export type RevealResponse = z.infer<typeof revealResponseSchema>;

const eventResult = z.strictObject({
  position: count.describe("The event's place in the request, from 0."),
  outcome: z
    .enum(["stored", "duplicate", "conflict", "refused"])
    .describe(
      "stored: recorded now. duplicate: the same content is recorded already. conflict: other content is recorded under this EventID; nothing was changed. refused: see code.",
    ),
  TransactionID: z.string().optional(),
  EventID: z.string().optional(),
  AuditID: z.string().optional().describe("Audit record of what happened."),
  Place: z.int().min(1).optional().describe("Of a recorded event: its place in the payment's life."),
  State: lifeState.optional().describe("After a recorded event; of a refused grant: the state that it saw."),
  Breach: breachCodes.optional(),
  ...resultFault,
});
export type EventResult = z.infer<typeof eventResult>;

export const eventsResponseSchema = z
  .strictObject({
    ...version,
    results: z.array(eventResult),
    counts: z.strictObject({ stored: count, duplicate: count, conflict: count, refused: count }),
  })
  .meta({
    id: "event-results",
    title: "Results of the events",
    description: "One result an event, in the order sent.",
  });
export type EventsResponse = z.infer<typeof eventsResponseSchema>;

export const eventsAnswerSchema = z
  .union([eventsResponseSchema, refusedResponse])
  .meta({ title: "Answer of record_payment_event" });
