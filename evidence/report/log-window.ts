/** The newest entries of a log, each with the first heartbeat after it. */

import type { HeartbeatEntry, LogEntry } from "../log/entry";
import { bundlePath, TILE_WIDTH } from "../log/paths";
import { parseEntry } from "../verifier/entries";
import { type EvidenceFolder, readBundle } from "../verifier/evidence";
import { MissingBundleError } from "../verifier/proof-search";

export interface WindowEntry {
  readonly index: number;
  readonly entry: LogEntry;
  /** Time of the first heartbeat after it. */
  readonly sealedBefore?: string;
}

/** Bundles that are read: a report is about the newest time, and its memory must not grow with the log. */
const BUNDLES_MAX = 80;

/**
 * In the log's order.
 * @throws MissingBundleError, EvidenceError, EntryError for what is not there or not what it must be.
 */
export async function newestEntries(evidence: EvidenceFolder, size: number): Promise<WindowEntry[]> {
  const last = Math.ceil(size / TILE_WIDTH);
  const found: WindowEntry[] = [];
  for (let bundle = Math.max(0, last - BUNDLES_MAX); bundle < last; bundle += 1) {
    const width = Math.min(TILE_WIDTH, size - bundle * TILE_WIDTH);
    const entries = await readBundle(evidence, bundle, width);
    if (entries === undefined) throw new MissingBundleError(bundlePath(bundle, width), evidence.name);
    for (const [at, bytes] of entries.entries())
      found.push({ index: bundle * TILE_WIDTH + at, entry: parseEntry(bytes) });
  }
  return withHeartbeats(found);
}

/** @param entries in the log's order. */
export function withHeartbeats(entries: readonly Omit<WindowEntry, "sealedBefore">[]): WindowEntry[] {
  let next: HeartbeatEntry | undefined;
  return entries
    .toReversed()
    .map(({ index, entry }) => {
      if (entry.kind !== "HEARTBEAT") return { index, entry, ...(next && { sealedBefore: next.time }) };
      next = entry;
      return { index, entry };
    })
    .reverse();
}
