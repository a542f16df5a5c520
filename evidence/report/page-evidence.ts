/** What a report carries for its own check: the signed checkpoint, entries with their paths, and the records they commit to. */

import type { ItemJson } from "../../ledger/rules/attribute-value";

export const REPORT_FORMAT = "payment-ledger/report/1";

export interface PageEntry {
  /** Number of the entry in the log, from 0. */
  readonly index: number;
  /** The entry's bytes, which are UTF-8, as text. */
  readonly text: string;
  /** Places in `hashes` of the siblings on the way to the root, from the leaf up. */
  readonly path: readonly number[];
  /** The record as it is stored; null when the exports do not hold it, or when it is not to be shown. */
  readonly record: ItemJson | null;
}

/** An earlier checkpoint, and the proof that the log still begins with all of it. */
export interface EarlierTree {
  /** Signed note. */
  readonly checkpoint: string;
  /** Verifier keys, one of which signed it. */
  readonly keys: readonly string[];
  /** Places in `hashes`. */
  readonly proof: readonly number[];
}

export interface PageEvidence {
  readonly format: typeof REPORT_FORMAT;
  /** Signed note with the signatures of `keys` alone. */
  readonly checkpoint: string;
  /** Verifier keys of the log and of witnesses, as they were pinned. */
  readonly keys: readonly string[];
  /** Hashes in base64, each once. */
  readonly hashes: readonly string[];
  readonly entries: readonly PageEntry[];
  readonly earlier: EarlierTree | null;
  /** Number of the entry whose path is drawn; -1 for none. */
  readonly drawn: number;
  /** SHA-256 (base64) of the inside of the page's main element and of its summary. A checksum against accidents, and no proof. */
  readonly contentSha256: string;
}
