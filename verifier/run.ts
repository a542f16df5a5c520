/** What all parts of one verification share. */

import type { EvidenceFolder } from "./evidence";
import type { VerifierKey } from "./note";
import type { Findings } from "./report";

export interface Run {
  readonly evidence: EvidenceFolder;
  readonly keys: readonly VerifierKey[];
  readonly witnesses: readonly VerifierKey[];
  readonly findings: Findings;
  /** Called often; ends the run when the time is up. @throws OutOfTime */
  readonly goOn: () => void;
  readonly progress: (done: number, total: number, what: string) => void;
}

/** Ends a verification early. */
export class OutOfTime extends Error {
  override readonly name = "OutOfTime";
}
