/** What the roles around the log of proofs may do: who seals, who checks what was sealed, who tries a restore against it. */

import { EVIDENCE_PREFIX, EXPORT_PREFIXES, IDENTITIES_PREFIX, SWEPT_PREFIX } from "../contract";
import { equals, type Statement } from "./constructs/policy";
import { IMPORT_LOG_ACTIONS, SCRATCH_TABLE_ACTIONS } from "./log-boundary";
import { allTables, dataKeyThroughS3, type PermissionArns, pieceStatements } from "./permission-parts";

/** Of the tables it reads what the streams tell, and single items. It publishes nothing. */
export function sealerStatements(arns: PermissionArns): Statement[] {
  const { streamArns, keyArns } = arns;
  return [
    {
      sid: "Streams",
      actions: ["dynamodb:DescribeStream", "dynamodb:GetRecords", "dynamodb:GetShardIterator"],
      resources: streamArns,
    },
    // Lambda asks for it before it takes a stream, and DynamoDB lists the streams of all tables or of none.
    { sid: "FindStreams", actions: ["dynamodb:ListStreams"], resources: ["*"] },
    logState(arns),
    // The records of status changes, and the current item where an event reports tampering.
    { sid: "Tables", actions: ["dynamodb:GetItem"], resources: allTables(arns) },
    // It writes no audit record, but checks what the tables' writers made.
    { sid: "RecordMacs", actions: ["kms:GenerateMac"], resources: [keyArns.mac] },
  ];
}

/** The only role that signs, and the only one that puts evidence. It reads no record. */
export function publisherStatements(arns: PermissionArns): Statement[] {
  const { evidenceArn, keyArns } = arns;
  return [
    logState(arns),
    // Which stream each table has: the one that feeds the sealer, or another by now.
    { sid: "DescribeTables", actions: ["dynamodb:DescribeTable"], resources: allTables(arns) },
    {
      sid: "Evidence",
      actions: ["s3:GetObject", "s3:PutObject"],
      resources: [`${evidenceArn}/${EVIDENCE_PREFIX}*`],
    },
    listEvidence(arns),
    evidenceKeyThroughS3(arns, "kms:Decrypt", "kms:GenerateDataKey"),
    { sid: "SignCheckpoints", actions: ["kms:Sign"], resources: [...keyArns.signing] },
    publicKeys(arns),
  ];
}

/** Reads everything and repairs nothing: what it finds it adds to the log. Of the evidence it puts only what it has verified. */
export function sweeperStatements(arns: PermissionArns): Statement[] {
  return [
    { sid: "Tables", actions: ["dynamodb:GetItem", "dynamodb:Scan"], resources: allTables(arns) },
    logState(arns),
    ...readEvidence(arns, "kms:GenerateDataKey"),
    // What it has verified, for the next one to go on from.
    { sid: "Swept", actions: ["s3:PutObject"], resources: [`${arns.evidenceArn}/${EVIDENCE_PREFIX}${SWEPT_PREFIX}*`] },
    // In one piece it has no business with the export bucket.
    ...(arns.piecesPrefix === null
      ? []
      : [
          ...pieceStatements(arns),
          { sid: "ListExportBucket", actions: ["s3:ListBucket"], resources: [arns.exportsArn] },
          dataKeyThroughS3(arns),
        ]),
  ];
}

/** Nothing but its own tables can it make, fill or delete. */
export function drillStatements(arns: PermissionArns): Statement[] {
  const { exportsArn, scratchArns, region, keyArns, importLogArn, anyLogGroupArn } = arns;
  const { exports, state, drills } = EXPORT_PREFIXES;
  return [
    {
      sid: "ReadExports",
      actions: ["s3:GetObject"],
      resources: [exports, state, drills].map((prefix) => `${exportsArn}/${prefix}*`),
    },
    { sid: "WriteReports", actions: ["s3:PutObject"], resources: [`${exportsArn}/${drills}*`] },
    ...pieceStatements(arns),
    { sid: "ListExportBucket", actions: ["s3:ListBucket"], resources: [exportsArn] },
    dataKeyThroughS3(arns),
    // A scratch table is encrypted as the one that it is restored from.
    { sid: "DescribeTables", actions: ["dynamodb:DescribeTable"], resources: allTables(arns) },
    { sid: "ScratchTables", actions: SCRATCH_TABLE_ACTIONS, resources: scratchArns },
    {
      sid: "DescribeImports",
      actions: ["dynamodb:DescribeImport"],
      resources: scratchArns.map((arn) => `${arn}/import/*`),
    },
    {
      sid: "ScratchTableKeys",
      actions: ["kms:CreateGrant"],
      resources: [keyArns.data],
      conditions: [equals("kms:ViaService", `dynamodb.${region}.amazonaws.com`)],
    },
    // In the role's name, DynamoDB writes down which items it could not import.
    { sid: "ImportLogs", actions: IMPORT_LOG_ACTIONS, resources: [importLogArn] },
    { sid: "FindImportLogs", actions: ["logs:DescribeLogGroups"], resources: [anyLogGroupArn] },
    ...readEvidence(arns),
  ];
}

/** Reads the audit records of a day and CloudTrail's files, decrypts no record, and puts what it found into the evidence. */
export function attesterStatements(arns: PermissionArns): Statement[] {
  const { auditTrail, auditTrailByTimeArn, trailBucketArn, trailFilesArn, evidenceArn, region, keyArns } = arns;
  const identities = `${evidenceArn}/${EVIDENCE_PREFIX}${IDENTITIES_PREFIX}*`;
  return [
    { sid: "AuditTrail", actions: ["dynamodb:GetItem", "dynamodb:PutItem"], resources: [auditTrail.tableArn] },
    { sid: "AuditTrailByTime", actions: ["dynamodb:Query"], resources: [auditTrailByTimeArn] },
    { sid: "TrailFiles", actions: ["s3:GetObject"], resources: [trailFilesArn] },
    { sid: "ListTrail", actions: ["s3:ListBucket"], resources: [trailBucketArn, evidenceArn] },
    {
      sid: "TrailKeyThroughS3",
      actions: ["kms:Decrypt"],
      resources: [keyArns.trail],
      conditions: [equals("kms:ViaService", `s3.${region}.amazonaws.com`)],
    },
    // CloudTrail's public keys are no resource of the account.
    { sid: "TrailKeys", actions: ["cloudtrail:ListPublicKeys"], resources: ["*"] },
    // Reading: a file of the same content may be there already.
    { sid: "Identities", actions: ["s3:GetObject", "s3:PutObject"], resources: [identities] },
    evidenceKeyThroughS3(arns, "kms:Decrypt", "kms:GenerateDataKey"),
  ];
}

/** The table's own policy takes every other way of writing from everybody. */
function logState({ logStateArn }: PermissionArns): Statement {
  return {
    sid: "LogState",
    actions: ["dynamodb:GetItem", "dynamodb:PutItem", "dynamodb:Query"],
    resources: [logStateArn],
  };
}

/** @param writing what of the evidence's key only a role needs that also puts objects. */
function readEvidence(arns: PermissionArns, ...writing: string[]): Statement[] {
  return [
    { sid: "Evidence", actions: ["s3:GetObject"], resources: [`${arns.evidenceArn}/${EVIDENCE_PREFIX}*`] },
    listEvidence(arns),
    evidenceKeyThroughS3(arns, "kms:Decrypt", ...writing),
    publicKeys(arns),
  ];
}

/** Without it S3 says of an absent object that it is forbidden. */
function listEvidence({ evidenceArn }: PermissionArns): Statement {
  return { sid: "ListEvidence", actions: ["s3:ListBucket"], resources: [evidenceArn] };
}

function evidenceKeyThroughS3({ region, keyArns }: PermissionArns, ...actions: string[]): Statement {
  return {
    sid: "EvidenceKeyThroughS3",
    actions,
    resources: [keyArns.evidence],
    conditions: [equals("kms:ViaService", `s3.${region}.amazonaws.com`)],
  };
}

/** Includes retired generations, because the checkpoints that they signed are still checked. */
function publicKeys({ keyArns }: PermissionArns): Statement {
  return { sid: "PublicKeys", actions: ["kms:GetPublicKey"], resources: [...keyArns.signing, ...keyArns.retired] };
}
