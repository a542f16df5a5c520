/** Compares records with the sealed log, and checks the log with its checkpoint and its keys: offline, in bounded memory. */

import { randomBytes } from "node:crypto";
import type { LogicalTableName } from "../../contract";
import type { PieceWork } from "../../ledger/pieces/plan";
import { KeyedHash } from "../../ledger/rules/tally";
import type { Checkpoint } from "../log/checkpoint";
import { parseVerifierKey } from "../log/note";
import { DiscrepancySearch } from "./discrepancy-search";
import { type EvidenceFolder, withFindings } from "./evidence";
import { Findings, NAMED_MAX } from "./findings";
import { AGE_MAX_MS, reportAge, reportCompared, reportCoverage, reportTablesGiven } from "./freshness";
import { named, type SignedCheckpoint, signedHead } from "./head";
import { type Coverage, coverageOf } from "./heartbeats";
import { type KnownFinding, KnownFindings } from "./known-findings";
import { checkLeftovers } from "./leftovers";
import { Lives } from "./lives";
import { BLOCK_HEIGHT } from "./log-block";
import { LogWalk } from "./log-walk";
import { OwnReadings } from "./own-readings";
import { checkPacksFollow } from "./packs";
import { PairTally } from "./pairs";
import type { Threads } from "./parallel-reading";
import { PiecedReadings } from "./pieces";
import { judgePins, type LastCheckpoint, type Pin } from "./pins";
import { lastSeen, PublishedCheckpoints } from "./published";
import { readRecords } from "./read-records";
import type { Readings } from "./readings";
import { RecordTally } from "./record-tally";
import type { Finding, ReportCounts, SourceSummary, VerificationReport } from "./report";
import { OutOfTime, type Run } from "./run";
import { type RecordSource, SourceError, timeOf } from "./sources";

export interface VerifyOptions {
  readonly evidence: EvidenceFolder;
  /** At most one a table. */
  readonly sources: readonly RecordSource[];
  /** Verifier keys of the log, pinned: handed over apart from the evidence. */
  readonly keys: readonly string[];
  /** Keys that the log had before; they vouch for earlier checkpoints only. */
  readonly retiredKeys?: readonly string[];
  readonly witnessKeys?: readonly string[];
  /** Text of a signed checkpoint that was seen before. */
  readonly lastCheckpoint?: string;
  /** The only tables that were asked for. Never ends in `ok`. */
  readonly only?: readonly LogicalTableName[];
  /** What was found wrong with the sources before. */
  readonly problems?: readonly string[];
  /** The auditor's clock. Default: this machine's. */
  readonly now?: Date;
  /** A moment in the past whose state is of interest. Default: now. */
  readonly asOf?: Date;
  /** How much older than that moment a source may be. Default: 48 hours. */
  readonly sourceAgeMaxMs?: number;
  /** Findings that were settled before. */
  readonly known?: readonly KnownFinding[];
  /** Called with every finding as it is found, those too that the report only counts; with the reason where it is known. */
  readonly onFinding?: (finding: Finding, reason?: string) => void;
  /** Records this young when the source was taken may not be sealed yet, while the log ends there. Default: 15 minutes; 0 for exports. */
  readonly settleMs?: number;
  /** Findings of each code that are listed, with their items; the rest is counted. */
  readonly namedMax?: number;
  /** How many entries and records are held at once where they differ. Default: 200,000. */
  readonly heldMax?: number;
  /** False: partial tiles of earlier checkpoints are not looked at. A log has one for each checkpoint that it published. */
  readonly leftovers?: boolean;
  /** Published checkpoints of smaller trees than this are not read: an earlier verification has read them, and they never change. */
  readonly publishedFrom?: number;
  /** Threads that read the log and the exports. The report is the same for any number. Default: one. */
  readonly threads?: Threads;
  /** Results of pieces, in place of readings. Default: everything is read here. */
  readonly pieces?: PieceWork;
  /** Height of the trees of the blocks in which the log is read, a multiple of 8. The report is the same for any. Default: 16. */
  readonly blockHeight?: number;
  /** True when the verification must come to its end; what it has not looked at is then said. */
  readonly outOfTime?: () => boolean;
  readonly onProgress?: (done: number, total: number, what: string) => void;
}

const SETTLE_MS = 15 * 60 * 1000;
const HELD_MAX = 200_000;

/**
 * @throws NoteError if a key is malformed; SourceError if a source is inconsistent.
 * @throws PiecesLeft for a verification in pieces of which some are still to be read.
 */
export async function verifyLog(options: VerifyOptions): Promise<VerificationReport> {
  const known = new KnownFindings(options.known ?? []);
  const findings = new Findings({
    namedMax: options.namedMax ?? NAMED_MAX,
    acknowledge: (finding) => known.reasonFor(finding),
    ...(options.onFinding === undefined ? {} : { onFinding: options.onFinding }),
  });
  const now = options.pieces === undefined ? (options.now ?? new Date()) : new Date(options.pieces.plan.now);
  const run: Run = {
    evidence: withFindings(options.evidence, findings),
    keys: options.keys.map(parseVerifierKey),
    retiredKeys: (options.retiredKeys ?? []).map(parseVerifierKey),
    clock: { now, asOf: options.asOf ?? now, sourceAgeMaxMs: options.sourceAgeMaxMs ?? AGE_MAX_MS },
    witnesses: (options.witnessKeys ?? []).map(parseVerifierKey),
    findings,
    checkDeadline: () => {
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
  } finally {
    verification.stopReadings();
  }
  for (const { leaf, code } of verification.knowsEntries ? known.withoutMatch : []) {
    const message = `The known finding ${code} of entry ${leaf} is not of this log, or its entry has another hash. Correct the file of known findings.`;
    findings.add({ verdict: "incomplete", code: "KNOWN_UNMATCHED", leaf, message });
  }
  return verification.report();
}

function checkOptions({ sources }: VerifyOptions): void {
  for (const source of sources) timeOf(source);
  if (new Set(sources.map(({ table }) => table)).size === sources.length) return;
  throw new SourceError("SOURCE_DAMAGED", "Two sources are of one table. Give one source for each table.");
}

class Verification {
  /** Drawn for this verification, so that nobody can prepare records with the same sums. */
  private readonly runKey: Buffer;
  private readings: Readings | undefined;
  private readonly keyed: KeyedHash;
  private readonly tally: RecordTally;
  private readonly pairs: PairTally;
  private readonly lives: Lives;
  private head: SignedCheckpoint | undefined;
  private coverage: Coverage = { until: "", cuts: new Map() };
  private walk: LogWalk | undefined;
  private publishedCount = 0;
  private pin: Pin = { pinnedBy: null, pinnedSize: 0 };
  private readonly recordsOf = new Map<string, number>();
  private repeatedEntries = 0;

  constructor(
    private readonly options: VerifyOptions,
    private readonly run: Run,
  ) {
    const { pieces } = options;
    this.runKey = pieces === undefined ? randomBytes(32) : Buffer.from(pieces.plan.runKey, "base64");
    this.keyed = new KeyedHash(this.runKey);
    this.tally = new RecordTally(this.keyed);
    this.pairs = new PairTally(this.keyed);
    this.lives = new Lives(this.heldMax);
  }

  /** Whether the entries were read, and are those that the checkpoint signs. */
  get knowsEntries(): boolean {
    return this.walk?.isSigned === true;
  }

  /** What is checked, in this order. `docs/verification.md`, "What is checked", says the same in words. */
  async verify(): Promise<void> {
    const { run, options } = this;
    reportTablesGiven(run.findings, options);
    const head = await signedHead(run);
    this.head = head;
    if (head === undefined) {
      run.findings.note("Nothing else was looked at: without a checkpoint that may be believed the log says nothing.");
      return;
    }
    const { checkpoint, signers } = head;
    const last = lastSeen(options.lastCheckpoint, checkpoint, run);
    const published = await PublishedCheckpoints.of(run, checkpoint, last, options.publishedFrom);
    this.coverage = await coverageOf(run, checkpoint.size, options.sources);
    const readings = this.startReadings();
    const walk = await this.checkEntries(checkpoint, published, readings);
    await published.finish(signers);
    await this.checkPins(checkpoint, published, walk);
    reportAge(run.findings, options.sources, this.coverage.until, run.clock);
    await this.checkPartialTiles(checkpoint, walk);
    await checkPacksFollow(run, checkpoint.size);
    if (!walk.isSigned) {
      run.findings.note("The records were not held against the log, because its entries are not known for sure.");
      return;
    }
    reportCoverage(run.findings, options.sources, this.coverage);
    reportCompared(run.findings, options.sources, walk.entriesOf);
    await this.readRecords(readings);
    const settling = await this.compareRecords(checkpoint, readings);
    await this.pairs.compare(options.sources, { settleMs: this.settleMs, heldMax: this.heldMax }, readings, run);
    await this.lives.check(options.sources, this.recordsOf, this.settleMs, readings, run);
    this.noteUnsettled(settling, walk);
  }

  private startReadings(): Readings {
    const { run, keyed, runKey, options } = this;
    const { sources, threads = { count: 1 }, pieces } = options;
    this.readings =
      pieces === undefined ? new OwnReadings(run, keyed, sources, runKey, threads) : new PiecedReadings(pieces);
    return this.readings;
  }

  stopReadings(): void {
    this.readings?.stop();
  }

  private get blockHeight(): number {
    return this.options.blockHeight ?? BLOCK_HEIGHT;
  }

  private get settleMs(): number {
    return this.options.settleMs ?? SETTLE_MS;
  }

  private get heldMax(): number {
    return this.options.heldMax ?? HELD_MAX;
  }

  private async checkEntries(
    checkpoint: Checkpoint,
    published: PublishedCheckpoints,
    readings: Readings,
  ): Promise<LogWalk> {
    const { run, tally, coverage, options } = this;
    const walk = new LogWalk(run, checkpoint, published, coverage, options.sources);
    this.walk = walk;
    try {
      await walk.walk(readings, this.blockHeight, tally);
    } finally {
      this.publishedCount = published.count;
    }
    return walk;
  }

  private async checkPins(checkpoint: Checkpoint, published: PublishedCheckpoints, walk: LogWalk): Promise<void> {
    const last: LastCheckpoint = {
      wasGiven: this.options.lastCheckpoint !== undefined,
      isContinued: published.continuesLast && walk.isSigned,
      size: published.lastSize,
      time: walk.pinnedTime,
    };
    this.pin = await judgePins(checkpoint, last, published.cosignedSize, this.run);
  }

  private async checkPartialTiles(checkpoint: Checkpoint, walk: LogWalk): Promise<void> {
    if (this.options.leftovers === false) {
      this.run.findings.note("Partial tiles of earlier checkpoints were not looked at.");
    } else if (walk.isSigned) await checkLeftovers(this.run, checkpoint, walk.faulty);
  }

  /** Sums up every record of every source. */
  private async readRecords(readings: Readings): Promise<void> {
    const { run, options, tally, pairs, settleMs } = this;
    const counts = await readRecords(options.sources, { run, tally, pairs, settleMs }, readings.shared);
    for (const [table, records] of counts) this.recordsOf.set(table, records);
  }

  /** Names each record whose sums differ from those of the log. @returns how many are too young to be sealed. */
  private async compareRecords(checkpoint: Checkpoint, readings: Readings): Promise<number> {
    const { run, tally, coverage, settleMs, heldMax, blockHeight } = this;
    const { sources, namedMax = NAMED_MAX } = this.options;
    const options = {
      run,
      readings,
      size: checkpoint.size,
      blockHeight,
      sources,
      coverage,
      settleMs,
      namedMax,
      heldMax,
    };
    const search = new DiscrepancySearch(options, tally);
    await search.run();
    this.repeatedEntries = search.repeatedEntries;
    return search.settling;
  }

  private noteUnsettled(settling: number, { counts }: LogWalk): void {
    const { findings } = this.run;
    const { unsettled } = this.pairs;
    if (settling > 0)
      findings.note(`${settling} records were written just before their source was taken and are not sealed yet.`);
    if (unsettled > 0)
      findings.note(`${unsettled} records were written while the sources were taken, and have no counterpart.`);
    if (counts.LATE > 0)
      findings.note(
        `${counts.LATE} entries were sealed late: a stream had missed their records, and a sweep found them.`,
      );
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
      acknowledged: findings.acknowledged,
      acknowledgedCount: findings.acknowledgedCount,
      notes: findings.notes,
      asOf: this.run.clock.asOf.toISOString(),
      origin: checkpoint?.origin ?? "",
      size: checkpoint?.size ?? 0,
      root: checkpoint?.root.toString("base64") ?? "",
      checkpointSigners: (signers ?? []).map((key) => named([key])),
      ...this.pin,
      sources: this.options.sources.map((source) => this.summaryOf(source)),
      counts: this.counts(),
      coveredUntil: this.coverage.until,
    };
  }

  private summaryOf({ table, name, takenAt }: RecordSource): SourceSummary {
    const { all, compared } = this.walk?.entriesOf.get(table) ?? { all: 0, compared: 0 };
    return { table, name, takenAt, records: this.recordsOf.get(table) ?? 0, entries: all, compared };
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
      lives: this.lives.count,
      openHolds: this.lives.openHolds,
      oldHolds: this.lives.oldHolds,
      openBreaches: this.lives.openBreaches,
      heartbeats: counts?.HEARTBEAT ?? 0,
      checkpoints: this.publishedCount,
    };
  }
}
