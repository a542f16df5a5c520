/**
 * The first reading of the records by several threads, while the log is read. What each has summed up is added together, and what
 * they found is reported in the order of the sources: so the report is the same for any number of threads.
 */

import path from "node:path";
import { Worker } from "node:worker_threads";
import type { LogicalTableName } from "../../contract";
import { readShared, type SharedWork } from "./part-reader";
import type { PartResult, ReaderSums, SharedReading } from "./readings";
import { type ChangeFault, digestChanges } from "./record-pass";
import type { RecordChange, RecordPart, RecordSource } from "./sources";

export interface Thread {
  readonly sums: Promise<ReaderSums>;
  stop(): void;
}

export type StartThread = (work: SharedWork, onPart: (index: number, result: PartResult) => void) => Thread;

export interface Threads {
  /** How many at most, this one among them. */
  readonly count: number;
  /** Default: a thread of Node.js. */
  readonly start?: StartThread;
  /** A thread is started for so many records; fewer are read sooner than it has started. Default: 20,000. */
  readonly recordsEach?: number;
}

const RECORDS_EACH = 20_000;

export class ParallelReading implements SharedReading {
  private readonly results: (PartResult | undefined)[] = [];
  private readonly threads: readonly Thread[];
  private readonly work: SharedWork;

  private constructor(parts: readonly RecordPart[], runKey: Buffer, count: number, start: StartThread) {
    this.work = { parts, runKey, taken: new SharedArrayBuffer(Int32Array.BYTES_PER_ELEMENT) };
    this.threads = Array.from({ length: count }, () => start(this.work, this.onPart));
    // The call that finishes the reading gets the error; until then nobody waits for it.
    for (const { sums } of this.threads) sums.catch(() => {});
  }

  /** Undefined where one thread does as well, or where a source does not come in parts. */
  static of(sources: readonly RecordSource[], runKey: Buffer, threads: Threads): ParallelReading | undefined {
    const { count, start = nodeThread, recordsEach = RECORDS_EACH } = threads;
    const parts = sources.flatMap((source) => source.parts ?? []);
    const records = parts.reduce((sum, { file }) => sum + file.itemCount, 0);
    const others = Math.min(count - 1, parts.length - 1, recordsEach === 0 ? count : Math.floor(records / recordsEach));
    const isInParts = sources.every((source) => source.parts !== undefined);
    return others < 1 || !isInParts ? undefined : new ParallelReading(parts, runKey, others, start);
  }

  private readonly onPart = (index: number, result: PartResult): void => {
    this.results[index] = result;
  };

  /** Reads with the others until nothing is left. */
  async finish(onProgress: (changes: number) => void): Promise<readonly ReaderSums[]> {
    const own = readShared(this.work, (index, result) => {
      this.onPart(index, result);
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

/** What a thread reports: a part that it has read, and at its end its sums. */
export type ThreadMessage = { readonly index: number; readonly result: PartResult } | { readonly sums: ReaderSums };

/** The bundled program starts itself again; from its sources, a file beside this one that knows TypeScript. */
const SCRIPT = __filename.endsWith(".ts") ? path.join(__dirname, "reader-thread.cjs") : __filename;

const nodeThread: StartThread = (work, onPart) => {
  const worker = new Worker(SCRIPT, { workerData: { sharedWork: work } });
  const sums = new Promise<ReaderSums>((resolve, reject) => {
    worker.on("message", (message: ThreadMessage) => {
      if ("sums" in message) resolve(message.sums);
      else onPart(message.index, message.result);
    });
    worker.on("error", reject);
    worker.on("exit", () => reject(new Error("A thread ended before it had read its records.")));
  });
  return { sums, stop: () => void worker.terminate() };
};
