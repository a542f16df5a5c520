/** Records as the verifier takes them in: from exports, from a scan, from a restored table. */

import { CodedError, type LogicalTableName } from "../../contract";
import type { DataFile } from "../../ledger/exports/manifest";
import type { ItemJson } from "../../ledger/rules/attribute-value";

/** A full export or a scan tells `now` only; an incremental export the item before and after its window. */
export interface RecordChange {
  /** Parsed, or as its JSON text. */
  readonly now?: ItemJson | string;
  readonly before?: ItemJson | string;
  /** May repeat changes that an earlier part of the source delivered: from a window that begins before the full export was taken. */
  readonly replay?: boolean;
  /** A part of the source that could not be read, in words. Nothing else is delivered then. */
  readonly fault?: string;
}

/** One data file of an export, described by what a thread needs to read it. */
export interface RecordPart {
  readonly table: LogicalTableName;
  /** Of the source. */
  readonly takenAt: string;
  /** Folder on this machine's disk that holds the exports. */
  readonly folder: string;
  readonly file: DataFile;
  /** False for a file that the manifest lists and that is not there. */
  readonly isListed: boolean;
  readonly kind: "full" | "incremental";
  readonly replay: boolean;
}

export interface RecordSource {
  readonly table: LogicalTableName;
  /** How reports name it. */
  readonly name: string;
  /** RFC 3339 in UTC. Everything that was written before this moment is in it. */
  readonly takenAt: string;
  /** How long the reading went on after that, for a source that is no snapshot: a scan. Default: 0. */
  readonly lastsMs?: number;
  /** How many changes it is said to tell, where that is known: for the progress. */
  readonly expected?: number;
  /** The same as `batches`, in parts that can be read in any order and by several threads. */
  readonly parts?: readonly RecordPart[];
  /** The same of a source that is no files: a table that is scanned in segments. */
  readonly segments?: readonly (() => AsyncIterable<readonly RecordChange[]>)[];
  /** May be read more than once; each time it tells the same, in the same order of time for each key. */
  batches(): AsyncIterable<readonly RecordChange[]>;
}

/** A source cannot be read to its end, or a line of it is no record. What it says goes into the report. */
export class SourceError extends CodedError<"SOURCE_DAMAGED" | "SOURCE_MISSING"> {
  override readonly name = "SourceError";
}

/** @throws SourceError for a source that does not say when it was taken. */
export function timeOf({ name, takenAt }: Pick<RecordSource, "name" | "takenAt">): number {
  const time = Date.parse(takenAt);
  if (Number.isNaN(time)) throw new SourceError("SOURCE_DAMAGED", `${name} does not say when it was taken.`);
  return time;
}
