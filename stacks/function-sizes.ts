/** Memory and time of each function, and how its queue feeds it. The queues' visibility follows from the times. */

import type { FunctionId, QueueId } from "../contract";
import { CONSUMERS } from "./config/names";

export interface Size {
  readonly memoryMb: number;
  readonly timeoutSeconds: number;
}

/** Sized for a list of payments where one is accepted; a read answers one page. */
export const SIZES: Record<FunctionId, Size> = {
  persistPaymentLedger: { memoryMb: 1024, timeoutSeconds: 60 },
  updatePaymentStatus: { memoryMb: 512, timeoutSeconds: 30 },
  recordPaymentEvent: { memoryMb: 512, timeoutSeconds: 60 },
  queryPaymentLedger: { memoryMb: 512, timeoutSeconds: 30 },
  revealPaymentToken: { memoryMb: 512, timeoutSeconds: 30 },
  persistPaymentAuditTrail: { memoryMb: 1024, timeoutSeconds: 60 },
  queryPaymentAuditTrail: { memoryMb: 512, timeoutSeconds: 30 },
  processPaymentMessages: { memoryMb: 1024, timeoutSeconds: 60 },
  // 1769 MB is one whole processor, and 900 s is as long as Lambda lets a function run.
  paymentProcessor: { memoryMb: 1769, timeoutSeconds: 900 },
  queryTransactions: { memoryMb: 512, timeoutSeconds: 30 },
  exportTables: { memoryMb: 512, timeoutSeconds: 300 },
  checkBackup: { memoryMb: 1769, timeoutSeconds: 900 },
  // Nobody waits for it, and at usual rates it is called for a few records at a time, to wait for DynamoDB.
  sealAuditTrail: { memoryMb: 512, timeoutSeconds: 120 },
  publishCheckpoint: { memoryMb: 1024, timeoutSeconds: 120 },
  sweepAuditTrail: { memoryMb: 1769, timeoutSeconds: 900 },
  drillRestore: { memoryMb: 1769, timeoutSeconds: 900 },
  attestCallers: { memoryMb: 1769, timeoutSeconds: 900 },
};

export interface EventSource {
  readonly batchSize: number;
  /** How long a batch may wait to fill. FIFO queues have no such setting. */
  readonly windowSeconds?: number;
}

export const FEEDS: Record<QueueId, EventSource> = {
  auditEvents: { batchSize: 10 },
  paymentMessages: { batchSize: 25, windowSeconds: 1 },
};

/** How the tables' streams feed the sealer. A batch is one conditional write of the log, however many changes it holds: so it waits to fill. */
export const STREAM_FEED = { batchSize: 1000, windowSeconds: 20 } as const satisfies EventSource;

/** AWS asks for six times the function's time, so that throttled attempts do not make a message visible again too soon. */
const VISIBILITY_FACTOR = 6;

export function visibilitySeconds(queue: QueueId): number {
  return VISIBILITY_FACTOR * SIZES[CONSUMERS[queue]].timeoutSeconds + (FEEDS[queue].windowSeconds ?? 0);
}
