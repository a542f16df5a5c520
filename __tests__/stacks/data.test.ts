import { ROLES, TABLES } from "../../contract";
import { asJson, differences } from "../support/snapshot";
import {
  conditionOf,
  configOf,
  lastParts,
  only,
  prodName,
  published,
  reference,
  resourceCounts,
  statement,
  statements,
  synthesize,
} from "../support/synth";

const { data } = synthesize(configOf("prod")).stacks;
const dev = synthesize(configOf("dev")).stacks.data;

const TABLE_IDS = {
  "payment-ledger": TABLES.paymentLedger,
  "payment-audit-trail": TABLES.paymentAuditTrail,
  "payment-messages-trail": TABLES.paymentMessages,
  "payment-transactions": TABLES.paymentTransactions,
  "payment-events": TABLES.paymentEvents,
};

test("the stack holds these resources and no others", () => {
  expect(resourceCounts(data)).toEqual([
    "aws_backup_plan: 1",
    "aws_backup_selection: 1",
    "aws_backup_vault: 1",
    "aws_backup_vault_lock_configuration: 1",
    "aws_cloudtrail: 1",
    "aws_dynamodb_resource_policy: 6",
    "aws_dynamodb_table: 6",
    "aws_iam_role: 3",
    "aws_iam_role_policy: 3",
    "aws_s3_bucket: 4",
    "aws_s3_bucket_lifecycle_configuration: 4",
    "aws_s3_bucket_object_lock_configuration: 2",
    "aws_s3_bucket_ownership_controls: 4",
    "aws_s3_bucket_policy: 4",
    "aws_s3_bucket_public_access_block: 4",
    "aws_s3_bucket_server_side_encryption_configuration: 4",
    "aws_s3_bucket_versioning: 4",
    "aws_s3_object: 1",
    "aws_scheduler_schedule: 2",
    "aws_scheduler_schedule_group: 1",
    "aws_sqs_queue: 5",
    "aws_sqs_queue_policy: 5",
    "aws_sqs_queue_redrive_allow_policy: 2",
    "data.archive_file: 1",
    "data.aws_caller_identity: 1",
    "data.aws_iam_policy_document: 21",
    "data.aws_partition: 1",
    "data.local_file: 1",
    "data.terraform_remote_state: 1",
    "terraform_data: 1",
  ]);
});

test.each(Object.entries(TABLE_IDS))(
  "%s has the contract's keys and indexes, nothing copied into an index",
  (id, table) => {
    const deployed = only(data, "aws_dynamodb_table", id);
    expect(deployed).toMatchObject({
      name: prodName(table.logicalName),
      hash_key: table.partitionKey,
      billing_mode: "PAY_PER_REQUEST",
    });
    const indexes: { name: string; partitionKey: string; sortKey: string }[] = Object.values(table.indexes);
    expect(deployed["global_secondary_index"] ?? []).toEqual(
      indexes.map((index) => ({
        name: index.name,
        hash_key: index.partitionKey,
        range_key: index.sortKey,
        projection_type: "KEYS_ONLY",
      })),
    );
    expect(only(dev, "aws_dynamodb_table", id)["name"]).toBe(`${table.logicalName}-dev`);
  },
);

test("payments of files are sorted by the time of their processing, a number", () => {
  expect(only(data, "aws_dynamodb_table", "payment-transactions")).toMatchObject({
    hash_key: "transactionId",
    range_key: "timestamp",
    attribute: [
      { name: "transactionId", type: "S" },
      { name: "timestamp", type: "N" },
    ],
  });
});

test.each(Object.keys(TABLE_IDS))("%s is encrypted, recoverable, streamed and protected", (id) => {
  expect(only(data, "aws_dynamodb_table", id)).toMatchObject({
    server_side_encryption: { enabled: true, kms_key_arn: published("security", "aws_kms_key", "data-key", "arn") },
    point_in_time_recovery: { enabled: true, recovery_period_in_days: 35 },
    stream_enabled: true,
    stream_view_type: "NEW_AND_OLD_IMAGES",
    deletion_protection_enabled: true,
  });
  expect(only(dev, "aws_dynamodb_table", id)["deletion_protection_enabled"]).toBe(false);
});

test.each(Object.keys(TABLE_IDS))("%s is guarded by its own policy, which denies and never allows", (id) => {
  expect(only(data, "aws_dynamodb_resource_policy", `${id}-guard`)).toMatchObject({
    resource_arn: reference(`aws_dynamodb_table.${id}.arn`),
    policy: reference(`data.aws_iam_policy_document.${id}-guard-policy.json`),
  });
  for (const guard of statements(data, `${id}-guard-policy`)) {
    expect(guard).toMatchObject({
      effect: "Deny",
      principals: [{ type: "*", identifiers: ["*"] }],
      resources: [
        reference(`aws_dynamodb_table.${id}.arn`),
        ...(guard.sid === "WritersReadNothing" ? [`${reference(`aws_dynamodb_table.${id}.arn`)}/index/*`] : []),
      ],
    });
  }
});

const NEVER = [
  "dynamodb:BatchWriteItem",
  "dynamodb:DeleteItem",
  "dynamodb:PartiQLDelete",
  "dynamodb:PartiQLInsert",
  "dynamodb:PartiQLUpdate",
  "dynamodb:UpdateTimeToLive",
];

test("PaymentLedger: only the ledger's role puts, only the status role updates, nobody does the rest", () => {
  const [never, put, update, ...rest] = statements(data, "payment-ledger-guard-policy");
  expect(rest.map(({ sid }) => sid)).toEqual(["WritersReadNothing"]);
  expect(never?.actions).toEqual(NEVER);
  expect(never?.condition).toBeUndefined();
  expect(put?.actions).toEqual(["dynamodb:PutItem"]);
  expect(update?.actions).toEqual(["dynamodb:UpdateItem"]);
  for (const [guard, role] of [
    [put, "paymentledger-role"],
    [update, "payment-status-role"],
  ] as const) {
    const condition = guard === undefined ? undefined : conditionOf(guard, "aws:PrincipalArn");
    expect(condition?.test).toBe("ArnNotEquals");
    expect(lastParts(condition?.values ?? [])).toEqual([role]);
  }
});

/** Sealer and publisher must not add to what they seal. */
const { export: _export, sealer: _sealer, publisher: _publisher, ...AUDITING } = ROLES;

test.each([
  ["payment-audit-trail", Object.values(AUDITING).map(prodName)],
  ["payment-messages-trail", ["payment-messages-role"]],
  ["payment-transactions", ["payment-lambda-role-prod"]],
  ["payment-events", ["payment-events-role", "payment-messages-role", "payment-lambda-role-prod"]],
])("%s: the roles of its functions put, nobody updates or does the rest", (id, roles) => {
  const [never, put, ...rest] = statements(data, `${id}-guard-policy`);
  expect(rest.map(({ sid }) => sid)).toEqual(id === "payment-audit-trail" ? ["WritersReadNothing"] : []);
  expect(never?.actions).toEqual([...NEVER, "dynamodb:UpdateItem"]);
  expect(never?.condition).toBeUndefined();
  expect(put?.actions).toEqual(["dynamodb:PutItem"]);
  const writers = put === undefined ? undefined : conditionOf(put, "aws:PrincipalArn");
  expect(writers?.test).toBe("ArnNotEquals");
  expect(lastParts(writers?.values ?? [])).toEqual(roles);
});

test.each(["payment-ledger", "payment-audit-trail"])(
  "%s: the role that records reads nothing of it, although its own policy lets it",
  (id) => {
    const guard = statement(data, `${id}-guard-policy`, "WritersReadNothing");
    expect(guard.actions).toEqual([
      "dynamodb:BatchGetItem",
      "dynamodb:GetItem",
      "dynamodb:PartiQLSelect",
      "dynamodb:Query",
      "dynamodb:Scan",
    ]);
    const condition = conditionOf(guard, "aws:PrincipalArn");
    expect(condition?.test).toBe("ArnEquals");
    expect(lastParts(condition?.values ?? [])).toEqual(["paymentledger-role"]);
  },
);

test("prod, whole", () => {
  expect(asJson(data)).toMatchSnapshot();
});

test("what dev has otherwise", () => {
  expect(asJson(differences(JSON.parse(JSON.stringify(data)), JSON.parse(JSON.stringify(dev))))).toMatchSnapshot();
});
