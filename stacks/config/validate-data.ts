/** The rules on what is kept, for how long, and who may send. */

import { QUEUES, type QueueId } from "../../contract";
import { refuseUnless } from "./errors";
import { CONSUMERS } from "./names";
import type { AppConfig, BackupRule, VersionArchive } from "./types";

/** PCI DSS 10.5.1. */
export const TWELVE_MONTHS_DAYS = 365;
/** SQS keeps a failed call for two weeks; what it needs to run again must still be there. */
const FAILURE_RETENTION_DAYS = 14;

export function checkDataProtection(config: AppConfig): void {
  checkRetentions(config);
  checkTrailLock(config);
  checkBackups(config);
  checkSchedules(config);
  checkQueues(config);
}

export function wholeDays(days: number, min: number): boolean {
  return Number.isInteger(days) && days >= min;
}

function checkRetentions({ environment, retention }: AppConfig): void {
  const { oldFileVersionArchive, ...days } = retention;
  checkArchive(oldFileVersionArchive);
  checkDays(days);
  refuseUnless(
    environment !== "prod" || retention.trailDays >= TWELVE_MONTHS_DAYS,
    "bad_retention",
    `production would keep CloudTrail's files ${retention.trailDays} days.`,
    `PCI DSS 10.5.1 asks for twelve months: ${TWELVE_MONTHS_DAYS} days or more.`,
    "raise `retention.trailDays` of prod in stacks/config/environments.ts.",
  );
}

function checkDays(retention: Readonly<Record<string, number>>): void {
  for (const [name, days] of Object.entries(retention)) {
    const min = name === "continuationDays" ? FAILURE_RETENTION_DAYS + 1 : 1;
    refuseUnless(
      wholeDays(days, min),
      "bad_retention",
      `\`retention.${name}\` is ${days}.`,
      min === 1
        ? "things are kept for whole days, one at least."
        : `a failed run waits up to ${FAILURE_RETENTION_DAYS} days in the failure queue; what it goes on from must outlast it.`,
      `set it to ${min} or more in stacks/config/environments.ts.`,
    );
  }
}

/** Glacier bills each object for 90 days at least. */
const GLACIER_DAYS_MIN = 90;

function checkArchive(archive: VersionArchive | null): void {
  if (archive === null) return;
  const { afterDays, keptDays } = archive;
  refuseUnless(
    wholeDays(afterDays, 1) && wholeDays(keptDays, afterDays + GLACIER_DAYS_MIN),
    "bad_retention",
    `old versions of payment files would move to Glacier after ${afterDays} days and be removed after ${keptDays}.`,
    `both are whole days, and Glacier bills ${GLACIER_DAYS_MIN} days at least.`,
    `set \`retention.oldFileVersionArchive\` in stacks/config/environments.ts to null, or keep them ${GLACIER_DAYS_MIN} days or more after they move.`,
  );
}

function checkTrailLock({ environment, protections: { trailLock }, retention }: AppConfig): void {
  refuseUnless(
    wholeDays(trailLock.days, 1) && trailLock.days <= retention.trailDays,
    "bad_protections",
    `CloudTrail's files would be locked for ${trailLock.days} days and kept for ${retention.trailDays}.`,
    "a lock lasts whole days, one at least, and no longer than what it locks is kept.",
    "set `protections.trailLock.days` in stacks/config/environments.ts.",
  );
  refuseUnless(
    environment !== "prod" || (trailLock.mode === "COMPLIANCE" && trailLock.days >= TWELVE_MONTHS_DAYS),
    "bad_protections",
    `production would lock CloudTrail's files in ${trailLock.mode} mode for ${trailLock.days} days.`,
    `production's audit logs cannot be changed by anybody for twelve months: COMPLIANCE, ${TWELVE_MONTHS_DAYS} days or more.`,
    "correct `protections.trailLock` of prod in stacks/config/environments.ts.",
  );
}

function checkBackups({ environment, backups, protections: { vaultLock } }: AppConfig): void {
  for (const [name, { retentionDays }] of Object.entries(backups) as [string, BackupRule][]) {
    const { minRetentionDays: min, maxRetentionDays: max } = vaultLock ?? {
      minRetentionDays: 1,
      maxRetentionDays: 36500,
    };
    refuseUnless(
      wholeDays(retentionDays, min) && retentionDays <= max,
      "bad_backups",
      `${name} backups would be kept ${retentionDays} days.`,
      `they are kept ${min} to ${max} whole days; a locked vault refuses every other backup.`,
      `set \`backups.${name}.retentionDays\` or \`protections.vaultLock\` in stacks/config/environments.ts.`,
    );
  }
  refuseUnless(
    vaultLock === null || (wholeDays(vaultLock.changeableForDays, 3) && wholeDays(vaultLock.minRetentionDays, 1)),
    "bad_backups",
    "the vault's lock could not be made.",
    "AWS Backup wants three days or more in which the lock can still be taken off, and whole days of retention.",
    "correct `protections.vaultLock` in stacks/config/environments.ts.",
  );
  refuseUnless(
    environment !== "prod" || vaultLock !== null,
    "bad_protections",
    "production's backup vault would have no lock.",
    "production's backups cannot be deleted before their time by anybody.",
    "set `protections.vaultLock` of prod in stacks/config/environments.ts.",
  );
}

function checkSchedules({ schedules, backups }: AppConfig): void {
  const all = { ...schedules, dailyBackup: backups.daily.schedule, weeklyBackup: backups.weekly.schedule };
  for (const [name, expression] of Object.entries(all)) {
    refuseUnless(
      /^cron\(\S+( \S+){5}\)$/.test(expression),
      "bad_schedule",
      `the schedule ${name} is "${expression}".`,
      "a schedule is written cron(minutes hours day-of-month month day-of-week year), in UTC.",
      "correct `schedules` or `backups` in stacks/config/environments.ts.",
    );
  }
}

function checkQueues({ queueConcurrency, protections, eventSenderArns, paymentSenderArns }: AppConfig): void {
  for (const queue of Object.keys(QUEUES) as QueueId[]) {
    const busy = queueConcurrency[queue];
    const reserved = protections.reservedConcurrency?.[CONSUMERS[queue]] ?? 1000;
    refuseUnless(
      Number.isInteger(busy) && busy >= 2 && busy <= Math.min(1000, reserved),
      "bad_queue_concurrency",
      `the queue ${QUEUES[queue].name} would keep ${busy} calls busy, of ${reserved} that its function may run.`,
      "2 to 1000, and no more than the function's reserved concurrency: what is throttled counts as a failed attempt.",
      `set \`queueConcurrency.${queue}\` in stacks/config/environments.ts.`,
    );
  }
  for (const arn of [...eventSenderArns, ...paymentSenderArns]) {
    refuseUnless(
      ROLE_ARN.test(arn),
      "bad_sender_arn",
      `"${arn}" is not the ARN of one role.`,
      "who may send is named role by role, without wildcards.",
      "correct `eventSenderArns` or `paymentSenderArns` in stacks/config/environments.ts.",
    );
  }
}

export const ROLE_ARN = /^arn:[a-z-]+:iam::\d{12}:role\/[\w+=,.@/-]+$/;
