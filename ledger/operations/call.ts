/** The call that an operation serves. */

import type { Caller } from "../rules/audit-entry";
import type { EntryResult, OutcomeCounts } from "../rules/responses";

export interface Call {
  /** The function's name without suffix, for example `persist_payment_ledger`. */
  readonly operation: string;
  readonly caller: Caller;
  readonly now: Date;
  /** Milliseconds until Lambda ends the function. */
  readonly remainingMs: () => number;
  /**
   * Adds to the counts of the call's log line what became of entries that no answer counts: those of messages and files.
   * Absent where no log is written.
   */
  readonly noteOutcomes?: (counts: Partial<OutcomeCounts>) => void;
}

export function noteResults(results: readonly Pick<EntryResult, "outcome">[], call: Call): void {
  for (const { outcome } of results) call.noteOutcomes?.({ [outcome]: 1 });
}
