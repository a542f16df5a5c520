/** Reads the item that a table holds now under a key, as the log names tables and keys. */

import { DynamoDBServiceException, GetItemCommand } from "@aws-sdk/client-dynamodb";
import { type LogicalTableName, TABLES, type TableId } from "../../contract";
import type { StoredItem } from "../../ledger/rules/stored-item";
import type { Services } from "../../ledger/store/services";
import { storedItem } from "../../ledger/store/transaction";

/** Strongly consistent. Undefined where no item exists, and for a key that DynamoDB cannot hold. */
export async function currentItem(
  table: LogicalTableName,
  key: readonly string[],
  { dynamo, tables }: Pick<Services, "dynamo" | "tables">,
): Promise<StoredItem | undefined> {
  const id = (Object.keys(TABLES) as TableId[]).find((each) => TABLES[each].logicalName === table);
  if (id === undefined) return undefined;
  const { partitionKey, ...shape } = TABLES[id];
  const [partition = "", sort = ""] = key;
  const sortKey = "sortKey" in shape ? { [shape.sortKey.name]: { N: sort } } : {};
  const Key = { [partitionKey]: { S: partition }, ...sortKey };
  try {
    const { Item } = await dynamo.send(new GetItemCommand({ TableName: tables[id], Key, ConsistentRead: true }));
    return Item === undefined ? undefined : storedItem(Item);
  } catch (error) {
    // A made-up event can have a key that is empty, too long, or not a number.
    if (error instanceof DynamoDBServiceException && error.name === "ValidationException") return undefined;
    throw error;
  }
}
