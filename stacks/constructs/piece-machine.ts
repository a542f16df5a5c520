/** The state machine of a check in pieces: it merges, has the pieces read that are left, and so on until there is a report. */

import { IamRole } from "@cdktf/provider-aws/lib/iam-role";
import { IamRolePolicy } from "@cdktf/provider-aws/lib/iam-role-policy";
import { SfnStateMachine } from "@cdktf/provider-aws/lib/sfn-state-machine";
import { Fn } from "cdktf";
import type { Construct } from "constructs";
import type { AppConfig } from "../config/types";
import { addLogGroup } from "./log-group";
import { arnLike, assumedBy, policy, type Statement } from "./policy";

export interface PieceMachineProps {
  readonly name: string;
  readonly roleName: string;
  readonly logGroupName: string;
  readonly config: Pick<AppConfig, "checkPieces" | "logRetentionDays">;
  /** Of a resource in this account and region. */
  readonly arn: (service: string, resource: string) => string;
  readonly partition: string;
  readonly accountId: string;
  readonly functionArn: string;
  readonly dataKeyArn: string;
  readonly logsKeyArn: string;
}

/** Longer than any check; the sweep leaves out what was recorded within seven hours of its beginning. */
const TIMEOUT_SECONDS = 6 * 60 * 60;
/** Step Functions asks KMS for a data key again after this. */
const DATA_KEY_SECONDS = 300;

/** Faults of the platform. A fault of the function itself is tried twice more, and then ends the check: it needs a person. */
const RETRY = [
  {
    ErrorEquals: [
      "Lambda.ServiceException",
      "Lambda.AWSLambdaException",
      "Lambda.SdkClientException",
      "Lambda.TooManyRequestsException",
    ],
    IntervalSeconds: 5,
    MaxAttempts: 6,
    BackoffRate: 2,
  },
  { ErrorEquals: ["States.TaskFailed"], IntervalSeconds: 30, MaxAttempts: 2, BackoffRate: 2 },
];

/** In the Amazon States Language. */
export function pieceDefinition({
  partition,
  functionArn,
  pieces,
}: {
  readonly partition: string;
  readonly functionArn: string;
  readonly pieces: number;
}) {
  const call = (payload: object) => ({
    Type: "Task",
    Resource: `arn:${partition}:states:::lambda:invoke`,
    Parameters: { FunctionName: functionArn, ...payload },
    OutputPath: "$.Payload",
    Retry: RETRY,
  });
  return {
    Comment: "Makes a check of large tables in pieces",
    StartAt: "Merge",
    TimeoutSeconds: TIMEOUT_SECONDS,
    States: {
      Merge: {
        ...call({ Payload: { kind: "merge", "run.$": "$$.Execution.Name" } }),
        Next: "AreAllPiecesRead",
      },
      AreAllPiecesRead: {
        Type: "Choice",
        Choices: [{ Variable: "$.outcome", StringEquals: "pieces-left", Next: "ReadPieces" }],
        Default: "Done",
      },
      ReadPieces: {
        Type: "Map",
        ItemsPath: "$.pieces",
        ItemSelector: {
          kind: "piece",
          "run.$": "$.run",
          "part.$": "$.part",
          "piece.$": "$$.Map.Item.Value",
        },
        MaxConcurrency: pieces,
        ItemProcessor: {
          ProcessorConfig: { Mode: "DISTRIBUTED", ExecutionType: "STANDARD" },
          StartAt: "ReadPiece",
          States: { ReadPiece: { ...call({ "Payload.$": "$" }), End: true } },
        },
        ResultPath: null,
        Next: "Merge",
      },
      Done: { Type: "Succeed" },
    },
  };
}

/** @param id first part of the ids of its resources. */
export function addPieceMachine(scope: Construct, id: string, props: PieceMachineProps): SfnStateMachine {
  const { name, roleName, config, partition, functionArn, dataKeyArn } = props;
  const machineArn = props.arn("states", `stateMachine:${name}`);
  const role = new IamRole(scope, `${id}-role`, {
    name: roleName,
    description: "Calls the function of the check for each piece",
    tags: { Name: roleName },
    assumeRolePolicy: policy(scope, `${id}-trust`, [
      // For the executions of a distributed map AWS puts the map's label behind the machine's name: so here, and at the data key.
      assumedBy(
        "states.amazonaws.com",
        props.accountId,
        "MachineOfThisProject",
        arnLike("aws:SourceArn", machineArn, `${machineArn}/*`),
      ),
    ]),
  });
  const access = new IamRolePolicy(scope, `${id}-access`, {
    name: "piece-machine-access",
    role: role.id,
    policy: policy(scope, `${id}-access-policy`, machineStatements(machineArn, props)),
  });
  const logGroup = addLogGroup(scope, `${id}-log`, {
    name: props.logGroupName,
    kmsKeyArn: props.logsKeyArn,
    retentionDays: config.logRetentionDays,
  });
  return new SfnStateMachine(scope, id, {
    name,
    type: "STANDARD",
    roleArn: role.arn,
    definition: Fn.jsonencode(pieceDefinition({ partition, functionArn, pieces: config.checkPieces })),
    encryptionConfiguration: {
      type: "CUSTOMER_MANAGED_KMS_KEY",
      kmsKeyId: dataKeyArn,
      kmsDataKeyReusePeriodSeconds: DATA_KEY_SECONDS,
    },
    // What the states hand on names pieces and counts, and findings with their keys: these are not logged.
    loggingConfiguration: { level: "ALL", includeExecutionData: false, logDestination: `${logGroup.arn}:*` },
    tracingConfiguration: { enabled: false },
    dependsOn: [access],
  });
}

function machineStatements(machineArn: string, { name, arn, functionArn, dataKeyArn }: PieceMachineProps): Statement[] {
  return [
    { sid: "Function", actions: ["lambda:InvokeFunction"], resources: [functionArn] },
    // A distributed map runs each item as an execution of the same machine.
    { sid: "Pieces", actions: ["states:StartExecution"], resources: [machineArn] },
    {
      sid: "PiecesUnderWay",
      actions: ["states:DescribeExecution", "states:StopExecution"],
      resources: [arn("states", `execution:${name}/*`)],
    },
    {
      sid: "DataKey",
      actions: ["kms:Decrypt", "kms:GenerateDataKey"],
      resources: [dataKeyArn],
      conditions: [arnLike("kms:EncryptionContext:aws:states:stateMachineArn", machineArn, `${machineArn}/*`)],
    },
    {
      sid: "DataKeyOfLogs",
      actions: ["kms:GenerateDataKey"],
      resources: [dataKeyArn],
      conditions: [arnLike("kms:EncryptionContext:SourceArn", arn("logs", "*"))],
    },
    // AWS lets a log delivery be restricted to no resource.
    {
      sid: "Logging",
      actions: [
        "logs:CreateLogDelivery",
        "logs:DeleteLogDelivery",
        "logs:DescribeLogGroups",
        "logs:DescribeResourcePolicies",
        "logs:GetLogDelivery",
        "logs:ListLogDeliveries",
        "logs:PutResourcePolicy",
        "logs:UpdateLogDelivery",
      ],
      resources: ["*"],
    },
  ];
}
