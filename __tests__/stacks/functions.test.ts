import { ENV, FUNCTIONS, ROLES, type RoleId } from "../../contract";
import { asJson, differences } from "../support/snapshot";
import {
  configOf,
  type JsonObject,
  lastParts,
  only,
  prodName,
  published,
  reference,
  resourceCounts,
  type StackJson,
  statement,
  statements,
  synthesize,
} from "../support/synth";

const {
  stacks: { functions, security },
  files,
} = synthesize(configOf("prod"));
const dev = synthesize(configOf("dev")).stacks.functions;

const ENTRIES = Object.values(FUNCTIONS);

test("the stack holds these resources and no others", () => {
  expect(resourceCounts(functions)).toEqual([
    "aws_cloudwatch_dashboard: 1",
    "aws_cloudwatch_event_rule: 13",
    "aws_cloudwatch_event_target: 13",
    "aws_cloudwatch_log_group: 17",
    "aws_cloudwatch_metric_alarm: 66",
    "aws_iam_policy: 3",
    "aws_iam_role_policy: 16",
    "aws_lambda_event_source_mapping: 7",
    "aws_lambda_function: 17",
    "aws_lambda_function_event_invoke_config: 17",
    "aws_lambda_function_recursion_config: 1",
    "aws_lambda_permission: 1",
    "aws_s3_bucket_notification: 1",
    "aws_scheduler_schedule: 5",
    "data.aws_caller_identity: 1",
    "data.aws_iam_policy_document: 19",
    "data.aws_partition: 1",
    "data.terraform_remote_state: 3",
  ]);
});

test.each(ENTRIES)(
  "$name runs on arm64 in the private subnets, traced, with its own log group",
  ({ name, entry, role }) => {
    expect(only(functions, "aws_lambda_function", entry)).toMatchObject({
      function_name: prodName(name),
      runtime: "nodejs24.x",
      architectures: ["arm64"],
      handler: "index.handler",
      role: published("security", "aws_iam_role", ROLES[role], "arn"),
      kms_key_arn: published("security", "aws_kms_key", "data-key", "arn"),
      tracing_config: { mode: "PassThrough" },
      logging_config: { log_group: reference(`aws_cloudwatch_log_group.${entry}-logs.name`) },
      vpc_config: {
        security_group_ids: [published("network", "aws_security_group", "function-security-group", "id")],
        subnet_ids: [1, 2, 3].map((i) => published("network", "aws_subnet", `private-subnet-${i}`, "id")),
      },
      depends_on: [`aws_iam_role_policy.${ROLES[role]}-access`],
    });
    expect(only(functions, "aws_cloudwatch_log_group", `${entry}-logs`)).toEqual({
      name: `/aws/lambda/${prodName(name)}`,
      kms_key_id: published("security", "aws_kms_key", "logs-key", "arn"),
      retention_in_days: 400,
    });
  },
);

test("prod reserves concurrency for each function, and dev does not", () => {
  const reserved = (stack: typeof functions) =>
    Object.values(stack.resource["aws_lambda_function"] ?? {}).map((found) => found["reserved_concurrent_executions"]);
  expect(reserved(functions).every((count) => typeof count === "number" && count > 0)).toBe(true);
  expect(new Set(reserved(dev))).toEqual(new Set([undefined]));
});

const EXPORTING = [ENV.exportBucket, ENV.exportKeyArn, ENV.tableArns];
const PROCESSING = [ENV.filesBucket, ENV.removeCardDataFiles];
const LOG = [ENV.evidenceBucket, ENV.logOrigin, ENV.checkpointKeyArns];
const OWN_VARIABLES: Record<string, string[]> = {
  "payment-processor": PROCESSING,
  "export-tables": EXPORTING,
  "check-backup": EXPORTING,
  "seal-audit-trail": [ENV.logOrigin, ENV.logStateTable],
  "publish-checkpoint": [...LOG, ENV.logStateTable, ENV.evidenceKeyArn, ENV.streamArns],
  "sweep-audit-trail": [...LOG, ENV.logStateTable, ENV.evidenceKeyArn],
  "drill-restore": [...LOG, ...EXPORTING, ENV.drillEveryDays],
  "attest-callers": [ENV.evidenceBucket, ENV.evidenceKeyArn, ENV.trailBucket, ENV.trailDigestPrefix],
};

function variablesOf(stack: StackJson, entry: string): JsonObject {
  return (only(stack, "aws_lambda_function", entry)["environment"] as { variables: JsonObject }).variables;
}

test.each(ENTRIES)("$name gets the variables that every function has, its own, and no other", ({ entry }) => {
  const environment = { variables: variablesOf(functions, entry) };
  // The last two are of the private API, which is off.
  const special = new Set([...Object.values(OWN_VARIABLES).flat(), ENV.privateApi, ENV.actorRule, ENV.checkPieces]);
  const shared = Object.values(ENV).filter((name) => !special.has(name));
  expect(Object.keys(environment.variables).sort()).toEqual([...shared, ...(OWN_VARIABLES[entry] ?? [])].sort());
  expect(environment.variables[ENV.connectivity]).toBe("privatelink");
  expect(environment.variables[ENV.dynamodbEndpointUrl]).toMatch(
    /^https:\/\/\$\{data\.terraform_remote_state\.[^}]+dns_name\}$/,
  );
});

test("the processor and the backups get the names and ARNs of what they use", () => {
  const bucket = (id: string) => published("data", "aws_s3_bucket", id, "id");
  const tableArn = (id: string) => published("data", "aws_dynamodb_table", id, "arn");
  expect(variablesOf(functions, "payment-processor")).toMatchObject({
    S3_BUCKET: bucket("payment-files"),
    REMOVE_CARD_DATA_FILES: "true",
    DYNAMODB_TABLE: published("data", "aws_dynamodb_table", "payment-transactions", "name"),
  });
  expect(variablesOf(functions, "export-tables")).toMatchObject({
    EXPORT_BUCKET: bucket("payment-exports"),
    EXPORT_KEY_ARN: published("security", "aws_kms_key", "data-key", "arn"),
    TABLE_ARNS: [
      `PaymentLedger=${tableArn("payment-ledger")}`,
      `PaymentAuditTrail=${tableArn("payment-audit-trail")}`,
      `payment-audit-trail=${tableArn("payment-messages-trail")}`,
      `payment-transactions=${tableArn("payment-transactions")}`,
      `PaymentEvents=${tableArn("payment-events")}`,
    ].join(","),
  });
});

test("behind a NAT gateway the functions reach DynamoDB under its usual name", () => {
  const nat = synthesize(configOf("prod", { connectivity: "nat" })).stacks.functions;
  for (const { entry } of ENTRIES) {
    const variables = variablesOf(nat, entry);
    expect([variables[ENV.connectivity], variables[ENV.dynamodbEndpointUrl]]).toEqual(["nat", undefined]);
  }
});

test("with PrivateLink beside a NAT gateway they reach it by its endpoint's own host, as without one", () => {
  const both = synthesize(configOf("prod", { connectivity: "nat-privatelink" })).stacks.functions;
  for (const { entry } of ENTRIES) {
    const variables = variablesOf(both, entry);
    const url = variablesOf(functions, entry)[ENV.dynamodbEndpointUrl];
    expect(url).toMatch(/^https:/);
    expect([variables[ENV.connectivity], variables[ENV.dynamodbEndpointUrl]]).toEqual(["nat-privatelink", url]);
  }
});

const PUBLISHER = FUNCTIONS.publishCheckpoint;

test.each(ENTRIES.filter((found) => found !== PUBLISHER))(
  "$name sends failed asynchronous calls to the failure queue",
  ({ entry }) => {
    expect(only(functions, "aws_lambda_function_event_invoke_config", `${entry}-async`)).toMatchObject({
      function_name: reference(`aws_lambda_function.${entry}.arn`),
      destination_config: { on_failure: { destination: published("data", "aws_sqs_queue", "failure-queue", "arn") } },
    });
  },
);

test("a heartbeat that failed is neither tried again nor kept: the next one is due", () => {
  expect(only(functions, "aws_lambda_function_event_invoke_config", `${PUBLISHER.entry}-async`)).toEqual({
    function_name: reference(`aws_lambda_function.${PUBLISHER.entry}.arn`),
    maximum_event_age_in_seconds: 60,
    maximum_retry_attempts: 0,
  });
});

test.each(ENTRIES)("$name's code is a file of the stack's folder, made at synth", ({ entry }) => {
  const sha256 = "5".repeat(64);
  const file = `assets/${entry}-code/${sha256}/stub-handler.txt`;
  expect(only(functions, "aws_lambda_function", entry)).toMatchObject({
    filename: `${reference("path.module")}/${file}`,
    source_code_hash: Buffer.from(sha256, "hex").toString("base64"),
  });
  expect(files.get(`stacks/functions/${file}`)).toBeDefined();
});

test("a function's code depends on nothing that a plan or an apply must read or make", () => {
  for (const resource of Object.values(functions.resource["aws_lambda_function"] ?? {})) {
    const references = [
      ...JSON.stringify([resource["filename"], resource["source_code_hash"]]).matchAll(/\$\{([^}]*)\}/g),
    ];
    expect(references.map(([, expression]) => expression)).toEqual(["path.module"]);
  }
});

/** What every role whose functions write audit records may do for that. */
const AUDITING = { WrapAuditDetails: ["kms:Encrypt"], RecordMacs: ["kms:GenerateMac"] };

/** What Lambda does in the role's name with an asynchronous call whose last retry failed. */
const FAILURES = { Failures: ["sqs:SendMessage"] };

/** What every role may do beside its own work. */
const SHARED = {
  DataKeyThroughServices: [
    "kms:Decrypt",
    "kms:DescribeKey",
    "kms:Encrypt",
    "kms:GenerateDataKey",
    "kms:GenerateDataKeyWithoutPlaintext",
    "kms:ReEncryptFrom",
    "kms:ReEncryptTo",
  ],
  Logs: ["logs:CreateLogStream", "logs:PutLogEvents"],
};

const QUEUE = ["sqs:DeleteMessage", "sqs:GetQueueAttributes", "sqs:ReceiveMessage"];
const DATA_KEY_THROUGH_S3 = ["kms:Decrypt", "kms:GenerateDataKey"];

const LOG_STATE_USE = ["dynamodb:GetItem", "dynamodb:PutItem", "dynamodb:Query"];
const READ_EVIDENCE = {
  Evidence: ["s3:GetObject"],
  ListEvidence: ["s3:ListBucket"],
  EvidenceKeyThroughS3: ["kms:Decrypt"],
  PublicKeys: ["kms:GetPublicKey"],
};

const OWN: Record<RoleId, Record<string, string[]>> = {
  ledger: {
    Tables: ["dynamodb:GetItem", "dynamodb:PutItem", "dynamodb:Query", "dynamodb:Scan", "dynamodb:UpdateItem"],
    WrapTokens: ["kms:Encrypt"],
    ReadAuditDetails: ["kms:Decrypt"],
    Queue: QUEUE,
  },
  status: {
    Ledger: ["dynamodb:GetItem", "dynamodb:UpdateItem"],
    Events: ["dynamodb:ConditionCheckItem"],
    AuditTrail: ["dynamodb:GetItem", "dynamodb:PutItem"],
  },
  events: {
    Ledger: ["dynamodb:ConditionCheckItem", "dynamodb:GetItem"],
    Events: ["dynamodb:PutItem", "dynamodb:Query"],
    AuditTrail: ["dynamodb:GetItem", "dynamodb:PutItem"],
  },
  query: {
    Ledger: ["dynamodb:GetItem"],
    LedgerIndexes: ["dynamodb:Query"],
    Events: ["dynamodb:Query"],
    AuditTrail: ["dynamodb:PutItem"],
  },
  reveal: { Ledger: ["dynamodb:GetItem"], AuditTrail: ["dynamodb:PutItem"], RevealTokens: ["kms:Decrypt"] },
  auditor: {
    AuditTrail: ["dynamodb:GetItem", "dynamodb:PutItem"],
    AuditTrailIndexes: ["dynamodb:Query"],
    ReadAuditDetails: ["kms:Decrypt"],
  },
  messages: {
    Messages: ["dynamodb:PutItem"],
    Ledger: ["dynamodb:ConditionCheckItem", "dynamodb:GetItem"],
    Events: ["dynamodb:PutItem", "dynamodb:Query"],
    AuditTrail: ["dynamodb:GetItem", "dynamodb:PutItem"],
    Queue: QUEUE,
  },
  processor: {
    Transactions: ["dynamodb:PutItem"],
    Ledger: ["dynamodb:ConditionCheckItem", "dynamodb:GetItem"],
    Events: ["dynamodb:PutItem", "dynamodb:Query"],
    AuditTrail: ["dynamodb:GetItem", "dynamodb:PutItem"],
    ReadFiles: ["s3:GetObject"],
    ReadFileVersions: ["s3:GetObjectVersion"],
    WriteReports: ["s3:PutObject"],
    ListFiles: ["s3:ListBucket"],
    RemoveCardData: ["s3:DeleteObjectVersion"],
    DataKeyThroughS3: DATA_KEY_THROUGH_S3,
  },
  transactionQuery: {
    Transactions: ["dynamodb:Query"],
    Messages: ["dynamodb:GetItem"],
    AuditTrail: ["dynamodb:GetItem", "dynamodb:PutItem"],
    AuditTrailByTime: ["dynamodb:Query"],
  },
  export: {
    Exports: ["dynamodb:DescribeContinuousBackups", "dynamodb:ExportTableToPointInTime"],
    DescribeExports: ["dynamodb:DescribeExport"],
    FindExports: ["dynamodb:ListExports"],
    WriteExports: ["s3:AbortMultipartUpload", "s3:PutObject", "s3:PutObjectAcl"],
    State: ["s3:GetObject", "s3:PutObject"],
    ListExportBucket: ["s3:ListBucket"],
    DataKeyThroughS3: DATA_KEY_THROUGH_S3,
  },
  backupCheck: {
    ReadKeys: ["dynamodb:Scan"],
    ReadExports: ["s3:GetObject"],
    WriteReports: ["s3:PutObject"],
    ListExportBucket: ["s3:ListBucket"],
    DataKeyThroughS3: DATA_KEY_THROUGH_S3,
    AuditTrail: ["dynamodb:PutItem"],
  },
  sealer: {
    Streams: ["dynamodb:DescribeStream", "dynamodb:GetRecords", "dynamodb:GetShardIterator"],
    FindStreams: ["dynamodb:ListStreams"],
    LogState: LOG_STATE_USE,
    Tables: ["dynamodb:GetItem"],
    RecordMacs: ["kms:GenerateMac"],
  },
  publisher: {
    LogState: LOG_STATE_USE,
    DescribeTables: ["dynamodb:DescribeTable"],
    Evidence: ["s3:GetObject", "s3:PutObject"],
    ListEvidence: ["s3:ListBucket"],
    EvidenceKeyThroughS3: ["kms:Decrypt", "kms:GenerateDataKey"],
    SignCheckpoints: ["kms:Sign"],
    PublicKeys: ["kms:GetPublicKey"],
  },
  sweeper: {
    Tables: ["dynamodb:GetItem", "dynamodb:Scan"],
    LogState: LOG_STATE_USE,
    ...READ_EVIDENCE,
    EvidenceKeyThroughS3: ["kms:Decrypt", "kms:GenerateDataKey"],
    Swept: ["s3:PutObject"],
    AuditTrail: ["dynamodb:PutItem"],
  },
  drill: {
    ReadExports: ["s3:GetObject"],
    WriteReports: ["s3:PutObject"],
    ListExportBucket: ["s3:ListBucket"],
    DataKeyThroughS3: DATA_KEY_THROUGH_S3,
    DescribeTables: ["dynamodb:DescribeTable"],
    ScratchTables: ["dynamodb:DeleteTable", "dynamodb:DescribeTable", "dynamodb:ImportTable", "dynamodb:Scan"],
    DescribeImports: ["dynamodb:DescribeImport"],
    ScratchTableKeys: ["kms:CreateGrant"],
    ImportLogs: [
      "logs:CreateLogGroup",
      "logs:CreateLogStream",
      "logs:DescribeLogStreams",
      "logs:PutLogEvents",
      "logs:PutRetentionPolicy",
    ],
    FindImportLogs: ["logs:DescribeLogGroups"],
    ...READ_EVIDENCE,
    AuditTrail: ["dynamodb:PutItem"],
  },
  attester: {
    AuditTrail: ["dynamodb:GetItem", "dynamodb:PutItem"],
    AuditTrailByTime: ["dynamodb:Query"],
    TrailFiles: ["s3:GetObject"],
    ListTrail: ["s3:ListBucket"],
    TrailKeyThroughS3: ["kms:Decrypt"],
    TrailKeys: ["cloudtrail:ListPublicKeys"],
    Identities: ["s3:GetObject", "s3:PutObject"],
    EvidenceKeyThroughS3: ["kms:Decrypt", "kms:GenerateDataKey"],
  },
};

test.each(Object.keys(ROLES) as RoleId[])("the %s role may do exactly this", (role) => {
  const allowed = statements(functions, `${ROLES[role]}-access-policy`).filter(({ effect }) => effect === "Allow");
  expect(Object.fromEntries(allowed.map(({ sid, actions }) => [sid, actions]))).toEqual({
    ...OWN[role],
    ...(["export", "sealer", "publisher"].includes(role) ? {} : AUDITING),
    ...(role === "publisher" ? {} : FAILURES),
    ...SHARED,
  });
  const services = (statements(functions, `${ROLES[role]}-access-policy`).find(
    ({ sid }) => sid === "DataKeyThroughServices",
  )?.condition ?? [])[0]?.values;
  expect(services).toEqual(
    (role === "publisher" ? ["dynamodb", "lambda"] : ["dynamodb", "lambda", "sqs"]).map(
      (name) => `${name}.us-east-1.amazonaws.com`,
    ),
  );
});

/** The resources of a role's statement, by their logical names. */
function resourcesOf(role: RoleId, sid: string): string[] {
  return statement(functions, `${ROLES[role]}-access-policy`, sid).resources.map((arn) =>
    arn
      .replace(/^.*cross-stack-output-aws_(?:dynamodb_table|sqs_queue)([\w-]+)arn\}/, "$1")
      .replace(/^.*:(s3:::|dynamodb:.*:table\/)/, ""),
  );
}

test("the roles of the ledger, messages, files and backups reach exactly this", () => {
  const account = reference("data.aws_caller_identity.current.account_id");
  const inBucket = (base: string, ...prefixes: string[]) =>
    prefixes.map((prefix) => `${base}-prod-${account}/${prefix}/*`);
  const tables = [
    "payment-ledger",
    "payment-audit-trail",
    "payment-messages-trail",
    "payment-transactions",
    "payment-events",
  ];
  const indexesOf = (table: string, ...names: string[]) => names.map((name) => `${table}/index/${name}`);
  const expected: [RoleId, string, string[]][] = [
    [
      "ledger",
      "Tables",
      [
        "payment-ledger",
        ...indexesOf("PaymentLedger", "by-processor", "by-failure"),
        "payment-audit-trail",
        ...indexesOf("PaymentAuditTrail", "by-transaction", "by-actor", "by-time"),
      ],
    ],
    ["ledger", "Queue", ["audit-events"]],
    ["events", "Ledger", ["payment-ledger"]],
    ["events", "Events", ["payment-events"]],
    ["events", "AuditTrail", ["payment-audit-trail"]],
    ["query", "Events", ["payment-events", ...indexesOf("PaymentEvents", "by-review")]],
    ["status", "Events", ["payment-events"]],
    ["messages", "Queue", ["payment-messages"]],
    ["messages", "Messages", ["payment-messages-trail"]],
    ["messages", "Ledger", ["payment-ledger"]],
    ["messages", "Events", ["payment-events"]],
    ["messages", "AuditTrail", ["payment-audit-trail"]],
    ["processor", "Transactions", ["payment-transactions"]],
    ["processor", "Ledger", ["payment-ledger"]],
    ["processor", "Events", ["payment-events"]],
    ["processor", "AuditTrail", ["payment-audit-trail"]],
    ["processor", "ReadFiles", inBucket("payment-files", "payments", "continue", "reports")],
    ["processor", "ReadFileVersions", inBucket("payment-files", "payments")],
    ["processor", "WriteReports", inBucket("payment-files", "reports", "continue")],
    ["processor", "RemoveCardData", inBucket("payment-files", "payments")],
    ["processor", "ListFiles", [`payment-files-prod-${account}`]],
    ["transactionQuery", "Transactions", ["payment-transactions"]],
    ["transactionQuery", "Messages", ["payment-messages-trail"]],
    ["transactionQuery", "AuditTrail", ["payment-audit-trail"]],
    ["transactionQuery", "AuditTrailByTime", ["PaymentAuditTrail/index/by-time"]],
    ["export", "Exports", tables],
    ["export", "DescribeExports", tables.map((table) => `${table}/export/*`)],
    ["export", "WriteExports", inBucket("payment-exports", "exports")],
    ["export", "State", inBucket("payment-exports", "state")],
    ["backupCheck", "ReadKeys", tables],
    ["backupCheck", "ReadExports", inBucket("payment-exports", "exports", "state")],
    ["backupCheck", "WriteReports", inBucket("payment-exports", "checks")],
  ];
  expect(expected.map(([role, sid]) => [role, sid, resourcesOf(role, sid)])).toEqual(expected);
});

test("the check of a backup reads keys and times of items, and nothing else of them", () => {
  expect(statement(functions, `${ROLES.backupCheck}-access-policy`, "ReadKeys").condition).toEqual([
    {
      test: "ForAllValues:StringEquals",
      variable: "dynamodb:Attributes",
      values: [
        "TransactionID",
        "AuditID",
        "paymentId",
        "transactionId",
        "timestamp",
        "Place",
        "RecordedAt",
        "processedAt",
      ],
    },
    { test: "StringEquals", variable: "dynamodb:Select", values: ["SPECIFIC_ATTRIBUTES"] },
  ]);
});

test("a processor that keeps files with card data cannot remove any", () => {
  const keeping = synthesize(configOf("prod", { removeCardDataFiles: false })).stacks.functions;
  const sids = statements(keeping, `${ROLES.processor}-access-policy`).map(({ sid }) => sid);
  expect(sids).not.toContain("RemoveCardData");
  expect(variablesOf(keeping, "payment-processor")[ENV.removeCardDataFiles]).toBe("false");
});

test("no role but the ledger's wraps a token, none but the revealing one unwraps it", () => {
  const tokenKey = published("security", "aws_kms_key", "token-key", "arn");
  const uses = (Object.keys(ROLES) as RoleId[]).map((role) => [
    role,
    statements(functions, `${ROLES[role]}-access-policy`)
      .filter(({ resources }) => resources.includes(tokenKey))
      .flatMap(({ actions }) => actions),
  ]);
  const without = Object.fromEntries(Object.keys(ROLES).map((role) => [role, []]));
  expect(Object.fromEntries(uses)).toEqual({ ...without, ledger: ["kms:Encrypt"], reveal: ["kms:Decrypt"] });
});

test("a role writes into its own functions' log groups, and its code cannot touch network interfaces", () => {
  const documentId = `${ROLES.ledger}-access-policy`;
  expect(lastParts(statement(functions, documentId, "Logs").resources)).toEqual([
    "persist_payment_ledger:*",
    "persist_payment_audit_trail:*",
  ]);
});

/** From the security stack, which is destroyed last: Lambda gives the interfaces back minutes after the function is gone. */
test.each(Object.values(ROLES))("%s lets Lambda manage network interfaces, and the code itself not", (role) => {
  const platform = statements(security, `${role}-platform-policy`);
  expect(Object.fromEntries(platform.map(({ sid, actions }) => [sid, actions]))).toMatchObject({
    Traces: ["xray:PutTelemetryRecords", "xray:PutTraceSegments"],
    NetworkInterfaces: ["ec2:AssignPrivateIpAddresses", "ec2:DeleteNetworkInterface", "ec2:UnassignPrivateIpAddresses"],
    NewNetworkInterfaces: ["ec2:CreateNetworkInterface"],
    DescribeNetwork: ["ec2:DescribeNetworkInterfaces", "ec2:DescribeSubnets"],
  });
  const ec2 = (kind: string) => `:ec2:us-east-1:${reference("data.aws_caller_identity.current.account_id")}:${kind}`;
  expect(platform.find(({ sid }) => sid === "NewNetworkInterfaces")?.resources).toEqual(
    ["*/*", "network-interface/*", "security-group/*", "subnet/*"].map((kind) => expect.stringContaining(ec2(kind))),
  );
  const own = Object.values(FUNCTIONS).filter((found) => ROLES[found.role] === role);
  const denied = platform.find(({ sid }) => sid === "NotByTheCodeItself");
  expect(denied).toMatchObject({ effect: "Deny", resources: ["*"] });
  expect(denied?.condition?.[0]?.values.map((arn) => arn.split(":function:")[1])).toEqual(
    own.map(({ name }) => prodName(name)),
  );
});

test("prod, whole", () => {
  expect(asJson(functions)).toMatchSnapshot();
});

test("what dev has otherwise", () => {
  expect(asJson(differences(JSON.parse(JSON.stringify(functions)), JSON.parse(JSON.stringify(dev))))).toMatchSnapshot();
});
