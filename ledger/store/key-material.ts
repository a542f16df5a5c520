/** Key material that KMS guards: the MAC keys derived from one HMAC key, and the data keys of encrypted fields. */

import { createSecretKey, randomBytes } from "node:crypto";
import { DecryptCommand, EncryptCommand, GenerateMacCommand, type KMSClient } from "@aws-sdk/client-kms";
import { ENCRYPTION_CONTEXT, type LogicalTableName } from "../../contract";
import {
  DATA_KEY_BYTES,
  decodeFieldKey,
  decryptField,
  encodeFieldKey,
  encryptField,
  FieldDecryptionError,
  type FieldSecret,
  fieldKeyDigest,
  fieldSecret,
  type KeyHierarchy,
  keyReference,
} from "../rules/field-cipher";
import type { MacKey, MacKeys } from "../rules/record-mac";

/**
 * Derives the MAC keys with `kms:GenerateMac` over fixed labels: the same secret in every execution environment without a
 * stored copy, and out of reach for everyone whom the HMAC key's policy does not name.
 */
export async function deriveMacKeys(kms: KMSClient, macKeyArn: string): Promise<MacKeys> {
  const [record, content] = await Promise.all([
    deriveMacKey(kms, macKeyArn, "payment-ledger/record-mac/1"),
    deriveMacKey(kms, macKeyArn, "payment-ledger/content-mac/1"),
  ]);
  return { record, content };
}

async function deriveMacKey(kms: KMSClient, keyArn: string, label: string): Promise<MacKey> {
  const answer = await kms.send(
    new GenerateMacCommand({ KeyId: keyArn, MacAlgorithm: "HMAC_SHA_256", Message: Buffer.from(label) }),
  );
  if (answer.Mac === undefined) throw new Error("KMS answered GenerateMac without a MAC.");
  return { reference: keyReference(keyArn).toString("base64url"), secret: createSecretKey(answer.Mac) };
}

/** A data key serves at most this much before a new one is made: far below AES-GCM's limit of 2^32 random nonces. */
export const DATA_KEY_LIMITS = { recordsMax: 10_000, bytesMax: 64 * 1024 * 1024, ageMaxMs: 5 * 60 * 1000 } as const;
const UNWRAPPED_KEYS_MAX = 256;

interface CurrentDataKey {
  readonly key: Promise<FieldSecret>;
  readonly madeAtMs: number;
  records: number;
  bytes: number;
}

export interface FieldEncryptionOptions {
  readonly kms: KMSClient;
  /** The KMS key that wraps the data keys of this table's fields. */
  readonly keyArn: string;
  readonly table: LogicalTableName;
  /** `perRecord` makes one KMS call a record, with the record's id in the encryption context that CloudTrail logs. */
  readonly hierarchy: KeyHierarchy;
  readonly nowMs?: () => number;
}

export interface SealedFields<Field extends string> {
  readonly fieldKey: Uint8Array;
  readonly ciphertexts: Readonly<Record<Field, Buffer>>;
}

/** Encrypts and decrypts the fields of one table's records under data keys wrapped by one KMS key. */
export class FieldEncryption {
  private current: CurrentDataKey | undefined;
  private readonly unwrapped = new Map<string, { readonly key: Promise<FieldSecret>; readonly untilMs: number }>();

  constructor(private readonly options: FieldEncryptionOptions) {}

  async seal<Field extends string>(
    recordId: string,
    fields: Readonly<Record<Field, string>>,
  ): Promise<SealedFields<Field>> {
    const names = Object.keys(fields) as Field[];
    const bytes = names.reduce((sum, field) => sum + Buffer.byteLength(fields[field]), 0);
    const secret = await this.dataKeyFor(recordId, bytes);
    const ciphertexts = {} as Record<Field, Buffer>;
    for (const field of names) {
      ciphertexts[field] = encryptField(fields[field], secret, { table: this.options.table, recordId, field });
    }
    return { fieldKey: secret.encoded, ciphertexts };
  }

  /** @throws FieldDecryptionError when the ciphertext does not belong to this record and field. */
  async open(recordId: string, field: string, ciphertext: Uint8Array, encodedFieldKey: Uint8Array): Promise<string> {
    const secret = await this.unwrap(recordId, encodedFieldKey);
    return decryptField(ciphertext, secret, { table: this.options.table, recordId, field });
  }

  private dataKeyFor(recordId: string, bytes: number): Promise<FieldSecret> {
    if (this.options.hierarchy === "perRecord") return this.makeDataKey(recordId);
    const now = this.nowMs();
    const current = this.current;
    const usable =
      current !== undefined &&
      current.records < DATA_KEY_LIMITS.recordsMax &&
      current.bytes + bytes <= DATA_KEY_LIMITS.bytesMax &&
      now - current.madeAtMs < DATA_KEY_LIMITS.ageMaxMs;
    const chosen = usable ? current : { key: this.makeDataKey(recordId), madeAtMs: now, records: 0, bytes: 0 };
    if (!usable) this.remember(chosen);
    chosen.records += 1;
    chosen.bytes += bytes;
    return chosen.key;
  }

  /** A key whose making failed must not be kept: the next record tries KMS again. */
  private remember(chosen: CurrentDataKey): void {
    this.current = chosen;
    chosen.key.catch(() => {
      if (this.current === chosen) this.current = undefined;
    });
  }

  private async makeDataKey(recordId: string): Promise<FieldSecret> {
    const { kms, keyArn, hierarchy } = this.options;
    const plaintext = randomBytes(DATA_KEY_BYTES);
    const answer = await kms.send(
      new EncryptCommand({ KeyId: keyArn, Plaintext: plaintext, EncryptionContext: this.context(hierarchy, recordId) }),
    );
    if (answer.CiphertextBlob === undefined) throw new Error("KMS answered Encrypt without a ciphertext.");
    const fieldKey = { hierarchy, keyReference: keyReference(keyArn), wrappedDataKey: answer.CiphertextBlob };
    return fieldSecret(plaintext, encodeFieldKey(fieldKey));
  }

  private unwrap(recordId: string, encodedFieldKey: Uint8Array): Promise<FieldSecret> {
    const cacheKey = fieldKeyDigest(encodedFieldKey);
    const cached = this.unwrapped.get(cacheKey);
    if (cached !== undefined && cached.untilMs > this.nowMs()) return cached.key;
    const key = this.requestUnwrap(recordId, encodedFieldKey);
    if (this.unwrapped.size >= UNWRAPPED_KEYS_MAX) this.unwrapped.delete(this.unwrapped.keys().next().value ?? "");
    this.unwrapped.set(cacheKey, { key, untilMs: this.nowMs() + DATA_KEY_LIMITS.ageMaxMs });
    key.catch(() => this.unwrapped.delete(cacheKey));
    return key;
  }

  private async requestUnwrap(recordId: string, encodedFieldKey: Uint8Array): Promise<FieldSecret> {
    const { kms, keyArn } = this.options;
    const fieldKey = decodeFieldKey(encodedFieldKey);
    if (!keyReference(keyArn).equals(fieldKey.keyReference)) {
      throw new FieldDecryptionError(
        "The record names a KMS key that this function does not use; check the key configuration.",
      );
    }
    const answer = await kms.send(
      new DecryptCommand({
        KeyId: keyArn,
        CiphertextBlob: fieldKey.wrappedDataKey,
        EncryptionContext: this.context(fieldKey.hierarchy, recordId),
      }),
    );
    if (answer.Plaintext === undefined) throw new Error("KMS answered Decrypt without a plaintext.");
    return fieldSecret(answer.Plaintext, encodedFieldKey);
  }

  private context(hierarchy: KeyHierarchy, recordId: string): Record<string, string> {
    return {
      application: ENCRYPTION_CONTEXT.application,
      [ENCRYPTION_CONTEXT.tableName]: this.options.table,
      ...(hierarchy === "perRecord" ? { Record: recordId } : {}),
    };
  }

  private nowMs(): number {
    return (this.options.nowMs ?? Date.now)();
  }
}
