/**
 * The log read back from the evidence by the letter of RFC 6962 and C2SP, slow and plain, with no code of the sealer:
 * the tests compare the sealer's own arithmetic with it.
 */

import { createPublicKey, hash, type KeyObject, verify } from "node:crypto";

const sha256 = (...parts: readonly Uint8Array[]): Buffer =>
  Buffer.from(hash("sha256", Buffer.concat(parts), "binary"), "binary");

export const naiveLeaf = (entry: Uint8Array): Buffer => sha256(Buffer.of(0), entry);

/** `MTH(D[n])` of RFC 6962 section 2.1, over leaf hashes. */
export function naiveRoot(leaves: readonly Buffer[]): Buffer {
  const [only] = leaves;
  if (only === undefined) return sha256();
  if (leaves.length === 1) return only;
  let k = 1;
  while (k * 2 < leaves.length) k *= 2;
  return sha256(Buffer.of(1), naiveRoot(leaves.slice(0, k)), naiveRoot(leaves.slice(k)));
}

export function naivePath(kind: string, index: number, width: number): string {
  const digits = String(index);
  const padded = digits.padStart(Math.ceil(digits.length / 3) * 3, "0");
  const groups = padded.match(/.{3}/g) ?? [];
  const last = groups.pop() ?? "";
  const name = [...groups.map((group) => `x${group}`), last].join("/");
  return `tile/${kind}/${name}${width === 256 ? "" : `.p/${width}`}`;
}

export function naiveEntries(bundle: Buffer): Buffer[] {
  const entries: Buffer[] = [];
  for (let at = 0; at < bundle.length; ) {
    const length = (bundle[at] ?? 0) * 256 + (bundle[at + 1] ?? 0);
    entries.push(bundle.subarray(at + 2, at + 2 + length));
    at += 2 + length;
  }
  return entries;
}

/** Every tile that a tree has, by path. */
export function naiveTiles(leaves: readonly Buffer[]): Map<string, Buffer> {
  const tiles = new Map<string, Buffer>();
  for (let level = 0, hashes = [...leaves]; hashes.length > 0; level++) {
    const above: Buffer[] = [];
    for (let start = 0; start < hashes.length; start += 256) {
      const tile = hashes.slice(start, start + 256);
      tiles.set(naivePath(String(level), start / 256, tile.length), Buffer.concat(tile));
      if (tile.length === 256) above.push(naiveRoot(tile));
    }
    hashes = above;
  }
  return tiles;
}

export interface NaiveCheckpoint {
  readonly note: string;
  readonly text: string;
  readonly origin: string;
  readonly size: number;
  readonly root: string;
  readonly signatures: readonly { readonly name: string; readonly keyId: string; readonly bytes: Buffer }[];
}

export function naiveCheckpoint(note: string): NaiveCheckpoint {
  const end = note.indexOf("\n\n") + 1;
  const text = note.slice(0, end);
  const [origin = "", size = "", root = ""] = text.split("\n");
  const lines = note
    .slice(end + 1)
    .split("\n")
    .slice(0, -1);
  const signatures = lines.map((line) => {
    const [, name = "", encoded = ""] = line.split(" ");
    const bytes = Buffer.from(encoded, "base64");
    return { name, keyId: bytes.subarray(0, 4).toString("hex"), bytes: bytes.subarray(4) };
  });
  return { note, text, origin, size: Number(size), root, signatures };
}

/** True when the signature that names this verifier key is good. */
export function naiveVerify({ text, signatures }: NaiveCheckpoint, verifierKey: string): boolean {
  // Base64 may hold plus signs itself; a name may not.
  const [name = "", id = "", ...encodedParts] = verifierKey.trim().split("+");
  const encoded = encodedParts.join("+");
  const signature = signatures.find((each) => each.name === name && each.keyId === id);
  if (signature === undefined) return false;
  const { key, algorithm } = publicKey(encoded);
  return verify(algorithm, Buffer.from(text), key, signature.bytes);
}

const ED25519_SPKI_PREFIX = Buffer.from("302a300506032b6570032100", "hex");

interface PublicKey {
  readonly key: KeyObject;
  readonly algorithm: "sha256" | null;
}

/** By their base64: making one takes longer than a verification. */
const publicKeys = new Map<string, PublicKey>();

function publicKey(encoded: string): PublicKey {
  const made = publicKeys.get(encoded) ?? makePublicKey(Buffer.from(encoded, "base64"));
  publicKeys.set(encoded, made);
  return made;
}

function makePublicKey(typed: Buffer): PublicKey {
  const material = typed.subarray(1);
  const isEd25519 = typed[0] === 1;
  const der = isEd25519 ? Buffer.concat([ED25519_SPKI_PREFIX, material]) : material;
  return { key: createPublicKey({ key: der, format: "der", type: "spki" }), algorithm: isEd25519 ? null : "sha256" };
}

/** Canonical JSON for what records hold: members sorted, everything else as `JSON.stringify` writes it. */
export function naiveJson(value: unknown): string {
  if (Array.isArray(value)) return `[${value.map(naiveJson).join(",")}]`;
  if (typeof value !== "object" || value === null) return JSON.stringify(value);
  const members = Object.entries(value).sort(([a], [b]) => (a < b ? -1 : 1));
  return `{${members.map(([name, member]) => `${JSON.stringify(name)}:${naiveJson(member)}`).join(",")}}`;
}

/** The commitment as it is specified, for items without sets. */
export function naiveCommitment(table: string, item: Readonly<Record<string, object>>): string {
  const { Salt, ...unsalted } = item;
  const salt = (Salt as { B?: string } | undefined)?.B ?? null;
  const text = naiveJson(["payment-ledger/commitment/1", salt, table, unsalted]);
  return hash("sha256", text, "base64url");
}
