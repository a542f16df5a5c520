/** What all stages of the job share. */

import type { Deployment } from "../deploy";
import type { ArrivalSamples } from "./arrivals";
import type { LedgerCalls } from "./calls";
import type { ExpectedCounts, InputLine } from "./input";
import type { Invariants } from "./invariants";
import type { JobEnvironment } from "./job-environment";
import type { OfflineAudits } from "./offline-audits";
import type { Progress } from "./progress";
import type { Reader } from "./reader";

export interface Session {
  readonly environment: JobEnvironment;
  readonly deployment: Deployment;
  readonly calls: LedgerCalls;
  readonly reader: Reader;
  readonly audits: OfflineAudits;
  readonly lines: readonly InputLine[];
  readonly expected: ExpectedCounts;
  readonly samples: ArrivalSamples;
  readonly invariants: Invariants;
  readonly progress: Progress;
  readonly startedAt: Date;
}
