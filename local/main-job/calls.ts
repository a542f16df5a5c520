/** The deployed functions as typed calls. Every answer is held against its published schema. */

import type { z } from "zod";
import type { FunctionId } from "../../contract";
import {
  type AuditQueryResponse,
  auditQueryResponseSchema,
  type LedgerQueryResponse,
  ledgerQueryResponseSchema,
  type PersistResponse,
  persistResponseSchema,
  type RevealResponse,
  revealResponseSchema,
  type StatusResponse,
  statusResponseSchema,
} from "../../ledger/responses";
import type { Deployment } from "../deploy";
import { JobError } from "./errors";

export type Answered<Response extends { outcome: string }> = Extract<Response, { outcome: "answered" | "revealed" }>;

export class LedgerCalls {
  /** How often each function was called: each call must have left its log line. */
  readonly made = new Map<FunctionId, number>();

  constructor(private readonly deployment: Pick<Deployment, "invoke">) {}

  persistPayments(payload: unknown): Promise<PersistResponse> {
    return this.call("persistPaymentLedger", payload, persistResponseSchema);
  }

  persistEvents(payload: unknown): Promise<PersistResponse> {
    return this.call("persistPaymentAuditTrail", payload, persistResponseSchema);
  }

  changeStatus(payload: unknown): Promise<StatusResponse> {
    return this.call("updatePaymentStatus", payload, statusResponseSchema);
  }

  async queryLedger(payload: unknown): Promise<Answered<LedgerQueryResponse>> {
    return answered(await this.call("queryPaymentLedger", payload, ledgerQueryResponseSchema));
  }

  async revealToken(payload: unknown): Promise<Answered<RevealResponse>> {
    return answered(await this.call("revealPaymentToken", payload, revealResponseSchema));
  }

  async queryTrail(payload: unknown): Promise<Answered<AuditQueryResponse>> {
    return answered(await this.call("queryPaymentAuditTrail", payload, auditQueryResponseSchema));
  }

  private async call<T>(id: FunctionId, payload: unknown, schema: z.ZodType<T>): Promise<T> {
    this.made.set(id, (this.made.get(id) ?? 0) + 1);
    const answer = schema.safeParse(await this.deployment.invoke(id, payload));
    if (answer.success) return answer.data;
    throw unexpected(`${id} answered in another form than its schema says.`);
  }
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
    "compare ledger/responses.ts with the operation, or the job with the rules of the request.",
  );
}
