/**
 * Where the sums differ, both sides are read again and each record is named. First the log alone: repeated entries, and
 * records written between a heartbeat and the moment of the source, mostly explain the difference. Only for what is left
 * the sources are read a second time. A slice of the records at a time, so that memory stays bounded.
 */

import type { LogicalTableName } from "../../contract";
import { BUCKETS, LANES } from "../../ledger/rules/tally";
import { entryBytes, type RecordEntry } from "../log/entry";
import { leafHash } from "../log/hashing";
import { CurrentItems, type CurrentVersions, type ItemForFinding, keyParts, recordPlace } from "./current-items";
import type { Digest } from "./digest";
import { readEntry } from "./entries";
import type { Coverage } from "./heartbeats";
import { type History, historyOf, type Leaf, possibleStates, type RecordState } from "./history";
import { judgeRecord } from "./judge-record";
import type { Readings } from "./readings";
import { itemIn } from "./record-pass";
import { bucketOf, RecordTally } from "./record-tally";
import type { Run } from "./run";
import { type RecordChange, type RecordSource, timeOf } from "./sources";

export interface SearchOptions {
  readonly run: Run;
  readonly readings: Readings;
  /** Of the log. */
  readonly size: number;
  /** Of the blocks in which it is read. */
  readonly blockHeight: number;
  readonly sources: readonly RecordSource[];
  readonly coverage: Coverage;
  readonly settleMs: number;
  readonly namedMax: number;
  /** Entries and records held at once. */
  readonly heldMax: number;
}

/** Further readings of the sources; what would take more is said to be too much. */
const READINGS_MAX = 16;

/** One slice, while it is looked at. */
interface SliceOfRecords {
  readonly known: Map<string, { readonly table: LogicalTableName; readonly keyText: string; readonly leaves: Leaf[] }>;
  readonly again: RecordTally;
}

export class DiscrepancySearch {
  repeatedEntries = 0;
  /** Records too young to be sealed yet. */
  settling = 0;
  private readonly differing = new Uint8Array(BUCKETS);
  private readonly buckets: readonly number[];
  private readings = 0;
  private itemsKept = 0;

  constructor(
    private readonly options: SearchOptions,
    private readonly tally: RecordTally,
  ) {
    this.buckets = tally.leaves.differing(tally.items);
    for (const bucket of this.buckets) this.differing[bucket] = 1;
  }

  async run(): Promise<void> {
    const { leaves, items, histories } = this.tally;
    const differing = this.buckets.reduce((sum, at) => sum + leaves.touchedIn(at) + items.touchedIn(at), 0);
    const slices = Math.ceil((differing + 2 * histories.count) / this.options.heldMax);
    for (let slice = 0; slice < slices; slice++) await this.searchSlice(slice, slices);
  }

  private async searchSlice(at: number, slices: number): Promise<void> {
    const slice: SliceOfRecords = { known: new Map(), again: new RecordTally(this.tally.keyed, this.tally.histories) };
    if (!(await this.readLog(at, slices, slice))) return;
    const records = [...slice.known.values()].map(
      (each): KnownRecord => ({ ...each, history: historyOf(each.leaves) }),
    );
    for (const record of records) this.reportHistory(record);
    const buckets = this.buckets.filter((bucket) => bucket % slices === at);
    if (buckets.some((bucket) => slice.again.leaves.sumOf(bucket) !== this.tally.leaves.sumOf(bucket))) {
      this.changed("The evidence");
      return;
    }
    const byBucket = new Map<number, KnownRecord[]>();
    for (const record of records) {
      const bucket = this.bucketAt(record.keyText);
      const others = byBucket.get(bucket);
      if (others === undefined) byBucket.set(bucket, [record]);
      else others.push(record);
    }
    const isExplained = (bucket: number) =>
      canExplain(this.tally, bucket, byBucket.get(bucket) ?? [], (table) => this.cutOf(table));
    const unexplained = new Set(buckets.filter((bucket) => !isExplained(bucket)));
    if (unexplained.size > 0) await this.readSources(unexplained, records, slice.again);
  }

  /** False where a slice turns out to be too large to be kept in memory. */
  private async readLog(at: number, slices: number, { known, again }: SliceOfRecords): Promise<boolean> {
    const { size, blockHeight, heldMax } = this.options;
    const { histories } = this.tally;
    let held = 0;
    const wanted = { slices, slice: at, differing: this.differing, histories };
    for await (const { leaf, bytes } of this.options.readings.entriesAgain({ size, blockHeight }, wanted)) {
      const entry = readEntry(Buffer.from(bytes, "base64"));
      if (entry === undefined || entry.kind === "HEARTBEAT") continue;
      const keyText = entry.key.join("\n");
      if (this.differing[this.bucketAt(keyText)] === 1) again.addLeaf(entry, leaf < this.cutOf(entry.table));
      const id = recordPlace(entry.table, keyText);
      const record = known.get(id) ?? { table: entry.table, keyText, leaves: [] };
      record.leaves.push(leafOf(leaf, entry));
      known.set(id, record);
      held += 1;
      if (held > 8 * heldMax) return this.tooMany();
    }
    return true;
  }

  private reportHistory({ table, keyText, history }: KnownRecord): void {
    this.repeatedEntries += history.repeats;
    for (const { verdict, code, message, leaf } of history.faults) {
      const key = keyParts(table, keyText);
      const hash = leafHash(entryBytes({ ...leaf, table, key })).toString("base64");
      const { version, index, kind } = leaf;
      const place = { table, key, version, leaf: index, leafHash: hash, sealedAs: kind };
      this.options.run.findings.add({ verdict, code, ...place, message });
    }
  }

  private async readSources(
    unexplained: ReadonlySet<number>,
    records: readonly KnownRecord[],
    again: RecordTally,
  ): Promise<void> {
    this.readings += 1;
    if (this.readings > READINGS_MAX) {
      if (this.readings === READINGS_MAX + 1) this.tooMany();
      return;
    }
    const known = new Map(records.map((record) => [recordPlace(record.table, record.keyText), record]));
    const current = new CurrentItems();
    const reading = { sources: this.options.sources, filter: { by: "record", buckets: unexplained } as const };
    await this.options.readings.recordsAgain({ ...reading, what: "differing records" }, ({ table }, digested) => {
      const { now, before, change } = digested;
      const isIn = (digest: Digest | undefined) =>
        digest !== undefined && unexplained.has(this.bucketAt(digest.keyText)) ? digest : undefined;
      const [after, prior] = [isIn(now), isIn(before)];
      if (after !== undefined) again.addItem(table, after, 1);
      if (prior !== undefined) again.addItem(table, prior, -1);
      if (after === undefined && prior === undefined) return;
      const digests = { ...(after && { now: after }), ...(prior && { before: prior }) };
      current.take(table, digests, change.replay === true, (digest) => {
        const leaves = known.get(recordPlace(table, digest.keyText))?.leaves ?? [];
        const isSealed = leaves.some(({ commitment }) => commitment === digest.commitment);
        return isSealed ? {} : this.kept(digest, change);
      });
    });
    if ([...unexplained].some((bucket) => again.items.sumOf(bucket) !== this.tally.items.sumOf(bucket))) {
      this.changed("A source");
    }
    this.judge(unexplained, known, current);
  }

  private kept({ writtenAt }: Digest, { now }: RecordChange): ItemForFinding {
    this.itemsKept += 1;
    const isKept = now !== undefined && this.itemsKept <= this.options.namedMax;
    return { ...(isKept ? { item: itemIn(now) } : {}), ...(writtenAt === "" ? {} : { writtenAt }) };
  }

  private judge(
    unexplained: ReadonlySet<number>,
    known: ReadonlyMap<string, KnownRecord>,
    { all: current }: { readonly all: ReadonlyMap<string, CurrentVersions> },
  ): void {
    for (const id of new Set([...known.keys(), ...current.keys()])) {
      const record = known.get(id);
      const versions = current.get(id);
      const { table, keyText } = record ?? versions ?? {};
      if (table === undefined || keyText === undefined || !unexplained.has(this.bucketAt(keyText))) continue;
      if (this.sourceOf(table) === undefined) continue;
      const { leaves = [], history = historyOf([]) } = record ?? {};
      const judged = { table, keyText, leaves, history, ...(versions === undefined ? {} : { current: versions }) };
      const rules = { cut: this.cutOf(table), maySettle: (time: string) => this.maySettle(table, time) };
      const { findings, settling } = judgeRecord(judged, rules);
      for (const finding of findings) this.options.run.findings.add(finding);
      this.settling += settling;
    }
  }

  /**
   * A stream takes its time, so the log may not have come to a record that was written just before the source was taken;
   * but only as long as the log itself ends there.
   */
  private maySettle(table: LogicalTableName, writtenAt: string): boolean {
    const source = this.sourceOf(table);
    const { settleMs, coverage } = this.options;
    if (source === undefined) return false;
    const takenAt = timeOf(source);
    const isYoung = Math.abs(Date.parse(writtenAt) - takenAt) <= settleMs;
    return isYoung && Date.parse(coverage.until) < takenAt + settleMs;
  }

  private cutOf(table: LogicalTableName): number {
    return this.options.coverage.cuts.get(table) ?? 0;
  }

  private sourceOf(table: LogicalTableName): RecordSource | undefined {
    return this.options.sources.find((source) => source.table === table);
  }

  private bucketAt(keyText: string): number {
    return bucketOf(this.tally.keyed.placeOf(keyText));
  }

  private changed(what: string): void {
    const message = `${what} changed while it was read. Copy it, and verify the copy.`;
    this.options.run.findings.add({ verdict: "incomplete", code: "EVIDENCE_CHANGED", message });
  }

  private tooMany(): false {
    const message =
      "More records differ than were looked at one by one; those named are some of them. Verify the tables one at a time.";
    this.options.run.findings.add({ verdict: "incomplete", code: "TOO_MANY_DIFFERENCES", message });
    return false;
  }
}

function leafOf(index: number, { kind, version, sequence, commitment, previous }: RecordEntry): Leaf {
  return { index, kind, version, sequence, commitment, previous };
}

/** A record as the log tells it. */
export interface KnownRecord {
  readonly table: LogicalTableName;
  readonly keyText: string;
  readonly leaves: readonly Leaf[];
  readonly history: History;
}

/** Ways to explain one bucket that are tried. */
const WAYS_MAX = 4096;

/**
 * Whether the log alone explains what the sources hold: repeated entries count once, and young records may be there or not.
 * @param records those of this bucket. @param cutOf entries of a table before this one had to be in its source.
 */
export function canExplain(
  tally: RecordTally,
  bucket: number,
  records: readonly KnownRecord[],
  cutOf: (table: LogicalTableName) => number,
): boolean {
  const choices = records.map((record) =>
    distinct(possibleStates(record.history, cutOf(record.table))).map((state) => tokenOf(state, record, tally)),
  );
  const ways = choices.reduce((product, tokens) => product * tokens.length, 1);
  if (ways > WAYS_MAX) return false;
  const wanted = tally.items.sumOf(bucket);
  const tryFrom = (at: number, sums: Uint32Array): boolean => {
    const tokens = choices[at];
    if (tokens === undefined) return sums.join() === wanted;
    return tokens.some((token) =>
      tryFrom(
        at + 1,
        sums.map((sum, lane) => sum + (token[lane] ?? 0)),
      ),
    );
  };
  return tryFrom(0, new Uint32Array(LANES));
}

function distinct(states: readonly RecordState[]): RecordState[] {
  return [...new Map(states.map((state) => [state.commitment, state])).values()];
}

/** What the record adds to the sums of its bucket in this state. */
function tokenOf(
  { commitment, leaf }: RecordState,
  { table, keyText }: KnownRecord,
  { keyed }: RecordTally,
): Uint32Array {
  if (commitment === "" || leaf === undefined) return new Uint32Array(LANES);
  keyed.ofRecord(table, commitment, leaf.version, keyText);
  return Uint32Array.from(keyed.lanes);
}
