/** AWS Backup of the tables: a vault under its own key, a plan, a role that backs up these tables, and one that restores them. */

import { BackupPlan } from "@cdktf/provider-aws/lib/backup-plan";
import { BackupSelection } from "@cdktf/provider-aws/lib/backup-selection";
import { BackupVault } from "@cdktf/provider-aws/lib/backup-vault";
import { BackupVaultLockConfiguration } from "@cdktf/provider-aws/lib/backup-vault-lock-configuration";
import { IamRole } from "@cdktf/provider-aws/lib/iam-role";
import { IamRolePolicy } from "@cdktf/provider-aws/lib/iam-role-policy";
import type { Construct } from "constructs";
import { BACKUP_COMPLETION_MINUTES, BACKUP_START_MINUTES } from "../config/backup-window";
import type { AppConfig, BackupRule } from "../config/types";
import { assumedBy, equals, isTrue, policy, type Statement } from "./policy";

export interface BackupProps {
  readonly vaultName: string;
  readonly vaultArn: string;
  readonly roleName: string;
  readonly restoreRoleName: string;
  readonly region: string;
  readonly accountId: string;
  readonly tableArns: string[];
  /** A pattern: the tables that a restore may make. */
  readonly scratchTableArns: string;
  /** A pattern: the backups in the vault. */
  readonly recoveryPointArns: string;
  readonly dataKeyArn: string;
  readonly backupKeyArn: string;
  readonly backups: AppConfig["backups"];
  readonly protections: AppConfig["protections"];
}

/** Returns the plan. */
export function addBackups(scope: Construct, props: BackupProps): BackupPlan {
  const vault = new BackupVault(scope, "backup-vault", {
    name: props.vaultName,
    kmsKeyArn: props.backupKeyArn,
    forceDestroy: props.protections.emptyOnDestroy,
  });
  vault.overrideLogicalId("backup-vault");
  const { vaultLock } = props.protections;
  if (vaultLock !== null) {
    new BackupVaultLockConfiguration(scope, "backup-vault-lock", { backupVaultName: vault.name, ...vaultLock });
  }
  const plan = new BackupPlan(scope, "backup-plan", {
    name: props.vaultName,
    rule: Object.entries(props.backups).map(([name, rule]) => planRule(name, rule, vault.name)),
  });
  const { role, access } = addRole(scope, "backup", props, {
    name: props.roleName,
    description: "Backs up the payment tables",
    statements: backupStatements(props),
  });
  addRole(scope, "restore", props, {
    name: props.restoreRoleName,
    description: "Restores backups of the payment tables into scratch tables",
    statements: restoreStatements(props),
  });
  new BackupSelection(scope, "backup-selection", {
    name: "payment-tables",
    planId: plan.id,
    iamRoleArn: role.arn,
    resources: props.tableArns,
    dependsOn: [access],
  });
  return plan;
}

/** AWS Backup offers no continuous backup of DynamoDB. The tables' point-in-time recovery does that. */
function planRule(name: string, { schedule, retentionDays }: BackupRule, targetVaultName: string) {
  return {
    ruleName: name,
    targetVaultName,
    schedule,
    startWindow: BACKUP_START_MINUTES,
    completionWindow: BACKUP_COMPLETION_MINUTES,
    lifecycle: { deleteAfter: retentionDays },
  };
}

/** Only AWS Backup may assume both roles, for this account. */
function addRole(scope: Construct, id: string, props: BackupProps, role: NewRole) {
  const iamRole = new IamRole(scope, `${id}-role`, {
    name: role.name,
    description: role.description,
    tags: { Name: role.name },
    assumeRolePolicy: policy(scope, `${id}-trust`, [
      assumedBy("backup.amazonaws.com", props.accountId, "BackupOfThisAccount"),
    ]),
  });
  const access = new IamRolePolicy(scope, `${id}-access`, {
    name: `${id}-access`,
    role: iamRole.id,
    policy: policy(scope, `${id}-access-policy`, role.statements),
  });
  return { role: iamRole, access };
}

interface NewRole {
  readonly name: string;
  readonly description: string;
  readonly statements: Statement[];
}

function backupStatements({ tableArns, vaultArn, recoveryPointArns, ...props }: BackupProps): Statement[] {
  return [
    {
      sid: "Tables",
      actions: [
        "dynamodb:CreateBackup",
        "dynamodb:DescribeTable",
        "dynamodb:ListTagsOfResource",
        "dynamodb:StartAwsBackupJob",
      ],
      resources: tableArns,
    },
    {
      sid: "BackupsOfTables",
      actions: ["dynamodb:DeleteBackup", "dynamodb:DescribeBackup"],
      resources: tableArns.map((arn) => `${arn}/backup/*`),
    },
    { sid: "Vault", actions: ["backup:DescribeBackupVault"], resources: [vaultArn] },
    // A recovery point takes over the tags of its table. A job fails where the role may not set them.
    { sid: "TagRecoveryPoints", actions: ["backup:TagResource"], resources: [recoveryPointArns] },
    ...keyStatements(props, ["kms:Decrypt", "kms:GenerateDataKey", "kms:GenerateDataKeyWithoutPlaintext"]),
  ];
}

/**
 * Restores into scratch tables only: no role can put a restored table under a name that the ledger uses. AWS Backup writes
 * to the new table as this role.
 */
function restoreStatements({ tableArns, scratchTableArns, ...props }: BackupProps): Statement[] {
  return [
    {
      sid: "ScratchTables",
      actions: [
        "dynamodb:BatchWriteItem",
        "dynamodb:DeleteItem",
        "dynamodb:DescribeTable",
        "dynamodb:GetItem",
        "dynamodb:PutItem",
        "dynamodb:Query",
        "dynamodb:RestoreTableFromAwsBackup",
        "dynamodb:RestoreTableFromBackup",
        "dynamodb:Scan",
        "dynamodb:UpdateItem",
      ],
      resources: [scratchTableArns],
    },
    {
      sid: "BackupsOfTables",
      actions: ["dynamodb:RestoreTableFromBackup"],
      resources: tableArns.map((arn) => `${arn}/backup/*`),
    },
    ...keyStatements(props, [
      "kms:Decrypt",
      "kms:Encrypt",
      "kms:GenerateDataKey",
      "kms:GenerateDataKeyWithoutPlaintext",
      "kms:ReEncryptFrom",
      "kms:ReEncryptTo",
    ]),
  ];
}

/** AWS Backup also describes keys and creates grants directly, not only through DynamoDB, as its managed policies show. */
function keyStatements({ region, dataKeyArn, backupKeyArn }: KeyProps, use: string[]): Statement[] {
  const resources = [dataKeyArn, backupKeyArn];
  return [
    {
      sid: "KeysThroughServices",
      actions: use,
      resources,
      conditions: [equals("kms:ViaService", `backup.${region}.amazonaws.com`, `dynamodb.${region}.amazonaws.com`)],
    },
    { sid: "DescribeKeys", actions: ["kms:DescribeKey"], resources },
    {
      sid: "GrantsOfAws",
      actions: ["kms:CreateGrant"],
      resources,
      conditions: [isTrue("kms:GrantIsForAWSResource")],
    },
  ];
}

type KeyProps = Pick<BackupProps, "region" | "dataKeyArn" | "backupKeyArn">;
