/** The whole log, as its blocks were read: its tree against its tiles and its checkpoint, and what its entries say. */

import type { LogicalTableName } from "../../contract";
import type { Checkpoint } from "../log/checkpoint";
import type { EntryKind } from "../log/entry";
import { readEntry } from "./entries";
import { type Findings, isStatement } from "./findings";
import { type Coverage, CoverageCheck, HeartbeatCheck } from "./heartbeats";
import type { BlockEnd, EntryCount, LogEvent, LogReading, NodeText } from "./log-block";
import { GrowingTree, type Node } from "./merkle-tree";
import type { PublishedCheckpoints } from "./published";
import type { Readings } from "./readings";
import type { RecordTally } from "./record-tally";
import type { FindingCode } from "./report";
import { CLOCKS_DIFFER_MS, type Run } from "./run";
import type { RecordSource } from "./sources";
import { type PathFault, upperTileFault } from "./tile-faults";

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
  /** Of the full blocks: its leaves are their roots. */
  private readonly tree = new GrowingTree((level, index, hashes) => this.fullTiles.push({ level, index, hashes }));
  private readonly fullTiles: Tile[] = [];
  /** Of the last block, where it is not full. */
  private behind: readonly Node[] = [];
  private isWhole = true;
  /** What the entries say counts only if they turn out to be the signed ones. */
  private readonly claims: Findings;
  /** Entries about each table: all, and those before the moment of its source. */
  readonly entriesOf = new Map<LogicalTableName, EntryCount>();
  /** Time of the last heartbeat among the entries that the last checkpoint covers; empty before the first. */
  pinnedTime = "";
  private readonly heartbeats: HeartbeatCheck;
  private readonly passed: CoverageCheck;

  constructor(
    private readonly run: Run,
    private readonly head: Checkpoint,
    private readonly published: PublishedCheckpoints,
    private readonly coverage: Coverage,
    sources: readonly RecordSource[],
  ) {
    this.claims = run.findings.another();
    const latest = new Date(run.clock.now.getTime() + CLOCKS_DIFFER_MS).toISOString();
    this.heartbeats = new HeartbeatCheck((size) => published.textHashAt(size), latest, this.claims);
    this.passed = new CoverageCheck(sources);
  }

  /** @param tally gains what the entries say of the records. */
  async walk(readings: Readings, blockHeight: number, tally: RecordTally): Promise<void> {
    const { run, head, tree, published, coverage } = this;
    const reading: LogReading = { size: head.size, blockHeight, sizes: published.sizesAsked, cuts: coverage.cuts };
    published.grown(0, () => tree.root(), this.claims);
    for await (const { events, end } of readings.log(reading, tally)) {
      for (const event of events) this.take(event);
      if (end !== undefined) await this.endBlock(end, blockHeight);
      await published.checkReached(this.claims);
    }
    if (!this.isWhole) return;
    for (const tile of tree.partialTiles()) await this.compareTile(tile);
    const root = tree.root(this.behind);
    if (root.equals(head.root)) {
      this.isSigned = true;
      run.findings.addAll(this.claims, (finding) => !isStatement(finding));
      this.compareCoverage();
      if (run.findings.isStreaming) for await (const each of readings.statements(reading)) run.findings.stream(each);
    } else {
      const message = `The ${head.size} entries are not those that the checkpoint signs: their root is ${root.toString("base64")}.`;
      run.findings.add({ verdict: "altered", code: "ROOT_DIFFERS", message });
    }
  }

  private take(event: LogEvent): void {
    if (event.what === "finding") this.claims.add(event.finding);
    else if (event.what === "heartbeat") this.takeHeartbeat(event.leaf, event.bytes, event.before);
    else if (event.what === "unreadable") {
      this.isWhole = false;
      this.evidenceFault(event);
    } else if (event.what === "pack") this.evidenceFault(event);
    else if (!this.isWhole) return;
    else if (event.what === "tile") this.evidenceFault(event);
    else this.published.grown(event.size, () => this.tree.root(event.nodes.map(nodeOf)), this.claims);
  }

  private takeHeartbeat(leaf: number, text: string, before: Readonly<Record<EntryKind, number>>): void {
    const bytes = Buffer.from(text, "base64");
    const entry = readEntry(bytes);
    if (entry?.kind !== "HEARTBEAT")
      throw new Error("The reading of the log calls an entry a heartbeat that is another.");
    this.heartbeats.take(leaf, entry, sumOf(this.counts, before), bytes);
    this.passed.take(leaf, entry);
    if (leaf < this.published.lastSize) this.pinnedTime = entry.time;
  }

  private async endBlock({ counts, entriesOf, nodes }: BlockEnd, blockHeight: number): Promise<void> {
    Object.assign(this.counts, sumOf(this.counts, counts));
    for (const [table, { all, compared }] of entriesOf) {
      const before = this.entriesOf.get(table) ?? { all: 0, compared: 0 };
      this.entriesOf.set(table, { all: before.all + all, compared: before.compared + compared });
    }
    if (!this.isWhole) return;
    const [first] = nodes;
    if (first === undefined || first[0] < blockHeight) {
      this.behind = nodes.map(nodeOf);
      return;
    }
    this.tree.appendNode(blockHeight, Buffer.from(first[1], "base64").toString("latin1"));
    this.published.grown(this.tree.size, () => this.tree.root(), this.claims);
    for (const full of this.fullTiles.splice(0)) await this.compareTile(full);
  }

  private async compareTile({ level, index, hashes }: Tile): Promise<void> {
    const fault = await upperTileFault(this.run.evidence, level, index, hashes);
    if (fault !== undefined) this.evidenceFault(fault);
  }

  private evidenceFault({ path, message: fault }: PathFault): void {
    this.faulty.add(path.replace(/\.p\/[0-9]+$/, ""));
    const [verdict, code]: ["altered" | "incomplete", FindingCode] =
      fault === undefined ? ["incomplete", "EVIDENCE_MISSING"] : ["altered", "EVIDENCE_ALTERED"];
    const message =
      fault ?? `${path} is not there, and a log of ${this.head.size} entries has it. Fetch the evidence again.`;
    this.run.findings.add({ verdict, code, message });
  }

  private compareCoverage(): void {
    if (this.passed.isSameAs(this.coverage)) return;
    const message = "The evidence changed while it was read. Copy it, and verify the copy.";
    this.run.findings.add({ verdict: "incomplete", code: "EVIDENCE_CHANGED", message });
    this.isSigned = false;
  }
}

function nodeOf([height, root]: NodeText): Node {
  return [height, Buffer.from(root, "base64")];
}

function sumOf(
  one: Readonly<Record<EntryKind, number>>,
  other: Readonly<Record<EntryKind, number>>,
): Record<EntryKind, number> {
  const kinds = Object.keys(one) as EntryKind[];
  return Object.fromEntries(kinds.map((kind) => [kind, one[kind] + other[kind]])) as Record<EntryKind, number>;
}
