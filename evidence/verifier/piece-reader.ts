/** Reads one piece: its share of the log and of each source, as the newest round demands. */

import type { LogicalTableName } from "../../contract";
import { JsonLines, packedBitSet, packedTally } from "../../ledger/pieces/packed";
import type { PieceStore } from "../../ledger/pieces/plan";
import { type PieceOfRound, readPieceOfRound } from "../../ledger/pieces/rounds";
import { KeyedHash } from "../../ledger/rules/tally";
import { readersOf } from "./export-source";
import { type BlockRange, blocksOf, entriesInBlock, type LogReading, readBlock, statementsIn } from "./log-block";
import { filterOf } from "./own-readings";
import { PairTally } from "./pairs";
import { readPart } from "./part-reader";
import { type LogSums, type PieceSubject, packedSums, type ReadingRound, type Stream, storedPlan } from "./pieces";
import type { RecordFilter } from "./readings";
import { type DigestedChange, digestChanges } from "./record-pass";
import { RecordTally } from "./record-tally";
import type { RecordSource } from "./sources";

export interface PieceOptions extends PieceSubject {
  readonly store: PieceStore;
  /** From 0. */
  readonly piece: number;
  /** Called often. It may throw, to end the reading: the piece is then read anew. */
  readonly checkDeadline?: () => void;
  readonly onProgress?: (done: number, total: number, what: string) => void;
}

/** Reads one piece of the newest round. @returns that round; undefined where the piece was read before. @throws PieceError */
export async function readPiece(options: PieceOptions): Promise<number | undefined> {
  const plan = await storedPlan(options.store, options);
  return readPieceOfRound<ReadingRound>({ ...options, plan }, (work, own) => new PieceReading(options, own).read(work));
}

class PieceReading {
  private readonly keyed: KeyedHash;

  constructor(
    private readonly options: PieceOptions,
    private readonly own: PieceOfRound,
  ) {
    this.keyed = new KeyedHash(Buffer.from(own.plan.runKey, "base64"));
  }

  async read(work: ReadingRound): Promise<void> {
    if (work.kind === "first") {
      await this.readLog(work.log);
      await this.readSources();
    } else if (work.kind === "statements") {
      await this.ofBlocks(work.log, (block) => statementsIn(block, work.log, this.reader));
    } else if (work.kind === "entries") {
      await this.ofBlocks(work.log, (block) => entriesInBlock(block, work.log, work.filter, this.keyed, this.reader));
    } else await this.readSourcesAgain(work.tables, work.filter);
  }

  private get reader() {
    const { evidence, checkDeadline = () => {}, onProgress = () => {} } = this.options;
    return { evidence, checkDeadline, progress: onProgress };
  }

  private async readLog(log: LogReading): Promise<void> {
    const tally = new RecordTally(this.keyed);
    await this.ofBlocks(log, (block) => readBlock(block, log, tally, this.reader));
    const sums: LogSums = { leaves: packedTally(tally.leaves.state), histories: packedBitSet(tally.histories) };
    await this.own.sums("log-sums", sums);
  }

  private async readSources(): Promise<void> {
    const sums = { tally: new RecordTally(this.keyed), pairs: new PairTally(this.keyed) };
    for (const source of this.options.sources) {
      const results = new JsonLines();
      for (const read of this.own.share(readersOf(source))) {
        results.add(await readPart(source, this.watched(source, read), sums));
      }
      await this.write(source.table, results);
    }
    await this.own.sums("record-sums", packedSums({ items: sums.tally.items.state, pairs: sums.pairs.state }));
  }

  private async readSourcesAgain(tables: readonly LogicalTableName[], filter: RecordFilter): Promise<void> {
    for (const source of this.options.sources) {
      const { table } = source;
      if (!tables.includes(table)) continue;
      const isIn = filterOf(filter, table, this.keyed);
      const results = new JsonLines();
      const take = (change: DigestedChange) => {
        if (isIn(change)) results.add(change);
      };
      for (const read of this.own.share(readersOf(source))) {
        // What cannot be read is a finding of the first reading.
        await digestChanges(this.watched(source, read)(), table, { take, onFault: () => {} });
      }
      await this.write(table, results);
    }
  }

  private async ofBlocks(log: BlockRange, read: (block: number) => AsyncIterable<object>): Promise<void> {
    const results = new JsonLines();
    const blocks = Array.from({ length: blocksOf(log) }, (_, block) => block);
    for (const block of this.own.share(blocks)) for await (const result of read(block)) results.add(result);
    await this.write("log", results);
  }

  /** The part's batches, between which the deadline is checked. */
  private watched({ table, expected = 0 }: RecordSource, read: ReturnType<typeof readersOf>[number]) {
    const { checkDeadline, progress } = this.reader;
    return async function* () {
      let done = 0;
      for await (const batch of read()) {
        checkDeadline();
        done += batch.length;
        progress(done, expected, `records of ${table}`);
        yield batch;
      }
    };
  }

  private write(stream: Stream, results: JsonLines): Promise<void> {
    return this.own.lines(stream, results);
  }
}
