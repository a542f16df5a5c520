/** What each function role may do, action by action. The tests pin the list of every role. */

import type { RoleId } from "../contract";
import { platformStatements } from "./boundary";
import { arnEquals, equals, type Statement } from "./constructs/policy";

interface TableArns {
  readonly tableArn: string;
  readonly indexArns: string[];
}

export interface PermissionArns {
  readonly region: string;
  readonly ledger: TableArns;
  readonly auditTrail: TableArns;
  readonly keyArns: { readonly data: string; readonly token: string; readonly audit: string; readonly mac: string };
  readonly failureQueueArn: string;
  /** Of the role's own functions. */
  readonly logStreamArns: string[];
  readonly functionArns: string[];
  readonly networkInterfaceArns: string;
}

export function permissionsOf(role: RoleId, arns: PermissionArns): Statement[] {
  return [...ownStatements(role, arns), ...sharedStatements(arns)];
}

function ownStatements(role: RoleId, { ledger, auditTrail, keyArns }: PermissionArns): Statement[] {
  switch (role) {
    case "ledger":
      // The list that the ledger's documents give this role. The tables' own policies take UpdateItem back from it.
      return [
        {
          sid: "Tables",
          actions: ["dynamodb:GetItem", "dynamodb:PutItem", "dynamodb:Query", "dynamodb:Scan", "dynamodb:UpdateItem"],
          resources: [ledger.tableArn, ...ledger.indexArns, auditTrail.tableArn, ...auditTrail.indexArns],
        },
        { sid: "WrapTokens", actions: ["kms:Encrypt"], resources: [keyArns.token] },
        { sid: "ReadAuditDetails", actions: ["kms:Decrypt"], resources: [keyArns.audit] },
      ];
    case "status":
      return [
        { sid: "Ledger", actions: ["dynamodb:GetItem", "dynamodb:UpdateItem"], resources: [ledger.tableArn] },
        { sid: "AuditTrail", actions: ["dynamodb:GetItem", "dynamodb:PutItem"], resources: [auditTrail.tableArn] },
      ];
    case "query":
      return [
        {
          sid: "Ledger",
          actions: ["dynamodb:GetItem", "dynamodb:Query"],
          resources: [ledger.tableArn, ...ledger.indexArns],
        },
        { sid: "AuditTrail", actions: ["dynamodb:PutItem"], resources: [auditTrail.tableArn] },
      ];
    case "reveal":
      return [
        { sid: "Ledger", actions: ["dynamodb:GetItem"], resources: [ledger.tableArn] },
        { sid: "AuditTrail", actions: ["dynamodb:PutItem"], resources: [auditTrail.tableArn] },
        { sid: "RevealTokens", actions: ["kms:Decrypt"], resources: [keyArns.token] },
      ];
    case "auditor":
      return [
        {
          sid: "AuditTrail",
          actions: ["dynamodb:GetItem", "dynamodb:PutItem", "dynamodb:Query"],
          resources: [auditTrail.tableArn, ...auditTrail.indexArns],
        },
        { sid: "ReadAuditDetails", actions: ["kms:Decrypt"], resources: [keyArns.audit] },
      ];
  }
}

function sharedStatements(arns: PermissionArns): Statement[] {
  return [
    { sid: "WrapAuditDetails", actions: ["kms:Encrypt"], resources: [arns.keyArns.audit] },
    { sid: "RecordMacs", actions: ["kms:GenerateMac"], resources: [arns.keyArns.mac] },
    dataKeyThroughServices(arns),
    { sid: "Failures", actions: ["sqs:SendMessage"], resources: [arns.failureQueueArn] },
    { sid: "Logs", actions: ["logs:CreateLogStream", "logs:PutLogEvents"], resources: arns.logStreamArns },
    ...platformStatements(arns.networkInterfaceArns),
    {
      // Network interfaces are Lambda's to manage. With this key in the request, it is the function's code that asks.
      sid: "NotByTheCodeItself",
      effect: "Deny",
      actions: [
        "ec2:AssignPrivateIpAddresses",
        "ec2:CreateNetworkInterface",
        "ec2:DeleteNetworkInterface",
        "ec2:DescribeNetworkInterfaces",
        "ec2:DescribeSubnets",
        "ec2:DetachNetworkInterface",
        "ec2:UnassignPrivateIpAddresses",
      ],
      resources: ["*"],
      conditions: [arnEquals("lambda:SourceFunctionArn", ...arns.functionArns)],
    },
  ];
}

/** DynamoDB, SQS and Lambda use the data key in the name of whoever calls them. A call of the code's own is refused. */
function dataKeyThroughServices({ region, keyArns }: PermissionArns): Statement {
  const services = ["dynamodb", "lambda", "sqs"].map((name) => `${name}.${region}.amazonaws.com`);
  return {
    sid: "DataKeyThroughServices",
    actions: [
      "kms:Decrypt",
      "kms:DescribeKey",
      "kms:Encrypt",
      "kms:GenerateDataKey",
      "kms:GenerateDataKeyWithoutPlaintext",
      "kms:ReEncryptFrom",
      "kms:ReEncryptTo",
    ],
    resources: [keyArns.data],
    conditions: [equals("kms:ViaService", ...services)],
  };
}
