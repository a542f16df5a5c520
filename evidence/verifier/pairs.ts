/**
 * Rows and their WRITE records, which are put in one transaction: for each row of payments there is one WRITE record, and
 * for each WRITE record its row. They are compared in the same way as the records and the log.
 */

import { hash } from "node:crypto";
import { type LogicalTableName, TABLES } from "../../contract";
import type { ItemJson } from "../../ledger/rules/attribute-value";
import { canonicalJson } from "../../ledger/rules/canonical-json";
import { derivedAuditId } from "../../ledger/rules/identifiers";
import { BUCKETS, type KeyedHash, Tally } from "../../ledger/rules/tally";
import { keyParts } from "./current-items";
import { type Digest, textAttribute } from "./digest";
import type { PairState, Readings } from "./readings";
import { itemIn } from "./record-pass";
import type { Finding } from "./report";
import type { Run } from "./run";
import { type RecordChange, type RecordSource, timeOf } from "./sources";

const TRAIL = TABLES.paymentAuditTrail.logicalName;
/** A transaction takes at most as long as its function runs. */
const TRANSACTION_MS = 15 * 60 * 1000;

/** One half of a pair that stands alone, or is there twice. */
interface Half {
  readonly table: LogicalTableName;
  readonly keyText: string;
  readonly writtenAt: string;
  /** Of a WRITE record: the row that it says it is about. */
  readonly about: string;
  /** How many current rows or records have each key. */
  readonly rows: Map<string, number>;
  readonly records: Map<string, number>;
}

export class PairTally {
  private readonly rows = new Tally();
  private readonly records = new Tally();
  private rowCount = 0;
  private unpaired = 0;
  private isCompared = false;
  /** Halves that cannot be judged yet: their sources were not taken at the same moment. */
  unsettled = 0;

  constructor(private readonly keyed: KeyedHash) {}

  /** Rows that exist with their WRITE record; 0 before they were compared. */
  get count(): number {
    return this.isCompared ? Math.max(0, this.rowCount - this.unpaired) : 0;
  }

  add(table: LogicalTableName, { keyText, writtenAs }: Digest, times: 1 | -1): void {
    const id = pairIdOf(table, keyText, writtenAs);
    if (id === undefined) return;
    this.keyed.ofText(id);
    const tally = table === TRAIL ? this.records : this.rows;
    if (table !== TRAIL) this.rowCount += times;
    tally.add(bucketOf(this.keyed), this.keyed.lanes, times);
  }

  get state(): PairState {
    return { rows: this.rows.state, records: this.records.state, rowCount: this.rowCount };
  }

  addAll({ rows, records, rowCount }: PairState): void {
    this.rows.addAll(rows);
    this.records.addAll(records);
    this.rowCount += rowCount;
  }

  /** Names the halves that stand alone. */
  async compare(
    sources: readonly RecordSource[],
    { settleMs, heldMax }: { readonly settleMs: number; readonly heldMax: number },
    readings: Readings,
    run: Run,
  ): Promise<void> {
    const tables = new Set(sources.map(({ table }) => table));
    // With a table left out nothing can be said of its halves; that it was left out is a separate finding.
    if (Object.values(TABLES).some(({ logicalName }) => !tables.has(logicalName))) return;
    this.isCompared = true;
    const buckets = this.rows.differing(this.records);
    const held = buckets.reduce((sum, at) => sum + this.rows.touchedIn(at) + this.records.touchedIn(at), 0);
    const slices = Math.ceil(held / heldMax);
    const isDue = dueRule(sources, settleMs);
    for (let slice = 0; slice < slices; slice++) {
      const wanted = new Set(buckets.filter((bucket) => bucket % slices === slice));
      for (const [id, half] of await this.halvesIn(wanted, sources, readings)) {
        const [rows, records] = [presentKeys(half.rows), presentKeys(half.records)];
        if (rows === records) continue;
        this.unpaired += Math.max(0, rows - records);
        if (!isDue(half.writtenAt)) this.unsettled += 1;
        else run.findings.add(findingOf(id, half, rows, records));
      }
    }
  }

  private async halvesIn(
    buckets: ReadonlySet<number>,
    sources: readonly RecordSource[],
    readings: Readings,
  ): Promise<ReadonlyMap<string, Half>> {
    const halves = new Map<string, Half>();
    const reading = { sources, filter: { by: "pair", buckets } as const, what: "rows without their pair" };
    await readings.recordsAgain(reading, ({ table }, { now, before, change }) => {
      const count = (digest: Digest | undefined, form: RecordChange["now"], times: 1 | -1, replay: boolean) => {
        const id = digest && pairIdOf(table, digest.keyText, digest.writtenAs);
        if (digest === undefined || id === undefined || form === undefined || !isInBuckets(id, buckets, this.keyed))
          return;
        const half = halves.get(id) ?? halfOf(table, digest, itemIn(form));
        const counts = table === TRAIL ? half.records : half.rows;
        // What an earlier part may have reported is counted once, however often the source repeats it.
        const earlier = replay ? 0 : (counts.get(digest.keyText) ?? 0);
        counts.set(digest.keyText, Math.max(0, earlier + times));
        halves.set(id, half);
      };
      count(before, change.before, -1, change.replay === true);
      count(now, change.now, 1, change.replay === true);
    });
    return halves;
  }
}

/** Whether the record is half of a pair in one of these buckets. */
export function isPairIn(
  table: LogicalTableName,
  { keyText, writtenAs }: Digest,
  buckets: ReadonlySet<number>,
  keyed: KeyedHash,
): boolean {
  const id = pairIdOf(table, keyText, writtenAs);
  return id !== undefined && isInBuckets(id, buckets, keyed);
}

function isInBuckets(pairId: string, buckets: ReadonlySet<number>, keyed: KeyedHash): boolean {
  keyed.ofText(pairId);
  return buckets.has(bucketOf(keyed));
}

function halfOf(table: LogicalTableName, { keyText, writtenAt }: Digest, item: ItemJson): Half {
  const about = ["Table", "TransactionID"].map((name) => textAttribute(item, name)).join(" ");
  return { table, keyText, writtenAt, about, rows: new Map(), records: new Map() };
}

/** A record that the source reports twice is a finding of the comparison with the log. */
function presentKeys(counts: ReadonlyMap<string, number>): number {
  return [...counts.values()].filter((count) => count > 0).length;
}

function bucketOf({ lanes }: KeyedHash): number {
  return (lanes[0] ?? 0) & (BUCKETS - 1);
}

/** Sources that were taken at different moments may each hold what the other does not hold yet. */
export function dueRule(sources: readonly RecordSource[], settleMs: number): (writtenAt: string) => boolean {
  const times = sources.map(timeOf);
  const first = Math.min(...times);
  const margin = Math.max(settleMs, Math.max(...times) === first ? 0 : TRANSACTION_MS);
  return (writtenAt) => !(Date.parse(writtenAt) >= first - margin);
}

function findingOf(id: string, { table, keyText, about }: Half, rows: number, records: number): Finding {
  const place = { table, key: keyParts(table, keyText) };
  if (rows > records && records > 0) {
    const message = `There are ${rows} rows for its WRITE record ${id}.`;
    return { verdict: "repeated", code: "REPEATED_RECORD", ...place, message };
  }
  if (rows > records) {
    const message = `Its WRITE record ${id} is not in the audit trail.`;
    return { verdict: "missing", code: "WRITE_RECORD_MISSING", ...place, message };
  }
  return {
    verdict: "missing",
    code: "ROW_MISSING",
    ...place,
    message: `The row that it records, ${about}, is not there.`,
  };
}

const WRITE_ID = /^W~/;
const WRITE_ID_CHARACTERS = 32;

/** The audit id of a row's WRITE record: `derivedAuditId("WRITE", table, id)`, without its detours. */
export function writeRecordId(table: LogicalTableName, id: string): string {
  const named = `["payment-ledger/audit-id/1","WRITE","${table}",${canonicalJson(id)}]`;
  return `W~${hash("sha256", named, "base64url").slice(0, WRITE_ID_CHARACTERS)}`;
}

/** The books whose rows are payments: the WRITE record of each row is named from the payment's own id. */
const BOOKS = Object.values(TABLES).filter((table) => table.logicalName !== TRAIL && !("writtenAs" in table));
/** Of a payment's status changes, the first ones. */
const UPDATES_MAX = 20;

/** Audit ids that follow from a payment's id. Their entries are found in the log even where the exports lack the records. */
export function auditIdsOf(paymentId: string): string[] {
  const versions = Array.from({ length: UPDATES_MAX }, (_, at) => String(at + 1));
  return [
    ...BOOKS.map(({ logicalName }) => writeRecordId(logicalName, paymentId)),
    ...versions.map((version) => derivedAuditId("UPDATE", TABLES.paymentLedger.logicalName, paymentId, version)),
  ];
}

/** What a row and its WRITE record have in common. Undefined for an audit record that is no WRITE record. */
export function pairIdOf(table: LogicalTableName, keyText: string, writtenAs?: string): string | undefined {
  if (table === TRAIL) return WRITE_ID.test(keyText) ? keyText : undefined;
  return writeRecordId(table, writtenAs ?? keyParts(table, keyText)[0] ?? "");
}
