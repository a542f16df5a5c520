/** Reads tables page by page and writes each to a folder in the form of an export. */

import type { DynamoDBClient } from "@aws-sdk/client-dynamodb";
import { describeTable } from "../../backup/restore";
import { logicalNameOf } from "../../ledger/exports/names";
import { toItemJson } from "../../ledger/rules/attribute-value";
import { scanPages } from "../../ledger/store/read-items";
import { storedItem } from "../../ledger/store/transaction";
import { EvidenceToolError, UsageError } from "../commands/errors";
import { type ScannedTable, type ScanResult, writeScan } from "../commands/scan-files";

/** @param names deployed names. */
export async function scanTables(
  dynamo: DynamoDBClient,
  names: readonly string[],
  to: string,
  now: () => Date,
): Promise<ScanResult[]> {
  const tables = await Promise.all(names.map((name) => scannedTable(dynamo, name)));
  // One moment for all: the tables refer to each other.
  const startedAt = now();
  const results: ScanResult[] = [];
  for (const table of tables) results.push(await writeScan(table, to, startedAt));
  return results;
}

async function scannedTable(dynamo: DynamoDBClient, name: string): Promise<ScannedTable> {
  if (logicalNameOf(name) === undefined) throw new UsageError(`${name} is no table of this ledger.`);
  const table = await describeTable(dynamo, name);
  if (table === undefined)
    throw new EvidenceToolError("TABLE_MISSING", `There is no table ${name}. Name one of the environment's tables.`);
  if (table.TableArn === undefined) throw new Error("DynamoDB answered DescribeTable without an ARN.");
  return { name, arn: table.TableArn, pages: () => pagesOf(dynamo, name) };
}

async function* pagesOf(dynamo: DynamoDBClient, name: string): AsyncGenerator<Record<string, object>[]> {
  // Consistent: else a record that was written before the scan could be absent, and would be reported as missing.
  for await (const { Items = [] } of scanPages(dynamo, { TableName: name, ConsistentRead: true })) {
    yield Items.map((item) => toItemJson(storedItem(item)));
  }
}
