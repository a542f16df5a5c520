/** What wakes somebody: failing or throttled functions, integrity, card data, and calls that nobody has looked at. */

import { CloudwatchDashboard } from "@cdktf/provider-aws/lib/cloudwatch-dashboard";
import {
  CloudwatchMetricAlarm,
  type CloudwatchMetricAlarmConfig,
} from "@cdktf/provider-aws/lib/cloudwatch-metric-alarm";
import { Fn } from "cdktf";
import type { Construct } from "constructs";
import type { Names } from "../../config/names";
import { METRICS } from "../../contract";
import type { LedgerFunction } from "./function";

const PERIOD_SECONDS = 300;
const OLDEST_FAILURE_SECONDS_MAX = 60 * 60;

interface AlarmTarget {
  readonly functions: readonly LedgerFunction[];
  readonly names: Names["alarms"];
  readonly failureQueueName: string;
  readonly topicArn: string;
}

type Watched = Pick<
  CloudwatchMetricAlarmConfig,
  "metricName" | "namespace" | "dimensions" | "statistic" | "period" | "metricQuery"
>;

interface Alarm {
  readonly id: string;
  readonly name: string;
  readonly description: string;
  readonly watched: Watched;
  /** The alarm rings at this value and above; 1 unless said otherwise. */
  readonly threshold?: number;
}

export function addAlarms(scope: Construct, target: AlarmTarget): void {
  for (const { id, name, description, watched, threshold } of [
    ...functionAlarms(target),
    ...failureAlarms(target),
    ...recordAlarms(target),
  ]) {
    new CloudwatchMetricAlarm(scope, id, {
      alarmName: name,
      alarmDescription: description,
      comparisonOperator: "GreaterThanOrEqualToThreshold",
      threshold: threshold ?? 1,
      evaluationPeriods: 1,
      // Silence is the normal state of all that is watched here.
      treatMissingData: "notBreaching",
      alarmActions: [target.topicArn],
      okActions: [target.topicArn],
      ...watched,
    });
  }
}

function functionAlarms({ functions }: AlarmTarget): Alarm[] {
  const watch = ({ entry, resource }: LedgerFunction, metricName: string, description: string): Alarm => ({
    id: `${entry}-${metricName.toLowerCase()}`,
    name: `${resource.functionName}-${metricName.toLowerCase()}`,
    description,
    watched: {
      namespace: "AWS/Lambda",
      metricName,
      statistic: "Sum",
      period: PERIOD_SECONDS,
      dimensions: { FunctionName: resource.functionName },
    },
  });
  return functions.flatMap((found) => [
    watch(found, "Errors", "The function failed; see its log group."),
    watch(found, "Throttles", "Calls were refused: raise its concurrency."),
  ]);
}

function failureAlarms({ names, failureQueueName }: AlarmTarget): Alarm[] {
  const queue = (metricName: string): Watched => ({
    namespace: "AWS/SQS",
    metricName,
    statistic: "Maximum",
    period: PERIOD_SECONDS,
    dimensions: { QueueName: failureQueueName },
  });
  return [
    {
      id: "failures-waiting",
      name: names.failuresWaiting,
      description: "An asynchronous call failed for good.",
      watched: queue("ApproximateNumberOfMessagesVisible"),
    },
    {
      id: "failures-old",
      name: names.failuresOld,
      description: "Failed calls wait unread.",
      watched: queue("ApproximateAgeOfOldestMessage"),
      threshold: OLDEST_FAILURE_SECONDS_MAX,
    },
  ];
}

function recordAlarms({ names, functions }: AlarmTarget): Alarm[] {
  return [
    {
      id: "integrity",
      name: names.integrity,
      description: "A record failed its MAC, or a payment and its audit record do not stand together.",
      watched: sumOverFunctions(METRICS.integrityAlarm, functions),
    },
    {
      id: "card-data",
      name: names.cardData,
      description: "A request carried card data and was refused: its sender must stop.",
      watched: sumOverFunctions(METRICS.cardDataRefused, functions),
    },
  ];
}

/** One alarm over the same metric of all functions. FILL, because a sum with one silent function would be silent too. */
function sumOverFunctions(metricName: string, functions: readonly LedgerFunction[]): Watched {
  const metrics = functions.map(({ resource }, i) => ({
    id: `m${i + 1}`,
    metric: {
      namespace: METRICS.namespace,
      metricName,
      stat: "Sum",
      period: PERIOD_SECONDS,
      dimensions: { service: resource.functionName },
    },
  }));
  const expression = metrics.map(({ id }) => `FILL(${id},0)`).join("+");
  return { metricQuery: [{ id: "total", expression, label: metricName, returnData: true }, ...metrics] };
}

export function addDashboard(
  scope: Construct,
  name: string,
  region: string,
  functions: readonly LedgerFunction[],
  failureQueueName: string,
): void {
  const lambda = (metric: string) =>
    functions.map(({ resource }) => ["AWS/Lambda", metric, "FunctionName", resource.functionName]);
  const own = (metric: string) =>
    functions.map(({ resource }) => [METRICS.namespace, metric, "service", resource.functionName]);
  const charts: [string, string, string[][]][] = [
    ["Calls", "Sum", lambda("Invocations")],
    ["Errors", "Sum", lambda("Errors")],
    ["Duration, 99 of 100 below", "p99", lambda("Duration")],
    ["Throttles", "Sum", lambda("Throttles")],
    ["Integrity alarms", "Sum", own(METRICS.integrityAlarm)],
    ["Card data refused", "Sum", own(METRICS.cardDataRefused)],
    ["Conflicting payments", "Sum", own(METRICS.paymentConflict)],
    [
      "Failed calls waiting",
      "Maximum",
      [["AWS/SQS", "ApproximateNumberOfMessagesVisible", "QueueName", failureQueueName]],
    ],
  ];
  const widgets = charts.map(([title, stat, metrics], i) => ({
    type: "metric",
    x: (i % 2) * 12,
    y: Math.floor(i / 2) * 6,
    width: 12,
    height: 6,
    properties: { title, stat, metrics, region, view: "timeSeries", period: PERIOD_SECONDS },
  }));
  new CloudwatchDashboard(scope, "dashboard", { dashboardName: name, dashboardBody: Fn.jsonencode({ widgets }) });
}
