/**
 * A log of proofs as the specifications describe it, written down without any cleverness and apart from the sealer: hashes
 * by the recursive definition of RFC 6962, tiles and checkpoints by C2SP. The files are kept in memory.
 */

import { createPrivateKey, createPublicKey, generateKeyPairSync, hash, type KeyObject, sign } from "node:crypto";
import { ENTRY_KINDS, type EntryKind, entryBytes, type LogEntry, type RecordEntry } from "../../evidence/log/entry";
import type { EvidenceFolder } from "../../evidence/verifier/evidence";

export const ORIGIN = "payment-ledger/us-east-1/111122223333/test";

export type Files = Map<string, Buffer>;

export interface TestKey {
  readonly vkey: string;
  readonly keyId: string;
  /** The line of a note with this key's signature. */
  sign(text: string): string;
}

function sha256(...parts: readonly Uint8Array[]): Buffer {
  return Buffer.from(hash("sha256", Buffer.concat(parts), "binary"), "binary");
}

export function logKey(seed: string, type: "ed25519" | "ecdsa" | "cosignature" = "ed25519", name = ORIGIN): TestKey {
  const privateKey = type === "ecdsa" ? p256Key() : ed25519Key(seed);
  const spki = createPublicKey(privateKey).export({ format: "der", type: "spki" });
  const typeByte = { ed25519: 1, ecdsa: 2, cosignature: 4 }[type];
  const material = Buffer.concat([Buffer.from([typeByte]), type === "ecdsa" ? spki : spki.subarray(-32)]);
  const named = type === "ecdsa" ? spki : Buffer.concat([Buffer.from(`${name}\n`), material]);
  const id = sha256(named).subarray(0, 4);
  return {
    vkey: `${name}+${id.toString("hex")}+${material.toString("base64")}`,
    keyId: id.toString("hex"),
    sign: (text) => {
      const signature = signatureOf(type, text, privateKey);
      return `— ${name} ${Buffer.concat([id, signature]).toString("base64")}\n`;
    },
  };
}

function signatureOf(type: "ed25519" | "ecdsa" | "cosignature", text: string, key: KeyObject): Buffer {
  if (type === "ecdsa") return sign("sha256", Buffer.from(text), key);
  if (type === "ed25519") return sign(null, Buffer.from(text), key);
  const time = Buffer.alloc(8);
  time.writeBigUInt64BE(1_795_000_000n);
  return Buffer.concat([time, sign(null, Buffer.from(`cosignature/v1\ntime 1795000000\n${text}`), key)]);
}

/** The same key for the same seed (RFC 8410 wraps the 32 bytes). */
function ed25519Key(seed: string): KeyObject {
  const der = Buffer.concat([Buffer.from("302e020100300506032b657004220420", "hex"), sha256(Buffer.from(seed))]);
  return createPrivateKey({ key: der, format: "der", type: "pkcs8" });
}

function p256Key(): KeyObject {
  return generateKeyPairSync("ec", { namedCurve: "prime256v1" }).privateKey;
}

/** `MTH(D[n])` as RFC 6962 section 2.1 writes it. */
export function treeHash(entries: readonly Buffer[]): Buffer {
  if (entries.length === 0) return sha256();
  if (entries.length === 1) return sha256(Buffer.from([0]), entries[0] as Buffer);
  let split = 1;
  while (split * 2 < entries.length) split *= 2;
  return sha256(Buffer.from([1]), treeHash(entries.slice(0, split)), treeHash(entries.slice(split)));
}

/** What was done to a log, so that it can be done again otherwise. */
export type Step =
  | { readonly kind: "entry"; readonly entry: LogEntry }
  | { readonly kind: "bytes"; readonly bytes: Buffer; readonly as: EntryKind }
  | { readonly kind: "heartbeat"; readonly time: string; readonly changes?: object }
  | { readonly kind: "publish" };

export class NaiveLog {
  readonly entries: Buffer[] = [];
  readonly steps: Step[] = [];
  readonly counts: Record<EntryKind, number> = { RECORD: 0, FORGED: 0, TAMPER: 0, LATE: 0, HEARTBEAT: 0 };
  readonly files: Files = new Map();
  private published = { size: 0, textHash: "" };

  constructor(private readonly keys: readonly TestKey[]) {
    for (const { keyId, vkey } of keys) this.files.set(`keys/${keyId}.vkey`, Buffer.from(vkey));
  }

  /** The same steps, or others, with these keys. */
  static replay(steps: readonly Step[], keys: readonly TestKey[]): NaiveLog {
    const log = new NaiveLog(keys);
    for (const step of steps) log.take(step);
    return log;
  }

  take(step: Step): number {
    this.steps.push(step);
    switch (step.kind) {
      case "entry":
        return this.append(entryBytes(step.entry), step.entry.kind);
      case "bytes":
        return this.append(step.bytes, step.as);
      case "heartbeat":
        return this.append(entryBytes(this.heartbeatAt(step.time, step.changes)), "HEARTBEAT");
      case "publish":
        this.writeFiles();
        return this.entries.length;
    }
  }

  /** @returns its number. */
  add(entry: LogEntry): number {
    return this.take({ kind: "entry", entry });
  }

  heartbeat(time: string): number {
    return this.take({ kind: "heartbeat", time });
  }

  publish(): void {
    this.take({ kind: "publish" });
  }

  private append(bytes: Buffer, kind: EntryKind): number {
    this.counts[kind] += 1;
    return this.entries.push(bytes) - 1;
  }

  private heartbeatAt(time: string, changes: object = {}): LogEntry {
    const { size, textHash } = this.published;
    const counts = Object.fromEntries(ENTRY_KINDS.map((kind) => [kind, this.counts[kind]])) as typeof this.counts;
    return { kind: "HEARTBEAT", time, counts, previousSize: size, previousCheckpoint: textHash, ...changes };
  }

  textAt(size: number): string {
    return `${ORIGIN}\n${size}\n${treeHash(this.entries.slice(0, size)).toString("base64")}\n`;
  }

  checkpointAt(size: number): string {
    return this.signed(this.textAt(size));
  }

  private signed(text: string): string {
    return `${text}\n${this.keys.map((key) => key.sign(text)).join("")}`;
  }

  private writeFiles(): void {
    const size = this.entries.length;
    const text = this.textAt(size);
    const checkpoint = Buffer.from(this.signed(text));
    this.files.set(`checkpoints/${String(size).padStart(16, "0")}`, checkpoint);
    this.files.set("checkpoint", checkpoint);
    this.published = { size, textHash: hash("sha256", text, "base64url") };
    for (let start = 0; start < size; start += 256) {
      const part = this.entries.slice(start, Math.min(start + 256, size));
      this.files.set(pathOf("entries", start / 256, part.length), bundleOf(part));
    }
    for (let end = 65_536; end <= size; end += 65_536) {
      const path = `packs/${String(end / 65_536 - 1).padStart(3, "0")}`;
      this.files.set(path, bundleOf(this.entries.slice(end - 65_536, end)));
    }
    for (let level = 0, width = 1; width <= size; level++, width *= 256) this.publishLevel(level, width, size);
  }

  /** @param width entries under each hash of the level. */
  private publishLevel(level: number, width: number, size: number): void {
    const hashes: Buffer[] = [];
    for (let start = 0; start + width <= size; start += width) {
      hashes.push(treeHash(this.entries.slice(start, start + width)));
    }
    for (let start = 0; start < hashes.length; start += 256) {
      const tile = hashes.slice(start, start + 256);
      this.files.set(pathOf(String(level), start / 256, tile.length), Buffer.concat(tile));
    }
  }

  cosign(witness: TestKey, size: number): void {
    const path = `cosignatures/${String(size).padStart(16, "0")}/${witness.keyId}`;
    this.files.set(path, Buffer.from(witness.sign(this.textAt(size))));
  }
}

export function bundleOf(entries: readonly Buffer[]): Buffer {
  return Buffer.concat(entries.flatMap((entry) => [Buffer.from([entry.length >> 8, entry.length & 255]), entry]));
}

function pathOf(kind: string, index: number, width: number): string {
  return `tile/${kind}/${String(index).padStart(3, "0")}${width === 256 ? "" : `.p/${width}`}`;
}

export function memoryEvidence(files: Files): EvidenceFolder {
  return {
    name: "memory",
    // A copy, as a disk and a bucket give one.
    read: async (path) => {
      const bytes = files.get(path);
      return bytes && Buffer.from(bytes);
    },
    list: async function* (prefix) {
      for (const path of files.keys()) if (path.startsWith(prefix)) yield path;
    },
  };
}

export function recordEntry(
  entry: Pick<RecordEntry, "table" | "key" | "commitment"> & Partial<RecordEntry>,
): RecordEntry {
  // A verifier refuses an entry of a stream without a sequence number, and an entry of a sweep with one.
  const sequence = entry.kind === "LATE" ? "" : "1";
  return { kind: "RECORD", version: "1", sequence, previous: "", ...entry };
}
