/** What the client takes and returns. All of it follows from the schemas by which the ledger validates and answers. */

import type * as z from "zod";
import type { auditEventSchema } from "../ledger/rules/audit-event";
import type { paymentSchema } from "../ledger/rules/payment";
import type { paymentEventSchema } from "../ledger/rules/payment-event";
import type { ledgerQuerySchema, revealSchema } from "../ledger/rules/queries";
import type { RefusalCode } from "../ledger/rules/refusals";
import type {
  EntryResult,
  EventResult,
  LedgerQueryResponse,
  PaymentView,
  PersistResponse,
  RefusedResponse,
  RevealResponse,
  StatusResponse,
} from "../ledger/rules/responses";
import type { statusChangeSchema } from "../ledger/rules/status-change";

/** The client names its own actor where a request names none. */
type ActorOptional<Request> = Request extends unknown
  ? Omit<Request, "Actor"> & { readonly Actor?: string | undefined }
  : never;

/** A payment to record, as docs/api.md describes it. */
export type NewPayment = z.input<typeof paymentSchema>;
/** An audit event in either vocabulary, as docs/api.md describes it. */
export type AuditEventInput = z.input<typeof auditEventSchema>;
/** What happened to a payment after it was recorded: a capture, a refund, a dispute. */
export type PaymentEventInput = z.input<typeof paymentEventSchema>;
export type StatusChangeInput = ActorOptional<z.input<typeof statusChangeSchema>>;
export type RevealInput = ActorOptional<z.input<typeof revealSchema>>;
export type LedgerQueryInput = ActorOptional<z.input<typeof ledgerQuerySchema>>;

/** A later version of the ledger may answer further codes. */
export type AnyRefusalCode = RefusalCode | (string & {});

/** A result of the outcome, in which these members are present. */
type WithOutcome<Result, Outcome extends string, Present extends keyof Result> = Omit<Result, "outcome" | Present> & {
  readonly outcome: Outcome;
} & { readonly [Name in Present]-?: Exclude<Result[Name], undefined> };

/** A rule was broken and nothing was recorded or returned. The same request gets the same answer again. */
export type Refused = Omit<RefusedResponse, "code" | "schemaVersion"> & {
  readonly code: AnyRefusalCode;
  /** The payment concerned, where it is known. */
  readonly TransactionID?: string | undefined;
};

/** Recorded now, with its audit record `AuditID`. */
export type Stored = WithOutcome<EntryResult, "stored", "AuditID">;
/** The same content is recorded already: the usual answer to a retry. */
export type Duplicate = WithOutcome<EntryResult, "duplicate", "AuditID">;
/** Other content is recorded under this id. It stays as it is. `field` names what differs, where that can be said. */
export type Conflict = WithOutcome<EntryResult, "conflict", "AuditID" | "code" | "message">;
export type RecordResult = Stored | Duplicate | Conflict | Refused;

type RecordedEvent<Outcome extends string> = WithOutcome<
  EventResult,
  Outcome,
  "TransactionID" | "EventID" | "AuditID" | "Place" | "State"
>;
/** A refused grant has the `State` that it saw. */
export type EventRecordResult =
  | RecordedEvent<"stored">
  | RecordedEvent<"duplicate">
  | WithOutcome<EventResult, "conflict", "TransactionID" | "EventID" | "AuditID" | "code" | "message">
  | (Refused & Pick<EventResult, "EventID" | "State">);

/** The results of a list, in the order sent; or the refusal of the whole list, of which nothing was recorded. */
export type ListResult<Result> =
  | { readonly outcome: "answered"; readonly results: readonly Result[]; readonly counts: PersistResponse["counts"] }
  | Refused;

type Answered<Answer> = Answer extends RefusedResponse ? never : Omit<Answer, "schemaVersion">;
export type StatusChangeResult = Answered<StatusResponse> | Refused;
export type RevealResult = Answered<RevealResponse> | Refused;
export type LedgerQueryResult = Answered<LedgerQueryResponse> | Refused;

export type ReadResult =
  | { readonly outcome: "found"; readonly payment: PaymentView; readonly AuditID: string }
  | { readonly outcome: "notFound"; readonly AuditID: string }
  | Refused;
