/** The errors of the main job itself. A broken invariant is no error: it is collected and reported with the others. */

import { CodedError } from "../../contract";

export type JobErrorCode =
  | "INPUT_UNREADABLE"
  | "EXPECTED_INVALID"
  | "NOTHING_STORED"
  | "NOTHING_CAME"
  | "ANSWER_UNEXPECTED";

export class JobError extends CodedError<JobErrorCode> {
  override readonly name = "JobError";

  constructor(code: JobErrorCode, what: string, rule: string, remedy: string) {
    super(code, `${code}: ${what}\n  Rule:   ${rule}\n  Remedy: ${remedy}`);
  }
}
