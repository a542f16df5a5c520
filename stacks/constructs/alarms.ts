/** What wakes somebody: failing or throttled functions, integrity, card data, and calls that nobody has looked at. */

import { CloudwatchDashboard } from "@cdktf/provider-aws/lib/cloudwatch-dashboard";
import {
  CloudwatchMetricAlarm,
  type CloudwatchMetricAlarmConfig,
} from "@cdktf/provider-aws/lib/cloudwatch-metric-alarm";
import { Fn } from "cdktf";
import type { Construct } from "constructs";
import { METRICS } from "../../contract";
import type { LedgerFunction } from "./function";

const PERIOD_SECONDS = 300;
const OLDEST_FAILURE_SECONDS_MAX = 60 * 60;

interface AlarmTarget {
  readonly functions: readonly LedgerFunction[];
  readonly failureQueueName: string;
  readonly topicArn: string;
}

type Watched = Pick<
  CloudwatchMetricAlarmConfig,
  "metricName" | "namespace" | "dimensions" | "statistic" | "metricQuery"
>;

export function addAlarms(scope: Construct, { functions, failureQueueName, topicArn }: AlarmTarget): void {
  const alarm = (id: string, name: string, description: string, watched: Watched, threshold = 1) => {
    new CloudwatchMetricAlarm(scope, id, {
      alarmName: name,
      alarmDescription: description,
      comparisonOperator: "GreaterThanOrEqualToThreshold",
      threshold,
      evaluationPeriods: 1,
      // Silence is the normal state of all that is watched here.
      treatMissingData: "notBreaching",
      alarmActions: [topicArn],
      okActions: [topicArn],
      ...(watched.metricQuery === undefined ? { period: PERIOD_SECONDS } : {}),
      ...watched,
    });
  };
  for (const { entry, resource } of functions) {
    const metric = (metricName: string): Watched => ({
      namespace: "AWS/Lambda",
      metricName,
      statistic: "Sum",
      dimensions: { FunctionName: resource.functionName },
    });
    const name = resource.functionName;
    alarm(`${entry}-errors`, `${name}-errors`, "The function failed; see its log group.", metric("Errors"));
    alarm(`${entry}-throttles`, `${name}-throttles`, "Calls were refused: raise its concurrency.", metric("Throttles"));
  }
  const queue = (metricName: string, statistic: string): Watched => ({
    namespace: "AWS/SQS",
    metricName,
    statistic,
    dimensions: { QueueName: failureQueueName },
  });
  const depth = queue("ApproximateNumberOfMessagesVisible", "Maximum");
  const age = queue("ApproximateAgeOfOldestMessage", "Maximum");
  alarm("failures-waiting", `${failureQueueName}-waiting`, "An asynchronous call failed for good.", depth);
  alarm("failures-old", `${failureQueueName}-old`, "Failed calls wait unread.", age, OLDEST_FAILURE_SECONDS_MAX);
  const overall = (metric: string) => sumOverFunctions(metric, functions);
  alarm(
    "integrity",
    `${failureQueueName}-integrity`,
    "A record failed its MAC, or a payment and its audit record do not stand together.",
    overall(METRICS.integrityAlarm),
  );
  alarm(
    "card-data",
    `${failureQueueName}-card-data`,
    "A request carried card data and was refused: its sender must stop.",
    overall(METRICS.cardDataRefused),
  );
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
