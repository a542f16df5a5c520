/** Who may do what to tables, evidence, keys and trail, if nothing but the resources' policies can deny it. */

import type { Authorisation } from "../../local/iam/authorisation";
import type { EffectivePolicies } from "../../local/iam/effective";
import { compilePolicy, decide, type Principal } from "../../local/iam/evaluate";
import { keyContext } from "../../local/iam/key-uses";

export interface MatrixRow {
  readonly kind: string;
  readonly action: string;
  /** May the administrator of the account, its root user, an administrator of another account? */
  readonly allowed: readonly [administrator: boolean, root: boolean, foreign: boolean];
}

const EVERYTHING = compilePolicy(
  { Statement: [{ Sid: "Everything", Effect: "Allow", Action: "*", Resource: "*" }] },
  "an administrator's policy",
);
const OTHER_ACCOUNT = "444455556666";

const TABLE_ACTIONS = [
  ...["PutItem", "UpdateItem", "DeleteItem", "BatchWriteItem", "PartiQLInsert", "PartiQLUpdate", "PartiQLDelete"],
  ...["UpdateTimeToLive", "Scan", "PutResourcePolicy", "DeleteResourcePolicy", "UpdateTable", "DeleteTable"],
  "UpdateContinuousBackups",
];
const OBJECT_ACTIONS = [
  ...["PutObject", "DeleteObject", "DeleteObjectVersion", "BypassGovernanceRetention", "ReplicateObject"],
  ...["ReplicateDelete", "GetObject"],
];
const BUCKET_ACTIONS = [
  ...["PutLifecycleConfiguration", "PutBucketPolicy", "DeleteBucketPolicy", "PutEncryptionConfiguration"],
  ...["PutBucketObjectLockConfiguration", "DeleteBucket"],
];
const KEY_USES = ["Encrypt", "Decrypt", "GenerateDataKey", "Sign", "GenerateMac", "CreateGrant"];
const KEY_ADMINISTRATION = ["PutKeyPolicy", "ScheduleKeyDeletion", "DisableKey", "GetPublicKey"];

export function administratorMatrix(policies: EffectivePolicies): MatrixRow[] {
  const objects = (kind: string, name: string, key: string) => {
    const bucketArn = [...policies.resourcePolicies.keys()].find((arn) => arn.startsWith(`arn:aws:s3:::${name}`)) ?? "";
    return [
      ...OBJECT_ACTIONS.map((action) => row(policies, kind, `s3:${action}`, [`${bucketArn}/${key}`])),
      ...BUCKET_ACTIONS.map((action) => row(policies, kind, `s3:${action}`, [bucketArn])),
    ];
  };
  const keys = [...policies.resourcePolicies.keys()].filter((arn) => arn.includes(":kms:"));
  return [
    ...TABLE_ACTIONS.map((action) => row(policies, "tables", `dynamodb:${action}`, [...policies.tableKeys.keys()])),
    ...objects("evidence", "payment-evidence", "log/tile/0/000"),
    ...objects("trail", "payment-cloudtrail", "AWSLogs/file.json.gz"),
    ...KEY_USES.map((action) => row(policies, "keys, directly", `kms:${action}`, keys)),
    ...KEY_USES.slice(0, 3).map((action) =>
      row(policies, "keys, through S3", `kms:${action}`, keys, throughS3(policies)),
    ),
    ...KEY_ADMINISTRATION.map((action) => row(policies, "keys", `kms:${action}`, keys)),
  ];
}

/** As a put to the evidence bucket would use its key. */
function throughS3(policies: EffectivePolicies): Authorisation["context"] {
  const evidence = [...policies.bucketKeys.keys()].find((arn) => arn.includes("payment-evidence")) ?? "";
  return { ...keyContext(policies, "s3"), "kms:EncryptionContext:aws:s3:arn": evidence };
}

/** Allowed where it is on any of the resources. */
function row(
  policies: EffectivePolicies,
  kind: string,
  action: string,
  resources: readonly string[],
  context: Authorisation["context"] = { "kms:CallerAccount": policies.place.account },
): MatrixRow {
  const { account } = policies.place;
  const may = (principal: Principal) =>
    resources.some((resource) => {
      const { resource: policy } = policies.policiesOf({ kind: "service", name: "" }, resource);
      const request = { principal, action, resource, account, context };
      return decide(request, { identity: [EVERYTHING], resource: policy }).allowed;
    });
  return {
    kind,
    action,
    allowed: [
      may({ kind: "user", arn: `arn:aws:iam::${account}:user/administrator` }),
      may({ kind: "root", arn: `arn:aws:iam::${account}:root` }),
      may({ kind: "user", arn: `arn:aws:iam::${OTHER_ACCOUNT}:user/administrator` }),
    ],
  };
}
