/** The errors of the sweep, of the restore drill and of the check of callers. Each says what happened, the rule behind it and the remedy; callers switch on `code`. */

import { CodedError } from "../../contract";

export type LogCheckErrorCode = "BAD_REQUEST" | "BAD_STATE" | "NOT_A_DRILL_TABLE";

export class LogCheckError extends CodedError<LogCheckErrorCode> {
  override readonly name = "LogCheckError";
}
