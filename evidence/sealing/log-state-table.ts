/**
 * The log-state table, in which the log is committed before anything of it is published. One item is the head: how long
 * the log is, and the edge of its tree. The others hold the entries, batch by batch, and are never changed.
 */

import {
  type DynamoDBClient,
  GetItemCommand,
  QueryCommand,
  type QueryCommandInput,
  type TransactWriteItem,
} from "@aws-sdk/client-dynamodb";
import { LOG_STATE } from "../../contract";
import { bytesOf, integerOf, type StoredItem, type StoredValue, textOf } from "../../ledger/rules/stored-item";
import { sdkItem, storedItem, transact } from "../../ledger/store/transaction";
import { ENTRY_KINDS, type EntryKind } from "../log/entry";
import { type PackedBatch, unpack } from "./batches";
import { logStateBroken } from "./errors";
import { EMPTY_FRONTIER, type Frontier, frontierBytes, frontierFrom } from "./frontier";

export interface LogTable {
  readonly dynamo: DynamoDBClient;
  /** Deployed name of the log-state table. */
  readonly tableName: string;
  /** Names the log; the table can hold several. */
  readonly origin: string;
}

export interface Head {
  readonly frontier: Frontier;
  /** Entries of each kind in the log. */
  readonly counts: Readonly<Record<EntryKind, number>>;
  /** Time of the last heartbeat in the log; empty before the first. */
  readonly heartbeatAt: string;
}

export interface Batch {
  readonly start: number;
  readonly entries: readonly Buffer[];
}

const { partitionKey, sortKey } = LOG_STATE;
const HEAD = "head";
const SIZE_DIGITS = 16;
const NO_ENTRIES = Object.fromEntries(ENTRY_KINDS.map((kind) => [kind, 0])) as Record<EntryKind, number>;

const batchName = (start: number) => `batch#${String(start).padStart(SIZE_DIGITS, "0")}`;
const keyIn = ({ origin }: LogTable, item: string): StoredItem => ({
  [partitionKey]: { S: origin },
  [sortKey]: { S: item },
});

/** Strongly consistent. @throws SealingError LOG_STATE_BROKEN for a head that no sealer wrote. */
export async function readHead(table: LogTable): Promise<Head> {
  const { Item } = await table.dynamo.send(
    new GetItemCommand({ TableName: table.tableName, Key: sdkItem(keyIn(table, HEAD)), ConsistentRead: true }),
  );
  if (Item === undefined) return { frontier: EMPTY_FRONTIER, counts: NO_ENTRIES, heartbeatAt: "" };
  const item = storedItem(Item);
  const frontier = frontierFrom(integerOf(item, "Size") ?? -1, bytesOf(item, "Frontier") ?? Buffer.alloc(0));
  const counts = countsIn(item["Counts"]);
  if (frontier === undefined || frontier.size === 0 || counts === undefined) {
    throw logStateBroken("The log's head does not say how long the log is, or not with the hashes of that length");
  }
  return { frontier, counts, heartbeatAt: textOf(item, "HeartbeatAt") ?? "" };
}

function countsIn(value: StoredValue | undefined): Record<EntryKind, number> | undefined {
  const members = value !== undefined && "M" in value ? value.M : {};
  const counts = ENTRY_KINDS.map((kind) => [kind, integerOf(members, kind)] as const);
  return counts.every(([, count]) => count !== undefined)
    ? (Object.fromEntries(counts) as Record<EntryKind, number>)
    : undefined;
}

export type Commit =
  | "committed"
  /** Another sealer moved the head since it was read. */
  | "lost-race"
  /** The head stands where it was read, and yet there is a batch behind it. */
  | "head-behind";

/** Appends the batch and moves the head in one transaction: either both are there afterwards, or none. */
export async function commitBatch(table: LogTable, read: Head, batch: PackedBatch, next: Head): Promise<Commit> {
  const result = await transact(table.dynamo, [batchAction(table, read, batch), headAction(table, read, next)]);
  if (result.committed) return "committed";
  const [batchVerdict, headVerdict] = result.verdicts;
  return batchVerdict?.kind === "failed" && headVerdict?.kind === "free" ? "head-behind" : "lost-race";
}

function batchAction(table: LogTable, { frontier }: Head, { count, bytes }: PackedBatch): TransactWriteItem {
  const item: StoredItem = {
    ...keyIn(table, batchName(frontier.size)),
    Start: { N: String(frontier.size) },
    Count: { N: String(count) },
    Entries: { B: bytes },
  };
  return {
    Put: {
      TableName: table.tableName,
      Item: sdkItem(item),
      ConditionExpression: "attribute_not_exists(#key)",
      ExpressionAttributeNames: { "#key": partitionKey },
    },
  };
}

function headAction(table: LogTable, read: Head, { frontier, counts, heartbeatAt }: Head): TransactWriteItem {
  const item: StoredItem = {
    ...keyIn(table, HEAD),
    Size: { N: String(frontier.size) },
    Frontier: { B: frontierBytes(frontier) },
    Counts: { M: Object.fromEntries(ENTRY_KINDS.map((kind) => [kind, { N: String(counts[kind]) }])) },
    ...(heartbeatAt === "" ? {} : { HeartbeatAt: { S: heartbeatAt } }),
  };
  const isFirst = read.frontier.size === 0;
  return {
    Put: {
      TableName: table.tableName,
      Item: sdkItem(item),
      ConditionExpression: isFirst ? "attribute_not_exists(#key)" : "#size = :size",
      ExpressionAttributeNames: isFirst ? { "#key": partitionKey } : { "#size": "Size" },
      ...(isFirst ? {} : { ExpressionAttributeValues: { ":size": { N: String(read.frontier.size) } } }),
    },
  };
}

/**
 * The committed batches that hold the entries `from` to `to` (exclusive), in order and without a gap.
 * @throws SealingError LOG_STATE_BROKEN when one is missing or is no batch.
 */
export async function* batchesBetween(table: LogTable, from: number, to: number): AsyncGenerator<Batch> {
  if (from >= to) return;
  let at = from;
  for await (const batch of batchItems(table, await startOfBatchWith(table, from), to - 1, true)) {
    if (batch === undefined || batch.start > at) break;
    const end = batch.start + batch.entries.length;
    if (end <= at) continue;
    yield { start: at, entries: batch.entries.slice(at - batch.start, to - batch.start) };
    at = end;
  }
  if (at < to) throw logStateBroken(`The log-state table does not hold the committed entry ${at}`);
}

/** The committed batches before entry `to`, newest first; one that cannot be read is left out. */
export async function* newestBatches(table: LogTable, from: number, to: number): AsyncGenerator<Batch> {
  for await (const batch of batchItems(table, from, to - 1, false)) if (batch !== undefined) yield batch;
}

/** Batches begin where sealers happened to append: the entry may stand in the middle of one. */
async function startOfBatchWith(table: LogTable, entry: number): Promise<number> {
  const { Items = [] } = await table.dynamo.send(new QueryCommand({ ...batchQuery(table, 0, entry, false), Limit: 1 }));
  const [batch] = Items.map(storedItem);
  return (batch === undefined ? undefined : integerOf(batch, "Start")) ?? entry;
}

async function* batchItems(
  table: LogTable,
  from: number,
  last: number,
  forward: boolean,
): AsyncGenerator<Batch | undefined> {
  const query = batchQuery(table, from, last, forward);
  let startKey: QueryCommandInput["ExclusiveStartKey"];
  do {
    const page = await table.dynamo.send(new QueryCommand({ ...query, ExclusiveStartKey: startKey }));
    for (const item of page.Items ?? []) yield batchIn(storedItem(item));
    startKey = page.LastEvaluatedKey;
  } while (startKey !== undefined);
}

function batchQuery(table: LogTable, from: number, last: number, forward: boolean): QueryCommandInput {
  return {
    TableName: table.tableName,
    ConsistentRead: true,
    ScanIndexForward: forward,
    KeyConditionExpression: "#log = :log AND #item BETWEEN :from AND :last",
    ExpressionAttributeNames: { "#log": partitionKey, "#item": sortKey },
    ExpressionAttributeValues: {
      ":log": { S: table.origin },
      ":from": { S: batchName(from) },
      ":last": { S: batchName(last) },
    },
  };
}

function batchIn(item: StoredItem): Batch | undefined {
  const start = integerOf(item, "Start");
  const entries = unpack(bytesOf(item, "Entries") ?? Buffer.alloc(0));
  if (start === undefined || entries === undefined || entries.length !== integerOf(item, "Count")) return undefined;
  return { start, entries };
}
