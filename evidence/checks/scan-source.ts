/** A table as it is now, as the verifier reads records: scanned in parallel segments, page by page. */

import type { AttributeValue, DynamoDBClient } from "@aws-sdk/client-dynamodb";
import type { LogicalTableName } from "../../contract";
import { type ItemJson, toItemJson, UnreadableItemError } from "../../ledger/rules/attribute-value";
import { scanPages } from "../../ledger/store/read-items";
import { storedItem } from "../../ledger/store/transaction";
import type { RecordChange, RecordSource } from "../verifier/sources";

interface TableToScan {
  readonly table: LogicalTableName;
  readonly deployedName: string;
  /** Everything that was written before this moment is in the table. */
  readonly takenAt: string;
  /** Strongly: for a table that was filled just now. What was written long before is seen either way, at half the price. */
  readonly consistent?: boolean;
  /** Into how many segments the table is parted, for readers that read them apart from each other. Default: 4. */
  readonly segments?: number;
  /** False for an item that is left out; the same in each reading. */
  readonly isIn?: (item: ItemJson) => boolean;
}

/** Each keeps one page of at most 1 MB ahead of the reader. */
const SEGMENTS = 4;

export function scanSource(dynamo: DynamoDBClient, scanned: TableToScan): RecordSource {
  const { table, deployedName, takenAt } = scanned;
  const segments = Array.from({ length: scanned.segments ?? SEGMENTS }, (_, segment) => segment);
  return {
    table,
    name: deployedName,
    takenAt,
    segments: segments.map((segment) => () => pagesOf(dynamo, scanned, segment)),
    batches: () => asTheyCome(segments.map((segment) => pagesOf(dynamo, scanned, segment))),
  };
}

async function* pagesOf(
  dynamo: DynamoDBClient,
  { deployedName, consistent = false, isIn = () => true, segments = SEGMENTS }: TableToScan,
  segment: number,
): AsyncGenerator<readonly RecordChange[]> {
  const input = { TableName: deployedName, ConsistentRead: consistent, Segment: segment, TotalSegments: segments };
  for await (const { Items = [] } of scanPages(dynamo, input)) {
    const changes = Items.map((item) => changeOf(item, deployedName));
    yield changes.filter(({ now }) => now === undefined || isIn(now));
  }
}

/** An item that cannot be read is reported, and the others are compared nevertheless. */
function changeOf(
  item: Record<string, AttributeValue>,
  deployedName: string,
): { readonly now?: ItemJson; readonly fault?: string } {
  try {
    return { now: toItemJson(storedItem(item)) };
  } catch (error) {
    if (!(error instanceof UnreadableItemError)) throw error;
    return { fault: `${deployedName}: ${error.message}` };
  }
}

/** What the parts give, in whichever order it comes; one value of each part is fetched ahead. */
async function* asTheyCome<T>(parts: readonly AsyncGenerator<T>[]): AsyncGenerator<T> {
  const next = async (part: AsyncGenerator<T>) => ({ part, result: await part.next() });
  const pending = new Map(parts.map((part) => [part, next(part)]));
  try {
    while (pending.size > 0) {
      const { part, result } = await Promise.race(pending.values());
      if (result.done === true) {
        pending.delete(part);
        continue;
      }
      pending.set(part, next(part));
      yield result.value;
    }
  } finally {
    // A reader that stops early, or an error, leaves none of the others behind.
    await Promise.allSettled(pending.values());
  }
}
