/** The permission boundary of the payment functions' roles: whatever policy is ever attached to them, this is the most they can do. */

import { FILE_PREFIXES } from "../contract";
import { ENCRYPT_AND_DECRYPT } from "./constructs/key";
import type { Statement } from "./constructs/policy";
import { type NetworkInterfaceArns, platformBoundary } from "./platform-permissions";

export interface SharedBoundaryArns {
  readonly tableArns: string[];
  /** A pattern: the keys do not exist yet when the boundary is made. Each key's own policy names its roles. */
  readonly keyArns: string;
  /** Of the functions under this boundary. */
  readonly logStreamArns: string[];
  readonly failureQueueArn: string;
  readonly exportsArn: string;
  readonly networkInterfaceArns: NetworkInterfaceArns;
}

export interface BoundaryArns extends SharedBoundaryArns {
  readonly indexArns: string[];
  readonly queueArns: string[];
  readonly filesArn: string;
}

export function boundaryStatements(arns: BoundaryArns): Statement[] {
  return [
    {
      sid: "Tables",
      actions: [
        "dynamodb:ConditionCheckItem",
        "dynamodb:DescribeContinuousBackups",
        "dynamodb:ExportTableToPointInTime",
        "dynamodb:GetItem",
        "dynamodb:PutItem",
        "dynamodb:Query",
        "dynamodb:Scan",
        "dynamodb:UpdateItem",
      ],
      resources: [...arns.tableArns, ...arns.indexArns],
    },
    {
      sid: "Keys",
      actions: [...ENCRYPT_AND_DECRYPT, "kms:GenerateMac"].sort(),
      resources: [arns.keyArns],
    },
    {
      sid: "DescribeExports",
      actions: ["dynamodb:DescribeExport"],
      resources: arns.tableArns.map((arn) => `${arn}/export/*`),
    },
    // DynamoDB lists the exports of all tables or of none.
    { sid: "FindExports", actions: ["dynamodb:ListExports"], resources: ["*"] },
    ...objectStatements(arns),
    {
      sid: "Queues",
      actions: ["sqs:DeleteMessage", "sqs:GetQueueAttributes", "sqs:ReceiveMessage"],
      resources: arns.queueArns,
    },
    ...everyFunctionsStatements(arns),
  ];
}

/** The only thing that may ever be removed is a version of a payment file that held card data. */
function objectStatements({ filesArn, exportsArn }: BoundaryArns): Statement[] {
  return [
    { sid: "List", actions: ["s3:ListBucket"], resources: [filesArn, exportsArn] },
    {
      sid: "Objects",
      actions: ["s3:AbortMultipartUpload", "s3:GetObject", "s3:GetObjectVersion", "s3:PutObject", "s3:PutObjectAcl"],
      resources: [`${filesArn}/*`, `${exportsArn}/*`],
    },
    { sid: "CardData", actions: ["s3:DeleteObjectVersion"], resources: [`${filesArn}/${FILE_PREFIXES.payments}*`] },
  ];
}

/** Log lines, failed calls, and what Lambda itself needs. */
export function everyFunctionsStatements(arns: SharedBoundaryArns): Statement[] {
  return [
    { sid: "Logs", actions: ["logs:CreateLogStream", "logs:PutLogEvents"], resources: arns.logStreamArns },
    { sid: "Failures", actions: ["sqs:SendMessage"], resources: [arns.failureQueueArn] },
    ...platformBoundary(arns.networkInterfaceArns),
  ];
}
