/** What a verification found, for machines (literal codes) and for people. */

import type { ItemJson } from "../log/commitment";

/** The gravest first. `ok` is said only when everything was looked at and nothing was found. */
export const VERDICTS = [
  "wrong-key",
  "bad-signature",
  "forked",
  "altered",
  "missing",
  "forged",
  "out-of-order",
  "repeated",
  "unsealed",
  "stale",
  "incomplete",
  "tail-not-pinned",
  "ok",
] as const;
export type Verdict = (typeof VERDICTS)[number];

/** 2 is left to commands, for a wrong use. */
export const EXIT_CODES: Readonly<Record<Verdict, number>> = {
  ok: 0,
  altered: 10,
  missing: 11,
  forged: 12,
  unsealed: 13,
  repeated: 14,
  "out-of-order": 15,
  forked: 16,
  "bad-signature": 17,
  "wrong-key": 18,
  stale: 19,
  "tail-not-pinned": 20,
  incomplete: 21,
};

export const FINDING_CODES = [
  // The log itself
  "NO_CHECKPOINT",
  "BAD_CHECKPOINT",
  "WRONG_KEY",
  "BAD_SIGNATURE",
  "WRONG_ORIGIN",
  "EVIDENCE_MISSING",
  "EVIDENCE_ALTERED",
  "ROOT_DIFFERS",
  "BAD_ENTRY",
  "CHECKPOINT_UNKNOWN_SIGNER",
  "CHECKPOINT_FORKED",
  "CHECKPOINT_REPLAYED",
  "LOG_WENT_BACK",
  "BAD_LAST_CHECKPOINT",
  "HEARTBEAT_WRONG",
  "HEARTBEAT_FORKED",
  "NO_HEARTBEAT",
  "BAD_COSIGNATURE",
  "WITNESS_MISSING",
  "NOT_PINNED",
  // Records against the log
  "RECORD_ALTERED",
  "ROLLED_BACK",
  "RECORD_MISSING",
  "RECORD_REMOVED",
  "RECORD_CHANGED",
  "RECORD_FORGED",
  "RECORD_UNSEALED",
  "VERSION_UNSEALED",
  "WRONG_VERSION",
  "REPEATED_RECORD",
  "REPEATED_ENTRY",
  "CONTRADICTING_ENTRIES",
  "OUT_OF_ORDER",
  "SEQUENCE_BACK",
  // Rows and their WRITE records
  "ROW_MISSING",
  "WRITE_RECORD_MISSING",
  // What was looked at
  "BAD_RECORD",
  "SOURCE_DAMAGED",
  "SOURCE_MISSING",
  "SUBSET",
  "SOURCE_CONTRADICTS",
  "SOURCE_PROBLEM",
  "SOURCE_NEWER_THAN_LOG",
  "SOURCE_OLDER_THAN_LOG",
  "SOURCE_NEWER_THAN_SAID",
  "TOO_MANY_DIFFERENCES",
  "EVIDENCE_CHANGED",
  "OUT_OF_TIME",
] as const;
export type FindingCode = (typeof FINDING_CODES)[number];

export interface Finding {
  readonly verdict: Exclude<Verdict, "ok">;
  readonly code: FindingCode;
  readonly message: string;
  readonly table?: string;
  /** As the table has it: partition key, then sort key where there is one. */
  readonly key?: readonly string[];
  readonly version?: string;
  /** Number of the log's entry, from 0. */
  readonly leaf?: number;
  /** Of an unsealed record: what a sweep needs to seal it. */
  readonly item?: ItemJson;
  /** `commitmentOf` the record in the key's last entry; empty when there is none or it says that it was removed. */
  readonly lastCommitment?: string;
  /** When the ledger recorded it, as the record says. */
  readonly recordedAt?: string;
}

export interface VerificationReport {
  readonly verdict: Verdict;
  /** Every verdict that a finding has, the gravest first. */
  readonly verdicts: readonly Verdict[];
  readonly findings: readonly Finding[];
  /** Findings beyond those listed. */
  readonly further: Readonly<Record<Verdict, number>>;
  /** What a reader must know and what is no fault. */
  readonly notes: readonly string[];
  readonly origin: string;
  readonly size: number;
  /** Base64; empty when no checkpoint could be read. */
  readonly root: string;
  /** Names and ids of the pinned keys whose signature on the checkpoint is good. */
  readonly checkpointSigners: readonly string[];
  readonly pinnedBy: "last-checkpoint" | "witness" | null;
  readonly sources: readonly SourceSummary[];
  readonly counts: ReportCounts;
  /** Time of the log's last heartbeat; empty when it has none. */
  readonly coveredUntil: string;
}

export interface SourceSummary {
  readonly table: string;
  readonly name: string;
  readonly takenAt: string;
  readonly records: number;
  /** Entries before this one had to be in the source. */
  readonly sealedBefore: number;
}

export interface ReportCounts {
  /** Records as they stand at the end of the sources. Exports that overlap count twice what they tell twice. */
  readonly records: number;
  readonly leaves: number;
  /** Entries that say again, word for word, what an earlier one says. Harmless. */
  readonly repeatedEntries: number;
  /** Rows that stand with their WRITE record. */
  readonly pairs: number;
  readonly heartbeats: number;
  readonly checkpoints: number;
}

/** Of each verdict; a table that lost a file would fill the report otherwise. */
export const NAMED_MAX = 100;

/** Collects findings in bounded memory. */
export class Findings {
  readonly list: Finding[] = [];
  readonly notes: string[] = [];
  private readonly counts = new Map<Verdict, number>();

  constructor(private readonly namedMax = NAMED_MAX) {}

  add(finding: Finding): void {
    const count = (this.counts.get(finding.verdict) ?? 0) + 1;
    this.counts.set(finding.verdict, count);
    if (count <= this.namedMax) this.list.push(finding);
  }

  /** An empty collection with the same limit. */
  another(): Findings {
    return new Findings(this.namedMax);
  }

  addAll(other: Findings): void {
    for (const finding of other.list) this.add(finding);
    for (const [verdict, count] of other.counts) {
      const listed = Math.min(count, this.namedMax);
      this.counts.set(verdict, (this.counts.get(verdict) ?? 0) + count - listed);
    }
    for (const text of other.notes) this.note(text);
  }

  note(text: string): void {
    if (this.notes.length < this.namedMax) this.notes.push(text);
  }

  /** Whether one more finding of this verdict would be listed. */
  hasRoom(verdict: Verdict): boolean {
    return (this.counts.get(verdict) ?? 0) < this.namedMax;
  }

  get further(): Record<Verdict, number> {
    const beyond = (verdict: Verdict) => Math.max(0, (this.counts.get(verdict) ?? 0) - this.namedMax);
    return Object.fromEntries(VERDICTS.map((verdict) => [verdict, beyond(verdict)])) as Record<Verdict, number>;
  }

  get verdicts(): Verdict[] {
    const found = VERDICTS.filter((verdict) => this.counts.has(verdict));
    return found.length === 0 ? ["ok"] : found;
  }
}

export function reportText(report: VerificationReport): string {
  const { verdict, verdicts, origin, size, root, checkpointSigners, pinnedBy, coveredUntil, counts, sources } = report;
  const others = verdicts.slice(1);
  return [
    `${verdict.toUpperCase()}${others.length === 0 ? "" : ` (also ${others.join(", ")})`}`,
    `  log ${origin || "unknown"}: ${size} entries${root === "" ? "" : `, root ${root}`}`,
    `  signed by ${checkpointSigners.join(", ") || "no pinned key"}; ${pinText(pinnedBy)}; last heartbeat ${coveredUntil || "never"}`,
    ...sources.map(sourceText),
    `  ${counts.records} records, ${counts.leaves} entries (${counts.repeatedEntries} repeated), ${counts.pairs} pairs, ${counts.heartbeats} heartbeats, ${counts.checkpoints} earlier checkpoints`,
    ...report.findings.map(findingText),
    ...VERDICTS.filter((each) => report.further[each] > 0).map((each) => `  ${each}: ${report.further[each]} more`),
    ...report.notes.map((note) => `  note: ${note}`),
  ].join("\n");
}

function pinText(pinnedBy: VerificationReport["pinnedBy"]): string {
  if (pinnedBy === null) return "its end is pinned by nobody";
  return pinnedBy === "witness" ? "a witness has seen it" : "it continues the last checkpoint";
}

function sourceText({ table, name, takenAt, records, sealedBefore }: SourceSummary): string {
  return `  ${table}: ${records} records at ${takenAt}, held against the ${sealedBefore} entries before it (${name})`;
}

function findingText({ verdict, code, message, table, key, version, leaf }: Finding): string {
  const place = [
    table,
    key?.join(" "),
    version === undefined ? undefined : `version ${version}`,
    leaf === undefined ? undefined : `entry ${leaf}`,
  ];
  const named = place.filter(Boolean).join(" ");
  return `  ${verdict} ${code}${named === "" ? "" : ` ${named}`}: ${message}`;
}
