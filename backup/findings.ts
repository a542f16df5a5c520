/** What a check of exports found, for machines (literal codes) and for people. */

export const CHECK_CODES = [
  "NO_EXPORT",
  "MISSING_EXPORT",
  "STALE_EXPORT",
  "BAD_MANIFEST",
  "WRONG_TABLE",
  "WRONG_WINDOW",
  "MISSING_FILE",
  "UNLISTED_FILE",
  "DUPLICATE_FILE",
  "WRONG_SIZE",
  "WRONG_CHECKSUM",
  "BAD_GZIP",
  "BAD_ITEM",
  "WRONG_COUNT",
  "WINDOW_GAP",
  "MISSING_ITEM",
  "REMOVED_ITEM",
  "NOTHING_COMPARED",
  "CHECK_INCOMPLETE",
] as const;
export type CheckCode = (typeof CHECK_CODES)[number];

export interface CheckFinding {
  readonly code: CheckCode;
  readonly message: string;
  readonly table?: string;
  /** The export's id: the folder under `AWSDynamoDB`. */
  readonly export?: string;
  readonly file?: string;
  readonly line?: number;
  /** The item's key, as the table has it. */
  readonly key?: string;
}

export interface CheckedExport {
  readonly export: string;
  readonly table: string;
  readonly kind: "full" | "incremental";
  readonly from?: string;
  readonly to: string;
  readonly files: number;
  readonly items: number;
  readonly bytes: number;
}

/** How far a table and its exports were held against each other. */
export interface Comparison {
  readonly table: string;
  /** Items recorded after this are not compared: a write may take as long as a function runs. */
  readonly recordedUntil: string;
  readonly compared: number;
  /** Items that do not say when they were recorded. */
  readonly undated: number;
}

/** `incomplete`: no fault was seen, and not everything was looked at. */
export type CheckVerdict = "good" | "faulty" | "incomplete";

export interface CheckReport {
  readonly verdict: CheckVerdict;
  readonly folder: string;
  readonly exports: readonly CheckedExport[];
  readonly comparisons: readonly Comparison[];
  readonly findings: readonly CheckFinding[];
  /** Findings beyond the limit of the list, by code. */
  readonly further: Readonly<Partial<Record<CheckCode, number>>>;
  /** What a reader must know and what is no fault. */
  readonly notes: readonly string[];
}

export function removedItem(table: string, key: string, fact: string): CheckFinding {
  return { code: "REMOVED_ITEM", table, key, message: `${fact} Nothing may be removed from this table.` };
}

/** What was found, as plain data. */
export interface FoundState {
  readonly list: readonly CheckFinding[];
  /** Of each code, the findings that are not listed included. */
  readonly counts: readonly (readonly [CheckCode, number])[];
  readonly notes: readonly string[];
}

/** Of each code; a table that lost a file would fill the report otherwise. */
const FINDINGS_OF_A_CODE_MAX = 50;

/** Collects findings in bounded memory. */
export class CheckFindings {
  readonly list: CheckFinding[] = [];
  readonly notes: string[] = [];
  private readonly counts = new Map<CheckCode, number>();

  add(finding: CheckFinding): void {
    const count = (this.counts.get(finding.code) ?? 0) + 1;
    this.counts.set(finding.code, count);
    if (count <= FINDINGS_OF_A_CODE_MAX) this.list.push(finding);
  }

  note(text: string): void {
    if (this.notes.length < FINDINGS_OF_A_CODE_MAX) this.notes.push(text);
  }

  get state(): FoundState {
    return { list: this.list, counts: [...this.counts], notes: this.notes };
  }

  /** As if everything had been found here, after what was found before. */
  addAll({ list, counts, notes }: FoundState): void {
    const unlisted = new Map(counts);
    for (const finding of list) {
      this.add(finding);
      unlisted.set(finding.code, (unlisted.get(finding.code) ?? 0) - 1);
    }
    for (const [code, count] of unlisted) if (count > 0) this.counts.set(code, (this.counts.get(code) ?? 0) + count);
    for (const note of notes) this.note(note);
  }

  get further(): Partial<Record<CheckCode, number>> {
    const beyond = [...this.counts].filter(([, count]) => count > FINDINGS_OF_A_CODE_MAX);
    return Object.fromEntries(beyond.map(([code, count]) => [code, count - FINDINGS_OF_A_CODE_MAX]));
  }

  get verdict(): CheckVerdict {
    const codes = new Set(this.counts.keys());
    const incomplete = [codes.delete("CHECK_INCOMPLETE"), codes.delete("NOTHING_COMPARED")].includes(true);
    if (codes.size > 0) return "faulty";
    return incomplete ? "incomplete" : "good";
  }
}

/** 0: good. 1: faulty. 3: nothing wrong was seen, and not everything was looked at. */
export function exitCodeOf({ verdict }: CheckReport): 0 | 1 | 3 {
  return verdict === "good" ? 0 : verdict === "faulty" ? 1 : 3;
}

export function checkReportText(report: CheckReport): string {
  const { verdict, folder, exports, comparisons, findings, further, notes } = report;
  return [
    `${verdict.toUpperCase()}: ${folder}`,
    ...exports.map(exportText),
    ...comparisons.map(
      ({ table, compared, recordedUntil, undated }) =>
        `  compared with ${table}: ${compared} items recorded until ${recordedUntil}${undated > 0 ? `, ${undated} without a time left out` : ""}`,
    ),
    ...findings.map(findingText),
    ...Object.entries(further).map(([code, count]) => `  ${code}: ${count} more`),
    ...notes.map((note) => `  note: ${note}`),
  ].join("\n");
}

function exportText({ export: id, table, kind, from, to, files, items, bytes }: CheckedExport): string {
  const window = from === undefined ? `at ${to}` : `${from} to ${to}`;
  return `  ${table} ${kind} ${window}: ${items} items in ${files} files, ${bytes} bytes (${id})`;
}

function findingText({ code, message, table, export: id, file, line, key }: CheckFinding): string {
  const place = [table, id, file, line === undefined ? undefined : `line ${line}`, key].filter(Boolean).join(" ");
  return `  ${code}${place === "" ? "" : ` ${place}`}: ${message}`;
}
