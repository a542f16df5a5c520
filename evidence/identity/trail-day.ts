/** The trail's files around one day: which of them are there, whether they are CloudTrail's own, and what they say. */

import {
  readLogFile,
  readTrailDigest,
  type TrailDigest,
  TrailFileError,
  type TrailKey,
  type TrailObject,
  trailKeys,
} from "./trail-digest";
import { type Invocation, readEvents, type TrailPrincipal } from "./trail-events";

/** The trail's bucket, for one account and region. */
export interface TrailFolder {
  readonly bucket: string;
  /** Keys of the digests that CloudTrail delivered on this day (UTC, `2026-11-27`), in any order. */
  digestKeys(day: string): Promise<readonly string[]>;
  /** Undefined when there is no such object. */
  read(key: string): Promise<TrailObject | undefined>;
  /** CloudTrail's public keys that were in use then. */
  publicKeys(from: Date, to: Date): Promise<readonly TrailKey[]>;
}

export interface TrailDay {
  /** In words: what is missing, altered or cannot be checked. Empty when the trail of the day is whole. */
  readonly problems: readonly string[];
  /** By request id. A request that CloudTrail has more than once keeps its first. */
  readonly invocations: ReadonlyMap<string, Invocation>;
  /** By principal id; one that was seen with two source identities has none. */
  readonly principals: ReadonlyMap<string, TrailPrincipal>;
}

const MINUTE_MS = 60_000;
const HOUR_MS = 60 * MINUTE_MS;
const DAY_MS = 24 * HOUR_MS;
/** A record is written after its call began; no function runs longer than 15 minutes, and an asynchronous call may wait. */
const BEFORE_MS = HOUR_MS;
/** CloudTrail delivers an event within minutes, and the digest of its hour after that. */
const AFTER_MS = HOUR_MS;

/** How long after the end of a day its trail is due. */
export const TRAIL_DUE_AFTER_MS = AFTER_MS + 90 * MINUTE_MS;

/** @param day in UTC, `2026-11-27`. @param outOfTime true when the reading must end; the day is not whole then. */
export async function readTrailDay(
  folder: TrailFolder,
  day: string,
  outOfTime: () => boolean = () => false,
): Promise<TrailDay> {
  const start = Date.parse(`${day}T00:00:00Z`);
  const window = { from: start - BEFORE_MS, to: start + DAY_MS + AFTER_MS };
  const reading = new TrailDayReading(folder, outOfTime);
  const digests = await reading.digests(window);
  reading.checkChain(digests, window);
  await reading.events(digests);
  const { problems, invocations, principals } = reading;
  return { problems, invocations, principals };
}

interface Window {
  readonly from: number;
  readonly to: number;
}

class TrailDayReading {
  readonly problems: string[] = [];
  readonly invocations = new Map<string, Invocation>();
  readonly principals = new Map<string, TrailPrincipal>();

  constructor(
    private readonly folder: TrailFolder,
    private readonly outOfTime: () => boolean,
  ) {}

  /** The good ones that touch the window, in order of time. */
  async digests({ from, to }: Window): Promise<TrailDigest[]> {
    const days = [
      ...new Set([from, from + DAY_MS, to, to + HOUR_MS].map((time) => new Date(time).toISOString().slice(0, 10))),
    ];
    const keys = (await Promise.all(days.map((day) => this.folder.digestKeys(day)))).flat();
    if (keys.length === 0) return [];
    const publicKeys = trailKeys(await this.folder.publicKeys(new Date(from - DAY_MS), new Date(to + DAY_MS)));
    const digests: TrailDigest[] = [];
    for (const key of keys) {
      const object = await this.folder.read(key);
      const digest = object && this.orProblem(() => readTrailDigest(this.folder.bucket, key, object, publicKeys));
      if (digest !== undefined && digest.endTime > from && digest.startTime < to) digests.push(digest);
    }
    return digests.toSorted((one, other) => one.endTime - other.endTime);
  }

  /** Backfill digests, of files that were delivered late, are no part of the chain of hours. */
  checkChain(digests: readonly TrailDigest[], { from, to }: Window): void {
    const hourly = digests.filter(({ key }) => !key.endsWith("_backfill.json.gz"));
    let covered = from;
    let before: TrailDigest | undefined;
    for (const digest of hourly) {
      const follows = before === undefined || isPrevious(before, digest);
      if (digest.startTime > covered) this.problems.push(`No digest covers ${span(covered, digest.startTime)}.`);
      else if (!follows) this.problems.push(`${digest.key}: It does not continue the digest before it.`);
      covered = Math.max(covered, digest.endTime);
      before = digest;
    }
    if (covered < to) this.problems.push(`No digest covers ${span(covered, to)}.`);
  }

  async events(digests: readonly TrailDigest[]): Promise<void> {
    for (const file of digests.flatMap(({ logFiles }) => logFiles)) {
      if (this.outOfTime()) {
        this.problems.push("The time was up before every file of the trail was read.");
        return;
      }
      const object = await this.folder.read(file.key);
      const content = this.orProblem(() => readLogFile(file, object));
      if (content !== undefined) this.take(content);
    }
  }

  private take(content: string): void {
    const { invocations, principals } = readEvents(content);
    for (const invocation of invocations)
      if (!this.invocations.has(invocation.requestId)) this.invocations.set(invocation.requestId, invocation);
    for (const principal of principals) {
      const known = this.principals.get(principal.id) ?? principal;
      const { sourceIdentity: _several, ...plain } = principal;
      this.principals.set(principal.id, known.sourceIdentity === principal.sourceIdentity ? known : plain);
    }
  }

  private orProblem<T>(read: () => T): T | undefined {
    try {
      return read();
    } catch (error) {
      if (!(error instanceof TrailFileError)) throw error;
      this.problems.push(error.message);
      return undefined;
    }
  }
}

function isPrevious(before: TrailDigest, { previous }: TrailDigest): boolean {
  return (
    previous !== undefined &&
    previous.key === before.key &&
    previous.hash === before.hash &&
    previous.signature === before.signature
  );
}

function span(from: number, to: number): string {
  return `${new Date(from).toISOString()} to ${new Date(to).toISOString()}`;
}
