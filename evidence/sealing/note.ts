/** Checkpoints as they are written: C2SP signed notes of three lines (tlog-checkpoint, signed-note). */

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

/** What is signed: everything up to and with the last newline. */
export function checkpointText(origin: string, size: number, root: Buffer): string {
  return `${origin}\n${size}\n${root.toString("base64")}\n`;
}

/** The first four bytes of a hash: of name, type and key, or of the key alone where the signature type says so. */
export function keyId({ name, type, material }: NoteKey): Buffer {
  const named = Buffer.concat([Buffer.from(`${name}\n`), Buffer.of(type), material]);
  return hash("sha256", type === ECDSA_P256 ? material : named, "buffer").subarray(0, KEY_ID_BYTES);
}

/** What whoever verifies pins: `<name>+<key id>+<type and key>`. */
export function verifierKey(key: NoteKey): string {
  const typed = Buffer.concat([Buffer.of(key.type), key.material]);
  return `${key.name}+${keyId(key).toString("hex")}+${typed.toString("base64")}`;
}

export function signatureLine(key: NoteKey, signature: Uint8Array): string {
  return `— ${key.name} ${Buffer.concat([keyId(key), signature]).toString("base64")}\n`;
}

export function signedNote(text: string, signatureLines: readonly string[]): string {
  return `${text}\n${signatureLines.join("")}`;
}

export interface Checkpoint {
  readonly text: string;
  readonly origin: string;
  readonly size: number;
  readonly root: Buffer;
  /** Of each signature line: whose it says it is, and key id and signature. */
  readonly signatures: readonly { readonly name: string; readonly keyId: Buffer; readonly signature: Buffer }[];
}

/** Takes apart what `signedNote` put together; undefined for anything else. The signatures are not checked here. */
export function parseCheckpoint(note: string): Checkpoint | undefined {
  const parts = /^(([^\n]+)\n(0|[1-9][0-9]{0,14})\n([A-Za-z0-9+/]{43}=)\n)\n((?:— [^ \n]+ [A-Za-z0-9+/=]+\n)+)$/.exec(
    note,
  );
  if (parts === null) return undefined;
  const [, text = "", origin = "", size = "", root = "", lines = ""] = parts;
  const signatures = lines
    .trimEnd()
    .split("\n")
    .map((line) => {
      const [, name = "", encoded = ""] = line.split(" ");
      const bytes = Buffer.from(encoded, "base64");
      return { name, keyId: bytes.subarray(0, KEY_ID_BYTES), signature: bytes.subarray(KEY_ID_BYTES) };
    });
  return { text, origin, size: Number(size), root: Buffer.from(root, "base64"), signatures };
}
