/** Hashes, keys and signatures of the log with WebCrypto alone: the same code runs in a browser and in Node.js. */

import { CodedError } from "../../contract";

export type Bytes = Uint8Array<ArrayBuffer>;

const subtle = globalThis.crypto?.subtle;

export function utf8(text: string): Bytes {
  return new TextEncoder().encode(text);
}

export function concat(...parts: readonly Uint8Array[]): Bytes {
  const whole = new Uint8Array(parts.reduce((sum, { length }) => sum + length, 0));
  let at = 0;
  for (const part of parts) {
    whole.set(part, at);
    at += part.length;
  }
  return whole;
}

export async function sha256(...parts: readonly Uint8Array[]): Promise<Bytes> {
  return new Uint8Array(await subtle.digest("SHA-256", concat(...parts)));
}

export function base64(bytes: Uint8Array): string {
  return btoa(Array.from(bytes, (byte) => String.fromCharCode(byte)).join(""));
}

export function base64url(bytes: Uint8Array): string {
  return base64(bytes).replaceAll("+", "-").replaceAll("/", "_").replace(/=+$/, "");
}

export function hex(bytes: Uint8Array): string {
  return Array.from(bytes, (byte) => byte.toString(16).padStart(2, "0")).join("");
}

/** @throws Error for anything but the one base64 text of its bytes. */
export function fromBase64(text: string): Bytes {
  const bytes = Uint8Array.from(atob(text), (character) => character.charCodeAt(0));
  if (base64(bytes) !== text) throw new Error("A text is not base64 as it is written here.");
  return bytes;
}

// ------------------------------------------------------------------------------------------------------------- trees

/** RFC 6962 section 2.1: leaves and nodes differ in their first byte. */
export function hashOfLeaf(entry: Uint8Array): Promise<Bytes> {
  return sha256(Uint8Array.of(0), entry);
}

function hashOfNode(left: Uint8Array, right: Uint8Array): Promise<Bytes> {
  return sha256(Uint8Array.of(1), left, right);
}

export interface PathStep {
  readonly sibling: Uint8Array;
  /** On which side of the node the sibling is. */
  readonly side: "left" | "right";
  /** The node above the two. */
  readonly node: Bytes;
}

/** RFC 9162 section 2.1.3.2. @throws Error for a path that is too short or too long for the tree. */
export async function pathSteps(
  leaf: Bytes,
  index: number,
  size: number,
  path: readonly Uint8Array[],
): Promise<PathStep[]> {
  if (!(index >= 0 && index < size)) throw new Error("The tree has no such entry.");
  const steps: PathStep[] = [];
  let [node, last, hash] = [index, size - 1, leaf];
  for (const sibling of path) {
    if (last === 0) throw new Error("The path is longer than the tree is high.");
    const isRight = node % 2 === 1 || node === last;
    hash = await (isRight ? hashOfNode(sibling, hash) : hashOfNode(hash, sibling));
    steps.push({ sibling, side: isRight ? "left" : "right", node: hash });
    if (isRight) while (node % 2 === 0 && node !== 0) [node, last] = [half(node), half(last)];
    [node, last] = [half(node), half(last)];
  }
  if (last !== 0) throw new Error("The path ends below the root.");
  return steps;
}

export interface TreeHead {
  readonly size: number;
  readonly root: Bytes;
}

/** Whether the later tree begins with all of the earlier one (RFC 9162 section 2.1.4.2). */
export async function beginsWith(later: TreeHead, earlier: TreeHead, proof: readonly Bytes[]): Promise<boolean> {
  if (earlier.size > later.size) return false;
  if (earlier.size === 0) return proof.length === 0;
  if (earlier.size === later.size) return proof.length === 0 && base64(earlier.root) === base64(later.root);
  const isWhole = Number.isInteger(Math.log2(earlier.size));
  const [start, ...path] = isWhole ? [earlier.root, ...proof] : proof;
  if (start === undefined) return false;
  let [node, last] = [earlier.size - 1, later.size - 1];
  while (node % 2 === 1) [node, last] = [half(node), half(last)];
  let [first, second] = [start, start];
  for (const step of path) {
    if (last === 0) return false;
    if (node % 2 === 1 || node === last) {
      [first, second] = [await hashOfNode(step, first), await hashOfNode(step, second)];
      while (node % 2 === 0 && node !== 0) [node, last] = [half(node), half(last)];
    } else {
      second = await hashOfNode(second, step);
    }
    [node, last] = [half(node), half(last)];
  }
  return last === 0 && base64(first) === base64(earlier.root) && base64(second) === base64(later.root);
}

function half(value: number): number {
  return Math.floor(value / 2);
}

// -------------------------------------------------------------------------------------------------------- signatures

/** The browser cannot check signatures of this kind. That says nothing about the signature. */
export class UnsupportedKeyError extends CodedError<"KEY_UNSUPPORTED"> {
  override readonly name = "UnsupportedKeyError";
}

export interface PageKey {
  readonly vkey: string;
  readonly name: string;
  /** Eight hex digits. */
  readonly keyId: string;
  /** First byte of the key material by C2SP signed-note: 1 Ed25519, 2 ECDSA P-256, 4 a witness's Ed25519. */
  readonly type: number;
  readonly publicKey: Bytes;
}

const [ED25519, ECDSA_P256, COSIGNATURE] = [1, 2, 4];

/** `name+keyid+base64(type, public key)`. @throws Error for a key whose id is not its own. */
export async function parseKey(vkey: string): Promise<PageKey> {
  const [, name = "", keyId = "", material = ""] = /^([^+\s]+)\+([0-9a-f]{8})\+(\S+)$/u.exec(vkey) ?? [];
  const bytes = fromBase64(material);
  const [type = 0] = bytes;
  if (![ED25519, ECDSA_P256, COSIGNATURE].includes(type)) throw new Error("A verifier key is of no known kind.");
  const publicKey = bytes.slice(1);
  const identified = type === ECDSA_P256 ? publicKey : concat(utf8(`${name}\n`), bytes);
  if (hex(await sha256(identified)).slice(0, 8) !== keyId)
    throw new Error("A verifier key has another id than its own.");
  return { vkey, name, keyId, type, publicKey };
}

/** @throws UnsupportedKeyError */
export async function hasSigned({ type, publicKey }: PageKey, text: string, signature: Bytes): Promise<boolean> {
  if (type === ECDSA_P256) return verifyEcdsa(publicKey, utf8(text), signature);
  if (type === ED25519) return verifyEd25519(publicKey, utf8(text), signature);
  const seconds = new DataView(signature.buffer, signature.byteOffset).getBigUint64(0);
  return verifyEd25519(publicKey, utf8(`cosignature/v1\ntime ${seconds}\n${text}`), signature.slice(8));
}

async function verifyEd25519(publicKey: Bytes, text: Bytes, signature: Bytes): Promise<boolean> {
  try {
    const key = await subtle.importKey("raw", publicKey, "Ed25519", false, ["verify"]);
    return await subtle.verify("Ed25519", key, signature, text);
  } catch (error) {
    if (!(error instanceof Error) || error.name !== "NotSupportedError") throw error;
    throw new UnsupportedKeyError(
      "KEY_UNSUPPORTED",
      "This browser cannot check Ed25519 signatures. Open the file in a current one.",
    );
  }
}

const CURVE = { name: "ECDSA", namedCurve: "P-256" };

async function verifyEcdsa(spki: Bytes, text: Bytes, signature: Bytes): Promise<boolean> {
  const key = await subtle.importKey("spki", spki, CURVE, false, ["verify"]);
  return subtle.verify({ name: "ECDSA", hash: "SHA-256" }, key, fixedLength(signature), text);
}

const P256_BYTES = 32;

/** KMS and OpenSSL write a DER sequence of two integers, WebCrypto takes the two in 32 bytes each. @throws Error */
function fixedLength(der: Bytes): Bytes {
  const first = integerAt(der, 2);
  const second = integerAt(der, first.end);
  if (der[0] !== 0x30 || der[1] !== der.length - 2 || second.end !== der.length) throw new Error("It is no signature.");
  return concat(first.value, second.value);
}

function integerAt(der: Bytes, at: number): { readonly value: Bytes; readonly end: number } {
  const length = der[at + 1] ?? 0;
  const end = at + 2 + length;
  let bytes = der.slice(at + 2, end);
  if (der[at] !== 0x02 || bytes.length !== length) throw new Error("It is no signature.");
  if (bytes[0] === 0 && bytes.length > 1) bytes = bytes.slice(1);
  if (bytes.length > P256_BYTES) throw new Error("It is no signature.");
  return { value: concat(new Uint8Array(P256_BYTES - bytes.length), bytes), end };
}
