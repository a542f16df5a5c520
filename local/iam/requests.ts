/** The authorisations that AWS asks for one caller, each with what AWS adds to the request by itself. */

import { type Authorisation, type CallingIdentity, type Context, THE_CALL } from "./authorisation";
import type { EffectivePolicies } from "./effective";

/** A caller with what AWS adds to each of its requests by itself. */
export interface RequestingCaller {
  readonly policies: EffectivePolicies;
  readonly caller: CallingIdentity;
  readonly own: Pick<Authorisation, "context" | "via">;
}

export function authorisationOf(
  action: string,
  resource: string,
  requester: RequestingCaller,
  context: Context = {},
): Authorisation {
  const { caller, own } = requester;
  return {
    caller: caller.principal,
    action,
    resource,
    because: THE_CALL,
    ...own,
    context: { ...own.context, ...context },
  };
}
