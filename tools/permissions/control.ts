/** The control of the evaluation: a permission that is used and is taken away must be missed. */

import type { Authorisation } from "../../local/iam/authorisation";
import type { EffectivePolicies, PolicyInForce } from "../../local/iam/effective";
import { type CompiledPolicy, compilePolicy, decide, listOf } from "../../local/iam/evaluate";

export interface RemovalControl {
  readonly removals: number;
  /** Removals that changed nothing: what they took away was allowed in another way, or is not evaluated at all. */
  readonly undetected: readonly string[];
}

/** Takes each action that a role used from its policies, its boundary and the endpoint's policy, one at a time. */
export function removeSingly(policies: EffectivePolicies, authorisations: readonly Authorisation[]): RemovalControl {
  const reduced = new Map<PolicyInForce, Map<string, CompiledPolicy>>();
  const without = (policy: PolicyInForce, action: string): CompiledPolicy => {
    const known = reduced.get(policy) ?? new Map<string, CompiledPolicy>();
    reduced.set(policy, known);
    const compiled = known.get(action) ?? withoutAction(policy, action);
    known.set(action, compiled);
    return compiled;
  };
  let removals = 0;
  const undetected: string[] = [];
  for (const authorisation of authorisations) {
    const { caller, action, resource, via } = authorisation;
    if (caller.kind !== "role") continue;
    const role = policies.roleOf(caller.arn);
    const all = policies.policiesOf(caller, resource, via);
    const boundary = role.boundaryArn === undefined ? undefined : policies.managed.get(role.boundaryArn);
    const endpoint = via && policies.endpoints.get(via);
    const reductions = {
      "the role's policies": { identity: [...role.policies.values()].map((policy) => without(policy, action)) },
      ...(boundary && { "the boundary": { boundary: without(boundary, action) } }),
      ...(endpoint && { "the endpoint's policy": { endpoint: without(endpoint, action) } }),
    };
    for (const [where, reduction] of Object.entries(reductions)) {
      removals += 1;
      if (decide(policies.requestOf(authorisation), { ...all, ...reduction }).allowed) {
        undetected.push(`${action} of ${role.name} taken from ${where}`);
      }
    }
  }
  return { removals, undetected };
}

function withoutAction({ document }: PolicyInForce, action: string): CompiledPolicy {
  const Statement = document.Statement.map((statement) =>
    statement.Effect === "Deny"
      ? statement
      : {
          ...statement,
          Action: listOf(statement.Action).filter((each) => each.toLowerCase() !== action.toLowerCase()),
        },
  );
  return compilePolicy({ ...document, Statement }, "a policy without one action");
}
