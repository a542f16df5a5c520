/** A Lambda function with its code, log group and failure destination. */

import type { IamRolePolicy } from "@cdktf/provider-aws/lib/iam-role-policy";
import { LambdaFunction } from "@cdktf/provider-aws/lib/lambda-function";
import { LambdaFunctionEventInvokeConfig } from "@cdktf/provider-aws/lib/lambda-function-event-invoke-config";
import type { Construct } from "constructs";
import { addHandlerCode, type HandlerBundle } from "./handler-code";
import { addLogGroup, type LogGroupProps } from "./log-group";

const ASYNC_EVENT_AGE_SECONDS = 6 * 60 * 60;
const ASYNC_RETRIES = 2;
/** The shortest that Lambda accepts. */
const REPEATED_EVENT_AGE_SECONDS = 60;

export interface FunctionProps {
  readonly name: string;
  readonly roleArn: string;
  /** The role's policy. It must exist before Lambda checks that the role may create network interfaces. */
  readonly access: IamRolePolicy;
  readonly bundle: HandlerBundle;
  readonly memoryMb: number;
  readonly timeoutSeconds: number;
  readonly environment: Record<string, string>;
  readonly environmentKeyArn: string;
  readonly subnetIds: readonly string[];
  readonly securityGroupId: string;
  readonly reservedConcurrency: number | undefined;
  /** Where an asynchronous call goes when its retries are used up; `null` if a schedule repeats the same call anyway. */
  readonly failureQueueArn: string | null;
  readonly logGroup: LogGroupProps;
}

export interface LedgerFunction {
  readonly entry: string;
  readonly resource: LambdaFunction;
}

/** @param entry the logical id in the stack: it must be unique there, and a change of it replaces the resource. */
export function addFunction(scope: Construct, entry: string, props: FunctionProps): LedgerFunction {
  const logGroup = addLogGroup(scope, `${entry}-logs`, props.logGroup);
  const { reservedConcurrency } = props;
  const resource = new LambdaFunction(scope, entry, {
    functionName: props.name,
    role: props.roleArn,
    runtime: "nodejs24.x",
    architectures: ["arm64"],
    handler: "index.handler",
    ...addHandlerCode(scope, entry, props.bundle),
    memorySize: props.memoryMb,
    timeout: props.timeoutSeconds,
    environment: { variables: props.environment },
    kmsKeyArn: props.environmentKeyArn,
    vpcConfig: { subnetIds: [...props.subnetIds], securityGroupIds: [props.securityGroupId] },
    // A call is traced when its caller asks for it. `Active` would trace one call of each second at least, at $5 a million.
    tracingConfig: { mode: "PassThrough" },
    // The code already writes JSON lines; Lambda's JSON format would wrap each in another object.
    loggingConfig: { logFormat: "Text", logGroup: logGroup.name },
    ...(reservedConcurrency === undefined ? {} : { reservedConcurrentExecutions: reservedConcurrency }),
    tags: { Name: props.name },
    dependsOn: [props.access],
  });
  resource.overrideLogicalId(entry);
  new LambdaFunctionEventInvokeConfig(scope, `${entry}-async`, {
    // Lambda forgets these settings with the function. By its ARN, which is unknown until a replaced function is made, they are
    // replaced in the same apply; its name stays, and would leave them out.
    functionName: resource.arn,
    ...asynchronousCalls(props.failureQueueArn),
  });
  return { entry, resource };
}

function asynchronousCalls(failureQueueArn: string | null) {
  if (failureQueueArn === null) {
    return { maximumEventAgeInSeconds: REPEATED_EVENT_AGE_SECONDS, maximumRetryAttempts: 0 };
  }
  return {
    maximumEventAgeInSeconds: ASYNC_EVENT_AGE_SECONDS,
    maximumRetryAttempts: ASYNC_RETRIES,
    destinationConfig: { onFailure: { destination: failureQueueArn } },
  };
}
