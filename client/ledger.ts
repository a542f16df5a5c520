/** For payment services: records, reads and changes payments through the ledger's functions. Documented in docs/clients.md. */

import type { LambdaClient } from "@aws-sdk/client-lambda";
import { FUNCTIONS } from "../contract";
import type { OutcomeCounts, RefusedRecord, RefusedResponse } from "../ledger/rules/responses";
import { invokeFunction } from "./invoke";
import type {
  AuditEventInput,
  EventRecordResult,
  LedgerQueryInput,
  LedgerQueryResult,
  ListResult,
  NewPayment,
  PaymentEventInput,
  ReadResult,
  RecordResult,
  Refused,
  RevealInput,
  RevealResult,
  StatusChangeInput,
  StatusChangeResult,
} from "./results";

/** The functions that the client calls: all follow the naming rule of `functionName`. */
const CALLED = {
  record: FUNCTIONS.persistPaymentLedger.name,
  changeStatus: FUNCTIONS.updatePaymentStatus.name,
  recordEvents: FUNCTIONS.recordPaymentEvent.name,
  query: FUNCTIONS.queryPaymentLedger.name,
  reveal: FUNCTIONS.revealPaymentToken.name,
  recordAuditEvents: FUNCTIONS.persistPaymentAuditTrail.name,
} as const;

/** In this environment the functions have no suffix. */
const BARE_ENVIRONMENT = "prod";

export interface LedgerClientOptions {
  readonly lambda: LambdaClient;
  /** The suffix of the ledger's environment, for example `dev`. Default: `prod`. */
  readonly environment?: string;
  /** Who acts, where a request does not name its own `Actor`. */
  readonly actor: string;
}

/**
 * What the ledger decides is a result to switch on (`outcome`). What went wrong technically is thrown: `LedgerCallFailed`, or
 * the SDK's own error. After an error send the same request again with the same ids: what was recorded is a `duplicate` then.
 */
export class LedgerClient {
  constructor(private readonly options: LedgerClientOptions) {}

  /** Records one payment, once, however often it is sent. */
  async record(payment: NewPayment): Promise<RecordResult> {
    return onlyResult(await this.recordAll([payment]));
  }

  /** Records up to 500 payments, each judged by itself. */
  async recordAll(payments: readonly NewPayment[]): Promise<ListResult<RecordResult>> {
    return listResult<RecordResult>(await this.call("record", { payments }));
  }

  /** Reads one payment, its token masked. The read is on record before the answer is returned. */
  async read(
    TransactionID: string,
    asking: { readonly Reason?: string; readonly Actor?: string } = {},
  ): Promise<ReadResult> {
    const answer = await this.query({ Query: "transaction", TransactionID, ...asking });
    if (answer.outcome === "refused") return answer;
    const { payments, refused, AuditID } = answer;
    const [payment] = payments;
    if (payment !== undefined) return { outcome: "found", payment, AuditID };
    const [record] = refused;
    return record === undefined ? { outcome: "notFound", AuditID } : refusedRead(record);
  }

  /** Reads payments by processor and time, failures, or what happened to one payment; docs/api.md lists the queries. */
  async query(query: LedgerQueryInput): Promise<LedgerQueryResult> {
    return answerOf<LedgerQueryResult>(await this.call("query", query));
  }

  /** Send the `Version` that you read as `ExpectedVersion`: a repeat is then never a second change. */
  async changeStatus(change: StatusChangeInput): Promise<StatusChangeResult> {
    return answerOf<StatusChangeResult>(await this.call("changeStatus", change));
  }

  /** Records one event of a payment's life; a `grant` may be refused, a `fact` is always recorded. */
  async recordEvent(event: PaymentEventInput): Promise<EventRecordResult> {
    return onlyResult(await this.recordEvents([event]));
  }

  /** Records up to 500 events. Those of one payment are recorded in their order. */
  async recordEvents(events: readonly PaymentEventInput[]): Promise<ListResult<EventRecordResult>> {
    return listResult<EventRecordResult>(await this.call("recordEvents", { events }));
  }

  /** Returns the clear token of one payment. Needs its own permission; the reveal is on record before the answer. */
  async reveal(request: RevealInput): Promise<RevealResult> {
    return answerOf<RevealResult>(await this.call("reveal", request));
  }

  /** Records up to 500 audit events by direct call. `AuditEventClient` sends them by the queue, which keeps their order. */
  async recordAuditEvents(events: readonly AuditEventInput[]): Promise<ListResult<RecordResult>> {
    return listResult<RecordResult>(await this.call("recordAuditEvents", { events }));
  }

  private async call(operation: keyof typeof CALLED, request: object): Promise<unknown> {
    const { lambda, environment = BARE_ENVIRONMENT, actor } = this.options;
    return invokeFunction(lambda, functionName(CALLED[operation], environment), { Actor: actor, ...request });
  }
}

function functionName(name: string, environment: string): string {
  return environment === BARE_ENVIRONMENT ? name : `${name}-${environment}`;
}

/** The answer without the version of its form, which the client knows. */
function answerOf<Answer extends { readonly outcome: string }>(answer: unknown): Answer {
  const { schemaVersion: _version, ...known } = answer as Answer & { readonly schemaVersion: number };
  return known as Answer & object;
}

interface AnsweredList<Result> {
  readonly results: readonly Result[];
  readonly counts: OutcomeCounts;
}

function listResult<Result>(answer: unknown): ListResult<Result> {
  const given = answer as AnsweredList<Result> | RefusedResponse;
  if (!("results" in given)) return answerOf<Refused>(given);
  return { outcome: "answered", results: given.results, counts: given.counts };
}

function onlyResult<Result extends { readonly outcome: string }>(list: ListResult<Result>): Result | Refused {
  if (list.outcome === "refused") return list;
  const [result] = list.results;
  if (result === undefined) throw new Error("The ledger answered a list of one with no result.");
  return result;
}

function refusedRead(record: RefusedRecord): Refused {
  return { outcome: "refused", ...record };
}
