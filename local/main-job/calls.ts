/**
 * The deployed functions as typed calls, each by somebody whose policy allows it. Every answer is held against its published
 * schema.
 */

import * as z from "zod";
import type { CheckResponse } from "../../backup/check-operation";
import type { ExportResponse } from "../../backup/export-operation";
import type { FunctionId } from "../../contract";
import {
  type AuditQueryResponse,
  auditQueryResponseSchema,
  type EventsResponse,
  eventsResponseSchema,
  type LedgerQueryResponse,
  ledgerQueryResponseSchema,
  type PersistResponse,
  persistResponseSchema,
  type RevealResponse,
  revealResponseSchema,
  type StatusResponse,
  statusResponseSchema,
} from "../../ledger/rules/responses";
import { type TransactionsResponse, transactionsResponseSchema } from "../../ledger/rules/transaction-responses";
import type { Deployment } from "../deploy";
import type { PersonId } from "../iam/identities";
import { JobError } from "./errors";

export type Answered<Response extends { outcome: string }> = Extract<Response, { outcome: "answered" | "revealed" }>;

export class LedgerCalls {
  /** How often each function was called: each call must have left its log line. */
  readonly made = new Map<FunctionId, number>();

  constructor(private readonly deployment: Pick<Deployment, "invoke">) {}

  /** A function that something else starts because of what the job did: a file that was dropped. */
  note(id: FunctionId): void {
    this.made.set(id, (this.made.get(id) ?? 0) + 1);
  }

  persistPayments(payload: unknown): Promise<PersistResponse> {
    return this.call("persistPaymentLedger", payload, persistResponseSchema);
  }

  persistEvents(payload: unknown): Promise<PersistResponse> {
    return this.call("persistPaymentAuditTrail", payload, persistResponseSchema);
  }

  recordEvents(payload: unknown): Promise<EventsResponse> {
    return this.call("recordPaymentEvent", payload, eventsResponseSchema);
  }

  changeStatus(payload: unknown): Promise<StatusResponse> {
    return this.call("updatePaymentStatus", payload, statusResponseSchema);
  }

  async queryLedger(payload: unknown): Promise<Answered<LedgerQueryResponse>> {
    return answered(await this.call("queryPaymentLedger", payload, ledgerQueryResponseSchema));
  }

  async revealToken(payload: unknown): Promise<Answered<RevealResponse>> {
    return answered(await this.call("revealPaymentToken", payload, revealResponseSchema, "administrator"));
  }

  async queryTrail(payload: unknown): Promise<Answered<AuditQueryResponse>> {
    return answered(await this.call("queryPaymentAuditTrail", payload, auditQueryResponseSchema, "auditor"));
  }

  async queryTransactions(payload: unknown): Promise<Answered<TransactionsResponse>> {
    return answered(await this.call("queryTransactions", payload, transactionsResponseSchema));
  }

  /** Direct `payment_data`, and what must not be taken for it. */
  processDirect(payload: unknown): Promise<ProcessorAnswer> {
    return this.call("paymentProcessor", payload, processorAnswerSchema);
  }

  /** These two answer schedules, which read nothing of it; their form is checked by their own tests. */
  exportTables(payload: unknown): Promise<ExportResponse> {
    return this.call("exportTables", payload, z.custom<ExportResponse>(isObject), "operator");
  }

  checkBackup(): Promise<CheckResponse> {
    return this.call("checkBackup", {}, z.custom<CheckResponse>(isObject), "operator");
  }

  /** Appends a heartbeat and publishes, as the schedule does every minute. */
  async publishCheckpoint(): Promise<void> {
    await this.call("publishCheckpoint", { kind: "heartbeat" }, z.custom<object>(isObject), "operator");
  }

  private async call<T>(
    id: FunctionId,
    payload: unknown,
    schema: z.ZodType<T>,
    as: PersonId = "payment-service",
  ): Promise<T> {
    this.note(id);
    const answer = schema.safeParse(await this.deployment.invoke(id, payload, as));
    if (answer.success) return answer.data;
    throw unexpected(`${id} answered in another form than its schema says.`);
  }
}

const processorAnswerSchema = z.strictObject({ statusCode: z.int(), body: z.string() });
export type ProcessorAnswer = z.infer<typeof processorAnswerSchema>;

function isObject(answer: unknown): boolean {
  return typeof answer === "object" && answer !== null;
}

function answered<Response extends { outcome: string; code?: string }>(response: Response): Answered<Response> {
  if (response.outcome !== "refused") return response as Answered<Response>;
  throw unexpected(`a call that the job makes on purpose was refused with ${response.code}.`);
}

function unexpected(what: string): JobError {
  return new JobError(
    "ANSWER_UNEXPECTED",
    what,
    "The job's own calls are correct, and answers have the form of schemas/.",
    "compare ledger/rules/responses.ts with the operation, or the job with the rules of the request.",
  );
}
