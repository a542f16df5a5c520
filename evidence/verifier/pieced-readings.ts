/** The merging of a verification in pieces: what they have read, in place of readings. */

import { gunzipSync } from "node:zlib";
import type { BlockRange, EntryFilter, LogChunk, LogReading, WantedEntry } from "./log-block";
import {
  type LogSums,
  linesIn,
  type PackedSums,
  packed,
  type ReadingRound,
  resultName,
  type Stream,
  unpackedBitSet,
  unpackedSums,
  unpackedTally,
  workName,
} from "./piece-results";
import { PiecesLeft, type PieceWork } from "./pieces";
import type { PartResult, ReaderSums, Readings, RecordReading, SharedReading } from "./readings";
import type { DigestedChange } from "./record-pass";
import type { RecordTally } from "./record-tally";
import type { Finding } from "./report";
import type { RecordSource } from "./sources";

/** The results of pieces, in place of readings. */
export class PiecedReadings implements Readings {
  private rounds = 0;
  /** They were read in the same round as the log. */
  readonly shared: SharedReading = {
    finish: async () => {
      const sums: ReaderSums[] = [];
      for await (const each of this.each<PackedSums>(0, "record-sums")) sums.push(unpackedSums(each));
      return sums;
    },
    resultsOf: async ({ table }) => {
      const parts: PartResult[] = [];
      for await (const each of this.stream<PartResult>(0, table)) parts.push(each);
      return parts;
    },
  };

  constructor(private readonly work: PieceWork) {}

  async *log(log: LogReading, tally: RecordTally): AsyncGenerator<LogChunk> {
    const round = await this.resultsOf({ kind: "first", log });
    yield* this.stream<LogChunk>(round, "log");
    for await (const { leaves, histories } of this.each<LogSums>(round, "log-sums")) {
      tally.leaves.addAll(unpackedTally(leaves));
      tally.histories.addAll(unpackedBitSet(histories).state);
    }
  }

  async *statements({ size, blockHeight }: BlockRange): AsyncGenerator<Finding> {
    const round = await this.resultsOf({ kind: "statements", log: { size, blockHeight } });
    yield* this.stream<Finding>(round, "log");
  }

  async *entriesAgain({ size, blockHeight }: BlockRange, filter: EntryFilter): AsyncGenerator<WantedEntry> {
    const round = await this.resultsOf({ kind: "entries", log: { size, blockHeight }, filter });
    yield* this.stream<WantedEntry>(round, "log");
  }

  async recordsAgain(
    { sources, filter }: RecordReading,
    take: (source: RecordSource, change: DigestedChange) => void,
  ): Promise<void> {
    const round = await this.resultsOf({ kind: "records", tables: sources.map(({ table }) => table), filter });
    for (const source of sources) {
      for await (const change of this.stream<DigestedChange>(round, source.table)) take(source, change);
    }
  }

  stop(): void {}

  /** @throws PiecesLeft unless every piece of it was read. */
  private async resultsOf(work: ReadingRound): Promise<number> {
    const { store, plan } = this.work;
    const round = this.rounds;
    this.rounds += 1;
    if ((await store.read(workName(round))) === undefined) await store.write(workName(round), packed(work));
    const left: number[] = [];
    for (let piece = 0; piece < plan.pieces; piece++) {
      if ((await store.read(resultName(round, piece, "done"))) === undefined) left.push(piece);
    }
    if (left.length > 0) throw new PiecesLeft(round, left);
    return round;
  }

  private async *stream<T>(round: number, stream: Stream): AsyncGenerator<T> {
    for (let piece = 0; piece < this.work.plan.pieces; piece++) {
      for await (const line of linesIn(await this.result(round, piece, stream))) yield JSON.parse(line) as T;
    }
  }

  private async *each<T>(round: number, what: "log-sums" | "record-sums"): AsyncGenerator<T> {
    for (let piece = 0; piece < this.work.plan.pieces; piece++) {
      yield JSON.parse(gunzipSync(await this.result(round, piece, what)).toString("utf8")) as T;
    }
  }

  private async result(round: number, piece: number, what: Stream | "log-sums" | "record-sums"): Promise<Buffer> {
    const name = resultName(round, piece, what);
    const bytes = await this.work.store.read(name);
    if (bytes === undefined) throw new Error(`${name} was there, and is not any more.`);
    return bytes;
  }
}
