/** Reads a sharded day index in order of time: every shard of every day, merged. */

import type { DynamoDBClient } from "@aws-sdk/client-dynamodb";
import { AFTER_ALL_IDS, dayKey, timeKey } from "../rules/index-keys";
import type { Page, TimeRange } from "../rules/queries";
import { type StoredItem, textOrEmpty } from "../rules/stored-item";
import { daysBetween } from "../rules/timestamps";
import { queryIndex } from "./read-items";
import type { Services } from "./services";

/** An index as the contract names it. */
export interface DayIndex {
  readonly name: string;
  readonly partitionKey: string;
  readonly sortKey: string;
}

/** The entries of one value in an index. */
export interface DayIndexEntries {
  /** As it is deployed. */
  readonly tableName: string;
  readonly index: DayIndex;
  readonly value: string;
}

/**
 * The first `limit` index entries of the value within the range, after the given sort key, in order of time.
 * Shards are read side by side, days one after another until the page is full.
 */
export async function readDayIndex(
  services: Pick<Services, "dynamo" | "indexShardCount">,
  { tableName, index, value }: DayIndexEntries,
  range: TimeRange,
  { limit, after: [after] = [] }: Page,
): Promise<StoredItem[]> {
  const page: StoredItem[] = [];
  const start = after === undefined ? range.from : `${after}\u0000`;
  for (const day of daysBetween(start, range.to)) {
    if (page.length >= limit) break;
    const bounds = boundsWithin(day, start, timeKey(range.to, AFTER_ALL_IDS));
    const shards = Array.from({ length: services.indexShardCount }, (_, shard) => dayKey(value, day, shard));
    const found = await Promise.all(
      shards.map((key) => readShard(services.dynamo, { tableName, index, value: key }, bounds, limit)),
    );
    page.push(...found.flat().sort(byText(index.sortKey)));
  }
  return page.slice(0, limit);
}

interface Bounds {
  readonly from: string;
  readonly to: string;
}

/** Only a forger writes a row under one day's key with a time of another day. It must not move the place where the next page begins. */
function boundsWithin(day: string, from: string, to: string): Bounds {
  const date = `${day.slice(0, 4)}-${day.slice(4, 6)}-${day.slice(6)}`;
  const dayEnd = timeKey(`${date}T23:59:59.999Z`, AFTER_ALL_IDS);
  return { from: from > date ? from : date, to: to < dayEnd ? to : dayEnd };
}

function readShard(
  dynamo: DynamoDBClient,
  { tableName, index, value: key }: DayIndexEntries,
  bounds: Bounds,
  limit: number,
): Promise<StoredItem[]> {
  return queryIndex(
    dynamo,
    {
      TableName: tableName,
      IndexName: index.name,
      KeyConditionExpression: "#key = :key AND #time BETWEEN :from AND :to",
      ExpressionAttributeNames: { "#key": index.partitionKey, "#time": index.sortKey },
      ExpressionAttributeValues: { ":key": { S: key }, ":from": { S: bounds.from }, ":to": { S: bounds.to } },
    },
    limit,
  );
}

/** No two entries have the same sort key: it ends with the id of the record. */
function byText(name: string): (a: StoredItem, b: StoredItem) => number {
  return (a, b) => (textOrEmpty(a, name) < textOrEmpty(b, name) ? -1 : 1);
}
