/**
 * The newest checkpoint that a sweep compared the tables with, kept beside the log's own state. The next sweep demands
 * that the log continues exactly that tree: so a log that was cut, rolled back or replaced is noticed without a witness.
 */

import {
  ConditionalCheckFailedException,
  type DynamoDBClient,
  GetItemCommand,
  PutItemCommand,
} from "@aws-sdk/client-dynamodb";
import { LOG_STATE } from "../../contract";
import type { VerifiedCheckpoint } from "./verification";

/** The sort key of its item in the log-state table. */
export const SWEEP_ITEM = "sweep";

export interface CheckpointMemory {
  load(): Promise<VerifiedCheckpoint | undefined>;
  /** Of two sweeps at once the larger tree stays. */
  save(checkpoint: VerifiedCheckpoint, now: Date): Promise<void>;
}

export function checkpointMemory(dynamo: DynamoDBClient, tableName: string, origin: string): CheckpointMemory {
  const key = { [LOG_STATE.partitionKey]: { S: origin }, [LOG_STATE.sortKey]: { S: SWEEP_ITEM } };
  return {
    load: async () => {
      const command = new GetItemCommand({ TableName: tableName, Key: key, ConsistentRead: true });
      const { Item } = await dynamo.send(command);
      const text = Item?.["Checkpoint"]?.S;
      return text === undefined ? undefined : { size: Number(Item?.["Size"]?.N), text };
    },
    save: async ({ size, text }, now) => {
      const item = { ...key, Size: { N: String(size) }, Checkpoint: { S: text }, CheckedAt: { S: now.toISOString() } };
      try {
        await dynamo.send(
          new PutItemCommand({
            TableName: tableName,
            Item: item,
            ConditionExpression: "attribute_not_exists(#size) OR #size <= :size",
            ExpressionAttributeNames: { "#size": "Size" },
            ExpressionAttributeValues: { ":size": { N: String(size) } },
          }),
        );
      } catch (error) {
        if (!(error instanceof ConditionalCheckFailedException)) throw error;
      }
    },
  };
}
