/** Holds records against the log of proofs, and the log against its checkpoint and its keys: offline, in bounded memory. */

import { randomBytes } from "node:crypto";
import { type LogicalTableName, TABLES } from "../contract";
import type { Checkpoint } from "./checkpoint";
import { CloserLook } from "./closer-look";
import type { EvidenceFolder } from "./evidence";
import { isWitnessed, named, type SignedCheckpoint, signedHead } from "./head";
import { type Coverage, coverageOf } from "./heartbeats";
import { LaterRecords } from "./later-records";
import { checkLeftovers } from "./leftovers";
import { LogWalk } from "./log-walk";
import { parseVerifierKey } from "./note";
import { PairTally } from "./pairs";
import { lastSeen, PublishedCheckpoints } from "./published";
import { readSource } from "./record-pass";
import { RecordTally } from "./record-tally";
import { Findings, NAMED_MAX, type ReportCounts, type SourceSummary, type VerificationReport } from "./report";
import { OutOfTime, type Run } from "./run";
import { type RecordSource, SourceError, timeOf } from "./sources";
import { KeyedHash } from "./tally";

export interface VerifyOptions {
  readonly evidence: EvidenceFolder;
  /** At most one a table. */
  readonly sources: readonly RecordSource[];
  /** Verifier keys of the log, pinned: handed over apart from the evidence. */
  readonly keys: readonly string[];
  readonly witnessKeys?: readonly string[];
  /** Text of a signed checkpoint that was seen before. */
  readonly lastCheckpoint?: string;
  /** The only tables that were asked for. Never ends in `ok`. */
  readonly only?: readonly LogicalTableName[];
  /** What was found wrong with the sources before. */
  readonly problems?: readonly string[];
  /** Records this young when the source was taken may not be sealed yet, while the log ends there. Default: 15 minutes; 0 for exports. */
  readonly settleMs?: number;
  /** Findings of each verdict that are listed, with their items; the rest is counted. */
  readonly namedMax?: number;
  /** How many entries and records are held at once where they differ. Default: 200,000. */
  readonly heldMax?: number;
  /** False: partial tiles of earlier checkpoints are not looked at. A log has one for each checkpoint that it published. */
  readonly leftovers?: boolean;
  /** Published checkpoints of smaller trees than this are not read: an earlier verification has read them, and they never change. */
  readonly publishedFrom?: number;
  /** True when the verification must come to its end; what it has not looked at is then said. */
  readonly outOfTime?: () => boolean;
  readonly onProgress?: (done: number, total: number, what: string) => void;
}

const SETTLE_MS = 15 * 60 * 1000;
const HELD_MAX = 200_000;

/** @throws NoteError for a key that is none, SourceError for sources that cannot be what they say. */
export async function verifyLog(options: VerifyOptions): Promise<VerificationReport> {
  const findings = new Findings(options.namedMax ?? NAMED_MAX);
  const run: Run = {
    evidence: options.evidence,
    keys: options.keys.map(parseVerifierKey),
    witnesses: (options.witnessKeys ?? []).map(parseVerifierKey),
    findings,
    goOn: () => {
      if (options.outOfTime?.() === true) throw new OutOfTime();
    },
    progress: options.onProgress ?? (() => {}),
  };
  checkOptions(options);
  const verification = new Verification(options, run);
  try {
    await verification.verify();
  } catch (error) {
    if (!(error instanceof OutOfTime)) throw error;
    const message = "The time was up before everything was looked at. Verify from a machine, which has more.";
    findings.add({ verdict: "incomplete", code: "OUT_OF_TIME", message });
  }
  return verification.report();
}

function checkOptions({ sources }: VerifyOptions): void {
  for (const source of sources) timeOf(source);
  if (new Set(sources.map(({ table }) => table)).size === sources.length) return;
  throw new SourceError("SOURCE_DAMAGED", "Two sources are of one table. Give one source for each table.");
}

class Verification {
  private readonly tally: RecordTally;
  private readonly pairs: PairTally;
  private head: SignedCheckpoint | undefined;
  private coverage: Coverage = { until: "", cuts: new Map() };
  private walk: LogWalk | undefined;
  private published: PublishedCheckpoints | undefined;
  private pinnedBy: VerificationReport["pinnedBy"] = null;
  private readonly recordsOf = new Map<string, number>();
  private repeatedEntries = 0;

  constructor(
    private readonly options: VerifyOptions,
    private readonly run: Run,
  ) {
    const keyed = new KeyedHash(randomBytes(32));
    this.tally = new RecordTally(keyed);
    this.pairs = new PairTally(keyed);
  }

  async verify(): Promise<void> {
    const { run, options } = this;
    this.reportProblems();
    this.head = await signedHead(run);
    if (this.head === undefined) {
      run.findings.note("Nothing else was looked at: without a checkpoint that may be believed the log says nothing.");
      return;
    }
    const { checkpoint } = this.head;
    const last = lastSeen(options.lastCheckpoint, checkpoint, run)?.checkpoint;
    this.published = await PublishedCheckpoints.of(run, checkpoint, last, options.publishedFrom);
    this.coverage = await coverageOf(run, checkpoint.size, options.sources);
    const walk = new LogWalk(run, checkpoint, this.published, this.tally, this.coverage, options.sources);
    this.walk = walk;
    await walk.walk();
    await this.published.finish();
    await this.pin(checkpoint);
    if (options.leftovers === false) run.findings.note("Partial tiles of earlier checkpoints were not looked at.");
    else if (walk.isSigned) await checkLeftovers(run, checkpoint, walk.faulty);
    if (walk.isSigned) await this.compareRecords(checkpoint);
    else run.findings.note("The records were not held against the log, because its entries are not known for sure.");
  }

  private reportProblems(): void {
    const { findings } = this.run;
    for (const message of this.options.problems ?? [])
      findings.add({ verdict: "incomplete", code: "SOURCE_PROBLEM", message });
    const { only, sources } = this.options;
    if (only !== undefined) {
      const message = `Only ${only.join(", ")} was asked for.`;
      findings.add({ verdict: "incomplete", code: "SUBSET", message });
    }
    for (const table of only ?? Object.values(TABLES).map(({ logicalName }) => logicalName)) {
      if (sources.some((source) => source.table === table)) continue;
      findings.add({
        verdict: "incomplete",
        code: "SOURCE_MISSING",
        table,
        message: "No records of this table were given.",
      });
    }
  }

  private async pin(checkpoint: Checkpoint): Promise<void> {
    const { findings, witnesses } = this.run;
    if (await isWitnessed(checkpoint, this.run)) this.pinnedBy = "witness";
    if (this.published?.continuesLast === true && this.walk?.isSigned === true) this.pinnedBy = "last-checkpoint";
    if (this.pinnedBy !== null || witnesses.length > 0) return;
    const message =
      this.options.lastCheckpoint === undefined
        ? "Nobody outside the log vouches for its end: later entries may have been cut off. Give the last checkpoint that you saw, or a witness's key."
        : "The last checkpoint that was seen does not vouch for the log's end, for the reasons that are given.";
    findings.add({ verdict: "tail-not-pinned", code: "NOT_PINNED", message });
  }

  private async compareRecords(checkpoint: Checkpoint): Promise<void> {
    const { run, options, tally, pairs, coverage } = this;
    const { settleMs = SETTLE_MS } = options;
    this.reportCoverage();
    for (const source of options.sources) {
      let records = 0;
      const later = new LaterRecords(source, settleMs);
      const take = { reportFaults: true, what: "records" };
      await readSource(source, run, take, ({ now, before }) => {
        if (now !== undefined) {
          tally.addItem(source.table, now, 1);
          pairs.add(source.table, now, 1);
          later.take(now);
          records += 1;
        }
        if (before !== undefined) {
          tally.addItem(source.table, before, -1);
          pairs.add(source.table, before, -1);
          records -= 1;
        }
      });
      this.recordsOf.set(source.table, records);
      later.report(run.findings);
    }
    const { sources, namedMax = NAMED_MAX, heldMax = HELD_MAX } = options;
    const look = { run, size: checkpoint.size, sources, coverage, settleMs, namedMax, heldMax };
    const closer = new CloserLook(look, tally);
    await closer.take();
    this.repeatedEntries = closer.repeatedEntries;
    await pairs.compare(sources, { settleMs, heldMax }, run);
    this.noteYoung(closer.settling, pairs.young);
  }

  /** Whether the log goes as far as the sources, and began before them. */
  private reportCoverage(): void {
    const { findings } = this.run;
    const { until, cuts } = this.coverage;
    if (until === "") {
      findings.add({
        verdict: "stale",
        code: "NO_HEARTBEAT",
        message: "The log has no heartbeat, so it does not say what it covers.",
      });
      return;
    }
    for (const source of this.options.sources) {
      const { table, takenAt } = source;
      if (Date.parse(until) < timeOf(source)) {
        const message = `It was taken at ${takenAt}, and the log's last heartbeat is of ${until}. Fetch the evidence again.`;
        findings.add({ verdict: "stale", code: "SOURCE_NEWER_THAN_LOG", table, message });
      } else if (!cuts.has(table)) {
        const message = `It was taken at ${takenAt}, before the log's first heartbeat, so the log cannot say what it must hold.`;
        findings.add({ verdict: "incomplete", code: "SOURCE_OLDER_THAN_LOG", table, message });
      }
    }
  }

  private noteYoung(settling: number, young: number): void {
    const { findings } = this.run;
    if (settling > 0)
      findings.note(`${settling} records were written just before their source was taken and are not sealed yet.`);
    if (young > 0)
      findings.note(`${young} records were written while the sources were taken, and stand without their pair.`);
    const late = this.walk?.counts.LATE ?? 0;
    if (late > 0)
      findings.note(`${late} entries were sealed late: a stream had missed their records, and a sweep found them.`);
  }

  report(): VerificationReport {
    const { findings } = this.run;
    const { checkpoint, signers } = this.head ?? {};
    const verdicts = findings.verdicts;
    return {
      verdict: verdicts[0] ?? "ok",
      verdicts,
      findings: findings.list,
      further: findings.further,
      notes: findings.notes,
      origin: checkpoint?.origin ?? "",
      size: checkpoint?.size ?? 0,
      root: checkpoint?.root.toString("base64") ?? "",
      checkpointSigners: (signers ?? []).map((key) => named([key])),
      pinnedBy: this.pinnedBy,
      sources: this.options.sources.map((source) => this.summaryOf(source)),
      counts: this.counts(),
      coveredUntil: this.coverage.until,
    };
  }

  private summaryOf({ table, name, takenAt }: RecordSource): SourceSummary {
    const sealedBefore = this.coverage.cuts.get(table) ?? 0;
    return { table, name, takenAt, records: this.recordsOf.get(table) ?? 0, sealedBefore };
  }

  private counts(): ReportCounts {
    const records = [...this.recordsOf.values()].reduce((sum, each) => sum + each, 0);
    const counts = this.walk?.counts;
    const leaves = counts === undefined ? 0 : Object.values(counts).reduce((sum, each) => sum + each, 0);
    return {
      records,
      leaves,
      repeatedEntries: this.repeatedEntries,
      pairs: this.pairs.count,
      heartbeats: counts?.HEARTBEAT ?? 0,
      checkpoints: this.published?.count ?? 0,
    };
  }
}
