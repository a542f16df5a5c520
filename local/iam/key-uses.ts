/** What services do with keys in the caller's name: KMS judges each use as if the caller had made it. */

import type { Authorisation, Context } from "./authorisation";
import type { EffectivePolicies } from "./effective";
import type { Principal } from "./evaluate";

type KeyService = "dynamodb" | "lambda" | "s3" | "sqs" | "backup";

export interface KeyUse {
  readonly caller: Principal;
  /** The table, object or queue that is encrypted under the key. */
  readonly arn: string;
  readonly because: string;
  readonly actions: readonly string[];
}

/** DynamoDB decrypts the table's key for each caller. Nothing to ask for a table under AWS's own key. */
export function tableKeyUses(
  policies: EffectivePolicies,
  { caller, arn, because, actions }: KeyUse,
  keyArn = policies.tableKeys.get(arn),
): Authorisation[] {
  if (keyArn === undefined) return [];
  return actions.map((action) => ({
    caller,
    action,
    resource: keyArn,
    because,
    context: {
      ...keyContext(policies, "dynamodb"),
      "kms:EncryptionContext:aws:dynamodb:tableName": arn.split("/")[1] ?? "",
      "kms:EncryptionContext:aws:dynamodb:subscriberId": policies.place.account,
      ...(action === "kms:CreateGrant" && { "kms:GrantIsForAWSResource": "true" }),
    },
  }));
}

/** @param namedKey of a put whose headers name one; else the bucket's default is used. */
export function objectKeyUses(
  policies: EffectivePolicies,
  { caller, arn, because, actions }: KeyUse,
  namedKey?: string,
): Authorisation[] {
  const bucketArn = arn.split("/")[0] ?? "";
  const bucket = policies.bucketKeys.get(bucketArn);
  const keyArn = namedKey ?? bucket?.keyArn;
  if (keyArn === undefined) return [];
  const context = {
    ...keyContext(policies, "s3"),
    "kms:EncryptionContext:aws:s3:arn": bucket?.isBucketKey === true ? bucketArn : arn,
  };
  return actions.map((action) => ({ caller, action, resource: keyArn, context, because }));
}

export function queueKeyUses(policies: EffectivePolicies, { caller, arn, because, actions }: KeyUse): Authorisation[] {
  const keyArn = policies.queueKeys.get(arn);
  if (keyArn === undefined) return [];
  const context = { ...keyContext(policies, "sqs"), "kms:EncryptionContext:aws:sqs:arn": arn };
  return actions.map((action) => ({ caller, action, resource: keyArn, context, because }));
}

export function keyContext({ place }: EffectivePolicies, service: KeyService): Context {
  return { "kms:CallerAccount": place.account, "kms:ViaService": `${service}.${place.region}.amazonaws.com` };
}
