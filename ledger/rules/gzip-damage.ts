/**
 * Which errors of zlib are about the bytes: another data form, a checksum that does not hold, an end too early, more than the
 * `maxOutputLength` that was given.
 */
const OF_THE_BYTES: ReadonlySet<unknown> = new Set([
  "Z_DATA_ERROR",
  "Z_BUF_ERROR",
  "Z_NEED_DICT",
  "ERR_BUFFER_TOO_LARGE",
]);

/** Whether compressed data is damaged. Any other error of zlib, such as too little memory, says nothing about the data. */
export function isGzipDamage(error: unknown): boolean {
  return OF_THE_BYTES.has((error as { readonly code?: unknown } | undefined)?.code);
}
