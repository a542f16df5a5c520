/** What all stages of the job share. */

import type { Deployment } from "../deploy";
import type { ArrivalSamples } from "./arrivals";
import type { LedgerCalls } from "./calls";
import type { Expected, InputLine } from "./input";
import type { Invariants } from "./invariants";
import type { JobEnvironment } from "./job-environment";
import type { Progress } from "./progress";
import type { Reader } from "./reader";
import type { Auditing } from "./visits";

export interface Session {
  readonly environment: JobEnvironment;
  readonly deployment: Deployment;
  readonly calls: LedgerCalls;
  readonly reader: Reader;
  readonly auditing: Auditing;
  readonly lines: readonly InputLine[];
  readonly expected: Expected;
  readonly samples: ArrivalSamples;
  readonly invariants: Invariants;
  readonly progress: Progress;
  readonly startedAt: Date;
}
