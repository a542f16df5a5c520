/** What starts a function by itself: a queue, a table's stream, an object in a bucket, a clock. */

import { IamRole } from "@cdktf/provider-aws/lib/iam-role";
import { IamRolePolicy } from "@cdktf/provider-aws/lib/iam-role-policy";
import { LambdaEventSourceMapping } from "@cdktf/provider-aws/lib/lambda-event-source-mapping";
import type { LambdaFunction } from "@cdktf/provider-aws/lib/lambda-function";
import { LambdaFunctionRecursionConfig } from "@cdktf/provider-aws/lib/lambda-function-recursion-config";
import { LambdaPermission } from "@cdktf/provider-aws/lib/lambda-permission";
import { S3BucketNotification } from "@cdktf/provider-aws/lib/s3-bucket-notification";
import { SchedulerSchedule } from "@cdktf/provider-aws/lib/scheduler-schedule";
import { SchedulerScheduleGroup } from "@cdktf/provider-aws/lib/scheduler-schedule-group";
import { Fn } from "cdktf";
import type { Construct } from "constructs";
import type { Feed } from "../function-sizes";
import { arnEquals, equals, policy, type Statement, service } from "./policy";

export interface QueueFeedProps extends Feed {
  readonly queueArn: string;
  readonly consumer: LambdaFunction;
  readonly concurrency: number;
}

/** The function names the messages that failed; the rest of its batch is done. */
export function addQueueFeed(scope: Construct, id: string, props: QueueFeedProps): void {
  new LambdaEventSourceMapping(scope, id, {
    eventSourceArn: props.queueArn,
    functionName: props.consumer.arn,
    batchSize: props.batchSize,
    ...(props.windowSeconds === undefined ? {} : { maximumBatchingWindowInSeconds: props.windowSeconds }),
    functionResponseTypes: ["ReportBatchItemFailures"],
    scalingConfig: { maximumConcurrency: props.concurrency },
  });
}

export interface StreamFeedProps extends Feed {
  readonly streamArn: string;
  readonly consumer: LambdaFunction;
}

/**
 * From the oldest change that the stream still has, in its order, one batch at a time. A batch is tried until it is taken, and
 * nothing is ever passed over: so there is no destination for what was given up, and no splitting in search of it. What the
 * stream itself forgets, after 24 hours, is found by the sweep.
 */
export function addStreamFeed(scope: Construct, id: string, props: StreamFeedProps): void {
  new LambdaEventSourceMapping(scope, id, {
    eventSourceArn: props.streamArn,
    functionName: props.consumer.arn,
    startingPosition: "TRIM_HORIZON",
    batchSize: props.batchSize,
    ...(props.windowSeconds === undefined ? {} : { maximumBatchingWindowInSeconds: props.windowSeconds }),
    parallelizationFactor: 1,
    bisectBatchOnFunctionError: false,
    maximumRetryAttempts: -1,
    maximumRecordAgeInSeconds: -1,
  });
}

export interface FileFeedProps {
  readonly bucketName: string;
  readonly bucketArn: string;
  readonly accountId: string;
  readonly processor: LambdaFunction;
  readonly prefixes: readonly string[];
}

export function addFileFeed(scope: Construct, id: string, props: FileFeedProps): void {
  const permission = new LambdaPermission(scope, `${id}-permission`, {
    statementId: "FilesOfThisBucket",
    action: "lambda:InvokeFunction",
    functionName: props.processor.functionName,
    principal: "s3.amazonaws.com",
    sourceArn: props.bucketArn,
    // A bucket's name can pass to another account.
    sourceAccount: props.accountId,
  });
  new S3BucketNotification(scope, id, {
    bucket: props.bucketName,
    lambdaFunction: props.prefixes.map((filterPrefix) => ({
      id: filterPrefix.replace(/\/$/, ""),
      lambdaFunctionArn: props.processor.arn,
      events: ["s3:ObjectCreated:*"],
      filterPrefix,
    })),
    dependsOn: [permission],
  });
  // A long file goes on through an object that starts the function again. Lambda would stop the sixteenth such run as a
  // loop; the code has a bound of its own.
  new LambdaFunctionRecursionConfig(scope, `${id}-recursion`, {
    functionName: props.processor.functionName,
    recursiveLoop: "Allow",
  });
}

export interface Schedule {
  readonly id: string;
  readonly name: string;
  readonly description: string;
  readonly expression: string;
  readonly target: LambdaFunction;
  readonly input: object;
  /** It comes again so soon that it must come on time, and that a failed call is not worth many more. */
  readonly frequent?: boolean;
}

export interface ClockProps {
  readonly groupName: string;
  readonly groupArn: string;
  readonly roleName: string;
  readonly scheduleArns: string[];
  readonly accountId: string;
  readonly region: string;
  readonly dataKeyArn: string;
  readonly failureQueueArn: string;
  readonly schedules: readonly Schedule[];
}

const WINDOW_MINUTES = 15;
const RETRIES = 10;
/** Less than the day after which the next run catches up anyway. */
const EVENT_AGE_SECONDS = 6 * 60 * 60;
/** The shortest that Scheduler knows. */
const FREQUENT_EVENT_AGE_SECONDS = 60;
const FREQUENT_RETRIES = 1;

export function addSchedules(scope: Construct, props: ClockProps): void {
  const group = new SchedulerScheduleGroup(scope, "schedules", { name: props.groupName });
  const role = addSchedulerRole(scope, props);
  for (const { id, name, description, expression, target, input, frequent = false } of props.schedules) {
    new SchedulerSchedule(scope, id, {
      name,
      groupName: group.name,
      description,
      scheduleExpression: expression,
      scheduleExpressionTimezone: "UTC",
      flexibleTimeWindow: frequent ? { mode: "OFF" } : { mode: "FLEXIBLE", maximumWindowInMinutes: WINDOW_MINUTES },
      kmsKeyArn: props.dataKeyArn,
      target: {
        arn: target.arn,
        roleArn: role.arn,
        input: Fn.jsonencode(input),
        retryPolicy: frequent
          ? { maximumRetryAttempts: FREQUENT_RETRIES, maximumEventAgeInSeconds: FREQUENT_EVENT_AGE_SECONDS }
          : { maximumRetryAttempts: RETRIES, maximumEventAgeInSeconds: EVENT_AGE_SECONDS },
        // What comes again by itself need not be kept: a missing checkpoint has an alarm of its own.
        ...(frequent ? {} : { deadLetterConfig: { arn: props.failureQueueArn } }),
      },
    });
  }
}

function addSchedulerRole(scope: Construct, props: ClockProps): IamRole {
  const role = new IamRole(scope, "scheduler-role", {
    name: props.roleName,
    description: "Starts the scheduled functions",
    assumeRolePolicy: policy(scope, "scheduler-trust", [
      {
        sid: "SchedulesOfThisProject",
        principals: service("scheduler.amazonaws.com"),
        actions: ["sts:AssumeRole"],
        resources: [],
        conditions: [equals("aws:SourceAccount", props.accountId), equals("aws:SourceArn", props.groupArn)],
      },
    ]),
  });
  new IamRolePolicy(scope, "scheduler-access", {
    name: "scheduler-access",
    role: role.id,
    policy: policy(scope, "scheduler-access-policy", schedulerStatements(props)),
  });
  return role;
}

function schedulerStatements({
  schedules,
  scheduleArns,
  failureQueueArn,
  dataKeyArn,
  region,
}: ClockProps): Statement[] {
  return [
    {
      sid: "ScheduledFunctions",
      actions: ["lambda:InvokeFunction"],
      resources: [...new Set(schedules.map(({ target }) => target))].map(({ arn }) => arn),
    },
    { sid: "Failures", actions: ["sqs:SendMessage"], resources: [failureQueueArn] },
    {
      sid: "DataKeyThroughSqs",
      actions: ["kms:Decrypt", "kms:GenerateDataKey"],
      resources: [dataKeyArn],
      conditions: [equals("kms:ViaService", `sqs.${region}.amazonaws.com`)],
    },
    {
      sid: "DecryptSchedules",
      actions: ["kms:Decrypt"],
      resources: [dataKeyArn],
      conditions: [arnEquals("kms:EncryptionContext:aws:scheduler:schedule:arn", ...scheduleArns)],
    },
  ];
}
