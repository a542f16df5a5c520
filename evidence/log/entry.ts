/**
 * The entries of the log, as bytes. They are canonical JSON, hold no clock reading but a heartbeat's own, and follow from
 * what the stream said: sealing the same change again gives the same bytes.
 */

import type { LogicalTableName } from "../../contract";
import { canonicalJson } from "../../ledger/rules/canonical-json";

export const ENTRY_FORMAT = "payment-ledger/entry/1";

/**
 * `RECORD`: a record, or its next allowed version, with a good MAC. `FORGED`: a record that none of the functions wrote.
 * `TAMPER`: a stored record was altered or removed. `LATE`: a record as a consistent read found it in its table: one that the
 * stream never reported, or of which an event said what the table did not show.
 */
export const RECORD_KINDS = ["RECORD", "FORGED", "TAMPER", "LATE"] as const;
export type RecordKind = (typeof RECORD_KINDS)[number];
export type EntryKind = RecordKind | "HEARTBEAT";
export const ENTRY_KINDS: readonly EntryKind[] = [...RECORD_KINDS, "HEARTBEAT"];

/** What happened to one item of a table. */
export interface RecordEntry {
  readonly kind: RecordKind;
  readonly table: LogicalTableName;
  /** The values of the item's key attributes: partition key, then sort key where the table has one. */
  readonly key: readonly string[];
  /** The item's `Version`; "1" in tables whose items have none. Of a removed item, its last. */
  readonly version: string;
  /** The stream record's sequence number; empty in a `LATE` entry, which follows from no stream record. */
  readonly sequence: string;
  /** `commitmentOf` the item as it is now; empty when it was removed. */
  readonly commitment: string;
  /** `commitmentOf` the item that this one replaced or that was removed; empty when there was none. */
  readonly previous: string;
}

/** Shows that the log is at work, and what it had sealed before. A log without new heartbeats has stopped. */
export interface HeartbeatEntry {
  readonly kind: "HEARTBEAT";
  /** By the sealer's clock, RFC 3339 in UTC with milliseconds. Everything before it was written before that. */
  readonly time: string;
  /** How many entries of each kind are before it. */
  readonly counts: Readonly<Record<EntryKind, number>>;
  /** Size of the tree that the last published checkpoint covers, and SHA-256 (base64url) of that checkpoint's text; 0 and empty before the first. */
  readonly previousSize: number;
  readonly previousCheckpoint: string;
}

export type LogEntry = RecordEntry | HeartbeatEntry;

/** @throws CanonicalJsonError when a key holds what JSON cannot carry. */
export function entryBytes(entry: LogEntry): Buffer {
  return Buffer.from(canonicalJson(entry.kind === "HEARTBEAT" ? heartbeatForm(entry) : recordForm(entry)), "utf8");
}

function recordForm({ kind, table, key, version, sequence, commitment, previous }: RecordEntry) {
  return { format: ENTRY_FORMAT, kind, table, key: [...key], version, sequence, commitment, previous };
}

/** Numbers as decimal text: RFC 8785 writes a number as a double. */
function heartbeatForm({ kind, time, counts, previousSize, previousCheckpoint }: HeartbeatEntry) {
  const texts = Object.fromEntries(ENTRY_KINDS.map((each) => [each, String(counts[each])]));
  return { format: ENTRY_FORMAT, kind, time, counts: texts, previousSize: String(previousSize), previousCheckpoint };
}
