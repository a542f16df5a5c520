/**
 * Keys of the sharded indexes (`value#yyyymmdd#shard`) and their sort key. One busy processor, actor or day is spread
 * over `shardCount` partitions, so that it cannot throttle the ledger; readers query every shard and merge.
 */

import { hash } from "node:crypto";
import { dayOf } from "./timestamps";

export const INDEX_SHARD_COUNT_MAX = 100;

/** The shard follows from the record's id alone, so a retry writes the same key. */
export function shardOf(recordId: string, shardCount: number): number {
  return hash("sha256", recordId, "buffer").readUInt32BE(0) % shardCount;
}

/** `value#yyyymmdd#shard`. The day's records of all values (by time) use an empty value. */
export function dayKey(value: string, day: string, shard: number): string {
  return `${value}#${day}#${String(shard).padStart(2, "0")}`;
}

export function dayKeyOf(value: string, timestamp: string, recordId: string, shardCount: number): string {
  return dayKey(value, dayOf(timestamp), shardOf(recordId, shardCount));
}

/** Sort key within a shard: by time, and unique, so that "after this key" is an exact place to continue a page from. */
export function timeKey(timestamp: string, recordId: string): string {
  return `${timestamp}#${recordId}`;
}

/** Sorts after every character that ids may hold, so `timeKey(moment, AFTER_ALL_IDS)` is the end of that moment. */
export const AFTER_ALL_IDS = "\u{7f}";
