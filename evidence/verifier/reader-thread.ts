/** What a thread of the verifier does: it reads blocks of the log and parts of the sources that it shares with others, and reports what it read. */

import { isMainThread, parentPort, workerData } from "node:worker_threads";
import type { ThreadMessage } from "./parallel-reading";
import { readShared, type SharedWork } from "./part-reader";

/** Whether this is a thread that the verifier started. A bundled program is started again in each; its commands must then do nothing. */
export const isReaderThread: boolean = !isMainThread && workerData?.sharedWork !== undefined;

async function read(work: SharedWork): Promise<void> {
  const report = (message: ThreadMessage) => parentPort?.postMessage(message);
  const sums = await readShared(work, report);
  report({ sums });
}

if (isReaderThread) void read(workerData.sharedWork);
