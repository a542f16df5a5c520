/** What the operations need of the outside world, made once per execution environment. */

import { type DynamoDBClient, GetItemCommand, QueryCommand, type QueryCommandInput } from "@aws-sdk/client-dynamodb";
import type { BACKUP_METRICS, LOG_METRICS, LogicalTableName, METRICS, TableId } from "../../contract";
import { hasGoodMac, type MacKeys } from "../rules/record-mac";
import type { StoredItem } from "../rules/stored-item";
import type { FieldEncryption } from "./key-material";
import { storedItem } from "./transaction";

/** Facts worth an alarm or a graph, by metric name. */
export type Signal =
  | (typeof METRICS)["integrityAlarm" | "cardDataRefused" | "messageRefused" | "paymentConflict"]
  | (typeof BACKUP_METRICS)[keyof typeof BACKUP_METRICS]
  | (typeof LOG_METRICS)[keyof typeof LOG_METRICS];

export interface Store {
  readonly dynamo: DynamoDBClient;
  /** Deployed table names. */
  readonly tables: Readonly<Record<TableId, string>>;
  /** Encrypts `SecureToken`. Only the reveal function may decrypt with it. */
  readonly tokenFields: FieldEncryption;
  /** Encrypts `QueryDetails` and `Response`. */
  readonly auditFields: FieldEncryption;
  readonly macKeys: () => Promise<MacKeys>;
  readonly indexShardCount: number;
  readonly signal: (signal: Signal) => void;
  /** Logs a technical fault that concerns a part of a batch; what it concerns is tried again by the platform. */
  readonly logFault: (error: unknown) => void;
}

/** True for a record that this ledger did not write as it is: its MAC is missing or does not cover it. */
export async function isForged(table: LogicalTableName, item: StoredItem, store: Store): Promise<boolean> {
  return !hasGoodMac(table, item, (await store.macKeys()).record);
}

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
