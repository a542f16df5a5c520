/**
 * All alarms, in one table. Their deployed names, the alarms themselves, their tests and the index of `docs/runbook.md` follow from it.
 * The key of a row is the section of the runbook that says what to do.
 */

import { BACKUP_METRICS, type FunctionId, LOG_METRICS, METRICS, TABLES } from "../../contract";
import { BACKUP_COMPLETION_MINUTES, BACKUP_START_MINUTES } from "./backup-window";

const MINUTE_SECONDS = 60;
const HOUR_SECONDS = 60 * MINUTE_SECONDS;
const DAY_SECONDS = 24 * HOUR_SECONDS;

/** The period of every alarm that does not name its own window. */
export const PERIOD_SECONDS = 5 * MINUTE_SECONDS;
/**
 * The window for what must happen once a day. CloudWatch's windows slide, and a schedule starts within 15 minutes of its
 * time, so two good runs can be more than a day apart.
 */
const DAILY_WINDOW_SECONDS = 26 * HOUR_SECONDS;
/** A day, the time within which AWS Backup may start and end a job, and one hour more. */
const VAULT_WINDOW_SECONDS =
  DAY_SECONDS + (BACKUP_START_MINUTES + BACKUP_COMPLETION_MINUTES) * MINUTE_SECONDS + HOUR_SECONDS;
const TABLE_COUNT = Object.keys(TABLES).length;

export type QueueMetric = "ApproximateNumberOfMessagesVisible" | "ApproximateAgeOfOldestMessage";

export interface QueueWatch {
  readonly metric: QueueMetric;
  /** The alarm starts at this value. */
  readonly threshold: number;
}

const ANY_MESSAGE: QueueWatch = { metric: "ApproximateNumberOfMessagesVisible", threshold: 1 };
const olderThan = (seconds: number): QueueWatch => ({ metric: "ApproximateAgeOfOldestMessage", threshold: seconds });

/** What starts an alarm. Without a word on the period it is `PERIOD_SECONDS`. */
export type AlarmTrigger =
  | ({ readonly kind: "failure-queue" } & QueueWatch)
  /** The function reports the metric at least once. */
  | { readonly kind: "reported"; readonly metric: string; readonly by: FunctionId }
  /** One of the functions reports the metric at least once. CloudWatch adds up at most ten metrics. */
  | { readonly kind: "reported-by-any"; readonly metric: string; readonly by: readonly FunctionId[] }
  /** The function reports the metric less than `minimum` times, in each of `windows` windows in a row. */
  | {
      readonly kind: "missing";
      readonly metric: string;
      readonly by: FunctionId;
      readonly minimum: number;
      readonly windowSeconds: number | ((drillEveryDays: number) => number);
      readonly windows?: number;
    }
  /** The oldest change in the streams that feed the function is older. */
  | { readonly kind: "stream-age"; readonly of: FunctionId; readonly thresholdMs: number }
  /** Jobs of AWS Backup end in one of these ways; with `minimum`, fewer than that many do. */
  | {
      readonly kind: "backup-jobs";
      readonly label: string;
      readonly metrics: readonly string[];
      readonly windowSeconds: number;
      readonly minimum?: number;
    }
  /** EventBridge could not deliver what a guard rule found. One alarm for each ten rules. */
  | { readonly kind: "guard-reports" };

export interface AlarmRow {
  /** Under the suffix `prod`; elsewhere the suffix follows. */
  readonly name: string;
  /** What happened. Somebody reads it at night: short, complete sentences. */
  readonly description: string;
  readonly watch: AlarmTrigger;
}

/** The functions that record or read payments: they compare MACs, and refuse card data. */
const RECORDING_AND_READING: readonly FunctionId[] = [
  "persistPaymentLedger",
  "updatePaymentStatus",
  "queryPaymentLedger",
  "revealPaymentToken",
  "persistPaymentAuditTrail",
  "queryPaymentAuditTrail",
  "processPaymentMessages",
  "queryTransactions",
];

const REFUSING_CARD_DATA: readonly FunctionId[] = [...RECORDING_AND_READING, "recordPaymentEvent"];
const REPORTING_BREACHES: readonly FunctionId[] = ["recordPaymentEvent", "processPaymentMessages", "sweepAuditTrail"];

/** The alarms that are not made once for each function or queue. */
export const ALARMS = {
  "failures-waiting": {
    name: "payment-ledger-failures-waiting",
    description:
      "An asynchronous call, a payment file or a scheduled run failed on every try and is in the failure queue.",
    watch: { kind: "failure-queue", ...ANY_MESSAGE },
  },
  "failures-old": {
    name: "payment-ledger-failures-old",
    description: "A failed call has been in the failure queue for more than an hour. SQS deletes it after 14 days.",
    watch: { kind: "failure-queue", ...olderThan(HOUR_SECONDS) },
  },
  integrity: {
    name: "payment-ledger-integrity",
    description:
      "A stored record failed its MAC, or a payment or its audit record is missing. Treat this as a security incident.",
    watch: {
      kind: "reported-by-any",
      metric: METRICS.integrityAlarm,
      by: [...RECORDING_AND_READING, "paymentProcessor", "checkBackup"],
    },
  },
  "event-integrity": {
    name: "payment-events-integrity",
    description:
      "An event of a payment failed its MAC, or does not follow from the events before it. Treat this as a security incident.",
    watch: { kind: "reported", metric: METRICS.integrityAlarm, by: "recordPaymentEvent" },
  },
  "payment-breach": {
    name: "payment-events-breach",
    description:
      "A processor reported something that a rule of the payment forbids. It is recorded, and must be settled.",
    watch: { kind: "reported-by-any", metric: METRICS.paymentBreach, by: REPORTING_BREACHES },
  },
  "old-holds": {
    name: "payment-events-old-holds",
    description: "Money has been held for refunds for more than a week. Nobody said whether the refunds were made.",
    watch: { kind: "reported", metric: METRICS.refundHoldOld, by: "sweepAuditTrail" },
  },
  "card-data": {
    name: "payment-ledger-card-data",
    description: "A request contained card data and was refused. Its sender must stop sending it.",
    watch: { kind: "reported-by-any", metric: METRICS.cardDataRefused, by: REFUSING_CARD_DATA },
  },
  "card-data-in-files": {
    name: "payment-files-card-data",
    description: "A payment file contained card data. Those rows were refused. Its sender must stop sending it.",
    watch: { kind: "reported", metric: METRICS.cardDataRefused, by: "paymentProcessor" },
  },
  "message-refused": {
    name: "payment-messages-refused",
    description: "A queue message was refused and deleted. Its sender does not know; an audit record gives the reason.",
    watch: {
      kind: "reported-by-any",
      metric: METRICS.messageRefused,
      by: ["persistPaymentAuditTrail", "processPaymentMessages"],
    },
  },
  "export-failed": {
    name: "payment-export-failed",
    description: "A table export failed, or a time window can no longer be exported.",
    watch: { kind: "reported", metric: BACKUP_METRICS.exportFailed, by: "exportTables" },
  },
  "export-missing": {
    name: "payment-export-missing",
    description: "At least one table was not exported in the last 26 hours.",
    watch: {
      kind: "missing",
      metric: BACKUP_METRICS.exported,
      by: "exportTables",
      minimum: TABLE_COUNT,
      windowSeconds: DAILY_WINDOW_SECONDS,
    },
  },
  "backup-check-failed": {
    name: "payment-backup-check-failed",
    description: "A table export is damaged or incomplete, or could not be checked completely.",
    watch: { kind: "reported", metric: BACKUP_METRICS.checkFailed, by: "checkBackup" },
  },
  "backup-check-missing": {
    name: "payment-backup-check-missing",
    description: "No table export passed its check in the last 26 hours.",
    watch: {
      kind: "missing",
      metric: BACKUP_METRICS.checkPassed,
      by: "checkBackup",
      minimum: 1,
      windowSeconds: DAILY_WINDOW_SECONDS,
    },
  },
  "vault-backup-failed": {
    name: "payment-vault-backup-failed",
    description: "AWS Backup failed to back up a table.",
    watch: {
      kind: "backup-jobs",
      label: "Failed backup jobs",
      metrics: ["NumberOfBackupJobsFailed", "NumberOfBackupJobsAborted", "NumberOfBackupJobsExpired"],
      windowSeconds: PERIOD_SECONDS,
    },
  },
  "vault-backup-missing": {
    name: "payment-vault-backup-missing",
    description: "AWS Backup did not back up every table in the last 34 hours.",
    watch: {
      kind: "backup-jobs",
      label: "Backup jobs completed",
      metrics: ["NumberOfBackupJobsCompleted"],
      windowSeconds: VAULT_WINDOW_SECONDS,
      minimum: TABLE_COUNT,
    },
  },
  "guard-reports-failed": {
    name: "payment-guard-reports-failed",
    description: "Somebody tried to change a protection of the ledger, and the message about it could not be sent.",
    watch: { kind: "guard-reports" },
  },
  tampering: {
    name: "payment-log-tampering",
    description:
      "A stored record or the log itself was altered, removed or forged outside the ledger. Treat this as a security incident.",
    watch: {
      kind: "reported-by-any",
      metric: LOG_METRICS.tampering,
      by: ["sealAuditTrail", "publishCheckpoint", "sweepAuditTrail"],
    },
  },
  "late-records": {
    name: "payment-log-late-records",
    description:
      "The daily sweep found valid records that were not sealed when they were written, and sealed them late.",
    watch: { kind: "reported", metric: LOG_METRICS.late, by: "sweepAuditTrail" },
  },
  "sealing-behind": {
    name: "payment-log-sealing-behind",
    description: "The sealer is more than five minutes behind. Payments are still recorded; their proofs are late.",
    // A batch of a stream takes seconds to fill.
    watch: { kind: "stream-age", of: "sealAuditTrail", thresholdMs: 5 * MINUTE_SECONDS * 1000 },
  },
  "stream-lost": {
    name: "payment-log-stream-lost",
    description: "A table has no stream that feeds the sealer, so new records are not sealed until the daily sweep.",
    watch: { kind: "reported", metric: LOG_METRICS.streamLost, by: "publishCheckpoint" },
  },
  "checkpoint-missing": {
    name: "payment-log-checkpoint-missing",
    description: "No checkpoint of the log was published in the last 15 minutes.",
    // One is due each minute. Three windows, because the newest may not have all its points yet.
    watch: {
      kind: "missing",
      metric: LOG_METRICS.checkpoint,
      by: "publishCheckpoint",
      minimum: 1,
      windowSeconds: PERIOD_SECONDS,
      windows: 3,
    },
  },
  "log-check-failed": {
    name: "payment-log-check-failed",
    description: "The tables, the log and its evidence do not agree, or could not be compared completely.",
    watch: { kind: "reported", metric: LOG_METRICS.checkFailed, by: "sweepAuditTrail" },
  },
  "log-check-missing": {
    name: "payment-log-check-missing",
    description: "No successful comparison of the tables with the log in the last 26 hours.",
    watch: {
      kind: "missing",
      metric: LOG_METRICS.checkPassed,
      by: "sweepAuditTrail",
      minimum: 1,
      windowSeconds: DAILY_WINDOW_SECONDS,
    },
  },
  "restore-drill-failed": {
    name: "payment-restore-drill-failed",
    description: "A restore drill failed: a restored table does not agree with the log, or could not be restored.",
    watch: { kind: "reported", metric: LOG_METRICS.drillFailed, by: "drillRestore" },
  },
  "restore-drill-missing": {
    name: "payment-restore-drill-missing",
    description: "No restore drill succeeded within the configured interval (drillEveryDays).",
    watch: {
      kind: "missing",
      metric: LOG_METRICS.drillPassed,
      by: "drillRestore",
      minimum: 1,
      windowSeconds: drillWindowSeconds,
    },
  },
  "identity-contradicted": {
    name: "payment-identity-contradicted",
    description:
      "CloudTrail names another caller than an audit record does: somebody made up an event. Treat this as a security incident.",
    watch: { kind: "reported", metric: LOG_METRICS.identityContradicted, by: "attestCallers" },
  },
  "identity-check-failed": {
    name: "payment-identity-check-failed",
    description: "A file or an hour of CloudTrail is missing or altered, so not every caller could be attested.",
    watch: { kind: "reported", metric: LOG_METRICS.identityCheckFailed, by: "attestCallers" },
  },
  "identity-check-missing": {
    name: "payment-identity-check-missing",
    description: "No complete check of the callers without a contradiction in the last 26 hours.",
    watch: {
      kind: "missing",
      metric: LOG_METRICS.identityCheckPassed,
      by: "attestCallers",
      minimum: 1,
      windowSeconds: DAILY_WINDOW_SECONDS,
    },
  },
} as const satisfies Record<string, AlarmRow>;

/**
 * A drill begins `everyDays` after the last verdict, at the next hour, and has its own verdict within a day. CloudWatch looks
 * back seven days at most.
 */
function drillWindowSeconds(everyDays: number): number {
  return Math.min((everyDays + 1) * DAY_SECONDS + 2 * HOUR_SECONDS, 7 * DAY_SECONDS);
}

/** One alarm for each function, named after it. */
export const FUNCTION_ALARMS = {
  "function-errors": {
    metric: "Errors",
    description: "The function failed, timed out or ran out of memory. Its log group names the error.",
    except: [],
  },
  "function-throttles": {
    metric: "Throttles",
    description: "Lambda refused calls of the function, because its concurrency or that of the account is used up.",
    // A throttled batch of a stream waits and is sent again; `sealing-behind` watches how long it waits.
    except: ["sealAuditTrail"],
  },
} as const satisfies Record<string, { metric: string; description: string; except: readonly FunctionId[] }>;

/** One alarm for each queue that feeds a function, or for its dead-letter queue. */
export const QUEUE_ALARMS = {
  "queue-old": {
    of: "queue",
    end: "old",
    description: "A message has waited for more than 15 minutes: its function fails, or too many messages arrive.",
    watch: olderThan(15 * MINUTE_SECONDS),
  },
  "dead-letters": {
    of: "dead-letter-queue",
    end: "waiting",
    description: "A message failed ten times and is in the dead-letter queue. SQS deletes it after 14 days.",
    watch: ANY_MESSAGE,
  },
} as const satisfies Record<
  string,
  { of: "queue" | "dead-letter-queue"; end: string; description: string; watch: QueueWatch }
>;

export type AlarmId = keyof typeof ALARMS;

/** Every section of the runbook that an alarm leads to, with what the alarm says. */
export function alarmDescriptions(): Record<string, string> {
  const all: Record<string, { description: string }> = { ...FUNCTION_ALARMS, ...QUEUE_ALARMS, ...ALARMS };
  return Object.fromEntries(Object.entries(all).map(([section, { description }]) => [section, description]));
}
