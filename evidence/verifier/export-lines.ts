/** The lines of one data file of an export, in batches: gunzipped, checked against its manifest, nothing skipped in silence. */

import { isAscii, isUtf8 } from "node:buffer";
import { createHash } from "node:crypto";
import { createReadStream } from "node:fs";
import { createGunzip } from "node:zlib";
import type { ExportFile } from "./export-manifest";
import { FileError } from "./regular-file";

/** A line, or what is wrong at this place. */
export type LineOrFault = { readonly line: string; readonly number: number } | { readonly fault: string };

const PIECE_BYTES = 1024 * 1024;
const BATCH_LINES = 500;
/** An item has at most 400 KB; escapes and two images make it longer, but not this long. */
const LINE_BYTES_MAX = 8 * 1024 * 1024;
const NEWLINE = 0x0a;

/** Empty lines are no items, and no file is full of them. */
const LINES_BEYOND_ITEMS_MAX = 10_000;

export async function* linesOfFile(file: ExportFile): AsyncGenerator<readonly LineOrFault[]> {
  const lines = new LineSplitter(2 * file.itemCount + LINES_BEYOND_ITEMS_MAX);
  const read = { md5: "", fault: "" };
  try {
    for await (const piece of piecesOf(file, read)) yield* lines.take(piece);
    yield* lines.end();
  } catch (error) {
    read.fault = faultIn(error);
  }
  if (read.fault !== "") yield [{ fault: `${file.path}: ${read.fault}` }];
  else if (read.md5 !== file.md5) yield [{ fault: `${file.path}: it is not what the manifest's checksum says.` }];
  if (lines.count !== file.itemCount) {
    yield [{ fault: `${file.path}: it has ${lines.count} items, and the manifest says ${file.itemCount}.` }];
  }
}

function faultIn(error: unknown): string {
  const { code = "" } = error as NodeJS.ErrnoException;
  if (code.startsWith("Z_")) return "Its gzip data is damaged.";
  if (error instanceof LineError || error instanceof FileError) return error.message;
  throw error;
}

class LineError extends Error {
  override readonly name = "LineError";
}

async function* piecesOf({ open }: ExportFile, read: { md5: string }): AsyncGenerator<Buffer> {
  const fd = open();
  if (fd === undefined) throw new LineError("The manifest lists it, and it is not there.");
  const md5 = createHash("md5");
  const gunzip = createGunzip({ chunkSize: PIECE_BYTES });
  const source = createReadStream("", { fd, highWaterMark: PIECE_BYTES });
  source.on("data", (bytes) => md5.update(bytes));
  source.on("error", (error) => gunzip.destroy(error));
  try {
    yield* source.pipe(gunzip) as AsyncIterable<Buffer>;
    read.md5 = md5.digest("base64");
  } finally {
    source.destroy();
    gunzip.destroy();
  }
}

function tooLong(number: number): LineError {
  return new LineError(`Line ${number} is longer than any item.`);
}

class LineSplitter {
  /** Lines that are not empty. */
  count = 0;
  private open: Buffer[] = [];
  private openBytes = 0;
  private number = 0;

  constructor(private readonly linesMax: number) {}

  *take(piece: Buffer): Generator<readonly LineOrFault[]> {
    let start = 0;
    let end = piece.indexOf(NEWLINE);
    if (end >= 0 && this.openBytes > 0) {
      yield this.lineOf(Buffer.concat([...this.open.splice(0), piece.subarray(0, end)]), false);
      this.openBytes = 0;
      start = end + 1;
      end = piece.indexOf(NEWLINE, start);
    }
    const plain = isAscii(piece);
    let batch: LineOrFault[] = [];
    for (; end >= 0; end = piece.indexOf(NEWLINE, start)) {
      batch.push(...this.lineOf(piece.subarray(start, end), plain));
      start = end + 1;
      if (batch.length < BATCH_LINES) continue;
      yield batch;
      batch = [];
    }
    yield batch;
    this.keep(piece.subarray(start));
  }

  *end(): Generator<readonly LineOrFault[]> {
    yield this.lineOf(Buffer.concat(this.open.splice(0)), false);
  }

  private keep(rest: Buffer): void {
    if (rest.length === 0) return;
    this.openBytes += rest.length;
    if (this.openBytes > LINE_BYTES_MAX) throw tooLong(this.number + 1);
    // The piece's memory would stay with it otherwise.
    this.open.push(Buffer.from(rest));
  }

  private lineOf(bytes: Buffer, plain: boolean): LineOrFault[] {
    this.number += 1;
    if (this.number > this.linesMax) throw new LineError("It has many more lines than its manifest says items.");
    if (bytes.length > LINE_BYTES_MAX) throw tooLong(this.number);
    if (bytes.length === 0) return [];
    this.count += 1;
    const { number } = this;
    if (plain) return [{ line: bytes.toString("latin1"), number }];
    return isUtf8(bytes) ? [{ line: bytes.toString("utf8"), number }] : [{ fault: `Line ${number} is not UTF-8.` }];
  }
}
