/** The errors of the evidence commands. Each says what happened, the rule behind it and the remedy; callers switch on `code`. */

import { CodedError } from "../../contract";
import { EXIT_CODES, type Verdict } from "../verifier/report";

export type EvidenceErrorCode =
  | "FOLDER_MISSING"
  | "FILE_MISSING"
  | "FILE_EXISTS"
  | "NOT_A_RECORD"
  | "NOT_SEALED"
  | "AMBIGUOUS_ID"
  | "RECORD_NOT_FOUND"
  | "RECORD_DIFFERS"
  | "CHECKPOINT_MISSING"
  | "WRONG_KEY"
  | "BAD_SIGNATURE"
  | "LOG_FORKED"
  | "LOG_WENT_BACK"
  | "WITNESS_REFUSED"
  | "COPY_DAMAGED"
  | "OBJECT_MISSING"
  | "BUCKET_EMPTY"
  | "BUCKET_MISSING"
  | "FOLDER_NOT_EMPTY"
  | "TABLE_MISSING"
  | "ONLY_IN_PROJECT"
  | "PORT_TAKEN"
  | "OLD_NODE";

/** Exit code of a wrong use, and of what could not be done at all. */
export const NOT_DONE = 2;

export class EvidenceToolError extends CodedError<EvidenceErrorCode> {
  override readonly name = "EvidenceToolError";
  readonly exitCode: number;

  /** @param verdict what was found out, when that is what stopped the command. */
  constructor(code: EvidenceErrorCode, message: string, verdict?: Exclude<Verdict, "ok">) {
    super(code, message);
    this.exitCode = verdict === undefined ? NOT_DONE : EXIT_CODES[verdict];
  }
}

/** The arguments do not fit; the usage is printed. */
export class UsageError extends CodedError<"USAGE"> {
  override readonly name = "UsageError";

  constructor(message: string) {
    super("USAGE", message);
  }
}
