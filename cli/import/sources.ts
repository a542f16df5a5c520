/** Where older rows come from: a CSV or NDJSON file, a DynamoDB export in a folder or a bucket, a live table. */

import { createReadStream, statSync } from "node:fs";
import { Readable } from "node:stream";
import type { DynamoDBClient } from "@aws-sdk/client-dynamodb";
import type { S3Client } from "@aws-sdk/client-s3";
import { parse } from "csv-parse";
import { describeTable } from "../../backup/restore";
import { s3Folder } from "../../backup/s3-folder";
import type { LogicalTableName } from "../../contract";
import { DataFileReading } from "../../ledger/exports/data-file";
import { type ExportFolder, filesOf } from "../../ledger/exports/folder";
import { ItemError, parseExportLine } from "../../ledger/exports/lines";
import { localFolder } from "../../ledger/exports/local-folder";
import { type Manifest, readManifest, summariesIn } from "../../ledger/exports/manifest";
import { linesOf } from "../../ledger/files/lines";
import { decodedText, NOT_UTF8_MARK, UnreadableGzipError } from "../../ledger/files/text";
import { fromItemJson, type ItemJson, toItemJson } from "../../ledger/rules/attribute-value";
import { parseExactJson } from "../../ledger/rules/exact-json";
import { scanPages } from "../../ledger/store/read-items";
import { sdkItem, storedItem } from "../../ledger/store/transaction";
import { CommandError } from "../errors";
import { type Fields, plainFields } from "./values";

/** A row and its number: the line of a file, the place in an export or a scan. */
export type SourceRow = { readonly number: number } & ({ readonly fields: Fields } | { readonly fault: string });

/** Where an import goes on: behind so many rows, and in a table behind this key. */
export interface Resume {
  readonly rows: number;
  readonly startKey?: ItemJson;
}

export interface Chunk {
  readonly rows: readonly SourceRow[];
  readonly next: Resume;
}

export interface RowSource {
  /** Two sources with the same text are the same one, unchanged as far as can be seen. */
  readonly identity: string;
  /**
   * Reads all of it once, before anything is sent: nothing is recorded from bytes that are not verified.
   * @returns how many rows there are; undefined for a live table.
   * @throws CommandError SOURCE_DAMAGED
   */
  check(): Promise<number | undefined>;
  chunks(from: Resume): AsyncIterable<Chunk>;
}

export interface Clients {
  readonly dynamo: () => DynamoDBClient;
  readonly s3: () => S3Client;
}

const CHUNK_ROWS = 400;
const ROW_LENGTH_MAX = 1024 * 1024;

/** @param place `table:NAME`, `s3://BUCKET/PREFIX`, a folder or a file. */
export async function openSource(place: string, table: LogicalTableName, clients: Clients): Promise<RowSource> {
  const [, tableName] = /^table:(.+)$/.exec(place) ?? [];
  if (tableName !== undefined) return tableSource(clients.dynamo(), tableName);
  const [, bucket, prefix = ""] = /^s3:\/\/([^/]+)\/?(.*)$/.exec(place) ?? [];
  if (bucket !== undefined) {
    const folder = prefix === "" || prefix.endsWith("/") ? prefix : `${prefix}/`;
    return exportSource(s3Folder(clients.s3(), bucket, [folder]), table);
  }
  const status = statSync(place, { throwIfNoEntry: false });
  if (status?.isDirectory() === true) return exportSource(localFolder(place), table);
  if (status?.isFile() !== true) {
    throw new CommandError("FILE_MISSING", `There is no file or folder ${place}. Correct the path.`);
  }
  const rows = () => fileRows(place);
  return { identity: `file ${place} ${status.size} ${status.mtimeMs}`, ...inOrder(rows) };
}

/** Of rows that come in the same order each time. */
function inOrder(rows: () => AsyncIterable<SourceRow>): Pick<RowSource, "check" | "chunks"> {
  return {
    check: async () => {
      let count = 0;
      for await (const _ of rows()) count += 1;
      return count;
    },
    chunks: async function* (from) {
      let chunk: SourceRow[] = [];
      let count = 0;
      for await (const row of rows()) {
        count += 1;
        if (count > from.rows) chunk.push(row);
        if (chunk.length < CHUNK_ROWS) continue;
        yield { rows: chunk, next: { rows: count } };
        chunk = [];
      }
      if (chunk.length > 0) yield { rows: chunk, next: { rows: count } };
    },
  };
}

// ------------------------------------------------------------------------------------------------------------- files

async function* fileRows(path: string): AsyncGenerator<SourceRow> {
  try {
    const text = decodedText(createReadStream(path));
    let head = "";
    while (head.trimStart() === "") {
      const { done, value } = await text.next();
      if (done === true) return;
      head += value;
    }
    const whole = prefixed(head, text);
    yield* head.trimStart().startsWith("{") ? jsonRows(whole) : csvRows(whole);
  } catch (error) {
    if (!(error instanceof UnreadableGzipError)) throw error;
    throw new CommandError("SOURCE_DAMAGED", `${path}: ${error.message} Nothing is imported of it. Copy it again.`);
  }
}

async function* prefixed(head: string, rest: AsyncIterable<string>): AsyncGenerator<string> {
  yield head;
  yield* rest;
}

async function* jsonRows(text: AsyncIterable<string>): AsyncGenerator<SourceRow> {
  for await (const lines of linesOf(text, ROW_LENGTH_MAX)) {
    for (const line of lines) {
      if (line.text.trim() === "" && !line.tooLong) continue;
      const value = line.tooLong ? undefined : parseExactJson(line.text);
      yield isRow(value)
        ? { number: line.number, fields: fieldsOfLine(value) }
        : { number: line.number, fault: "NOT_JSON" };
    }
  }
}

/** A line of an export that was taken out of it is typed DynamoDB JSON under `Item`. */
function fieldsOfLine(value: Fields): Fields {
  const { Item: item, ...others } = value;
  if (!isRow(item) || Object.keys(others).length > 0) return value;
  const typed = fromItemJson(item as ItemJson);
  return typed === undefined ? value : plainFields(typed);
}

function isRow(value: unknown): value is Fields {
  return typeof value === "object" && value !== null && !Array.isArray(value);
}

interface ParsedRecord {
  readonly info: { readonly lines: number };
  readonly record: readonly string[];
}

/** RFC 4180 under a header row. Each column is a field; an empty cell is a field that the row does not have. */
async function* csvRows(text: AsyncIterable<string>): AsyncGenerator<SourceRow> {
  const unreadable: number[] = [];
  const parser = parse({ info: true, relax_column_count: true, skip_empty_lines: true, skip_records_with_error: true });
  const source = Readable.from(text);
  source.on("error", (error) => parser.destroy(error));
  source.pipe(parser);
  parser.on("skip", (error: { readonly lines?: number }) => unreadable.push(error.lines ?? 0));
  let header: readonly string[] | undefined;
  for await (const { info, record } of parser as AsyncIterable<ParsedRecord>) {
    for (const number of unreadable.splice(0)) yield { number, fault: "NOT_CSV" };
    if (header === undefined) {
      header = record;
      if (new Set(header).size < header.length || header.includes(""))
        throw new CommandError(
          "SOURCE_DAMAGED",
          "The header of the CSV file names a column twice, or one has no name.",
        );
    } else if (record.length !== header.length || record.join("").includes(NOT_UTF8_MARK)) {
      yield { number: info.lines, fault: "NOT_CSV" };
    } else {
      yield { number: info.lines, fields: Object.fromEntries(header.map((name, column) => [name, record[column]])) };
    }
  }
  for (const number of unreadable) yield { number, fault: "NOT_CSV" };
}

// ----------------------------------------------------------------------------------------------------------- exports

async function exportSource(folder: ExportFolder, table: LogicalTableName): Promise<RowSource> {
  const listed = await filesOf(folder);
  const summaries = summariesIn(listed);
  const [path] = summaries;
  if (path === undefined || summaries.length > 1) {
    throw new CommandError(
      "NO_EXPORT",
      `${folder.name} holds ${summaries.length} exports (manifest-summary.json). Name the folder of one full export.`,
    );
  }
  const faults: string[] = [];
  // The older table may have any name; the book of its rows was given.
  const manifest = await readManifest(
    path,
    folder,
    listed,
    ({ message }) => faults.push(message),
    () => table,
  );
  if (manifest === undefined || faults.length > 0) throw damaged(folder.name, faults[0] ?? "It cannot be read.");
  if (manifest.kind !== "full") throw damaged(folder.name, "It is an incremental export; a full one holds every row.");
  const rows = () => exportRows(folder, manifest);
  return { identity: `export ${manifest.deployedTable} ${manifest.id}`, ...inOrder(rows) };
}

function damaged(name: string, why: string): CommandError {
  return new CommandError("SOURCE_DAMAGED", `${name}: ${why} Nothing is imported of it. Copy the export again.`);
}

async function* exportRows(folder: ExportFolder, manifest: Manifest): AsyncGenerator<SourceRow> {
  let number = 0;
  for (const file of manifest.files) {
    const reading = new DataFileReading(file, folder);
    for await (const batch of reading.lines()) {
      for (const line of batch) {
        number += 1;
        yield { number, ...("line" in line ? exportedItem(line.line) : { fault: "NOT_JSON" }) };
      }
    }
    if (reading.fault !== undefined) throw damaged(folder.name, `${file.path}: ${reading.fault.message}`);
    if (reading.md5 !== file.md5 || reading.items !== file.itemCount)
      throw damaged(folder.name, `${file.path} is not the file that the manifest describes (MD5 and number of items).`);
  }
}

function exportedItem(line: string): { readonly fields: Fields } | { readonly fault: string } {
  try {
    const { now } = parseExportLine(line, "full");
    const item = now === undefined ? undefined : fromItemJson(now);
    return item === undefined ? { fault: "BAD_ITEM" } : { fields: plainFields(item) };
  } catch (error) {
    if (error instanceof ItemError) return { fault: error.code };
    throw error;
  }
}

// ------------------------------------------------------------------------------------------------------------ tables

/** A live table is read as it is; rows that are put during the import may be left out. */
async function tableSource(dynamo: DynamoDBClient, name: string): Promise<RowSource> {
  const table = await describeTable(dynamo, name);
  if (table === undefined) throw new CommandError("NOT_FOUND", `There is no table ${name}. Correct its name.`);
  return {
    identity: `table ${table.TableArn ?? name}`,
    check: async () => undefined,
    chunks: async function* (from) {
      let number = from.rows;
      const start = from.startKey === undefined ? undefined : fromItemJson(from.startKey);
      const input = {
        TableName: name,
        ConsistentRead: true,
        Limit: CHUNK_ROWS,
        ...(start === undefined ? {} : { ExclusiveStartKey: sdkItem(start) }),
      };
      for await (const { Items = [], LastEvaluatedKey } of scanPages(dynamo, input)) {
        const rows = Items.map((item) => ({ number: ++number, fields: plainFields(storedItem(item)) }));
        const startKey = LastEvaluatedKey === undefined ? {} : { startKey: toItemJson(storedItem(LastEvaluatedKey)) };
        yield { rows, next: { rows: number, ...startKey } };
      }
    },
  };
}
