/**
 * The permission boundary of the roles around the log of proofs. It is separate, because one of these roles deletes tables: no role
 * of a payment function can get that permission, and no role here can get the permission to write payments.
 */

import { EVIDENCE_PREFIX, type RoleId } from "../contract";
import { everyFunctionsStatements, type SharedBoundaryArns } from "./boundary";
import { ENCRYPT_AND_DECRYPT } from "./constructs/key";
import { equals, type Statement } from "./constructs/policy";

export const LOG_ROLES: readonly RoleId[] = ["sealer", "publisher", "sweeper", "drill", "attester"];

/** DynamoDB writes there, on behalf of the role that requested an import, which items it could not import. */
export const IMPORT_LOG_GROUPS = "log-group:/aws-dynamodb/*";

/** What a drill does with its tables. Only an import writes to them. */
export const SCRATCH_TABLE_ACTIONS = [
  "dynamodb:DeleteTable",
  "dynamodb:DescribeTable",
  "dynamodb:ImportTable",
  "dynamodb:Scan",
];

export const IMPORT_LOG_ACTIONS = [
  "logs:CreateLogGroup",
  "logs:CreateLogStream",
  "logs:DescribeLogStreams",
  "logs:PutLogEvents",
  "logs:PutRetentionPolicy",
];

export interface LogBoundaryArns extends SharedBoundaryArns {
  readonly auditTrailArn: string;
  readonly logStateArn: string;
  readonly evidenceArn: string;
  readonly trailBucketArn: string;
  /** A pattern: what CloudTrail wrote for this account. */
  readonly trailFilesArn: string;
  readonly auditTrailByTimeArn: string;
  /** A pattern: the tables of restore drills. */
  readonly scratchArn: string;
  readonly importLogArn: string;
  readonly anyLogGroupArn: string;
  readonly region: string;
}

export function logBoundaryStatements(arns: LogBoundaryArns): Statement[] {
  const { tableArns, auditTrailArn, logStateArn, keyArns } = arns;
  return [
    {
      sid: "Tables",
      actions: ["dynamodb:DescribeTable", "dynamodb:GetItem", "dynamodb:Scan"],
      resources: tableArns,
    },
    { sid: "AuditTrail", actions: ["dynamodb:PutItem"], resources: [auditTrailArn] },
    { sid: "AuditTrailByTime", actions: ["dynamodb:Query"], resources: [arns.auditTrailByTimeArn] },
    { sid: "LogState", actions: ["dynamodb:GetItem", "dynamodb:PutItem", "dynamodb:Query"], resources: [logStateArn] },
    {
      sid: "Streams",
      actions: ["dynamodb:DescribeStream", "dynamodb:GetRecords", "dynamodb:GetShardIterator"],
      resources: tableArns.map((arn) => `${arn}/stream/*`),
    },
    // DynamoDB lists the streams of all tables or of none.
    { sid: "FindStreams", actions: ["dynamodb:ListStreams"], resources: ["*"] },
    {
      sid: "Keys",
      actions: [...ENCRYPT_AND_DECRYPT, "kms:GenerateMac", "kms:GetPublicKey", "kms:Sign"].sort(),
      resources: [keyArns],
    },
    ...objectStatements(arns),
    ...trailStatements(arns),
    ...drillStatements(arns),
    ...everyFunctionsStatements(arns),
  ];
}

function objectStatements({ exportsArn, evidenceArn }: LogBoundaryArns): Statement[] {
  return [
    { sid: "List", actions: ["s3:ListBucket"], resources: [exportsArn, evidenceArn] },
    {
      sid: "Objects",
      actions: ["s3:GetObject", "s3:PutObject"],
      resources: [`${exportsArn}/*`, `${evidenceArn}/${EVIDENCE_PREFIX}*`],
    },
  ];
}

/** CloudTrail's files are only ever read. Its public keys are no resource of the account. */
function trailStatements({ trailBucketArn, trailFilesArn }: LogBoundaryArns): Statement[] {
  return [
    { sid: "ListTrail", actions: ["s3:ListBucket"], resources: [trailBucketArn] },
    { sid: "TrailFiles", actions: ["s3:GetObject"], resources: [trailFilesArn] },
    { sid: "TrailKeys", actions: ["cloudtrail:ListPublicKeys"], resources: ["*"] },
  ];
}

/** The only tables that may ever be made or deleted are those of restore drills. */
function drillStatements({ scratchArn, keyArns, importLogArn, anyLogGroupArn, region }: LogBoundaryArns): Statement[] {
  return [
    { sid: "ScratchTables", actions: SCRATCH_TABLE_ACTIONS, resources: [scratchArn] },
    { sid: "DescribeImports", actions: ["dynamodb:DescribeImport"], resources: [`${scratchArn}/import/*`] },
    {
      sid: "ScratchTableKeys",
      actions: ["kms:CreateGrant"],
      resources: [keyArns],
      conditions: [equals("kms:ViaService", `dynamodb.${region}.amazonaws.com`)],
    },
    { sid: "ImportLogs", actions: IMPORT_LOG_ACTIONS, resources: [importLogArn] },
    { sid: "FindImportLogs", actions: ["logs:DescribeLogGroups"], resources: [anyLogGroupArn] },
  ];
}
