/** The state machine of a sweep in pieces: it merges, has the pieces read that are left, and so on until there is a report. */

import { IamRole } from "@cdktf/provider-aws/lib/iam-role";
import { IamRolePolicy } from "@cdktf/provider-aws/lib/iam-role-policy";
import { SfnStateMachine } from "@cdktf/provider-aws/lib/sfn-state-machine";
import { Fn } from "cdktf";
import type { Construct } from "constructs";
import { addLogGroup } from "./log-group";
import { arnEquals, arnLike, equals, policy, type Statement, service } from "./policy";

export interface SweepMachineProps {
  readonly name: string;
  readonly arn: string;
  /** Of its executions, a pattern. */
  readonly executionArns: string;
  readonly roleName: string;
  readonly partition: string;
  readonly accountId: string;
  readonly region: string;
  readonly functionArn: string;
  readonly pieces: number;
  readonly dataKeyArn: string;
  /** A pattern: what CloudWatch Logs delivers in this account. */
  readonly logDeliveryArns: string;
  readonly logGroup: { readonly name: string; readonly kmsKeyArn: string; readonly retentionDays: number };
}

/** Longer than any sweep; the sweep leaves out what was recorded within seven hours of its beginning. */
const TIMEOUT_SECONDS = 6 * 60 * 60;
/** Step Functions asks KMS for a data key again after this. */
const DATA_KEY_SECONDS = 300;

/** Faults of the platform. A fault of the function itself is tried twice more, and then ends the sweep: it needs a person. */
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
export function sweepDefinition({
  partition,
  functionArn,
  pieces,
}: Pick<SweepMachineProps, "partition" | "functionArn" | "pieces">) {
  const call = (payload: object) => ({
    Type: "Task",
    Resource: `arn:${partition}:states:::lambda:invoke`,
    Parameters: { FunctionName: functionArn, ...payload },
    OutputPath: "$.Payload",
    Retry: RETRY,
  });
  return {
    Comment: "Compares the tables with the log, in pieces",
    StartAt: "Merge",
    TimeoutSeconds: TIMEOUT_SECONDS,
    States: {
      Merge: {
        ...call({ Payload: { kind: "sweep-merge", "run.$": "$$.Execution.Name", pieces } }),
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
          kind: "sweep-piece",
          "run.$": "$.run",
          "takenAt.$": "$.takenAt",
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

export function addSweepMachine(scope: Construct, props: SweepMachineProps): SfnStateMachine {
  const role = new IamRole(scope, "sweep-machine-role", {
    name: props.roleName,
    description: "Calls the function of the sweep for each piece",
    tags: { Name: props.roleName },
    assumeRolePolicy: policy(scope, "sweep-machine-trust", [
      {
        sid: "MachineOfThisProject",
        principals: service("states.amazonaws.com"),
        actions: ["sts:AssumeRole"],
        resources: [],
        // The executions of a distributed map bear its label behind the machine's name.
        conditions: [
          equals("aws:SourceAccount", props.accountId),
          arnLike("aws:SourceArn", props.arn, `${props.arn}/*`),
        ],
      },
    ]),
  });
  const access = new IamRolePolicy(scope, "sweep-machine-access", {
    name: "sweep-machine-access",
    role: role.id,
    policy: policy(scope, "sweep-machine-access-policy", machineStatements(props)),
  });
  const logGroup = addLogGroup(scope, "sweep-machine-log", props.logGroup);
  return new SfnStateMachine(scope, "sweep-machine", {
    name: props.name,
    type: "STANDARD",
    roleArn: role.arn,
    definition: Fn.jsonencode(sweepDefinition(props)),
    encryptionConfiguration: {
      type: "CUSTOMER_MANAGED_KMS_KEY",
      kmsKeyId: props.dataKeyArn,
      kmsDataKeyReusePeriodSeconds: DATA_KEY_SECONDS,
    },
    // What the states hand on names pieces and counts, and findings with their keys: these are not logged.
    loggingConfiguration: { level: "ALL", includeExecutionData: false, logDestination: `${logGroup.arn}:*` },
    tracingConfiguration: { enabled: false },
    dependsOn: [access],
  });
}

function machineStatements({
  arn,
  executionArns,
  functionArn,
  dataKeyArn,
  logDeliveryArns,
}: SweepMachineProps): Statement[] {
  return [
    { sid: "Function", actions: ["lambda:InvokeFunction"], resources: [functionArn] },
    // A distributed map runs each item as an execution of the same machine.
    { sid: "Pieces", actions: ["states:StartExecution"], resources: [arn] },
    {
      sid: "PiecesUnderWay",
      actions: ["states:DescribeExecution", "states:StopExecution"],
      resources: [executionArns],
    },
    {
      sid: "DataKey",
      actions: ["kms:Decrypt", "kms:GenerateDataKey"],
      resources: [dataKeyArn],
      conditions: [arnEquals("kms:EncryptionContext:aws:states:stateMachineArn", arn)],
    },
    {
      sid: "DataKeyOfLogs",
      actions: ["kms:GenerateDataKey"],
      resources: [dataKeyArn],
      conditions: [arnLike("kms:EncryptionContext:SourceArn", logDeliveryArns)],
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
