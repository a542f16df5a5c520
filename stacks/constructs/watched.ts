/** What an alarm is made of, and the metrics that it can watch. */

import type { CloudwatchMetricAlarmConfig } from "@cdktf/provider-aws/lib/cloudwatch-metric-alarm";
import { type FunctionId, METRICS, type QueueId } from "../../contract";
import type { Names } from "../config/names";
import type { LedgerFunction } from "./function";

export const PERIOD_SECONDS = 300;
/**
 * What must happen each day must have happened within so long. CloudWatch's windows slide, and a schedule starts within 15
 * minutes of its time, so two good runs may lie more than a day apart.
 */
export const DAILY_WINDOW_SECONDS = 26 * 60 * 60;

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

export type Watched = Pick<
  CloudwatchMetricAlarmConfig,
  "metricName" | "namespace" | "dimensions" | "statistic" | "period" | "metricQuery"
>;

export interface Alarm {
  readonly id: string;
  readonly name: string;
  readonly description: string;
  /** Section of the runbook. */
  readonly runbook: string;
  readonly watched: Watched;
  /** The alarm rings at this value and above; 1 unless said otherwise. */
  readonly threshold?: number;
  /** The alarm rings below this value instead. What is watched must count silence as 0. */
  readonly least?: number;
  /** For so many periods in a row; 1 unless said otherwise. */
  readonly periods?: number;
}

/** A metric that one function reports. */
export function reported({ resource }: LedgerFunction, metricName: string, period: number): Watched {
  return {
    namespace: METRICS.namespace,
    metricName,
    statistic: "Sum",
    period,
    dimensions: { service: resource.functionName },
  };
}

interface Metric {
  readonly namespace: string;
  readonly metricName: string;
  readonly dimensions: Readonly<Record<string, string>>;
}

/** The metric that one function reports, for `sumOf`. */
export function metricOf({ resource }: LedgerFunction, metricName: string): Metric {
  return { namespace: METRICS.namespace, metricName, dimensions: { service: resource.functionName } };
}

/**
 * The sum of metrics, with silence as 0. Without `FILL` a sum with one silent metric would be silent too; and where something is
 * missing, CloudWatch looks further back and goes on judging by the last points that it finds there, for several periods.
 */
export function sumOf(label: string, metrics: readonly Metric[], periodSeconds: number): Watched {
  const queries = metrics.map(({ dimensions, ...metric }, i) => ({
    id: `m${i + 1}`,
    metric: { ...metric, stat: "Sum", period: periodSeconds, dimensions: { ...dimensions } },
  }));
  const expression = queries.map(({ id }) => `FILL(${id},0)`).join("+");
  return { metricQuery: [{ id: "total", expression, label, returnData: true }, ...queries] };
}

/** One alarm over the same metric of several functions. */
export function sumOverFunctions(metricName: string, functions: readonly LedgerFunction[]): Watched {
  return sumOf(
    metricName,
    functions.map((each) => metricOf(each, metricName)),
    PERIOD_SECONDS,
  );
}

/** How often one function reported a metric within a window; 0 when it did not. */
export function countOf(from: LedgerFunction, metricName: string, windowSeconds: number): Watched {
  return sumOf(metricName, [metricOf(from, metricName)], windowSeconds);
}
