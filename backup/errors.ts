/** The errors of exports, their check and restores. Each says what happened, the rule behind it and the remedy; callers switch on `code`. */

import { CodedError } from "../contract";

export type BackupErrorCode =
  | "BAD_REQUEST"
  | "BAD_STATE"
  | "PITR_DISABLED"
  | "PITR_NOT_READY"
  | "STATE_CONTENDED"
  | "NOT_A_SCRATCH_NAME"
  | "TABLE_EXISTS"
  | "TABLE_MISSING"
  | "EXPORT_FAULTY"
  | "RESTORE_FAILED"
  | "RESTORE_TIMEOUT";

export class BackupError extends CodedError<BackupErrorCode> {
  override readonly name = "BackupError";
}
