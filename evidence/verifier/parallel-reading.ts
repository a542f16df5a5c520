/**
 * The first reading by several threads: of the log, in blocks, and then of the records, in data files. What each has summed up is added
 * together, and what they found is reported in the order of the log and of the sources: so the report is the same for any number of threads.
 */

import path from "node:path";
import { Worker } from "node:worker_threads";
import type { LogicalTableName } from "../../contract";
import { blocksOf, type LogChunk, type LogReading, readBlock } from "./log-block";
import { readShared, type SharedResult, type SharedWork, takeBlock } from "./part-reader";
import type { LogState, PartResult, ReaderSums, SharedReading } from "./readings";
import { type ChangeFault, digestChanges } from "./record-pass";
import type { RecordTally } from "./record-tally";
import type { Run } from "./run";
import type { RecordChange, RecordSource } from "./sources";

export interface Thread {
  readonly sums: Promise<ReaderSums>;
  stop(): void;
}

export type StartThread = (work: SharedWork, onResult: (result: SharedResult) => void) => Thread;

export interface Threads {
  /** How many at most, this one among them. */
  readonly count: number;
  /** Default: a thread of Node.js. */
  readonly start?: StartThread;
  /** A thread is started for so many records and entries; fewer are read sooner than it has started. Default: 40,000. */
  readonly unitsEach?: number;
}

const UNITS_EACH = 40_000;

export class ParallelReading implements SharedReading {
  private readonly results: (PartResult | undefined)[] = [];
  private readonly blocks: (readonly LogChunk[] | undefined)[] = [];
  private readonly logStates: LogState[] = [];
  private readonly threads: readonly Thread[];
  /** Ends the waiting for a result of another thread. */
  private wake: () => void = () => {};

  private constructor(
    private readonly work: SharedWork,
    count: number,
    start: StartThread,
  ) {
    this.threads = Array.from({ length: count }, () => start(work, this.onResult));
    for (const { sums } of this.threads) {
      // The call that finishes the reading gets the error; until then nobody waits for it.
      sums.catch(() => this.wake());
    }
  }

  /**
   * Undefined where one thread does as well.
   * @param evidence of which the log is read, where it is a folder on this machine's disk.
   */
  static of(
    { evidence }: Pick<Run, "evidence">,
    reading: LogReading,
    sources: readonly RecordSource[],
    runKey: Buffer,
    { count, start = nodeThread, unitsEach = UNITS_EACH }: Threads,
  ): ParallelReading | undefined {
    const parts = sources.every((source) => source.parts !== undefined)
      ? sources.flatMap((source) => source.parts ?? [])
      : [];
    const log = evidence.folder === undefined ? undefined : { folder: evidence.folder, reading };
    const blocks = log === undefined ? 0 : blocksOf(reading);
    const records = parts.reduce((sum, { file }) => sum + file.itemCount, 0);
    const units = records + (log === undefined ? 0 : reading.size);
    const others = Math.min(count - 1, parts.length + blocks - 1, Math.floor(units / Math.max(1, unitsEach)));
    if (others < 1) return undefined;
    const taken = new SharedArrayBuffer(Int32Array.BYTES_PER_ELEMENT);
    return new ParallelReading({ parts, runKey, taken, ...(log && { log }) }, others, start);
  }

  /** Whether the log is read in this way too. */
  get readsLog(): boolean {
    return this.work.log !== undefined;
  }

  /** Whether the records are. */
  get readsRecords(): boolean {
    return this.work.parts.length > 0;
  }

  private readonly onResult = (result: SharedResult): void => {
    if ("block" in result) this.blocks[result.block] = result.chunks;
    else if ("index" in result) this.results[result.index] = result.result;
    else this.logStates.push(result.log);
    this.wake();
  };

  /** Reads blocks with the others until none is left, and gives each in its turn. @param tally has gained all that they say at the end. */
  async *log(reading: LogReading, tally: RecordTally, run: Run): AsyncGenerator<LogChunk> {
    const count = blocksOf(reading);
    for (let next = 0; next < count; ) {
      const chunks = this.blocks[next];
      if (chunks !== undefined) {
        this.blocks[next] = [];
        yield* chunks;
        next += 1;
        continue;
      }
      run.checkDeadline();
      const own = takeBlock(this.work);
      if (own === undefined) await this.untilResult();
      // Its own turn: nothing needs to be kept.
      else if (own === next) {
        yield* readBlock(own, reading, tally, run);
        next += 1;
      } else this.blocks[own] = await all(readBlock(own, reading, tally, run));
    }
    while (this.logStates.length < this.threads.length) await this.untilResult();
    for (const { leaves, histories } of this.logStates) {
      tally.leaves.addAll(leaves);
      tally.histories.addAll(histories);
    }
  }

  /** Waits for a further result of any thread. @throws what a thread ended with. */
  private async untilResult(): Promise<void> {
    const woken = new Promise<void>((resolve) => {
      this.wake = resolve;
    });
    await Promise.race([woken, ...this.threads.map(({ sums }) => sums.then(() => woken))]);
  }

  /** Reads with the others until nothing is left. */
  async finish(onProgress: (changes: number) => void): Promise<readonly ReaderSums[]> {
    const own = readShared(this.work, (result) => {
      this.onResult(result);
      onProgress(this.results.reduce((sum, each) => sum + (each?.changes ?? 0), 0));
    });
    return Promise.all([own, ...this.threads.map(({ sums }) => sums)]);
  }

  async resultsOf(source: RecordSource, firstPart: number): Promise<readonly PartResult[]> {
    return (source.parts ?? []).map((_, index) => {
      const result = this.results[firstPart + index];
      if (result === undefined) throw new Error("A thread ended without having read what it had taken.");
      return result;
    });
  }

  stop(): void {
    for (const thread of this.threads) thread.stop();
  }
}

async function all(chunks: AsyncIterable<LogChunk>): Promise<LogChunk[]> {
  const found: LogChunk[] = [];
  for await (const chunk of chunks) found.push(chunk);
  return found;
}

/** The faults of a part, read again where they were too many to be kept. */
export async function faultsOf(
  table: LogicalTableName,
  read: () => AsyncIterable<readonly RecordChange[]>,
  { faults }: PartResult,
  onFault: (fault: ChangeFault) => void,
): Promise<void> {
  if (faults !== undefined) for (const fault of faults) onFault(fault);
  else await digestChanges(read(), table, { take: () => {}, onFault });
}

/** What a thread reports: what it has read, and at its end its sums. */
export type ThreadMessage = SharedResult | { readonly sums: ReaderSums };

/** The bundled program starts itself again; from its sources, a file beside this one that knows TypeScript. */
const SCRIPT = __filename.endsWith(".ts") ? path.join(__dirname, "reader-thread.cjs") : __filename;

/** Half of Node.js's own limit: a thread takes some 20 MB less and no more time. */
const LIMITS = { maxYoungGenerationSizeMb: 24 };

const nodeThread: StartThread = (work, onResult) => {
  const worker = new Worker(SCRIPT, { workerData: { sharedWork: work }, resourceLimits: LIMITS });
  const sums = new Promise<ReaderSums>((resolve, reject) => {
    worker.on("message", (message: ThreadMessage) => {
      if ("sums" in message) resolve(message.sums);
      else onResult(message);
    });
    worker.on("error", reject);
    worker.on("exit", () => reject(new Error("A thread ended before it had read its share.")));
  });
  return { sums, stop: () => void worker.terminate() };
};
