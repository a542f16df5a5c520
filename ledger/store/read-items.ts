/** Reading items by their keys, from indexes, and of whole tables. */

import {
  type DynamoDBClient,
  GetItemCommand,
  QueryCommand,
  type QueryCommandInput,
  ScanCommand,
  type ScanCommandInput,
  type ScanCommandOutput,
} from "@aws-sdk/client-dynamodb";
import type { StoredItem } from "../rules/stored-item";
import { storedItem } from "./transaction";

/** Strongly consistent: a read must see the write that was answered before it. */
export async function getItem(
  dynamo: DynamoDBClient,
  tableName: string,
  partitionKey: string,
  id: string,
): Promise<StoredItem | undefined> {
  const answer = await dynamo.send(
    new GetItemCommand({ TableName: tableName, Key: { [partitionKey]: { S: id } }, ConsistentRead: true }),
  );
  return answer.Item === undefined ? undefined : storedItem(answer.Item);
}

const PARALLEL_READS_MAX = 16;

/** The items under the ids, in their order, absent ones left out. */
export async function getItems(
  dynamo: DynamoDBClient,
  tableName: string,
  partitionKey: string,
  ids: readonly string[],
): Promise<StoredItem[]> {
  const items: StoredItem[] = [];
  for (let start = 0; start < ids.length; start += PARALLEL_READS_MAX) {
    const batch = ids.slice(start, start + PARALLEL_READS_MAX);
    const found = await Promise.all(batch.map((id) => getItem(dynamo, tableName, partitionKey, id)));
    items.push(...found.filter((item) => item !== undefined));
  }
  return items;
}

/** Everything that the query finds, over as many answers as DynamoDB needs for it. */
export async function queryAll(dynamo: DynamoDBClient, input: QueryCommandInput): Promise<StoredItem[]> {
  const items: StoredItem[] = [];
  let startKey = input.ExclusiveStartKey;
  do {
    const answer = await dynamo.send(new QueryCommand({ ...input, ExclusiveStartKey: startKey }));
    items.push(...(answer.Items ?? []).map(storedItem));
    startKey = answer.LastEvaluatedKey;
  } while (startKey !== undefined);
  return items;
}

/** The answers of one scan, until the table, or the segment of it, has ended. */
export async function* scanPages(dynamo: DynamoDBClient, input: ScanCommandInput): AsyncGenerator<ScanCommandOutput> {
  let startKey = input.ExclusiveStartKey;
  do {
    const page = await dynamo.send(new ScanCommand({ ...input, ExclusiveStartKey: startKey }));
    yield page;
    startKey = page.LastEvaluatedKey;
  } while (startKey !== undefined);
}

/** Up to `limit` index entries of one query, over as many answers as DynamoDB needs for them. */
export async function queryIndex(
  dynamo: DynamoDBClient,
  input: QueryCommandInput,
  limit: number,
): Promise<StoredItem[]> {
  const entries: StoredItem[] = [];
  let startKey = input.ExclusiveStartKey;
  do {
    const answer = await dynamo.send(
      new QueryCommand({ ...input, Limit: limit - entries.length, ExclusiveStartKey: startKey }),
    );
    entries.push(...(answer.Items ?? []).map(storedItem));
    startKey = answer.LastEvaluatedKey;
  } while (startKey !== undefined && entries.length < limit);
  return entries;
}
