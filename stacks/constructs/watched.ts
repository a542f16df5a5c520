/** What an alarm is made of, and the metrics that it can watch. */

import type { CloudwatchMetricAlarmConfig } from "@cdktf/provider-aws/lib/cloudwatch-metric-alarm";
import type { Names } from "../../config/names";
import { type FunctionId, METRICS, type QueueId } from "../../contract";
import type { LedgerFunction } from "./function";

export const PERIOD_SECONDS = 300;
export const DAY_SECONDS = 24 * 60 * 60;

export interface AlarmTarget {
  readonly functions: Readonly<Record<FunctionId, LedgerFunction>>;
  readonly names: Names["alarms"];
  readonly failureQueueName: string;
  readonly queueNames: Readonly<Record<QueueId, string>>;
  readonly deadLetterQueueNames: Readonly<Record<QueueId, string>>;
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
  /** The alarm rings below this value instead, and when nothing is reported at all. */
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

/** One alarm over the same metric of several functions. FILL, because a sum with one silent function would be silent too. */
export function sumOverFunctions(metricName: string, functions: readonly LedgerFunction[]): Watched {
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
