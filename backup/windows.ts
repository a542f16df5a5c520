/**
 * Which exports a table needs next: pure, from what was exported so far and how far point-in-time recovery reaches.
 * Incremental windows follow each other without a gap, whatever failed or paused; a full export is taken at the end of
 * the last window, so that it and the windows after it are a complete table.
 */

const MINUTE_MS = 60_000;
/** What DynamoDB takes as an incremental window. */
const WINDOW_MIN_MS = 15 * MINUTE_MS;
export const WINDOW_MAX_MS = 24 * 60 * MINUTE_MS;
/** Windows this close to the far end of the reach are given up: it moves on while the export is being started. */
const REACH_MARGIN_MS = 10 * MINUTE_MS;
/** Old entries are forgotten after this, except those that a restore of today needs. */
const HISTORY_MS = 40 * 24 * 60 * MINUTE_MS;

export type ExportKind = "full" | "incremental";

/** `planned`: not asked for yet, or the answer was lost. `lost`: can never be exported any more. */
export type ExportStatus = "planned" | "started" | "completed" | "failed" | "lost";

export interface ExportEntry {
  readonly kind: ExportKind;
  /** First moment of an incremental window. */
  readonly from?: string;
  /** The moment after an incremental window; the moment of a full export. */
  readonly to: string;
  /** From 1. Each attempt has its own client token and folder. */
  readonly attempt: number;
  readonly status: ExportStatus;
  readonly exportArn?: string;
  readonly startedAt?: string;
}

export interface ExportState {
  readonly format: 1;
  readonly table: string;
  /** End of the last window: the next one starts exactly here. */
  readonly exportedUntil: string;
  readonly exports: readonly ExportEntry[];
}

/** The moments that can be exported, in milliseconds. */
export interface ExportablePeriod {
  readonly earliestMs: number;
  readonly latestMs: number;
}

export interface Plan {
  readonly state: ExportState;
  /** Stretches that no incremental export can cover any more. */
  readonly lost: readonly { readonly from: string; readonly to: string }[];
}

export function planExports(
  table: string,
  before: ExportState | undefined,
  kind: ExportKind,
  reach: ExportablePeriod,
): Plan {
  const latest = iso(Math.floor(reach.latestMs / MINUTE_MS) * MINUTE_MS);
  if (before === undefined) {
    return { state: { format: 1, table, exportedUntil: latest, exports: [fullAt(latest)] }, lost: [] };
  }
  const { exports, lost } = repeatFailed(before.exports, reach);
  const next = windowsFrom({ ...before, exports }, latest, reach);
  const needsFull = next.lost.length > 0 || kind === "full" || exports.some((entry) => isUncoveredLoss(entry, exports));
  const all = withFull([...exports, ...next.windows], next.until, needsFull);
  const state = { ...before, exportedUntil: next.until, exports: remembered(all, reach.latestMs) };
  return {
    state,
    lost: [...lost.map(({ from, to }) => ({ from: from ?? to, to })), ...next.lost],
  };
}

/** Failed exports get another attempt for the same window; those out of reach are lost. */
function repeatFailed(exports: readonly ExportEntry[], reach: ExportablePeriod) {
  const lost: ExportEntry[] = [];
  const repeated = exports.map((entry): ExportEntry => {
    if (entry.status !== "failed" && entry.status !== "planned") return entry;
    if (Date.parse(entry.from ?? entry.to) < reach.earliestMs + REACH_MARGIN_MS) {
      lost.push(entry);
      return { ...entry, status: "lost" };
    }
    return entry.status === "planned" ? entry : anotherAttempt(entry);
  });
  return { exports: repeated, lost };
}

function anotherAttempt({ kind, from, to, attempt }: ExportEntry): ExportEntry {
  return { kind, ...(from === undefined ? {} : { from }), to, attempt: attempt + 1, status: "planned" };
}

function windowsFrom({ exportedUntil, exports }: ExportState, latest: string, reach: ExportablePeriod) {
  const refused = exports.some(({ kind, to, status }) => kind === "full" && to === exportedUntil && status === "lost");
  const outOfReach = refused || Date.parse(exportedUntil) < reach.earliestMs + REACH_MARGIN_MS;
  if (outOfReach && exportedUntil < latest) {
    return { windows: [], until: latest, lost: [{ from: exportedUntil, to: latest }] };
  }
  const windows: ExportEntry[] = [];
  let until = exportedUntil;
  while (Date.parse(latest) - Date.parse(until) >= WINDOW_MIN_MS) {
    const to = iso(Math.min(Date.parse(until) + WINDOW_MAX_MS, Date.parse(latest)));
    windows.push({ kind: "incremental", from: until, to, attempt: 1, status: "planned" });
    until = to;
  }
  return { windows, until, lost: [] };
}

/** What no increment can tell any more is in the next full export, so there must be one. */
function isUncoveredLoss(entry: ExportEntry, exports: readonly ExportEntry[]): boolean {
  const covers = ({ kind, to, status }: ExportEntry) => kind === "full" && status !== "lost" && to >= entry.to;
  return entry.status === "lost" && !exports.some(covers);
}

function withFull(exports: readonly ExportEntry[], at: string, needed: boolean): readonly ExportEntry[] {
  const there = exports.some(({ kind, to }) => kind === "full" && to === at);
  return needed && !there ? [...exports, fullAt(at)] : exports;
}

function fullAt(to: string): ExportEntry {
  return { kind: "full", to, attempt: 1, status: "planned" };
}

function remembered(exports: readonly ExportEntry[], latestMs: number): readonly ExportEntry[] {
  const needed = new Set(restoreChain(exports));
  return exports.filter((entry) => needed.has(entry) || Date.parse(entry.to) >= latestMs - HISTORY_MS);
}

/** The newest full export that did not fail, and the windows after it: what a restore of today takes. */
export function restoreChain(exports: readonly ExportEntry[]): readonly ExportEntry[] {
  const usable = exports.filter(({ status }) => status !== "failed" && status !== "lost");
  const fulls = usable.filter(({ kind }) => kind === "full").sort((a, b) => compare(a.to, b.to));
  const full = fulls.findLast(({ status }) => status === "completed") ?? fulls.at(-1);
  if (full === undefined) return [];
  const windows = usable.filter(({ kind, to }) => kind === "incremental" && to > full.to);
  return [full, ...windows.sort((a, b) => compare(a.from ?? "", b.from ?? ""))];
}

export function isSameExport(a: ExportEntry, b: ExportEntry): boolean {
  return a.kind === b.kind && a.from === b.from && a.to === b.to && a.attempt === b.attempt;
}

function compare(a: string, b: string): number {
  return a < b ? -1 : a > b ? 1 : 0;
}

function iso(milliseconds: number): string {
  return new Date(milliseconds).toISOString();
}
