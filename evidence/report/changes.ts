/** What a report keeps of itself for the next one, and what changed between the two. */

import { findingName, VERDICTS, type Verdict, type VerificationReport } from "../verifier/report";

export interface ReportSummary {
  /** RFC 3339. */
  readonly madeAt: string;
  readonly verdict: Verdict;
  readonly origin: string;
  readonly size: number;
  readonly records: number;
  readonly coveredUntil: string;
  readonly keys: readonly string[];
  readonly actors: readonly string[];
  /** One line each. */
  readonly findings: readonly string[];
  /** Signed note; empty when there was none. */
  readonly checkpoint: string;
}

export interface Changes {
  readonly before: ReportSummary;
  readonly entries: number;
  readonly records: number;
  readonly newFindings: readonly string[];
  readonly goneFindings: readonly string[];
  readonly newKeys: readonly string[];
  readonly goneKeys: readonly string[];
  readonly newActors: readonly string[];
}

export function changesSince(before: ReportSummary, now: ReportSummary): Changes {
  return {
    before,
    entries: now.size - before.size,
    records: now.records - before.records,
    newFindings: beyond(now.findings, before.findings),
    goneFindings: beyond(before.findings, now.findings),
    newKeys: beyond(now.keys, before.keys),
    goneKeys: beyond(before.keys, now.keys),
    newActors: beyond(now.actors, before.actors),
  };
}

function beyond(texts: readonly string[], others: readonly string[]): string[] {
  const known = new Set(others);
  return texts.filter((text) => !known.has(text));
}

interface SummaryParts {
  readonly madeAt: string;
  readonly verdict: Verdict;
  readonly verification: VerificationReport;
  readonly keys: readonly string[];
  readonly actors: readonly string[];
  readonly checkpoint: string;
}

export function summaryOf({ verification, ...parts }: SummaryParts): ReportSummary {
  const { origin, size, counts, coveredUntil, findings } = verification;
  const names = findings.map(findingName);
  return { ...parts, origin, size, records: counts.records, coveredUntil, findings: names };
}

const SUMMARY = /<script type="application\/json" id="report-summary">([^<]*)<\/script>/;
const TEXTS = ["madeAt", "origin", "coveredUntil", "checkpoint"] as const;
const LISTS = ["keys", "actors", "findings"] as const;
const COUNTS = ["size", "records"] as const;

/** The summary in a report's page; undefined for a file that holds none. Nothing of it is to be believed unproven. */
export function summaryIn(page: string): ReportSummary | undefined {
  let value: unknown;
  try {
    value = JSON.parse(SUMMARY.exec(page)?.[1] ?? "");
  } catch {
    return undefined;
  }
  const members = (typeof value === "object" && value !== null ? value : {}) as Readonly<Record<string, unknown>>;
  const isSummary =
    TEXTS.every((name) => typeof members[name] === "string") &&
    COUNTS.every((name) => Number.isSafeInteger(members[name])) &&
    LISTS.every((name) => isTexts(members[name])) &&
    (VERDICTS as readonly unknown[]).includes(members["verdict"]);
  return isSummary ? (value as ReportSummary) : undefined;
}

function isTexts(value: unknown): boolean {
  return Array.isArray(value) && value.every((each) => typeof each === "string");
}
