/**
 * Signed notes (C2SP signed-note) as the sealer writes them. Reading is in `log/note.ts`: the two share no code, so a mistake in
 * one of them cannot hide itself from the other.
 */

import { hash } from "node:crypto";

export type SignatureType = typeof ED25519 | typeof ECDSA_P256;
export const ED25519 = 0x01;
export const ECDSA_P256 = 0x02;

const KEY_ID_BYTES = 4;

/** A public key under the name that its signatures bear. */
export interface NoteKey {
  readonly name: string;
  readonly type: SignatureType;
  /** Ed25519: the 32 bytes of the key. ECDSA: its SubjectPublicKeyInfo in DER. */
  readonly material: Buffer;
}

/** The first four bytes of a hash: of name, type and key, or of the key alone where the signature type says so. */
export function noteKeyId({ name, type, material }: NoteKey): Buffer {
  const named = Buffer.concat([Buffer.from(`${name}\n`), Buffer.of(type), material]);
  return hash("sha256", type === ECDSA_P256 ? material : named, "buffer").subarray(0, KEY_ID_BYTES);
}

/** The form in which auditors pin a key: `<name>+<key id>+<type and key>`. */
export function encodeVerifierKey(key: NoteKey): string {
  const typed = Buffer.concat([Buffer.of(key.type), key.material]);
  return `${key.name}+${noteKeyId(key).toString("hex")}+${typed.toString("base64")}`;
}

export function encodeSignatureLine(key: NoteKey, signature: Uint8Array): string {
  return `— ${key.name} ${Buffer.concat([noteKeyId(key), signature]).toString("base64")}\n`;
}

export function encodeNote(text: string, signatureLines: readonly string[]): string {
  return `${text}\n${signatureLines.join("")}`;
}
