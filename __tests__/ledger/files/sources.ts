/** Bytes as a download brings them: cut anywhere. */

import fc from "fast-check";
import type { Row } from "../../../ledger/files/row";
import { readRows } from "../../../ledger/files/rows";
import { numbersAsText } from "../../../ledger/rules/exact-json";

export async function* bytesOf(...chunks: readonly (string | Uint8Array)[]): AsyncGenerator<Uint8Array> {
  for (const chunk of chunks) yield Buffer.from(chunk);
}

export async function* textsOf(...chunks: readonly string[]): AsyncGenerator<string> {
  yield* chunks;
}

export async function listOf<T>(items: AsyncIterable<T>): Promise<T[]> {
  const list: T[] = [];
  for await (const item of items) list.push(item);
  return list;
}

/** The bytes cut at the given places, taken modulo their length. */
export function cut(bytes: Uint8Array, places: readonly number[]): Uint8Array[] {
  const at = [...new Set(places.map((place) => place % (bytes.length + 1)))].sort((a, b) => a - b);
  return [...at, bytes.length].map((end, index) => bytes.subarray(index === 0 ? 0 : at[index - 1], end));
}

export const cuts = fc.array(fc.nat(), { maxLength: 12 });

/** A row as tests compare it: its number, and its value with numbers as text, or its fault. */
export type ComparableRow = readonly [number, unknown] | { readonly number: number; readonly fault: string };

export function comparableRow(row: Row): ComparableRow {
  return "fault" in row ? { number: row.number, fault: row.fault } : [row.number, numbersAsText(row.value)];
}

export async function rowsOf(...chunks: readonly (string | Uint8Array)[]): Promise<ComparableRow[]> {
  return (await listOf(readRows(bytesOf(...chunks)))).map(comparableRow);
}

/** The value as the rows carry it: each number is the text that JSON has for it. */
export function withTexts(value: unknown): unknown {
  if (typeof value === "number") return JSON.stringify(value);
  if (Array.isArray(value)) return value.map(withTexts);
  if (typeof value !== "object" || value === null) return value;
  return Object.fromEntries(Object.entries(value).map(([key, member]) => [key, withTexts(member)]));
}
