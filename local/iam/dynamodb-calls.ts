/** What AWS authorises for a call of DynamoDB: each item of a transaction, the table's key, and what an export or import does. */

import { type ApiCall, firstText, isMap, mapIn } from "./api-call";
import type { Authorisation, Context } from "./authorisation";
import type { EffectivePolicies } from "./effective";
import { objectKeyUses, tableKeyUses } from "./key-uses";
import { authorisationOf, type RequestingCaller } from "./requests";

type Input = Readonly<Record<string, unknown>>;

const ITEM_ACTIONS = new Set(["DeleteItem", "GetItem", "PutItem", "Query", "Scan", "UpdateItem"]);
const TRANSACTION_ACTIONS: Readonly<Record<string, string>> = {
  Put: "PutItem",
  Update: "UpdateItem",
  Delete: "DeleteItem",
  ConditionCheck: "ConditionCheckItem",
  Get: "GetItem",
};
/** AWS has no resource type for these, or none that a caller must name. */
const ON_EVERYTHING = new Set([
  "DescribeEndpoints",
  "DescribeLimits",
  "ListBackups",
  "ListExports",
  "ListImports",
  "ListStreams",
  "ListTables",
]);
const TABLE_KEY = "DynamoDB decrypts the table for the caller";
/** What the restore does to the new table, in the caller's name. */
const FILLING = ["BatchWriteItem", "DeleteItem", "GetItem", "PutItem", "Query", "Scan", "UpdateItem"];
/** What DynamoDB does with the customer's key to make a table under it. */
const NEW_TABLE_KEY = [
  "CreateGrant",
  "Decrypt",
  "DescribeKey",
  "Encrypt",
  "GenerateDataKey",
  "ReEncryptFrom",
  "ReEncryptTo",
].map((action) => `kms:${action}`);

export function dynamodbAuthorisations(call: ApiCall, requester: RequestingCaller): Authorisation[] {
  const { input, operation = "" } = call;
  switch (operation) {
    case "TransactWriteItems":
    case "TransactGetItems":
      return listIn(input, "TransactItems").flatMap((item) =>
        Object.entries(item).flatMap(([kind, request]) =>
          isMap(request) ? itemCall(TRANSACTION_ACTIONS[kind] ?? kind, request, requester) : [],
        ),
      );
    case "BatchGetItem":
    case "BatchWriteItem":
      return Object.keys(mapIn(input, "RequestItems")).flatMap((TableName) =>
        itemCall(operation, { TableName }, requester),
      );
    case "ExecuteStatement":
      return partiQl(firstText(input, "Statement") ?? "", requester);
    case "ExecuteTransaction":
    case "BatchExecuteStatement":
      return [...listIn(input, "TransactStatements"), ...listIn(input, "Statements")].flatMap((each) =>
        partiQl(firstText(each, "Statement") ?? "", requester),
      );
    case "ExportTableToPointInTime":
      return exportCall(input, requester);
    case "ImportTable":
      return importCall(input, requester);
    case "RestoreTableFromBackup":
    case "RestoreTableToPointInTime":
      return restoreCall(operation, input, requester);
    default:
      return ITEM_ACTIONS.has(operation)
        ? itemCall(operation, input, requester)
        : [authorisationOf(`dynamodb:${operation}`, resourceOf(operation, input, requester), requester)];
  }
}

function itemCall(operation: string, input: Input, requester: RequestingCaller): Authorisation[] {
  const { policies, caller } = requester;
  const tableArn = policies.tableArn(firstText(input, "TableName") ?? "");
  const index = firstText(input, "IndexName");
  const select = firstText(input, "Select");
  return [
    authorisationOf(`dynamodb:${operation}`, index === undefined ? tableArn : `${tableArn}/index/${index}`, requester, {
      "dynamodb:Attributes": attributesOf(input),
      ...(select !== undefined && { "dynamodb:Select": select }),
    }),
    ...tableKeyUses(policies, {
      caller: caller.principal,
      arn: tableArn,
      because: TABLE_KEY,
      actions: ["kms:Decrypt"],
    }),
  ];
}

const EXPRESSIONS = [
  "ConditionExpression",
  "FilterExpression",
  "KeyConditionExpression",
  "ProjectionExpression",
  "UpdateExpression",
];
const EXPRESSION_WORDS =
  /^(ADD|AND|BETWEEN|DELETE|IN|NOT|OR|REMOVE|SET|attribute_exists|attribute_not_exists|attribute_type|begins_with|contains|if_not_exists|list_append|size)$/i;

/** Names of the item's attributes that the request gives or asks for. */
function attributesOf(input: Input): string[] {
  const words = EXPRESSIONS.flatMap((name) => (firstText(input, name) ?? "").match(/(?<![#:\w])[A-Za-z_]\w*/g) ?? []);
  return [
    ...new Set([
      ...Object.keys(mapIn(input, "Item")),
      ...Object.keys(mapIn(input, "Key")),
      ...Object.values(mapIn(input, "ExpressionAttributeNames")).map(String),
      ...words.filter((word) => !EXPRESSION_WORDS.test(word)),
    ]),
  ].sort();
}

const PARTIQL: readonly (readonly [verb: RegExp, action: string])[] = [
  [/^\s*INSERT\s+INTO\s+("?)([\w.-]+)\1/i, "PartiQLInsert"],
  [/^\s*UPDATE\s+("?)([\w.-]+)\1/i, "PartiQLUpdate"],
  [/^\s*DELETE\s+FROM\s+("?)([\w.-]+)\1/i, "PartiQLDelete"],
  [/\bFROM\s+("?)([\w.-]+)\1/i, "PartiQLSelect"],
];

function partiQl(statement: string, requester: RequestingCaller): Authorisation[] {
  for (const [verb, action] of PARTIQL) {
    const TableName = verb.exec(statement)?.[2];
    if (TableName !== undefined) return itemCall(action, { TableName }, requester);
  }
  return [authorisationOf("dynamodb:PartiQLSelect", "*", requester)];
}

/** DynamoDB writes the files in the caller's name, and not through the caller's endpoint. */
function exportCall(input: Input, requester: RequestingCaller): Authorisation[] {
  const { policies } = requester;
  const caller = requester.caller.principal;
  const tableArn = policies.tableArn(firstText(input, "TableArn") ?? "");
  const prefix = firstText(input, "S3Prefix");
  const file = `arn:aws:s3:::${firstText(input, "S3Bucket")}/${prefix === undefined ? "" : `${prefix}/`}AWSDynamoDB/export/data/file.json.gz`;
  const because = "DynamoDB writes the export";
  const key = firstText(input, "S3SseKmsKeyId");
  const keyHeaders: Context =
    firstText(input, "S3SseAlgorithm") !== "KMS"
      ? {}
      : {
          "s3:x-amz-server-side-encryption": "aws:kms",
          ...(key !== undefined && { "s3:x-amz-server-side-encryption-aws-kms-key-id": policies.keyArn(key) }),
        };
  const put = { "s3:x-amz-acl": "bucket-owner-full-control", ...keyHeaders };
  const write = (action: string, context: Context) => ({ caller, action, resource: file, context, because });
  const named = key === undefined ? undefined : policies.keyArn(key);
  return [
    authorisationOf("dynamodb:ExportTableToPointInTime", tableArn, requester),
    write("s3:PutObject", put),
    write("s3:PutObjectAcl", {}),
    write("s3:AbortMultipartUpload", {}),
    ...objectKeyUses(policies, { caller, arn: file, because, actions: ["kms:GenerateDataKey", "kms:Decrypt"] }, named),
    ...tableKeyUses(policies, {
      caller,
      arn: tableArn,
      because: "DynamoDB reads the table for the export",
      actions: ["kms:Decrypt"],
    }),
  ];
}

function importCall(input: Input, requester: RequestingCaller): Authorisation[] {
  const { policies } = requester;
  const caller = requester.caller.principal;
  const source = mapIn(input, "S3BucketSource");
  const parameters = mapIn(input, "TableCreationParameters");
  const tableArn = policies.tableArn(firstText(parameters, "TableName") ?? "");
  const bucketArn = `arn:aws:s3:::${firstText(source, "S3Bucket")}`;
  const prefix = firstText(source, "S3KeyPrefix") ?? "";
  const because = "DynamoDB reads the files of the import";
  return [
    authorisationOf("dynamodb:ImportTable", tableArn, requester),
    { caller, action: "s3:GetObject", resource: `${bucketArn}/${prefix}file.json.gz`, context: {}, because },
    { caller, action: "s3:ListBucket", resource: bucketArn, context: { "s3:prefix": prefix }, because },
    ...objectKeyUses(policies, {
      caller,
      arn: `${bucketArn}/${prefix}file.json.gz`,
      because,
      actions: ["kms:Decrypt"],
    }),
    ...newTableKeyUses(keyOfNewTable(parameters, policies), tableArn, requester),
    ...importLog(requester),
  ];
}

function newTableKeyUses(
  keyArn: string | undefined,
  tableArn: string,
  { policies, caller }: RequestingCaller,
): Authorisation[] {
  if (keyArn === undefined) return [];
  const because = "DynamoDB makes a table under the key";
  return tableKeyUses(policies, { caller: caller.principal, arn: tableArn, because, actions: NEW_TABLE_KEY }, keyArn);
}

/** Key of the table that a request makes. Without a word about it, a restored table is under the key of its source. */
export function keyOfNewTable(input: Input, policies: EffectivePolicies): string | undefined {
  const settings = { ...mapIn(input, "SSESpecification"), ...mapIn(input, "SSESpecificationOverride") };
  const named = firstText(settings, "KMSMasterKeyId");
  return named === undefined ? policies.tableKeys.get(restoredFrom(input, policies)) : policies.keyArn(named);
}

function restoredFrom(input: Input, policies: EffectivePolicies): string {
  const table =
    firstText(input, "BackupArn")?.split("/backup/")[0] ?? firstText(input, "SourceTableArn", "SourceTableName");
  return policies.tableArn(table ?? "");
}

/** DynamoDB writes what it could not import to CloudWatch Logs. */
function importLog({ policies, caller }: RequestingCaller): Authorisation[] {
  const group = policies.arn("logs", "log-group:/aws-dynamodb/imports");
  const actions: readonly (readonly [string, string])[] = [
    ["CreateLogGroup", group],
    ["CreateLogStream", `${group}:log-stream:import`],
    ["DescribeLogStreams", group],
    ["PutLogEvents", `${group}:log-stream:import`],
    ["PutRetentionPolicy", group],
    ["DescribeLogGroups", policies.arn("logs", "log-group::log-stream:")],
  ];
  return actions.map(([action, resource]) => ({
    caller: caller.principal,
    action: `logs:${action}`,
    resource,
    context: {},
    because: "DynamoDB writes the log of the import",
  }));
}

function restoreCall(operation: string, input: Input, requester: RequestingCaller): Authorisation[] {
  const { policies } = requester;
  const target = policies.tableArn(firstText(input, "TargetTableName") ?? "");
  return [
    authorisationOf(`dynamodb:${operation}`, firstText(input, "BackupArn") ?? restoredFrom(input, policies), requester),
    authorisationOf(`dynamodb:${operation}`, target, requester),
    ...FILLING.map((action) => ({
      ...authorisationOf(`dynamodb:${action}`, target, requester),
      because: "DynamoDB fills the restored table",
    })),
    ...newTableKeyUses(keyOfNewTable(input, policies), target, requester),
  ];
}

function resourceOf(operation: string, input: Input, { policies }: RequestingCaller): string {
  if (ON_EVERYTHING.has(operation)) return "*";
  const arn = firstText(input, "ExportArn", "ImportArn", "BackupArn", "StreamArn", "ResourceArn");
  if (arn !== undefined) return arn;
  const iterator = firstText(input, "ShardIterator");
  if (iterator !== undefined) return iterator.split("|")[0] ?? "*";
  const table = firstText(input, "TableName", "TableArn");
  return table === undefined ? "*" : policies.tableArn(table);
}

function listIn(input: Input, name: string): Record<string, unknown>[] {
  const value = input[name];
  return Array.isArray(value) ? value.filter(isMap) : [];
}
