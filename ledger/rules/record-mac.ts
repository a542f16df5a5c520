/**
 * Keyed MACs. `Mac` covers every stored attribute of a record: only the functions' roles can derive the key, so a row put
 * by anybody else, or altered in any attribute, fails. `ContentMac` covers a payment as it was sent: it decides whether
 * the same id came with the same content.
 */

import { createHmac, type KeyObject, timingSafeEqual } from "node:crypto";
import type { LogicalTableName } from "../../contract";
import { itemText, toItemJson } from "./attribute-value";
import { CanonicalJsonError, canonicalJson, canonicalString, type JsonObject } from "./canonical-json";
import { type StoredItem, textOf } from "./stored-item";

export interface MacKey {
  /** Names the key in the stored MAC, so that a later key does not invalidate what an earlier one covered. */
  readonly reference: string;
  /** 32 bytes for HMAC-SHA-256. A key object is copied once, bytes are copied for every MAC. */
  readonly secret: KeyObject | Uint8Array;
}

export interface MacKeys {
  readonly record: MacKey;
  readonly content: MacKey;
}

/** The attribute that holds the record's MAC; the only one that the MAC does not cover. */
export const MAC_ATTRIBUTE = "Mac";
const FORMAT_VERSION = "1";

/**
 * `1.<key reference>.<base64url>` over the logical table and all attributes but `Mac`, in canonical DynamoDB JSON. Takes a
 * record that anybody may have put there: it goes through the general canonical form, which refuses what has none.
 */
export function recordMac(table: LogicalTableName, item: StoredItem, key: MacKey): string {
  return sign(key, canonicalJson(["payment-ledger/record-mac/1", table, toItemJson(withoutMac(item))]));
}

function withoutMac({ [MAC_ATTRIBUTE]: _mac, ...covered }: StoredItem): StoredItem {
  return covered;
}

/** A record with its MAC, and the DynamoDB JSON that is sent of it. */
export interface MacedRecord {
  readonly item: StoredItem;
  /** The very text that the MAC was made over, with the MAC as one more attribute. */
  readonly text: string;
}

export function macedRecord(table: LogicalTableName, item: StoredItem, key: MacKey): MacedRecord {
  const covered = MAC_ATTRIBUTE in item ? withoutMac(item) : item;
  const text = itemText(covered);
  const mac = sign(key, `["payment-ledger/record-mac/1",${canonicalString(table)},${text}]`);
  const members = text === "{}" ? "" : `${text.slice(1, -1)},`;
  return {
    item: { ...covered, [MAC_ATTRIBUTE]: { S: mac } },
    text: `{${members}"${MAC_ATTRIBUTE}":{"S":${canonicalString(mac)}}}`,
  };
}

export function withRecordMac(table: LogicalTableName, item: StoredItem, key: MacKey): StoredItem {
  return macedRecord(table, item, key).item;
}

/**
 * False for a forged record: no MAC, an unknown key, any attribute added, removed or changed, or content that has no
 * canonical form and that so no MAC of ours can cover.
 */
export function hasGoodMac(table: LogicalTableName, item: StoredItem, key: MacKey): boolean {
  const claimed = textOf(item, MAC_ATTRIBUTE);
  if (claimed === undefined) return false;
  try {
    return equalMac(claimed, recordMac(table, item, key));
  } catch (error) {
    if (error instanceof CanonicalJsonError) return false;
    throw error;
  }
}

/** MAC of normalised input, before defaults and encryption. */
export function contentMac(purpose: string, content: JsonObject, key: MacKey): string {
  return sign(key, canonicalJson(["payment-ledger/content-mac/1", purpose, content]));
}

/** Compares in constant time, so that the answer's delay tells nothing about how many characters are right. */
export function equalMac(a: string, b: string): boolean {
  const left = Buffer.from(a);
  const right = Buffer.from(b);
  return left.length === right.length && timingSafeEqual(left, right);
}

function sign(key: MacKey, text: string): string {
  return `${FORMAT_VERSION}.${key.reference}.${createHmac("sha256", key.secret).update(text).digest("base64url")}`;
}
