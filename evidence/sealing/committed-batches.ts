/**
 * Reads the batches of a log. They are read window by window, several windows at once: each lies under one partition key. Where
 * one is not found there, it is looked for where earlier versions of this project put it.
 */

import { QueryCommand, type QueryCommandInput } from "@aws-sdk/client-dynamodb";
import { LOG_STATE } from "../../contract";
import { bytesOf, integerOf, type StoredItem } from "../../ledger/rules/stored-item";
import { storedItem } from "../../ledger/store/transaction";
import { BATCH_ENTRIES_MAX, unpack } from "./batches";
import { logStateBroken } from "./errors";
import {
  BATCH_PARTITIONS,
  batchName,
  batchPartition,
  earlierBatchPartition,
  type LogTable,
  WINDOW_ENTRIES,
  windowOf,
} from "./log-state-table";

export interface Batch {
  readonly start: number;
  readonly entries: readonly Buffer[];
}

/** Windows that are read at once: each under another partition key. */
const SPAN_ENTRIES = BATCH_PARTITIONS * WINDOW_ENTRIES;

/**
 * The committed batches that hold the entries `from` to `to` (exclusive), in order and without a gap.
 * @throws SealingError LOG_STATE_BROKEN when one is missing or cannot be read.
 */
export async function* batchesBetween(table: LogTable, from: number, to: number): AsyncGenerator<Batch> {
  // Batches begin where sealers happened to append: the first entry may be in the middle of one.
  let spanStart = Math.max(0, from - BATCH_ENTRIES_MAX + 1);
  for (let at = from; at < to; spanStart = at) {
    const spanEnd = Math.min(to, (windowOf(spanStart) + BATCH_PARTITIONS) * WINDOW_ENTRIES);
    const before = at;
    for (const { start, entries } of await batchesWithin(table, spanStart, spanEnd, at)) {
      if (start > at) break;
      if (start + entries.length <= at) continue;
      yield { start: at, entries: entries.slice(at - start, to - start) };
      at = Math.min(to, start + entries.length);
    }
    if (at === before) throw logStateBroken(`The log-state table does not hold the committed entry ${at}`);
  }
}

/** The committed batches that begin at entries `from` to `to` (exclusive), newest first; one that cannot be read is left out. */
export async function* newestBatches(table: LogTable, from: number, to: number): AsyncGenerator<Batch> {
  for (let end = to; end > from; ) {
    const spanStart = Math.max(from, (windowOf(end - 1) + 1) * WINDOW_ENTRIES - SPAN_ENTRIES);
    yield* (await batchesWithin(table, spanStart, end, spanStart)).reverse();
    end = spanStart;
  }
}

/**
 * The batches that begin at entries `from` to `to` (exclusive), by their start. There are at most as many windows between the two
 * as there are partition keys.
 * @param gaplessFrom the entry from which on they must follow each other. Where they do not, earlier places are read too.
 */
async function batchesWithin(table: LogTable, from: number, to: number, gaplessFrom: number): Promise<Batch[]> {
  const windows = Array.from({ length: windowOf(to - 1) - windowOf(from) + 1 }, (_, index) => windowOf(from) + index);
  const found = await Promise.all(
    windows.map((window) => {
      const [first, last] = [window * WINDOW_ENTRIES, (window + 1) * WINDOW_ENTRIES - 1];
      return batchesUnder(table, batchPartition(table, window), Math.max(from, first), Math.min(to - 1, last));
    }),
  );
  const batches = found.flat();
  if (isGapless(batches, gaplessFrom, to)) return batches;
  const earlier = await batchesUnder(table, earlierBatchPartition(table), from, to - 1);
  return [...batches, ...earlier].sort((a, b) => a.start - b.start);
}

/** Whether the batches hold all entries from `from` to `to`. */
function isGapless(batches: readonly Batch[], from: number, to: number): boolean {
  let at = from;
  for (const { start, entries } of batches) {
    if (start > at) return false;
    at = Math.max(at, start + entries.length);
  }
  return at >= to;
}

async function batchesUnder(table: LogTable, partition: string, first: number, last: number): Promise<Batch[]> {
  const batches: Batch[] = [];
  let startKey: QueryCommandInput["ExclusiveStartKey"];
  do {
    const query = new QueryCommand({
      TableName: table.tableName,
      ConsistentRead: true,
      KeyConditionExpression: "#log = :log AND #item BETWEEN :from AND :last",
      ExpressionAttributeNames: { "#log": LOG_STATE.partitionKey, "#item": LOG_STATE.sortKey },
      ExpressionAttributeValues: {
        ":log": { S: partition },
        ":from": { S: batchName(first) },
        ":last": { S: batchName(last) },
      },
      ExclusiveStartKey: startKey,
    });
    const page = await table.dynamo.send(query);
    batches.push(...(page.Items ?? []).flatMap((item) => batchIn(storedItem(item)) ?? []));
    startKey = page.LastEvaluatedKey;
  } while (startKey !== undefined);
  return batches;
}

function batchIn(item: StoredItem): Batch | undefined {
  const start = integerOf(item, "Start");
  const entries = unpack(bytesOf(item, "Entries") ?? Buffer.alloc(0));
  if (start === undefined || entries === undefined || entries.length !== integerOf(item, "Count")) return undefined;
  return { start, entries };
}
