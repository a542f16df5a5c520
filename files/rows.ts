/**
 * The rows of a payment file as it streams by: one JSON object, a JSON array, NDJSON or CSV. Memory holds one chunk and
 * one row at a time, whatever the size of the file.
 */

import { Readable } from "node:stream";
import { parse } from "csv-parse";
import { parseExactJson } from "../ledger/exact-json";
import type { RefusalCode } from "../ledger/refusals";
import { arrayElements } from "./json-array";
import { linesOf } from "./lines";
import { DamagedGzipError, NOT_UTF8_MARK, textOf } from "./text";

/** A row's number is its (last) line in NDJSON and CSV, and its place in an array; all from 1. */
export type Row =
  | { readonly number: number; readonly value: unknown }
  | {
      readonly number: number;
      readonly fault: RefusalCode /** The row as far as it could be read. */;
      readonly text: string;
    };

/** Characters that one row may hold. */
export const ROW_LENGTH_MAX = 256 * 1024;
/** A single object may be written over many lines; more than this is no single payment. */
const SINGLE_OBJECT_LENGTH_MAX = 1024 * 1024;

/** @throws what the download throws; faults of the file itself become rows. */
export async function* readRows(bytes: AsyncIterable<Uint8Array>): AsyncGenerator<Row> {
  let number = 0;
  try {
    for await (const row of rowsOf(textOf(bytes))) {
      number = row.number;
      yield "fault" in row && row.text.includes(NOT_UTF8_MARK) ? { ...row, fault: "NOT_UTF8" } : row;
    }
  } catch (error) {
    if (error instanceof DamagedGzipError) yield { number: number + 1, fault: "DAMAGED_GZIP", text: "" };
    else throw error;
  }
}

async function* rowsOf(text: AsyncGenerator<string>): AsyncGenerator<Row> {
  const { first, whole } = await peek(text);
  if (first === "[") yield* arrayElements(whole, ROW_LENGTH_MAX);
  else if (first === "{") yield* objectRows(whole);
  else if (first !== undefined) yield* csvRows(whole);
}

/** The first character that is no white space tells the format; undefined for an empty file. */
async function peek(
  text: AsyncGenerator<string>,
): Promise<{ first: string | undefined; whole: AsyncGenerator<string> }> {
  let head = "";
  while (head.trimStart() === "") {
    const { done, value } = await text.next();
    if (done) break;
    head += value;
    if (head.length > ROW_LENGTH_MAX && head.trimStart() === "") head = "";
  }
  async function* whole(): AsyncGenerator<string> {
    yield head;
    yield* text;
  }
  return { first: head.trimStart()[0], whole: whole() };
}

/** NDJSON, unless the first line is only the beginning of the file's one object. */
async function* objectRows(text: AsyncGenerator<string>): AsyncGenerator<Row> {
  const lines = linesOf(text, ROW_LENGTH_MAX);
  const held: { number: number; text: string; tooLong: boolean }[] = [];
  let heldLength = 0;
  let decided = false;
  for await (const line of lines) {
    if (!decided) {
      held.push(line);
      heldLength += line.text.length;
      const firstIsWhole = held.length === 1 && !line.tooLong && parseExactJson(line.text) !== undefined;
      if (!firstIsWhole && heldLength <= SINGLE_OBJECT_LENGTH_MAX) continue;
      decided = true;
      for (const each of held.splice(0)) yield* lineRow(each);
    } else yield* lineRow(line);
  }
  const single = decided ? undefined : parseExactJson(held.map((line) => line.text).join("\n"));
  if (single !== undefined) yield { number: 1, value: single };
  else for (const each of held) yield* lineRow(each);
}

function* lineRow({ number, text, tooLong }: { number: number; text: string; tooLong: boolean }): Generator<Row> {
  if (tooLong) yield { number, fault: "ROW_TOO_LONG", text };
  else if (text.trim() !== "") {
    const value = parseExactJson(text);
    yield value === undefined ? { number, fault: "NOT_JSON", text } : { number, value };
  }
}

/** CSV by RFC 4180 with a header row. Columns `metadata.<name>` become members of the metadata. */
async function* csvRows(text: AsyncGenerator<string>): AsyncGenerator<Row> {
  const broken: Row[] = [];
  const records = Readable.from(text).pipe(
    parse({
      info: true,
      raw: true,
      relax_column_count: true,
      // A stray quote spoils its own cell, which the checks then see; a strict parser would swallow the next rows too.
      relax_quotes: true,
      skip_empty_lines: true,
      skip_records_with_error: true,
      max_record_size: ROW_LENGTH_MAX,
      on_skip: (error, raw) => {
        broken.push({ number: Number(error?.["lines"] ?? 0), fault: "NOT_CSV", text: raw ?? "" });
        return undefined;
      },
    }),
  );
  let header: readonly string[] | undefined;
  for await (const { record, info } of records as AsyncIterable<{ record: string[]; info: { lines: number } }>) {
    yield* broken.splice(0);
    if (header === undefined) header = record;
    else yield csvRow(info.lines, header, record);
  }
  yield* broken;
}

function csvRow(number: number, header: readonly string[], cells: readonly string[]): Row {
  if (cells.length !== header.length || cells.some((cell) => cell.includes(NOT_UTF8_MARK)))
    return { number, fault: "NOT_CSV", text: cells.join(",") };
  const members: [string, unknown][] = [];
  const metadata: [string, string][] = [];
  for (const [index, name] of header.entries()) {
    const cell = cells[index] ?? "";
    if (name.startsWith("metadata.")) metadata.push([name.slice("metadata.".length), cell]);
    else if (cell !== "") members.push([name, cell]);
  }
  if (metadata.length > 0) members.push(["metadata", Object.fromEntries(metadata)]);
  return { number, value: Object.fromEntries(members) };
}
