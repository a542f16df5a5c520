import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join, resolve } from "node:path";
import { FUNCTIONS, ROLES } from "../../contract";
import { renderPolicyDocument } from "../../local/policy-document";
import { type AppConfig, type BackendConfig, CONNECTIVITIES } from "../../stacks/config/types";
import {
  allStatements,
  configOf,
  type Json,
  reference,
  STACK_IDS,
  type StackId,
  type StackJson,
  synthesize,
  synthesizeAnew,
} from "../support/synth";

const prod = synthesize(configOf("prod"));
const dev = synthesize(configOf("dev"));

const PROJECT = resolve(__dirname, "..", "..");

test("the stacks are applied in this order, without a cycle", () => {
  const dependencies = Object.fromEntries(
    Object.entries(prod.manifest.stacks).map(([id, stack]) => [id, [...stack.dependencies].sort()]),
  );
  expect(dependencies).toEqual({
    security: [],
    network: ["security"],
    data: ["security"],
    functions: ["data", "network", "security"],
  });
});

test("what the stacks publish to each other is exactly this", () => {
  const outputs = STACK_IDS.map((id) => [id, Object.keys(prod.stacks[id].output).sort()]);
  const expected: Record<StackId, string[]> = {
    security: [
      "CheckpointKeyArns",
      "KMSKeyId",
      ...Object.values(ROLES).flatMap((role) => [
        `cross-stack-output-aws_iam_role${role}arn`,
        `cross-stack-output-aws_iam_role${role}name`,
      ]),
      "cross-stack-output-aws_kms_keyalarms-keyarn",
      "cross-stack-output-aws_kms_keyaudit-keyarn",
      "cross-stack-output-aws_kms_keybackup-keyarn",
      "cross-stack-output-aws_kms_keycheckpoint-1-keyarn",
      "cross-stack-output-aws_kms_keyevidence-keyarn",
      "cross-stack-output-aws_kms_keydata-keyarn",
      "cross-stack-output-aws_kms_keylogs-keyarn",
      "cross-stack-output-aws_kms_keymac-keyarn",
      "cross-stack-output-aws_kms_keytoken-keyarn",
      "cross-stack-output-aws_kms_keytrail-keyarn",
      "cross-stack-output-aws_sns_topicalarm-topicarn",
    ],
    network: [
      "VPCId",
      "cross-stack-output-aws_security_groupfunction-security-groupid",
      "cross-stack-output-aws_subnetprivate-subnet-1id",
      "cross-stack-output-aws_subnetprivate-subnet-2id",
      "cross-stack-output-aws_subnetprivate-subnet-3id",
      "cross-stack-output-aws_vpc_endpointdynamodb-endpointdns_entry0dns_name",
    ],
    data: [
      "AuditorKitSha256",
      "CloudTrailName",
      "EvidenceBucketName",
      "LogOrigin",
      "PaymentBucketName",
      "TransactionTableName",
      "cross-stack-output-aws_backup_planbackup-planid",
      "cross-stack-output-aws_cloudtrailtrails3_bucket_name",
      ...[
        "payment-audit-trail",
        "payment-ledger",
        "payment-messages-trail",
        "payment-transactions",
        "payment-events",
      ].flatMap((table) => [
        `cross-stack-output-aws_dynamodb_table${table}arn`,
        `cross-stack-output-aws_dynamodb_table${table}name`,
        `cross-stack-output-aws_dynamodb_table${table}stream_arn`,
      ]),
      "cross-stack-output-aws_dynamodb_tablelog-statearn",
      "cross-stack-output-aws_dynamodb_tablelog-statename",
      "cross-stack-output-aws_iam_rolescheduler-rolearn",
      "cross-stack-output-aws_scheduler_schedule_groupschedulesname",
      "cross-stack-output-aws_s3_bucketpayment-evidenceid",
      "cross-stack-output-aws_s3_bucketpayment-exportsid",
      "cross-stack-output-aws_s3_bucketpayment-filesid",
      "cross-stack-output-aws_sqs_queueaudit-events-dead-lettersname",
      "cross-stack-output-aws_sqs_queueaudit-eventsarn",
      "cross-stack-output-aws_sqs_queueaudit-eventsname",
      "cross-stack-output-aws_sqs_queuefailure-queuearn",
      "cross-stack-output-aws_sqs_queuefailure-queuename",
      "cross-stack-output-aws_sqs_queuepayment-messages-dead-lettersname",
      "cross-stack-output-aws_sqs_queuepayment-messagesarn",
      "cross-stack-output-aws_sqs_queuepayment-messagesname",
    ],
    functions: [
      "PaymentProcessorFunctionArn",
      ...["auditor", "operator", "payment-service"].map((who) => `${who}-access-arn`),
      ...Object.values(FUNCTIONS).flatMap(({ entry }) => [`${entry}-arn`, `${entry}-name`]),
    ],
  };
  expect(Object.fromEntries(outputs)).toEqual(
    Object.fromEntries(Object.entries(expected).map(([id, names]) => [id, names.toSorted()])),
  );
});

test("the six outputs of document 003 are there by their names", () => {
  const value = (id: StackId, name: string) => prod.stacks[id].output[name]?.["value"];
  expect({
    VPCId: value("network", "VPCId"),
    PaymentBucketName: value("data", "PaymentBucketName"),
    TransactionTableName: value("data", "TransactionTableName"),
    PaymentProcessorFunctionArn: value("functions", "PaymentProcessorFunctionArn"),
    KMSKeyId: value("security", "KMSKeyId"),
    CloudTrailName: value("data", "CloudTrailName"),
  }).toEqual({
    VPCId: reference("aws_vpc.vpc.id"),
    PaymentBucketName: reference("aws_s3_bucket.payment-files.id"),
    TransactionTableName: reference("aws_dynamodb_table.payment-transactions.name"),
    PaymentProcessorFunctionArn: reference("aws_lambda_function.payment-processor.arn"),
    KMSKeyId: reference("aws_kms_key.data-key.key_id"),
    CloudTrailName: reference("aws_cloudtrail.trail.name"),
  });
});

test("who verifies the log finds its bucket, its name and its keys in the outputs", () => {
  const value = (id: StackId, name: string) => prod.stacks[id].output[name]?.["value"];
  expect(value("data", "EvidenceBucketName")).toBe(reference("aws_s3_bucket.payment-evidence.id"));
  expect(value("security", "CheckpointKeyArns")).toBe(reference("aws_kms_key.checkpoint-1-key.arn"));
  const account = reference("data.aws_caller_identity.current.account_id");
  expect(value("data", "LogOrigin")).toBe(`payment-ledger/us-east-1/${account}/prod`);
});

/** Every string of a stack, with its path. */
function strings(value: Json, path = ""): [string, string][] {
  if (typeof value === "string") {
    return [[path, value]];
  }
  if (value === null || typeof value !== "object") {
    return [];
  }
  return Object.entries(value).flatMap(([key, inner]) => strings(inner, `${path}/${key}`));
}

function declares(stack: StackJson, address: string): boolean {
  const [first, second, third] = address.split(".") as [string, string, string];
  return first === "data" ? stack.data[second]?.[third] !== undefined : stack.resource[first]?.[second] !== undefined;
}

test.each(STACK_IDS)("every reference of %s is to something that it declares or that was published", (id) => {
  const stack = prod.stacks[id];
  for (const [path, text] of strings(stack as unknown as Json)) {
    for (const [, address] of text.matchAll(/\b((?:data\.)?(?:aws|archive|local|terraform)_[a-z_]+\.[a-z0-9-]+)/g)) {
      expect([path, address, declares(stack, address as string)]).toEqual([path, address, true]);
    }
    for (const [, producer, output] of text.matchAll(/reference-input-(\w+)\.outputs\.([\w-]+)/g)) {
      expect(Object.keys(prod.stacks[producer as (typeof STACK_IDS)[number]].output)).toContain(output);
    }
  }
});

/** The only statements that may say `*`, and why. A key policy's `*` means its own key. */
const ANY_RESOURCE = [
  /^[a-z]+(-\d+)?-key-policy\//,
  /* X-Ray has no resource to name. */
  /\/Traces$/,
  /* EC2 describes all or nothing. */
  /\/DescribeNetwork$/,
  /* DynamoDB lists the exports of all tables or of none. */
  /\/FindExports$/,
  /* DynamoDB lists the backups of all tables or of none. */
  /\/FindBackups$/,
  /* DynamoDB lists the streams of all tables or of none. */
  /\/FindStreams$/,
  /* CloudTrail's public keys have no resource to name. */
  /\/TrailKeys$/,
  /cloudtrail-endpoint-policy\/PublicKeys$/,
  /* A denial. */
  /\/NotByTheCodeItself$/,
];

describe.each([
  ["prod", prod],
  ["dev", dev],
] as const)("%s", (_, app) => {
  test.each(STACK_IDS)("no policy of %s has a wildcard in an action, or `*` as a resource without a reason", (id) => {
    for (const found of allStatements(app.stacks[id])) {
      const wild = found.actions.filter((action) => !/^[a-z0-9]+:[A-Za-z]+$/.test(action));
      // Only a wildcard leaves no call out, where every call is refused.
      expect(wild).toEqual(found.effect === "Deny" && found.sid === "DenyWithoutTls" && wild[0] === "s3:*" ? wild : []);
      const place = `${found.documentId}/${found.sid}`;
      if (found.resources.includes("*")) {
        expect([place, ANY_RESOURCE.some((allowed) => allowed.test(place))]).toEqual([place, true]);
      }
    }
  });

  test.each(STACK_IDS)("a statement that allows `Principal: *` in %s is narrowed by a condition", (id) => {
    const open = allStatements(app.stacks[id]).filter(
      ({ effect, principals }) =>
        effect === "Allow" && principals?.some(({ identifiers }) => identifiers.includes("*")),
    );
    for (const found of open) {
      expect(found.condition?.map(({ variable }) => variable)).toContain("aws:PrincipalArn");
    }
  });

  test("policies are documents, never JSON strings", () => {
    for (const id of STACK_IDS) {
      const policies = strings(app.stacks[id].resource as Json).filter(([path]) =>
        /(?<!redrive_|redrive_allow_)policy$/.test(path),
      );
      for (const [path, text] of policies) {
        expect([path, text]).toEqual([
          path,
          expect.stringMatching(/^\$\{data\.aws_iam_policy_document\.[\w-]+\.json\}$/),
        ]);
      }
    }
  });

  test("no file holds an absolute path", () => {
    for (const [path, text] of app.files) {
      expect([path, text.includes(PROJECT), text.includes(tmpdir()), text.includes(process.cwd())]).toEqual([
        path,
        false,
        false,
        false,
      ]);
    }
  });

  test("state lies at a separate relative path, and is read from there", () => {
    const environment = app === prod ? "prod" : "dev";
    for (const id of STACK_IDS) {
      const stack = app.stacks[id];
      expect(stack.terraform["backend"]).toEqual({ local: { path: `../../../.state/${environment}/${id}.tfstate` } });
      for (const remote of Object.values(stack.data["terraform_remote_state"] ?? {})) {
        expect(remote["config"]).toEqual({
          path: expect.stringMatching(new RegExp(`^\\.\\./\\.\\./\\.\\./\\.state/${environment}/\\w+\\.tfstate$`)),
        });
      }
    }
  });
});

/** The longest that the buckets' names leave room for. */
const LONGEST_SUFFIX = "s".repeat(31);
/** Bytes that AWS allows, whitespace aside. */
const POLICY_BYTES_MAX: [RegExp, number][] = [
  [/permissions-boundary-policy$/, 6144],
  [/-(access-policy|trust)$/, 10_240],
  [/-key-policy$/, 32_768],
  [/./, 20_480],
];

test("every policy is within what AWS allows, under the longest suffix and in every layout", () => {
  const senders = ["arn:aws:iam::111122223333:role/orders", "arn:aws:iam::444455556666:role/refunds"];
  const long: Partial<AppConfig> = {
    suffix: LONGEST_SUFFIX,
    eventSenderArns: senders,
    paymentSenderArns: senders,
    witnessArns: senders,
    evidenceReaderArns: senders,
    checkpointKeys: { signing: ["2", "3"], retired: ["1"] },
  };
  for (const connectivity of CONNECTIVITIES) {
    const app = synthesize(configOf("dev", { ...long, connectivity }));
    for (const [documentId, document] of STACK_IDS.flatMap((id) =>
      Object.entries(app.stacks[id].data["aws_iam_policy_document"] ?? {}),
    )) {
      const json = JSON.stringify(document)
        .replaceAll(reference("data.aws_partition.partition.partition"), "aws-us-gov")
        .replaceAll(reference("data.aws_caller_identity.current.account_id"), "1".repeat(12))
        // Any other expression becomes an ARN, longer than any real one.
        .replace(/\$\{[^}]+\}/g, "x".repeat(120));
      const { length } = renderPolicyDocument(documentId, JSON.parse(json));
      const [, max] = POLICY_BYTES_MAX.find(([pattern]) => pattern.test(documentId)) as [RegExp, number];
      expect([documentId, length, length <= max]).toEqual([documentId, length, true]);
    }
  }
});

test("providers and Terraform are pinned", () => {
  const aws = { aws: { version: "6.25.0" } };
  const others = { data: { archive: { version: "2.7.1" }, local: { version: "2.6.1" } } };
  for (const id of STACK_IDS) {
    const providers = { ...aws, ...(id === "data" ? others.data : {}) };
    expect(prod.stacks[id].terraform).toMatchObject({ required_version: ">= 1.10.0", required_providers: providers });
    expect(Object.keys(prod.stacks[id].provider).sort()).toEqual(Object.keys(providers).sort());
  }
});

test("every resource is tagged by the provider, which touches the expected account only", () => {
  const expected = synthesize(configOf("prod", { expectedAccountId: "111122223333" }));
  for (const id of STACK_IDS) {
    expect(expected.stacks[id].provider["aws"]).toEqual([
      {
        region: "us-east-1",
        allowed_account_ids: ["111122223333"],
        default_tags: [
          {
            tags: {
              Application: "payment-ledger",
              Environment: "prod",
              Suffix: "prod",
              ManagedBy: "terraform",
              DataClassification: "confidential",
            },
          },
        ],
      },
    ]);
  }
});

/** The types to which the documents give a `Name`, and those beside them that AWS lists by it. */
const NAMED = [
  "aws_cloudtrail",
  "aws_default_security_group",
  "aws_dynamodb_table",
  "aws_eip",
  "aws_flow_log",
  "aws_iam_role",
  "aws_internet_gateway",
  "aws_lambda_function",
  "aws_nat_gateway",
  "aws_route_table",
  "aws_s3_bucket",
  "aws_security_group",
  "aws_subnet",
  "aws_vpc",
  "aws_vpc_endpoint",
];

test("each resource that the documents tag with a Name has one, and no two of a type have the same", () => {
  for (const connectivity of CONNECTIVITIES) {
    const app = synthesize(configOf("prod", { connectivity }));
    for (const type of NAMED) {
      const found = STACK_IDS.flatMap((id) => Object.entries(app.stacks[id].resource[type] ?? {}));
      const names = found.map(([id, { tags }]) => {
        const name = (tags as { Name?: string } | undefined)?.Name;
        expect([type, id, name]).toEqual([type, id, expect.stringMatching(/^[A-Za-z][\w-]+$/)]);
        return name;
      });
      expect(names).toEqual([...new Set(names)]);
    }
  }
});

test("the Names that the documents write are there", () => {
  const nameOf = (id: StackId, type: string, resource: string) => prod.stacks[id].resource[type]?.[resource]?.["tags"];
  expect(nameOf("functions", "aws_lambda_function", "payment-processor")).toEqual({ Name: "payment-processor-prod" });
  expect(nameOf("security", "aws_iam_role", "payment-lambda-role")).toEqual({ Name: "payment-lambda-role-prod" });
  expect(nameOf("network", "aws_security_group", "function-security-group")).toEqual({
    Name: "payment-lambda-sg-prod",
  });
  expect(nameOf("data", "aws_s3_bucket", "payment-files")).toEqual({ Name: "payment-files-prod" });
  expect(nameOf("data", "aws_s3_bucket", "payment-cloudtrail")).toEqual({ Name: "payment-cloudtrail-prod" });
  expect(nameOf("data", "aws_dynamodb_table", "payment-transactions")).toEqual({ Name: "payment-transactions-prod" });
  expect(nameOf("data", "aws_cloudtrail", "trail")).toEqual({ Name: "payment-trail-prod" });
});

test("two synths from two folders write the same bytes", () => {
  const home = process.cwd();
  const elsewhere = mkdtempSync(join(tmpdir(), "payment-ledger-elsewhere-"));
  try {
    process.chdir(elsewhere);
    expect([...synthesizeAnew(configOf("prod"))]).toEqual([...prod.files]);
  } finally {
    process.chdir(home);
    rmSync(elsewhere, { recursive: true });
  }
});

describe("backends", () => {
  const withBackend = (backend: BackendConfig) => synthesize(configOf("prod", { backend })).stacks.data;

  test("S3 locks natively, encrypts, and is read back without the lock", () => {
    const kmsKeyArn = "arn:aws:kms:us-east-1:111122223333:key/state";
    const stack = withBackend({ kind: "s3", bucket: "acme-state", region: "eu-west-1", kmsKeyArn });
    const shared = { bucket: "acme-state", region: "eu-west-1", encrypt: true, kms_key_id: kmsKeyArn };
    expect(stack.terraform["backend"]).toEqual({
      s3: { ...shared, key: "payment-ledger/prod/data.tfstate", use_lockfile: true },
    });
    expect(Object.values(stack.data["terraform_remote_state"] ?? {})).toMatchObject([
      { backend: "s3", config: { ...shared, key: "payment-ledger/prod/security.tfstate" } },
    ]);
  });

  test("HCP Terraform has one named workspace a stack", () => {
    const stack = withBackend({ kind: "cloud", organization: "acme", hostname: "app.terraform.io" });
    expect(stack.terraform["cloud"]).toEqual({
      hostname: "app.terraform.io",
      organization: "acme",
      workspaces: { name: "payment-ledger-prod-data" },
    });
    expect(Object.values(stack.data["terraform_remote_state"] ?? {})).toMatchObject([
      { backend: "remote", config: { organization: "acme", workspaces: { name: "payment-ledger-prod-security" } } },
    ]);
  });

  test("a second deployment of an environment has its own state", () => {
    const stack = synthesize(configOf("dev", { suffix: "alice" })).stacks.data;
    expect(stack.terraform["backend"]).toEqual({ local: { path: "../../../.state/dev-alice/data.tfstate" } });
  });
});
