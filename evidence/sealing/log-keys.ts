/**
 * The keys of the log-state table. The head of a log is one item under the log's origin. Its batches lie under other partition
 * keys, so that they share the write throughput neither of the head's partition nor of any single partition: the key
 * follows from the place in the log at which a batch begins, and changes every 256 entries.
 */

import type { DynamoDBClient } from "@aws-sdk/client-dynamodb";
import { LOG_STATE } from "../../contract";
import type { StoredItem } from "../../ledger/rules/stored-item";

export interface LogTable {
  readonly dynamo: DynamoDBClient;
  /** Deployed name of the log-state table. */
  readonly tableName: string;
  /** Names the log; the table can hold several. */
  readonly origin: string;
}

const { partitionKey, sortKey } = LOG_STATE;
const HEAD = "head";
const START_DIGITS = 16;
/** Batches that begin in the same window of the log share a partition key, and a reader finds them with one query. */
export const WINDOW_ENTRIES = 256;
/** A prime: batches of any one length, which begin at multiples of it, spread over all keys. */
export const BATCH_PARTITIONS = 17;

export function headKey({ origin }: LogTable): StoredItem {
  return { [partitionKey]: { S: origin }, [sortKey]: { S: HEAD } };
}

/** @param start place in the log of the batch's first entry. */
export function batchKey(table: LogTable, start: number): StoredItem {
  return { [partitionKey]: { S: batchPartition(table, windowOf(start)) }, [sortKey]: { S: batchName(start) } };
}

export function windowOf(entry: number): number {
  return Math.floor(entry / WINDOW_ENTRIES);
}

export function batchPartition({ origin }: LogTable, window: number): string {
  return `${origin}#batches#${String(window % BATCH_PARTITIONS).padStart(2, "0")}`;
}

/** Where the first versions of this project put a log's batches: beside its head. They will always be read there. */
export function earlierBatchPartition({ origin }: LogTable): string {
  return origin;
}

/** Sorts by the start. */
export function batchName(start: number): string {
  return `batch#${String(start).padStart(START_DIGITS, "0")}`;
}
