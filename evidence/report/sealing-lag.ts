/** How long after its recording a record was surely sealed: by the first heartbeat after its entry. */

export interface LagSummary {
  /** Records that were measured. */
  readonly measured: number;
  /** Of the entries that were looked at, those that no heartbeat follows yet. */
  readonly open: number;
  readonly medianMs: number;
  /** 95 of 100 records were sealed within this time. */
  readonly p95Ms: number;
  readonly longestMs: number;
  /** How many records were sealed within each of `LAG_STEPS_MS`, and not within the one before it; the last is for longer ones. */
  readonly steps: readonly number[];
}

export const LAG_STEPS_MS = [10_000, 30_000, 60_000, 120_000, 300_000, 900_000] as const;

export function lagSummary(lagsMs: readonly number[], open: number): LagSummary {
  const sorted = lagsMs.map((lag) => Math.max(0, lag)).sort((a, b) => a - b);
  const at = (part: number) => sorted[Math.max(0, Math.ceil(part * sorted.length) - 1)] ?? 0;
  const steps = [...LAG_STEPS_MS, Number.POSITIVE_INFINITY];
  return {
    measured: sorted.length,
    open,
    medianMs: at(0.5),
    p95Ms: at(0.95),
    longestMs: at(1),
    steps: steps.map((step, place) => {
      const from = place === 0 ? -1 : (steps[place - 1] ?? 0);
      return sorted.filter((lag) => lag > from && lag <= step).length;
    }),
  };
}
