/** Logs on disk, committed and published by the sealer's own code: a map replaces its table, a folder its bucket, and local keys those of KMS. */

import { generateKeyPairSync, hash, type KeyPairKeyObjectResult, sign } from "node:crypto";
import { existsSync, mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import path from "node:path";
import {
  type AttributeValue,
  type DynamoDBClient,
  GetItemCommand,
  QueryCommand,
  TransactWriteItemsCommand,
} from "@aws-sdk/client-dynamodb";
import { GetPublicKeyCommand, type KMSClient, SignCommand } from "@aws-sdk/client-kms";
import { LOG_STATE, type LogicalTableName } from "../../contract";
import { checkpointText } from "../../evidence/log/checkpoint";
import {
  ENTRY_KINDS,
  entryBytes,
  type HeartbeatEntry,
  type LogEntry,
  type RecordEntry,
} from "../../evidence/log/entry";
import { keyValuesOf, versionOf } from "../../evidence/log/identity";
import { CHECKPOINT_PATH, checkpointPath } from "../../evidence/log/paths";
import { appendEntries, type Log, openLog } from "../../evidence/sealing/append";
import type { EvidenceBucket } from "../../evidence/sealing/evidence-bucket";
import { EMPTY_FRONTIER, rootOf } from "../../evidence/sealing/frontier";
import { encodeNote } from "../../evidence/sealing/note";
import { publish } from "../../evidence/sealing/publish";
import { checkpointSigners, type Signer } from "../../evidence/sealing/signers";
import type { ItemJson } from "../../ledger/rules/attribute-value";
import { commitmentOf } from "../../ledger/rules/commitment";

export const ORIGIN = "payment-ledger/us-east-1/111122223333/test";

type Curve = "ed25519" | "ecdsa";

/** The sealer's signer over a key that lies here. */
export async function signerOf(curve: Curve = "ed25519", name: string = ORIGIN): Promise<Signer> {
  const pair =
    curve === "ed25519" ? generateKeyPairSync("ed25519") : generateKeyPairSync("ec", { namedCurve: "prime256v1" });
  const kms = { send: async (command: object) => answerOf(command, curve, pair) } as unknown as KMSClient;
  const [signer] = await checkpointSigners(kms, ["arn"], name)();
  if (signer === undefined) throw new Error("There is no signer.");
  return signer;
}

function answerOf(command: object, curve: Curve, { publicKey, privateKey }: KeyPairKeyObjectResult) {
  if (command instanceof GetPublicKeyCommand) {
    const KeySpec = curve === "ed25519" ? "ECC_NIST_EDWARDS25519" : "ECC_NIST_P256";
    return { PublicKey: publicKey.export({ type: "spki", format: "der" }), KeySpec };
  }
  if (!(command instanceof SignCommand) || privateKey === undefined)
    throw new Error("KMS is asked for something else.");
  const { Message = Buffer.alloc(0) } = command.input;
  return { Signature: sign(curve === "ed25519" ? null : "sha256", Message, privateKey) };
}

/** The entry that the sealer makes of an item that was put. */
export function sealed(table: LogicalTableName, item: ItemJson, more: Partial<RecordEntry> = {}): RecordEntry {
  const [key, version, commitment] = [keyValuesOf(table, item), versionOf(item), commitmentOf(table, item)];
  return { kind: "RECORD", table, key, version, sequence: "100000000000000000001", commitment, previous: "", ...more };
}

export function heartbeat(time: string, previousSize = 0): HeartbeatEntry {
  const counts = Object.fromEntries(ENTRY_KINDS.map((kind) => [kind, 0])) as HeartbeatEntry["counts"];
  const previousCheckpoint = previousSize === 0 ? "" : hash("sha256", "an earlier checkpoint", "base64url");
  return { kind: "HEARTBEAT", time, counts, previousSize, previousCheckpoint };
}

export function paymentItem(id: string, more: ItemJson = {}): ItemJson {
  return {
    TransactionID: { S: id },
    Amount: { S: "10.50" },
    SecureToken: { B: Buffer.from(`ciphertext of ${id}`).toString("base64") },
    Salt: { B: hash("sha256", id, "base64") },
    Version: { N: "1" },
    RecordedAt: { S: "2026-11-21T10:00:00.000Z" },
    ...more,
  };
}

/** A log of so many different entries, with a heartbeat now and then. */
export function* someEntries(count: number): Generator<LogEntry> {
  for (let index = 0; index < count; index += 1) {
    if (index % 1000 === 7) yield heartbeat(new Date(Date.UTC(2026, 10, 21) + index * 1000).toISOString());
    else yield sealed("PaymentLedger", paymentItem(`txn-${index}`), { sequence: String(10n ** 20n + BigInt(index)) });
  }
}

/** The log-state table of one sealer, as far as the sealer asks for it. */
function tableInMemory(): DynamoDBClient {
  const items = new Map<string, Record<string, AttributeValue>>();
  const nameOf = (item: Record<string, AttributeValue> = {}) => item[LOG_STATE.sortKey]?.S ?? "";
  const send = async (command: object) => {
    if (command instanceof GetItemCommand) return { Item: items.get(nameOf(command.input.Key)) };
    if (command instanceof TransactWriteItemsCommand) {
      for (const { Put } of command.input.TransactItems ?? []) items.set(nameOf(Put?.Item), Put?.Item ?? {});
      return {};
    }
    if (!(command instanceof QueryCommand)) throw new Error("DynamoDB is asked for something else.");
    const { ExpressionAttributeValues: values = {}, ScanIndexForward, Limit } = command.input;
    const isIn = (name: string) => name >= (values[":from"]?.S ?? "") && name <= (values[":last"]?.S ?? "");
    const names = [...items.keys()].filter(isIn).sort();
    const ordered = ScanIndexForward === false ? names.reverse() : names;
    return { Items: ordered.slice(0, Limit).map((name) => items.get(name)) };
  };
  return { send } as unknown as DynamoDBClient;
}

/** A log that the sealer commits and publishes, its bucket a folder. */
export class WrittenLog {
  readonly top = mkdtempSync(path.join(tmpdir(), "payment-ledger-log-"));
  readonly entries: Buffer[] = [];
  readonly #log: Log;

  constructor(
    readonly signers: readonly Signer[],
    readonly origin: string = ORIGIN,
  ) {
    this.#log = openLog({ dynamo: tableInMemory(), tableName: LOG_STATE.name, origin }, { recentEntries: 0 });
  }

  static async of(entries: Iterable<LogEntry>, signers?: readonly Signer[], origin = ORIGIN): Promise<WrittenLog> {
    const log = new WrittenLog(signers ?? [await signerOf("ed25519", origin)], origin);
    await log.add(entries);
    await log.publish();
    return log;
  }

  get vkey(): string {
    return this.signers[0]?.verifierKey ?? "";
  }

  get size(): number {
    return this.entries.length;
  }

  async add(entries: Iterable<LogEntry>): Promise<void> {
    const all = [...entries];
    const { appended } = await appendEntries(all, this.#log);
    if (appended !== all.length) throw new Error("The sealer does not append the same entry twice.");
    for (const entry of all) this.entries.push(entryBytes(entry));
  }

  async publish(): Promise<void> {
    if (this.size === 0) return this.#publishEmpty();
    const settings = { table: this.#log.table, evidence: this.#bucket(), signers: async () => this.signers };
    await publish({ ...settings, outOfTime: () => false });
  }

  /** The sealer's first checkpoint covers a heartbeat, so it publishes none of an empty log; this one is made of its parts. */
  async #publishEmpty(): Promise<void> {
    const text = checkpointText(this.origin, 0, rootOf(EMPTY_FRONTIER));
    const note = encodeNote(text, await Promise.all(this.signers.map((signer) => signer.sign(text))));
    for (const name of [checkpointPath(0), CHECKPOINT_PATH]) this.write(name, note);
  }

  #bucket(): EvidenceBucket {
    const stored = (name: string) => (existsSync(this.file(name)) ? this.read(name) : undefined);
    return {
      read: async (name) => {
        const bytes = stored(name);
        return bytes && { bytes, version: hash("sha256", bytes) };
      },
      isDeleted: async () => false,
      listAfter: async function* () {},
      putOnce: async ({ path: name, bytes }) => {
        const before = stored(name);
        if (before === undefined) this.write(name, bytes);
        return before;
      },
      replace: async ({ path: name, bytes }) => {
        this.write(name, bytes);
        return hash("sha256", bytes);
      },
    };
  }

  file(name: string): string {
    return path.join(this.top, ...name.split("/"));
  }

  read(name: string): Buffer {
    return readFileSync(this.file(name));
  }

  write(name: string, bytes: Buffer | string): void {
    mkdirSync(path.dirname(this.file(name)), { recursive: true });
    writeFileSync(this.file(name), bytes);
  }

  /** Flips one bit, does the work, and puts the file back. */
  async damaged<T>(name: string, at: number, work: () => Promise<T>): Promise<T> {
    const whole = this.read(name);
    if (at >= whole.length) throw new Error(`${name} has only ${whole.length} bytes.`);
    const copy = Buffer.from(whole);
    copy[at] = (copy[at] ?? 0) ^ 1;
    this.write(name, copy);
    try {
      return await work();
    } finally {
      this.write(name, whole);
    }
  }

  delete(): void {
    rmSync(this.top, { recursive: true, force: true });
  }
}
