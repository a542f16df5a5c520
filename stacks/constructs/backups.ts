/** AWS Backup of the tables: a vault under its own key, a plan, and a role that can back up these tables and nothing else. */

import { BackupPlan } from "@cdktf/provider-aws/lib/backup-plan";
import { BackupSelection } from "@cdktf/provider-aws/lib/backup-selection";
import { BackupVault } from "@cdktf/provider-aws/lib/backup-vault";
import { BackupVaultLockConfiguration } from "@cdktf/provider-aws/lib/backup-vault-lock-configuration";
import { IamRole } from "@cdktf/provider-aws/lib/iam-role";
import { IamRolePolicy } from "@cdktf/provider-aws/lib/iam-role-policy";
import type { Construct } from "constructs";
import type { AppConfig, BackupRule } from "../../config/types";
import { equals, isTrue, policy, type Statement, service } from "./policy";

const START_WINDOW_MINUTES = 60;
const COMPLETION_WINDOW_MINUTES = 8 * 60;

export interface BackupProps {
  readonly vaultName: string;
  readonly vaultArn: string;
  readonly roleName: string;
  readonly region: string;
  readonly accountId: string;
  readonly tableArns: string[];
  readonly dataKeyArn: string;
  readonly backupKeyArn: string;
  readonly backups: AppConfig["backups"];
  readonly protections: AppConfig["protections"];
}

export function addBackups(scope: Construct, props: BackupProps): void {
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
  const { role, access } = addRole(scope, props);
  new BackupSelection(scope, "backup-selection", {
    name: "payment-tables",
    planId: plan.id,
    iamRoleArn: role.arn,
    resources: props.tableArns,
    dependsOn: [access],
  });
}

/** Continuous backup is not among AWS Backup's for DynamoDB: the tables' own point-in-time recovery is that. */
function planRule(name: string, { schedule, retentionDays }: BackupRule, targetVaultName: string) {
  return {
    ruleName: name,
    targetVaultName,
    schedule,
    startWindow: START_WINDOW_MINUTES,
    completionWindow: COMPLETION_WINDOW_MINUTES,
    lifecycle: { deleteAfter: retentionDays },
  };
}

function addRole(scope: Construct, props: BackupProps) {
  const role = new IamRole(scope, "backup-role", {
    name: props.roleName,
    description: "Backs up the payment tables",
    tags: { Name: props.roleName },
    assumeRolePolicy: policy(scope, "backup-trust", [
      {
        sid: "BackupOfThisAccount",
        principals: service("backup.amazonaws.com"),
        actions: ["sts:AssumeRole"],
        resources: [],
        conditions: [equals("aws:SourceAccount", props.accountId)],
      },
    ]),
  });
  const access = new IamRolePolicy(scope, "backup-access", {
    name: "backup-access",
    role: role.id,
    policy: policy(scope, "backup-access-policy", backupStatements(props)),
  });
  return { role, access };
}

function backupStatements({ region, tableArns, vaultArn, dataKeyArn, backupKeyArn }: BackupProps): Statement[] {
  const via = equals("kms:ViaService", `backup.${region}.amazonaws.com`, `dynamodb.${region}.amazonaws.com`);
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
    {
      sid: "KeysThroughServices",
      actions: ["kms:Decrypt", "kms:DescribeKey", "kms:GenerateDataKey", "kms:GenerateDataKeyWithoutPlaintext"],
      resources: [dataKeyArn, backupKeyArn],
      conditions: [via],
    },
    {
      sid: "GrantsOfBackup",
      actions: ["kms:CreateGrant"],
      resources: [backupKeyArn],
      conditions: [via, isTrue("kms:GrantIsForAWSResource")],
    },
  ];
}
