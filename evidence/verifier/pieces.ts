/** A verification in pieces (`ledger/pieces/plan.ts`): what its rounds read, what its pieces sum up, and the merging. */

import { hash } from "node:crypto";
import type { LogicalTableName } from "../../contract";
import {
  type PackedBitSet,
  type PackedTally,
  packedTally,
  unpackedBitSet,
  unpackedTally,
} from "../../ledger/pieces/packed";
import { keptPlan, openPlan, type PiecePlan, type PieceStore, type PieceWork } from "../../ledger/pieces/plan";
import { MergedRounds } from "../../ledger/pieces/rounds";
import { canonicalJson } from "../../ledger/rules/canonical-json";
import { CHECKPOINT_PATH } from "../log/paths";
import type { EvidenceFolder } from "./evidence";
import type { BlockRange, EntryFilter, LogChunk, LogReading, WantedEntry } from "./log-block";
import type { PartResult, ReaderSums, Readings, RecordFilter, RecordReading, SharedReading } from "./readings";
import type { DigestedChange } from "./record-pass";
import type { RecordTally } from "./record-tally";
import type { Finding } from "./report";
import type { RecordSource } from "./sources";

/** One round: a reading, of which each piece does its share. */
export type ReadingRound =
  | { readonly kind: "first"; readonly log: LogReading }
  | { readonly kind: "statements"; readonly log: BlockRange }
  | { readonly kind: "entries"; readonly log: BlockRange; readonly filter: EntryFilter }
  | { readonly kind: "records"; readonly tables: readonly LogicalTableName[]; readonly filter: RecordFilter };

/** The lines of results of a piece: of the log, and of each table. */
export type Stream = "log" | LogicalTableName;

/** What the entries of a piece say of the records. */
export interface LogSums {
  readonly leaves: PackedTally;
  readonly histories: PackedBitSet;
}

export function packedSums({ items, pairs }: ReaderSums) {
  const { rows, records, rowCount } = pairs;
  return { items: packedTally(items), rows: packedTally(rows), records: packedTally(records), rowCount };
}

export type PackedSums = ReturnType<typeof packedSums>;

export function unpackedSums({ items, rows, records, rowCount }: PackedSums): ReaderSums {
  return {
    items: unpackedTally(items),
    pairs: { rows: unpackedTally(rows), records: unpackedTally(records), rowCount },
  };
}

export interface PieceSubject {
  readonly evidence: EvidenceFolder;
  readonly sources: readonly RecordSource[];
}

/** The plan in the store, or a new one in an empty store. @throws PieceError for a plan of something else. */
export async function planIn(
  store: PieceStore,
  subject: PieceSubject,
  wanted: { readonly pieces: number; readonly now: Date },
): Promise<PiecePlan> {
  return openPlan(store, await subjectHash(subject), wanted);
}

/** Undefined where nothing was begun. @throws PieceError for a plan of something else. */
export async function storedPlan(store: PieceStore, subject: PieceSubject): Promise<PiecePlan | undefined> {
  return keptPlan(store, await subjectHash(subject));
}

/** SHA-256 in base64 of what is verified: the checkpoint and the sources. */
async function subjectHash({ evidence, sources }: PieceSubject): Promise<string> {
  const checkpoint = (await evidence.read(CHECKPOINT_PATH))?.toString("base64") ?? "";
  const described = sources.map(({ table, takenAt, parts = [], segments = [] }) => [
    table,
    takenAt,
    parts.map(({ file }) => [file.path, file.md5, file.itemCount]),
    segments.length,
  ]);
  return hash("sha256", canonicalJson([checkpoint, described]), "base64");
}

/** The results of pieces, in place of readings. */
export class PiecedReadings implements Readings {
  private readonly rounds: MergedRounds<ReadingRound>;
  /** They were read in the same round as the log. */
  readonly shared: SharedReading = {
    finish: async () => {
      const sums: ReaderSums[] = [];
      for await (const each of this.rounds.sums<PackedSums>(0, "record-sums")) sums.push(unpackedSums(each));
      return sums;
    },
    resultsOf: async ({ table }) => {
      const parts: PartResult[] = [];
      for await (const each of this.linesOf<PartResult>(0, table)) parts.push(each);
      return parts;
    },
  };

  constructor(work: PieceWork) {
    this.rounds = new MergedRounds(work);
  }

  async *log(log: LogReading, tally: RecordTally): AsyncGenerator<LogChunk> {
    const round = await this.rounds.resultsOf({ kind: "first", log });
    yield* this.linesOf<LogChunk>(round, "log");
    for await (const { leaves, histories } of this.rounds.sums<LogSums>(round, "log-sums")) {
      tally.leaves.addAll(unpackedTally(leaves));
      tally.histories.addAll(unpackedBitSet(histories).state);
    }
  }

  async *statements({ size, blockHeight }: BlockRange): AsyncGenerator<Finding> {
    const round = await this.rounds.resultsOf({ kind: "statements", log: { size, blockHeight } });
    yield* this.linesOf<Finding>(round, "log");
  }

  async *entriesAgain({ size, blockHeight }: BlockRange, filter: EntryFilter): AsyncGenerator<WantedEntry> {
    const round = await this.rounds.resultsOf({ kind: "entries", log: { size, blockHeight }, filter });
    yield* this.linesOf<WantedEntry>(round, "log");
  }

  async recordsAgain(
    { sources, filter }: RecordReading,
    take: (source: RecordSource, change: DigestedChange) => void,
  ): Promise<void> {
    const round = await this.rounds.resultsOf({ kind: "records", tables: sources.map(({ table }) => table), filter });
    for (const source of sources) {
      for await (const change of this.linesOf<DigestedChange>(round, source.table)) take(source, change);
    }
  }

  stop(): void {}

  private linesOf<T>(round: number, stream: Stream): AsyncGenerator<T> {
    return this.rounds.lines(round, stream);
  }
}
