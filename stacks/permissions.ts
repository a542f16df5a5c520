/** What each function role may do, action by action. The tests pin the list of every role. */

import { EXPORT_PREFIXES, FILE_PREFIXES, type RoleId, TABLES } from "../contract";
import { ENCRYPT_AND_DECRYPT } from "./constructs/key";
import { equals, type Statement } from "./constructs/policy";
import {
  attesterStatements,
  drillStatements,
  publisherStatements,
  sealerStatements,
  sweeperStatements,
} from "./log-permissions";
import { allTables, append, dataKeyThroughS3, type PermissionArns, pieceStatements } from "./permission-parts";

export function permissionsOf(role: RoleId, arns: PermissionArns): Statement[] {
  return [...OWN[role](arns), ...sharedStatements(arns)];
}

const OWN: Readonly<Record<RoleId, (arns: PermissionArns) => Statement[]>> = {
  // The list that the ledger's documents give this role. Its functions put items and wrap keys; the tables' and the key's own
  // policies refuse it the rest.
  ledger: ({ ledger, auditTrail, keyArns, queueArns }) => [
    {
      sid: "Tables",
      actions: ["dynamodb:GetItem", "dynamodb:PutItem", "dynamodb:Query", "dynamodb:Scan", "dynamodb:UpdateItem"],
      resources: [ledger.tableArn, ...ledger.indexArns, auditTrail.tableArn, ...auditTrail.indexArns],
    },
    { sid: "WrapTokens", actions: ["kms:Encrypt"], resources: [keyArns.token] },
    { sid: "ReadAuditDetails", actions: ["kms:Decrypt"], resources: [keyArns.audit] },
    receive(queueArns.auditEvents),
  ],
  status: ({ ledger, events, auditTrail }) => [
    { sid: "Ledger", actions: ["dynamodb:GetItem", "dynamodb:UpdateItem"], resources: [ledger.tableArn] },
    // A payment with events keeps its status.
    { sid: "Events", actions: ["dynamodb:ConditionCheckItem"], resources: [events.tableArn] },
    { sid: "AuditTrail", actions: ["dynamodb:GetItem", "dynamodb:PutItem"], resources: [auditTrail.tableArn] },
  ],
  events: eventStatements,
  query: ({ ledger, events, auditTrail }) => [
    { sid: "Ledger", actions: ["dynamodb:GetItem"], resources: [ledger.tableArn] },
    { sid: "LedgerIndexes", actions: ["dynamodb:Query"], resources: ledger.indexArns },
    { sid: "Events", actions: ["dynamodb:Query"], resources: [events.tableArn, ...events.indexArns] },
    append(auditTrail),
  ],
  reveal: ({ ledger, auditTrail, keyArns }) => [
    { sid: "Ledger", actions: ["dynamodb:GetItem"], resources: [ledger.tableArn] },
    append(auditTrail),
    { sid: "RevealTokens", actions: ["kms:Decrypt"], resources: [keyArns.token] },
  ],
  auditor: ({ auditTrail, keyArns }) => [
    { sid: "AuditTrail", actions: ["dynamodb:GetItem", "dynamodb:PutItem"], resources: [auditTrail.tableArn] },
    { sid: "AuditTrailIndexes", actions: ["dynamodb:Query"], resources: auditTrail.indexArns },
    { sid: "ReadAuditDetails", actions: ["kms:Decrypt"], resources: [keyArns.audit] },
  ],
  messages: ({ messages, queueArns, ...arns }) => [
    { sid: "Messages", actions: ["dynamodb:PutItem"], resources: [messages.tableArn] },
    // Facts arrive as messages too.
    ...eventStatements(arns),
    receive(queueArns.paymentMessages),
  ],
  processor: (arns) => [
    { sid: "Transactions", actions: ["dynamodb:PutItem"], resources: [arns.transactions.tableArn] },
    // Rows of files are facts too.
    ...eventStatements(arns),
    ...fileStatements(arns),
  ],
  transactionQuery: ({ transactions, messages, auditTrail }) => [
    { sid: "Transactions", actions: ["dynamodb:Query"], resources: [transactions.tableArn] },
    { sid: "Messages", actions: ["dynamodb:GetItem"], resources: [messages.tableArn] },
    // Where no row is found, the payment's WRITE record tells whether there must be one.
    { sid: "AuditTrail", actions: ["dynamodb:GetItem", "dynamodb:PutItem"], resources: [auditTrail.tableArn] },
    // Its index by time leads to the payments of a range.
    {
      sid: "AuditTrailByTime",
      actions: ["dynamodb:Query"],
      resources: auditTrail.indexArns.filter((arn) => arn.endsWith(`/${TABLES.paymentAuditTrail.indexes.byTime.name}`)),
    },
  ],
  export: exportStatements,
  backupCheck: (arns) => [...checkStatements(arns), ...pieceStatements(arns), append(arns.auditTrail)],
  sealer: sealerStatements,
  publisher: publisherStatements,
  sweeper: (arns) => [...sweeperStatements(arns), append(arns.auditTrail)],
  drill: (arns) => [...drillStatements(arns), append(arns.auditTrail)],
  attester: attesterStatements,
};

/** What records an event of a payment's life: it reads the life, and begins it from the payment's row. */
function eventStatements({
  ledger,
  events,
  auditTrail,
}: Pick<PermissionArns, "ledger" | "events" | "auditTrail">): Statement[] {
  return [
    { sid: "Ledger", actions: ["dynamodb:ConditionCheckItem", "dynamodb:GetItem"], resources: [ledger.tableArn] },
    { sid: "Events", actions: ["dynamodb:PutItem", "dynamodb:Query"], resources: [events.tableArn] },
    { sid: "AuditTrail", actions: ["dynamodb:GetItem", "dynamodb:PutItem"], resources: [auditTrail.tableArn] },
  ];
}

/** What an event source mapping does in the name of its function's role. */
function receive(queueArn: string): Statement {
  return {
    sid: "Queue",
    actions: ["sqs:DeleteMessage", "sqs:GetQueueAttributes", "sqs:ReceiveMessage"],
    resources: [queueArn],
  };
}

function fileStatements({ filesArn, removeCardDataFiles, ...arns }: PermissionArns): Statement[] {
  const { payments, continuations, reports } = FILE_PREFIXES;
  const removal: Statement = {
    sid: "RemoveCardData",
    actions: ["s3:DeleteObjectVersion"],
    resources: [`${filesArn}/${payments}*`],
  };
  return [
    {
      sid: "ReadFiles",
      actions: ["s3:GetObject"],
      // Its own reports too: an existing one means that its file was finished.
      resources: [`${filesArn}/${payments}*`, `${filesArn}/${continuations}*`, `${filesArn}/${reports}*`],
    },
    { sid: "ReadFileVersions", actions: ["s3:GetObjectVersion"], resources: [`${filesArn}/${payments}*`] },
    {
      sid: "WriteReports",
      actions: ["s3:PutObject"],
      resources: [`${filesArn}/${reports}*`, `${filesArn}/${continuations}*`],
    },
    // Without it S3 says of an absent object that it is forbidden.
    { sid: "ListFiles", actions: ["s3:ListBucket"], resources: [filesArn] },
    ...(removeCardDataFiles ? [removal] : []),
    dataKeyThroughS3(arns),
  ];
}

/** DynamoDB writes the exported files in the role's name. */
function exportStatements(arns: PermissionArns): Statement[] {
  const { exportsArn } = arns;
  return [
    {
      sid: "Exports",
      actions: ["dynamodb:DescribeContinuousBackups", "dynamodb:ExportTableToPointInTime"],
      resources: allTables(arns),
    },
    {
      sid: "DescribeExports",
      actions: ["dynamodb:DescribeExport"],
      resources: allTables(arns).map((arn) => `${arn}/export/*`),
    },
    // DynamoDB lists the exports of all tables or of none.
    { sid: "FindExports", actions: ["dynamodb:ListExports"], resources: ["*"] },
    {
      sid: "WriteExports",
      actions: ["s3:AbortMultipartUpload", "s3:PutObject", "s3:PutObjectAcl"],
      resources: [`${exportsArn}/${EXPORT_PREFIXES.exports}*`],
    },
    {
      sid: "State",
      actions: ["s3:GetObject", "s3:PutObject"],
      resources: [`${exportsArn}/${EXPORT_PREFIXES.state}*`],
    },
    { sid: "ListExportBucket", actions: ["s3:ListBucket"], resources: [exportsArn] },
    dataKeyThroughS3(arns),
  ];
}

/** What the check reads of an item: its key and when it was recorded, and nothing that it holds. */
const CHECKED_ATTRIBUTES = [
  ...new Set(
    Object.values(TABLES).flatMap((table) => [
      table.partitionKey as string,
      ...("sortKey" in table ? [table.sortKey.name] : []),
    ]),
  ),
  "RecordedAt",
  "processedAt",
];

export function scanOfKeys(tableArns: string[]): Statement {
  return {
    sid: "ReadKeys",
    actions: ["dynamodb:Scan"],
    resources: tableArns,
    conditions: [
      { test: "ForAllValues:StringEquals", variable: "dynamodb:Attributes", values: CHECKED_ATTRIBUTES },
      // A scan that does not say what it wants would get everything.
      equals("dynamodb:Select", "SPECIFIC_ATTRIBUTES"),
    ],
  };
}

function checkStatements(arns: PermissionArns): Statement[] {
  const { exportsArn } = arns;
  return [
    scanOfKeys(allTables(arns)),
    {
      sid: "ReadExports",
      actions: ["s3:GetObject"],
      resources: [EXPORT_PREFIXES.exports, EXPORT_PREFIXES.state].map((prefix) => `${exportsArn}/${prefix}*`),
    },
    { sid: "WriteReports", actions: ["s3:PutObject"], resources: [`${exportsArn}/${EXPORT_PREFIXES.checks}*`] },
    { sid: "ListExportBucket", actions: ["s3:ListBucket"], resources: [exportsArn] },
    dataKeyThroughS3(arns),
  ];
}

/** For the roles that write audit records. */
function auditStatements({ auditing, keyArns }: PermissionArns): Statement[] {
  if (!auditing) return [];
  return [
    { sid: "WrapAuditDetails", actions: ["kms:Encrypt"], resources: [keyArns.audit] },
    { sid: "RecordMacs", actions: ["kms:GenerateMac"], resources: [keyArns.mac] },
  ];
}

function sharedStatements(arns: PermissionArns): Statement[] {
  return [
    ...auditStatements(arns),
    dataKeyThroughServices(arns),
    ...failureStatements(arns),
    { sid: "Logs", actions: ["logs:CreateLogStream", "logs:PutLogEvents"], resources: arns.logStreamArns },
  ];
}

/** Lambda puts an asynchronous call that failed on every try into the queue, as the role. */
function failureStatements({ failureQueueArn }: PermissionArns): Statement[] {
  if (failureQueueArn === null) return [];
  return [{ sid: "Failures", actions: ["sqs:SendMessage"], resources: [failureQueueArn] }];
}

/** DynamoDB, SQS and Lambda use the data key on behalf of their caller. A direct call from the code is refused. */
function dataKeyThroughServices({ region, keyArns, failureQueueArn }: PermissionArns): Statement {
  const services = ["dynamodb", "lambda", ...(failureQueueArn === null ? [] : ["sqs"])].map(
    (name) => `${name}.${region}.amazonaws.com`,
  );
  return {
    sid: "DataKeyThroughServices",
    actions: ENCRYPT_AND_DECRYPT,
    resources: [keyArns.data],
    conditions: [equals("kms:ViaService", ...services)],
  };
}
