/** Makes the alarms of `stacks/config/alarm-table.ts`. All of them report to one topic, when they start and when they end. */

import {
  CloudwatchMetricAlarm,
  type CloudwatchMetricAlarmConfig,
} from "@cdktf/provider-aws/lib/cloudwatch-metric-alarm";
import type { Construct } from "constructs";
import { type FunctionId, METRICS, type QueueId } from "../../contract";
import {
  ALARMS,
  type AlarmId,
  type AlarmRow,
  type AlarmTrigger,
  FUNCTION_ALARMS,
  PERIOD_SECONDS,
  QUEUE_ALARMS,
  type QueueWatch,
} from "../config/alarm-table";
import type { Names } from "../config/names";
import type { LedgerFunction } from "./function";

/** CloudWatch adds up at most ten metrics in one alarm. */
const SUMMED_METRICS_MAX = 10;

export interface AlarmTarget {
  readonly functions: Readonly<Record<FunctionId, LedgerFunction>>;
  readonly names: Names["alarms"];
  readonly failureQueueName: string;
  readonly queueNames: Readonly<Record<QueueId, string>>;
  readonly deadLetterQueueNames: Readonly<Record<QueueId, string>>;
  readonly backupVaultName: string;
  readonly drillEveryDays: number;
  readonly guardRuleNames: readonly string[];
  readonly topicArn: string;
}

interface Alarm {
  readonly id: string;
  readonly name: string;
  readonly description: string;
  /** Section of the runbook. */
  readonly section: string;
  readonly condition: Condition;
}

type Condition = Pick<
  CloudwatchMetricAlarmConfig,
  | "metricName"
  | "namespace"
  | "dimensions"
  | "statistic"
  | "period"
  | "metricQuery"
  | "comparisonOperator"
  | "threshold"
  | "treatMissingData"
  | "evaluationPeriods"
>;

export function addAlarms(scope: Construct, target: AlarmTarget): void {
  for (const alarm of [...functionAlarms(target), ...queueAlarms(target), ...otherAlarms(target)]) {
    new CloudwatchMetricAlarm(scope, alarm.id, {
      alarmName: alarm.name,
      alarmDescription: `${alarm.description} See docs/runbook.md#${alarm.section}`,
      alarmActions: [target.topicArn],
      okActions: [target.topicArn],
      ...alarm.condition,
    });
  }
}

function functionAlarms({ functions }: AlarmTarget): Alarm[] {
  return Object.entries(FUNCTION_ALARMS).flatMap(([section, { metric, description, except }]) =>
    (Object.keys(functions) as FunctionId[])
      .filter((functionId) => !(except as readonly FunctionId[]).includes(functionId))
      .map((functionId) => {
        const { entry, resource } = functions[functionId];
        const end = metric.toLowerCase();
        const watched = ofLambda(functions[functionId], metric, "Sum");
        return {
          id: `${entry}-${end}`,
          name: `${resource.functionName}-${end}`,
          description,
          section,
          condition: { ...watched, ...atLeast(1) },
        };
      }),
  );
}

const QUEUE_LABELS: Record<QueueId, string> = { auditEvents: "audit-events", paymentMessages: "payment-messages" };

function queueAlarms({ queueNames, deadLetterQueueNames }: AlarmTarget): Alarm[] {
  return Object.entries(QUEUE_ALARMS).flatMap(([section, { of, end, description, watch }]) =>
    (Object.keys(QUEUE_LABELS) as QueueId[]).map((queueId) => {
      const isQueue = of === "queue";
      const queueName = isQueue ? queueNames[queueId] : deadLetterQueueNames[queueId];
      return {
        id: `${QUEUE_LABELS[queueId]}-${isQueue ? end : section}`,
        name: `${queueName}-${end}`,
        description,
        section,
        condition: ofQueue(queueName, watch),
      };
    }),
  );
}

function otherAlarms(target: AlarmTarget): Alarm[] {
  return (Object.keys(ALARMS) as AlarmId[]).flatMap((section) => {
    const { description, watch }: AlarmRow = ALARMS[section];
    const name = target.names[section];
    const conditions = conditionsOf(watch, target);
    return conditions.map((condition, i) => {
      const end = watch.kind === "guard-reports" ? `-${i + 1}` : "";
      return { id: `${section}${end}`, name: `${name}${end}`, description, section, condition };
    });
  });
}

/** One condition for each alarm that the row needs. */
function conditionsOf(watch: AlarmTrigger, target: AlarmTarget): Condition[] {
  const { functions, backupVaultName } = target;
  switch (watch.kind) {
    case "failure-queue":
      return [ofQueue(target.failureQueueName, watch)];
    case "reported": {
      const { namespace, metricName, dimensions } = ownMetric(functions[watch.by], watch.metric);
      return [{ namespace, metricName, dimensions, statistic: "Sum", period: PERIOD_SECONDS, ...atLeast(1) }];
    }
    case "reported-by-any": {
      const inOrder = (Object.keys(functions) as FunctionId[]).filter((functionId) => watch.by.includes(functionId));
      const metrics = inOrder.map((functionId) => ownMetric(functions[functionId], watch.metric));
      return [{ ...sumOf(watch.metric, metrics, PERIOD_SECONDS), ...atLeast(1) }];
    }
    case "missing": {
      const { windowSeconds, windows } = watch;
      const seconds = typeof windowSeconds === "number" ? windowSeconds : windowSeconds(target.drillEveryDays);
      const metric = ownMetric(functions[watch.by], watch.metric);
      return [{ ...sumOf(watch.metric, [metric], seconds), ...lessThan(watch.minimum, windows) }];
    }
    case "stream-age":
      return [{ ...ofLambda(functions[watch.of], "IteratorAge", "Maximum"), ...atLeast(watch.thresholdMs) }];
    case "backup-jobs": {
      const metrics = watch.metrics.map((metricName) => ({
        namespace: "AWS/Backup",
        metricName,
        dimensions: { BackupVaultName: backupVaultName },
      }));
      const sum = sumOf(watch.label, metrics, watch.windowSeconds);
      return [{ ...sum, ...(watch.minimum === undefined ? atLeast(1) : lessThan(watch.minimum)) }];
    }
    case "guard-reports":
      return guardReports(target.guardRuleNames);
  }
}

function guardReports(ruleNames: readonly string[]): Condition[] {
  const failed = ruleNames.map((RuleName) => ({
    namespace: "AWS/Events",
    metricName: "FailedInvocations",
    dimensions: { RuleName },
  }));
  const half = Math.ceil(failed.length / 2);
  return [failed.slice(0, half), failed.slice(half)].map((metrics) => ({
    ...sumOf("Reports that failed", metrics, PERIOD_SECONDS),
    ...atLeast(1),
  }));
}

// ------------------------------------------------------------------------------------------------- metrics and limits

/** The alarm starts at the threshold. No data is the normal state. */
function atLeast(threshold: number) {
  return {
    comparisonOperator: "GreaterThanOrEqualToThreshold",
    threshold,
    treatMissingData: "notBreaching",
    evaluationPeriods: 1,
  };
}

/** The alarm starts below the minimum, in each of `windows` windows in a row. No data means that nothing happened. */
function lessThan(minimum: number, windows = 1) {
  return {
    comparisonOperator: "LessThanThreshold",
    threshold: minimum,
    treatMissingData: "breaching",
    evaluationPeriods: windows,
  };
}

function ofQueue(name: string, { metric, threshold }: QueueWatch): Condition {
  return {
    namespace: "AWS/SQS",
    metricName: metric,
    statistic: "Maximum",
    period: PERIOD_SECONDS,
    dimensions: { QueueName: name },
    ...atLeast(threshold),
  };
}

function ofLambda({ resource }: LedgerFunction, metricName: string, statistic: string) {
  return {
    namespace: "AWS/Lambda",
    metricName,
    statistic,
    period: PERIOD_SECONDS,
    dimensions: { FunctionName: resource.functionName },
  };
}

interface Metric {
  readonly namespace: string;
  readonly metricName: string;
  readonly dimensions: Record<string, string>;
}

/** A metric that one of our functions reports. */
function ownMetric({ resource }: LedgerFunction, metricName: string): Metric {
  return { namespace: METRICS.namespace, metricName, dimensions: { service: resource.functionName } };
}

/**
 * The sum of metrics, where a metric without data counts as 0. Without `FILL`, one metric without data would leave the whole
 * sum without data. CloudWatch would then look further back, and judge by the last points it finds there for several periods.
 */
function sumOf(label: string, metrics: readonly Metric[], periodSeconds: number) {
  if (metrics.length > SUMMED_METRICS_MAX)
    throw new Error(`${label}: CloudWatch adds up at most ${SUMMED_METRICS_MAX} metrics. Use more alarms.`);
  const queries = metrics.map(({ dimensions, ...metric }, i) => ({
    id: `m${i + 1}`,
    metric: { ...metric, stat: "Sum", period: periodSeconds, dimensions },
  }));
  const expression = queries.map(({ id }) => `FILL(${id},0)`).join("+");
  return { metricQuery: [{ id: "total", expression, label, returnData: true }, ...queries] };
}
