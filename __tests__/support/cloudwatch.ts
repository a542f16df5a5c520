/**
 * A small model of how CloudWatch judges an alarm: windows that slide with the moment of evaluation, an evaluation range that
 * is wider than what the alarm asks for, missing data, and points that arrive late. After the CloudWatch user guide, "Alarm
 * evaluation" and "Configuring how CloudWatch alarms treat missing data", read on 2026-11-28.
 */

export const MINUTE = 60;
export const HOUR = 60 * MINUTE;
export const DAY = 24 * HOUR;

export interface ModelAlarm {
  readonly periodSeconds: number;
  readonly periods: number;
  /** The alarm is active when the sum of each period is below it. */
  readonly least: number;
  /** Whether the expression counts silence as 0 (`FILL`). */
  readonly filled: boolean;
}

export interface Point {
  /** Seconds. */
  readonly at: number;
  readonly value: number;
}

/** How many periods more than it needs CloudWatch reads, at least. */
const FURTHER_PERIODS = 2;

/** Once a minute; once an hour where it looks at more than a day. */
export function tickSeconds({ periodSeconds, periods }: ModelAlarm): number {
  return periodSeconds * periods > DAY ? HOUR : MINUTE;
}

/** The sums of the periods that end at and before a moment, the newest first; `null` where nothing was reported. */
function windowsAt(alarm: ModelAlarm, points: readonly Point[], now: number, delaySeconds: number): (number | null)[] {
  const windows: (number | null)[] = [];
  for (let i = 0; i < alarm.periods + FURTHER_PERIODS; i += 1) {
    const [from, to] = [now - (i + 1) * alarm.periodSeconds, now - i * alarm.periodSeconds];
    let sum: number | null = null;
    for (let k = firstAtOrAfter(points, from); k < points.length; k += 1) {
      const { at, value } = points[k] as Point;
      if (at >= to || at + delaySeconds > now) break;
      sum = (sum ?? 0) + value;
    }
    windows.push(sum);
  }
  return windows;
}

function firstAtOrAfter(points: readonly Point[], time: number): number {
  let [low, high] = [0, points.length];
  while (low < high) {
    const middle = (low + high) >> 1;
    if ((points[middle] as Point).at < time) low = middle + 1;
    else high = middle;
  }
  return low;
}

/** Whether the alarm is active at a moment. Missing data counts as breaching, but only as far as real points do not suffice. */
export function ringsAt(alarm: ModelAlarm, points: readonly Point[], now: number, delaySeconds: number): boolean {
  const windows = windowsAt(alarm, points, now, delaySeconds).map((sum) => (alarm.filled ? (sum ?? 0) : sum));
  const real = windows.filter((sum) => sum !== null);
  // With FILL nothing is missing. Without it, enough real points further back hide the missing ones.
  const judged = alarm.filled ? windows.slice(0, alarm.periods) : real.slice(0, alarm.periods);
  return judged.every((sum) => sum !== null && sum < alarm.least);
}

export interface Timeline {
  readonly points: readonly Point[];
  /** From the last good run before the outage to the first after it. */
  readonly outages: readonly { readonly from: number; readonly to: number }[];
}

export interface Rhythm {
  readonly everySeconds: number;
  /** A run reports so much later than it is due, at most. */
  readonly jitterSeconds: number;
  /** The next run is due after the last one's report, and not by the clock. */
  readonly afterReport?: boolean;
  readonly value: number;
}

/** A year of runs. An outage leaves runs out, as many as make it longer than the alarm's window. */
export function yearOf(rhythm: Rhythm, alarm: ModelAlarm, outages: number, random: () => number): Timeline {
  const runs = Math.floor((365 * DAY) / rhythm.everySeconds);
  const window = alarm.periodSeconds * alarm.periods;
  const missed = Math.ceil((window + 2 * tickSeconds(alarm) + rhythm.jitterSeconds) / rhythm.everySeconds) + 2;
  const stretch = Math.floor(runs / (outages + 1));
  const out = new Set<number>();
  for (let i = 0; i < outages; i += 1) {
    const first = (i + 1) * stretch + Math.floor(random() * Math.max(1, stretch - 4 * missed));
    for (let k = 0; k < missed + Math.floor(random() * 3); k += 1) out.add(first + k);
  }
  const points: Point[] = [];
  const gaps: { from: number; to: number }[] = [];
  let lastGood: number | undefined;
  let interrupted = false;
  let last = 0;
  for (let i = 0; i < runs; i += 1) {
    const due = rhythm.afterReport === true ? last + rhythm.everySeconds : i * rhythm.everySeconds;
    const at = due + random() * rhythm.jitterSeconds;
    last = at;
    if (out.has(i)) {
      interrupted = true;
      continue;
    }
    if (interrupted && lastGood !== undefined) gaps.push({ from: lastGood, to: at });
    interrupted = false;
    points.push({ at, value: rhythm.value });
    lastGood = at;
  }
  return { points, outages: gaps };
}

export interface Judgement {
  readonly outages: number;
  readonly inTime: number;
  /** Evaluations that were active while the runs came as they should. */
  readonly falseAlarms: number;
}

/** After an outage has lasted the alarm's whole window, how long the alarm may take to become active. */
const GRACE_SECONDS = HOUR;

export function judge(alarm: ModelAlarm, { points, outages }: Timeline, delaySeconds: number): Judgement {
  const window = alarm.periodSeconds * alarm.periods;
  const rangInTime = new Set<number>();
  let falseAlarms = 0;
  // Before a full window has passed nothing can be said.
  for (let now = 2 * window + HOUR; now <= (points.at(-1)?.at ?? 0); now += tickSeconds(alarm)) {
    if (!ringsAt(alarm, points, now, delaySeconds)) continue;
    const outage = outages.findIndex(({ from, to }) => now > from && now <= to + delaySeconds + tickSeconds(alarm));
    if (outage === -1) falseAlarms += 1;
    else if (now <= (outages[outage]?.from ?? 0) + window + GRACE_SECONDS) rangInTime.add(outage);
  }
  return { outages: outages.length, inTime: rangInTime.size, falseAlarms };
}

/** Numbers from a seed, so that a run can be repeated. */
export function seeded(seed: number): () => number {
  let state = seed >>> 0;
  return () => {
    state = (Math.imul(state, 1_664_525) + 1_013_904_223) >>> 0;
    return state / 2 ** 32;
  };
}
