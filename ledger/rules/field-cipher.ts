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

import { createCipheriv, createDecipheriv, createHash, randomBytes } from "node:crypto";
import { CodedError, type LogicalTableName } from "../../contract";
import { canonicalJson } from "./canonical-json";

const VERSION = 1;
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
  return createHash("sha256").update(keyId).digest().subarray(0, KEY_REFERENCE_BYTES);
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

export function encryptField(
  plaintext: string,
  dataKey: Uint8Array,
  encodedFieldKey: Uint8Array,
  address: FieldAddress,
): Buffer {
  const nonce = randomBytes(NONCE_BYTES);
  const cipher = createCipheriv("aes-256-gcm", dataKey, nonce);
  cipher.setAAD(additionalData(address, encodedFieldKey));
  const ciphertext = Buffer.concat([cipher.update(plaintext, "utf8"), cipher.final()]);
  return Buffer.concat([Buffer.from([VERSION]), nonce, ciphertext, cipher.getAuthTag()]);
}

/** @throws FieldDecryptionError when the ciphertext was altered or belongs to another row, field or table. */
export function decryptField(
  ciphertext: Uint8Array,
  dataKey: Uint8Array,
  encodedFieldKey: Uint8Array,
  address: FieldAddress,
): string {
  if (ciphertext[0] !== VERSION || ciphertext.length < 1 + NONCE_BYTES + TAG_BYTES) {
    throw new FieldDecryptionError(
      "The ciphertext has an unknown version or is cut short; the record was not written by this ledger.",
    );
  }
  const decipher = createDecipheriv("aes-256-gcm", dataKey, ciphertext.subarray(1, 1 + NONCE_BYTES));
  decipher.setAAD(additionalData(address, encodedFieldKey));
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

function additionalData(address: FieldAddress, encodedFieldKey: Uint8Array): Buffer {
  const fieldKeyDigest = createHash("sha256").update(encodedFieldKey).digest("base64url");
  return Buffer.from(
    canonicalJson(["payment-ledger/field/1", address.table, address.recordId, address.field, fieldKeyDigest]),
  );
}
