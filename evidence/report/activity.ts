/** Who did what and when, counted from the audit trail in memory that does not grow with it. */

export const GROUPS = ["write", "read", "refusal", "alarm", "check", "event", "seal"] as const;
export type Group = (typeof GROUPS)[number];

const GROUP_OF: Readonly<Record<string, Group>> = {
  WRITE: "write",
  UPDATE: "write",
  READ: "read",
  REVEAL: "read",
  AUDIT_READ: "read",
  REFUSAL: "refusal",
  CONFLICT: "refusal",
  DUPLICATE: "refusal",
  ALARM: "alarm",
  GAP: "alarm",
  BACKUP_CHECK: "check",
  LOG_CHECK: "check",
  RESTORE_DRILL: "check",
  IDENTITY_CHECK: "check",
};

/** Events of other services may bear any action, the ledger's own too. */
export function groupOf(action: string, origin: string | undefined): Group {
  if (origin === "EVENT") return "event";
  return Object.hasOwn(GROUP_OF, action) ? (GROUP_OF[action] ?? "event") : "event";
}

export type GroupCounts = Readonly<Record<Group, number>>;

export interface Period {
  /** RFC 3339. */
  readonly from: string;
  readonly counts: GroupCounts;
}

export interface ActorFact {
  readonly actor: string;
  readonly counts: GroupCounts;
  readonly total: number;
  readonly first: string;
  readonly last: string;
}

export interface Activity {
  /** Length of each period. */
  readonly periodMs: number;
  /** In the order of time, without those in which nothing happened. */
  readonly periods: readonly Period[];
  /** The busiest first. */
  readonly actors: readonly ActorFact[];
  /** Actors beyond those listed: too many to tell apart. */
  readonly furtherActors: number;
  readonly totals: GroupCounts;
}

const MINUTE = 60_000;
const HOUR = 60 * MINUTE;
const WIDTHS_MS = [
  MINUTE,
  10 * MINUTE,
  HOUR,
  6 * HOUR,
  24 * HOUR,
  7 * 24 * HOUR,
  30 * 24 * HOUR,
  365 * 24 * HOUR,
] as const;
const PERIODS_HELD_MAX = 5_000;
const PERIODS_SHOWN_MAX = 40;
const ACTORS_HELD_MAX = 2_000;
const ACTORS_SHOWN_MAX = 50;

type Counts = Record<Group, number>;

interface Seen {
  readonly counts: Counts;
  first: string;
  last: string;
}

export class ActivityTally {
  private widthMs: number = MINUTE;
  private periods = new Map<number, Counts>();
  private readonly actors = new Map<string, Seen>();
  private readonly totals = noCounts();
  /** Whether records came of more actors than are counted separately. */
  private hasFurther = false;

  /** @param time RFC 3339; what bears no time counts in the totals alone. */
  add(group: Group, time: string, actor?: string): void {
    this.totals[group] += 1;
    const milliseconds = Date.parse(time);
    if (!Number.isNaN(milliseconds)) {
      countAt(this.periods, Math.floor(milliseconds / this.widthMs) * this.widthMs, group, 1);
      if (this.periods.size > PERIODS_HELD_MAX) this.widen();
    }
    if (actor !== undefined) this.addActor(actor, group, time);
  }

  private addActor(actor: string, group: Group, time: string): void {
    const known = this.actors.get(actor);
    if (known === undefined && this.actors.size >= ACTORS_HELD_MAX) {
      this.hasFurther = true;
      return;
    }
    const seen = known ?? { counts: noCounts(), first: time, last: time };
    seen.counts[group] += 1;
    if (time < seen.first) seen.first = time;
    if (time > seen.last) seen.last = time;
    this.actors.set(actor, seen);
  }

  /** To the next longer periods. */
  private widen(): boolean {
    const wider = WIDTHS_MS.find((width) => width > this.widthMs);
    if (wider === undefined) return false;
    const periods = new Map<number, Counts>();
    for (const [from, counts] of this.periods) {
      for (const group of GROUPS) countAt(periods, Math.floor(from / wider) * wider, group, counts[group]);
    }
    this.widthMs = wider;
    this.periods = periods;
    return true;
  }

  activity(): Activity {
    const spanned = () => {
      const times = [...this.periods.keys()];
      return times.length === 0 ? 0 : (Math.max(...times) - Math.min(...times)) / this.widthMs + 1;
    };
    while (spanned() > PERIODS_SHOWN_MAX && this.widen());
    const periods = [...this.periods]
      .sort(([a], [b]) => a - b)
      .map(([from, counts]) => ({ from: new Date(from).toISOString(), counts }));
    const actors = [...this.actors]
      .map(([actor, { counts, first, last }]) => ({ actor, counts, total: sumOfGroups(counts), first, last }))
      .sort((a, b) => b.total - a.total || (a.actor < b.actor ? -1 : 1));
    const furtherActors = Math.max(0, actors.length - ACTORS_SHOWN_MAX) + (this.hasFurther ? 1 : 0);
    return {
      periodMs: this.widthMs,
      periods,
      actors: actors.slice(0, ACTORS_SHOWN_MAX),
      furtherActors,
      totals: this.totals,
    };
  }
}

function countAt(periods: Map<number, Counts>, from: number, group: Group, count: number): void {
  const counts = periods.get(from) ?? noCounts();
  counts[group] += count;
  periods.set(from, counts);
}

function noCounts(): Counts {
  return { write: 0, read: 0, refusal: 0, alarm: 0, check: 0, event: 0, seal: 0 };
}

export function sumOfGroups(counts: GroupCounts): number {
  return GROUPS.reduce((sum, group) => sum + counts[group], 0);
}
