/** The permission boundary of the functions' roles: whatever policy is ever attached to them, this is the most they can do. */

import type { Statement } from "./constructs/policy";

export interface BoundaryArns {
  readonly tableArns: string[];
  readonly indexArns: string[];
  /** A pattern: the keys do not exist yet when the boundary is made. Each key's own policy names its roles. */
  readonly keyArns: string;
  readonly logStreamArns: string[];
  readonly failureQueueArn: string;
  readonly networkInterfaceArns: string;
}

export function boundaryStatements(arns: BoundaryArns): Statement[] {
  return [
    {
      sid: "Tables",
      actions: ["dynamodb:GetItem", "dynamodb:PutItem", "dynamodb:Query", "dynamodb:Scan", "dynamodb:UpdateItem"],
      resources: [...arns.tableArns, ...arns.indexArns],
    },
    {
      sid: "Keys",
      actions: [
        "kms:Decrypt",
        "kms:DescribeKey",
        "kms:Encrypt",
        "kms:GenerateDataKey",
        "kms:GenerateDataKeyWithoutPlaintext",
        "kms:GenerateMac",
        "kms:ReEncryptFrom",
        "kms:ReEncryptTo",
      ],
      resources: [arns.keyArns],
    },
    { sid: "Logs", actions: ["logs:CreateLogStream", "logs:PutLogEvents"], resources: arns.logStreamArns },
    { sid: "Failures", actions: ["sqs:SendMessage"], resources: [arns.failureQueueArn] },
    ...platformStatements(arns.networkInterfaceArns),
  ];
}

/** What Lambda itself needs in every function's role: its network interfaces and its traces. */
export function platformStatements(networkInterfaceArns: string): Statement[] {
  return [
    {
      sid: "Traces",
      actions: ["xray:PutTelemetryRecords", "xray:PutTraceSegments"],
      // X-Ray has no resource to name.
      resources: ["*"],
    },
    {
      sid: "NetworkInterfaces",
      actions: [
        "ec2:AssignPrivateIpAddresses",
        "ec2:CreateNetworkInterface",
        "ec2:DeleteNetworkInterface",
        "ec2:UnassignPrivateIpAddresses",
      ],
      resources: [networkInterfaceArns],
    },
    {
      sid: "DescribeNetwork",
      actions: ["ec2:DescribeNetworkInterfaces", "ec2:DescribeSubnets"],
      // EC2 allows describing on all resources or on none.
      resources: ["*"],
    },
  ];
}
