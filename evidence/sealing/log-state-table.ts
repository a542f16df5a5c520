/**
 * The log-state table, in which the log is committed before anything of it is published. One item is the head: how long
 * the log is, and the edge of its tree. The others hold the entries, batch by batch, and are never changed.
 */

import { type DynamoDBClient, GetItemCommand, type TransactWriteItem } from "@aws-sdk/client-dynamodb";
import { LOG_STATE } from "../../contract";
import { bytesOf, integerOf, type StoredItem, type StoredValue, textOrEmpty } from "../../ledger/rules/stored-item";
import { sdkItem, storedItem, transact } from "../../ledger/store/transaction";
import { ENTRY_KINDS, type EntryKind } from "../log/entry";
import type { PackedBatch } from "./batches";
import { logStateBroken } from "./errors";
import { EMPTY_FRONTIER, type Frontier, frontierBytes, frontierFrom } from "./frontier";

export interface LogTable {
  readonly dynamo: DynamoDBClient;
  /** Deployed name of the log-state table. */
  readonly tableName: string;
  /** Names the log; the table can hold several. */
  readonly origin: string;
}

const { partitionKey, sortKey } = LOG_STATE;
const HEAD = "head";
const START_DIGITS = 16;
/** Batches that begin in the same window of the log share a partition key, and a reader finds them with one query. */
export const WINDOW_ENTRIES = 256;
/** A prime: batches of any one length, which begin at multiples of it, spread over all keys. */
export const BATCH_PARTITIONS = 17;

/**
 * The head of a log is one item under the log's origin. Its batches lie under other partition keys, so that they share the
 * write throughput neither of the head's partition nor of any single partition: the key follows from the place in the log
 * at which a batch begins, and changes every 256 entries.
 */
export function headKey({ origin }: LogTable): StoredItem {
  return { [partitionKey]: { S: origin }, [sortKey]: { S: HEAD } };
}

/** @param start place in the log of the batch's first entry. */
export function batchKey(table: LogTable, start: number): StoredItem {
  return { [partitionKey]: { S: batchPartition(table, windowOf(start)) }, [sortKey]: { S: batchName(start) } };
}

export function windowOf(entry: number): number {
  return Math.floor(entry / WINDOW_ENTRIES);
}

export function batchPartition({ origin }: LogTable, window: number): string {
  return `${origin}#batches#${String(window % BATCH_PARTITIONS).padStart(2, "0")}`;
}

/** Where the first versions of this project put a log's batches: beside its head. They will always be read there. */
export function earlierBatchPartition({ origin }: LogTable): string {
  return origin;
}

/** Sorts by the start. */
export function batchName(start: number): string {
  return `batch#${String(start).padStart(START_DIGITS, "0")}`;
}

export interface Head {
  readonly frontier: Frontier;
  /** Entries of each kind in the log. */
  readonly counts: Readonly<Record<EntryKind, number>>;
  /** Time of the last heartbeat in the log; empty before the first. */
  readonly heartbeatAt: string;
}

const NO_ENTRIES = Object.fromEntries(ENTRY_KINDS.map((kind) => [kind, 0])) as Record<EntryKind, number>;

/** Strongly consistent. @throws SealingError LOG_STATE_BROKEN for a head that no sealer wrote. */
export async function readHead(table: LogTable): Promise<Head> {
  const { Item } = await table.dynamo.send(
    new GetItemCommand({ TableName: table.tableName, Key: sdkItem(headKey(table)), ConsistentRead: true }),
  );
  if (Item === undefined) return { frontier: EMPTY_FRONTIER, counts: NO_ENTRIES, heartbeatAt: "" };
  const item = storedItem(Item);
  const frontier = frontierFrom(integerOf(item, "Size") ?? -1, bytesOf(item, "Frontier") ?? Buffer.alloc(0));
  const counts = countsIn(item["Counts"]);
  if (frontier === undefined || frontier.size === 0 || counts === undefined) {
    throw logStateBroken("The log's head does not say how long the log is, or not with the hashes of that length");
  }
  return { frontier, counts, heartbeatAt: textOrEmpty(item, "HeartbeatAt") };
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
  /** The head is where it was read, and yet the table holds a batch beyond it. */
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
    ...batchKey(table, frontier.size),
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
    ...headKey(table),
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
