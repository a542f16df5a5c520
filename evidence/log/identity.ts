/** How the log names an item: by the values of its key attributes, and by its version. */

import { type LogicalTableName, TABLES, type TableId } from "../../contract";
import type { ItemJson } from "../../ledger/rules/attribute-value";

/** Values of the key attributes as texts, partition key first. A missing one, which no stored item has, is empty. */
export function keyValuesOf(table: LogicalTableName, item: ItemJson): string[] {
  return keyAttributes(table).map((name) => {
    const { S, N, B } = (item[name] ?? {}) as Readonly<Record<string, unknown>>;
    const value = S ?? N ?? B;
    return typeof value === "string" ? value : "";
  });
}

/** The number in `Version`, or "1" for an item that has none. */
export function versionOf(item: ItemJson): string {
  const { N } = (item["Version"] ?? {}) as Readonly<Record<string, unknown>>;
  return typeof N === "string" ? N : "1";
}

/** The contract's entry of a logical table. */
export function tableContract(table: LogicalTableName): (typeof TABLES)[TableId] {
  const shape = Object.values(TABLES).find(({ logicalName }) => logicalName === table);
  if (shape === undefined) throw new Error(`The contract has no table ${table}.`);
  return shape;
}

function keyAttributes(table: LogicalTableName): string[] {
  const shape = tableContract(table);
  return "sortKey" in shape ? [shape.partitionKey, shape.sortKey.name] : [shape.partitionKey];
}
