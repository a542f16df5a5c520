/** What the roles' policies grant and nothing uses, and what a reviewer looks for in any policy. */

import type { Authorisation } from "../../local/iam/authorisation";
import type { EffectivePolicies } from "../../local/iam/effective";
import { allows, type CompiledPolicy, compilePolicy, listOf, type PolicyStatement } from "../../local/iam/evaluate";

/** One action on one resource, with the conditions of its statement. */
export interface Grant {
  readonly role: string;
  readonly sid: string;
  readonly action: string;
  readonly resource: string;
}

/** Why grants that the flow does not use are right. It names each role, the statement and each action: there are no patterns. */
export interface UnusedReason {
  /** Without the environment's suffix. */
  readonly roles: readonly string[];
  readonly sid: string;
  readonly actions: readonly string[];
  /** End of the resource, where the reason does not hold for each resource of the statement. */
  readonly resourceEnd?: string;
  /** Whether the flow uses it depends on the time of the run, so a run that uses it makes the reason no less right. */
  readonly inSomeRuns?: boolean;
  readonly reason: string;
}

export interface UnusedGrants {
  readonly granted: number;
  readonly explained: number;
  /** Neither used nor explained. */
  readonly unexplained: readonly Grant[];
  /** Role, statement and action of reasons for grants that do not exist or are used. */
  readonly stale: readonly string[];
}

export function unusedGrants(
  policies: EffectivePolicies,
  authorisations: readonly Authorisation[],
  reasons: readonly UnusedReason[],
): UnusedGrants {
  const byRole = new Map<string, Authorisation[]>();
  for (const each of authorisations) {
    if (each.caller.kind === "role") byRole.set(each.caller.arn, [...(byRole.get(each.caller.arn) ?? []), each]);
  }
  const granted: Grant[] = [];
  const unused: Grant[] = [];
  for (const role of policies.roles.values()) {
    const asked = byRole.get(role.arn) ?? [];
    for (const { grant, compiled } of [...role.policies.values()].flatMap(({ document }) =>
      document.Statement.flatMap((statement) => grantsOf(role.name, statement)),
    )) {
      granted.push(grant);
      const used = asked.some((each) => allows(compiled, policies.requestOf(each)));
      if (!used) unused.push(grant);
    }
  }
  const isExplained = (grant: Grant) => reasons.some((reason) => explains(reason, grant));
  return {
    granted: granted.length,
    explained: unused.filter(isExplained).length,
    unexplained: unused.filter((grant) => !isExplained(grant)),
    stale: reasons.flatMap(singly).flatMap((reason) => {
      const { roles, sid, actions, resourceEnd = "", inSomeRuns = false } = reason;
      const isStale = !(inSomeRuns ? granted : unused).some((grant) => explains(reason, grant));
      return isStale ? [[...roles, sid, ...actions, resourceEnd].join(" ").trim()] : [];
    }),
  };
}

function explains({ roles, sid, actions, resourceEnd = "" }: UnusedReason, grant: Grant): boolean {
  return (
    roles.some((role) => grant.role === role || grant.role.startsWith(`${role}-`)) &&
    sid === grant.sid &&
    actions.includes(grant.action) &&
    grant.resource.endsWith(resourceEnd)
  );
}

/** One for each role and action of the reason. */
function singly(reason: UnusedReason): UnusedReason[] {
  return reason.roles.flatMap((role) =>
    reason.actions.map((action) => ({ ...reason, roles: [role], actions: [action] })),
  );
}

function grantsOf(role: string, statement: PolicyStatement): { grant: Grant; compiled: CompiledPolicy }[] {
  if (statement.Effect === "Deny") return [];
  return listOf(statement.Action).flatMap((action) =>
    listOf(statement.Resource).map((resource) => ({
      grant: { role, sid: statement.Sid ?? "", action, resource },
      compiled: compilePolicy({ Statement: [{ ...statement, Action: action, Resource: resource }] }, role),
    })),
  );
}

export interface NotableGrants {
  /** Statements that allow something on every resource, or by a pattern of actions. */
  readonly wildcards: readonly string[];
  /** Allowed to a service without saying for whose resource: another account's could make the service act. */
  readonly unconditioned: readonly string[];
}

/** Statements, by their sid, of services for which AWS supports no such condition there. */
export const WITHOUT_CONDITION: readonly string[] = [
  // DynamoDB reads what a table's key is, and encrypts nothing with it.
  "DynamoDbDescribes",
  // EventBridge supports no condition in the policy of a topic, nor in that of its key.
  "EventsOfThisAccount",
  "EventsToTopic",
];

const SOURCE_CONDITION = /aws:Source(Account|Arn)|kms:EncryptionContext:/i;

export function remarkable(policies: EffectivePolicies): NotableGrants {
  const wildcards: string[] = [];
  const unconditioned: string[] = [];
  for (const { name, statement, isOnResource } of everyStatement(policies)) {
    if (statement.Effect === "Deny") continue;
    const place = `${name}, ${statement.Sid}`;
    const wild = listOf(statement.Action).filter((action) => action.includes("*"));
    if (wild.length > 0) wildcards.push(`${place}: ${wild.join(", ")}`);
    if (!isOnResource && listOf(statement.Resource).includes("*")) {
      wildcards.push(`${place}: ${listOf(statement.Action).join(", ")} on *`);
    }
    const services = typeof statement.Principal === "object" ? listOf(statement.Principal["Service"]) : [];
    if (services.length > 0 && !SOURCE_CONDITION.test(JSON.stringify(statement.Condition ?? {}))) {
      unconditioned.push(`${place}: ${services.join(", ")}`);
    }
  }
  return { wildcards: [...new Set(wildcards)], unconditioned: [...new Set(unconditioned)] };
}

function everyStatement({ roles, managed, resourcePolicies, endpoints }: EffectivePolicies) {
  const of = (name: string, statements: readonly PolicyStatement[], isOnResource: boolean) =>
    statements.map((statement) => ({ name, statement, isOnResource }));
  return [
    ...[...roles.values()].flatMap(({ name, policies }) =>
      [...policies.values()].flatMap(({ document }) => of(name, document.Statement, false)),
    ),
    ...[...managed].flatMap(([arn, { document }]) => of(arn.split("/").pop() ?? arn, document.Statement, false)),
    ...[...resourcePolicies].flatMap(([arn, { document }]) => of(arn, document.Statement, true)),
    ...[...endpoints].flatMap(([service, { document }]) => of(`${service} endpoint`, document.Statement, false)),
  ];
}
