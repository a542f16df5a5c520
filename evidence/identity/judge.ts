/** Who called, for each request that left records: what its records claim and what CloudTrail says. Pure. */

import type { ItemJson } from "../../ledger/rules/attribute-value";
import { VIAS, type Via } from "../../ledger/rules/audit-entry";
import type { TrailDay } from "./trail-day";
import type { Invocation, TrailPrincipal } from "./trail-events";

/** What an audit record says of its call. */
export interface CallOnRecord {
  readonly requestId: string;
  /** As deployed. */
  readonly functionName: string;
  /** The sender that the event named. */
  readonly principal?: string;
  readonly via?: Via;
}

/** Texts are empty where the record says nothing of its call; a forged record may say nothing. */
export function callOnRecord(record: ItemJson): CallOnRecord {
  const { M: caller = {} } = (record["Caller"] ?? {}) as { readonly M?: ItemJson };
  const text = (name: string) => {
    const { S } = (caller[name] ?? {}) as { readonly S?: unknown };
    return typeof S === "string" ? S : undefined;
  };
  const [principal, told] = [text("Principal"), text("Via")];
  const via = VIAS.find((each) => each === told);
  return {
    requestId: text("RequestID") ?? "",
    functionName: text("Function") ?? "",
    ...(principal === undefined ? {} : { principal }),
    ...(via === undefined ? {} : { via }),
  };
}

export type IdentityVerdict = "attested" | "unattested" | "contradicted";

/**
 * `NO_INVOCATION`: CloudTrail has no call with this request id. `OTHER_FUNCTION`: it has one of another function.
 * `NOT_BY_SERVICE`: the event says that a queue, a bucket or the private API delivered it, and a principal invoked the
 * function with it.
 */
export type IdentityReason = "NO_INVOCATION" | "OTHER_FUNCTION" | "NOT_BY_SERVICE";

export interface AttestedCall {
  readonly request: string;
  readonly function: string;
  readonly verdict: IdentityVerdict;
  readonly reason?: IdentityReason;
  /** Records of the day that say the same of their call. */
  readonly records: number;
  readonly via?: Via;
  /** The sender that the event named; not trustworthy in a contradicted call. */
  readonly toldPrincipal?: string;
  /** Who it was: who sent the message, the file or the request, where AWS delivered it, else who invoked the function. */
  readonly principalId?: string;
  readonly principalArn?: string;
  readonly sourceIdentity?: string;
  /** The AWS service that invoked the function by itself. */
  readonly service?: string;
  readonly sourceAddress?: string;
  readonly vpcEndpoint?: string;
}

/** The services that deliver for each way in. Lambda itself polls queues. */
const DELIVERS: Readonly<Record<Via, readonly string[]>> = {
  queue: ["lambda.amazonaws.com", "sqs.amazonaws.com"],
  file: ["s3.amazonaws.com"],
  api: ["apigateway.amazonaws.com"],
};

/** Counts the records of one day by what they say of their calls. */
export class DayOfCalls {
  private readonly counts = new Map<string, { readonly call: CallOnRecord; records: number }>();

  add(call: CallOnRecord): void {
    const key = callKey(call);
    const known = this.counts.get(key) ?? { call, records: 0 };
    known.records += 1;
    this.counts.set(key, known);
  }

  /** In a fixed order, so that the same day gives the same file. */
  get all(): { readonly call: CallOnRecord; readonly records: number }[] {
    return [...this.counts].toSorted(([one], [other]) => (one < other ? -1 : 1)).map(([, counted]) => counted);
  }
}

/** Equal for records that say the same of their call. */
export function callKey({ requestId, functionName, via, principal }: CallOnRecord): string {
  return JSON.stringify([requestId, functionName, via ?? "", principal ?? ""]);
}

export function judgeCalls(calls: DayOfCalls, trail: TrailDay): AttestedCall[] {
  return calls.all.map(({ call, records }) => judge(call, records, trail));
}

function judge(call: CallOnRecord, records: number, { invocations, principals }: TrailDay): AttestedCall {
  const invocation = invocations.get(call.requestId);
  const shared = {
    request: call.requestId,
    function: call.functionName,
    records,
    ...(call.via === undefined ? {} : { via: call.via }),
    ...(call.principal === undefined ? {} : { toldPrincipal: call.principal }),
  };
  if (invocation === undefined) return { ...shared, verdict: "unattested", reason: "NO_INVOCATION" };
  const reason = contradiction(call, invocation);
  if (reason !== undefined) return { ...shared, verdict: "contradicted", reason, ...whoInvoked(invocation) };
  // S3 writes AWS: before the id that CloudTrail and SQS write.
  const told = call.principal?.replace(/^AWS:/, "");
  const sender = told === undefined ? undefined : (principals.get(told) ?? { id: told });
  const who = sender === undefined ? whoInvoked(invocation) : { ...whoInvoked(invocation), ...named(sender) };
  return { ...shared, verdict: "attested", ...who };
}

function contradiction(
  { functionName, via, principal }: CallOnRecord,
  { functionName: invoked, service }: Invocation,
): IdentityReason | undefined {
  if (invoked !== functionName) return "OTHER_FUNCTION";
  const isDelivered = via !== undefined || principal !== undefined;
  if (!isDelivered) return undefined;
  const services = via === undefined ? Object.values(DELIVERS).flat() : DELIVERS[via];
  return service !== undefined && services.includes(service) ? undefined : "NOT_BY_SERVICE";
}

function whoInvoked({ principal, service, sourceAddress, vpcEndpoint }: Invocation) {
  return {
    ...named(principal),
    ...(service === undefined ? {} : { service }),
    ...(sourceAddress === undefined ? {} : { sourceAddress }),
    ...(vpcEndpoint === undefined ? {} : { vpcEndpoint }),
  };
}

function named({ id, arn, sourceIdentity }: TrailPrincipal) {
  return {
    ...(id === "" ? {} : { principalId: id }),
    ...(arn === undefined ? {} : { principalArn: arn }),
    ...(sourceIdentity === undefined ? {} : { sourceIdentity }),
  };
}
