import { readFileSync } from "node:fs";
import { join } from "node:path";
import { SCRATCH_TABLE_PREFIX } from "../../contract";
import { namesOf } from "../../stacks/config/names";
import { PROJECT } from "../support/project-files";
import {
  conditionOf,
  configOf,
  lastParts,
  only,
  published,
  reference,
  type Statement,
  statement,
  statements,
  synthesize,
} from "../support/synth";
import awsPolicies from "./fixtures/aws-backup-policies.json";

const { data, security } = synthesize(configOf("prod")).stacks;
const dev = synthesize(configOf("dev")).stacks.data;

const TABLE_ARNS = [
  "payment-ledger",
  "payment-audit-trail",
  "payment-messages-trail",
  "payment-transactions",
  "payment-events",
].map((id) => reference(`aws_dynamodb_table.${id}.arn`));
const ACCOUNT = reference("data.aws_caller_identity.current.account_id");

test("the vault has its own key, and a lock in production", () => {
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

test("all five tables are backed up each day and each week", () => {
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

const PREFIX = `arn:${reference("data.aws_partition.partition.partition")}`;
const SCRATCH = `${PREFIX}:dynamodb:us-east-1:${ACCOUNT}:table/scratch-*`;
const DATA_KEY = published("security", "aws_kms_key", "data-key", "arn");
const BACKUP_KEY = published("security", "aws_kms_key", "backup-key", "arn");

/** What a statement of AWS's own policies is about, in the ARNs of this deployment. */
const RESOURCES: Record<string, string[]> = {
  table: TABLE_ARNS,
  backup: TABLE_ARNS.map((arn) => `${arn}/backup/*`),
  scratchTable: [SCRATCH],
  vault: [`${PREFIX}:backup:us-east-1:${ACCOUNT}:backup-vault:payment-backup-prod`],
  recoveryPoint: [`${PREFIX}:backup:us-east-1:${ACCOUNT}:recovery-point:*`],
  key: [DATA_KEY, BACKUP_KEY],
};

/** What AWS's policies allow and these roles do not need, with the reason. */
const NOT_NEEDED: Record<string, string> = {
  "backup:CopyFromBackupVault": "the plan copies nothing into another vault",
  "backup:CopyIntoBackupVault": "the plan copies nothing into another vault",
  "tag:GetResources": "the plan names its tables by ARN and finds none by tag",
  "backup:StartRestoreJob": "for restores of other services that start further jobs",
  "backup:ListRestoreJobs": "for restores of other services that start further jobs",
  "backup:ListRecoveryPointsByBackupVault": "for restores of other services that start further jobs",
  "backup:DescribeRestoreJob": "for restores of other services that start further jobs",
};

interface AwsStatement {
  readonly sid: string;
  readonly actions: readonly string[];
  readonly on: string;
  readonly condition?: string;
}

/** Whether some statement allows the action on all these resources, under no condition but the one that AWS has too. */
function allows(found: readonly Statement[], action: string, { on, condition }: AwsStatement): boolean {
  return found.some(
    (each) =>
      each.actions.includes(action) &&
      (RESOURCES[on] ?? []).every((resource) => each.resources.includes(resource)) &&
      (each.condition ?? []).every(({ variable }) => variable === condition),
  );
}

describe.each([
  ["backup-access-policy", awsPolicies.AWSBackupServiceRolePolicyForBackup],
  ["restore-access-policy", awsPolicies.AWSBackupServiceRolePolicyForRestores],
] as const)("%s against AWS's own policy", (documentId, own) => {
  const rows = (own.statements as AwsStatement[]).flatMap((from) => from.actions.map((action) => ({ action, from })));

  test.each(rows)("$from.sid: $action", ({ action, from }) => {
    expect([action, allows(statements(data, documentId), action, from)]).toEqual([action, !(action in NOT_NEEDED)]);
  });

  test("nothing beyond it, but to read and use keys through AWS Backup", () => {
    const listed = new Set(rows.map(({ action }) => action));
    const more = statements(data, documentId).flatMap(({ actions }) => actions.filter((action) => !listed.has(action)));
    expect(more).toEqual(documentId === "backup-access-policy" ? ["kms:GenerateDataKeyWithoutPlaintext"] : []);
  });
});

test("a role that may not tag recovery points is seen", () => {
  const without = statements(data, "backup-access-policy").filter(({ sid }) => sid !== "TagRecoveryPoints");
  const tagging: AwsStatement = { sid: "", actions: [], on: "recoveryPoint" };
  expect(allows(without, "backup:TagResource", tagging)).toBe(false);
});

test.each(["backup-trust", "restore-trust"])("%s: AWS Backup assumes the role, for this account alone", (id) => {
  expect(statements(data, id)).toMatchObject([
    {
      principals: [{ type: "Service", identifiers: ["backup.amazonaws.com"] }],
      condition: [{ test: "StringEquals", variable: "aws:SourceAccount", values: [ACCOUNT] }],
    },
  ]);
});

test("a restore makes scratch tables and reaches no table of the ledger", () => {
  const names = namesOf(configOf("prod"));
  const { resources } = statement(data, "restore-access-policy", "ScratchTables");
  expect(resources).toEqual([SCRATCH]);
  for (const table of [...Object.values(names.tables), names.logStateTable]) {
    expect(table.startsWith(SCRATCH_TABLE_PREFIX)).toBe(false);
  }
});

test("the command that restores from the vault names the role and a table that the role may make", () => {
  const text = readFileSync(join(PROJECT, "docs", "backup.md"), "utf8").replaceAll("\\\n", " ");
  const command = text.split("\n").find((line) => line.includes("start-restore-job --")) ?? "";
  expect(/role\/(\S+)/.exec(command)?.[1]).toBe(namesOf(configOf("dev")).restoreRole);
  expect(/targetTableName=([^,]+)/.exec(command)?.[1]).toMatch(new RegExp(`^${SCRATCH_TABLE_PREFIX}`));
});

test("the vault's key is used through AWS Backup and DynamoDB, by this account, and granted to AWS alone", () => {
  const [administration, use, grants, roleGrants, ...rest] = statements(security, "backup-key-policy");
  expect([administration?.sid, rest]).toEqual(["Administration", []]);
  expect(lastParts(conditionOf(roleGrants as Statement, "aws:PrincipalArn")?.values ?? [])).toEqual([
    "payment-backup-role-prod",
    "payment-restore-role-prod",
  ]);
  const services = ["backup.us-east-1.amazonaws.com", "dynamodb.us-east-1.amazonaws.com"];
  for (const found of [use, grants]) {
    expect(found?.condition).toContainEqual({ test: "StringEquals", variable: "kms:ViaService", values: services });
    expect(found?.condition).toContainEqual({ test: "StringEquals", variable: "kms:CallerAccount", values: [ACCOUNT] });
  }
  expect(grants).toMatchObject({ actions: ["kms:CreateGrant"] });
  expect(grants?.condition).toContainEqual({ test: "Bool", variable: "kms:GrantIsForAWSResource", values: ["true"] });
});
