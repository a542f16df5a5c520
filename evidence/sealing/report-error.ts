/** What an operator hears of an error of the log: its code as a log line, and an alarm where somebody must have tampered. */

import { LOG_METRICS } from "../../contract";
import type { Call } from "../../ledger/operations/call";
import type { Services } from "../../ledger/store/services";
import { SealingError } from "./errors";

export interface ErrorReporting {
  /** Writes one log line. */
  readonly logLine: (requestId: string, code: string) => void;
}

/** Does the work. A `SealingError` is reported and thrown on; any other error is only thrown on. */
export async function reportingErrors<T>(
  call: Call,
  services: Services,
  { logLine }: ErrorReporting,
  work: () => Promise<T>,
): Promise<T> {
  try {
    return await work();
  } catch (error) {
    if (error instanceof SealingError) {
      logLine(call.caller.requestId, error.code);
      if (error.isTampering) services.signal(LOG_METRICS.tampering);
    }
    throw error;
  }
}
