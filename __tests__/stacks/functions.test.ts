import { ENV, FUNCTIONS, METRICS, ROLES, type RoleId } from "../../contract";
import { asJson, differences } from "../support/snapshot";
import {
  configOf,
  type JsonObject,
  lastParts,
  only,
  published,
  reference,
  resourceCounts,
  statement,
  statements,
  synthesize,
} from "../support/synth";

const { functions } = synthesize(configOf("prod")).stacks;
const dev = synthesize(configOf("dev")).stacks.functions;

const ENTRIES = Object.values(FUNCTIONS);

test("the stack holds these resources and no others", () => {
  expect(resourceCounts(functions)).toEqual([
    "aws_cloudwatch_dashboard: 1",
    "aws_cloudwatch_log_group: 6",
    "aws_cloudwatch_metric_alarm: 16",
    "aws_iam_role_policy: 5",
    "aws_lambda_function: 6",
    "aws_lambda_function_event_invoke_config: 6",
    "data.archive_file: 6",
    "data.aws_caller_identity: 1",
    "data.aws_iam_policy_document: 5",
    "data.aws_partition: 1",
    "data.terraform_remote_state: 3",
    "terraform_data: 6",
  ]);
});

test.each(ENTRIES)(
  "$name runs on arm64 in the private subnets, traced, with its own log group",
  ({ name, entry, role }) => {
    expect(only(functions, "aws_lambda_function", entry)).toMatchObject({
      function_name: name,
      runtime: "nodejs24.x",
      architectures: ["arm64"],
      handler: "index.handler",
      role: published("security", "aws_iam_role", ROLES[role], "arn"),
      kms_key_arn: published("security", "aws_kms_key", "data-key", "arn"),
      tracing_config: { mode: "Active" },
      logging_config: { log_group: reference(`aws_cloudwatch_log_group.${entry}-logs.name`) },
      vpc_config: {
        security_group_ids: [published("network", "aws_security_group", "function-security-group", "id")],
        subnet_ids: [1, 2, 3].map((i) => published("network", "aws_subnet", `private-subnet-${i}`, "id")),
      },
      depends_on: [`aws_iam_role_policy.${ROLES[role]}-access`],
    });
    expect(only(functions, "aws_cloudwatch_log_group", `${entry}-logs`)).toEqual({
      name: `/aws/lambda/${name}`,
      kms_key_id: published("security", "aws_kms_key", "logs-key", "arn"),
      retention_in_days: 400,
    });
  },
);

test("prod reserves concurrency for each function, dev for none", () => {
  const reserved = (stack: typeof functions) =>
    Object.values(stack.resource["aws_lambda_function"] ?? {}).map((found) => found["reserved_concurrent_executions"]);
  expect(reserved(functions).every((count) => typeof count === "number" && count > 0)).toBe(true);
  expect(reserved(dev)).toEqual([undefined, undefined, undefined, undefined, undefined, undefined]);
});

test.each(ENTRIES)("$name gets every variable of the contract, and no other", ({ entry }) => {
  const environment = only(functions, "aws_lambda_function", entry)["environment"] as { variables: JsonObject };
  expect(Object.keys(environment.variables).sort()).toEqual(Object.values(ENV).sort());
  expect(environment.variables[ENV.connectivity]).toBe("privatelink");
  expect(environment.variables[ENV.dynamodbEndpointUrl]).toMatch(
    /^https:\/\/\$\{data\.terraform_remote_state\.[^}]+dns_name\}$/,
  );
});

test.each(ENTRIES)("$name sends failed asynchronous calls to the failure queue", ({ entry }) => {
  expect(only(functions, "aws_lambda_function_event_invoke_config", `${entry}-async`)).toMatchObject({
    function_name: reference(`aws_lambda_function.${entry}.function_name`),
    destination_config: { on_failure: { destination: published("data", "aws_sqs_queue", "failure-queue", "arn") } },
  });
});

test.each(ENTRIES)(
  "$name's code is zipped at apply, from inside the stack's folder, whenever it changes",
  ({ entry }) => {
    const sha256 = "5".repeat(64);
    expect(only(functions, "terraform_data", `${entry}-bundle`)).toEqual({ triggers_replace: { sha256 } });
    expect(functions.data["archive_file"]?.[`${entry}-zip`]).toEqual({
      type: "zip",
      source_dir: `${reference("path.module")}/assets/${entry}-code/${sha256}`,
      output_path: `${reference("path.module")}/${entry}.zip`,
      output_file_mode: "0644",
      depends_on: [`terraform_data.${entry}-bundle`],
    });
    expect(only(functions, "aws_lambda_function", entry)).toMatchObject({
      filename: reference(`data.archive_file.${entry}-zip.output_path`),
      source_code_hash: reference(`data.archive_file.${entry}-zip.output_base64sha256`),
    });
  },
);

/** What every role may do beside its own work. */
const SHARED = {
  WrapAuditDetails: ["kms:Encrypt"],
  RecordMacs: ["kms:GenerateMac"],
  DataKeyThroughServices: [
    "kms:Decrypt",
    "kms:DescribeKey",
    "kms:Encrypt",
    "kms:GenerateDataKey",
    "kms:GenerateDataKeyWithoutPlaintext",
    "kms:ReEncryptFrom",
    "kms:ReEncryptTo",
  ],
  Failures: ["sqs:SendMessage"],
  Logs: ["logs:CreateLogStream", "logs:PutLogEvents"],
  Traces: ["xray:PutTelemetryRecords", "xray:PutTraceSegments"],
  NetworkInterfaces: [
    "ec2:AssignPrivateIpAddresses",
    "ec2:CreateNetworkInterface",
    "ec2:DeleteNetworkInterface",
    "ec2:UnassignPrivateIpAddresses",
  ],
  DescribeNetwork: ["ec2:DescribeNetworkInterfaces", "ec2:DescribeSubnets"],
};

const OWN: Record<RoleId, Record<string, string[]>> = {
  ledger: {
    Tables: ["dynamodb:GetItem", "dynamodb:PutItem", "dynamodb:Query", "dynamodb:Scan", "dynamodb:UpdateItem"],
    WrapTokens: ["kms:Encrypt"],
    ReadAuditDetails: ["kms:Decrypt"],
  },
  status: { Ledger: ["dynamodb:GetItem", "dynamodb:UpdateItem"], AuditTrail: ["dynamodb:GetItem", "dynamodb:PutItem"] },
  query: { Ledger: ["dynamodb:GetItem", "dynamodb:Query"], AuditTrail: ["dynamodb:PutItem"] },
  reveal: { Ledger: ["dynamodb:GetItem"], AuditTrail: ["dynamodb:PutItem"], RevealTokens: ["kms:Decrypt"] },
  auditor: {
    AuditTrail: ["dynamodb:GetItem", "dynamodb:PutItem", "dynamodb:Query"],
    ReadAuditDetails: ["kms:Decrypt"],
  },
};

test.each(Object.keys(ROLES) as RoleId[])("the %s role may do exactly this", (role) => {
  const allowed = statements(functions, `${ROLES[role]}-access-policy`).filter(({ effect }) => effect === "Allow");
  expect(Object.fromEntries(allowed.map(({ sid, actions }) => [sid, actions]))).toEqual({ ...OWN[role], ...SHARED });
});

test("no role but the ledger's wraps a token, none but the revealing one unwraps it", () => {
  const tokenKey = published("security", "aws_kms_key", "token-key", "arn");
  const uses = (Object.keys(ROLES) as RoleId[]).map((role) => [
    role,
    statements(functions, `${ROLES[role]}-access-policy`)
      .filter(({ resources }) => resources.includes(tokenKey))
      .flatMap(({ actions }) => actions),
  ]);
  expect(Object.fromEntries(uses)).toEqual({
    ledger: ["kms:Encrypt"],
    status: [],
    query: [],
    reveal: ["kms:Decrypt"],
    auditor: [],
  });
});

test("a role writes into its own functions' log groups, and its code cannot touch network interfaces", () => {
  const documentId = `${ROLES.ledger}-access-policy`;
  expect(lastParts(statement(functions, documentId, "Logs").resources)).toEqual([
    "persist_payment_ledger:*",
    "persist_payment_audit_trail:*",
  ]);
  expect(statement(functions, documentId, "NotByTheCodeItself")).toMatchObject({
    effect: "Deny",
    resources: ["*"],
    condition: [{ test: "ArnEquals", variable: "lambda:SourceFunctionArn" }],
  });
});

test("every function is watched for errors and throttles, and every alarm reaches the topic", () => {
  const alarms = Object.entries(functions.resource["aws_cloudwatch_metric_alarm"] ?? {});
  const expected = ENTRIES.flatMap(({ entry }) => [`${entry}-errors`, `${entry}-throttles`]);
  expect(alarms.map(([id]) => id).sort()).toEqual(
    [...expected, "card-data", "failures-old", "failures-waiting", "integrity"].sort(),
  );
  for (const [, alarm] of alarms) {
    expect(alarm["alarm_actions"]).toEqual([published("security", "aws_sns_topic", "alarm-topic", "arn")]);
    expect(alarm["treat_missing_data"]).toBe("notBreaching");
  }
});

test.each([
  ["integrity", METRICS.integrityAlarm],
  ["card-data", METRICS.cardDataRefused],
])("the %s alarm sums the metric of all functions", (id, metricName) => {
  const queries = only(functions, "aws_cloudwatch_metric_alarm", id)["metric_query"] as JsonObject[];
  expect(queries[0]).toMatchObject({ expression: "FILL(m1,0)+FILL(m2,0)+FILL(m3,0)+FILL(m4,0)+FILL(m5,0)+FILL(m6,0)" });
  expect(queries.slice(1).map(({ metric }) => metric)).toEqual(
    ENTRIES.map(({ entry }) => ({
      namespace: METRICS.namespace,
      metric_name: metricName,
      stat: "Sum",
      period: 300,
      dimensions: { service: reference(`aws_lambda_function.${entry}.function_name`) },
    })),
  );
});

test("prod, whole", () => {
  expect(asJson(functions)).toMatchSnapshot();
});

test("what dev has otherwise", () => {
  expect(asJson(differences(JSON.parse(JSON.stringify(functions)), JSON.parse(JSON.stringify(dev))))).toMatchSnapshot();
});
