/** Encrypted fields are stored data: the vector below was encrypted by other code (Python's cryptography) and must stay readable. */

import fc from "fast-check";
import {
  decodeFieldKey,
  decryptField,
  encodeFieldKey,
  encryptField,
  type FieldAddress,
  FieldDecryptionError,
  fieldSecret,
  keyReference,
} from "../../../ledger/rules/field-cipher";

const DATA_KEY = Uint8Array.from({ length: 32 }, (_, index) => index);
const KEY_ARN = "arn:aws:kms:eu-central-1:111122223333:key/1234abcd-12ab-34cd-56ef-1234567890ab";
const WRAPPED = Uint8Array.from({ length: 16 }, (_, index) => 0x40 + index);
const FIELD_KEY = Buffer.from("01010ee49f6f7aa2404142434445464748494a4b4c4d4e4f", "hex");
const ADDRESS: FieldAddress = { table: "PaymentLedger", recordId: "txn-1", field: "SecureToken" };
const PLAINTEXT = "tok_é_4f2a";
const CIPHERTEXT = Buffer.from(
  "01101112131415161718191a1b0991f3498a606587ac476944d116d5201680d248fa1fd23bedf625",
  "hex",
);

const flipped = (bytes: Uint8Array, index: number, bit: number): Uint8Array =>
  bytes.map((byte, each) => (each === index ? byte ^ (1 << bit) : byte));
const everyBitOf = (bytes: Uint8Array): [number, number][] =>
  [...bytes.keys()].flatMap((index) => Array.from({ length: 8 }, (_, bit): [number, number] => [index, bit]));

test("golden: a field that was stored by version 1 decrypts", () => {
  expect(decryptField(CIPHERTEXT, fieldSecret(DATA_KEY, FIELD_KEY), ADDRESS)).toBe(PLAINTEXT);
});

test("golden: a FieldKey of version 1, both ways", () => {
  const reference = keyReference(KEY_ARN);
  expect(reference.toString("hex")).toBe("0ee49f6f7aa2");
  expect(encodeFieldKey({ hierarchy: "shared", keyReference: reference, wrappedDataKey: WRAPPED })).toEqual(FIELD_KEY);
  expect(decodeFieldKey(FIELD_KEY)).toEqual({
    hierarchy: "shared",
    keyReference: reference,
    wrappedDataKey: Buffer.from(WRAPPED),
  });
  const perRecord = encodeFieldKey({ hierarchy: "perRecord", keyReference: reference, wrappedDataKey: WRAPPED });
  expect([...perRecord.subarray(0, 2)]).toEqual([1, 2]);
  expect(decodeFieldKey(perRecord).hierarchy).toBe("perRecord");
});

test("the key reference names the key alone, not its account, region or partition", () => {
  const id = KEY_ARN.slice(KEY_ARN.lastIndexOf("/") + 1);
  expect(keyReference(id)).toEqual(keyReference(KEY_ARN));
  expect(keyReference(`arn:aws-us-gov:kms:us-gov-west-1:444455556666:key/${id}`)).toEqual(keyReference(KEY_ARN));
  expect(keyReference(`${id.slice(0, -1)}c`)).not.toEqual(keyReference(KEY_ARN));
});

test("property: what was encrypted comes back, never twice under the same nonce", () => {
  fc.assert(
    fc.property(fc.string({ unit: "grapheme" }), fc.string(), (text, recordId) => {
      const address = { ...ADDRESS, recordId };
      const first = encryptField(text, fieldSecret(DATA_KEY, FIELD_KEY), address);
      const second = encryptField(text, fieldSecret(DATA_KEY, FIELD_KEY), address);
      expect(decryptField(first, fieldSecret(DATA_KEY, FIELD_KEY), address)).toBe(text);
      expect(first.subarray(1, 13).equals(second.subarray(1, 13))).toBe(false);
      expect(first.length).toBe(1 + 12 + Buffer.byteLength(text) + 16);
    }),
  );
});

test.each<[string, FieldAddress]>([
  ["another row", { ...ADDRESS, recordId: "txn-2" }],
  ["another field", { ...ADDRESS, field: "QueryDetails" }],
  ["another table", { ...ADDRESS, table: "PaymentAuditTrail" }],
  ["row and field that read the same when joined", { ...ADDRESS, recordId: "txn-1Secure", field: "Token" }],
])("a ciphertext moved to %s does not decrypt", (_name, address) => {
  expect(() => decryptField(CIPHERTEXT, fieldSecret(DATA_KEY, FIELD_KEY), address)).toThrow(FieldDecryptionError);
});

test("a ciphertext under another record's FieldKey or data key does not decrypt", () => {
  const otherFieldKey = encodeFieldKey({
    hierarchy: "shared",
    keyReference: keyReference(KEY_ARN),
    wrappedDataKey: WRAPPED.toReversed(),
  });
  expect(() => decryptField(CIPHERTEXT, fieldSecret(DATA_KEY, otherFieldKey), ADDRESS)).toThrow(FieldDecryptionError);
  expect(() => decryptField(CIPHERTEXT, fieldSecret(DATA_KEY.toReversed(), FIELD_KEY), ADDRESS)).toThrow(
    FieldDecryptionError,
  );
});

test("every flipped bit of the ciphertext is noticed", () => {
  for (const [index, bit] of everyBitOf(CIPHERTEXT)) {
    expect(() => decryptField(flipped(CIPHERTEXT, index, bit), fieldSecret(DATA_KEY, FIELD_KEY), ADDRESS)).toThrow(
      FieldDecryptionError,
    );
  }
});

test("every flipped bit of the FieldKey is noticed, header and wrapped key", () => {
  for (const [index, bit] of everyBitOf(FIELD_KEY)) {
    expect(() => decryptField(CIPHERTEXT, fieldSecret(DATA_KEY, flipped(FIELD_KEY, index, bit)), ADDRESS)).toThrow(
      FieldDecryptionError,
    );
  }
});

test("every truncation, and every byte too many, is noticed", () => {
  for (let length = 0; length < CIPHERTEXT.length; length++) {
    expect(() => decryptField(CIPHERTEXT.subarray(0, length), fieldSecret(DATA_KEY, FIELD_KEY), ADDRESS)).toThrow(
      FieldDecryptionError,
    );
  }
  const longer = Buffer.concat([CIPHERTEXT, Buffer.alloc(1)]);
  expect(() => decryptField(longer, fieldSecret(DATA_KEY, FIELD_KEY), ADDRESS)).toThrow(FieldDecryptionError);
});

test.each([
  ["nothing", Buffer.alloc(0)],
  ["a header without a wrapped key", FIELD_KEY.subarray(0, 8)],
  ["version 2", Buffer.concat([Buffer.from([2]), FIELD_KEY.subarray(1)])],
  ["an unknown hierarchy", Buffer.concat([Buffer.from([1, 9]), FIELD_KEY.subarray(2)])],
])("%s is no FieldKey", (_name, bytes) => {
  expect(() => decodeFieldKey(bytes)).toThrow(FieldDecryptionError);
});

test("a failure tells neither plaintext nor ids", () => {
  try {
    decryptField(CIPHERTEXT, fieldSecret(DATA_KEY, FIELD_KEY), { ...ADDRESS, recordId: "txn-2" });
    throw new Error("It decrypted.");
  } catch (error) {
    expect(String(error)).toMatch(/tampered/);
    expect(String(error)).not.toMatch(/txn-2|tok_/);
  }
});
