/** One change of a table, as Lambda passes it on from the table's stream. Content is taken as it is, and never refused. */

import { z } from "zod";
import { type LogicalTableName, TABLES, type TableId } from "../../contract";
import type { ItemJson } from "../../ledger/rules/commitment";
import type { StoredItem, StoredValue } from "../../ledger/rules/stored-item";
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
    "The event comes from the stream of a table that is none of the ledger's. The sealer takes the streams of the four " +
      "tables that its environment names; correct the event source mapping.",
  );
}

/** An image that is no item of typed values is none at all: what it says cannot be held against anything. */
function itemIn(image: unknown): ItemJson | undefined {
  if (!isObject(image)) return undefined;
  return Object.values(image).every(isObject) ? (image as ItemJson) : undefined;
}

/** The same item with its binary values as bytes; undefined when a value is of no type that DynamoDB has. */
export function storedForm(item: ItemJson): StoredItem | undefined {
  const entries: [string, StoredValue][] = [];
  for (const [name, attribute] of Object.entries(item)) {
    const value = storedValue(attribute);
    if (value === undefined) return undefined;
    entries.push([name, value]);
  }
  return Object.fromEntries(entries);
}

function storedValue(attribute: unknown): StoredValue | undefined {
  const [only, ...others] = isObject(attribute) ? Object.entries(attribute) : [];
  if (only === undefined || others.length > 0) return undefined;
  const [type, value] = only;
  if (type === "NULL") return { NULL: true };
  if (typeof value === "boolean") return type === "BOOL" ? { BOOL: value } : undefined;
  return typeof value === "string" ? scalar(type, value) : collection(type, value);
}

function scalar(type: string, value: string): StoredValue | undefined {
  if (type === "S") return { S: value };
  if (type === "N") return { N: value };
  return type === "B" ? { B: Buffer.from(value, "base64") } : undefined;
}

function collection(type: string, value: unknown): StoredValue | undefined {
  if (type === "M") {
    const item = itemIn(value);
    const members = item === undefined ? undefined : storedForm(item);
    return members === undefined ? undefined : { M: members };
  }
  if (!Array.isArray(value)) return undefined;
  if (type === "L") {
    const elements = value.map(storedValue).filter((element) => element !== undefined);
    return elements.length === value.length ? { L: elements } : undefined;
  }
  if (!value.every((member) => typeof member === "string")) return undefined;
  if (type === "SS") return { SS: value };
  if (type === "NS") return { NS: value };
  return type === "BS" ? { BS: value.map((text) => Buffer.from(text, "base64")) } : undefined;
}

function isObject(value: unknown): value is Readonly<Record<string, unknown>> {
  return typeof value === "object" && value !== null && !Array.isArray(value);
}
