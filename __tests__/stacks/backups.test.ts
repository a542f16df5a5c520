import { configOf, only, published, reference, statements, synthesize } from "../support/synth";

const { data, security } = synthesize(configOf("prod")).stacks;
const dev = synthesize(configOf("dev")).stacks.data;

const TABLE_ARNS = ["payment-ledger", "payment-audit-trail", "payment-messages-trail", "payment-transactions"].map(
  (id) => reference(`aws_dynamodb_table.${id}.arn`),
);
const ACCOUNT = reference("data.aws_caller_identity.current.account_id");

test("the vault has a key of its own, and a lock in production", () => {
  expect(only(data, "aws_backup_vault", "backup-vault")).toEqual({
    name: "payment-backup-prod",
    kms_key_arn: published("security", "aws_kms_key", "backup-key", "arn"),
    force_destroy: false,
  });
  expect(only(data, "aws_backup_vault_lock_configuration", "backup-vault-lock")).toEqual({
    backup_vault_name: reference("aws_backup_vault.backup-vault.name"),
    min_retention_days: 35,
    max_retention_days: 730,
    changeable_for_days: 7,
  });
  expect(only(dev, "aws_backup_vault", "backup-vault")["force_destroy"]).toBe(true);
  expect(dev.resource["aws_backup_vault_lock_configuration"]).toBeUndefined();
});

test("all four tables are backed up each day and each week", () => {
  expect(only(data, "aws_backup_selection", "backup-selection")).toMatchObject({
    iam_role_arn: reference("aws_iam_role.backup-role.arn"),
    resources: TABLE_ARNS,
  });
  const rule = (name: string, schedule: string, deleteAfter: number) => ({
    rule_name: name,
    target_vault_name: reference("aws_backup_vault.backup-vault.name"),
    schedule,
    start_window: 60,
    completion_window: 480,
    lifecycle: { delete_after: deleteAfter },
  });
  expect(only(data, "aws_backup_plan", "backup-plan")["rule"]).toEqual([
    rule("daily", "cron(0 3 * * ? *)", 35),
    rule("weekly", "cron(0 4 ? * SUN *)", 400),
  ]);
});

test("the backup role may do exactly this, to these tables", () => {
  const found = statements(data, "backup-access-policy");
  expect(Object.fromEntries(found.map(({ sid, actions }) => [sid, actions]))).toEqual({
    Tables: [
      "dynamodb:CreateBackup",
      "dynamodb:DescribeTable",
      "dynamodb:ListTagsOfResource",
      "dynamodb:StartAwsBackupJob",
    ],
    BackupsOfTables: ["dynamodb:DeleteBackup", "dynamodb:DescribeBackup"],
    Vault: ["backup:DescribeBackupVault"],
    KeysThroughServices: [
      "kms:Decrypt",
      "kms:DescribeKey",
      "kms:GenerateDataKey",
      "kms:GenerateDataKeyWithoutPlaintext",
    ],
    GrantsOfBackup: ["kms:CreateGrant"],
  });
  expect(found[0]?.resources).toEqual(TABLE_ARNS);
  expect(found[1]?.resources).toEqual(TABLE_ARNS.map((arn) => `${arn}/backup/*`));
  expect(statements(data, "backup-trust")).toMatchObject([
    {
      principals: [{ type: "Service", identifiers: ["backup.amazonaws.com"] }],
      condition: [{ test: "StringEquals", variable: "aws:SourceAccount", values: [ACCOUNT] }],
    },
  ]);
});

test("the vault's key is used through AWS Backup and DynamoDB, by this account, and granted to AWS alone", () => {
  const [administration, use, grants, ...rest] = statements(security, "backup-key-policy");
  expect([administration?.sid, rest]).toEqual(["Administration", []]);
  const services = ["backup.us-east-1.amazonaws.com", "dynamodb.us-east-1.amazonaws.com"];
  for (const found of [use, grants]) {
    expect(found?.condition).toContainEqual({ test: "StringEquals", variable: "kms:ViaService", values: services });
    expect(found?.condition).toContainEqual({ test: "StringEquals", variable: "kms:CallerAccount", values: [ACCOUNT] });
  }
  expect(grants).toMatchObject({ actions: ["kms:CreateGrant"] });
  expect(grants?.condition).toContainEqual({ test: "Bool", variable: "kms:GrantIsForAWSResource", values: ["true"] });
});
