/** The lines of one data file of an export, in batches: gunzipped and measured, nothing skipped in silence. */

import { isAscii, isUtf8 } from "node:buffer";
import { createHash, hash } from "node:crypto";
import { Readable } from "node:stream";
import { createGunzip, gunzipSync } from "node:zlib";
import { CodedError } from "../../contract";
import { FileError } from "../files/regular-file";
import { isGzipDamage } from "../rules/gzip-damage";
import type { ExportFolder } from "./folder";
import type { DataFile } from "./manifest";

/** A line, or what is wrong with the line of this number. */
export type LineOrFault = { readonly number: number } & ({ readonly line: string } | { readonly fault: string });

const PIECE_BYTES = 128 * 1024;
/** A stream takes longer than so few bytes. */
const INFLATED_AT_ONCE_MAX = 1024 * 1024;
const BATCH_LINES = 64;
/** An item has at most 400 KB; escapes and two images make it longer, but not this long. */
const LINE_BYTES_MAX = 8 * 1024 * 1024;
const NEWLINE = 0x0a;

/** Empty lines are no items, and no file is full of them. */
const LINES_BEYOND_ITEMS_MAX = 10_000;

/** Why a data file was not read to its end. */
export interface DataFileFault {
  readonly kind: "bad-gzip" | "too-many-lines" | "unreadable";
  readonly message: string;
}

/** One reading of a data file. What it counted is known when its lines are through. */
export class DataFileReading {
  /** Lines that are not empty. */
  items = 0;
  /** Of the file as it is stored. */
  bytes = 0;
  /** Of the whole file, in base64; empty when it was not read to its end. */
  md5 = "";
  fault: DataFileFault | undefined;

  constructor(
    private readonly file: DataFile,
    private readonly folder: ExportFolder,
  ) {}

  async *lines(): AsyncGenerator<readonly LineOrFault[]> {
    const lines = new LineSplitter(2 * this.file.itemCount + LINES_BEYOND_ITEMS_MAX);
    try {
      for await (const piece of this.pieces()) {
        yield* lines.take(piece);
        this.items = lines.count;
      }
      yield* lines.end();
    } catch (error) {
      this.fault = faultIn(error);
    }
    this.items = lines.count;
  }

  private async *pieces(): AsyncGenerator<Buffer> {
    const opened = await this.folder.open(this.file.path);
    const [bytes] = Symbol.iterator in opened ? opened : [];
    const inflated = bytes === undefined ? undefined : inflatedAtOnce(bytes);
    if (bytes !== undefined && inflated !== undefined) {
      this.bytes = bytes.length;
      yield inflated;
      this.md5 = hash("md5", bytes, "base64");
      return;
    }
    const source = opened instanceof Readable ? opened : Readable.from(opened);
    const md5 = createHash("md5");
    const gunzip = createGunzip({ chunkSize: PIECE_BYTES });
    source.on("data", (bytes: Buffer) => {
      this.bytes += bytes.length;
      md5.update(bytes);
    });
    source.on("error", (error) => gunzip.destroy(error));
    try {
      yield* source.pipe(gunzip) as AsyncIterable<Buffer>;
      this.md5 = md5.digest("base64");
    } catch (error) {
      // DynamoDB may write a file of no bytes for an empty partition; the decompressor takes it for one cut short.
      if (this.bytes > 0 || !isGzipDamage(error)) throw error;
      this.md5 = md5.digest("base64");
    } finally {
      source.destroy();
      gunzip.destroy();
    }
  }
}

/** Undefined for bytes that are damaged, and for those that inflate to more: a stream reads these, up to the fault. */
function inflatedAtOnce(bytes: Buffer): Buffer | undefined {
  try {
    return gunzipSync(bytes, { chunkSize: PIECE_BYTES, maxOutputLength: INFLATED_AT_ONCE_MAX });
  } catch {
    return undefined;
  }
}

function faultIn(error: unknown): DataFileFault {
  if (isGzipDamage(error)) return { kind: "bad-gzip", message: "Its gzip data is damaged." };
  if (error instanceof FileError) return { kind: "unreadable", message: error.message };
  if (error instanceof TooManyLines) return { kind: "too-many-lines", message: error.message };
  throw error;
}

class TooManyLines extends CodedError<"TOO_MANY_LINES"> {
  override readonly name = "TooManyLines";

  constructor(message: string) {
    super("TOO_MANY_LINES", message);
  }
}

class LineSplitter {
  /** Lines that are not empty. */
  count = 0;
  private number = 0;
  /** Of the line whose end has not come yet; nothing more is kept of one that is too long. */
  private open: Buffer[] = [];
  private openBytes = 0;

  constructor(private readonly linesMax: number) {}

  *take(piece: Buffer): Generator<readonly LineOrFault[]> {
    let start = 0;
    let end = piece.indexOf(NEWLINE);
    if (end >= 0 && this.openBytes > 0) {
      yield this.closeLine(piece.subarray(0, end));
      start = end + 1;
      end = piece.indexOf(NEWLINE, start);
    }
    const plain = isAscii(piece);
    let batch: LineOrFault[] = [];
    for (; end >= 0; end = piece.indexOf(NEWLINE, start)) {
      const line = this.lineOf(piece.subarray(start, end), plain);
      if (line !== undefined) batch.push(line);
      start = end + 1;
      if (batch.length < BATCH_LINES) continue;
      yield batch;
      batch = [];
    }
    yield batch;
    this.keep(piece.subarray(start));
  }

  *end(): Generator<readonly LineOrFault[]> {
    yield this.closeLine(Buffer.alloc(0));
  }

  private keep(rest: Buffer): void {
    if (rest.length === 0) return;
    this.openBytes += rest.length;
    // The piece's memory would stay with it otherwise.
    if (this.openBytes <= LINE_BYTES_MAX) this.open.push(Buffer.from(rest));
  }

  private closeLine(rest: Buffer): LineOrFault[] {
    const isTooLong = this.openBytes + rest.length > LINE_BYTES_MAX;
    const line = this.lineOf(isTooLong ? undefined : Buffer.concat([...this.open, rest]), false);
    this.open = [];
    this.openBytes = 0;
    return line === undefined ? [] : [line];
  }

  /** @param bytes undefined for a line that is too long. */
  private lineOf(bytes: Buffer | undefined, plain: boolean): LineOrFault | undefined {
    this.number += 1;
    if (this.number > this.linesMax) throw new TooManyLines("It has many more lines than its manifest says items.");
    const { number } = this;
    if (bytes?.length === 0) return undefined;
    this.count += 1;
    if (bytes === undefined || bytes.length > LINE_BYTES_MAX) {
      return { number, fault: "The line is longer than any item." };
    }
    if (plain) return { number, line: bytes.toString("latin1") };
    return isUtf8(bytes) ? { number, line: bytes.toString("utf8") } : { number, fault: "The line is not UTF-8." };
  }
}
