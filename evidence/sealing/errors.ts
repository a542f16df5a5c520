/** The errors of the sealer. Each says what happened, the rule behind it and the remedy; callers switch on `code`. */

import { CodedError } from "../../contract";

export type SealingErrorCode =
  | "UNKNOWN_EVENT"
  | "UNKNOWN_STREAM"
  | "LOG_CONTENDED"
  | "LOG_STATE_BROKEN"
  | "LOG_FORKED"
  | "HEARTBEAT_AHEAD"
  | "CHECKPOINT_NOT_OURS"
  | "EVIDENCE_MISSING"
  | "EVIDENCE_BUSY"
  | "KEY_UNSUITABLE";

/** What nobody but a tamperer, or a restore over the living log, brings about. */
const TAMPERING: ReadonlySet<SealingErrorCode> = new Set([
  "LOG_STATE_BROKEN",
  "LOG_FORKED",
  "HEARTBEAT_AHEAD",
  "CHECKPOINT_NOT_OURS",
  "EVIDENCE_MISSING",
]);

export class SealingError extends CodedError<SealingErrorCode> {
  override readonly name = "SealingError";

  get isTampering(): boolean {
    return TAMPERING.has(this.code);
  }
}

/** @param what what does not agree, as a sentence without its end. */
export function logForked(what: string): SealingError {
  return new SealingError(
    "LOG_FORKED",
    `${what}. The log only ever grows: what was committed and published stays as it was. Nothing more is published. ` +
      "Find out who wrote to the evidence bucket or the log-state table, and put back what was there before. If no published " +
      "checkpoint references the object, hide it with an S3 delete marker.",
  );
}

/** @param what what is wrong with the table, as a sentence without its end. */
export function logStateBroken(what: string): SealingError {
  return new SealingError(
    "LOG_STATE_BROKEN",
    `${what}. Nobody but the sealer writes to the log-state table. Find out who did, and put the item back from the ` +
      "table's point-in-time recovery or from the evidence bucket.",
  );
}
