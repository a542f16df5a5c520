/** Looks straight into the tables, past the functions, and computes what writing costs. */

import {
  DescribeTableCommand,
  type DynamoDBClient,
  type GlobalSecondaryIndexDescription,
  paginateScan,
} from "@aws-sdk/client-dynamodb";
import { TABLES, type TableId } from "../../contract";
import { integerOf, type StoredItem, type StoredValue, textOf } from "../../ledger/rules/stored-item";
import { storedItem } from "../../ledger/store/transaction";
import type { Deployment } from "../deploy";

/** All items by key, as they are stored. */
export interface Snapshot {
  readonly ledger: ReadonlyMap<string, StoredItem>;
  readonly trail: ReadonlyMap<string, StoredItem>;
  /** Payments that came as messages. */
  readonly messages: ReadonlyMap<string, StoredItem>;
  /** Payments that came as files or as `payment_data`; by id and time, so that a second row of one payment is seen. */
  readonly transactions: ReadonlyMap<string, StoredItem>;
}

export async function takeSnapshot(dynamo: DynamoDBClient, deployment: Deployment): Promise<Snapshot> {
  const scanned = (id: TableId) => scan(dynamo, deployment.tableName(id), id);
  return {
    ledger: await scanned("paymentLedger"),
    trail: await scanned("paymentAuditTrail"),
    messages: await scanned("paymentMessages"),
    transactions: await scanned("paymentTransactions"),
  };
}

async function scan(dynamo: DynamoDBClient, tableName: string, id: TableId): Promise<Map<string, StoredItem>> {
  const items = new Map<string, StoredItem>();
  for await (const page of paginateScan({ client: dynamo }, { TableName: tableName, ConsistentRead: true })) {
    for (const item of (page.Items ?? []).map(storedItem)) items.set(keyText(item, id), item);
  }
  return items;
}

function keyText(item: StoredItem, id: TableId): string {
  const table = TABLES[id];
  const key = textOf(item, table.partitionKey) ?? "";
  return "sortKey" in table ? `${key} ${integerOf(item, table.sortKey.name) ?? ""}` : key;
}

export interface WriteUnits {
  /** Averages over the stored payments. */
  readonly rowBytes: number;
  readonly recordBytes: number;
  readonly table: number;
  readonly indexes: number;
}

/**
 * Write units of one payment (its row and its WRITE record), by DynamoDB's published rules: one unit for each KiB begun,
 * twice for table items in a transaction, once more for every index entry.
 */
export async function writeUnits(
  pairs: readonly { readonly row: StoredItem; readonly record: StoredItem }[],
  dynamo: DynamoDBClient,
  deployment: Deployment,
): Promise<WriteUnits> {
  const rowIndexes = await indexesOf("paymentLedger", dynamo, deployment);
  const recordIndexes = await indexesOf("paymentAuditTrail", dynamo, deployment);
  const average = (of: (pair: (typeof pairs)[number]) => number) =>
    pairs.reduce((sum, pair) => sum + of(pair), 0) / Math.max(1, pairs.length);
  return {
    rowBytes: average(({ row }) => itemBytes(row)),
    recordBytes: average(({ record }) => itemBytes(record)),
    table: average(({ row, record }) => 2 * (units(itemBytes(row)) + units(itemBytes(record)))),
    indexes: average(({ row, record }) => rowIndexes(row) + recordIndexes(record)),
  };
}

async function indexesOf(
  table: TableId,
  dynamo: DynamoDBClient,
  deployment: Deployment,
): Promise<(item: StoredItem) => number> {
  const { Table } = await dynamo.send(new DescribeTableCommand({ TableName: deployment.tableName(table) }));
  const indexes = Table?.GlobalSecondaryIndexes ?? [];
  return (item) => indexes.reduce((sum, index) => sum + indexUnits(item, index, TABLES[table].partitionKey), 0);
}

/** An item without the index's keys has no entry in it. */
function indexUnits(item: StoredItem, index: GlobalSecondaryIndexDescription, tableKey: string): number {
  const keys = (index.KeySchema ?? []).map(({ AttributeName }) => AttributeName ?? "");
  if (!keys.every((key) => key in item)) return 0;
  if (index.Projection?.ProjectionType === "ALL") return units(itemBytes(item));
  const projected = new Set([tableKey, ...keys, ...(index.Projection?.NonKeyAttributes ?? [])]);
  return units(itemBytes(Object.fromEntries(Object.entries(item).filter(([name]) => projected.has(name)))));
}

export function units(bytes: number): number {
  return Math.ceil(bytes / 1024);
}

export function itemBytes(item: StoredItem): number {
  return Object.entries(item).reduce((sum, [name, value]) => sum + Buffer.byteLength(name) + valueBytes(value), 0);
}

/** DynamoDB's sizes: text in UTF-8, binary as it is, about a byte for two digits, three bytes around each collection. */
function valueBytes(value: StoredValue): number {
  if ("S" in value) return Buffer.byteLength(value.S);
  if ("B" in value) return value.B.length;
  if ("N" in value) return Math.ceil(value.N.length / 2) + 1;
  if ("M" in value) return 3 + Object.keys(value.M).length + itemBytes(value.M);
  if ("L" in value) return 3 + value.L.reduce((sum, element) => sum + 1 + valueBytes(element), 0);
  if ("SS" in value) return value.SS.reduce((sum, text) => sum + Buffer.byteLength(text), 0);
  if ("NS" in value) return value.NS.reduce((sum, digits) => sum + Math.ceil(digits.length / 2) + 1, 0);
  if ("BS" in value) return value.BS.reduce((sum, bytes) => sum + bytes.length, 0);
  return 1;
}
