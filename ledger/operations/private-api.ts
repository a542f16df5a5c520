/**
 * Requests of the private API: the event of an API Gateway proxy integration comes in, an HTTP answer goes out. The body is the
 * request that a direct call sends, and the answer's body is what a direct call gets. Path, query and headers are not read.
 */

import * as z from "zod";
import type { LogicalTableName } from "../../contract";
import { inexactNumbersIn, parseExactJson } from "../rules/exact-json";
import { type Refusal, type RefusalCode, refusal } from "../rules/refusals";
import { SentTokens } from "../rules/sent-tokens";
import type { Services } from "../store/services";
import type { Call } from "./call";
import { keptPrincipal } from "./claims";
import { refuseCall } from "./refusal-records";
import { refuseHarmful } from "./validation";

export interface HttpAnswer {
  readonly statusCode: number;
  readonly headers: Readonly<Record<string, string>>;
  /** JSON text. */
  readonly body: string;
}

type Operation<Answer> = (event: unknown, call: Call, services: Services) => Promise<Answer>;

/** The members that are read of the event (payload version 1.0). API Gateway fills in the caller of a method with IAM authorisation. */
function makeApiEventSchema() {
  return z.object({
    httpMethod: z.string(),
    resource: z.string(),
    requestContext: z.object({
      apiId: z.string(),
      stage: z.string(),
      identity: z.object({ caller: z.string().min(1).nullish() }),
    }),
    body: z.string().nullable(),
    isBase64Encoded: z.boolean(),
  });
}
type ApiEvent = z.infer<ReturnType<typeof makeApiEventSchema>>;

/**
 * Lets the operation answer requests of the private API too, where this deployment has one.
 * @param direct what handles every other event, where that is more than the operation.
 */
export function throughPrivateApi<Answer extends object, Other extends object = Answer>(
  operation: Operation<Answer>,
  table: LogicalTableName,
  direct: Operation<Answer | Other> = operation,
): Operation<Answer | Other | HttpAnswer> {
  // Made when first needed: most deployments have no private API.
  let apiEventSchema: ReturnType<typeof makeApiEventSchema> | undefined;
  return async (event, call, services) => {
    if (services.privateApi !== true) return direct(event, call, services);
    apiEventSchema ??= makeApiEventSchema();
    const request = apiEventSchema.safeParse(event);
    if (!request.success) return direct(event, call, services);
    const apiCall = callOf(request.data, call);
    const taken = requestIn(request.data, apiCall, services);
    return httpAnswer(
      "refused" in taken
        ? await refuseCall(undefined, taken.refused, table, apiCall, services)
        : await operation(taken.request, apiCall, services),
    );
  };
}

function callOf({ requestContext }: ApiEvent, call: Call): Call {
  const { caller } = requestContext.identity;
  const principal = caller == null ? {} : { principal: keptPrincipal(caller) };
  return { ...call, caller: { ...call.caller, ...principal, via: "api" } };
}

function requestIn(
  { body, isBase64Encoded }: ApiEvent,
  { caller }: Call,
  services: Services,
): { readonly request: unknown } | { readonly refused: Refusal } {
  if (caller.principal === undefined) return { refused: refusal("CALLER_UNKNOWN") };
  const text = body ?? "";
  // The API has no binary media types, so it never encodes a body.
  const exact = isBase64Encoded ? undefined : parseExactJson(text);
  if (exact === undefined) return { refused: refuseHarmful(text, services) ?? refusal("NOT_JSON") };
  const request: unknown = JSON.parse(text);
  // The operation searches what it gets. A number that lost digits on the way is searched here, as it was written.
  const harmful = refuseHarmful(inexactNumbersIn(text), services, {
    tokens: SentTokens.in(undefined),
    clear: undefined,
  });
  return harmful === undefined ? { request } : { refused: harmful };
}

// -------------------------------------------------------------------------------------------------------------- the HTTP answer

/** Refusals that are not simply a bad request. */
const STATUS_OF: Readonly<Partial<Record<RefusalCode, number>>> = {
  ACTOR_NOT_CALLER: 403,
  CALLER_UNKNOWN: 403,
  NOT_FOUND: 404,
  PAYMENT_HAS_EVENTS: 409,
  RECORD_FORGED: 500,
  AUDIT_RECORD_MISSING: 500,
  LIFE_BROKEN: 500,
  // The same request may succeed a moment later.
  BUSY: 503,
};

interface AnyAnswer {
  readonly outcome?: string;
  readonly code?: string;
  readonly results?: readonly { readonly outcome: string; readonly code?: string }[];
}

export function httpAnswer(answer: object): HttpAnswer {
  return {
    statusCode: statusOf(answer),
    // The answer may hold what only its caller may see.
    headers: { "Content-Type": "application/json", "Cache-Control": "no-store" },
    body: JSON.stringify(answer),
  };
}

/** Of a list: 200 where every entry is stored or a duplicate, else what its refused entries have in common, else what its conflicts say. */
function statusOf({ outcome, code, results }: AnyAnswer): number {
  if (results === undefined) return outcome === "refused" ? ofRefusal(code) : outcome === "conflict" ? 409 : 200;
  const refusals = new Set(results.filter((each) => each.outcome === "refused").map((each) => ofRefusal(each.code)));
  const [first = 400] = refusals;
  if (refusals.size > 0) return refusals.size === 1 ? first : 400;
  return results.some((each) => each.outcome === "conflict") ? 409 : 200;
}

function ofRefusal(code: string | undefined): number {
  return (STATUS_OF as Readonly<Record<string, number | undefined>>)[code ?? ""] ?? 400;
}
