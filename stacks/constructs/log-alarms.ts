/** The alarms of the log of proofs: that it is sealed in time, checked each day, and that a restore agrees with it. */

import { LOG_METRICS } from "../../contract";
import {
  type Alarm,
  type AlarmTarget,
  countOf,
  DAILY_WINDOW_SECONDS,
  PERIOD_SECONDS,
  reported,
  sumOverFunctions,
} from "./watched";

/** A stream's batch waits seconds to fill; longer only when sealing fails or falls behind. */
const OLDEST_CHANGE_MS_MAX = 5 * 60 * 1000;
/** A checkpoint is due each minute. Each of three windows must be without one: the newest may not have all its points yet. */
const CHECKPOINT_WINDOWS = 3;
const HOUR_SECONDS = 60 * 60;
const DAY_SECONDS = 24 * HOUR_SECONDS;

export function sealingAlarms({ names, functions }: AlarmTarget): Alarm[] {
  const { sealAuditTrail, publishCheckpoint, sweepAuditTrail } = functions;
  return [
    {
      id: "tampering",
      name: names.tampering,
      description: "A stored record was altered or removed, or one was slipped in; the log has it sealed.",
      runbook: "tampering",
      watched: sumOverFunctions(LOG_METRICS.tampering, [sealAuditTrail, publishCheckpoint, sweepAuditTrail]),
    },
    {
      id: "late-records",
      name: names.lateRecords,
      description: "A sweep found records that no stream had told of, and sealed them late.",
      runbook: "late-records",
      watched: reported(sweepAuditTrail, LOG_METRICS.late, PERIOD_SECONDS),
    },
    {
      id: "sealing-behind",
      name: names.sealingBehind,
      description: "Changes of the tables wait to be sealed.",
      runbook: "sealing-behind",
      watched: {
        namespace: "AWS/Lambda",
        metricName: "IteratorAge",
        statistic: "Maximum",
        period: PERIOD_SECONDS,
        dimensions: { FunctionName: sealAuditTrail.resource.functionName },
      },
      threshold: OLDEST_CHANGE_MS_MAX,
    },
    {
      id: "stream-lost",
      name: names.streamLost,
      description: "A table has another stream than the one that feeds the sealer, or none.",
      runbook: "stream-lost",
      watched: reported(publishCheckpoint, LOG_METRICS.streamLost, PERIOD_SECONDS),
    },
    {
      id: "checkpoint-missing",
      name: names.checkpointMissing,
      description: "No checkpoint of the log was published for a quarter of an hour.",
      runbook: "checkpoint-missing",
      watched: countOf(publishCheckpoint, LOG_METRICS.checkpoint, PERIOD_SECONDS),
      least: 1,
      periods: CHECKPOINT_WINDOWS,
    },
  ];
}

export function logCheckAlarms({ names, functions, drillEveryDays }: AlarmTarget): Alarm[] {
  const { sweepAuditTrail, drillRestore } = functions;
  return [
    {
      id: "log-check-failed",
      name: names.logCheckFailed,
      description: "The tables, the log and the evidence do not agree.",
      runbook: "log-check-failed",
      watched: reported(sweepAuditTrail, LOG_METRICS.checkFailed, PERIOD_SECONDS),
    },
    {
      id: "log-check-missing",
      name: names.logCheckMissing,
      description: "Within 26 hours the tables were not found to agree with the log.",
      runbook: "log-check-missing",
      watched: countOf(sweepAuditTrail, LOG_METRICS.checkPassed, DAILY_WINDOW_SECONDS),
      least: 1,
    },
    {
      id: "restore-drill-failed",
      name: names.drillFailed,
      description: "A restored table does not agree with the log, or could not be restored.",
      runbook: "restore-drill-failed",
      watched: reported(drillRestore, LOG_METRICS.drillFailed, PERIOD_SECONDS),
    },
    {
      id: "restore-drill-missing",
      name: names.drillMissing,
      description: "No restore drill passed in time.",
      runbook: "restore-drill-missing",
      watched: countOf(drillRestore, LOG_METRICS.drillPassed, drillWindowSeconds(drillEveryDays)),
      least: 1,
    },
  ];
}

/**
 * A drill begins `everyDays` after the last verdict, at the next hour, and has its own verdict within a day. CloudWatch looks
 * back seven days at most.
 */
function drillWindowSeconds(everyDays: number): number {
  return Math.min((everyDays + 1) * DAY_SECONDS + 2 * HOUR_SECONDS, 7 * DAY_SECONDS);
}
