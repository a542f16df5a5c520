/** Where a deployment ends, one limit after the other, in payments a second: from settings, counts, and AWS's own quotas. */

import type { AppConfig } from "../../stacks/config/types";
import { STREAM_FEED } from "../../stacks/function-sizes";
import type { WayCounts, WayIn } from "../cost/counted";
import { callSeconds } from "../cost/variable";
import { SEALING } from "./sealing";

/** Of AWS, per account and region unless it is asked for more; from AWS's documentation as of 2026. */
const QUOTAS = { partitionUnits: 1_000, tableUnits: 40_000, lambdaConcurrency: 1_000 } as const;
/**
 * Write units of the busiest key of the log's batches at 20,000 records a second, as `npm run bench -- seal-cost` counts them.
 */
const BUSIEST_BATCH_KEY = { units: 308, recordsPerSecond: 20_000 } as const;

export interface Limit {
  readonly what: string;
  readonly paymentsPerSecond: number;
  /** What moves it. */
  readonly setting: string;
}

const FUNCTION_OF = {
  single: "persistPaymentLedger",
  list: "persistPaymentLedger",
  message: "processPaymentMessages",
  fileRow: "paymentProcessor",
} as const satisfies Partial<Record<WayIn, string>>;
export type PaymentWay = keyof typeof FUNCTION_OF;
export const PAYMENT_WAYS = Object.keys(FUNCTION_OF) as readonly PaymentWay[];

/** The lowest first. */
export function limitsOf(way: PaymentWay, counts: WayCounts, config: AppConfig): Limit[] {
  const perCall = 1 / counts.calls;
  const reserved = config.protections.reservedConcurrency?.[FUNCTION_OF[way]] ?? QUOTAS.lambdaConcurrency;
  const recordUnits = 2 * Math.ceil(counts.recordBytes / 1024);
  const seconds = callSeconds(way);
  const { attemptMs, prepareMs, publishMs } = SEALING;
  const sealers = config.protections.reservedConcurrency?.sealAuditTrail ?? QUOTAS.lambdaConcurrency;
  const recordsToPayments = (records: number) => records / counts.sealedRecords;
  const limits: Limit[] = [
    {
      what: `${reserved} calls of the function at once`,
      paymentsPerSecond: (reserved * perCall) / seconds,
      setting: "`protections.reservedConcurrency`; above 1,000 in all, Lambda's quota of the account",
    },
    {
      what: `an index's ${config.indexShardCount} shards of one day, 1,000 write units each`,
      paymentsPerSecond: config.indexShardCount * QUOTAS.partitionUnits,
      setting: "`indexShardCount`, up to 100; it may grow and never shrink",
    },
    {
      what: `40,000 write units of the audit trail, ${recordUnits} a record`,
      paymentsPerSecond: QUOTAS.tableUnits / recordUnits,
      setting: "DynamoDB's quota of write units a table, raised on request",
    },
    {
      what: "the publisher, one at a time",
      paymentsPerSecond: recordsToPayments(1000 / publishMs),
      setting: "`PARALLEL_PUTS` in `evidence/sealing/publish.ts`; then several logs",
    },
    {
      what: `the log's head, a batch of ${STREAM_FEED.batchSize} in ${attemptMs} ms`,
      paymentsPerSecond: recordsToPayments((STREAM_FEED.batchSize * 1000) / attemptMs),
      setting: "nothing: one log has one head; several deployments, each with its log",
    },
    {
      what: "the busiest key of the log's batches, 1,000 write units",
      paymentsPerSecond: recordsToPayments(
        (BUSIEST_BATCH_KEY.recordsPerSecond * QUOTAS.partitionUnits) / BUSIEST_BATCH_KEY.units,
      ),
      setting: "nothing: the head ends before it",
    },
    {
      what: `${sealers} sealers at once`,
      paymentsPerSecond: recordsToPayments((sealers * STREAM_FEED.batchSize * 1000) / (prepareMs + attemptMs)),
      setting: "`protections.reservedConcurrency.sealAuditTrail`",
    },
  ];
  return limits.toSorted((one, other) => one.paymentsPerSecond - other.paymentsPerSecond);
}
