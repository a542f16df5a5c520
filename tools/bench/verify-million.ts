/**
 * A million records, exported and sealed, held against their log; and, in the same run, what any reader of such an export
 * must do at least: gunzip, JSON.parse, and one SHA-256 a line. Each in a process and on a thread of its own.
 * `npm run bench -- verify-million [payments]`; the records are made once, under `.local/`.
 */

import { execFileSync } from "node:child_process";
import { createCipheriv, createHash, hash } from "node:crypto";
import { existsSync, mkdirSync, readdirSync, readFileSync, renameSync, rmSync, writeFileSync } from "node:fs";
import path from "node:path";
import { gunzipSync, gzipSync } from "node:zlib";
import { logKey, ORIGIN } from "../../__tests__/support/naive-log";
import type { LogicalTableName } from "../../contract";
import { checkpointText } from "../../evidence/log/checkpoint";
import { type EntryKind, entryBytes, type LogEntry } from "../../evidence/log/entry";
import { bundlePath, checkpointPath, TILE_WIDTH, tilePath } from "../../evidence/log/paths";
import { localEvidence } from "../../evidence/verifier/evidence";
import { exportSources } from "../../evidence/verifier/export-source";
import { GrowingTree } from "../../evidence/verifier/growing-tree";
import { verificationText } from "../../evidence/verifier/report";
import { verifyLog } from "../../evidence/verifier/verify";
import { commitmentOf } from "../../ledger/rules/commitment";
import { derivedAuditId } from "../../ledger/rules/identifiers";

/** Each with its WRITE record; one in a hundred changes its status later, with an UPDATE record. */
const PAYMENTS = Number(process.argv[2] ?? 500_000);
const RATIO_MAX = 2;
const PEAK_MAX_MB = 300;
const FILES_A_TABLE = 32;
const HEARTBEAT_EVERY = 20_000;
const STATUS_CHANGE_EVERY = 100;
/** Of the generator: records made by an earlier one are made anew. */
const FORM = 2;
const FOLDER = path.join(".local", `verify-million-${FORM}-${PAYMENTS}`);
const UNFINISHED = `${FOLDER}.unfinished`;
const START = Date.UTC(2026, 10, 1);

const signer = logKey("bench");

// ---------------------------------------------------------------------------------------------------------- making it

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

function timeAt(number: number): string {
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

/** Written records leave the heap in parts of this size. */
const PART_CHARACTERS = 1024 * 1024;

class TableWriter {
  private readonly files = Array.from({ length: FILES_A_TABLE }, () => ({ items: 0, open: "", parts: [] as Buffer[] }));
  private readonly id: string;

  constructor(private readonly table: LogicalTableName) {
    this.id = `01790000-${hash("sha256", table, "hex").slice(0, 8)}`;
  }

  /** DynamoDB writes them in the order of their keys' hashes. */
  add(key: string, item: Item): void {
    const file = this.files[createHash("sha256").update(key).digest().readUInt16BE(0) % FILES_A_TABLE];
    if (file === undefined) return;
    file.items += 1;
    file.open += `${JSON.stringify({ Item: item })}\n`;
    if (file.open.length < PART_CHARACTERS) return;
    file.parts.push(Buffer.from(file.open));
    file.open = "";
  }

  write(folder: string, exportTime: string): void {
    const top = path.join("exports", this.table, "AWSDynamoDB", this.id);
    mkdirSync(path.join(folder, top, "data"), { recursive: true });
    const manifest = this.files.map(({ items, open, parts }, index) => {
      const key = `${top}/data/${index}.json.gz`;
      const body = gzipSync(Buffer.concat([...parts, Buffer.from(open)]));
      writeFileSync(path.join(folder, key), body);
      return JSON.stringify({ itemCount: items, md5Checksum: hash("md5", body, "base64"), dataFileS3Key: key });
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

class EvidenceWriter {
  private readonly counts: Record<EntryKind, number> = { RECORD: 0, FORGED: 0, TAMPER: 0, LATE: 0, HEARTBEAT: 0 };
  private readonly tree = new GrowingTree((level, index, hashes) => this.put(tilePath(level, index), hashes));
  private bundle: Buffer[] = [];
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
    this.bundle.push(Buffer.from([bytes.length >> 8, bytes.length & 255]), bytes);
    if (this.tree.size % TILE_WIDTH > 0) return;
    this.put(bundlePath(this.tree.size / TILE_WIDTH - 1), Buffer.concat(this.bundle));
    this.bundle = [];
  }

  private publish(): void {
    const { size } = this.tree;
    const text = checkpointText(ORIGIN, size, this.tree.root());
    for (const { level, index, hashes } of this.tree.partialTiles()) {
      this.put(tilePath(level, index, hashes.length / 32), hashes);
    }
    const width = this.bundle.length / 2;
    if (width > 0) this.put(bundlePath(Math.floor(size / TILE_WIDTH), width), Buffer.concat(this.bundle));
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

function makeRecords(folder: string): void {
  const evidence = new EvidenceWriter(folder);
  const payments = new TableWriter("PaymentLedger");
  const trail = new TableWriter("PaymentAuditTrail");
  const keyOf = (item: Item, name: string) => (item[name] as { S: string }).S;
  const seal = (item: Item, version: string, previous: string) =>
    evidence.record("PaymentLedger", keyOf(item, "TransactionID"), item, version, previous);
  const sealAudit = (item: Item) => {
    evidence.record("PaymentAuditTrail", keyOf(item, "AuditID"), item, "1", "");
    trail.add(keyOf(item, "AuditID"), item);
  };
  for (let number = 0; number < PAYMENTS; number++) {
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
    payments.add(keyOf(last, "TransactionID"), last);
  }
  evidence.heartbeat(timeAt(PAYMENTS + 3600));
  const exportTime = timeAt(PAYMENTS + 3601);
  payments.write(folder, exportTime);
  trail.write(folder, exportTime);
  for (const table of ["payment-audit-trail", "payment-transactions"] as const)
    new TableWriter(table).write(folder, exportTime);
  evidence.heartbeat(timeAt(PAYMENTS + 3660));
}

// -------------------------------------------------------------------------------------------------------- measuring it

interface Measured {
  readonly lines: number;
  readonly wallSeconds: number;
  readonly cpuSeconds: number;
  readonly peakMb: number;
  readonly report?: string;
  readonly verdict?: string;
}

async function measured(work: () => Promise<Pick<Measured, "lines" | "report" | "verdict">>): Promise<Measured> {
  const started = process.hrtime.bigint();
  const cpuBefore = process.cpuUsage();
  const done = await work();
  const { user, system } = process.cpuUsage(cpuBefore);
  const wallSeconds = Number(process.hrtime.bigint() - started) / 1e9;
  return { ...done, wallSeconds, cpuSeconds: (user + system) / 1e6, peakMb: process.resourceUsage().maxRSS / 1024 };
}

/** What cannot be left out: whole files, no checksums, no order, nothing compared. */
async function bare(): Promise<{ lines: number }> {
  let lines = 0;
  let last = "";
  for (const file of dataFiles()) {
    const plain = gunzipSync(readFileSync(file));
    for (let start = 0, end = plain.indexOf(10); end >= 0; start = end + 1, end = plain.indexOf(10, start)) {
      const line = plain.toString("utf8", start, end);
      JSON.parse(line);
      last = hash("sha256", line, "hex");
      lines += 1;
    }
  }
  if (last === "") throw new Error("There are no records.");
  return { lines };
}

function dataFiles(): string[] {
  const names = readdirSync(path.join(FOLDER, "exports"), { recursive: true, encoding: "utf8" });
  return names.filter((name) => name.endsWith(".json.gz")).map((name) => path.join(FOLDER, "exports", name));
}

async function full() {
  const report = await verifyLog({
    evidence: localEvidence(path.join(FOLDER, "evidence")),
    ...(await exportSources(path.join(FOLDER, "exports"))),
    keys: [signer.vkey],
    lastCheckpoint: readFileSync(path.join(FOLDER, "last-checkpoint"), "utf8"),
    settleMs: 0,
    now: new Date(timeAt(PAYMENTS + 7200)),
  });
  return { lines: report.counts.records, verdict: report.verdict, report: verificationText(report) };
}

function makeOnce(): void {
  if (existsSync(FOLDER)) return;
  rmSync(UNFINISHED, { recursive: true, force: true });
  makeRecords(UNFINISHED);
  renameSync(UNFINISHED, FOLDER);
}

/** This process stays small: a child begins with its parent's peak. */
function inOwnProcess(work: "make" | "bare" | "full"): string {
  const own = [...process.execArgv, process.argv[1] ?? "", String(PAYMENTS), work];
  return execFileSync(process.execPath, own, { encoding: "utf8", maxBuffer: 2 ** 26 });
}

function line(name: string, { lines, wallSeconds, cpuSeconds, peakMb }: Measured): string {
  const rate = Math.round(lines / wallSeconds).toLocaleString("en");
  return `${name}: ${lines.toLocaleString("en")} records in ${wallSeconds.toFixed(1)} s (${cpuSeconds.toFixed(1)} s of processor time), ${rate} a second, peak ${peakMb.toFixed(0)} MB`;
}

async function main(): Promise<void> {
  const [, , , work] = process.argv;
  if (work === "make") return makeOnce();
  if (work === "bare" || work === "full") {
    console.log(JSON.stringify(await measured(work === "bare" ? bare : full)));
    return;
  }
  inOwnProcess("make");
  const least = JSON.parse(inOwnProcess("bare")) as Measured;
  const all = JSON.parse(inOwnProcess("full")) as Measured;
  const ratio = all.wallSeconds / least.wallSeconds;
  const cpuRatio = all.cpuSeconds / least.cpuSeconds;
  console.log(all.report);
  console.log(line("gunzip, JSON.parse and SHA-256", least));
  console.log(line("verification", all));
  console.log(
    `ratio of processor time, whatever else the machine does: ${cpuRatio.toFixed(2)} (limit ${RATIO_MAX}); of time: ${ratio.toFixed(2)}`,
  );
  console.log(`peak memory: ${all.peakMb.toFixed(0)} MB (limit ${PEAK_MAX_MB})`);
  const isWhole = all.verdict === "ok" && all.lines === least.lines;
  if (!isWhole || cpuRatio > RATIO_MAX || all.peakMb >= PEAK_MAX_MB) process.exitCode = 1;
}

void main();
