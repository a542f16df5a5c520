/** The schedules of EventBridge Scheduler, and the role with which it starts functions. */

import { IamRole } from "@cdktf/provider-aws/lib/iam-role";
import { IamRolePolicy } from "@cdktf/provider-aws/lib/iam-role-policy";
import { SchedulerSchedule } from "@cdktf/provider-aws/lib/scheduler-schedule";
import { SchedulerScheduleGroup } from "@cdktf/provider-aws/lib/scheduler-schedule-group";
import { Fn } from "cdktf";
import type { Construct } from "constructs";
import { arnEquals, assumedBy, equals, policy, type Statement } from "./policy";

/** What all schedules of a deployment have in common. */
export interface Scheduling {
  readonly groupName: string;
  readonly roleArn: string;
  readonly dataKeyArn: string;
  readonly failureQueueArn: string;
}

export interface Schedule {
  readonly id: string;
  readonly name: string;
  readonly description: string;
  readonly expression: string;
  readonly targetArn: string;
  readonly input: object;
  /** It runs so often that it must start on time, and that a failed call needs few retries. */
  readonly frequent?: boolean;
}

const WINDOW_MINUTES = 15;
const RETRIES = 10;
/** Less than the day after which the next run catches up anyway. */
const EVENT_AGE_SECONDS = 6 * 60 * 60;
/** The shortest that Scheduler accepts. */
const FREQUENT_EVENT_AGE_SECONDS = 60;
const FREQUENT_RETRIES = 1;

export function addSchedule(scope: Construct, schedule: Schedule, scheduling: Scheduling): void {
  const { id, name, description, expression, targetArn, input, frequent = false } = schedule;
  new SchedulerSchedule(scope, id, {
    name,
    groupName: scheduling.groupName,
    description,
    scheduleExpression: expression,
    scheduleExpressionTimezone: "UTC",
    flexibleTimeWindow: frequent ? { mode: "OFF" } : { mode: "FLEXIBLE", maximumWindowInMinutes: WINDOW_MINUTES },
    kmsKeyArn: scheduling.dataKeyArn,
    target: {
      arn: targetArn,
      roleArn: scheduling.roleArn,
      input: Fn.jsonencode(input),
      retryPolicy: frequent
        ? { maximumRetryAttempts: FREQUENT_RETRIES, maximumEventAgeInSeconds: FREQUENT_EVENT_AGE_SECONDS }
        : { maximumRetryAttempts: RETRIES, maximumEventAgeInSeconds: EVENT_AGE_SECONDS },
      // A failed call that is repeated within a minute is not kept: an alarm starts if too many are missing.
      ...(frequent ? {} : { deadLetterConfig: { arn: scheduling.failureQueueArn } }),
    },
  });
}

export interface SchedulingProps {
  readonly groupName: string;
  readonly groupArn: string;
  readonly roleName: string;
  readonly scheduleArns: string[];
  /** Of every function that a schedule starts. */
  readonly functionArns: string[];
  /** Of every state machine that a schedule starts. */
  readonly machineArns: string[];
  readonly accountId: string;
  readonly region: string;
  readonly dataKeyArn: string;
  readonly failureQueueArn: string;
}

export function addScheduling(scope: Construct, props: SchedulingProps): Scheduling {
  const group = new SchedulerScheduleGroup(scope, "schedules", { name: props.groupName });
  const role = new IamRole(scope, "scheduler-role", {
    name: props.roleName,
    description: "Starts the scheduled functions",
    tags: { Name: props.roleName },
    assumeRolePolicy: policy(scope, "scheduler-trust", [
      assumedBy(
        "scheduler.amazonaws.com",
        props.accountId,
        "SchedulesOfThisProject",
        equals("aws:SourceArn", props.groupArn),
      ),
    ]),
  });
  new IamRolePolicy(scope, "scheduler-access", {
    name: "scheduler-access",
    role: role.id,
    policy: policy(scope, "scheduler-access-policy", schedulerStatements(props)),
  });
  const { dataKeyArn, failureQueueArn } = props;
  return { groupName: group.name, roleArn: role.arn, dataKeyArn, failureQueueArn };
}

function schedulerStatements(props: SchedulingProps): Statement[] {
  const { functionArns, machineArns, scheduleArns, failureQueueArn, dataKeyArn, region } = props;
  return [
    { sid: "ScheduledFunctions", actions: ["lambda:InvokeFunction"], resources: functionArns },
    ...(machineArns.length === 0
      ? []
      : [{ sid: "ScheduledMachines", actions: ["states:StartExecution"], resources: machineArns }]),
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
