import { FUNCTIONS, ROLES } from "../../contract";
import type { AppConfig } from "../../stacks/config/types";
import { asJson, differences } from "../support/snapshot";
import {
  conditionOf,
  configOf,
  lastParts,
  only,
  prodName,
  reference,
  resourceCounts,
  statement,
  statements,
  synthesize,
} from "../support/synth";

const { security } = synthesize(configOf("prod")).stacks;
const dev = synthesize(configOf("dev")).stacks.security;

const EVERY_ROLE = Object.values(ROLES).map(prodName);
/** The role that starts exports writes no audit record, and sealer and publisher none into what they seal. */
const AUDITING_ROLES = EVERY_ROLE.filter(
  (role) => ![ROLES.export, ROLES.sealer, ROLES.publisher].includes(role as never),
);
const LOG_ROLES: readonly string[] = [ROLES.sealer, ROLES.publisher, ROLES.sweeper, ROLES.drill, ROLES.attester];

test("the stack holds these resources and no others", () => {
  expect(resourceCounts(security)).toEqual([
    "aws_iam_policy: 2",
    "aws_iam_role: 16",
    "aws_iam_role_policy: 16",
    "aws_kms_alias: 10",
    "aws_kms_key: 10",
    "aws_sns_topic: 1",
    "aws_sns_topic_policy: 1",
    "data.aws_caller_identity: 1",
    "data.aws_iam_policy_document: 30",
    "data.aws_partition: 1",
  ]);
});

test("every key has a full policy, an alias and rotation, which an HMAC key cannot have", () => {
  const keys = Object.entries(security.resource["aws_kms_key"] ?? {});
  for (const [id, key] of keys) {
    expect(key["policy"]).toBe(reference(`data.aws_iam_policy_document.${id}-policy.json`));
    expect(key["deletion_window_in_days"]).toBe(30);
    expect(key["enable_key_rotation"]).toBe(["mac-key", "checkpoint-1-key"].includes(id) ? undefined : true);
  }
  expect(only(security, "aws_kms_key", "mac-key")).toMatchObject({
    customer_master_key_spec: "HMAC_256",
    key_usage: "GENERATE_VERIFY_MAC",
  });
  expect(Object.values(security.resource["aws_kms_alias"] ?? {}).map((alias) => alias["name"])).toEqual([
    "alias/payment-alarms-prod",
    "alias/payment-audit-prod",
    "alias/payment-backup-prod",
    "alias/payment-checkpoint-1-prod",
    "alias/payment-processing-prod",
    "alias/payment-evidence-prod",
    "alias/payment-logs-prod",
    "alias/payment-mac-prod",
    "alias/payment-token-prod",
    "alias/payment-trail-prod",
  ]);
});

test("administrators can manage a key and not use it", () => {
  const uses = ["Encrypt", "Decrypt", "ReEncryptFrom", "GenerateDataKey", "GenerateMac", "Sign", "CreateGrant"];
  for (const id of Object.keys(security.resource["aws_kms_key"] ?? {})) {
    const { actions, condition } = statement(security, `${id}-policy`, "Administration");
    expect(condition).toBeUndefined();
    expect(actions).toContain("kms:PutKeyPolicy");
    expect(actions.filter((action) => uses.some((use) => action.startsWith(`kms:${use}`)))).toEqual([]);
  }
});

/** EventBridge supports no condition; DynamoDB may look at its key and not use it. */
const WITHOUT_CONDITION: Record<string, string[]> = {
  "alarms-key": ["EventsToTopic"],
  "data-key": ["DynamoDbDescribes"],
};

test("every use of a key has a condition, except for the statements named here", () => {
  for (const id of Object.keys(security.resource["aws_kms_key"] ?? {})) {
    const uses = statements(security, `${id}-policy`).filter(({ sid }) => sid !== "Administration");
    expect(uses.length).toBeGreaterThan(0);
    const free = uses.filter(({ condition = [] }) => condition.length === 0).map(({ sid }) => sid);
    expect([id, free]).toEqual([id, WITHOUT_CONDITION[id] ?? []]);
  }
});

/** Who may do what with a key, by role. */
function uses(documentId: string): Record<string, { actions: string[]; roles: string[] }> {
  const found = statements(security, documentId).filter(({ sid }) => sid !== "Administration");
  return Object.fromEntries(
    found.map((use) => [
      use.sid,
      { actions: use.actions, roles: lastParts(conditionOf(use, "aws:PrincipalArn")?.values ?? []) },
    ]),
  );
}

test("a role that writes tokens cannot read them back", () => {
  expect(uses("token-key-policy")).toEqual({
    WrapTokens: { actions: ["kms:Encrypt"], roles: ["paymentledger-role"] },
    RevealTokens: { actions: ["kms:Decrypt"], roles: ["payment-reveal-role"] },
  });
});

test("every role that records writes audit details, and the auditor alone reads them", () => {
  expect(uses("audit-key-policy")).toEqual({
    WrapAuditDetails: { actions: ["kms:Encrypt"], roles: AUDITING_ROLES },
    ReadAuditDetails: { actions: ["kms:Decrypt"], roles: ["payment-auditor-role"] },
  });
  expect(uses("mac-key-policy")).toEqual({
    // The sealer checks what the others made.
    RecordMacs: { actions: ["kms:GenerateMac"], roles: [...AUDITING_ROLES, ROLES.sealer] },
  });
});

test("field keys serve this application's own context only, each for its own table", () => {
  for (const [documentId, table] of [
    ["token-key-policy", "PaymentLedger"],
    ["audit-key-policy", "PaymentAuditTrail"],
  ] as const) {
    for (const use of statements(security, documentId).filter(({ sid }) => sid !== "Administration")) {
      expect(conditionOf(use, "kms:EncryptionContext:application")?.values).toEqual(["payment-ledger"]);
      expect(conditionOf(use, "kms:EncryptionContext:Table")?.values).toEqual([table]);
    }
  }
});

test("the data key is used through services, for this project's queues, buckets and schedules", () => {
  const readers = ["arn:aws:iam::111122223333:role/on-call"];
  const stack = synthesize(configOf("prod", { failureQueueReaderArns: readers })).stacks.security;
  const queue = statement(stack, "data-key-policy", "QueuesThroughSqs");
  expect(lastParts(conditionOf(queue, "aws:PrincipalArn")?.values ?? [])).toEqual([
    ...EVERY_ROLE,
    "payment-scheduler-role",
    "on-call",
  ]);
  const files = statement(stack, "data-key-policy", "FilesThroughS3");
  expect(lastParts(conditionOf(files, "kms:EncryptionContext:aws:s3:arn")?.values ?? [])).toEqual([
    expect.stringContaining(":::payment-files-prod-"),
    "*",
    expect.stringContaining(":::payment-exports-prod-"),
    "*",
  ]);
  const schedules = statement(stack, "data-key-policy", "SchedulesOfThisProject");
  expect(lastParts(conditionOf(schedules, "kms:EncryptionContext:aws:scheduler:schedule:arn")?.values ?? [])).toEqual([
    "payment-export-incremental",
    "payment-export-full",
    "payment-backup-check",
    "payment-log-heartbeat",
    "payment-log-sweep",
    "payment-restore-drill",
    "payment-identity-check",
  ]);
  const services = statements(stack, "data-key-policy").map((use) => conditionOf(use, "kms:ViaService")?.values[0]);
  expect(services).toEqual([
    undefined,
    "dynamodb.us-east-1.amazonaws.com",
    "lambda.us-east-1.amazonaws.com",
    "sqs.us-east-1.amazonaws.com",
    "sqs.us-east-1.amazonaws.com",
    "s3.us-east-1.amazonaws.com",
    // Scheduler decrypts as the schedule's role and does not name itself.
    undefined,
    undefined,
  ]);
});

test("with all senders named, the queues' key is used by nobody else", () => {
  const sender = ["arn:aws:iam::111122223333:role/orders"];
  const sids = (changes: Partial<AppConfig>) =>
    statements(synthesize(configOf("prod", changes)).stacks.security, "data-key-policy").map(({ sid }) => sid);
  expect(sids({ eventSenderArns: sender })).toContain("SendersThroughSqs");
  expect(sids({ eventSenderArns: sender, paymentSenderArns: sender })).not.toContain("SendersThroughSqs");
});

test("the logs key serves exactly this project's log groups", () => {
  const use = statement(security, "logs-key-policy", "LogGroupsOfThisProject");
  const groups = conditionOf(use, "kms:EncryptionContext:aws:logs:arn")?.values.map(
    (arn) => arn.split("log-group:")[1],
  );
  expect(groups).toEqual([
    ...Object.values(FUNCTIONS).map(({ name }) => `/aws/lambda/${prodName(name)}`),
    "/aws/vpc/payment-vpc-prod/flow-logs",
  ]);
});

test("the roles have the documents' names, trust Lambda alone and are under the boundary", () => {
  const roles = Object.values(security.resource["aws_iam_role"] ?? {});
  expect(roles.map((role) => role["name"]).sort()).toEqual([...EVERY_ROLE].sort());
  expect(Object.values(dev.resource["aws_iam_role"] ?? {}).map((role) => role["name"])).toContain(
    "paymentledger-role-dev",
  );
  for (const role of roles) {
    const boundary = LOG_ROLES.includes(String(role["name"])) ? "log-permissions-boundary" : "permissions-boundary";
    expect(role["permissions_boundary"]).toBe(reference(`aws_iam_policy.${boundary}.arn`));
    expect(role["assume_role_policy"]).toBe(reference("data.aws_iam_policy_document.function-trust.json"));
  }
  expect(statements(security, "function-trust")).toMatchObject([
    {
      actions: ["sts:AssumeRole"],
      principals: [{ type: "Service", identifiers: ["lambda.amazonaws.com"] }],
      condition: [
        {
          test: "StringEquals",
          variable: "aws:SourceAccount",
          values: [reference("data.aws_caller_identity.current.account_id")],
        },
      ],
    },
  ]);
});

test("the boundary allows no way to delete but files with card data and messages that are done, to change permissions or to use another table", () => {
  const boundary = statements(security, "permissions-boundary-policy");
  const actions = boundary.flatMap((found) => found.actions);
  expect(actions.filter((action) => /Delete|iam:|PutResourcePolicy|PutKeyPolicy|Batch|PartiQL/.test(action))).toEqual([
    "s3:DeleteObjectVersion",
    "sqs:DeleteMessage",
    "ec2:DeleteNetworkInterface",
  ]);
  expect(statement(security, "permissions-boundary-policy", "CardData").resources).toEqual([
    expect.stringMatching(/:::payment-files-prod-.*\/payments\/\*$/),
  ]);
  expect(lastParts(statement(security, "permissions-boundary-policy", "Tables").resources)).toEqual([
    "PaymentLedger",
    "PaymentAuditTrail",
    "payment-audit-trail",
    "payment-transactions-prod",
    "PaymentEvents",
    "by-processor",
    "by-failure",
    "by-transaction",
    "by-actor",
    "by-time",
    "by-review",
  ]);
});

test("the log's own boundary allows to delete nothing but the tables of drills, and no payment function's writing", () => {
  const boundary = statements(security, "log-permissions-boundary-policy");
  const actions = boundary.flatMap((found) => found.actions);
  expect(
    actions.filter((action) => /Delete|Update|iam:|PutResourcePolicy|PutKeyPolicy|Batch|PartiQL/.test(action)),
  ).toEqual(["dynamodb:DeleteTable", "ec2:DeleteNetworkInterface"]);
  const resources = (sid: string) => lastParts(statement(security, "log-permissions-boundary-policy", sid).resources);
  expect(resources("ScratchTables")).toEqual(["scratch-drill-*"]);
  const puts = boundary.filter((found) => found.actions.includes("dynamodb:PutItem")).map(({ sid }) => resources(sid));
  expect(puts).toEqual([["PaymentAuditTrail"], ["payment-log-state"]]);
  const signs = boundary.filter((found) => found.actions.includes("kms:Sign"));
  expect(signs.map(({ sid }) => sid)).toEqual(["Keys"]);
  expect(signs[0]?.actions).toContain("kms:GetPublicKey");
});

test("each boundary allows only what its own roles do, and nothing that only the other's roles do", () => {
  const actions = (id: string) => new Set(statements(security, `${id}-policy`).flatMap((found) => found.actions));
  const [payments, log] = [actions("permissions-boundary"), actions("log-permissions-boundary")];
  expect(["kms:Sign", "dynamodb:DeleteTable", "dynamodb:ImportTable"].filter((action) => payments.has(action))).toEqual(
    [],
  );
  expect(
    ["dynamodb:UpdateItem", "s3:DeleteObjectVersion", "sqs:ReceiveMessage"].filter((action) => log.has(action)),
  ).toEqual([]);
});

test("the alarm topic is encrypted and takes messages of this account's alarms over TLS only", () => {
  expect(only(security, "aws_sns_topic", "alarm-topic")["kms_master_key_id"]).toBe(
    reference("aws_kms_key.alarms-key.arn"),
  );
  expect(statement(security, "alarm-topic-policy-document", "AlarmsOfThisAccount").principals).toEqual([
    { type: "Service", identifiers: ["cloudwatch.amazonaws.com"] },
  ]);
  expect(statement(security, "alarm-topic-policy-document", "DenyWithoutTls").effect).toBe("Deny");
});

test("prod, whole", () => {
  expect(asJson(security)).toMatchSnapshot();
});

test("what dev has otherwise", () => {
  expect(asJson(differences(JSON.parse(JSON.stringify(security)), JSON.parse(JSON.stringify(dev))))).toMatchSnapshot();
});
