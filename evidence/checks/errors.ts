/** The errors of the sweep and of the restore drill. Each says what happened, the rule behind it and the remedy; callers switch on `code`. */

export type LogCheckErrorCode = "BAD_REQUEST" | "BAD_STATE" | "NOT_A_DRILL_TABLE";

export class LogCheckError extends Error {
  override readonly name = "LogCheckError";

  constructor(
    readonly code: LogCheckErrorCode,
    message: string,
    options?: ErrorOptions,
  ) {
    super(message, options);
  }
}
