/** The log's heartbeats: whether each says what is true of the entries before it, and what they say of the time of an entry. */

import type { LogicalTableName } from "../../contract";
import type { EntryKind, HeartbeatEntry } from "../log/entry";
import { leafHash } from "../log/hashing";
import { checkpointPath, TILE_WIDTH } from "../log/paths";
import { looksLikeHeartbeat, readEntry } from "./entries";
import { bundlesOf, downwards } from "./evidence";
import type { Findings } from "./findings";
import type { Run } from "./run";
import { type RecordSource, timeOf } from "./sources";

export class HeartbeatCheck {
  count = 0;
  private last: HeartbeatEntry | undefined;

  /**
   * @param textHashAt of the checkpoint of this size, as the tree has it.
   * @param latest RFC 3339; no heartbeat can be later than this.
   */
  constructor(
    private readonly textHashAt: (size: number) => string | undefined,
    private readonly latest: string,
    private readonly findings: Findings,
  ) {}

  /** @param counts of the entries before it. @param bytes of the entry. */
  take(leaf: number, entry: HeartbeatEntry, counts: Readonly<Record<EntryKind, number>>, bytes: Buffer): void {
    const { last } = this;
    const wrong = (reason: string) => {
      const place = { leaf, leafHash: leafHash(bytes).toString("base64") };
      this.findings.add({ verdict: "altered", code: "HEARTBEAT_WRONG", ...place, message: `A heartbeat ${reason}.` });
    };
    if (entry.time > this.latest) {
      const message = `A heartbeat is of ${entry.time}, which the clock of this machine has not reached. Later ones cannot show what the log covers.`;
      this.findings.add({ verdict: "altered", code: "HEARTBEAT_IN_FUTURE", leaf, message });
    }
    const kinds = Object.keys(counts) as EntryKind[];
    if (kinds.some((kind) => counts[kind] !== entry.counts[kind]))
      wrong("counts other entries than there are before it");
    if (last !== undefined && entry.time < last.time) wrong("is earlier than the one before it");
    if (entry.previousSize > leaf) wrong("names a checkpoint of more entries than there are before it");
    else if (last !== undefined && entry.previousSize < last.previousSize)
      wrong("names an older checkpoint than the one before it");
    else if (entry.previousSize > 0) this.compareCheckpoint(leaf, entry);
    this.count += 1;
    this.last = entry;
  }

  private compareCheckpoint(leaf: number, { previousSize, previousCheckpoint }: HeartbeatEntry): void {
    const expected = this.textHashAt(previousSize);
    if (expected === undefined) {
      const message = `${checkpointPath(previousSize)}, which a heartbeat says was published, is not there. Fetch the evidence again.`;
      this.findings.add({ verdict: "incomplete", code: "EVIDENCE_MISSING", leaf, message });
    } else if (expected !== previousCheckpoint) {
      const message = `A heartbeat names another checkpoint of ${previousSize} entries than this log has.`;
      this.findings.add({ verdict: "forked", code: "HEARTBEAT_FORKED", leaf, message });
    }
  }
}

/** How far the log says when its entries were written. */
export interface Coverage {
  /** Of the last heartbeat; empty before the first. */
  readonly until: string;
  /** For each table the last heartbeat before its source was taken: entries before it must be in the source. */
  readonly cuts: ReadonlyMap<LogicalTableName, number>;
}

/**
 * Read from the log's end backwards, because what a verification asks for mostly lies close to it. The heartbeats are
 * believed only once the tree is found to be the signed one, and this reading to be the same as that one's.
 */
export async function coverageOf(run: Run, size: number, sources: readonly RecordSource[]): Promise<Coverage> {
  let until = "";
  const cuts = new Map<LogicalTableName, number>();
  for await (const { index, entries = [] } of bundlesOf(run.evidence, size, downwards(size))) {
    run.checkDeadline();
    for (let at = entries.length - 1; at >= 0; at--) {
      const bytes = entries[at];
      const entry = bytes !== undefined && looksLikeHeartbeat(bytes) ? readEntry(bytes) : undefined;
      if (entry?.kind !== "HEARTBEAT") continue;
      if (until === "") until = entry.time;
      for (const source of sources) {
        if (!cuts.has(source.table) && Date.parse(entry.time) <= timeOf(source))
          cuts.set(source.table, index * TILE_WIDTH + at);
      }
    }
    if (until !== "" && sources.every(({ table }) => cuts.has(table))) break;
  }
  return { until, cuts };
}

/** The same, forwards, as the entries pass by. */
export class CoverageCheck implements Coverage {
  until = "";
  readonly cuts = new Map<LogicalTableName, number>();

  constructor(private readonly sources: readonly RecordSource[]) {}

  take(leaf: number, { time }: HeartbeatEntry): void {
    this.until = time;
    for (const source of this.sources) if (Date.parse(time) <= timeOf(source)) this.cuts.set(source.table, leaf);
  }

  isSameAs(other: Coverage): boolean {
    return (
      this.until === other.until && this.sources.every(({ table }) => this.cuts.get(table) === other.cuts.get(table))
    );
  }
}
