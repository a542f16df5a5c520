/** How long AWS Backup may take for one job of the backup plan. The alarm on a missing backup allows for it. */

/** A job that has not started by then expires. */
export const BACKUP_START_MINUTES = 60;
/** A job that has not ended by then is stopped. */
export const BACKUP_COMPLETION_MINUTES = 480;
