/**
 * The mark of what was recorded before, in another system: where it comes from, as its sender claims. It is stored with the row
 * and with its audit record, and is not part of the content: the same payment sent without it is the same payment.
 */

import { type Parsed, refused } from "./schema";
import { normalizeTimestamp } from "./timestamps";

export interface Imported {
  /** Names the earlier system, for example its table. */
  readonly from: string;
  /** When that system processed the payment, where the payment states no other time. */
  readonly processedAt?: string;
}

/** The mark as a member of what was understood; absent where none was sent. */
export function importMark(from: string | undefined): { readonly imported?: Imported } {
  return from === undefined ? {} : { imported: { from } };
}

/** The same with the earlier time of processing, which means nothing without the mark. */
export function importMarkWithTime(
  from: string | undefined,
  processedAt: string | undefined,
  now: Date,
): Parsed<{ readonly imported?: Imported }> {
  if (processedAt === undefined) return { ok: true, value: importMark(from) };
  if (from === undefined) return refused("MISSING_FIELD", "importedFrom");
  const time = normalizeTimestamp(processedAt, now);
  if ("fault" in time) return refused(time.fault, "originallyProcessedAt");
  return { ok: true, value: { imported: { from, processedAt: time.timestamp } } };
}
