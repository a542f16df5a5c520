/** Keeps the policies in force up to date with the calls that change them. */

import { type ApiCall, firstText } from "./api-call";
import { keyOfNewTable } from "./dynamodb-calls";
import { type EffectivePolicies, inForce, policyHolderOf, type Role } from "./effective";

type Change = (call: ApiCall, policies: EffectivePolicies) => void;

const CHANGES: Readonly<Record<string, Change>> = {
  "dynamodb:PutResourcePolicy": ({ input }, policies) =>
    put(policies, firstText(input, "ResourceArn"), firstText(input, "Policy")),
  "dynamodb:DeleteResourcePolicy": ({ input }, policies) => put(policies, firstText(input, "ResourceArn"), undefined),
  "dynamodb:CreateTable": newTable,
  "dynamodb:ImportTable": newTable,
  "dynamodb:RestoreTableFromBackup": newTable,
  "dynamodb:RestoreTableToPointInTime": newTable,
  "kms:PutKeyPolicy": ({ input }, policies) =>
    put(policies, policies.keyArn(firstText(input, "KeyId") ?? ""), firstText(input, "Policy")),
  "s3:PutBucketPolicy": ({ path, body }, policies) => put(policies, bucketArnOf(path), body.toString("utf8")),
  "s3:DeleteBucketPolicy": ({ path }, policies) => put(policies, bucketArnOf(path), undefined),
  "sqs:SetQueueAttributes": ({ input }, policies) => {
    const { Policy } = (input["Attributes"] ?? {}) as { Policy?: string };
    const name = firstText(input, "QueueUrl")?.split("/").pop() ?? "";
    if (Policy !== undefined) put(policies, policies.arn("sqs", name), Policy === "" ? undefined : Policy);
  },
  "iam:PutRolePolicy": ({ input }, policies) => {
    const policy = inForce(firstText(input, "PolicyDocument") ?? "", "PutRolePolicy");
    roleIn(input, policies)?.policies.set(firstText(input, "PolicyName") ?? "", policy);
  },
  "iam:DeleteRolePolicy": ({ input }, policies) => {
    roleIn(input, policies)?.policies.delete(firstText(input, "PolicyName") ?? "");
  },
  "iam:PutRolePermissionsBoundary": ({ input }, policies) => {
    const role = roleIn(input, policies);
    if (role !== undefined) role.boundaryArn = firstText(input, "PermissionsBoundary");
  },
  "iam:DeleteRolePermissionsBoundary": ({ input }, policies) => {
    const role = roleIn(input, policies);
    if (role !== undefined) role.boundaryArn = undefined;
  },
};

/** Calls that change what somebody may do, and that are not followed. They are refused rather than without effect. */
const NOT_FOLLOWED =
  /^(iam:(?!Get|List|Simulate)|lambda:(Add|Remove)Permission$|sns:(SetTopicAttributes|(Add|Remove)Permission)$|sqs:(Add|Remove)Permission$|kms:(CreateGrant|RetireGrant|RevokeGrant)$)/;

export function isNotFollowed(action: string): boolean {
  return !(action in CHANGES) && NOT_FOLLOWED.test(action);
}

/** @param action of the call, as it was authorised; the call has succeeded. */
export function followChange(action: string, call: ApiCall, policies: EffectivePolicies): void {
  CHANGES[action]?.(call, policies);
}

function put({ resourcePolicies }: EffectivePolicies, holder: string | undefined, policy: string | undefined): void {
  if (holder === undefined) return;
  if (policy === undefined) resourcePolicies.delete(holder);
  else resourcePolicies.set(policyHolderOf(holder), inForce(policy, `the policy of ${holder}`));
}

function newTable({ input }: ApiCall, policies: EffectivePolicies): void {
  const parameters = (input["TableCreationParameters"] ?? input) as ApiCall["input"];
  const name = firstText(parameters, "TableName", "TargetTableName");
  const key = keyOfNewTable(parameters, policies);
  if (name !== undefined && key !== undefined) policies.tableKeys.set(policies.tableArn(name), key);
}

function bucketArnOf(path: string): string {
  return `arn:aws:s3:::${path.split("/")[1] ?? ""}`;
}

function roleIn(input: ApiCall["input"], policies: EffectivePolicies): Role | undefined {
  return [...policies.roles.values()].find(({ name }) => name === firstText(input, "RoleName"));
}
