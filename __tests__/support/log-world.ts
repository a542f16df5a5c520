/**
 * A small ledger with its log: five tables, status changes, heartbeats, checkpoints, exports. Genuine in every byte, so
 * that tests may change any one of them.
 */

import { createHash, hash } from "node:crypto";
import { closeSync, ftruncateSync, mkdirSync, mkdtempSync, openSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import path from "node:path";
import { gzipSync } from "node:zlib";
import type { LogicalTableName } from "../../contract";
import type { RecordKind } from "../../evidence/log/entry";
import { commitmentOf } from "../../ledger/rules/commitment";
import type { EventKind } from "../../ledger/rules/event-kinds";
import { type Files, NaiveLog, ORIGIN, recordEntry, type TestKey } from "./naive-log";
import {
  auditRecord,
  eventRow,
  type Item,
  messageRow,
  nextVersion,
  paymentRow,
  transactionRow,
  updateRecord,
  writeRecord,
} from "./stored-records";

export const TABLE_NAMES = [
  "PaymentLedger",
  "PaymentAuditTrail",
  "payment-audit-trail",
  "payment-transactions",
  "PaymentEvents",
] as const;

const KEYS: Readonly<Record<LogicalTableName, readonly [string, ...string[]]>> = {
  PaymentLedger: ["TransactionID"],
  PaymentAuditTrail: ["AuditID"],
  "payment-audit-trail": ["paymentId"],
  "payment-transactions": ["transactionId", "timestamp"],
  PaymentEvents: ["TransactionID", "Place"],
};

export function keyOfItem(table: LogicalTableName, item: Item): string[] {
  return KEYS[table].map((name) => Object.values(item[name] as Record<string, string>)[0] ?? "");
}

type Tables = ReadonlyMap<LogicalTableName, ReadonlyMap<string, Item>>;

/** Time as the tests count it: seconds from ten o'clock of a day that every machine's clock has passed. */
export function at(seconds: number): string {
  return new Date(Date.UTC(2025, 10, 21, 10) + seconds * 1000).toISOString();
}

/** The tables, with a stream that the log follows at once. */
export class World {
  readonly tables = new Map<LogicalTableName, Map<string, Item>>(TABLE_NAMES.map((name) => [name, new Map()]));
  readonly log: NaiveLog;
  clock = 0;
  private sequence = 100_000_000_000_000_000_000n;

  constructor(readonly keys: readonly TestKey[]) {
    this.log = new NaiveLog(keys);
  }

  put(table: LogicalTableName, item: Item, kind: RecordKind = "RECORD"): number {
    const key = keyOfItem(table, item);
    const rows = this.rows(table);
    const before = rows.get(key.join("\n"));
    rows.set(key.join("\n"), item);
    const { N: version = "1" } = (item["Version"] ?? {}) as { N?: string };
    const previous = before === undefined ? "" : commitmentOf(table, before);
    const commitment = commitmentOf(table, item);
    return this.log.add(
      recordEntry({ kind, table, key, version, sequence: this.nextSequence(), commitment, previous }),
    );
  }

  remove(table: LogicalTableName, key: string): number {
    const item = this.rows(table).get(key) as Item;
    this.rows(table).delete(key);
    const { N: version = "1" } = (item["Version"] ?? {}) as { N?: string };
    const previous = commitmentOf(table, item);
    const sequence = this.nextSequence();
    return this.log.add({ kind: "TAMPER", table, key: key.split("\n"), version, sequence, commitment: "", previous });
  }

  nextSequence(): string {
    this.sequence += 7n;
    return String(this.sequence);
  }

  rows(table: LogicalTableName): Map<string, Item> {
    return this.tables.get(table) as Map<string, Item>;
  }

  /** A payment of this table with its WRITE record. */
  pay(table: Exclude<LogicalTableName, "PaymentAuditTrail" | "PaymentEvents">, id: string): void {
    const now = this.now();
    const row = {
      PaymentLedger: paymentRow,
      "payment-audit-trail": messageRow,
      "payment-transactions": transactionRow,
    }[table];
    this.put(table, row(id, now));
    this.put("PaymentAuditTrail", writeRecord(table, id, now));
  }

  /** Something happens to a payment; a fact, unless it is a hold. */
  happen(id: string, EventID: string, Kind: EventKind, Amount: string, Of?: string): void {
    const now = this.now();
    const row = this.rows("PaymentLedger").get(id) as Item;
    const events = [...this.rows("PaymentEvents").values()].filter(
      ({ TransactionID }) => (TransactionID as { S: string }).S === id,
    );
    const Mode = Kind === "REFUND_HELD" ? "grant" : "fact";
    const event = { EventID, Kind, Mode, Amount, Currency: "EUR", ...(Of === undefined ? {} : { Of }) } as const;
    this.put("PaymentEvents", eventRow(event, [row, ...events], now));
    this.put("PaymentAuditTrail", writeRecord("PaymentEvents", EventID, now, id));
  }

  changeStatus(id: string): void {
    const now = this.now();
    const next = nextVersion(this.rows("PaymentLedger").get(id) as Item, now);
    this.put("PaymentLedger", next);
    this.put("PaymentAuditTrail", updateRecord(id, (next["Version"] as { N: string }).N, now));
  }

  heartbeat(): void {
    this.log.heartbeat(this.now());
    this.log.publish();
  }

  now(): string {
    this.clock += 1;
    return at(this.clock);
  }

  snapshot(): Tables {
    return new Map([...this.tables].map(([name, rows]) => [name, new Map(rows)]));
  }
}

export interface BuiltWorld {
  readonly world: World;
  readonly evidence: Files;
  /** Of a full export and, if asked for, an increment. */
  readonly exports: Files;
  readonly lastCheckpoint: string;
  readonly takenAt: string;
  /** Number of the last heartbeat before the export. */
  readonly cut: number;
}

/** @param between runs in the middle of it all. */
export function buildWorld(
  keys: readonly TestKey[],
  witness: TestKey,
  increment: boolean,
  between: (world: World) => void = () => {},
): BuiltWorld {
  const world = new World(keys);
  world.heartbeat();
  for (let each = 0; each < 80; each++) {
    world.pay("PaymentLedger", `pay-${each}`);
    if (each % 30 === 10) world.heartbeat();
  }
  for (let each = 0; each < 40; each++) world.pay("payment-audit-trail", `msg-${each}`);
  world.heartbeat();
  const lastCheckpoint = world.log.checkpointAt(world.log.entries.length);
  world.log.cosign(witness, world.log.entries.length);
  for (let each = 0; each < 40; each++) world.pay("payment-transactions", `txn-${each}`);
  for (const id of ["pay-3", "pay-20", "pay-3", "pay-41", "pay-3", "pay-77"]) world.changeStatus(id);
  for (let each = 0; each < 12; each++) {
    world.put("PaymentAuditTrail", auditRecord(`event-${each}`, "READ", "PaymentLedger", `pay-${each}`, world.now()));
  }
  between(world);
  world.heartbeat();
  const fullAt = world.now();
  const full = world.snapshot();
  for (let each = 80; each < 90; each++) world.pay("PaymentLedger", `pay-${each}`);
  for (const id of ["pay-20", "pay-85", "pay-60"]) world.changeStatus(id);
  world.heartbeat();
  const cut = world.log.entries.length - 1;
  // Written after the last heartbeat before the export, and after the export.
  for (let each = 90; each < 93; each++) world.pay("PaymentLedger", `pay-${each}`);
  const takenAt = world.now();
  const taken = world.snapshot();
  for (let each = 93; each < 96; each++) world.pay("PaymentLedger", `pay-${each}`);
  world.changeStatus("pay-50");
  world.heartbeat();
  world.log.cosign(witness, world.log.entries.length);
  const exports = increment
    ? new Map([...fullExports(full, fullAt), ...increments(full, taken, fullAt, takenAt)])
    : fullExports(taken, takenAt);
  return { world, evidence: world.log.files, exports, lastCheckpoint, takenAt, cut };
}

/** Two payments with a life, one of them with a fact that breaks a rule. */
export function liveThrough(world: World): void {
  world.happen("pay-7", "authorisation-7", "AUTHORISED", "125.50");
  world.happen("pay-7", "capture-7", "CAPTURED", "100.00");
  world.happen("pay-8", "authorisation-8", "AUTHORISED", "125.50");
  world.happen("pay-7", "hold-7", "REFUND_HELD", "20.00");
  world.happen("pay-8", "capture-8", "CAPTURED", "125.50");
  world.happen("pay-8", "refund-8", "REFUNDED", "125.50");
  world.happen("pay-8", "twice-8", "REFUNDED", "125.50");
  world.happen("pay-7", "fee-7", "FEE", "0.35");
  world.happen("pay-7", "refund-7", "REFUNDED", "20.00", "hold-7");
}

export function fullExports(tables: Tables, to: string): Files {
  const files: Files = new Map();
  for (const [table, rows] of tables) {
    const lines = [...rows.values()].map((item) => JSON.stringify({ Item: item }));
    addExport(files, table, { exportTime: to, exportType: "FULL_EXPORT" }, lines, "full");
  }
  return files;
}

export function increments(before: Tables, after: Tables, from: string, to: string): Files {
  const files: Files = new Map();
  for (const [table, rows] of after) {
    const lines = [...rows].flatMap(([key, NewImage]) => {
      const OldImage = before.get(table)?.get(key);
      if (OldImage === NewImage) return [];
      const Keys = Object.fromEntries(KEYS[table].map((name) => [name, NewImage[name]]));
      const Metadata = { WriteTimestampMicros: { N: String(Date.parse(to) * 1000 - 1) } };
      return [JSON.stringify({ Metadata, Keys, ...(OldImage && { OldImage }), NewImage })];
    });
    const window = {
      exportFromTime: from,
      exportToTime: to,
      exportType: "INCREMENTAL_EXPORT",
      outputView: "NEW_AND_OLD_IMAGES",
    };
    addExport(files, table, window, lines, "inc");
  }
  return files;
}

/** Two data files and the manifests, as DynamoDB lays them out. */
export function addExport(files: Files, table: string, times: object, lines: readonly string[], name: string): void {
  const id = `0179${name}${hash("sha256", table, "hex").slice(0, 8)}`;
  const top = `exports/${table}/AWSDynamoDB`;
  const half = Math.ceil(lines.length / 2);
  const data = [lines.slice(0, half), lines.slice(half)].map((part, index) => {
    const body = gzipSync(part.map((line) => `${line}\n`).join(""));
    const key = `${top}/${id}/data/part${index}.json.gz`;
    files.set(key, body);
    return { itemCount: part.length, md5Checksum: md5Of(body), etag: "x-1", dataFileS3Key: `some/prefix/${key}` };
  });
  const arn = `arn:aws:dynamodb:us-east-1:111122223333:table/${table}-dev`;
  const summary = {
    exportArn: `${arn}/export/${id}`,
    tableArn: arn,
    ...times,
    itemCount: lines.length,
    outputFormat: "DYNAMODB_JSON",
    manifestFilesS3Key: `some/prefix/${top}/${id}/manifest-files.json`,
  };
  addManifest(files, `${top}/${id}/manifest-files`, data.map((each) => `${JSON.stringify(each)}\n`).join(""));
  addManifest(files, `${top}/${id}/manifest-summary`, JSON.stringify(summary));
}

export function addManifest(files: Files, pathWithoutEnding: string, text: string): void {
  files.set(`${pathWithoutEnding}.json`, Buffer.from(text));
  files.set(`${pathWithoutEnding}.md5`, Buffer.from(md5Of(text)));
}

export function md5Of(bytes: string | Buffer): string {
  return createHash("md5").update(bytes).digest("base64");
}

/** Writes the files to a folder that is there during the call only. */
export async function onDisk<T>(files: Files, use: (folder: string) => Promise<T>): Promise<T> {
  const disk = new FolderOnDisk();
  try {
    disk.write(files);
    return await use(disk.folder);
  } finally {
    disk.remove();
  }
}

/** A folder that holds one set of files after the other. Only what differs from the set before is written. */
export class FolderOnDisk {
  readonly folder = mkdtempSync(path.join(tmpdir(), "payment-ledger-world-"));
  private present: Files = new Map();

  /** @returns whether anything was different. */
  write(files: Files): boolean {
    let isChanged = false;
    for (const name of this.present.keys()) {
      if (files.has(name)) continue;
      rmSync(this.placeOf(name));
      isChanged = true;
    }
    for (const [name, bytes] of files) {
      const present = this.present.get(name);
      if (present === bytes) continue;
      this.writeOne(this.placeOf(name), bytes, present === undefined);
      isChanged = true;
    }
    this.present = new Map(files);
    return isChanged;
  }

  /** Over the bytes before, and cut to length: a file system may write one that is emptied and filled again to disk at once. */
  private writeOne(place: string, bytes: Buffer, isNew: boolean): void {
    if (isNew) mkdirSync(path.dirname(place), { recursive: true });
    const file = openSync(place, isNew ? "w" : "r+");
    writeFileSync(file, bytes);
    ftruncateSync(file, bytes.length);
    closeSync(file);
  }

  remove(): void {
    rmSync(this.folder, { recursive: true, force: true });
  }

  private placeOf(name: string): string {
    return path.join(this.folder, ...name.split("/"));
  }
}

export { ORIGIN };
