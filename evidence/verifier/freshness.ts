/**
 * Whether sources and evidence are of the moment that is of interest, and whether the log was compared with all of them.
 * The party under audit chooses what it hands over: an old export, or one that says it was taken before the log
 * began, would agree with any log.
 */

import { type LogicalTableName, TABLES } from "../../contract";
import type { Digest } from "./digest";
import type { Findings } from "./findings";
import type { Coverage } from "./heartbeats";
import type { EntryCount } from "./log-block";
import type { Clock } from "./run";
import { type RecordSource, timeOf } from "./sources";

const HOUR_MS = 60 * 60 * 1000;
/** Exports come daily; this is one day more. */
export const AGE_MAX_MS = 48 * HOUR_MS;
/** Tables are exported one after the other, to the minute that their recovery reaches. */
const APART_MAX_MS = HOUR_MS;

export function reportAge(
  findings: Findings,
  sources: readonly RecordSource[],
  until: string,
  { asOf, sourceAgeMaxMs }: Clock,
): void {
  const moment = asOf.toISOString();
  for (const source of sources) {
    if (timeOf(source) >= asOf.getTime() - sourceAgeMaxMs) continue;
    const message = `It was taken at ${source.takenAt}, more than ${sourceAgeMaxMs / HOUR_MS} hours before ${moment}: nothing later was looked at. Take a newer one, or state with --as-of the moment that you mean.`;
    findings.add({ verdict: "stale", code: "SOURCE_OLD", table: source.table, message });
  }
  if (until !== "" && Date.parse(until) < asOf.getTime() - AGE_MAX_MS) {
    const message = `The log's last heartbeat is of ${until}, more than ${AGE_MAX_MS / HOUR_MS} hours before ${moment}. Fetch the evidence again; if it still ends there, the log has stopped.`;
    findings.add({ verdict: "stale", code: "EVIDENCE_OLD", message });
  }
}

/** Whether the log goes as far as the sources, and began before them. */
export function reportCoverage(findings: Findings, sources: readonly RecordSource[], { until, cuts }: Coverage): void {
  if (until === "") {
    const message = "The log has no heartbeat, so it does not say what it covers.";
    findings.add({ verdict: "stale", code: "NO_HEARTBEAT", message });
    return;
  }
  for (const source of sources) {
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

export function reportCompared(
  findings: Findings,
  sources: readonly RecordSource[],
  entriesOf: ReadonlyMap<LogicalTableName, EntryCount>,
): void {
  for (const { table, takenAt } of sources) {
    const { all, compared } = entriesOf.get(table) ?? { all: 0, compared: 0 };
    if (all === 0 || compared > 0) continue;
    const message = `None of the ${all} entries about it was compared, because all were sealed after ${takenAt}, when it was taken. Take a newer one.`;
    findings.add({ verdict: "incomplete", code: "NOTHING_COMPARED", table, message });
  }
  const times = sources.map(timeOf);
  if (times.length === 0 || Math.max(...times) - Math.min(...times) <= APART_MAX_MS) return;
  const message = `The tables were taken more than ${APART_MAX_MS / HOUR_MS} hour apart, so rows and their WRITE records in between were not compared. Take them together.`;
  findings.add({ verdict: "incomplete", code: "SOURCES_APART", message });
}

/** What was not given. @param only the tables that were asked for; default: all. @param problems what was found wrong with the sources before. */
export function reportTablesGiven(
  findings: Findings,
  {
    problems = [],
    only,
    sources,
  }: {
    readonly problems?: readonly string[];
    readonly only?: readonly LogicalTableName[];
    readonly sources: readonly RecordSource[];
  },
): void {
  for (const message of problems) findings.add({ verdict: "incomplete", code: "SOURCE_PROBLEM", message });
  if (only !== undefined) {
    const message = `Only ${only.join(", ")} was asked for.`;
    findings.add({ verdict: "incomplete", code: "SUBSET", message });
  }
  for (const table of only ?? Object.values(TABLES).map(({ logicalName }) => logicalName)) {
    if (sources.some((source) => source.table === table)) continue;
    const message = "No records of this table were given.";
    findings.add({ verdict: "incomplete", code: "SOURCE_MISSING", table, message });
  }
}

/** An export holds nothing later; the clocks of DynamoDB and of a function may differ by this. */
const CLOCKS_MS = 60 * 1000;

const TIME = /^[0-9]{4}-[0-9]{2}-[0-9]{2}T/;

/** What one thread has counted of them. */
export interface LaterState {
  readonly count: number;
  readonly last: string;
}

/**
 * Whether a source holds records that were written after the moment at which it says it was taken. Nothing signs that
 * moment: said too early, it would excuse the absence of all records that were written since.
 */
export class LaterRecords {
  private readonly from: string;
  private readonly limit: string;
  private count = 0;
  private last = "";

  constructor(
    private readonly source: Pick<RecordSource, "table" | "name" | "takenAt" | "lastsMs">,
    settleMs: number,
  ) {
    const takenMs = timeOf(source);
    this.from = new Date(takenMs).toISOString();
    this.limit = new Date(takenMs + Math.max(settleMs, (source.lastsMs ?? 0) + CLOCKS_MS)).toISOString();
  }

  take({ writtenAt }: Digest): void {
    // RFC 3339 in UTC, as the ledger writes it, sorts by time.
    if (writtenAt <= this.from || !TIME.test(writtenAt)) return;
    this.count += 1;
    if (writtenAt > this.last) this.last = writtenAt;
  }

  get state(): LaterState {
    return { count: this.count, last: this.last };
  }

  addAll({ count, last }: LaterState): void {
    this.count += count;
    if (last > this.last) this.last = last;
  }

  report(findings: Findings): void {
    if (this.count === 0) return;
    const { table, takenAt } = this.source;
    const said = `It says it was taken at ${takenAt}, and ${this.count} of its records were written later, the last at ${this.last}.`;
    if (this.last <= this.limit) {
      findings.note(`${table}: ${said} Other records of that time need not be in it.`);
      return;
    }
    const message = `${said} What else was written since may be missing unnoticed.`;
    findings.add({ verdict: "incomplete", code: "SOURCE_NEWER_THAN_SAID", table, message });
  }
}
