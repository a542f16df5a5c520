/** What a verification found, for machines (literal codes) and for people. */

import type { ItemJson } from "../../ledger/rules/attribute-value";
import { LIFE_FAULTS } from "../../ledger/rules/life-check";
import type { RecordKind } from "../log/entry";

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

/** The graver of the two. */
export function graverOf(one: Verdict, other: Verdict): Verdict {
  return VERDICTS.indexOf(one) < VERDICTS.indexOf(other) ? one : other;
}

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
  "HEARTBEAT_IN_FUTURE",
  "HEARTBEAT_FORKED",
  "NO_HEARTBEAT",
  "BAD_COSIGNATURE",
  "WITNESS_MISSING",
  "NOT_PINNED",
  "LAST_CHECKPOINT_IS_HEAD",
  "LAST_CHECKPOINT_OLD",
  "RETIRED_KEY",
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
  // The events of a payment against each other
  ...LIFE_FAULTS,
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
  "SOURCE_OLD",
  "EVIDENCE_OLD",
  "SOURCES_APART",
  "NOTHING_COMPARED",
  "KNOWN_UNMATCHED",
  "TOO_MANY_DIFFERENCES",
  "EVIDENCE_CHANGED",
  "OUT_OF_TIME",
  "SWEEP_FORGOTTEN",
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
  /** RFC 6962 hash of that entry, in base64. Present on findings that a file of known findings can acknowledge. */
  readonly leafHash?: string;
  /** How the log calls the record: as the ledger wrote it, if it ever did. */
  readonly sealedAs?: RecordKind;
  /** Of an unsealed record: what a sweep needs to seal it. */
  readonly item?: ItemJson;
  /** `commitmentOf` the record in the key's last entry; empty when the key has no entry, or when its last entry says that the record was removed. */
  readonly lastCommitment?: string;
  /** When the ledger recorded it, as the record says. */
  readonly recordedAt?: string;
}

/** A finding that a file of known findings acknowledges. It is reported, and decides no verdict. */
export interface AcknowledgedFinding extends Finding {
  readonly reason: string;
}

export interface VerificationReport {
  readonly verdict: Verdict;
  /** Every verdict that a finding has, the gravest first. */
  readonly verdicts: readonly Verdict[];
  /** The weightiest first, by `weightOf` of `findings.ts`; of equal weight the newest entries first. */
  readonly findings: readonly Finding[];
  /** Findings beyond those listed. */
  readonly further: Readonly<Record<Verdict, number>>;
  readonly acknowledged: readonly AcknowledgedFinding[];
  /** Acknowledged findings, with those beyond the listed ones. */
  readonly acknowledgedCount: number;
  /** What a reader must know and what is no fault. */
  readonly notes: readonly string[];
  /** The moment against which the age of sources and evidence was judged: the auditor's clock, or the moment that he stated. */
  readonly asOf: string;
  readonly origin: string;
  readonly size: number;
  /** Base64; empty when no checkpoint could be read. */
  readonly root: string;
  /** Names and ids of the pinned keys whose signature on the checkpoint is good. */
  readonly checkpointSigners: readonly string[];
  /** Who outside the log vouches for its first `pinnedSize` entries. Nobody vouches for the entries after these. */
  readonly pinnedBy: "last-checkpoint" | "witness" | null;
  readonly pinnedSize: number;
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
  /** Entries that the log has about this table. */
  readonly entries: number;
  /** Those of them that were sealed before the source was taken, so that the source must agree with them. */
  readonly compared: number;
}

export interface ReportCounts {
  /** Records as they are at the end of the sources. Exports that overlap count a record twice. */
  readonly records: number;
  readonly leaves: number;
  /** Entries that say again, word for word, what an earlier one says. Harmless. */
  readonly repeatedEntries: number;
  /** Rows that exist with their WRITE record. */
  readonly pairs: number;
  /** Payments with events whose events follow from each other. */
  readonly lives: number;
  /** Holds for refunds that nothing settled, and those of them that are older than a week when the source was taken. */
  readonly openHolds: number;
  readonly oldHolds: number;
  /** Facts that broke a rule which their payment still shows broken. */
  readonly openBreaches: number;
  readonly heartbeats: number;
  readonly checkpoints: number;
}

export function verificationText(report: VerificationReport): string {
  const { verdict, verdicts, origin, size, root, checkpointSigners, coveredUntil, counts, sources, asOf } = report;
  const others = verdicts.slice(1);
  return [
    `${verdict.toUpperCase()}${others.length === 0 ? "" : ` (also ${others.join(", ")})`}, as of ${asOf}`,
    `  log ${origin || "unknown"}: ${size} entries${root === "" ? "" : `, root ${root}`}`,
    `  signed by ${checkpointSigners.join(", ") || "no pinned key"}; last heartbeat ${coveredUntil || "never"}`,
    `  ${pinText(report)}`,
    ...sources.map(sourceText),
    `  ${counts.records} records, ${counts.leaves} entries (${counts.repeatedEntries} repeated), ${counts.pairs} pairs,${counts.lives === 0 ? "" : ` ${counts.lives} lives,`} ${counts.heartbeats} heartbeats, ${counts.checkpoints} earlier checkpoints`,
    ...report.findings.map((finding) => `  ${findingText(finding)}`),
    ...VERDICTS.filter((each) => report.further[each] > 0).map(
      (each) => `  ${each}: ${report.further[each]} more; --all names every one`,
    ),
    ...report.acknowledged.map((finding) => `  acknowledged (${finding.reason}) ${findingText(finding)}`),
    ...(report.acknowledgedCount > report.acknowledged.length
      ? [`  acknowledged: ${report.acknowledgedCount - report.acknowledged.length} more`]
      : []),
    ...report.notes.map((note) => `  note: ${note}`),
  ].join("\n");
}

function pinText({ pinnedBy, pinnedSize, size }: VerificationReport): string {
  if (pinnedBy === null) return "nobody outside the log vouches for its entries";
  const by = pinnedBy === "witness" ? "a witness" : "the last checkpoint";
  const rest = pinnedSize < size ? `, and nobody for the ${size - pinnedSize} from entry ${pinnedSize} on` : "";
  return `${by} vouches for the first ${pinnedSize} entries${rest}`;
}

function sourceText({ table, name, takenAt, records, entries, compared }: SourceSummary): string {
  return `  ${table}: ${records} records at ${takenAt}; ${compared} of ${entries} entries compared (${name})`;
}

/** One line. */
export function findingText(finding: Finding): string {
  return `${finding.verdict} ${findingName(finding)}: ${finding.message}`;
}

/** Code and place of a finding, by which the next report recognises it. */
export function findingName({ code, table, key, version, leaf }: Finding): string {
  const place = [table, key?.join(" "), version && `version ${version}`, leaf !== undefined && `entry ${leaf}`];
  return [code, ...place].filter(Boolean).join(" ");
}
