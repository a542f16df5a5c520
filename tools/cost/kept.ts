/** What the records of earlier months cost again each month: storage, backups, exports and the daily reading of the tables. */

import type { AppConfig } from "../../stacks/config/types";
import { type MonthlyGrowth, type VariableLine, variableLine } from "./variable";

const DAYS_PER_MONTH = 365 / 12;
const WEEKS_PER_MONTH = DAYS_PER_MONTH / 7;
/** The sweep of the log and the check of the exports, each once a day. A read unit that may be late is half a unit for 4 KB. */
const READINGS_PER_DAY = 2;
const UNITS_PER_GIGABYTE = 1_000_000_000 / 4096 / 2;

/**
 * The last of so many equal months, beside what that month's own volumes cost.
 * @param months 1 or more
 */
export function keptLines(
  { tableGigabytes: growth, evidenceGigabytes }: MonthlyGrowth,
  months: number,
  { backups, retention }: Pick<AppConfig, "backups" | "retention">,
): VariableLine[] {
  const earlier = months - 1;
  const size = months * growth;
  const copies =
    copiesOf(growth, months, 1, backups.daily.retentionDays) +
    copiesOf(growth, months, 7, backups.weekly.retentionDays);
  const exported = WEEKS_PER_MONTH * size + growth;
  const exportsKept =
    copiesOf(growth, months, 7, retention.exportDays) +
    growth * Math.min(months, retention.exportDays / DAYS_PER_MONTH);
  return [
    variableLine("Tables: GB stored of earlier months", "tableGigabyte", earlier * growth),
    variableLine("Tables: GB of earlier months under point-in-time recovery", "recoveryGigabyte", earlier * growth),
    variableLine("Log of proofs: GB in S3 of earlier months", "s3Gigabyte", earlier * evidenceGigabytes),
    variableLine(
      "Daily sweep and check of exports: read units",
      "readUnit",
      size * UNITS_PER_GIGABYTE * READINGS_PER_DAY * DAYS_PER_MONTH,
    ),
    variableLine("Backups in the vault, each a full copy: GB", "backupGigabyte", copies),
    variableLine("Exports, weekly of all and daily of the changes: GB", "exportGigabyte", exported),
    variableLine("Exports in S3, as if they were not compressed: GB", "s3Gigabyte", exportsKept),
  ];
}

/** GB in the copies that exist at the end: one every so many days, each as large as the tables were then. */
function copiesOf(growth: number, months: number, everyDays: number, retentionDays: number): number {
  let gigabytes = 0;
  for (let age = 0; age < retentionDays; age += everyDays) {
    gigabytes += growth * Math.max(0, months - age / DAYS_PER_MONTH);
  }
  return gigabytes;
}
