/**
 * Managed policies for the people and services that use the ledger. This project attaches them to nobody: an administrator of the account
 * attaches them to users or roles. The embedded AWS gives them to its identities of the same names.
 */

import { IamPolicy } from "@cdktf/provider-aws/lib/iam-policy";
import { TerraformOutput } from "cdktf";
import type { Construct } from "constructs";
import { API_FUNCTIONS, EVIDENCE_PREFIX, EXPORT_PREFIXES, FILE_PREFIXES, type FunctionId } from "../contract";
import type { AccessPolicyId } from "./config/names";
import { equals, policy, type Statement } from "./constructs/policy";
import { IMPORT_LOG_ACTIONS } from "./log-boundary";
import { scanOfKeys } from "./permissions";

export interface AccessArns {
  readonly region: string;
  readonly tableArns: string[];
  /** A pattern: the tables that a restore makes. */
  readonly scratchArn: string;
  readonly filesArn: string;
  readonly exportsArn: string;
  readonly evidenceArn: string;
  readonly queueArns: string[];
  /** The dead-letter queues and the queue of failed calls. */
  readonly failureQueueArns: string[];
  readonly dataKeyArn: string;
  readonly evidenceKeyArn: string;
  readonly checkpointKeyArns: readonly string[];
  readonly importLogArn: string;
  readonly anyLogGroupArn: string;
  readonly functionArn: (id: FunctionId) => string;
  /** Of the private API's methods; absent without that API. */
  readonly methodArn?: (id: (typeof API_FUNCTIONS)[number]) => string;
  /** Direct calls that claim an actor are refused anyway. */
  readonly comparesActors: boolean;
}

const READING_FUNCTIONS: readonly FunctionId[] = ["queryPaymentLedger", "queryPaymentAuditTrail", "queryTransactions"];
/** Without the function that reveals tokens: who may call that is a separate decision. */
const PAYMENT_FUNCTIONS: readonly FunctionId[] = [
  "persistPaymentLedger",
  "updatePaymentStatus",
  "recordPaymentEvent",
  "persistPaymentAuditTrail",
  "paymentProcessor",
  "queryPaymentLedger",
  "queryTransactions",
];
const OPERATED_FUNCTIONS: readonly FunctionId[] = [
  "persistPaymentLedger",
  "updatePaymentStatus",
  "recordPaymentEvent",
  "persistPaymentAuditTrail",
  "paymentProcessor",
  "exportTables",
  "checkBackup",
  "publishCheckpoint",
  "sweepAuditTrail",
  "drillRestore",
  "attestCallers",
];

export function addAccessPolicies(
  scope: Construct,
  names: Readonly<Record<AccessPolicyId, string>>,
  arns: AccessArns,
): void {
  const add = (id: AccessPolicyId, logicalId: string, description: string, statements: Statement[]) => {
    const managed = new IamPolicy(scope, logicalId, {
      name: names[id],
      description,
      policy: policy(scope, `${logicalId}-policy`, statements),
    });
    new TerraformOutput(scope, `${logicalId}-arn`, { description, value: managed.arn });
  };
  add("paymentService", "payment-service-access", "Records and reads payments", paymentServiceStatements(arns));
  add("auditor", "auditor-access", "Asks the audit trail and copies what is to be verified", auditorStatements(arns));
  add("operator", "operator-access", "Backs up, restores, drills and sends again", operatorStatements(arns));
}

/** Records payments in each of the three ways, changes their status and reads them back, tokens masked. */
export function paymentServiceStatements(arns: AccessArns): Statement[] {
  return [
    ...callsOf(PAYMENT_FUNCTIONS, arns),
    {
      sid: "Queues",
      actions: ["sqs:GetQueueAttributes", "sqs:GetQueueUrl", "sqs:SendMessage"],
      resources: arns.queueArns,
    },
    { sid: "Files", actions: ["s3:PutObject"], resources: [`${arns.filesArn}/${FILE_PREFIXES.payments}*`] },
    dataKey(arns, "DataKey", ["kms:Decrypt", "kms:GenerateDataKey"], "s3", "sqs"),
  ];
}

/** Asks the audit trail, and copies tables, exports and evidence to verify them elsewhere. Changes nothing. */
export function auditorStatements(arns: AccessArns): Statement[] {
  return [
    ...callsOf(READING_FUNCTIONS, arns),
    { sid: "Tables", actions: ["dynamodb:DescribeTable", "dynamodb:Scan"], resources: arns.tableArns },
    ...readExports(arns),
    ...readEvidence(arns),
    dataKey(arns, "DataKey", ["kms:Decrypt"], "dynamodb", "s3"),
  ];
}

/**
 * Backs up, restores into scratch tables, drills, and sends again what failed. Reading what failed also needs a place in
 * `failureQueueReaderArns`: the queues' own policies refuse everybody else, because a message may hold a token.
 */
export function operatorStatements(arns: AccessArns): Statement[] {
  return [
    { sid: "Functions", actions: ["lambda:InvokeFunction"], resources: OPERATED_FUNCTIONS.map(arns.functionArn) },
    {
      sid: "Backups",
      actions: [
        "dynamodb:CreateBackup",
        "dynamodb:DescribeContinuousBackups",
        "dynamodb:DescribeTable",
        "dynamodb:RestoreTableToPointInTime",
      ],
      resources: arns.tableArns,
    },
    // DynamoDB lists the backups of all tables or of none.
    { sid: "FindBackups", actions: ["dynamodb:ListBackups"], resources: ["*"] },
    {
      sid: "RestoreBackups",
      actions: ["dynamodb:RestoreTableFromBackup"],
      resources: arns.tableArns.map((arn) => `${arn}/backup/*`),
    },
    scanOfKeys(arns.tableArns),
    ...scratchTables(arns),
    ...readExports(arns),
    ...readEvidence(arns),
    {
      sid: "Failures",
      actions: ["sqs:ChangeMessageVisibility", "sqs:DeleteMessage", "sqs:ReceiveMessage"],
      resources: arns.failureQueueArns,
    },
    {
      sid: "FindQueues",
      actions: ["sqs:GetQueueAttributes", "sqs:GetQueueUrl"],
      resources: [...arns.queueArns, ...arns.failureQueueArns],
    },
    { sid: "SendAgain", actions: ["sqs:SendMessage"], resources: arns.queueArns },
    dataKey(arns, "DataKey", ["kms:Decrypt", "kms:GenerateDataKey"], "s3", "sqs"),
    dataKey(
      arns,
      "DataKeyOfTables",
      [
        "kms:CreateGrant",
        "kms:Decrypt",
        "kms:DescribeKey",
        "kms:Encrypt",
        "kms:GenerateDataKey",
        "kms:ReEncryptFrom",
        "kms:ReEncryptTo",
      ],
      "dynamodb",
    ),
  ];
}

/** Direct calls, and those through the private API. */
function callsOf(ids: readonly FunctionId[], { functionArn, methodArn, comparesActors }: AccessArns): Statement[] {
  const methods = methodArn === undefined ? [] : API_FUNCTIONS.filter((id) => ids.includes(id)).map(methodArn);
  return [
    ...(comparesActors
      ? []
      : [{ sid: "Functions", actions: ["lambda:InvokeFunction"], resources: ids.map(functionArn) }]),
    ...(methods.length === 0 ? [] : [{ sid: "PrivateApi", actions: ["execute-api:Invoke"], resources: methods }]),
  ];
}

/** Everything that a restore does to the table that it makes, and nothing to any other. */
function scratchTables({ scratchArn, importLogArn, anyLogGroupArn }: AccessArns): Statement[] {
  return [
    {
      sid: "ScratchTables",
      actions: [
        "dynamodb:BatchWriteItem",
        "dynamodb:DeleteItem",
        "dynamodb:DeleteTable",
        "dynamodb:DescribeTable",
        "dynamodb:GetItem",
        "dynamodb:ImportTable",
        "dynamodb:PutItem",
        "dynamodb:Query",
        "dynamodb:RestoreTableFromBackup",
        "dynamodb:RestoreTableToPointInTime",
        "dynamodb:Scan",
        "dynamodb:UpdateItem",
      ],
      resources: [scratchArn],
    },
    { sid: "DescribeImports", actions: ["dynamodb:DescribeImport"], resources: [`${scratchArn}/import/*`] },
    { sid: "ImportLogs", actions: IMPORT_LOG_ACTIONS, resources: [importLogArn] },
    { sid: "FindImportLogs", actions: ["logs:DescribeLogGroups"], resources: [anyLogGroupArn] },
  ];
}

function readExports({ exportsArn }: AccessArns): Statement[] {
  const prefixes = Object.values(EXPORT_PREFIXES);
  return [
    { sid: "ReadExports", actions: ["s3:GetObject"], resources: prefixes.map((prefix) => `${exportsArn}/${prefix}*`) },
    { sid: "ListExports", actions: ["s3:ListBucket"], resources: [exportsArn] },
  ];
}

function readEvidence({ evidenceArn, evidenceKeyArn, checkpointKeyArns, region }: AccessArns): Statement[] {
  return [
    { sid: "ReadEvidence", actions: ["s3:GetObject"], resources: [`${evidenceArn}/${EVIDENCE_PREFIX}*`] },
    { sid: "ListEvidence", actions: ["s3:ListBucket"], resources: [evidenceArn] },
    {
      sid: "EvidenceKey",
      actions: ["kms:Decrypt"],
      resources: [evidenceKeyArn],
      conditions: [equals("kms:ViaService", `s3.${region}.amazonaws.com`)],
    },
    { sid: "PublicKeys", actions: ["kms:GetPublicKey"], resources: [...checkpointKeyArns] },
  ];
}

/** The data key is used through services alone. */
function dataKey({ dataKeyArn, region }: AccessArns, sid: string, actions: string[], ...services: string[]): Statement {
  return {
    sid,
    actions,
    resources: [dataKeyArn],
    conditions: [equals("kms:ViaService", ...services.map((name) => `${name}.${region}.amazonaws.com`))],
  };
}
