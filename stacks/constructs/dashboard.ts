/** One page of charts: calls and their faults, refusals, what waits in the queues, and how far the log of proofs is. */

import { CloudwatchDashboard } from "@cdktf/provider-aws/lib/cloudwatch-dashboard";
import { Fn } from "cdktf";
import type { Construct } from "constructs";
import { BACKUP_METRICS, LOG_METRICS, METRICS } from "../../contract";
import type { LedgerFunction } from "./function";

const PERIOD_SECONDS = 300;

interface DashboardParts {
  readonly functions: readonly LedgerFunction[];
  readonly sealer: LedgerFunction;
  readonly publisher: LedgerFunction;
  readonly queueNames: readonly string[];
  /** Queues that should be empty. */
  readonly failedNames: readonly string[];
}

export function addDashboard(scope: Construct, name: string, region: string, shown: DashboardParts): void {
  const widgets = charts(shown).map(([title, stat, metrics], i) => ({
    type: "metric",
    x: (i % 2) * 12,
    y: Math.floor(i / 2) * 6,
    width: 12,
    height: 6,
    properties: { title, stat, metrics, region, view: "timeSeries", period: PERIOD_SECONDS },
  }));
  new CloudwatchDashboard(scope, "dashboard", { dashboardName: name, dashboardBody: Fn.jsonencode({ widgets }) });
}

function charts({
  functions,
  sealer,
  publisher,
  queueNames,
  failedNames,
}: DashboardParts): [string, string, string[][]][] {
  const lambda = (metric: string) =>
    functions.map(({ resource }) => ["AWS/Lambda", metric, "FunctionName", resource.functionName]);
  const own = (metric: string) =>
    functions.map(({ resource }) => [METRICS.namespace, metric, "service", resource.functionName]);
  const queues = (metric: string, names: readonly string[]) =>
    names.map((queue) => ["AWS/SQS", metric, "QueueName", queue]);
  return [
    ["Calls", "Sum", lambda("Invocations")],
    ["Errors", "Sum", lambda("Errors")],
    ["Duration, 99 of 100 below", "p99", lambda("Duration")],
    ["Throttles", "Sum", lambda("Throttles")],
    ["Integrity alarms", "Sum", own(METRICS.integrityAlarm)],
    ["Card data refused", "Sum", own(METRICS.cardDataRefused)],
    ["Conflicting payments", "Sum", own(METRICS.paymentConflict)],
    ["Events that broke a rule", "Sum", own(METRICS.paymentBreach)],
    ["Failed calls and messages waiting", "Maximum", queues("ApproximateNumberOfMessagesVisible", failedNames)],
    ["Messages waiting", "Maximum", queues("ApproximateNumberOfMessagesVisible", queueNames)],
    ["Age of the oldest message", "Maximum", queues("ApproximateAgeOfOldestMessage", queueNames)],
    ["Tables exported", "Sum", own(BACKUP_METRICS.exported)],
    ["Backup checks failed", "Sum", own(BACKUP_METRICS.checkFailed)],
    [
      "Age of the oldest change that waits to be sealed",
      "Maximum",
      [["AWS/Lambda", "IteratorAge", "FunctionName", sealer.resource.functionName]],
    ],
    [
      "Checkpoints published",
      "Sum",
      [[METRICS.namespace, LOG_METRICS.checkpoint, "service", publisher.resource.functionName]],
    ],
    ["Tampering sealed", "Sum", own(LOG_METRICS.tampering)],
    ["Log checks failed", "Sum", own(LOG_METRICS.checkFailed)],
  ];
}
