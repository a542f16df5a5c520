/**
 * The stored form of encrypted fields. A record has one `FieldKey` (a data key wrapped by KMS) and one ciphertext a field.
 * Everything here is stored data: versions are in the bytes, and old forms must stay readable.
 *
 *   FieldKey   = version(1) | hierarchy(1) | key reference(6) | wrapped data key
 *   ciphertext = version(1) | nonce(12) | AES-256-GCM ciphertext | tag(16)
 *
 * The additional data binds a ciphertext to its logical table, record id, field and FieldKey: swapped between rows or
 * fields it does not decrypt, while a restored or renamed table does.
 */

import { createCipheriv, createDecipheriv, createSecretKey, hash, type KeyObject } from "node:crypto";
import { CodedError, type LogicalTableName } from "../../contract";
import { canonicalJson } from "./canonical-json";
import { pooledRandomBytes } from "./random-bytes";

const VERSION = 1;
const VERSION_BYTE = Uint8Array.of(VERSION);
const KEY_REFERENCE_BYTES = 6;
const FIELD_KEY_HEADER_BYTES = 2 + KEY_REFERENCE_BYTES;
const NONCE_BYTES = 12;
const TAG_BYTES = 16;
export const DATA_KEY_BYTES = 32;

/** How the data key comes to be. The number is stored; later hierarchies (per-subject keys for erasure) take the next ones. */
export const KEY_HIERARCHIES = { shared: 1, perRecord: 2 } as const;
export type KeyHierarchy = keyof typeof KEY_HIERARCHIES;

export interface FieldKey {
  readonly hierarchy: KeyHierarchy;
  /** First bytes of SHA-256 of the KMS key's id: tells which key unwraps, without naming account or region. */
  readonly keyReference: Uint8Array;
  /** The data key as `kms:Encrypt` returned it. */
  readonly wrappedDataKey: Uint8Array;
}

export interface FieldAddress {
  readonly table: LogicalTableName;
  readonly recordId: string;
  readonly field: string;
}

export class FieldDecryptionError extends CodedError<"FIELD_NOT_DECRYPTABLE"> {
  override readonly name = "FieldDecryptionError";

  constructor(message: string) {
    super("FIELD_NOT_DECRYPTABLE", message);
  }
}

/** @param kmsKeyArn ARN or id of the KMS key; only its id (the part after the last `/`) counts. */
export function keyReference(kmsKeyArn: string): Buffer {
  const keyId = kmsKeyArn.slice(kmsKeyArn.lastIndexOf("/") + 1);
  return hash("sha256", keyId, "buffer").subarray(0, KEY_REFERENCE_BYTES);
}

export function encodeFieldKey(fieldKey: FieldKey): Buffer {
  const header = Buffer.from([VERSION, KEY_HIERARCHIES[fieldKey.hierarchy]]);
  return Buffer.concat([header, fieldKey.keyReference, fieldKey.wrappedDataKey]);
}

/** @throws FieldDecryptionError when the bytes are no FieldKey of a known version. */
export function decodeFieldKey(bytes: Uint8Array): FieldKey {
  const hierarchy = (Object.keys(KEY_HIERARCHIES) as KeyHierarchy[]).find((name) => KEY_HIERARCHIES[name] === bytes[1]);
  if (bytes[0] !== VERSION || hierarchy === undefined || bytes.length <= FIELD_KEY_HEADER_BYTES) {
    throw new FieldDecryptionError(
      "The record's FieldKey has an unknown version or form; the record was not written by this ledger.",
    );
  }
  return {
    hierarchy,
    keyReference: bytes.subarray(2, FIELD_KEY_HEADER_BYTES),
    wrappedDataKey: bytes.subarray(FIELD_KEY_HEADER_BYTES),
  };
}

/** A data key as fields are encrypted and decrypted with it, prepared once for all of them. */
export interface FieldSecret {
  readonly dataKey: KeyObject;
  /** The `FieldKey` of the records. */
  readonly encoded: Uint8Array;
  /** SHA-256 of the `FieldKey`, which the additional data of every field holds. */
  readonly digest: string;
}

export function fieldSecret(dataKey: Uint8Array, encodedFieldKey: Uint8Array): FieldSecret {
  return { dataKey: createSecretKey(dataKey), encoded: encodedFieldKey, digest: fieldKeyDigest(encodedFieldKey) };
}

export function fieldKeyDigest(encodedFieldKey: Uint8Array): string {
  return hash("sha256", encodedFieldKey, "base64url");
}

export function encryptField(plaintext: string, secret: FieldSecret, address: FieldAddress): Buffer {
  const nonce = pooledRandomBytes(NONCE_BYTES);
  const cipher = createCipheriv("aes-256-gcm", secret.dataKey, nonce);
  cipher.setAAD(additionalData(address, secret.digest));
  const ciphertext = cipher.update(plaintext, "utf8");
  // GCM encrypts byte by byte: closing it yields the tag and no further bytes.
  cipher.final();
  return Buffer.concat([VERSION_BYTE, nonce, ciphertext, cipher.getAuthTag()]);
}

/** @throws FieldDecryptionError when the ciphertext was altered or belongs to another row, field or table. */
export function decryptField(ciphertext: Uint8Array, secret: FieldSecret, address: FieldAddress): string {
  if (ciphertext[0] !== VERSION || ciphertext.length < 1 + NONCE_BYTES + TAG_BYTES) {
    throw new FieldDecryptionError(
      "The ciphertext has an unknown version or is cut short; the record was not written by this ledger.",
    );
  }
  const decipher = createDecipheriv("aes-256-gcm", secret.dataKey, ciphertext.subarray(1, 1 + NONCE_BYTES));
  decipher.setAAD(additionalData(address, secret.digest));
  decipher.setAuthTag(ciphertext.subarray(ciphertext.length - TAG_BYTES));
  try {
    const body = ciphertext.subarray(1 + NONCE_BYTES, ciphertext.length - TAG_BYTES);
    return Buffer.concat([decipher.update(body), decipher.final()]).toString("utf8");
  } catch {
    throw new FieldDecryptionError(
      "The ciphertext does not belong to this row and field, or was altered; treat the row as tampered with.",
    );
  }
}

function additionalData({ table, recordId, field }: FieldAddress, digest: string): Buffer {
  return Buffer.from(canonicalJson(["payment-ledger/field/1", table, recordId, field, digest]));
}
