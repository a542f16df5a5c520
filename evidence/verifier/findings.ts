/** Collects what a verification finds: in bounded memory, the weightiest first, what is known apart. */

import { type AcknowledgedFinding, type Finding, type FindingCode, VERDICTS, type Verdict } from "./report";

/** Findings that are listed of each code and weight; a table that lost a file would fill the report otherwise. */
export const NAMED_MAX = 100;

/** The log's own statements about records: they were alarmed when they were sealed. */
const STATEMENTS: ReadonlySet<FindingCode> = new Set(["RECORD_REMOVED", "RECORD_CHANGED", "RECORD_FORGED"]);

/** Whether the finding says what an entry of the log itself says of its record. */
export function isStatement({ code }: Pick<Finding, "code">): boolean {
  return STATEMENTS.has(code);
}

/**
 * What a reader must see first. 0: the log, the evidence or a source as a whole. 1: a record that the ledger wrote.
 * 2: a record that the log calls forged or tampered with: anyone who may start the sealer can make these up. 3: the log's own
 * statements of such records.
 */
export function weightOf({ code, key, sealedAs }: Finding): number {
  if (isStatement({ code })) return 3;
  if (key === undefined) return 0;
  return sealedAs === "FORGED" || sealedAs === "TAMPER" ? 2 : 1;
}

/** Why a finding is known and settled; undefined for a new one. */
export type Acknowledge = (finding: Finding) => string | undefined;

export interface FindingsOptions {
  readonly namedMax?: number;
  readonly acknowledge?: Acknowledge;
  /** Called with every finding, those too that are not listed; with the reason, where it is acknowledged. */
  readonly onFinding?: (finding: Finding, reason?: string) => void;
}

/** Collects findings in bounded memory. Each code has its own room in each weight, so that many of one kind hide no other. */
export class Findings {
  readonly notes: string[] = [];
  private readonly rooms = new Map<string, NewestFindings<Finding>>();
  private readonly counts = new Map<Verdict, number>();
  private readonly settled: NewestFindings<AcknowledgedFinding>;

  constructor(private readonly options: FindingsOptions = {}) {
    this.settled = new NewestFindings(this.namedMax);
  }

  private get namedMax(): number {
    return this.options.namedMax ?? NAMED_MAX;
  }

  get isStreaming(): boolean {
    return this.options.onFinding !== undefined;
  }

  add(finding: Finding): void {
    const reason = this.keep(finding);
    this.options.onFinding?.(finding, reason);
  }

  /** Hands a finding that was counted before to `onFinding`. */
  stream(finding: Finding): void {
    this.options.onFinding?.(finding, this.options.acknowledge?.(finding));
  }

  private keep(finding: Finding): string | undefined {
    const reason = this.options.acknowledge?.(finding);
    if (reason !== undefined) {
      this.settled.add({ ...finding, reason });
      return reason;
    }
    this.counts.set(finding.verdict, (this.counts.get(finding.verdict) ?? 0) + 1);
    const name = `${weightOf(finding)} ${finding.verdict} ${finding.code}`;
    const room = this.rooms.get(name) ?? new NewestFindings<Finding>(this.namedMax);
    this.rooms.set(name, room);
    room.add(finding);
    return undefined;
  }

  /** An empty collection for findings that may turn out not to count. It streams nothing. */
  another(): Findings {
    const { onFinding, ...options } = this.options;
    return new Findings(options);
  }

  /** Takes over what `another()` collected. @param isStreamed which of the listed findings go to `onFinding`. */
  addAll(other: Findings, isStreamed: (finding: Finding) => boolean = () => true): void {
    for (const finding of other.list) {
      this.keep(finding);
      if (isStreamed(finding)) this.stream(finding);
    }
    const { further } = other;
    for (const verdict of VERDICTS) {
      if (further[verdict] > 0) this.counts.set(verdict, (this.counts.get(verdict) ?? 0) + further[verdict]);
    }
    for (const finding of other.settled.list) {
      this.settled.add(finding);
      if (isStreamed(finding)) this.stream(finding);
    }
    this.settled.count += other.settled.count - other.settled.list.length;
    for (const text of other.notes) this.note(text);
  }

  note(text: string): void {
    if (this.notes.length < this.namedMax) this.notes.push(text);
  }

  get list(): Finding[] {
    return [...this.rooms.values()].flatMap(({ list }) => list).sort(byWeight);
  }

  get acknowledged(): AcknowledgedFinding[] {
    return this.settled.list;
  }

  get acknowledgedCount(): number {
    return this.settled.count;
  }

  get further(): Record<Verdict, number> {
    const beyond = Object.fromEntries(VERDICTS.map((verdict) => [verdict, this.counts.get(verdict) ?? 0]));
    for (const { verdict } of this.list) beyond[verdict] = (beyond[verdict] ?? 0) - 1;
    return beyond as Record<Verdict, number>;
  }

  get verdicts(): Verdict[] {
    const found = VERDICTS.filter((verdict) => this.counts.has(verdict));
    return found.length === 0 ? ["ok"] : found;
  }
}

/** Keeps the findings with the highest entry numbers; of those without one the first that came. */
class NewestFindings<F extends Finding> {
  count = 0;
  private kept: F[] = [];

  constructor(private readonly max: number) {}

  add(finding: F): void {
    this.count += 1;
    this.kept.push(finding);
    if (this.kept.length >= 2 * this.max + 2) this.kept = this.list;
  }

  get list(): F[] {
    return this.kept.toSorted(newestFirst).slice(0, this.max);
  }
}

function newestFirst(a: Finding, b: Finding): number {
  return (b.leaf ?? -1) - (a.leaf ?? -1);
}

function byWeight(a: Finding, b: Finding): number {
  return weightOf(a) - weightOf(b) || VERDICTS.indexOf(a.verdict) - VERDICTS.indexOf(b.verdict) || newestFirst(a, b);
}
