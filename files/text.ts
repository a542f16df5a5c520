/** The text of a payment file as it streams by: gunzipped where it is gzip, UTF-8 decoded, without a BOM. */

import { Readable } from "node:stream";
import { createGunzip } from "node:zlib";

const GZIP_MAGIC = Buffer.from([0x1f, 0x8b]);

/** The file is not UTF-8 from some place on; what came before it was read. */
export class NotUtf8Error extends Error {
  override readonly name = "NotUtf8Error";
}

/** The file's compressed form is damaged from some place on; what came before it was read. */
export class DamagedGzipError extends Error {
  override readonly name = "DamagedGzipError";
}

export async function* textOf(bytes: AsyncIterable<Uint8Array>): AsyncGenerator<string> {
  const decoder = new TextDecoder("utf-8", { fatal: true });
  for await (const chunk of await plainBytes(bytes)) {
    const text = decode(decoder, chunk);
    if (text !== "") yield text;
  }
  decode(decoder);
}

function decode(decoder: InstanceType<typeof TextDecoder>, chunk?: Uint8Array): string {
  try {
    return chunk === undefined ? decoder.decode() : decoder.decode(chunk, { stream: true });
  } catch {
    throw new NotUtf8Error("The bytes are not UTF-8.");
  }
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
  if (head.length > 0) yield head;
  for (;;) {
    const { done, value } = await rest.next();
    if (done) return;
    yield value;
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
