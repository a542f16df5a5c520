/** The call that an operation serves. */

import type { Caller } from "../rules/audit-entry";

export interface Call {
  /** The function's name without suffix, for example `persist_payment_ledger`. */
  readonly operation: string;
  readonly caller: Caller;
  readonly now: Date;
  /** Milliseconds until Lambda ends the function. */
  readonly remainingMs: () => number;
}
