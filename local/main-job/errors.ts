/** The errors of the main job itself. A broken invariant is no error: it is collected and reported with the others. */

export type JobErrorCode =
  | "OPTION_UNKNOWN"
  | "INPUT_UNREADABLE"
  | "EXPECTED_INVALID"
  | "NOTHING_STORED"
  | "NOTHING_CAME"
  | "ANSWER_UNEXPECTED";

export class JobError extends Error {
  override readonly name = "JobError";

  constructor(
    readonly code: JobErrorCode,
    what: string,
    rule: string,
    remedy: string,
  ) {
    super(`${code}: ${what}\n  Rule:   ${rule}\n  Remedy: ${remedy}`);
  }
}
