/** Signals about many things of one kind. */

import type { Services, Signal } from "../../ledger/store/services";

/** More than this changes nothing about an alarm, and fills the log; the response and the audit record have the whole number. */
const SIGNALS_MAX = 1_000;

export function signalEach(signal: Signal, count: number, services: Pick<Services, "signal">): void {
  for (let sent = 0; sent < Math.min(count, SIGNALS_MAX); sent++) services.signal(signal);
}
