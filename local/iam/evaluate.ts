/**
 * Decides as AWS does whether policies allow a call: identity policies, permission boundary, the resource's policy and the
 * policy of the VPC endpoint. Follows "Policy evaluation logic" of the IAM user guide, for what this project's policies use.
 */

import { type ConditionContext, conditionTest, pattern, type Test, unsupported } from "./conditions";

export interface PolicyStatement {
  readonly Sid?: string;
  readonly Effect: "Allow" | "Deny";
  readonly Principal?: "*" | Readonly<Record<string, string | readonly string[]>>;
  readonly Action?: string | readonly string[];
  readonly Resource?: string | readonly string[];
  readonly NotResource?: string | readonly string[];
  readonly Condition?: Readonly<Record<string, Readonly<Record<string, string | readonly string[]>>>>;
}

export interface PolicyDocument {
  readonly Version?: string;
  readonly Statement: readonly PolicyStatement[];
}

/** Who calls: a function's role, a person, or an AWS service in its own name. */
export type Principal =
  | { readonly kind: "role"; readonly arn: string; readonly sessionArn: string }
  | { readonly kind: "user" | "root"; readonly arn: string }
  | { readonly kind: "service"; readonly name: string };

export interface AccessRequest {
  readonly principal: Principal;
  /** `dynamodb:PutItem`. */
  readonly action: string;
  readonly resource: string;
  /** Account that owns the resource. */
  readonly account: string;
  readonly context: Readonly<Record<string, string | readonly string[]>>;
}

export interface ApplicablePolicies {
  readonly identity: readonly CompiledPolicy[];
  readonly boundary?: CompiledPolicy | undefined;
  readonly resource?: CompiledPolicy | undefined;
  /** Of the VPC endpoint through which the call comes. */
  readonly endpoint?: CompiledPolicy | undefined;
}

/** `reason` is worded as in AWS's own AccessDenied messages, from "because" on. */
export type Decision = { readonly allowed: true } | { readonly allowed: false; readonly reason: string };

/** How a statement names the caller. AWS treats these ways differently. */
type NamedAs = "session" | "principal" | "account" | "nobody";

interface CompiledStatement {
  readonly denies: boolean;
  readonly action: (action: string) => boolean;
  readonly resource: (resource: string) => boolean;
  readonly namedAs: (principal: Principal) => NamedAs;
  readonly tests: readonly Test[];
}

export interface CompiledPolicy {
  /** By action in lower case; those with a wildcard are in `others`. */
  readonly byAction: ReadonlyMap<string, readonly CompiledStatement[]>;
  readonly others: readonly CompiledStatement[];
}

/** @param where names the policy in errors. @throws LocalError `POLICY_UNSUPPORTED`. */
export function compilePolicy(document: PolicyDocument, where: string): CompiledPolicy {
  const byAction = new Map<string, CompiledStatement[]>();
  const others: CompiledStatement[] = [];
  for (const statement of document.Statement) {
    const compiled = compileStatement(statement, `${where}, statement ${statement.Sid ?? "without Sid"},`);
    const actions = listOf(statement.Action);
    if (actions.some((action) => /[*?]/.test(action))) others.push(compiled);
    else {
      for (const action of new Set(actions.map((each) => each.toLowerCase()))) {
        byAction.set(action, [...(byAction.get(action) ?? []), compiled]);
      }
    }
  }
  return { byAction, others };
}

const MEMBERS = new Set(["Sid", "Effect", "Principal", "Action", "Resource", "NotResource", "Condition"]);

function compileStatement(statement: PolicyStatement, where: string): CompiledStatement {
  const unknown = Object.keys(statement).find((member) => !MEMBERS.has(member));
  if (unknown !== undefined) throw unsupported(where, unknown);
  const variable = /\$\{[^}]*\}/.exec(JSON.stringify([statement.Resource, statement.NotResource, statement.Condition]));
  if (variable !== null) throw unsupported(where, `the policy variable ${variable[0]}`);
  const conditions = Object.entries(statement.Condition ?? {});
  return {
    denies: statement.Effect === "Deny",
    action: anyOf(listOf(statement.Action).map((action) => pattern(action, true))),
    resource: resourceMatch(statement),
    namedAs: principalMatch(statement.Principal, where),
    tests: conditions.flatMap(([operator, keys]) =>
      Object.entries(keys).map(([key, wanted]) => conditionTest(operator, key, listOf(wanted), where)),
    ),
  };
}

/** A trust policy names no resource: it lies on the role that it is about. */
function resourceMatch({ Resource, NotResource }: PolicyStatement): (resource: string) => boolean {
  if (NotResource !== undefined) {
    const excluded = anyOf(listOf(NotResource).map((resource) => pattern(resource)));
    return (resource) => !excluded(resource);
  }
  return Resource === undefined ? () => true : anyOf(listOf(Resource).map((resource) => pattern(resource)));
}

/** A policy of an identity names no principal: it is about the identity that it is attached to. */
function principalMatch(principal: PolicyStatement["Principal"], where: string): CompiledStatement["namedAs"] {
  if (principal === undefined || principal === "*") return () => "principal";
  const kind = Object.keys(principal).find((each) => each !== "AWS" && each !== "Service");
  if (kind !== undefined) throw unsupported(where, `principals of the kind ${kind}`);
  const services = new Set(listOf(principal["Service"]));
  const named = new Set(listOf(principal["AWS"]));
  return (caller) => {
    if (caller.kind === "service") return services.has(caller.name) ? "principal" : "nobody";
    if (named.has("*") || named.has(caller.arn)) return "principal";
    if (caller.kind === "role" && named.has(caller.sessionArn)) return "session";
    return named.has(rootOf(caller.arn)) ? "account" : "nobody";
  };
}

/** Whether one policy by itself has a statement that allows the request. */
export function allows(policy: CompiledPolicy, request: AccessRequest): boolean {
  return effectsOf(policy, request, contextOf(request)).allowed !== undefined;
}

/** Whether the policies allow the call. An explicit deny anywhere decides first. */
export function decide(request: AccessRequest, policies: ApplicablePolicies): Decision {
  const context = contextOf(request);
  const identity = policies.identity.map((policy) => effectsOf(policy, request, context));
  const boundary = policies.boundary && effectsOf(policies.boundary, request, context);
  const resource = policies.resource && effectsOf(policies.resource, request, context);
  const endpoint = policies.endpoint && effectsOf(policies.endpoint, request, context);
  if (identity.some(({ denied }) => denied)) return denied("an identity-based policy");
  if (boundary?.denied) return denied("a permissions boundary");
  if (resource?.denied) return denied("a resource-based policy");
  if (endpoint?.denied) return denied("a VPC endpoint policy");
  if (endpoint !== undefined && endpoint.allowed === undefined) return missing("VPC endpoint policy", request);
  // The root user of an account has every permission of its identity.
  const byIdentity = request.principal.kind === "root" || identity.some(({ allowed }) => allowed !== undefined);
  const byBoundary = boundary === undefined || boundary.allowed !== undefined;
  return decideAllows(request, byIdentity, byBoundary, resource?.allowed);
}

function decideAllows(
  request: AccessRequest,
  byIdentity: boolean,
  byBoundary: boolean,
  byResource: NamedAs | undefined,
): Decision {
  const { principal, action } = request;
  const named = byResource === "principal" || byResource === "session";
  if (principal.kind === "service") return named ? { allowed: true } : missing("resource-based policy", request);
  const ownAccount = accountOf(principal.arn) === request.account;
  // A key is used by nobody whom its own policy does not let, and the resources of another account neither.
  const resourceMustAllow = action.toLowerCase().startsWith("kms:") || !ownAccount;
  if (resourceMustAllow && byResource === undefined && request.resource !== "*") {
    return missing("resource-based policy", request);
  }
  // Within an account, a resource's policy that names the caller is enough; the boundary limits roles even so.
  if (!byIdentity && !(ownAccount && named)) return missing("identity-based policy", request);
  const unlimited = ownAccount && byResource === "session";
  return byBoundary || unlimited ? { allowed: true } : missing("permissions boundary", request);
}

interface Effects {
  readonly denied: boolean;
  /** The strongest way in which an allowing statement names the caller. */
  readonly allowed: NamedAs | undefined;
}

const STRENGTH: readonly NamedAs[] = ["account", "principal", "session"];

function effectsOf(policy: CompiledPolicy, request: AccessRequest, context: ConditionContext): Effects {
  const action = request.action.toLowerCase();
  let allowed: NamedAs | undefined;
  const candidates = [...(policy.byAction.get(action) ?? []), ...policy.others];
  for (const statement of candidates) {
    const namedAs = statement.namedAs(request.principal);
    if (namedAs === "nobody" || !statement.action(action) || !statement.resource(request.resource)) continue;
    if (!statement.tests.every((test) => test(context))) continue;
    if (statement.denies) return { denied: true, allowed };
    if (allowed === undefined || STRENGTH.indexOf(namedAs) > STRENGTH.indexOf(allowed)) allowed = namedAs;
  }
  return { denied: false, allowed };
}

/** Every call of an AWS SDK comes over TLS; the gate takes each call as one over TLS. */
function contextOf({ principal, context }: AccessRequest): ConditionContext {
  const all = new Map<string, string | readonly string[]>([["aws:securetransport", "true"]]);
  if (principal.kind !== "service") {
    all.set("aws:principalarn", principal.arn);
    all.set("aws:principalaccount", accountOf(principal.arn));
  }
  for (const [key, value] of Object.entries(context)) all.set(key.toLowerCase(), value);
  return all;
}

function denied(where: string): Decision {
  return { allowed: false, reason: `with an explicit deny in ${where}` };
}

function missing(kind: string, { action }: AccessRequest): Decision {
  return { allowed: false, reason: `because no ${kind} allows the ${action} action` };
}

function accountOf(arn: string): string {
  return arn.split(":")[4] ?? "";
}

function rootOf(arn: string): string {
  return `${arn.split(":").slice(0, 3).join(":")}::${accountOf(arn)}:root`.replace(":sts:", ":iam:");
}

function anyOf(tests: readonly ((value: string) => boolean)[]): (value: string) => boolean {
  return (value) => tests.some((test) => test(value));
}

export function listOf(value: string | readonly string[] | undefined): readonly string[] {
  if (value === undefined) return [];
  return typeof value === "string" ? [value] : value;
}
