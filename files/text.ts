/** The text of a payment file as it streams by: gunzipped where it is gzip, UTF-8 decoded, without a BOM. */

import { isUtf8 } from "node:buffer";
import { Readable } from "node:stream";
import { createGunzip } from "node:zlib";

const GZIP_MAGIC = Buffer.from([0x1f, 0x8b]);

/**
 * Stands for bytes that are no UTF-8. Neither JSON nor CSV text holds this character, so the row around it is refused and
 * the rows beside it are not.
 */
export const NOT_UTF8_MARK = "\u0000";
const REPLACEMENT_CHARACTER = "\u{fffd}";
const REPLACEMENT_BYTES = Buffer.from(REPLACEMENT_CHARACTER);
const BYTE_ORDER_MARK = "\u{feff}";

/** The file's compressed form is damaged from some place on; what came before it was read. */
export class DamagedGzipError extends Error {
  override readonly name = "DamagedGzipError";
}

export async function* textOf(bytes: AsyncIterable<Uint8Array>): AsyncGenerator<string> {
  let open = Buffer.alloc(0);
  let atStart = true;
  for await (const chunk of await plainBytes(bytes)) {
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

/** A replacement character that stands in the file is the sender's own; each that the decoder puts there is a bad byte. */
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

/** The format is told from the first bytes, because object keys and content types are whatever the sender chose. */
async function plainBytes(bytes: AsyncIterable<Uint8Array>): Promise<AsyncIterable<Uint8Array>> {
  const iterator = bytes[Symbol.asyncIterator]();
  let head = Buffer.alloc(0);
  while (head.length < GZIP_MAGIC.length) {
    const { done, value } = await iterator.next();
    if (done) break;
    head = Buffer.concat([head, value]);
  }
  const whole = joined(head, iterator);
  return head.subarray(0, GZIP_MAGIC.length).equals(GZIP_MAGIC) ? gunzipped(whole) : whole;
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

async function* gunzipped(bytes: AsyncIterable<Uint8Array>): AsyncGenerator<Uint8Array> {
  const source = Readable.from(bytes, { objectMode: false });
  const gunzip = createGunzip();
  let sourceFault: unknown;
  source.once("error", (error) => {
    sourceFault = error;
    gunzip.destroy(error);
  });
  try {
    yield* source.pipe(gunzip);
  } catch (error) {
    // A broken download is a technical fault and is tried again; broken compression stays broken.
    if (sourceFault !== undefined) throw sourceFault;
    if ((error as { code?: string }).code?.startsWith("Z_")) throw new DamagedGzipError("The gzip data is damaged.");
    throw error;
  } finally {
    source.destroy();
    gunzip.destroy();
  }
}
