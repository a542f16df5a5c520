/**
 * The rows of a CSV file (RFC 4180 under a header row) as it streams by. The header says whether they are payments, whose columns
 * `metadata.<name>` become members of the metadata, or events of payments.
 */

import { parse } from "csv-parse/sync";
import { holdsCardData } from "../rules/card-data";
import { EVENT_ID_FIELD } from "../rules/event-kinds";
import { paymentEventSchema } from "../rules/payment-event";
import type { RefusalCode } from "../rules/refusals";
import { transactionSchema } from "../rules/transaction";
import { type Line, linesOf } from "./lines";
import type { Row } from "./row";
import { NOT_UTF8_MARK } from "./text";

const PAYMENT_FIELDS: ReadonlySet<string> = new Set(Object.keys(transactionSchema.shape));
/** A cell is a text, and the version of the schema is a number. */
const EVENT_FIELDS: ReadonlySet<string> = new Set(
  Object.keys(paymentEventSchema.shape).filter((name) => name !== "schemaVersion"),
);
const METADATA_PREFIX = "metadata.";
/** Line ends of other systems (carriage return, next line, line and paragraph separator). In a cell they need quotes. */
const FOREIGN_LINE_END = /[\r\u0085\u2028\u2029]/;
/** A well-formed quoted cell. */
const QUOTED_CELL = /(^|,)"(?:[^"]|"")*"(?=,|$)/g;
const NO_COLUMN_NAME = /[\p{Cc}\u2028\u2029]/u;

/**
 * Lines are put together to records here, because the streaming parser of the package drops what follows a record
 * that is too long. A quote that does not close takes the lines up to the next quote, or to the limit, with it: together
 * they are one bad row.
 */
export async function* csvRows(chunks: AsyncIterable<string>, lengthMax: number): AsyncGenerator<Row> {
  let header: readonly string[] | undefined;
  for await (const record of recordsOf(linesOf(chunks, lengthMax), lengthMax)) {
    if (header !== undefined) yield csvRow(record, header);
    else {
      header = headerOf(record);
      // No row can be read under it.
      if (header.length === 0) yield badRow(record, record.fault ?? "NOT_CSV");
    }
  }
}

interface CsvRecord {
  /** Its last line. */
  readonly number: number;
  readonly text: string;
  readonly fault?: RefusalCode;
  /** Card data was found in what is not in `text`. */
  readonly cardData?: boolean;
}

async function* recordsOf(chunks: AsyncIterable<Iterable<Line>>, lengthMax: number): AsyncGenerator<CsvRecord> {
  let held: string | undefined;
  let number = 0;
  for await (const lines of chunks) {
    for (const line of lines) {
      number = line.number;
      const text: string = held === undefined ? line.text : `${held}\n${line.text}`;
      const end = endOfLine(line.text, held !== undefined);
      const tooLong = line.tooLong || text.length > lengthMax;
      held = end === "open" && !tooLong ? text : undefined;
      if (tooLong) yield cutRecord(line, text, lengthMax);
      else if (end === "stray") yield { number, text, fault: "NOT_CSV" };
      else if (end === "closed" && text.trim() !== "") yield closedRecord(number, text.replace(/\r$/, ""));
    }
  }
  if (held !== undefined) yield { number, text: held, fault: "NOT_CSV" };
}

function cutRecord(line: Line, text: string, lengthMax: number): CsvRecord {
  const cardData = line.cardDataBehind || (text.length > lengthMax && holdsCardData(text));
  return { number: line.number, text: text.slice(0, lengthMax), fault: "ROW_TOO_LONG", cardData };
}

/** A character that only other programs take for a line end would otherwise become part of a name or a value. */
function closedRecord(number: number, text: string): CsvRecord {
  const unquoted = text.includes('"') ? text.replace(QUOTED_CELL, "$1") : text;
  return FOREIGN_LINE_END.test(unquoted) ? { number, text, fault: "NOT_CSV" } : { number, text };
}

/**
 * Whether a quoted cell is still open at the end of a line, or something else than a comma follows a closing quote.
 * Within a cell that does not begin with a quote, quotes are characters like others.
 */
function endOfLine(line: string, openBefore: boolean): "open" | "closed" | "stray" {
  let quoted = openBefore;
  let at = 0;
  for (;;) {
    if (quoted) {
      at = line.indexOf('"', at);
      if (at < 0) return "open";
      at += 1;
      if (line[at] === '"') at += 1;
      else if (line.slice(at) === "" || line.slice(at) === "\r") return "closed";
      else if (line[at] !== ",") return "stray";
      else {
        quoted = false;
        at += 1;
      }
    } else if (line[at] === '"') {
      quoted = true;
      at += 1;
    } else {
      at = line.indexOf(",", at) + 1;
      if (at === 0) return "closed";
    }
  }
}

function cellsOf(text: string): readonly string[] {
  if (!text.includes('"')) return text.split(",");
  const [cells = []] = parse(text, { record_delimiter: "\n", relax_column_count: true, relax_quotes: true });
  return cells;
}

/**
 * The names of the columns; none where the header cannot be used: it does not name the payment's id, it names a column twice
 * (the last of both would silently count) or a column that is no field, or it holds card data, which would be a name in each row.
 */
function headerOf({ text, fault }: CsvRecord): readonly string[] {
  if (fault !== undefined) return [];
  const names = cellsOf(text);
  const targets = names.filter((name) => name !== "");
  const isOfEvents = targets.includes(EVENT_ID_FIELD);
  if (!targets.every(isOfEvents ? (name) => EVENT_FIELDS.has(name) : isPaymentColumn)) return [];
  if (targets.some((name) => name.startsWith(METADATA_PREFIX))) targets.push("metadata");
  const namesPayment = targets.includes(isOfEvents ? "TransactionID" : "transactionId");
  return namesPayment && new Set(targets).size === targets.length && !holdsCardData(text) ? names : [];
}

function isPaymentColumn(name: string): boolean {
  if (PAYMENT_FIELDS.has(name)) return true;
  return name.startsWith(METADATA_PREFIX) && name.length > METADATA_PREFIX.length && !NO_COLUMN_NAME.test(name);
}

function csvRow(record: CsvRecord, header: readonly string[]): Row {
  if (record.fault !== undefined) return badRow(record, record.fault);
  const cells = cellsOf(record.text);
  if (cells.length !== header.length || record.text.includes(NOT_UTF8_MARK)) return badRow(record, "NOT_CSV");
  const members: [string, unknown][] = [];
  const metadata: [string, string][] = [];
  for (const [index, name] of header.entries()) {
    const cell = cells[index] ?? "";
    if (name.startsWith(METADATA_PREFIX)) metadata.push([name.slice(METADATA_PREFIX.length), cell]);
    // An empty cell is an absent field; an event without an id is still no payment.
    else if (cell !== "" || name === EVENT_ID_FIELD) members.push([name, cell]);
  }
  if (metadata.length > 0) members.push(["metadata", Object.fromEntries(metadata)]);
  return { number: record.number, value: Object.fromEntries(members) };
}

function badRow({ number, text, cardData = false }: CsvRecord, fault: RefusalCode): Row {
  return { number, fault, text, cardData };
}
