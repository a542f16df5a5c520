/** Makes the functions' answers. Their schemas are apart: no function needs them, and making them takes a cold start's time. */

import type { Refusal } from "./refusals";
import type { EntryResult, EventResult, EventsResponse, PersistResponse, RefusedResponse } from "./responses";
import { SCHEMA_VERSION } from "./schema";

/** The answer of a persist function. */
export function persistResponse(results: readonly EntryResult[]): PersistResponse {
  return { schemaVersion: SCHEMA_VERSION, ...counted(results) };
}

/** The answer of `record_payment_event`. */
export function eventsAnswer(results: readonly EventResult[]): EventsResponse {
  return { schemaVersion: SCHEMA_VERSION, ...counted(results) };
}

/** Results in the order sent, and their counts. */
function counted<Result extends EntryResult | EventResult>(results: readonly Result[]) {
  const counts = { stored: 0, duplicate: 0, conflict: 0, refused: 0 };
  for (const { outcome } of results) counts[outcome] += 1;
  return { results: results.toSorted((a, b) => a.position - b.position), counts };
}

/** The mark of an answer about one payment, by its id, of which nothing is recorded. */
export function notFoundIf(isUnknown: boolean): { readonly notFound?: true } {
  return isUnknown ? { notFound: true } : {};
}

export function refusedWith(fault: Refusal, auditId?: string): RefusedResponse {
  return {
    schemaVersion: SCHEMA_VERSION,
    outcome: "refused",
    ...fault,
    ...(auditId === undefined ? {} : { AuditID: auditId }),
  };
}
