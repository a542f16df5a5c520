/** Entries as bytes: the bundle encoding of C2SP tlog-tiles, and what of it fits into one item of the log-state table. */

import { deflateRawSync, inflateRawSync } from "node:zlib";
import { isGzipDamage } from "../../ledger/rules/gzip-damage";
import { ENTRY_BYTES_MAX } from "../log/hashing";

const LENGTH_BYTES = 2;
export const BATCH_ENTRIES_MAX = 1_000;
/** DynamoDB holds 400 KB an item; the rest is room for its keys and for another packing some day. */
export const BATCH_BYTES_MAX = 300_000;

/** Each entry after its length, in two bytes big-endian. */
export function bundleBytes(entries: readonly Uint8Array[]): Buffer {
  const bytes = Buffer.allocUnsafe(entries.reduce((sum, { length }) => sum + LENGTH_BYTES + length, 0));
  let at = 0;
  for (const entry of entries) {
    at = bytes.writeUInt16BE(entry.length, at);
    bytes.set(entry, at);
    at += entry.length;
  }
  return bytes;
}

/** @returns undefined when the bytes are no whole number of entries. */
export function entriesIn(bundle: Buffer): Buffer[] | undefined {
  const entries: Buffer[] = [];
  for (let at = 0; at < bundle.length; ) {
    if (at + LENGTH_BYTES > bundle.length) return undefined;
    const end = at + LENGTH_BYTES + bundle.readUInt16BE(at);
    if (end > bundle.length) return undefined;
    entries.push(bundle.subarray(at + LENGTH_BYTES, end));
    at = end;
  }
  return entries;
}

export interface PackedBatch {
  readonly count: number;
  readonly bytes: Buffer;
}

/** As many of the first entries as one item takes. A single one always fits: it has at most 65,535 bytes. */
export function packFirst(entries: readonly Uint8Array[]): PackedBatch {
  for (let count = Math.min(entries.length, BATCH_ENTRIES_MAX); ; count = Math.ceil(count / 2)) {
    const bytes = deflateRawSync(bundleBytes(entries.slice(0, count)));
    if (bytes.length <= BATCH_BYTES_MAX || count <= 1) return { count, bytes };
  }
}

/** @returns undefined for bytes that no sealer packed. */
export function unpack(bytes: Uint8Array): Buffer[] | undefined {
  try {
    const maxOutputLength = BATCH_ENTRIES_MAX * (LENGTH_BYTES + ENTRY_BYTES_MAX);
    return entriesIn(inflateRawSync(bytes, { maxOutputLength }));
  } catch (error) {
    if (isGzipDamage(error)) return undefined;
    throw error;
  }
}
