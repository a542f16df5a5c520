/** What all parts of one verification share. */

import { CodedError } from "../../contract";
import type { VerifierKey } from "../log/note";
import type { EvidenceFolder } from "./evidence";
import type { Findings } from "./findings";

export interface Run {
  readonly evidence: EvidenceFolder;
  /** Keys that may sign any checkpoint. */
  readonly keys: readonly VerifierKey[];
  /** Keys that may sign earlier checkpoints only: those before the first one that a newer key signed. */
  readonly retiredKeys: readonly VerifierKey[];
  readonly witnesses: readonly VerifierKey[];
  readonly findings: Findings;
  readonly clock: Clock;
  /** Called often; ends the run when the time is up. @throws OutOfTime */
  readonly checkDeadline: () => void;
  readonly progress: (done: number, total: number, what: string) => void;
}

export interface Clock {
  /** The auditor's clock. */
  readonly now: Date;
  /** The moment whose state is of interest: now, or one in the past. */
  readonly asOf: Date;
  /** How much older than that moment a source may be. */
  readonly sourceAgeMaxMs: number;
}

/** How far the clocks of two machines may differ. */
export const CLOCKS_DIFFER_MS = 15 * 60 * 1000;

/** Ends a verification early. */
export class OutOfTime extends CodedError<"OUT_OF_TIME"> {
  override readonly name = "OutOfTime";

  constructor() {
    super("OUT_OF_TIME", "The time that was given for the work is over.");
  }
}
