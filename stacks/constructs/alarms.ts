/** What wakes somebody. Every alarm names its section of `docs/runbook.md`, where it says what to do. */

import { CloudwatchMetricAlarm } from "@cdktf/provider-aws/lib/cloudwatch-metric-alarm";
import type { Construct } from "constructs";
import { BACKUP_METRICS, METRICS, type QueueId, TABLES } from "../../contract";
import { BACKUP_COMPLETION_MINUTES, BACKUP_START_MINUTES } from "./backups";
import type { LedgerFunction } from "./function";
import { logCheckAlarms, sealingAlarms } from "./log-alarms";
import {
  type Alarm,
  type AlarmTarget,
  countOf,
  DAILY_WINDOW_SECONDS,
  PERIOD_SECONDS,
  reported,
  sumOf,
  sumOverFunctions,
  type Watched,
} from "./watched";

const OLDEST_FAILURE_SECONDS_MAX = 60 * 60;
/** A message waits longer only when its function fails or is throttled. */
const OLDEST_MESSAGE_SECONDS_MAX = 15 * 60;

export function addAlarms(scope: Construct, target: AlarmTarget): void {
  for (const alarm of [
    ...functionAlarms(target),
    ...failureAlarms(target),
    ...queueAlarms(target),
    ...recordAlarms(target),
    ...backupAlarms(target),
    ...vaultAlarms(target),
    ...guardAlarms(target),
    ...sealingAlarms(target),
    ...logCheckAlarms(target),
  ]) {
    new CloudwatchMetricAlarm(scope, alarm.id, {
      alarmName: alarm.name,
      alarmDescription: `${alarm.description} See docs/runbook.md#${alarm.runbook}`,
      ...condition(alarm),
      evaluationPeriods: alarm.periods ?? 1,
      alarmActions: [target.topicArn],
      okActions: [target.topicArn],
      ...alarm.watched,
    });
  }
}

/** Silence is the normal state of most that is watched here, and the fault itself where something must happen again and again. */
function condition({ threshold = 1, least }: Alarm) {
  return least === undefined
    ? { comparisonOperator: "GreaterThanOrEqualToThreshold", threshold, treatMissingData: "notBreaching" }
    : { comparisonOperator: "LessThanThreshold", threshold: least, treatMissingData: "breaching" };
}

function functionAlarms({ functions }: AlarmTarget): Alarm[] {
  const watch = ({ entry, resource }: LedgerFunction, metricName: string, description: string): Alarm => ({
    id: `${entry}-${metricName.toLowerCase()}`,
    name: `${resource.functionName}-${metricName.toLowerCase()}`,
    description,
    runbook: `function-${metricName.toLowerCase()}`,
    watched: {
      namespace: "AWS/Lambda",
      metricName,
      statistic: "Sum",
      period: PERIOD_SECONDS,
      dimensions: { FunctionName: resource.functionName },
    },
  });
  // A throttled batch of a stream waits and comes again; how long it waited is what `sealing-behind` watches.
  const { sealAuditTrail: _fedByStreams, ...called } = functions;
  return [
    ...Object.values(functions).map((found) => watch(found, "Errors", "The function failed; see its log group.")),
    ...Object.values(called).map((found) => watch(found, "Throttles", "Calls were refused: raise its concurrency.")),
  ];
}

function queue(name: string, metricName: string): Watched {
  return {
    namespace: "AWS/SQS",
    metricName,
    statistic: "Maximum",
    period: PERIOD_SECONDS,
    dimensions: { QueueName: name },
  };
}

const WAITING = "ApproximateNumberOfMessagesVisible";
const OLDEST = "ApproximateAgeOfOldestMessage";

function failureAlarms({ names, failureQueueName }: AlarmTarget): Alarm[] {
  return [
    {
      id: "failures-waiting",
      name: names.failuresWaiting,
      description: "An asynchronous call failed for good.",
      runbook: "failures-waiting",
      watched: queue(failureQueueName, WAITING),
    },
    {
      id: "failures-old",
      name: names.failuresOld,
      description: "Failed calls wait unread.",
      runbook: "failures-old",
      watched: queue(failureQueueName, OLDEST),
      threshold: OLDEST_FAILURE_SECONDS_MAX,
    },
  ];
}

const QUEUE_LABELS: Record<QueueId, string> = { auditEvents: "audit-events", paymentMessages: "payment-messages" };

function queueAlarms({ queueNames, deadLetterQueueNames }: AlarmTarget): Alarm[] {
  return (Object.keys(QUEUE_LABELS) as QueueId[]).flatMap((id) => [
    {
      id: `${QUEUE_LABELS[id]}-old`,
      name: `${queueNames[id]}-old`,
      description: "Messages wait longer than they should: their function fails, or there are too many.",
      runbook: "queue-old",
      watched: queue(queueNames[id], OLDEST),
      threshold: OLDEST_MESSAGE_SECONDS_MAX,
    },
    {
      id: `${QUEUE_LABELS[id]}-dead-letters`,
      name: `${deadLetterQueueNames[id]}-waiting`,
      description: "A message failed too often and waits to be sent back.",
      runbook: "dead-letters",
      watched: queue(deadLetterQueueNames[id], WAITING),
    },
  ]);
}

/** An alarm can add up ten metrics at most, so each leaves out the functions that never report its own. */
function recordAlarms({ names, functions }: AlarmTarget): Alarm[] {
  const { exportTables, sealAuditTrail, publishCheckpoint, sweepAuditTrail, drillRestore, ...recording } = functions;
  const { checkBackup, paymentProcessor, ...doors } = recording;
  return [
    {
      id: "integrity",
      name: names.integrity,
      description: "A record failed its MAC, or a payment and its audit record do not stand together.",
      runbook: "integrity",
      watched: sumOverFunctions(METRICS.integrityAlarm, Object.values(recording)),
    },
    {
      id: "card-data",
      name: names.cardData,
      description: "A request carried card data and was refused: its sender must stop.",
      runbook: "card-data",
      watched: sumOverFunctions(METRICS.cardDataRefused, Object.values(doors)),
    },
    {
      id: "card-data-in-files",
      name: names.cardDataInFiles,
      description: "A payment file held card data: its sender must stop.",
      runbook: "card-data-in-files",
      watched: reported(paymentProcessor, METRICS.cardDataRefused, PERIOD_SECONDS),
    },
    {
      id: "message-refused",
      name: names.messageRefused,
      description: "A message could never be recorded and was settled: its sender was not told.",
      runbook: "message-refused",
      watched: sumOverFunctions(METRICS.messageRefused, [
        functions.persistPaymentAuditTrail,
        functions.processPaymentMessages,
      ]),
    },
  ];
}

function backupAlarms({ names, functions: { exportTables, checkBackup } }: AlarmTarget): Alarm[] {
  return [
    {
      id: "export-failed",
      name: names.exportFailed,
      description: "The export of a table failed, or a window between two exports was lost.",
      runbook: "export-failed",
      watched: reported(exportTables, BACKUP_METRICS.exportFailed, PERIOD_SECONDS),
    },
    {
      id: "export-missing",
      name: names.exportMissing,
      description: "Not every table was exported within 26 hours.",
      runbook: "export-missing",
      watched: countOf(exportTables, BACKUP_METRICS.exported, DAILY_WINDOW_SECONDS),
      least: Object.keys(TABLES).length,
    },
    {
      id: "backup-check-failed",
      name: names.backupCheckFailed,
      description: "An export is not what the table held.",
      runbook: "backup-check-failed",
      watched: reported(checkBackup, BACKUP_METRICS.checkFailed, PERIOD_SECONDS),
    },
    {
      id: "backup-check-missing",
      name: names.backupCheckMissing,
      description: "No export was found good within 26 hours.",
      runbook: "backup-check-missing",
      watched: countOf(checkBackup, BACKUP_METRICS.checkPassed, DAILY_WINDOW_SECONDS),
      least: 1,
    },
  ];
}

/** From one daily backup of a table to the next: the plan's day, and the time within which AWS Backup may start and end a job. */
const VAULT_WINDOW_SECONDS = 24 * 60 * 60 + (BACKUP_START_MINUTES + BACKUP_COMPLETION_MINUTES) * 60 + 60 * 60;

/** How a job of AWS Backup ends otherwise than well. */
const FAILED_JOBS = ["NumberOfBackupJobsFailed", "NumberOfBackupJobsAborted", "NumberOfBackupJobsExpired"];

function vaultAlarms({ names, backupVaultName }: AlarmTarget): Alarm[] {
  const jobs = (metricName: string) => ({
    namespace: "AWS/Backup",
    metricName,
    dimensions: { BackupVaultName: backupVaultName },
  });
  return [
    {
      id: "vault-backup-failed",
      name: names.vaultBackupFailed,
      description: "AWS Backup could not make a backup of a table.",
      runbook: "vault-backup-failed",
      watched: sumOf("Failed backup jobs", FAILED_JOBS.map(jobs), PERIOD_SECONDS),
    },
    {
      id: "vault-backup-missing",
      name: names.vaultBackupMissing,
      description: "Within 34 hours AWS Backup did not make a backup of every table.",
      runbook: "vault-backup-missing",
      watched: sumOf("Backup jobs completed", [jobs("NumberOfBackupJobsCompleted")], VAULT_WINDOW_SECONDS),
      least: Object.keys(TABLES).length,
    },
  ];
}

/** An alarm can add up ten metrics at most. */
const SUMMED_MAX = 10;

/** A call on a guard was seen and could not be reported to the topic. */
function guardAlarms({ names, guardRuleNames }: AlarmTarget): Alarm[] {
  const failed = guardRuleNames.map((RuleName) => ({
    namespace: "AWS/Events",
    metricName: "FailedInvocations",
    dimensions: { RuleName },
  }));
  const half = Math.ceil(failed.length / 2);
  return [failed.slice(0, half), failed.slice(half)].map((metrics, i) => {
    if (metrics.length > SUMMED_MAX) throw new Error("Split the rules over more alarms: CloudWatch sums ten metrics.");
    return {
      id: `guard-reports-failed-${i + 1}`,
      name: `${names.guardReportsFailed}-${i + 1}`,
      description: "A call that takes a guard off was seen and could not be reported.",
      runbook: "guard-reports-failed",
      watched: sumOf("Reports that failed", metrics, PERIOD_SECONDS),
    };
  });
}
