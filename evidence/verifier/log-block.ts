/**
 * The first reading of the log, block by block. A block is a whole subtree, so each can be read apart from the others, in
 * any order and anywhere: what it says is a short list of events, which `log-walk.ts` takes in the order of the log.
 */

import type { LogicalTableName } from "../../contract";
import type { BitSet, KeyedHash } from "../../ledger/rules/tally";
import type { EntryKind, RecordEntry } from "../log/entry";
import { leafHash } from "../log/hashing";
import { bundlePath, TILE_WIDTH } from "../log/paths";
import { KEY_START, plainKeyEnd, readEntry } from "./entries";
import { type Bundle, bundlesOf } from "./evidence";
import { GrowingTree, TILE_HEIGHT } from "./merkle-tree";
import { bucketOf, type RecordTally } from "./record-tally";
import type { Finding } from "./report";
import type { Run } from "./run";
import { faultOf, tileFault, upperTileFault } from "./tile-faults";

/** Blocks of 65,536 entries: a bundle is then read with at most one tile of the levels above it. */
export const BLOCK_HEIGHT = 16;

/** What a reading of the log needs to know beside the log. Plain data, so that it can be sent elsewhere. */
export interface LogReading {
  /** Of the log. */
  readonly size: number;
  /** Of a block's tree: a multiple of 8. */
  readonly blockHeight: number;
  /** Sizes, in rising order, of which the tree's root is asked: those of the checkpoints that were published. */
  readonly sizes: ArrayLike<number>;
  /** By table: entries before this one had to be in its source. */
  readonly cuts: ReadonlyMap<LogicalTableName, number>;
}

export type BlockRange = Pick<LogReading, "size" | "blockHeight">;

/** Which entries a second reading of the log is about: a slice of the records whose sums differ, or that have a history. */
export interface EntryFilter {
  readonly slices: number;
  readonly slice: number;
  /** By bucket: 1 where the sums differ. */
  readonly differing: Uint8Array;
  readonly histories: BitSet;
}

/** An entry, by its number, and its bytes in base64. */
export interface WantedEntry {
  readonly leaf: number;
  readonly bytes: string;
}

/** What a reader of entries uses. */
export type LogReader = Pick<Run, "evidence" | "checkDeadline" | "progress">;

/** Height and root in base64 of a subtree. */
export type NodeText = readonly [height: number, root: string];

export type LogEvent =
  /** A bundle that is not there, or is not what its path says: the tree cannot be known from here on. */
  | { readonly what: "unreadable"; readonly path: string; readonly message?: string }
  /** A tile that is not there, or is not that of the entries. */
  | { readonly what: "tile"; readonly path: string; readonly message?: string }
  /** A pack that is not what its path says; its entries come from bundles then. */
  | { readonly what: "pack"; readonly path: string; readonly message: string }
  /** What an entry says against itself or its record. */
  | { readonly what: "finding"; readonly finding: Finding }
  /** Its bytes in base64, and the block's entries before it. */
  | { readonly what: "heartbeat"; readonly leaf: number; readonly bytes: string; readonly before: KindCounts }
  /** The tree has come to this size: the block's part of it. */
  | { readonly what: "size"; readonly size: number; readonly nodes: readonly NodeText[] };

export type KindCounts = Readonly<Record<EntryKind, number>>;

/** Entries about one table. */
export interface EntryCount {
  readonly all: number;
  /** Those that were sealed before the table's source was taken. */
  readonly compared: number;
}

export interface BlockEnd {
  readonly counts: KindCounts;
  readonly entriesOf: readonly (readonly [LogicalTableName, EntryCount])[];
  /** The block's tree: one node where the block is full. */
  readonly nodes: readonly NodeText[];
}

export interface LogChunk {
  readonly events: readonly LogEvent[];
  /** Behind the last entry of a block. */
  readonly end?: BlockEnd;
}

export function blocksOf({ size, blockHeight }: BlockRange): number {
  return Math.ceil(size / 2 ** blockHeight);
}

/** Indexes of the bundles of one block. */
export function* bundlesIn(block: number, { size, blockHeight }: BlockRange) {
  const each = 2 ** (blockHeight - TILE_HEIGHT);
  const end = Math.min((block + 1) * each, Math.ceil(size / TILE_WIDTH));
  for (let index = block * each; index < end; index++) yield index;
}

/** @param tally gains what the entries say of the records. */
export async function* readBlock(
  block: number,
  reading: LogReading,
  tally: RecordTally,
  reader: LogReader,
): AsyncGenerator<LogChunk> {
  const { size } = reading;
  const reads = new BlockReading(block, reading, tally, reader);
  for await (const bundle of bundlesOf(reader.evidence, size, bundlesIn(block, reading), true)) {
    reader.checkDeadline();
    const events = await reads.takeBundle(bundle);
    if (events.length > 0) yield { events };
    reader.progress(Math.min(size, (bundle.index + 1) * TILE_WIDTH), size, "log entries");
  }
  yield await reads.end();
}

class BlockReading {
  private readonly counts: Record<EntryKind, number> = { RECORD: 0, FORGED: 0, TAMPER: 0, LATE: 0, HEARTBEAT: 0 };
  private readonly entriesOf = new Map<LogicalTableName, { all: number; compared: number }>();
  private readonly tree = new GrowingTree((level, index, hashes) => this.takeTile(level, index, hashes));
  private readonly fullTiles: { readonly level: number; readonly index: number; readonly hashes: Buffer }[] = [];
  private readonly start: number;
  private readonly length: number;
  private nextSize: number;
  private isWhole = true;
  private events: LogEvent[] = [];

  constructor(
    private readonly block: number,
    private readonly reading: LogReading,
    private readonly tally: RecordTally,
    private readonly reader: LogReader,
  ) {
    this.length = 2 ** reading.blockHeight;
    this.start = block * this.length;
    // The root at the block's beginning belongs to the block before it.
    this.nextSize = firstAbove(reading.sizes, this.start);
  }

  async takeBundle({ index, width, entries, error, tile, packFault }: Bundle): Promise<readonly LogEvent[]> {
    this.events = [];
    if (packFault !== undefined) this.events.push({ what: "pack", path: packFault.path, message: packFault.message });
    if (entries === undefined) {
      this.isWhole = false;
      this.events.push({ what: "unreadable", ...faultOf(bundlePath(index, width), error) });
      return this.events;
    }
    for (const [at, bytes] of entries.entries()) this.takeEntry(index * TILE_WIDTH + at, bytes);
    if (this.isWhole) {
      const hashes = this.fullTiles.find(({ level }) => level === 0)?.hashes ?? this.tree.lastTile();
      const fault = tile === "in-pack" ? undefined : tileFault(0, index, hashes, tile);
      if (fault !== undefined) this.events.push({ what: "tile", ...fault });
    }
    for (const { level, index: own, hashes } of this.fullTiles.splice(0))
      await this.compareUpperTile(level, own, hashes);
    return this.events;
  }

  async end(): Promise<LogChunk> {
    this.events = [];
    if (this.isWhole && this.tree.size < this.length) {
      for (const { level, index, hashes } of this.tree.partialTiles()) {
        await this.compareUpperTile(level, this.block * this.tilesAt(level) + index, hashes);
      }
    }
    const nodes = this.isWhole ? textsOf(this.tree) : [];
    return { events: this.events, end: { counts: this.counts, entriesOf: [...this.entriesOf], nodes } };
  }

  /** How many tiles of this level a block has. */
  private tilesAt(level: number): number {
    return this.length / TILE_WIDTH ** (level + 1);
  }

  /** The tiles above the block's own tree are those of the whole log. */
  private takeTile(level: number, index: number, hashes: Buffer): void {
    if (this.tilesAt(level) >= 1)
      this.fullTiles.push({ level, index: this.block * this.tilesAt(level) + index, hashes });
  }

  private takeEntry(leaf: number, bytes: Buffer): void {
    if (this.isWhole) this.grow(leaf, bytes);
    const entry = readEntry(bytes);
    if (entry === undefined) {
      const message = "It is signed and no entry of this log: its bytes are not the canonical form of one.";
      const place = { leaf, leafHash: hashOf(bytes) };
      this.events.push({ what: "finding", finding: { verdict: "altered", code: "BAD_ENTRY", ...place, message } });
      return;
    }
    if (entry.kind === "HEARTBEAT") {
      this.events.push({ what: "heartbeat", leaf, bytes: bytes.toString("base64"), before: { ...this.counts } });
    } else {
      const finding = entry.kind === "RECORD" ? undefined : statementOf(leaf, entry, bytes);
      if (finding !== undefined) this.events.push({ what: "finding", finding });
      const isCompared = leaf < (this.reading.cuts.get(entry.table) ?? 0);
      this.count(entry.table, isCompared);
      this.tally.addLeaf(entry, isCompared);
    }
    this.counts[entry.kind] += 1;
  }

  private grow(leaf: number, bytes: Buffer): void {
    this.tree.append(bytes);
    const size = leaf + 1;
    if (size !== this.reading.sizes[this.nextSize]) return;
    this.nextSize += 1;
    // The root at the block's end follows from the block itself.
    if (this.tree.size < this.length) this.events.push({ what: "size", size, nodes: textsOf(this.tree) });
  }

  private count(table: LogicalTableName, isCompared: boolean): void {
    let count = this.entriesOf.get(table);
    if (count === undefined) {
      count = { all: 0, compared: 0 };
      this.entriesOf.set(table, count);
    }
    count.all += 1;
    if (isCompared) count.compared += 1;
  }

  /** Those of level 0 were compared with their bundles. */
  private async compareUpperTile(level: number, index: number, hashes: Buffer): Promise<void> {
    if (level === 0 || this.tilesAt(level) < 1) return;
    const fault = await upperTileFault(this.reader.evidence, level, index, hashes);
    if (fault !== undefined) this.events.push({ what: "tile", ...fault });
  }
}

/** The statements of one block alone, for callers that need every one of them. */
export async function* statementsIn(
  block: number,
  reading: BlockRange,
  { evidence, checkDeadline }: LogReader,
): AsyncGenerator<Finding> {
  for await (const { index, entries = [] } of bundlesOf(evidence, reading.size, bundlesIn(block, reading))) {
    checkDeadline();
    for (const [at, bytes] of entries.entries()) {
      const entry = readEntry(bytes);
      if (entry === undefined || entry.kind === "HEARTBEAT") continue;
      const statement = statementOf(index * TILE_WIDTH + at, entry, bytes);
      if (statement !== undefined) yield statement;
    }
  }
}

/** The entries of one block that a second reading is about. */
export async function* entriesInBlock(
  block: number,
  reading: BlockRange,
  { slices, slice, differing, histories }: EntryFilter,
  keyed: KeyedHash,
  { evidence, checkDeadline, progress }: LogReader,
): AsyncGenerator<WantedEntry> {
  const { size } = reading;
  const isWanted = (place: number) => {
    const bucket = bucketOf(place);
    return bucket % slices === slice && (differing[bucket] === 1 || histories.has(place));
  };
  for await (const { index, entries = [] } of bundlesOf(evidence, size, bundlesIn(block, reading))) {
    checkDeadline();
    progress(Math.min(size, (index + 1) * TILE_WIDTH), size, "log entries, again");
    for (const [at, bytes] of entries.entries()) {
      const keyEnd = plainKeyEnd(bytes);
      if (keyEnd > 0 && !isWanted(keyed.placeOfBytes(bytes, KEY_START, keyEnd))) continue;
      const entry = readEntry(bytes);
      if (entry === undefined || entry.kind === "HEARTBEAT") continue;
      if (isWanted(keyed.placeOf(entry.key.join("\n"))))
        yield { leaf: index * TILE_WIDTH + at, bytes: bytes.toString("base64") };
    }
  }
}

/** What an entry itself says against its record. */
function statementOf(leaf: number, entry: RecordEntry, bytes: Buffer): Finding | undefined {
  const { kind, table, key, version, commitment } = entry;
  if (kind !== "FORGED" && kind !== "TAMPER") return undefined;
  const place = { table, key, version, leaf, leafHash: hashOf(bytes), sealedAs: kind };
  if (kind === "FORGED") {
    const message = "None of the ledger's functions wrote it: its MAC is not theirs.";
    return { verdict: "forged", code: "RECORD_FORGED", ...place, message };
  }
  if (commitment === "") {
    return { verdict: "missing", code: "RECORD_REMOVED", ...place, message: "It was removed from its table." };
  }
  const message = "It was changed in its table, other than the ledger changes a status.";
  return { verdict: "altered", code: "RECORD_CHANGED", ...place, message };
}

function hashOf(bytes: Buffer): string {
  return leafHash(bytes).toString("base64");
}

function textsOf(tree: GrowingTree): NodeText[] {
  return tree.openNodes.map(([height, root]) => [height, root.toString("base64")]);
}

/** Index of the first of these sizes that is larger than `size`. */
function firstAbove(sizes: ArrayLike<number>, size: number): number {
  let [from, to] = [0, sizes.length];
  while (from < to) {
    const middle = (from + to) >>> 1;
    if ((sizes[middle] ?? 0) > size) to = middle;
    else from = middle + 1;
  }
  return from;
}
