/**
 * Signed notes and their keys, by C2SP signed-note: read strictly, checked against pinned keys. Nothing of a note may be
 * believed before a pinned key's signature on it was found good.
 */

import { createPublicKey, hash, type KeyObject, verify } from "node:crypto";
import { CodedError } from "../../contract";

export const NOTE_ERRORS = ["NOT_A_NOTE", "NOT_A_VERIFIER_KEY", "NOT_A_CHECKPOINT"] as const;

export class NoteError extends CodedError<(typeof NOTE_ERRORS)[number]> {
  override readonly name = "NoteError";
}

export interface NoteSignature {
  readonly name: string;
  /** Eight hex digits. */
  readonly keyId: string;
  /** Without the key id. */
  readonly signature: Buffer;
}

export interface Note {
  /** With its final newline: what is signed. */
  readonly text: string;
  readonly signatures: readonly NoteSignature[];
}

/** `cosignature`: signs the text and when it was seen (C2SP tlog-cosignature, version 1). */
export type KeyType = "ed25519" | "ecdsa-p256" | "cosignature";

export interface VerifierKey {
  readonly vkey: string;
  readonly name: string;
  readonly keyId: string;
  readonly type: KeyType;
  readonly publicKey: KeyObject;
}

const TYPES: Readonly<Record<number, KeyType>> = { 1: "ed25519", 2: "ecdsa-p256", 4: "cosignature" };

/** A note with a hundred post-quantum signatures fits. */
const NOTE_BYTES_MAX = 1024 * 1024;
const SIGNATURES_MAX = 100;
const KEY_ID_BYTES = 4;
const ED25519_BYTES = 32;
/** What DER writes before the 32 bytes of an Ed25519 key (RFC 8410). */
const ED25519_SPKI = Buffer.from("302a300506032b6570032100", "hex");

const utf8 = new TextDecoder("utf-8", { fatal: true, ignoreBOM: true });

/** @throws NoteError for anything that is no signed note to the byte. */
export function parseNote(note: Uint8Array): Note {
  if (note.length > NOTE_BYTES_MAX) throw notANote(`it has more than ${NOTE_BYTES_MAX} bytes`);
  const whole = decoded(note);
  // biome-ignore lint/suspicious/noControlCharactersInRegex: the specification forbids exactly these
  if (/[\x00-\x09\x0b-\x1f]/.test(whole)) throw notANote("it holds control characters");
  const split = whole.lastIndexOf("\n\n");
  if (split < 0) throw notANote("it has no empty line before its signatures");
  const text = whole.slice(0, split + 1);
  const rest = whole.slice(split + 2);
  if (!rest.endsWith("\n")) throw notANote("it does not end with a whole signature line");
  const lines = rest.slice(0, -1).split("\n");
  if (lines.length > SIGNATURES_MAX) throw notANote(`it has more than ${SIGNATURES_MAX} signatures`);
  return { text, signatures: lines.map(parseSignatureLine) };
}

/** @param line without its newline. @throws NoteError */
export function parseSignatureLine(line: string): NoteSignature {
  const [, name = "", base64 = ""] = /^\u2014 (\S+) (\S+)$/u.exec(line) ?? [];
  const bytes = strictBase64(base64);
  if (!isKeyName(name) || bytes === undefined || bytes.length <= KEY_ID_BYTES) {
    throw notANote("a signature line is not `\u2014 name base64`");
  }
  return { name, keyId: bytes.toString("hex", 0, KEY_ID_BYTES), signature: bytes.subarray(KEY_ID_BYTES) };
}

/** The signature line of a note, with its newline. */
export function signatureLine({ name, keyId, signature }: NoteSignature): string {
  return `\u2014 ${name} ${Buffer.concat([Buffer.from(keyId, "hex"), signature]).toString("base64")}\n`;
}

/** `name+keyid+base64(type, public key)`. @throws NoteError */
export function parseVerifierKey(vkey: string): VerifierKey {
  const [, name = "", keyId = "", base64 = ""] = /^([^+]+)\+([0-9a-f]{8})\+(\S+)$/u.exec(vkey) ?? [];
  const material = strictBase64(base64);
  const type = material === undefined ? undefined : TYPES[material[0] ?? 0];
  if (material === undefined || type === undefined || !isKeyName(name)) {
    throw notAKey("It is not name+keyid+base64 of an Ed25519, ECDSA P-256 or cosignature key.");
  }
  const publicKey = type === "ecdsa-p256" ? ecdsaKey(material.subarray(1)) : ed25519Key(material.subarray(1));
  if (keyId !== keyIdOf(name, material)) throw notAKey("Its key id is not that of its name and key.");
  return { vkey, name, keyId, type, publicKey };
}

/** @param material the type's byte, then the public key. ECDSA keys have the id that the transparency-dev witness gives them. */
export function keyIdOf(name: string, material: Uint8Array): string {
  const named = Buffer.concat([Buffer.from(`${name}\n`), material]);
  const identified = material[0] === 2 ? material.subarray(1) : named;
  return hash("sha256", identified, "hex").slice(0, 2 * KEY_ID_BYTES);
}

/** SHA-256, in hex, of the key's SubjectPublicKeyInfo in DER: what KMS and OpenSSL give. */
export function fingerprintOf({ publicKey }: Pick<VerifierKey, "publicKey">): string {
  return hash("sha256", publicKey.export({ type: "spki", format: "der" }), "hex");
}

function ed25519Key(key: Buffer): KeyObject {
  if (key.length !== ED25519_BYTES) throw notAKey("An Ed25519 key has 32 bytes.");
  return createPublicKey({ key: Buffer.concat([ED25519_SPKI, key]), format: "der", type: "spki" });
}

function ecdsaKey(spki: Buffer): KeyObject {
  let key: KeyObject | undefined;
  try {
    key = createPublicKey({ key: spki, format: "der", type: "spki" });
  } catch {
    // OpenSSL's own errors say nothing that the one below does not.
  }
  const isP256 = key?.asymmetricKeyType === "ec" && key.asymmetricKeyDetails?.namedCurve === "prime256v1";
  if (key === undefined || !isP256 || !key.export({ format: "der", type: "spki" }).equals(spki)) {
    throw notAKey("Its key is no P-256 key in DER (SubjectPublicKeyInfo).");
  }
  return key;
}

/** Whether this key made this signature on this text. Never throws: a signature is whatever somebody sent. */
export function isSignedBy(key: VerifierKey, text: string, { name, keyId, signature }: NoteSignature): boolean {
  if (name !== key.name || keyId !== key.keyId) return false;
  switch (key.type) {
    case "ed25519":
      return verify(null, Buffer.from(text), key.publicKey, signature);
    case "ecdsa-p256":
      return verify("sha256", Buffer.from(text), key.publicKey, signature);
    case "cosignature": {
      const time = cosignatureTime(signature);
      if (time === undefined) return false;
      const message = Buffer.from(cosignedMessage(time, text));
      return verify(null, message, key.publicKey, signature.subarray(TIME_BYTES));
    }
  }
}

const TIME_BYTES = 8;
const ED25519_SIGNATURE_BYTES = 64;
const TIME_MAX = 2n ** 63n - 1n;

/** When a cosigner saw the checkpoint, in seconds since 1970; undefined for bytes that are no cosignature. */
export function cosignatureTime(signature: Buffer): bigint | undefined {
  if (signature.length !== TIME_BYTES + ED25519_SIGNATURE_BYTES) return undefined;
  const time = signature.readBigUInt64BE(0);
  return time > TIME_MAX ? undefined : time;
}

/** What a cosigner signs. */
export function cosignedMessage(time: bigint, text: string): string {
  return `cosignature/v1\ntime ${time}\n${text}`;
}

/** A note's signatures, checked with the pinned keys. Signatures by other keys are ignored, as the specification demands. */
export interface SignatureCheck {
  /** Keys with a good signature. */
  readonly good: readonly VerifierKey[];
  /** Keys whose name and id are on a signature that they did not make. */
  readonly bad: readonly VerifierKey[];
}

export function checkSignatures(note: Note, keys: readonly VerifierKey[]): SignatureCheck {
  const good = new Set<VerifierKey>();
  const bad = new Set<VerifierKey>();
  for (const signature of note.signatures) {
    for (const key of keys) {
      if (key.name !== signature.name || key.keyId !== signature.keyId) continue;
      (isSignedBy(key, note.text, signature) ? good : bad).add(key);
    }
  }
  return { good: [...good], bad: [...bad] };
}

function decoded(bytes: Uint8Array): string {
  try {
    return utf8.decode(bytes);
  } catch {
    throw notANote("it is not UTF-8");
  }
}

function isKeyName(name: string): boolean {
  return !/[\p{White_Space}+]/u.test(name);
}

/** Undefined for anything but the one base64 text of its bytes. */
export function strictBase64(text: string): Buffer | undefined {
  const bytes = Buffer.from(text, "base64");
  return text !== "" && bytes.toString("base64") === text ? bytes : undefined;
}

function notANote(reason: string): NoteError {
  return new NoteError("NOT_A_NOTE", `It is no signed note: ${reason}. Fetch it again from where it was published.`);
}

function notAKey(reason: string): NoteError {
  return new NoteError("NOT_A_VERIFIER_KEY", `${reason} Give the verifier key as it was handed over.`);
}
