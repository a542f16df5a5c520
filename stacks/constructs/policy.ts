/**
 * The only maker of policies. They are `aws_iam_policy_document` data sources: readable in a plan and in a snapshot, and
 * valid in both forms of Terraform (a policy as a JSON string comes out broken from `cdktf synth --hcl`).
 *
 * A policy variable such as `${aws:username}` must be written `&{aws:username}` here: the data source turns it back, where
 * `${` would be read as Terraform's own.
 */

import { DataAwsIamPolicyDocument } from "@cdktf/provider-aws/lib/data-aws-iam-policy-document";
import type { Construct } from "constructs";

export interface Condition {
  readonly test: string;
  readonly variable: string;
  readonly values: string[];
}

export interface Statement {
  readonly sid: string;
  /** `Allow` unless said otherwise. */
  readonly effect?: "Deny";
  /** Named in full: `__tests__/stacks` refuses every wildcard that allows something. */
  readonly actions: string[];
  readonly resources: string[];
  /** Everything but these; `resources` is empty then. Only ever to deny. */
  readonly notResources?: string[];
  readonly principals?: { readonly type: "AWS" | "Service" | "*"; readonly identifiers: string[] }[];
  readonly conditions?: Condition[];
}

/** Everybody; only ever under a condition, or to deny. */
export const EVERYBODY = [{ type: "*" as const, identifiers: ["*"] }];

export function service(...identifiers: string[]): NonNullable<Statement["principals"]> {
  return [{ type: "Service", identifiers }];
}

/** The trust of a role that a service assumes for this account: nobody uses the service to get it from another account. */
export function assumedBy(serviceName: string, accountId: string, sid: string, ...further: Condition[]): Statement {
  return {
    sid,
    principals: service(serviceName),
    actions: ["sts:AssumeRole"],
    resources: [],
    conditions: [equals("aws:SourceAccount", accountId), ...further],
  };
}

export function equals(variable: string, ...values: string[]): Condition {
  return { test: "StringEquals", variable, values };
}

export function arnEquals(variable: string, ...values: string[]): Condition {
  return { test: "ArnEquals", variable, values };
}

export function notEquals(variable: string, ...values: string[]): Condition {
  return { test: "StringNotEquals", variable, values };
}

/** `*` matches any characters. */
export function arnLike(variable: string, ...values: string[]): Condition {
  return { test: "ArnLike", variable, values };
}

export function isTrue(variable: string): Condition {
  return { test: "Bool", variable, values: ["true"] };
}

/** The request has this condition key. Another condition checks its value. */
export function given(variable: string): Condition {
  return { test: "Null", variable, values: ["false"] };
}

export function notGiven(variable: string): Condition {
  return { test: "Null", variable, values: ["true"] };
}

/** Also true where the key is absent, which is what a `Deny` wants. */
export function arnNotEquals(variable: string, ...values: string[]): Condition {
  return { test: "ArnNotEquals", variable, values };
}

/** The accounts of these roles, each once. */
export function accountRootsOf(roleArns: readonly string[]): string[] {
  return [...new Set(roleArns.map((arn) => arn.replace(/:role\/.*$/, ":root")))];
}

/** Refuses every call that did not come over TLS. */
export function denyWithoutTls(actions: string[], ...resources: string[]): Statement {
  return {
    sid: "DenyWithoutTls",
    effect: "Deny",
    principals: EVERYBODY,
    actions,
    resources,
    conditions: [{ test: "Bool", variable: "aws:SecureTransport", values: ["false"] }],
  };
}

/** Declares the document and returns its JSON as a reference. */
export function policy(scope: Construct, id: string, statements: Statement[]): string {
  const document = new DataAwsIamPolicyDocument(scope, id, {
    statement: statements.map(({ sid, effect, actions, resources, notResources, principals, conditions }) => ({
      sid,
      effect: effect ?? "Allow",
      actions,
      resources,
      ...(notResources === undefined ? {} : { notResources }),
      ...(principals === undefined ? {} : { principals }),
      ...(conditions === undefined ? {} : { condition: conditions }),
    })),
  });
  return document.json;
}
