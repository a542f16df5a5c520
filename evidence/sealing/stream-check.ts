/**
 * Whether the tables' streams are still those that feed the sealer. A stream that was switched off and on again is another
 * one, and the sealer goes on waiting at the old one: no error and no delay shows that.
 */

import { DescribeTableCommand, type DynamoDBClient, ResourceNotFoundException } from "@aws-sdk/client-dynamodb";
import type { LogicalTableName } from "../../contract";

export interface TableStream {
  readonly table: LogicalTableName;
  /** Of the stream that the event source mapping reads. */
  readonly streamArn: string;
}

/** The tables that have another stream by now, or none. */
export async function lostStreams(
  dynamo: DynamoDBClient,
  streams: readonly TableStream[],
): Promise<LogicalTableName[]> {
  const latest = await Promise.all(streams.map(({ streamArn }) => latestStream(dynamo, tableNameOf(streamArn))));
  return streams.filter(({ streamArn }, index) => latest[index] !== streamArn).map(({ table }) => table);
}

async function latestStream(dynamo: DynamoDBClient, tableName: string): Promise<string | undefined> {
  try {
    const { Table } = await dynamo.send(new DescribeTableCommand({ TableName: tableName }));
    return Table?.StreamSpecification?.StreamEnabled === true ? Table.LatestStreamArn : undefined;
  } catch (error) {
    if (error instanceof ResourceNotFoundException) return undefined;
    throw error;
  }
}

function tableNameOf(streamArn: string): string {
  return /:table\/([^/]+)\/stream\//.exec(streamArn)?.[1] ?? "";
}
