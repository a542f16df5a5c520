import {
  CreateScheduleCommand,
  CreateScheduleGroupCommand,
  type FlexibleTimeWindowMode,
  SchedulerClient,
} from "@aws-sdk/client-scheduler";
import type { Arguments } from "./arguments";
import { type CreateByType, present } from "./context";

/**
 * A schedule by the calendar is created switched off: here the user calls its function when they want to see it, and
 * a run at a quarter past one must not differ from any other. What comes at a rate knows no such
 * moment and runs as planned: without its heartbeat the log would publish nothing.
 */
const RUNS_AT_A_RATE = /^rate\(/;

export const SCHEDULER: CreateByType = {
  aws_scheduler_schedule_group: async (args, context) => {
    args.withoutEffect("tags", "timeouts");
    const name = args.text("name");
    const created = await context.client(SchedulerClient).send(new CreateScheduleGroupCommand({ Name: name }));
    return { id: name, arn: present(created.ScheduleGroupArn, "ScheduleGroupArn") };
  },

  aws_scheduler_schedule: async (args, context) => {
    args.withoutEffect("kms_key_arn", "state");
    const name = args.text("name");
    const expression = args.text("schedule_expression");
    const window = args.block("flexible_time_window");
    const created = await context.client(SchedulerClient).send(
      new CreateScheduleCommand({
        Name: name,
        GroupName: args.optionalText("group_name"),
        Description: args.optionalText("description"),
        ScheduleExpression: expression,
        ScheduleExpressionTimezone: args.optionalText("schedule_expression_timezone"),
        State: RUNS_AT_A_RATE.test(expression) ? "ENABLED" : "DISABLED",
        FlexibleTimeWindow: {
          Mode: window?.choice<FlexibleTimeWindowMode>("mode"),
          MaximumWindowInMinutes: window?.number("maximum_window_in_minutes"),
        },
        Target: target(args.block("target")),
      }),
    );
    return { id: name, arn: present(created.ScheduleArn, "ScheduleArn") };
  },
};

function target(block: Arguments | undefined) {
  const retry = block?.block("retry_policy");
  const deadLetter = block?.block("dead_letter_config")?.text("arn");
  return {
    Arn: block?.text("arn"),
    RoleArn: block?.text("role_arn"),
    Input: block?.optionalText("input"),
    DeadLetterConfig: deadLetter === undefined ? undefined : { Arn: deadLetter },
    RetryPolicy: retry && {
      MaximumEventAgeInSeconds: retry.number("maximum_event_age_in_seconds"),
      MaximumRetryAttempts: retry.number("maximum_retry_attempts"),
    },
  };
}
