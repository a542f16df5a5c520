/** Reads a sharded day index in order of time: every shard of every day, merged. */

import type { DynamoDBClient } from "@aws-sdk/client-dynamodb";
import { dayKey, timeKey } from "../ledger/index-keys";
import type { TimeRange } from "../ledger/queries";
import { type StoredItem, textOf } from "../ledger/stored-item";
import { daysBetween } from "../ledger/timestamps";
import { queryIndex } from "./store";

export interface DayIndex {
  readonly tableName: string;
  readonly indexName: string;
  readonly partitionKey: string;
  readonly sortKey: string;
  readonly shardCount: number;
}

/** Sorts after every character that ids may hold, so `time#~` is the end of that moment. */
const AFTER_ALL_IDS = "\u{7f}";

/**
 * The first `limit` index entries of the value within the range, after the given sort key, in order of time.
 * Shards are read side by side, days one after another until the page is full.
 */
export async function readDayIndex(
  dynamo: DynamoDBClient,
  index: DayIndex,
  value: string,
  range: TimeRange,
  limit: number,
  after: string | undefined,
): Promise<StoredItem[]> {
  const page: StoredItem[] = [];
  const first = after === undefined ? range.from : after.slice(0, range.from.length);
  for (const day of daysBetween(first, range.to)) {
    if (page.length >= limit) break;
    const shards = Array.from({ length: index.shardCount }, (_, shard) => dayKey(value, day, shard));
    const found = await Promise.all(shards.map((key) => readShard(dynamo, index, key, range, limit, after)));
    page.push(...found.flat().sort((a, b) => compare(textOf(a, index.sortKey), textOf(b, index.sortKey))));
  }
  return page.slice(0, limit);
}

function readShard(
  dynamo: DynamoDBClient,
  index: DayIndex,
  key: string,
  range: TimeRange,
  limit: number,
  after: string | undefined,
): Promise<StoredItem[]> {
  const from = after === undefined ? range.from : `${after}\u0000`;
  return queryIndex(
    dynamo,
    {
      TableName: index.tableName,
      IndexName: index.indexName,
      KeyConditionExpression: "#key = :key AND #time BETWEEN :from AND :to",
      ExpressionAttributeNames: { "#key": index.partitionKey, "#time": index.sortKey },
      ExpressionAttributeValues: {
        ":key": { S: key },
        ":from": { S: from },
        ":to": { S: timeKey(range.to, AFTER_ALL_IDS) },
      },
    },
    limit,
  );
}

function compare(a = "", b = ""): number {
  return a < b ? -1 : a > b ? 1 : 0;
}
