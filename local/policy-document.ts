/** Renders `data.aws_iam_policy_document` as the AWS provider does. */
import { LocalError } from "./errors";
import { isObject } from "./synthesized";
import type { Json, TerraformObject } from "./terraform-expression";

const DOCUMENT_ARGUMENTS = new Set(["statement", "version", "policy_id"]);
const STATEMENT_ARGUMENTS = new Set([
  "sid",
  "effect",
  "actions",
  "not_actions",
  "resources",
  "not_resources",
  "principals",
  "not_principals",
  "condition",
]);

export function renderPolicyDocument(address: string, document: TerraformObject): string {
  refuseUnknown(address, document, DOCUMENT_ARGUMENTS);
  const statements = asList(document["statement"]).filter(isObject);
  return JSON.stringify({
    Version: document["version"] ?? "2012-10-17",
    ...(document["policy_id"] !== undefined && { Id: document["policy_id"] }),
    Statement: statements.map((statement) => renderStatement(address, statement)),
  });
}

function renderStatement(address: string, statement: TerraformObject): TerraformObject {
  refuseUnknown(address, statement, STATEMENT_ARGUMENTS);
  return {
    ...(statement["sid"] && { Sid: statement["sid"] }),
    Effect: statement["effect"] ?? "Allow",
    ...listAs("Action", statement["actions"]),
    ...listAs("NotAction", statement["not_actions"]),
    ...listAs("Resource", statement["resources"]),
    ...listAs("NotResource", statement["not_resources"]),
    ...principalsAs("Principal", statement["principals"]),
    ...principalsAs("NotPrincipal", statement["not_principals"]),
    ...conditionsOf(statement["condition"]),
  };
}

function listAs(name: string, value: Json | undefined): TerraformObject {
  const items = asList(value).map(withPolicyVariables);
  const [only] = items;
  return only === undefined ? {} : { [name]: items.length === 1 ? only : items };
}

/** `{ type = "*", identifiers = ["*"] }` becomes "*"; everything else is grouped by type. */
function principalsAs(name: string, value: Json | undefined): TerraformObject {
  const blocks = asList(value).filter(isObject);
  if (blocks.length === 0) return {};
  const [first] = blocks;
  if (blocks.length === 1 && first?.["type"] === "*") return { [name]: "*" };
  const byType: { [type: string]: Json[] } = {};
  for (const block of blocks) {
    byType[String(block["type"])] = [
      ...(byType[String(block["type"])] ?? []),
      ...asList(block["identifiers"]).map(withPolicyVariables),
    ];
  }
  return { [name]: byType };
}

function conditionsOf(value: Json | undefined): TerraformObject {
  const condition: { [test: string]: { [variable: string]: Json } } = {};
  for (const block of asList(value).filter(isObject)) {
    const test = String(block["test"]);
    const variables = condition[test] ?? {};
    condition[test] = variables;
    variables[String(block["variable"])] = asList(block["values"]).map(withPolicyVariables);
  }
  return Object.keys(condition).length === 0 ? {} : { Condition: condition };
}

/** Terraform's own `${` is taken, so the provider writes IAM policy variables as `&{`. */
function withPolicyVariables(value: Json): Json {
  return typeof value === "string" ? value.replaceAll("&{", "${") : value;
}

function asList(value: Json | undefined): Json[] {
  if (value === undefined || value === null) return [];
  return Array.isArray(value) ? value : [value];
}

function refuseUnknown(address: string, block: TerraformObject, known: ReadonlySet<string>): void {
  const unknown = Object.keys(block).find((key) => !known.has(key));
  if (unknown === undefined) return;
  throw new LocalError(
    "EXPRESSION_UNRESOLVED",
    `${address} uses "${unknown}", which local/policy-document.ts does not render. Write the statements out.`,
  );
}
