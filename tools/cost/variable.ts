/** What a month's payments, events and reads cost, line by line, from what was counted of each way in. */

import { API_FUNCTIONS, type FunctionId } from "../../contract";
import { SIZES, STREAM_FEED } from "../../stacks/function-sizes";
import { SHARDS_MIN } from "../simulate/sealing";
import { FILE_ROWS, type WayCounts, type WayIn } from "./counted";
import type { CostLine } from "./idle";
import { PRICES, type PriceName } from "./prices";

export interface VariableLine extends CostLine {
  readonly price: PriceName;
}

/** Write units of the log for each record, by the length of the batch: `npm run bench -- seal-cost` counts them. */
export const SEAL_UNITS: readonly (readonly [batch: number, writeUnits: number])[] = [
  [1, 4],
  [9, 4 / 9],
  [10, 0.6],
  [20, 0.3],
  [100, 0.18],
  [1_000, 0.156],
];

/** The function of each way, and how long a call of it runs, a file by 500 rows: an estimate. The rest of this file is counted. */
const RUNNING: Readonly<Record<WayIn, { readonly function: keyof typeof SIZES; readonly seconds: number }>> = {
  single: { function: "persistPaymentLedger", seconds: 0.015 },
  list: { function: "persistPaymentLedger", seconds: 0.06 },
  message: { function: "processPaymentMessages", seconds: 0.04 },
  fileRow: { function: "paymentProcessor", seconds: 0.3 },
  refund: { function: "recordPaymentEvent", seconds: 0.02 },
  event: { function: "persistPaymentAuditTrail", seconds: 0.015 },
  read: { function: "queryPaymentLedger", seconds: 0.015 },
};
/** Estimates: what a call writes into its log group, and how long a call of the sealer runs. */
const LOG_BYTES_PER_CALL = 300;
const SEAL_SECONDS = 0.1;

const SECONDS_PER_MONTH = 730 * 3600;
/** Bytes in the log's bundles, tiles and packs for each entry, of which 256 make a bundle and a tile, and 65,536 a pack. */
const EVIDENCE_BYTES = 750;
/** Bytes in the log's own table for each entry, in batches of 10 to 20: `npm run bench -- seal-cost` counts them. */
const LOG_STATE_BYTES = 130;
const BUNDLE = 256;
const PACK = 65_536;
/** DynamoDB stores 100 bytes beside each item and each entry of an index. */
const ITEM_OVERHEAD_BYTES = 100;
/** Of a consistent read. */
const READ_UNIT_BYTES = 4096;
const GIGABYTE = 1_000_000_000;

/** Of a file, what each row adds; the rest is reading and reporting. */
const FILE_ROW_SECONDS = 0.0002;

/** How long one call of a way runs. */
export function callSeconds(way: WayIn): number {
  return RUNNING[way].seconds;
}

function secondsOf(way: WayIn, entriesPerCall: number): number {
  return callSeconds(way) + (way === "fileRow" ? (entriesPerCall - FILE_ROWS) * FILE_ROW_SECONDS : 0);
}

/** What a month adds to the tables and to the log's files. */
export interface MonthlyGrowth {
  readonly tableGigabytes: number;
  readonly evidenceGigabytes: number;
}

/** What so many payments, events or reads add. */
export function growthOf(counted: WayCounts, count: number): MonthlyGrowth {
  return {
    tableGigabytes: (count * storedBytes(counted)) / GIGABYTE,
    evidenceGigabytes: (count * counted.sealedRecords * EVIDENCE_BYTES) / GIGABYTE,
  };
}

/** Stored bytes of one payment, event or read: items, entries of indexes, and the log's own table. */
export function storedBytes(counted: WayCounts): number {
  const { rowBytes, recordBytes, indexBytes, indexWriteUnits, sealedRecords } = counted;
  const items = rowBytes + recordBytes + indexBytes + sealedRecords * LOG_STATE_BYTES;
  return items + (sealedRecords + indexWriteUnits) * ITEM_OVERHEAD_BYTES;
}

function sealUnits(batch: number): number {
  const [first] = SEAL_UNITS;
  const after = SEAL_UNITS.findIndex(([length]) => length >= batch);
  const [high, low] = [SEAL_UNITS[after] ?? SEAL_UNITS.at(-1), SEAL_UNITS[after - 1] ?? first];
  if (high === undefined || low === undefined || high === low) return high?.[1] ?? Number.NaN;
  // Between two lengths that were counted, on a line of the logarithms: the head's units are shared by more records.
  const part = Math.log(batch / low[0]) / Math.log(high[0] / low[0]);
  return low[1] * (high[1] / low[1]) ** part;
}

/**
 * How the sealer's calls come at an even rate: each shard of each stream begins a batch with the first record that comes, and fills it
 * for the window's seconds.
 */
export function sealing(records: number, streams: number): { readonly batches: number; readonly writeUnits: number } {
  const perWindow = (records / (streams * SHARDS_MIN) / SECONDS_PER_MONTH) * STREAM_FEED.windowSeconds;
  const batch = Math.min(STREAM_FEED.batchSize, 1 + perWindow);
  return { batches: records / batch, writeUnits: records * sealUnits(batch) };
}

export function variableLine(what: string, price: PriceName, count: number): VariableLine {
  return { what, price, count, dollars: count * PRICES[price] };
}

/** What the private API adds to the calls of a way. */
export function apiLines(way: WayIn, { calls }: WayCounts, count: number): VariableLine[] {
  const apiFunctions: readonly FunctionId[] = API_FUNCTIONS;
  if (!apiFunctions.includes(RUNNING[way].function)) return [];
  return [variableLine("Private API: requests", "apiRequest", count * calls)];
}

export function variableLines(way: WayIn, counted: WayCounts, count: number): VariableLine[] {
  const calls = count * counted.calls;
  const { function: name } = RUNNING[way];
  const seconds = secondsOf(way, 1 / counted.calls);
  const seals = sealing(count * counted.sealedRecords, counted.rowBytes > 0 ? 2 : 1);
  const gigabyteSeconds = calls * seconds * (SIZES[name].memoryMb / 1024);
  const sealerSeconds = seals.batches * SEAL_SECONDS * (SIZES.sealAuditTrail.memoryMb / 1024);
  // Two data keys for each five minutes of a running environment; one environment at an even rate below its speed.
  const environments = Math.max(1, Math.ceil((calls * seconds) / SECONDS_PER_MONTH));
  const { tableGigabytes: gigabytes, evidenceGigabytes } = growthOf(counted, count);
  const sealed = count * counted.sealedRecords;
  const queue =
    way === "message" ? [variableLine("SQS: sent, received, deleted", "sqsRequest", count + 2 * calls)] : [];
  return [
    variableLine("Write units of the tables", "writeUnit", count * counted.tableWriteUnits),
    variableLine("Write units of the indexes", "writeUnit", count * counted.indexWriteUnits),
    variableLine("Read units", "readUnit", count * counted.readUnits),
    variableLine("CloudTrail: calls of the function", "dataEvent", calls),
    variableLine(
      "CloudTrail: items and objects",
      "dataEvent",
      count * (counted.transactions + counted.readUnits + counted.objects),
    ),
    variableLine("Lambda requests", "lambdaRequest", calls),
    variableLine("Lambda's time, GB-seconds (estimate)", "lambdaGigabyteSecond", gigabyteSeconds),
    variableLine("Log lines, GB (estimate)", "logGigabyte", (calls * LOG_BYTES_PER_CALL) / GIGABYTE),
    variableLine("KMS: data keys", "kmsRequest", (environments * 2 * SECONDS_PER_MONTH) / 300),
    variableLine("S3: files and reports", "s3Put", count * counted.objects),
    ...queue,
    variableLine("Log of proofs: write units", "writeUnit", seals.writeUnits),
    variableLine("Log of proofs: sealer's calls", "lambdaRequest", seals.batches),
    variableLine("Log of proofs: sealer's time, GB-seconds (estimate)", "lambdaGigabyteSecond", sealerSeconds),
    variableLine("Log of proofs: CloudTrail", "dataEvent", 2 * seals.batches),
    variableLine("Log of proofs: bundles, tiles and packs put", "s3Put", (2 * sealed) / BUNDLE + sealed / PACK),
    // Each entry once for its bundle and once for its pack.
    variableLine("Log of proofs: batches read", "readUnit", (2 * sealed * LOG_STATE_BYTES) / READ_UNIT_BYTES),
    variableLine("Log of proofs: GB in S3, first month", "s3Gigabyte", evidenceGigabytes),
    variableLine("Tables: GB stored, first month", "tableGigabyte", gigabytes),
    variableLine("Tables: GB under point-in-time recovery, first month", "recoveryGigabyte", gigabytes),
  ];
}
