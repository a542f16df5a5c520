/** One line of an export's data file: what it does to the table, or why it is no line of that table. */

import { type LogicalTableName, TABLES } from "../contract";
import { type ExportedChange, ItemError, parseExportLine } from "../ledger/exports/lines";
import { type ItemJson, isTypedItem } from "../ledger/rules/attribute-value";

/** `added` and `removed` change the set of keys; a `changed` item was there before and after. */
export interface ExportLine {
  readonly effect: "added" | "changed" | "removed";
  /** Text that no other key of the table has. */
  readonly key: string;
  /** When the ledger recorded the item, by its own clock; absent in an item that does not say. */
  readonly recordedAt?: string;
  /** The item after the line; absent where it was removed. */
  readonly item?: ItemJson;
}

export interface TableShape {
  readonly logicalName: LogicalTableName;
  readonly keys: readonly { readonly name: string; readonly type: "S" | "N" }[];
  readonly recordedAt: string;
}

export function shapeOf(logicalName: LogicalTableName): TableShape {
  const table = Object.values(TABLES).find((each) => each.logicalName === logicalName);
  if (table === undefined) throw new Error(`The contract has no table ${logicalName}.`);
  const sortKey = "sortKey" in table ? [table.sortKey] : [];
  return {
    logicalName,
    keys: [{ name: table.partitionKey, type: "S" }, ...sortKey],
    recordedAt: table.recordedAt,
  };
}

/** @returns the reason in words when the line is not one of such an export. */
export function readExportLine(text: string, kind: "full" | "incremental", shape: TableShape): ExportLine | string {
  try {
    return changeIn(parseExportLine(text, kind), kind, shape);
  } catch (error) {
    if (error instanceof ItemError) return error.message;
    throw error;
  }
}

function changeIn(change: ExportedChange, kind: "full" | "incremental", shape: TableShape): ExportLine | string {
  const { keys, now, before, metadata } = change;
  const isTypedThroughout = [keys, now, before].every((image) => image === undefined || isTypedItem(image));
  if (!isTypedThroughout) return "The line is not in typed DynamoDB JSON throughout.";
  if (kind === "full") return now === undefined ? missingKey(shape) : withKey(now, shape, "added");
  if (!hasWriteTime(metadata)) return "The line does not say when it was written (Metadata.WriteTimestampMicros).";
  const key = keys && keyOf(keys, shape);
  if (key === undefined) return missingKey(shape);
  const image = now ?? before;
  if (image === undefined) return { effect: "removed", key };
  return withKey(image, shape, now === undefined ? "removed" : before === undefined ? "added" : "changed");
}

function withKey(item: ItemJson, shape: TableShape, effect: ExportLine["effect"]): ExportLine | string {
  const key = keyOf(item, shape);
  if (key === undefined) return missingKey(shape);
  const recordedAt = (item[shape.recordedAt] as { S?: string } | undefined)?.S;
  return {
    effect,
    key,
    ...(recordedAt === undefined ? {} : { recordedAt }),
    ...(effect === "removed" ? {} : { item }),
  };
}

export function keyOf(item: ItemJson, shape: TableShape): string | undefined {
  const parts = shape.keys.map(
    ({ name, type }) => (item[name] as Partial<Record<"S" | "N", string>> | undefined)?.[type],
  );
  if (parts.some((part) => part === undefined || part === "")) return undefined;
  return parts.length === 1 ? parts[0] : JSON.stringify(parts);
}

function missingKey({ keys, logicalName }: TableShape): string {
  return `The item lacks the key of ${logicalName} (${keys.map(({ name, type }) => `${name}: ${type}`).join(", ")}).`;
}

function hasWriteTime(metadata: unknown): boolean {
  if (!isObject(metadata)) return false;
  const micros = metadata["WriteTimestampMicros"];
  const text = isObject(micros) ? micros["N"] : micros;
  return /^[0-9]{16,}$/.test(String(text));
}

function isObject(value: unknown): value is Readonly<Record<string, unknown>> {
  return typeof value === "object" && value !== null && !Array.isArray(value);
}
