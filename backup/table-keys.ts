/** The current keys of a table, page by page. */

import type { DynamoDBClient } from "@aws-sdk/client-dynamodb";
import { logicalNameOf } from "../ledger/exports/names";
import type { ItemJson } from "../ledger/rules/attribute-value";
import { scanPages } from "../ledger/store/read-items";
import { keyOf, shapeOf } from "./export-lines";

export interface TableKey {
  readonly key: string;
  readonly recordedAt?: string;
}

export interface TableReader {
  readonly deployedName: string;
  /** Of the whole table, or of one of the segments into which DynamoDB parts it. */
  keys(part?: TableSegment): AsyncIterable<TableKey>;
}

export interface TableSegment {
  /** From 0. */
  readonly segment: number;
  readonly of: number;
}

/** Undefined for a table that does not belong to this ledger. */
export function tableReader(dynamo: DynamoDBClient, deployedName: string): TableReader | undefined {
  const logicalName = logicalNameOf(deployedName);
  return logicalName && { deployedName, keys: (part) => scanKeys(dynamo, deployedName, shapeOf(logicalName), part) };
}

/** Not strongly consistent: what is compared was recorded long before, and consistent reads cost twice as much. */
async function* scanKeys(
  dynamo: DynamoDBClient,
  deployedName: string,
  shape: ReturnType<typeof shapeOf>,
  part: TableSegment | undefined,
): AsyncGenerator<TableKey> {
  const names = [...shape.keys.map(({ name }) => name), shape.recordedAt];
  const pages = scanPages(dynamo, {
    TableName: deployedName,
    // Stated here, because the policy of the check allows nothing else.
    Select: "SPECIFIC_ATTRIBUTES",
    ProjectionExpression: names.map((_, index) => `#a${index}`).join(", "),
    ...(part && { Segment: part.segment, TotalSegments: part.of }),
    ExpressionAttributeNames: Object.fromEntries(names.map((name, index) => [`#a${index}`, name])),
  });
  for await (const { Items = [] } of pages) {
    for (const item of Items) {
      const recordedAt = item[shape.recordedAt]?.S;
      const key = keyOf(item as ItemJson, shape);
      if (key === undefined) throw new Error("DynamoDB answered a scan with an item that has no key.");
      yield { key, ...(recordedAt === undefined ? {} : { recordedAt }) };
    }
  }
}
