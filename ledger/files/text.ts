/** The text of a payment file as it streams by: gunzipped where it is gzip, UTF-8 decoded, without a BOM. */

import { isUtf8 } from "node:buffer";
import { createGunzip, type Gunzip } from "node:zlib";
import { CodedError } from "../../contract";
import { isGzipDamage } from "../rules/gzip-damage";

/** Text of payments shrinks to a tenth or a thirtieth. The format itself allows a thousandth. */
export const GZIP_RATIO_MAX = 200;
/** A file that inflates to less than this is harmless at any ratio. */
const INFLATED_BYTES_FREE = 1024 * 1024;
/** What is inflated at once, at most a thousandfold, stays small. */
const GZIP_SLICE_BYTES = 16 * 1024;
const GZIP_MAGIC = Buffer.from([0x1f, 0x8b]);

/**
 * Replaces bytes that are not UTF-8. Neither JSON nor CSV text holds this character, so the row around it is refused and
 * the rows beside it are not.
 */
export const NOT_UTF8_MARK = "\u0000";
const REPLACEMENT_CHARACTER = "\u{fffd}";
const REPLACEMENT_BYTES = Buffer.from(REPLACEMENT_CHARACTER);
const BYTE_ORDER_MARK = "\u{feff}";

/**
 * The file's gzip form cannot be read to its end: a checksum or length does not hold, something else than another member
 * or zeros follows a member, or it inflates beyond the ratio. What was read before it may be wrong.
 */
export class UnreadableGzipError extends CodedError<"DAMAGED_GZIP" | "GZIP_RATIO_TOO_HIGH"> {
  override readonly name = "UnreadableGzipError";
  /** @param soundBytes how many bytes of the file were read before those with the fault. */
  constructor(
    code: "DAMAGED_GZIP" | "GZIP_RATIO_TOO_HIGH",
    readonly soundBytes: number,
  ) {
    super(code, code === "DAMAGED_GZIP" ? "The gzip data is damaged." : "The gzip data inflates too far.");
  }
}

export interface GzipReading {
  /** How many times its size a file may inflate to. */
  readonly ratioMax?: number;
  /**
   * From this byte of the file on it is inflated byte by byte. That is slow, and loses nothing of the text before a fault:
   * what a longer piece inflates to before it fails is lost.
   */
  readonly bytewiseFrom?: number;
}

/** @throws UnreadableGzipError, also after the last text, when the checksum at the end does not hold. */
export async function* decodedText(bytes: AsyncIterable<Uint8Array>, gzip: GzipReading = {}): AsyncGenerator<string> {
  let open = Buffer.alloc(0);
  let atStart = true;
  for await (const chunk of plainBytes(bytes, gzip)) {
    const buffer = open.length === 0 ? Buffer.from(chunk) : Buffer.concat([open, chunk]);
    const end = buffer.length - openSequenceLength(buffer);
    open = buffer.subarray(end);
    let text = decoded(buffer.subarray(0, end));
    if (text === "") continue;
    if (atStart && text.startsWith(BYTE_ORDER_MARK)) text = text.slice(1);
    atStart = false;
    yield text;
  }
  if (open.length > 0) yield NOT_UTF8_MARK;
}

/** A replacement character in the file's bytes is the sender's; one that the decoder adds marks a bad byte. */
function decoded(buffer: Buffer): string {
  if (isUtf8(buffer)) return buffer.toString("utf8");
  let text = "";
  for (let start = 0; ; start += REPLACEMENT_BYTES.length) {
    const own = buffer.indexOf(REPLACEMENT_BYTES, start);
    const part = buffer.subarray(start, own < 0 ? buffer.length : own);
    text += part.toString("utf8").replaceAll(REPLACEMENT_CHARACTER, NOT_UTF8_MARK);
    if (own < 0) return text;
    text += REPLACEMENT_CHARACTER;
    start = own;
  }
}

/** Bytes at the end that begin a character whose rest is in the next chunk. */
function openSequenceLength(buffer: Buffer): number {
  for (let length = 1; length <= Math.min(3, buffer.length); length++) {
    const byte = buffer[buffer.length - length] ?? 0;
    if (byte < 0x80) return 0;
    if (byte >= 0xc0) {
      const needed = byte >= 0xf0 ? 4 : byte >= 0xe0 ? 3 : 2;
      return length < needed ? length : 0;
    }
  }
  return 0;
}

/** The format follows from the first bytes, because object keys and content types are whatever the sender chose. */
export async function* plainBytes(
  bytes: AsyncIterable<Uint8Array>,
  gzip: GzipReading = {},
): AsyncGenerator<Uint8Array> {
  const iterator = bytes[Symbol.asyncIterator]();
  let head = Buffer.alloc(0);
  while (head.length < GZIP_MAGIC.length) {
    const { done, value } = await iterator.next();
    if (done) break;
    head = Buffer.concat([head, value]);
  }
  const whole = joined(head, iterator);
  if (head.subarray(0, GZIP_MAGIC.length).equals(GZIP_MAGIC)) yield* gunzipped(whole, gzip);
  else yield* whole;
}

async function* joined(head: Uint8Array, rest: AsyncIterator<Uint8Array>): AsyncGenerator<Uint8Array> {
  try {
    if (head.length > 0) yield head;
    for (;;) {
      const { done, value } = await rest.next();
      if (done) return;
      yield value;
    }
  } finally {
    // Who stops reading early lets go of the download too.
    await rest.return?.();
  }
}

async function* gunzipped(
  bytes: AsyncIterable<Uint8Array>,
  { ratioMax = Number.POSITIVE_INFINITY, bytewiseFrom = Number.POSITIVE_INFINITY }: GzipReading,
): AsyncGenerator<Uint8Array> {
  const members = new GzipMembers();
  let inflatedBytes = 0;
  try {
    for await (const slice of slices(bytes, bytewiseFrom)) {
      for (const inflated of await members.push(slice)) {
        inflatedBytes += inflated.length;
        yield inflated;
      }
      if (inflatedBytes > INFLATED_BYTES_FREE + ratioMax * members.bytesRead)
        throw new UnreadableGzipError("GZIP_RATIO_TOO_HIGH", members.bytesRead);
    }
    yield* await members.end();
  } finally {
    members.close();
  }
}

async function* slices(bytes: AsyncIterable<Uint8Array>, bytewiseFrom: number): AsyncGenerator<Uint8Array> {
  let at = 0;
  for await (const chunk of bytes) {
    for (let start = 0; start < chunk.length; ) {
      const length = at < bytewiseFrom ? Math.min(GZIP_SLICE_BYTES, bytewiseFrom - at) : 1;
      const slice = chunk.subarray(start, start + length);
      yield slice;
      start += slice.length;
      at += slice.length;
    }
  }
}

/**
 * The members of a gzip file (RFC 1952), with the checksum and the length of each held against what it inflates to. Node
 * stops in silence at a zero byte behind a member and drops what follows it. Here only zeros to the end of the file,
 * with which some systems fill a block, may be left.
 */
class GzipMembers {
  bytesRead = 0;
  private readonly gunzip: Gunzip = createGunzip();
  private readonly inflated: Uint8Array[] = [];
  private hasEnded = false;
  private wake: () => void = () => undefined;

  constructor() {
    this.gunzip.on("data", (chunk: Uint8Array) => this.inflated.push(chunk));
    this.gunzip.on("end", () => this.wake());
    this.gunzip.on("error", () => this.wake());
  }

  /** What the next bytes of the file inflate to. */
  async push(bytes: Uint8Array): Promise<Uint8Array[]> {
    const consumedBefore = this.gunzip.bytesWritten;
    if (!this.hasEnded) await this.until((written) => this.gunzip.write(bytes, written));
    const consumed = this.gunzip.bytesWritten - consumedBefore;
    this.hasEnded = consumed < bytes.length;
    if (!bytes.subarray(consumed).every((byte) => byte === 0)) throw this.damaged();
    this.bytesRead += bytes.length;
    return this.inflated.splice(0);
  }

  async end(): Promise<Uint8Array[]> {
    if (!this.gunzip.readableEnded) await this.until(() => !this.hasEnded && this.gunzip.end());
    return this.inflated.splice(0);
  }

  close(): void {
    this.gunzip.destroy();
  }

  private async until(act: (done: () => void) => void): Promise<void> {
    await new Promise<void>((resolve) => {
      this.wake = resolve;
      act(resolve);
    });
    const error = this.gunzip.errored;
    if (error === null) return;
    throw isGzipDamage(error) ? this.damaged() : error;
  }

  private damaged(): UnreadableGzipError {
    return new UnreadableGzipError("DAMAGED_GZIP", this.bytesRead);
  }
}
