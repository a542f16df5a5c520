/**
 * The rows of a payment file as it streams by: one JSON object, a JSON array, NDJSON or CSV. Memory holds one chunk and
 * one row at a time, whatever the size of the file.
 */

import { holdsCardData } from "../rules/card-data";
import { parseExactJson } from "../rules/exact-json";
import { csvRows } from "./csv";
import { arrayElements } from "./json-array";
import { type Line, linesOf } from "./lines";
import type { BadRowText, Row } from "./row";
import { decodedText, GZIP_RATIO_MAX, NOT_UTF8_MARK, UnreadableGzipError } from "./text";

/** Characters that one row may hold. */
export const ROW_LENGTH_MAX = 256 * 1024;
/** A single object may be written over many lines; more than this is no single payment. */
const SINGLE_OBJECT_LENGTH_MAX = 1024 * 1024;

/**
 * Text that becomes no payment (a header, a row that is broken or too long, what follows the end of an array) is searched
 * for card data here, to its last character. Who takes the rows searches their values.
 *
 * @throws what the download throws; faults of the file itself become rows.
 */
export async function* readRows(bytes: AsyncIterable<Uint8Array>): AsyncGenerator<Row> {
  let number = 0;
  try {
    for await (const row of rowsOf(decodedText(bytes, { ratioMax: GZIP_RATIO_MAX }))) {
      number = row.number;
      yield "fault" in row ? searched(row) : row;
    }
  } catch (error) {
    if (!(error instanceof UnreadableGzipError)) throw error;
    yield { number: number + 1, fault: error.code, text: "", cardData: false };
  }
}

function searched(row: BadRowText): BadRowText {
  const fault = row.text.includes(NOT_UTF8_MARK) ? "NOT_UTF8" : row.fault;
  return { ...row, fault, cardData: row.cardData || holdsCardData(row.text) };
}

/** A file with text has at least one row, good or bad: what was read as a header alone may have held payments. */
async function* rowsOf(text: AsyncGenerator<string>): AsyncGenerator<Row> {
  const { first, whole } = await peek(text);
  let isEmpty = first !== undefined;
  for await (const row of rowsInFormat(first, whole)) {
    isEmpty = false;
    yield row;
  }
  if (isEmpty) yield { number: 1, fault: "NO_ROWS", text: "", cardData: false };
}

async function* rowsInFormat(first: string | undefined, text: AsyncGenerator<string>): AsyncGenerator<Row> {
  if (first === "[") yield* arrayElements(text, ROW_LENGTH_MAX);
  else if (first === "{") yield* objectRows(text);
  else if (first !== undefined) yield* csvRows(text, ROW_LENGTH_MAX);
}

/** The first character that is no white space tells the format; undefined for an empty file. */
async function peek(
  text: AsyncGenerator<string>,
): Promise<{ first: string | undefined; whole: AsyncGenerator<string> }> {
  let head = "";
  let lineBreaks = 0;
  while (head.trimStart() === "") {
    const { done, value } = await text.next();
    if (done) break;
    head += value;
    if (head.length <= ROW_LENGTH_MAX || head.trimStart() !== "") continue;
    // Of so much white space only the line breaks are kept, as a number: rows are named by their lines.
    lineBreaks += head.split("\n").length - 1;
    head = "";
  }
  async function* whole(): AsyncGenerator<string> {
    try {
      for (let left = lineBreaks; left > 0; left -= ROW_LENGTH_MAX) yield "\n".repeat(Math.min(left, ROW_LENGTH_MAX));
      yield head;
      yield* text;
    } finally {
      await text.return(undefined);
    }
  }
  return { first: head.trimStart()[0], whole: whole() };
}

/** NDJSON, unless the first line is only the beginning of the file's one object. */
async function* objectRows(text: AsyncGenerator<string>): AsyncGenerator<Row> {
  const held: Line[] = [];
  let heldLength = 0;
  let decided = false;
  for await (const lines of linesOf(text, ROW_LENGTH_MAX)) {
    for (const line of lines) {
      // An empty line is no row, and changes no object.
      if (line.text !== "") held.push(line);
      if (!decided) {
        heldLength += line.text.length + 1;
        const firstIsWhole = line.number === 1 && !line.tooLong && parseExactJson(line.text) !== undefined;
        decided = firstIsWhole || heldLength > SINGLE_OBJECT_LENGTH_MAX;
      }
      if (decided) for (const row of rowsIn(held.splice(0))) yield row;
    }
  }
  const isCut = held.some((line) => line.tooLong);
  const single = decided || isCut ? undefined : parseExactJson(held.map((line) => line.text).join("\n"));
  if (single !== undefined) yield { number: 1, value: single };
  else for (const row of rowsIn(held)) yield row;
}

function rowsIn(lines: readonly Line[]): Row[] {
  return lines.flatMap((line) => lineRow(line) ?? []);
}

function lineRow({ number, text, tooLong, cardDataBehind }: Line): Row | undefined {
  if (tooLong) return { number, fault: "ROW_TOO_LONG", text, cardData: cardDataBehind };
  if (text.trim() === "") return undefined;
  const value = parseExactJson(text);
  return value === undefined ? { number, fault: "NOT_JSON", text, cardData: false } : { number, value };
}
