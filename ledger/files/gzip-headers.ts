/**
 * Searches the headers of a gzip file's members for card data: the name, the comment and the extra field that a packer wrote
 * there (RFC 1952, section 2.3) are in no row. Headers are recognised by their first bytes, wherever these are, because only
 * unpacking shows where a member begins. Bytes that only look like a header are then searched too, which does no harm.
 */

import { CardDataSearch } from "./card-data-search";

/** The magic number and the one compression method that there is. */
const MEMBER_START = Buffer.from([0x1f, 0x8b, 0x08]);
const FLAGS_AT = 3;
const FIXED_BYTES = 10;
const HAS_EXTRA = 4;
const HAS_NAME = 8;
const HAS_COMMENT = 16;
/** As much as an extra field can have. A longer name or comment is searched so far. */
const FIELD_BYTES_MAX = 64 * 1024;
const HEADER_BYTES_MAX = FIXED_BYTES + 3 * FIELD_BYTES_MAX;

export class GzipHeaderSearch {
  readonly #search = new CardDataSearch();
  #held: Buffer = Buffer.alloc(0);
  /**
   * How many of the held bytes were searched; below 0 when the search ended before them. Bytes that only look like a header may
   * overlap a real one, and no byte is searched twice.
   */
  #searchedTo = 0;

  /** The same bytes, searched as they pass. */
  async *watch(bytes: AsyncIterable<Uint8Array>): AsyncGenerator<Uint8Array> {
    for await (const chunk of bytes) {
      this.#held = Buffer.concat([this.#held, chunk]);
      this.#look(this.#held.length - HEADER_BYTES_MAX);
      yield chunk;
    }
  }

  /** @returns whether card data was found in a header. */
  end(): boolean {
    this.#look(this.#held.length);
    return this.#search.end();
  }

  /** Searches the headers that begin up to this byte, and lets go of what is before the next one. */
  #look(until: number): void {
    let at = this.#held.indexOf(MEMBER_START);
    for (; at >= 0 && at <= until; at = this.#held.indexOf(MEMBER_START, at + 1)) {
      const end = Math.min(this.#held.length, at + headerLength(this.#held.subarray(at)));
      this.#search.push(this.#held.toString("latin1", Math.max(at, this.#searchedTo), end));
      this.#searchedTo = Math.max(this.#searchedTo, end);
    }
    const rest = this.#held.subarray(at >= 0 ? at : -MEMBER_START.length);
    this.#searchedTo -= this.#held.length - rest.length;
    this.#held = rest;
  }
}

function headerLength(header: Buffer): number {
  const flags = header[FLAGS_AT] ?? 0;
  let length = FIXED_BYTES;
  if ((flags & HAS_EXTRA) !== 0 && header.length >= length + 2) length += 2 + header.readUInt16LE(length);
  for (const flag of [HAS_NAME, HAS_COMMENT]) {
    if ((flags & flag) === 0) continue;
    const end = header.subarray(length, length + FIELD_BYTES_MAX).indexOf(0);
    length += end < 0 ? FIELD_BYTES_MAX : end + 1;
  }
  return length;
}
