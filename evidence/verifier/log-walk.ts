/** One reading of the whole log: its tree against its tiles and its checkpoint, and what its entries say. */

import type { LogicalTableName } from "../../contract";
import type { Checkpoint } from "../log/checkpoint";
import type { EntryKind, RecordEntry } from "../log/entry";
import { HASH_BYTES, leafHash } from "../log/hashing";
import { bundlePath, TILE_WIDTH, tilePath } from "../log/paths";
import { readEntry } from "./entries";
import { EvidenceError, readTile } from "./evidence";
import { type Findings, isStatement } from "./findings";
import { GrowingTree } from "./growing-tree";
import { type Coverage, CoverageCheck, HeartbeatCheck } from "./heartbeats";
import { type Bundle, bundlesOf, upwards } from "./log-entries";
import type { PublishedCheckpoints } from "./published";
import type { RecordTally } from "./record-tally";
import type { Finding, FindingCode } from "./report";
import { CLOCKS_DIFFER_MS, type Run } from "./run";
import type { RecordSource } from "./sources";

/** Entries about one table. */
export interface EntryCount {
  all: number;
  /** Those that were sealed before the table's source was taken. */
  compared: number;
}

interface Tile {
  readonly level: number;
  readonly index: number;
  readonly hashes: Buffer;
}

export class LogWalk {
  readonly counts: Record<EntryKind, number> = { RECORD: 0, FORGED: 0, TAMPER: 0, LATE: 0, HEARTBEAT: 0 };
  /** True when the entries are those that the checkpoint signs. */
  isSigned = false;
  /** Tiles that are not those of the entries, without their widths. */
  readonly faulty = new Set<string>();
  private readonly tree = new GrowingTree((level, index, hashes) => this.fullTiles.push({ level, index, hashes }));
  private readonly fullTiles: Tile[] = [];
  private isWhole = true;
  /** What the entries say counts only if they turn out to be the signed ones. */
  private readonly claims: Findings;
  /** Entries about each table: all, and those before the moment of its source. */
  readonly entriesOf = new Map<LogicalTableName, EntryCount>();
  /** Time of the last heartbeat among the entries that the last checkpoint covers; empty when there is none. */
  pinnedTime = "";
  private readonly heartbeats: HeartbeatCheck;
  private readonly passed: CoverageCheck;

  constructor(
    private readonly run: Run,
    private readonly head: Checkpoint,
    private readonly published: PublishedCheckpoints,
    private readonly tally: RecordTally,
    private readonly coverage: Coverage,
    sources: readonly RecordSource[],
  ) {
    this.claims = run.findings.another();
    const latest = new Date(run.clock.now.getTime() + CLOCKS_DIFFER_MS).toISOString();
    this.heartbeats = new HeartbeatCheck((size) => published.textHashAt(size), latest, this.claims);
    this.passed = new CoverageCheck(sources);
  }

  async walk(): Promise<void> {
    const { run, head, tree, published } = this;
    published.grown(0, () => tree.root(), this.claims);
    for await (const bundle of bundlesOf(run.evidence, head.size, upwards(head.size), true)) {
      run.checkDeadline();
      await this.takeBundle(bundle);
      run.progress(Math.min(head.size, (bundle.index + 1) * TILE_WIDTH), head.size, "log entries");
    }
    if (!this.isWhole) return;
    for (const tile of tree.partialTiles()) await this.compareUpperTile(tile);
    if (tree.root().equals(head.root)) {
      this.isSigned = true;
      run.findings.addAll(this.claims, (finding) => !isStatement(finding));
      this.compareCoverage();
      if (run.findings.isStreaming) await this.streamStatements();
    } else {
      const message = `The ${head.size} entries are not those that the checkpoint signs: their root is ${tree.root().toString("base64")}.`;
      run.findings.add({ verdict: "altered", code: "ROOT_DIFFERS", message });
    }
  }

  private async takeBundle({ index, width, entries, error, tile }: Bundle): Promise<void> {
    if (entries === undefined) {
      this.isWhole = false;
      this.evidenceFault(error, bundlePath(index, width));
      return;
    }
    for (const [at, bytes] of entries.entries()) this.takeEntry(index * TILE_WIDTH + at, bytes);
    if (this.isWhole) {
      const hashes = this.fullTiles.find(({ level }) => level === 0)?.hashes ?? this.tree.lastTile();
      this.compareTile({ level: 0, index, hashes }, tile);
    }
    for (const full of this.fullTiles.splice(0)) await this.compareUpperTile(full);
    await this.published.checkReached(this.claims);
  }

  private takeEntry(leaf: number, bytes: Buffer): void {
    if (this.isWhole) {
      this.tree.append(bytes);
      this.published.grown(leaf + 1, () => this.tree.root(), this.claims);
    }
    const entry = readEntry(bytes);
    if (entry === undefined) {
      const message = "It is signed and no entry of this log: its bytes are not the canonical form of one.";
      this.claims.add({ verdict: "altered", code: "BAD_ENTRY", leaf, leafHash: hashOf(bytes), message });
      return;
    }
    if (entry.kind === "HEARTBEAT") {
      this.heartbeats.take(leaf, entry, this.counts, bytes);
      this.passed.take(leaf, entry);
      if (leaf < this.published.lastSize) this.pinnedTime = entry.time;
    } else {
      const statement = entry.kind === "RECORD" ? undefined : statementOf(leaf, entry, bytes);
      if (statement !== undefined) this.claims.add(statement);
      const isCompared = leaf < (this.coverage.cuts.get(entry.table) ?? 0);
      this.count(entry.table, isCompared);
      this.tally.addLeaf(entry, isCompared);
    }
    this.counts[entry.kind] += 1;
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

  /** Reads the log once more: what it states counts only now that its tree is known, and may be more than memory holds. */
  private async streamStatements(): Promise<void> {
    const { evidence, findings, checkDeadline } = this.run;
    const { size } = this.head;
    for await (const { index, entries = [] } of bundlesOf(evidence, size, upwards(size))) {
      checkDeadline();
      for (const [at, bytes] of entries.entries()) {
        const entry = readEntry(bytes);
        if (entry === undefined || entry.kind === "HEARTBEAT") continue;
        const statement = statementOf(index * TILE_WIDTH + at, entry, bytes);
        if (statement !== undefined) findings.stream(statement);
      }
    }
  }

  /** Those of level 0 were compared with their bundles. */
  private async compareUpperTile({ level, index, hashes }: Tile): Promise<void> {
    if (level === 0) return;
    const width = hashes.length / HASH_BYTES;
    try {
      this.compareTile({ level, index, hashes }, await readTile(this.run.evidence, level, index, width));
    } catch (error) {
      if (!(error instanceof EvidenceError)) throw error;
      this.compareTile({ level, index, hashes }, error);
    }
  }

  private compareTile({ level, index, hashes }: Tile, stored: Buffer | EvidenceError | undefined): void {
    const path = tilePath(level, index, hashes.length / HASH_BYTES);
    if (stored === undefined || stored instanceof EvidenceError) this.evidenceFault(stored, path);
    else if (!stored.equals(hashes)) {
      this.evidenceFault(new EvidenceError(path, "its hashes are not those of the entries."), path);
    }
  }

  private evidenceFault(error: EvidenceError | undefined, path: string): void {
    this.faulty.add(path.replace(/\.p\/[0-9]+$/, ""));
    const [verdict, code]: ["altered" | "incomplete", FindingCode] =
      error === undefined ? ["incomplete", "EVIDENCE_MISSING"] : ["altered", "EVIDENCE_ALTERED"];
    const message =
      error?.message ??
      `${path} is not there, and a log of ${this.head.size} entries has it. Fetch the evidence again.`;
    this.run.findings.add({ verdict, code, message });
  }

  private compareCoverage(): void {
    if (this.passed.isSameAs(this.coverage)) return;
    const message = "The evidence changed while it was read. Copy it, and verify the copy.";
    this.run.findings.add({ verdict: "incomplete", code: "EVIDENCE_CHANGED", message });
    this.isSigned = false;
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
