/** The rules for the private API and for who may claim to be which actor. */

import { parseCidr } from "./cidr";
import { refuseUnless } from "./errors";
import { ACTOR_RULES, type AppConfig } from "./types";

/** Ids of roles and of users, as AWS writes them: neither can be chosen, and a role that is made anew has another. */
const PRINCIPAL_ID = /^A(RO|ID)A[A-Z0-9]{12,28}$/;
/** As the ledger takes them, `*` for every one. */
const ACTOR = /^(\*|[A-Za-z0-9][A-Za-z0-9._:/@+=-]{0,255})$/;
/** Lambda allows 4 KB for all variables of a function. */
const LIST_LENGTH_MAX = 2_000;
/** API Gateway's own limit of an account. */
const REQUESTS_PER_SECOND_MAX = 10_000;
const BURST_MAX = 5_000;

export function checkCallers(config: AppConfig): void {
  checkPrivateApi(config);
  checkActors(config);
}

function checkPrivateApi({ privateApi }: AppConfig): void {
  const { state, callerCidrs, requestsPerSecond, burst } = privateApi;
  refuseUnless(
    state === "off" || state === "on",
    "bad_private_api",
    `the private API would be "${state}".`,
    "it is off or on.",
    "set PAYMENT_LEDGER_PRIVATE_API, or `privateApi.state` in stacks/config/environments.ts.",
  );
  const wrong = callerCidrs.find((text) => (parseCidr(text)?.prefixLength ?? 0) < 8);
  refuseUnless(
    wrong === undefined && new Set(callerCidrs).size === callerCidrs.length,
    "bad_private_api",
    `the private API would be called from ${wrong ?? "the same block twice"}.`,
    "its callers are in IPv4 blocks of /8 or smaller, written as the first address and the length of the prefix, each named once.",
    "correct `privateApi.callerCidrs` in stacks/config/environments.ts.",
  );
  const isWithin = (count: number, max: number) => Number.isInteger(count) && count >= 1 && count <= max;
  refuseUnless(
    isWithin(requestsPerSecond, REQUESTS_PER_SECOND_MAX) && isWithin(burst, BURST_MAX),
    "bad_private_api",
    `the private API would take ${requestsPerSecond} requests a second and ${burst} at once.`,
    `whole numbers: 1 to ${REQUESTS_PER_SECOND_MAX} a second, and 1 to ${BURST_MAX} at once.`,
    "correct `privateApi.requestsPerSecond` or `privateApi.burst` in stacks/config/environments.ts.",
  );
}

function checkActors({ actors, actorsOfCallers, privateApi }: AppConfig): void {
  refuseUnless(
    ACTOR_RULES.includes(actors),
    "bad_actors",
    `actors would be "${actors}".`,
    "it is claimed (every claim is accepted) or caller (the claim must be who called).",
    "set PAYMENT_LEDGER_ACTORS, or `actors` in stacks/config/environments.ts.",
  );
  refuseUnless(
    actors === "claimed" || privateApi.state === "on",
    "bad_actors",
    "actors would be compared with callers, and there is no private API.",
    "Lambda does not tell a function who invoked it directly, so direct calls are refused then, and nothing could be read.",
    "set PAYMENT_LEDGER_PRIVATE_API=on too.",
  );
  refuseUnless(
    actors === "caller" || Object.keys(actorsOfCallers).length === 0,
    "bad_actors",
    "actors are listed for callers, and every claim would be accepted.",
    "the list has no effect with `claimed`.",
    "set PAYMENT_LEDGER_ACTORS=caller, or empty `actorsOfCallers` in stacks/config/environments.ts.",
  );
  for (const [id, names] of Object.entries(actorsOfCallers)) {
    refuseUnless(
      PRINCIPAL_ID.test(id) && names.every((name) => ACTOR.test(name)),
      "bad_actors",
      `"${id}" would be allowed the actors ${names.join(", ") || "none"}.`,
      "a caller is the id that AWS gave a role (AROA...) or a user (AIDA...), and an actor a name that requests may have, or *.",
      "correct `actorsOfCallers` in stacks/config/environments.ts; `aws iam get-role --query Role.RoleId` shows a role's id.",
    );
  }
  refuseUnless(
    JSON.stringify(actorsOfCallers).length <= LIST_LENGTH_MAX,
    "bad_actors",
    "too many actors are listed for callers.",
    `the list is a variable of each function, and has ${LIST_LENGTH_MAX} characters at most.`,
    "name the session after the actor instead, or use * for a service that speaks for many.",
  );
}
