/** A KMS key with its alias and a full policy. */

import { KmsAlias } from "@cdktf/provider-aws/lib/kms-alias";
import { KmsKey } from "@cdktf/provider-aws/lib/kms-key";
import type { Construct } from "constructs";
import { policy, type Statement } from "./policy";

/** What a service does with a key on behalf of its caller. */
export const ENCRYPT_AND_DECRYPT = [
  "kms:Decrypt",
  "kms:DescribeKey",
  "kms:Encrypt",
  "kms:GenerateDataKey",
  "kms:GenerateDataKeyWithoutPlaintext",
  "kms:ReEncryptFrom",
  "kms:ReEncryptTo",
];

/**
 * What the account's administrators may do, by their own IAM policies. No use of the key (Encrypt, Decrypt, GenerateMac)
 * and no grant is among it. An administrator who may put a key policy can give themselves more; CloudTrail records that.
 */
const ADMINISTRATION = [
  "kms:CancelKeyDeletion",
  "kms:CreateAlias",
  "kms:DeleteAlias",
  "kms:DescribeKey",
  "kms:DisableKey",
  "kms:DisableKeyRotation",
  "kms:EnableKey",
  "kms:EnableKeyRotation",
  "kms:GetKeyPolicy",
  "kms:GetKeyRotationStatus",
  "kms:ListGrants",
  "kms:ListKeyPolicies",
  "kms:ListKeyRotations",
  "kms:ListResourceTags",
  "kms:PutKeyPolicy",
  "kms:RevokeGrant",
  "kms:RotateKeyOnDemand",
  "kms:ScheduleKeyDeletion",
  "kms:TagResource",
  "kms:UntagResource",
  "kms:UpdateAlias",
  "kms:UpdateKeyDescription",
];

/** What KMS does not do with a key pair. Asking for the rotation's status is not among it: Terraform asks for that of every key. */
const ROTATION = ["kms:DisableKeyRotation", "kms:EnableKeyRotation", "kms:ListKeyRotations", "kms:RotateKeyOnDemand"];

/** In a key policy `*` means this key and no other; KMS documents no other value. */
export const THIS_KEY = ["*"];

export interface KeyProps {
  /** `arn:...:root` means the whole account, whose IAM policies must allow an action as well. */
  readonly accountRootArn: string;
  readonly alias: string;
  readonly description: string;
  readonly deletionWindowDays: number;
  /**
   * `mac` keys make HMACs; KMS cannot rotate them by itself, and the records' MACs could not follow. Key pairs sign; a new one
   * is another key, which verifiers must pin first.
   */
  readonly usage: "encrypt" | "mac" | { readonly sign: string };
  /** Who may use the key, beside its administrators. */
  readonly use: Statement[];
}

export function addKey(scope: Construct, id: string, props: KeyProps): KmsKey {
  const administration: Statement = {
    sid: "Administration",
    principals: [{ type: "AWS", identifiers: [props.accountRootArn] }],
    actions:
      typeof props.usage === "string" ? ADMINISTRATION : ADMINISTRATION.filter((action) => !ROTATION.includes(action)),
    resources: THIS_KEY,
  };
  const key = new KmsKey(scope, id, {
    description: props.description,
    deletionWindowInDays: props.deletionWindowDays,
    policy: policy(scope, `${id}-policy`, [administration, ...props.use]),
    ...kindOf(props.usage),
  });
  // Stated, because a logical id that follows the construct's place would destroy the key when it is moved.
  key.overrideLogicalId(id);
  new KmsAlias(scope, `${id}-alias`, { name: props.alias, targetKeyId: key.keyId });
  return key;
}

function kindOf(usage: KeyProps["usage"]) {
  if (usage === "encrypt") return { enableKeyRotation: true };
  if (usage === "mac") return { customerMasterKeySpec: "HMAC_256", keyUsage: "GENERATE_VERIFY_MAC" };
  return { customerMasterKeySpec: usage.sign, keyUsage: "SIGN_VERIFY" };
}
