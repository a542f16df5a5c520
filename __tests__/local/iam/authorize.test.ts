/** What AWS asks about a call: one line for each kind of request that functions, people and commands make. */

import { readApiCall } from "../../../local/iam/api-call";
import type { CallingIdentity } from "../../../local/iam/authorisation";
import { absenceOf, authorisationsOf } from "../../../local/iam/authorize";
import { EffectivePolicies } from "../../../local/iam/effective";
import type { Deployed } from "../../../local/stack-graph";
import type { TerraformObject } from "../../../local/terraform-expression";

const ACCOUNT = "111122223333";
const arn = (service: string, rest: string) => `arn:aws:${service}:us-east-1:${ACCOUNT}:${rest}`;
const TABLE = arn("dynamodb", "table/PaymentLedger");
const TRAIL = arn("dynamodb", "table/Trail");
const KEY = arn("kms", "key/data");
const QUEUE = arn("sqs", "work");
const ROLE = `arn:aws:iam::${ACCOUNT}:role/writer`;

function resource(type: string, attributes: TerraformObject): Deployed {
  const block = { address: `${type}.it`, mode: "resource" as const, type, name: "it", dependsOn: [], arguments: {} };
  return { stack: "test", block, attributes };
}

const table = (name: string) =>
  resource("aws_dynamodb_table", {
    arn: arn("dynamodb", `table/${name}`),
    name,
    server_side_encryption: { kms_key_arn: KEY },
  });
const POLICIES = new EffectivePolicies({ account: ACCOUNT, region: "us-east-1" }, [
  table("PaymentLedger"),
  table("Trail"),
  resource("aws_kms_key", { arn: KEY }),
  resource("aws_kms_alias", { name: "alias/data", target_key_id: "data" }),
  resource("aws_sqs_queue", { arn: QUEUE, name: "work", kms_master_key_id: KEY }),
  resource("aws_s3_bucket_server_side_encryption_configuration", {
    bucket: "files",
    rule: [{ apply_server_side_encryption_by_default: { kms_master_key_id: KEY }, bucket_key_enabled: true }],
  }),
]);
const CALLER: CallingIdentity = {
  principal: { kind: "role", arn: ROLE, sessionArn: `arn:aws:sts::${ACCOUNT}:assumed-role/writer/fn` },
  functionArn: arn("lambda", "function:fn"),
  inVpc: true,
};

const SIGNED = "AWS4-HMAC-SHA256 Credential=auditor/20261128/us-east-1/SERVICE/aws4_request, SignedHeaders=host";
const signed = (service: string) => ({ authorization: SIGNED.replace("SERVICE", service) });

function json(target: string, input: object) {
  return readApiCall("POST", "/", { "x-amz-target": target }, Buffer.from(JSON.stringify(input)));
}

function http(method: string, url: string, headers: Record<string, string> = {}, body = "", service = "s3") {
  return readApiCall(method, url, { ...signed(service), ...headers }, Buffer.from(body));
}

/** `action resource`, as they are asked. */
function asked(call: ReturnType<typeof readApiCall>): string[] {
  return authorisationsOf(call, CALLER, POLICIES).map(({ action, resource }) => `${action} ${resource}`);
}

const dynamo = (operation: string, input: object) => json(`DynamoDB_20120810.${operation}`, input);
const DECRYPTS = `kms:Decrypt ${KEY}`;

test.each<[string, ReturnType<typeof readApiCall>, string[]]>([
  ["a put", dynamo("PutItem", { TableName: "PaymentLedger", Item: {} }), [`dynamodb:PutItem ${TABLE}`, DECRYPTS]],
  [
    "a get by the table's ARN",
    dynamo("GetItem", { TableName: TABLE, Key: {} }),
    [`dynamodb:GetItem ${TABLE}`, DECRYPTS],
  ],
  [
    "a query of an index",
    dynamo("Query", { TableName: "Trail", IndexName: "by-time" }),
    [`dynamodb:Query ${TRAIL}/index/by-time`, DECRYPTS],
  ],
  [
    "a transaction, item by item",
    dynamo("TransactWriteItems", {
      TransactItems: [
        { Put: { TableName: "PaymentLedger" } },
        { Update: { TableName: "Trail" } },
        { Delete: { TableName: "Trail" } },
        { ConditionCheck: { TableName: "Trail" } },
      ],
    }),
    [
      `dynamodb:PutItem ${TABLE}`,
      DECRYPTS,
      `dynamodb:UpdateItem ${TRAIL}`,
      DECRYPTS,
      `dynamodb:DeleteItem ${TRAIL}`,
      DECRYPTS,
      `dynamodb:ConditionCheckItem ${TRAIL}`,
      DECRYPTS,
    ],
  ],
  [
    "a batch",
    dynamo("BatchWriteItem", { RequestItems: { Trail: [] } }),
    [`dynamodb:BatchWriteItem ${TRAIL}`, DECRYPTS],
  ],
  [
    "PartiQL",
    dynamo("ExecuteStatement", { Statement: 'DELETE FROM "Trail" WHERE AuditID = ?' }),
    [`dynamodb:PartiQLDelete ${TRAIL}`, DECRYPTS],
  ],
  [
    "PartiQL that reads",
    dynamo("ExecuteStatement", { Statement: "select * from Trail" }),
    [`dynamodb:PartiQLSelect ${TRAIL}`, DECRYPTS],
  ],
  [
    "taking a policy off",
    dynamo("DeleteResourcePolicy", { ResourceArn: TABLE }),
    [`dynamodb:DeleteResourcePolicy ${TABLE}`],
  ],
  ["a list", dynamo("ListExports", { TableArn: TABLE }), ["dynamodb:ListExports *"]],
  [
    "one export",
    dynamo("DescribeExport", { ExportArn: `${TABLE}/export/1` }),
    [`dynamodb:DescribeExport ${TABLE}/export/1`],
  ],
  [
    "an export, which DynamoDB writes in the caller's name",
    dynamo("ExportTableToPointInTime", {
      TableArn: TABLE,
      S3Bucket: "files",
      S3Prefix: "exports/x",
      S3SseAlgorithm: "KMS",
      S3SseKmsKeyId: KEY,
    }),
    [
      `dynamodb:ExportTableToPointInTime ${TABLE}`,
      "s3:PutObject arn:aws:s3:::files/exports/x/AWSDynamoDB/export/data/file.json.gz",
      "s3:PutObjectAcl arn:aws:s3:::files/exports/x/AWSDynamoDB/export/data/file.json.gz",
      "s3:AbortMultipartUpload arn:aws:s3:::files/exports/x/AWSDynamoDB/export/data/file.json.gz",
      `kms:GenerateDataKey ${KEY}`,
      DECRYPTS,
      DECRYPTS,
    ],
  ],
  ["an encryption", json("TrentService.Encrypt", { KeyId: "alias/data", Plaintext: "" }), [`kms:Encrypt ${KEY}`]],
  [
    "a message",
    json("AmazonSQS.SendMessage", { QueueUrl: `http://x/${ACCOUNT}/work` }),
    [`sqs:SendMessage ${QUEUE}`, `kms:GenerateDataKey ${KEY}`, DECRYPTS],
  ],
  [
    "a batch of messages",
    json("AmazonSQS.SendMessageBatch", { QueueUrl: `http://x/${ACCOUNT}/work` }),
    [`sqs:SendMessage ${QUEUE}`, `kms:GenerateDataKey ${KEY}`, DECRYPTS],
  ],
  [
    "receiving",
    json("AmazonSQS.ReceiveMessage", { QueueUrl: `http://x/${ACCOUNT}/work` }),
    [`sqs:ReceiveMessage ${QUEUE}`, DECRYPTS],
  ],
  [
    "an object",
    http("GET", "/files/payments/a%20b.json"),
    ["s3:GetObject arn:aws:s3:::files/payments/a b.json", DECRYPTS],
  ],
  [
    "a version of an object",
    http("GET", "/files/a?versionId=1"),
    ["s3:GetObjectVersion arn:aws:s3:::files/a", DECRYPTS],
  ],
  ["a head", http("HEAD", "/files/a"), ["s3:GetObject arn:aws:s3:::files/a", DECRYPTS]],
  ["a put of an object", http("PUT", "/files/a"), ["s3:PutObject arn:aws:s3:::files/a", `kms:GenerateDataKey ${KEY}`]],
  [
    "a put that knows what it replaces",
    http("PUT", "/files/a", { "if-match": "e" }),
    ["s3:PutObject arn:aws:s3:::files/a", "s3:GetObject arn:aws:s3:::files/a", `kms:GenerateDataKey ${KEY}`],
  ],
  [
    "a copy",
    http("PUT", "/files/a", { "x-amz-copy-source": "/files/b" }),
    ["s3:PutObject arn:aws:s3:::files/a", "s3:GetObject arn:aws:s3:::files/b", DECRYPTS, `kms:GenerateDataKey ${KEY}`],
  ],
  [
    "removing a version past its lock",
    http("DELETE", "/files/a?versionId=1", { "x-amz-bypass-governance-retention": "true" }),
    ["s3:DeleteObjectVersion arn:aws:s3:::files/a", "s3:BypassGovernanceRetention arn:aws:s3:::files/a"],
  ],
  [
    "removing several",
    http(
      "POST",
      "/files?delete",
      {},
      "<Delete><Object><Key>a&amp;b</Key></Object><Object><Key>c</Key><VersionId>1</VersionId></Object></Delete>",
    ),
    ["s3:DeleteObject arn:aws:s3:::files/a&b", "s3:DeleteObjectVersion arn:aws:s3:::files/c"],
  ],
  ["a listing", http("GET", "/files?list-type=2&prefix=payments/"), ["s3:ListBucket arn:aws:s3:::files"]],
  ["a bucket's policy", http("PUT", "/files?policy"), ["s3:PutBucketPolicy arn:aws:s3:::files"]],
  ["a bucket's policy taken off", http("DELETE", "/files?policy"), ["s3:DeleteBucketPolicy arn:aws:s3:::files"]],
  ["another default key", http("PUT", "/files?encryption"), ["s3:PutEncryptionConfiguration arn:aws:s3:::files"]],
  ["a lifecycle taken off", http("DELETE", "/files?lifecycle"), ["s3:PutLifecycleConfiguration arn:aws:s3:::files"]],
  ["a lock's end", http("PUT", "/files/a?retention"), ["s3:PutObjectRetention arn:aws:s3:::files/a"]],
  [
    "a call of a function",
    http("POST", "/2015-03-31/functions/fn/invocations", {}, "{}", "lambda"),
    [`lambda:InvokeFunction ${arn("lambda", "function:fn")}`],
  ],
  [
    "other code for a function",
    http("PUT", "/2015-03-31/functions/fn/code", {}, "{}", "lambda"),
    [`lambda:UpdateFunctionCode ${arn("lambda", "function:fn")}`],
  ],
  [
    "a service by its form",
    readApiCall(
      "POST",
      "/",
      { ...signed("iam"), "content-type": "application/x-www-form-urlencoded" },
      Buffer.from("Action=PutRolePolicy&RoleName=writer"),
    ),
    [`iam:PutRolePolicy ${ROLE}`],
  ],
  ["a service that names no operation", http("GET", "/schedules", {}, "", "scheduler"), ["scheduler:GET /schedules *"]],
])("%s", (_case, call, expected) => {
  expect(asked(call)).toEqual(expected);
});

test("a function's own calls come through its endpoint and carry its ARN; what services do for it does not", () => {
  const [put, decrypt] = authorisationsOf(dynamo("PutItem", { TableName: "PaymentLedger" }), CALLER, POLICIES);
  expect(put).toMatchObject({ via: "dynamodb", context: { "lambda:SourceFunctionArn": CALLER.functionArn } });
  expect(decrypt?.via).toBeUndefined();
  expect(decrypt?.context).toEqual({
    "kms:CallerAccount": ACCOUNT,
    "kms:ViaService": "dynamodb.us-east-1.amazonaws.com",
    "kms:EncryptionContext:aws:dynamodb:tableName": "PaymentLedger",
    "kms:EncryptionContext:aws:dynamodb:subscriberId": ACCOUNT,
  });
});

test("conditions see names of attributes, of keys and of headers", () => {
  const scan = {
    TableName: "Trail",
    Select: "SPECIFIC_ATTRIBUTES",
    ProjectionExpression: "AuditID, #at",
    ExpressionAttributeNames: { "#at": "RecordedAt" },
    FilterExpression: "attribute_exists(Extra) AND :x = :y",
  };
  expect(authorisationsOf(dynamo("Scan", scan), CALLER, POLICIES)[0]?.context).toMatchObject({
    "dynamodb:Attributes": ["AuditID", "Extra", "RecordedAt"],
    "dynamodb:Select": "SPECIFIC_ATTRIBUTES",
  });
  const wrap = { KeyId: KEY, EncryptionContext: { Table: "PaymentLedger" } };
  expect(authorisationsOf(json("TrentService.Decrypt", wrap), CALLER, POLICIES)[0]?.context).toMatchObject({
    "kms:EncryptionContext:Table": "PaymentLedger",
    "kms:CallerAccount": ACCOUNT,
  });
  const headers = {
    "if-none-match": "*",
    "x-amz-server-side-encryption": "aws:kms",
    "x-amz-server-side-encryption-aws-kms-key-id": "alias/data",
  };
  expect(authorisationsOf(http("PUT", "/files/a", headers), CALLER, POLICIES)[0]?.context).toMatchObject({
    "s3:if-none-match": "*",
    "s3:x-amz-server-side-encryption": "aws:kms",
    "s3:x-amz-server-side-encryption-aws-kms-key-id": KEY,
  });
});

test("after a read of an absent object the question is whether the caller may list its bucket, after no other call", () => {
  for (const method of ["GET", "HEAD"]) {
    expect(absenceOf(http(method, "/files/a/b"), CALLER, POLICIES)).toMatchObject([
      { action: "s3:ListBucket", resource: "arn:aws:s3:::files" },
    ]);
    expect(absenceOf(http(method, "/files?policy"), CALLER, POLICIES)).toEqual([]);
  }
  expect(absenceOf(http("PUT", "/files/a/b"), CALLER, POLICIES)).toEqual([]);
});

test("who signed is in the header, or in the query of a presigned URL", () => {
  expect(http("GET", "/files/a").accessKeyId).toBe("auditor");
  const presigned = "/files/a?X-Amz-Credential=operator%2F20261128%2Fus-east-1%2Fs3%2Faws4_request";
  expect(readApiCall("GET", presigned, {}, Buffer.alloc(0))).toMatchObject({ accessKeyId: "operator", service: "s3" });
  expect(readApiCall("GET", "/files/a", {}, Buffer.alloc(0)).accessKeyId).toBeUndefined();
});
