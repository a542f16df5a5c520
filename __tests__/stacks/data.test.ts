import { ROLES, TABLES } from "../../contract";
import { asJson, differences } from "../support/snapshot";
import {
  conditionOf,
  configOf,
  lastParts,
  only,
  published,
  reference,
  resourceCounts,
  statement,
  statements,
  synthesize,
} from "../support/synth";

const { data } = synthesize(configOf("prod")).stacks;
const dev = synthesize(configOf("dev")).stacks.data;

const TABLE_IDS = { "payment-ledger": TABLES.paymentLedger, "payment-audit-trail": TABLES.paymentAuditTrail };

test("the stack holds these resources and no others", () => {
  expect(resourceCounts(data)).toEqual([
    "aws_dynamodb_resource_policy: 2",
    "aws_dynamodb_table: 2",
    "aws_sqs_queue: 1",
    "aws_sqs_queue_policy: 1",
    "data.aws_caller_identity: 1",
    "data.aws_iam_policy_document: 3",
    "data.aws_partition: 1",
    "data.terraform_remote_state: 1",
  ]);
});

test.each(Object.entries(TABLE_IDS))(
  "%s has the contract's keys and indexes, nothing copied into an index",
  (id, table) => {
    const deployed = only(data, "aws_dynamodb_table", id);
    expect(deployed).toMatchObject({
      name: table.logicalName,
      hash_key: table.partitionKey,
      billing_mode: "PAY_PER_REQUEST",
    });
    expect(deployed["global_secondary_index"]).toEqual(
      Object.values(table.indexes).map((index) => ({
        name: index.name,
        hash_key: index.partitionKey,
        range_key: index.sortKey,
        projection_type: "KEYS_ONLY",
      })),
    );
    expect(only(dev, "aws_dynamodb_table", id)["name"]).toBe(`${table.logicalName}-dev`);
  },
);

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
      resources: [reference(`aws_dynamodb_table.${id}.arn`)],
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
  expect(rest).toEqual([]);
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

test("PaymentAuditTrail: the functions' roles put, nobody updates or does the rest", () => {
  const [never, put, ...rest] = statements(data, "payment-audit-trail-guard-policy");
  expect(rest).toEqual([]);
  expect(never?.actions).toEqual([...NEVER, "dynamodb:UpdateItem"]);
  expect(never?.condition).toBeUndefined();
  expect(put?.actions).toEqual(["dynamodb:PutItem"]);
  expect(lastParts(put === undefined ? [] : (conditionOf(put, "aws:PrincipalArn")?.values ?? []))).toEqual(
    Object.values(ROLES),
  );
});

test("the failure queue is encrypted, kept two weeks and closed to everybody who is not named", () => {
  expect(only(data, "aws_sqs_queue", "failure-queue")).toMatchObject({
    name: "payment-ledger-failures",
    kms_master_key_id: published("security", "aws_kms_key", "data-key", "arn"),
    message_retention_seconds: 1_209_600,
  });
  const documentId = "failure-queue-policy-document";
  expect(statement(data, documentId, "DenyWithoutTls").condition).toEqual([
    { test: "Bool", variable: "aws:SecureTransport", values: ["false"] },
  ]);
  expect(statement(data, documentId, "OnlyNamedReaders")).toMatchObject({
    effect: "Deny",
    actions: ["sqs:DeleteMessage", "sqs:PurgeQueue", "sqs:ReceiveMessage"],
  });
  expect(statement(data, documentId, "OnlyNamedReaders").condition).toBeUndefined();
});

test("a named reader may read the failure queue", () => {
  const reader = "arn:aws:iam::111122223333:role/on-call";
  const stack = synthesize(configOf("prod", { failureQueueReaderArns: [reader] })).stacks.data;
  const guard = statement(stack, "failure-queue-policy-document", "OnlyNamedReaders");
  expect(guard.condition).toEqual([{ test: "ArnNotEquals", variable: "aws:PrincipalArn", values: [reader] }]);
});

test("prod, whole", () => {
  expect(asJson(data)).toMatchSnapshot();
});

test("what dev has otherwise", () => {
  expect(asJson(differences(JSON.parse(JSON.stringify(data)), JSON.parse(JSON.stringify(dev))))).toMatchSnapshot();
});
