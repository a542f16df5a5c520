/** The errors of the commands. Each says what happened, the rule behind it and the remedy; callers switch on `code`. */

import { CodedError } from "../contract";

export type CommandErrorCode =
  | "FUNCTION_FAILED"
  | "NOT_FOUND"
  | "NO_EXPORT"
  | "NOT_EMBEDDED"
  | "NO_OUTPUTS"
  | "KEY_UNSUITABLE"
  | "FILE_EXISTS"
  | "FILE_MISSING"
  | "SOURCE_DAMAGED"
  | "REPORT_OF_ANOTHER"
  | "NOT_IMPORTED"
  | "TOOL_FAILED";

export class CommandError extends CodedError<CommandErrorCode> {
  override readonly name = "CommandError";
}
