/** Makes a ledger of any size on disk: its exports, and the log of proofs over them, as the verifier reads them. */

import { createCipheriv, createHash, hash } from "node:crypto";
import { appendFileSync, mkdirSync, writeFileSync } from "node:fs";
import path from "node:path";
import { gzipSync } from "node:zlib";
import { logKey, ORIGIN } from "../../__tests__/support/naive-log";
import type { LogicalTableName } from "../../contract";
import { checkpointText } from "../../evidence/log/checkpoint";
import { type EntryKind, entryBytes, type LogEntry } from "../../evidence/log/entry";
import { HASH_BYTES } from "../../evidence/log/hashing";
import { bundlePath, checkpointPath, PACK_ENTRIES, packPath, TILE_WIDTH, tilePath } from "../../evidence/log/paths";
import { bundleBytes } from "../../evidence/sealing/batches";
import { GrowingTree } from "../../evidence/verifier/merkle-tree";
import { commitmentOf } from "../../ledger/rules/commitment";
import { derivedAuditId } from "../../ledger/rules/identifiers";

/** Ledgers on disk that were made in an earlier form are made anew. */
export const RECORDS_FORM = 6;
const FILES_A_TABLE = 32;
const HEARTBEAT_EVERY = 20_000;
const STATUS_CHANGE_EVERY = 100;
const START = Date.UTC(2026, 10, 1);

export const signer = logKey("bench");

/** Bytes that do not compress, as ciphertext does not, and are the same each time. */
const POOL = createCipheriv("aes-128-ctr", Buffer.alloc(16, 7), Buffer.alloc(16))
  .update(Buffer.alloc(12 * 1024 * 1024))
  .toString("base64");

/** Base64 text of as many bytes, from a place that follows from the number. */
function bytesFor(number: number, salt: number, length: number): string {
  const characters = Math.ceil(length / 3) * 4;
  const start = (((number * 7919 + salt * 104_729) * 64) % (POOL.length - characters)) & ~3;
  return POOL.slice(start, start + characters);
}

type Item = Record<string, object>;

export function timeAt(number: number): string {
  return new Date(START + number * 1000).toISOString();
}

function payment(number: number, version: 1 | 2): Item {
  const id = `pay-2026-${String(number).padStart(10, "0")}`;
  const at = timeAt(number);
  const day = at.slice(0, 10).replaceAll("-", "");
  return {
    ProcessorID: { S: `processor-${number % 40}` },
    Status: { S: version === 1 ? "Failure" : "Success" },
    SecureToken: { B: bytesFor(number, 1, 60) },
    RecordedAt: { S: at },
    Version: { N: String(version) },
    ...(version === 2 ? { StatusChangedAt: { S: timeAt(number + 3600) } } : { FailureDay: { S: `Failure#${day}#05` } }),
    FieldKey: { B: bytesFor(number, 2, 190) },
    TransactionID: { S: id },
    Amount: { S: `${number % 5000}.${String(number % 100).padStart(2, "0")}` },
    Currency: { S: "EUR" },
    Format: { N: "1" },
    Timestamp: { S: at },
    ContentMac: { S: bytesFor(number, 3, 41) },
    ProcessorDay: { S: `processor-${number % 40}#${day}#03` },
    TimeKey: { S: `${at}#${id}` },
    Salt: { B: bytesFor(number, 3 + version, 16) },
    Mac: { S: bytesFor(number, 10 + version, 41) },
  };
}

function auditRecord(number: number, kind: "WRITE" | "UPDATE"): Item {
  const id = `pay-2026-${String(number).padStart(10, "0")}`;
  const at = timeAt(kind === "WRITE" ? number : number + 3600);
  const day = at.slice(0, 10).replaceAll("-", "");
  const auditId = derivedAuditId(kind, "PaymentLedger", id, ...(kind === "UPDATE" ? ["2"] : []));
  const own = number * 2 + (kind === "WRITE" ? 0 : 1);
  return {
    Action: { S: kind },
    AuditID: { S: auditId },
    Caller: { M: { RequestID: { S: `7c3a1f0e-${number}` }, Function: { S: "persist_payment_ledger" } } },
    Actor: { S: `checkout-${number % 12}` },
    ActorDay: { S: `checkout-${number % 12}#${day}#02` },
    QueryDetails: { B: bytesFor(own, 21, 90) },
    Response: { B: bytesFor(own, 22, 110) },
    FieldKey: { B: bytesFor(own, 23, 190) },
    AuditDay: { S: `#${day}#06` },
    Format: { N: "1" },
    Origin: { S: "LEDGER" },
    RecordedAt: { S: at },
    Timestamp: { S: at },
    Table: { S: "PaymentLedger" },
    TransactionID: { S: id },
    TransactionOrder: { S: at },
    TimeKey: { S: `${at}#${auditId}` },
    Salt: { B: bytesFor(own, 24, 16) },
    Mac: { S: bytesFor(own, 25, 41) },
  };
}

/** Records are written in parts of this size, so that any number of them takes the same memory. */
const PART_CHARACTERS = 1024 * 1024;

class TableWriter {
  private readonly files = Array.from({ length: FILES_A_TABLE }, (_, index) => ({
    name: `${index}.json.gz`,
    items: 0,
    open: "",
    md5: createHash("md5"),
  }));
  private readonly id: string;
  private readonly top: string;

  constructor(
    private readonly folder: string,
    private readonly table: LogicalTableName,
  ) {
    this.id = `01790000-${hash("sha256", table, "hex").slice(0, 8)}`;
    this.top = path.join("exports", this.table, "AWSDynamoDB", this.id);
    mkdirSync(path.join(folder, this.top, "data"), { recursive: true });
  }

  /** DynamoDB writes them in the order of their keys' hashes. */
  add(key: string, item: Item): void {
    const file = this.files[createHash("sha256").update(key).digest().readUInt16BE(0) % FILES_A_TABLE];
    if (file === undefined) return;
    file.items += 1;
    file.open += `${JSON.stringify({ Item: item })}\n`;
    if (file.open.length >= PART_CHARACTERS) this.flush(file);
  }

  private flush(file: (typeof this.files)[number]): void {
    const bytes = gzipSync(file.open);
    appendFileSync(path.join(this.folder, this.top, "data", file.name), bytes);
    file.md5.update(bytes);
    file.open = "";
  }

  finish(exportTime: string): void {
    const { folder, top } = this;
    const manifest = this.files.map((file) => {
      this.flush(file);
      const key = `${top}/data/${file.name}`;
      return JSON.stringify({ itemCount: file.items, md5Checksum: file.md5.digest("base64"), dataFileS3Key: key });
    });
    const arn = `arn:aws:dynamodb:us-east-1:111122223333:table/${this.table}`;
    const itemCount = this.files.reduce((sum, { items }) => sum + items, 0);
    const summary = {
      exportArn: `${arn}/export/${this.id}`,
      tableArn: arn,
      exportTime,
      exportType: "FULL_EXPORT",
      outputFormat: "DYNAMODB_JSON",
      itemCount,
    };
    for (const [name, text] of [
      ["manifest-files", `${manifest.join("\n")}\n`],
      ["manifest-summary", JSON.stringify(summary)],
    ] as const) {
      writeFileSync(path.join(folder, top, `${name}.json`), text);
      writeFileSync(path.join(folder, top, `${name}.md5`), hash("md5", text, "base64"));
    }
  }
}

/** Writes the evidence as `fetch` leaves it: packs, and bundles with their tiles only behind the last pack. */
class EvidenceWriter {
  private readonly counts: Record<EntryKind, number> = { RECORD: 0, FORGED: 0, TAMPER: 0, LATE: 0, HEARTBEAT: 0 };
  private readonly tree = new GrowingTree((level, index, hashes) => {
    if (level === 0) this.tiles.push(Buffer.from(hashes));
    else this.put(tilePath(level, index), hashes);
  });
  /** Entries of the bundle that is not full yet. */
  private entries: Buffer[] = [];
  /** Of the pack that is not full yet. */
  private bundles: Buffer[] = [];
  private tiles: Buffer[] = [];
  private published = { size: 0, text: "" };
  private sequence = 10n ** 20n;

  constructor(private readonly folder: string) {}

  record(table: LogicalTableName, key: string, item: Item, version: string, previous: string): string {
    const commitment = commitmentOf(table, item);
    this.sequence += 11n;
    const sequence = String(this.sequence);
    this.add({ kind: "RECORD", table, key: [key], version, sequence, commitment, previous });
    return commitment;
  }

  heartbeat(time: string): void {
    const { size, text } = this.published;
    const previousCheckpoint = size === 0 ? "" : hash("sha256", text, "base64url");
    this.add({ kind: "HEARTBEAT", time, counts: { ...this.counts }, previousSize: size, previousCheckpoint });
    this.publish();
  }

  private add(entry: LogEntry): void {
    this.counts[entry.kind] += 1;
    const bytes = entryBytes(entry);
    this.tree.append(bytes);
    this.entries.push(bytes);
    if (this.entries.length < TILE_WIDTH) return;
    this.bundles.push(bundleBytes(this.entries));
    this.entries = [];
    if (this.tree.size % PACK_ENTRIES === 0) this.putPack();
  }

  private putPack(): void {
    this.put(packPath(this.tree.size / PACK_ENTRIES - 1), Buffer.concat(this.bundles));
    this.bundles = [];
    this.tiles = [];
  }

  /** Puts what lies behind the last pack, and what is not full. */
  finish(): void {
    const full = Math.floor(this.tree.size / TILE_WIDTH);
    const first = full - this.bundles.length;
    for (const [at, bundle] of this.bundles.entries()) this.put(bundlePath(first + at), bundle);
    for (const [at, tile] of this.tiles.entries()) this.put(tilePath(0, first + at), tile);
    for (const { level, index, hashes } of this.tree.partialTiles()) {
      this.put(tilePath(level, index, hashes.length / HASH_BYTES), hashes);
    }
    if (this.entries.length > 0) this.put(bundlePath(full, this.entries.length), bundleBytes(this.entries));
  }

  private publish(): void {
    const { size } = this.tree;
    const text = checkpointText(ORIGIN, size, this.tree.root());
    const checkpoint = Buffer.from(`${text}\n${signer.sign(text)}`);
    this.put(checkpointPath(size), checkpoint);
    this.put("checkpoint", checkpoint);
    if (this.published.size === 0) writeFileSync(path.join(this.folder, "last-checkpoint"), checkpoint);
    this.published = { size, text };
  }

  private put(name: string, bytes: Buffer): void {
    const file = path.join(this.folder, "evidence", ...name.split("/"));
    mkdirSync(path.dirname(file), { recursive: true });
    writeFileSync(file, bytes);
  }
}

/** Numbers of payments whose rows the tables do not hold as they were sealed. */
export interface Damages {
  readonly lost: number;
  readonly altered: number;
  /** Its row is there twice: under another id, too, of which the log knows nothing. */
  readonly added: number;
}

/** How many records the tables hold then: of each payment its row and its WRITE record, and the UPDATE records. */
export const exportedRecords = (payments: number): number => 2 * payments + Math.ceil(payments / STATUS_CHANGE_EVERY);

/** @param count of payments, each with its WRITE record; one in a hundred changes its status later, with an UPDATE record. */
export function makeRecords(folder: string, count: number, damages?: Damages): void {
  const evidence = new EvidenceWriter(folder);
  mkdirSync(folder, { recursive: true });
  writeFileSync(path.join(folder, "log.vkey"), `${signer.vkey}\n`);
  const rows = new TableWriter(folder, "PaymentLedger");
  const trail = new TableWriter(folder, "PaymentAuditTrail");
  const keyOf = (item: Item, name: string) => (item[name] as { S: string }).S;
  const seal = (item: Item, version: string, previous: string) =>
    evidence.record("PaymentLedger", keyOf(item, "TransactionID"), item, version, previous);
  const sealAudit = (item: Item) => {
    evidence.record("PaymentAuditTrail", keyOf(item, "AuditID"), item, "1", "");
    trail.add(keyOf(item, "AuditID"), item);
  };
  for (let number = 0; number < count; number++) {
    if (number % HEARTBEAT_EVERY === 0) evidence.heartbeat(timeAt(number));
    const first = payment(number, 1);
    const commitment = seal(first, "1", "");
    sealAudit(auditRecord(number, "WRITE"));
    const changes = number % STATUS_CHANGE_EVERY === 0;
    const last = changes ? payment(number, 2) : first;
    if (changes) {
      seal(last, "2", commitment);
      sealAudit(auditRecord(number, "UPDATE"));
    }
    for (const row of rowsLeft(last, number, damages)) rows.add(keyOf(row, "TransactionID"), row);
  }
  evidence.heartbeat(timeAt(count + 3600));
  const exportTime = timeAt(count + 3601);
  rows.finish(exportTime);
  trail.finish(exportTime);
  for (const table of ["payment-audit-trail", "payment-transactions", "PaymentEvents"] as const)
    new TableWriter(folder, table).finish(exportTime);
  evidence.heartbeat(timeAt(count + 3660));
  evidence.finish();
}

function rowsLeft(row: Item, number: number, damages: Damages | undefined): Item[] {
  if (number === damages?.lost) return [];
  if (number === damages?.altered) return [{ ...row, Amount: { S: "1.00" } }];
  return number === damages?.added ? [row, { ...row, TransactionID: { S: "pay-slipped" } }] : [row];
}
