/** One change of a table, as Lambda passes it on from the table's stream. Content is taken as it is, and never refused. */

import * as z from "zod";
import { type LogicalTableName, TABLES, type TableId } from "../../contract";
import type { ItemJson } from "../../ledger/rules/attribute-value";
import { keyValuesOf } from "../log/identity";
import { SealingError } from "./errors";

export interface StreamChange {
  readonly event: "INSERT" | "MODIFY" | "REMOVE";
  readonly table: LogicalTableName;
  readonly key: readonly string[];
  readonly sequence: string;
  /** The item after the change; absent when it was removed. */
  readonly now?: ItemJson;
  /** The item before the change; absent when there was none. */
  readonly before?: ItemJson;
}

/** The images stay unparsed: a copy would cost more than their check, and they may hold anything. */
const streamEventSchema = z.object({
  Records: z
    .array(
      z.object({
        eventSource: z.literal("aws:dynamodb"),
        eventSourceARN: z.string(),
        eventName: z.enum(["INSERT", "MODIFY", "REMOVE"]),
        dynamodb: z.object({
          Keys: z.unknown().optional(),
          NewImage: z.unknown().optional(),
          OldImage: z.unknown().optional(),
          // What DynamoDB sends; the log's readers take nothing else.
          SequenceNumber: z.string().regex(/^[0-9]{1,64}$/),
        }),
      }),
    )
    .min(1),
});

/**
 * The changes of a stream event; undefined when it is no such event.
 * @param tables deployed table names.
 * @throws SealingError UNKNOWN_STREAM for a stream of another table.
 */
export function streamChanges(event: unknown, tables: Readonly<Record<TableId, string>>): StreamChange[] | undefined {
  const parsed = streamEventSchema.safeParse(event);
  if (!parsed.success) return undefined;
  return parsed.data.Records.map(({ eventName, eventSourceARN, dynamodb }) => {
    const table = tableOfStream(eventSourceARN, tables);
    const now = itemIn(dynamodb.NewImage);
    const before = itemIn(dynamodb.OldImage);
    return {
      event: eventName,
      table,
      key: keyValuesOf(table, itemIn(dynamodb.Keys) ?? {}).map((text) => text.toWellFormed()),
      sequence: dynamodb.SequenceNumber.toWellFormed(),
      ...(now === undefined ? {} : { now }),
      ...(before === undefined ? {} : { before }),
    };
  });
}

function tableOfStream(arn: string, tables: Readonly<Record<TableId, string>>): LogicalTableName {
  const deployed = /^arn:[^:]+:dynamodb:[^:]*:[^:]*:table\/([^/]+)\/stream\//.exec(arn)?.[1];
  const id = (Object.keys(TABLES) as TableId[]).find((each) => tables[each] === deployed);
  if (id !== undefined) return TABLES[id].logicalName;
  throw new SealingError(
    "UNKNOWN_STREAM",
    "The event comes from the stream of a table that is not one of the ledger's. The sealer takes the streams of the " +
      "tables that its environment names, and no others; correct the event source mapping.",
  );
}

/** @returns undefined unless the image is DynamoDB JSON: a malformed image is treated as absent. */
function itemIn(image: unknown): ItemJson | undefined {
  if (!isObject(image)) return undefined;
  return Object.values(image).every(isObject) ? (image as ItemJson) : undefined;
}

function isObject(value: unknown): value is Readonly<Record<string, unknown>> {
  return typeof value === "object" && value !== null && !Array.isArray(value);
}
