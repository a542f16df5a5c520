/**
 * How long a record waits until a signed checkpoint covers it: a model of the streams' shards, the sealers that race for the log's
 * head, and the publisher. The same figures at each run: its chance is a seeded one.
 */

import { STREAM_FEED } from "../../stacks/function-sizes";

/**
 * Milliseconds. `prepareMs`: a call's start and the processor time of a batch of 1,000 changes, measured of the sealer's own code.
 * `attemptMs`: the head and what others appended are read (10), and one transaction (15). `publishMs` for each record: 0.024 of
 * processor time, measured of the publisher's own code, and two puts of 30 ms for 256 records, 16 at once. AWS's times are
 * estimates: usual ones of its services.
 */
export const SEALING = { prepareMs: 140, attemptMs: 25, publishMs: 0.024 + (2 * 30) / (256 * 16) } as const;
const CHECKPOINT_SECONDS = 60;
const BACKOFF = { firstMs: 20, maxMs: 1_000 } as const;
const PARTITION_UNITS = 1_000;
/** Shards of a stream: one for each partition, and a table on demand begins with four. */
export const SHARDS_MIN = 4;
const SECONDS = 300;
const WARM_UP_SECONDS = 60;
const STEP_MS = 5;

export interface Lag {
  readonly p50Seconds: number;
  readonly p99Seconds: number;
  /** Of all attempts to move the head, how many came second. */
  readonly lostRaces: number;
  /** Records still unsealed at the end, in seconds of arrivals. */
  readonly backlogSeconds: number;
}

function seeded(seed: number): () => number {
  let state = seed;
  return () => {
    state = (state * 1_664_525 + 1_013_904_223) % 2 ** 32;
    return state / 2 ** 32;
  };
}

interface Shard {
  waiting: number;
  /** When the oldest waiting record came, in ms. */
  since: number;
  sealer?: {
    batch: number;
    since: number;
    until: number;
    state: "preparing" | "trying" | "pausing";
    head: number;
    races: number;
  };
}

export interface Load {
  readonly recordsPerSecond: number;
  /** Write units a second of each of the two tables whose streams are sealed. */
  readonly tableUnitsPerSecond: readonly [number, number];
  readonly sealers: number;
}

export function simulateSealing({ recordsPerSecond, tableUnitsPerSecond, sealers }: Load): Lag {
  const random = seeded(1);
  const shardsOf = (units: number) => Math.max(SHARDS_MIN, Math.ceil(units / PARTITION_UNITS));
  const count = shardsOf(tableUnitsPerSecond[0]) + shardsOf(tableUnitsPerSecond[1]);
  const shards: Shard[] = Array.from({ length: count }, () => ({ waiting: 0, since: 0 }));
  const perStep = (recordsPerSecond / count / 1000) * STEP_MS;
  const commits: { readonly at: number; readonly since: number; readonly until: number; readonly batch: number }[] = [];
  let head = 0;
  let tries = 0;
  let lost = 0;
  let busy = 0;
  for (let now = 0; now < SECONDS * 1000; now += STEP_MS) {
    for (const shard of shards) {
      if (shard.waiting === 0) shard.since = now;
      shard.waiting += perStep;
      const { sealer } = shard;
      if (sealer === undefined) {
        const isDue = shard.waiting >= STREAM_FEED.batchSize || now - shard.since >= STREAM_FEED.windowSeconds * 1000;
        if (!isDue || busy >= sealers) continue;
        const batch = Math.min(shard.waiting, STREAM_FEED.batchSize);
        const until = now + SEALING.prepareMs * Math.max(0.2, batch / STREAM_FEED.batchSize);
        shard.sealer = { batch, since: shard.since, until, state: "preparing", head: 0, races: 0 };
        const left = shard.waiting - batch;
        shard.since += (now - shard.since) * (batch / shard.waiting);
        shard.waiting = left;
        busy += 1;
      } else if (now >= sealer.until) {
        if (sealer.state !== "trying") {
          Object.assign(sealer, { state: "trying", head, until: now + SEALING.attemptMs });
          continue;
        }
        tries += 1;
        if (sealer.head === head) {
          head += 1;
          const taken = Math.max(0, sealer.batch / (recordsPerSecond / count / 1000));
          commits.push({
            at: now,
            since: sealer.since,
            until: Math.min(now, sealer.since + taken),
            batch: sealer.batch,
          });
          delete shard.sealer;
          busy -= 1;
        } else {
          lost += 1;
          sealer.races += 1;
          const longest = Math.min(BACKOFF.maxMs, BACKOFF.firstMs * 2 ** sealer.races);
          Object.assign(sealer, { state: "pausing", until: now + random() * longest });
        }
      }
    }
  }
  const unsealed = shards.reduce((sum, { waiting, sealer }) => sum + waiting + (sealer?.batch ?? 0), 0);
  return {
    ...lagOf(commits, recordsPerSecond),
    lostRaces: lost / Math.max(1, tries),
    backlogSeconds: unsealed / recordsPerSecond,
  };
}

/** Ten records of each batch, evenly over its arrivals; each waits for the first checkpoint after its commit, and for that to be published. */
function lagOf(
  commits: readonly { readonly at: number; readonly since: number; readonly until: number; readonly batch: number }[],
  recordsPerSecond: number,
): Pick<Lag, "p50Seconds" | "p99Seconds"> {
  const publishMs = recordsPerSecond * CHECKPOINT_SECONDS * SEALING.publishMs;
  const lags = commits
    .filter(({ since }) => since > WARM_UP_SECONDS * 1000)
    .flatMap(({ at, since, until, batch }) => {
      const checkpoint = Math.ceil(at / (CHECKPOINT_SECONDS * 1000)) * CHECKPOINT_SECONDS * 1000;
      return Array.from({ length: 10 }, (_, part) => ({
        lag: (checkpoint + publishMs - (since + ((until - since) * part) / 9)) / 1000,
        weight: batch,
      }));
    })
    .toSorted((one, other) => one.lag - other.lag);
  const whole = lags.reduce((sum, { weight }) => sum + weight, 0);
  const quantile = (part: number) => {
    let sum = 0;
    for (const { lag, weight } of lags) {
      sum += weight;
      if (sum >= part * whole) return lag;
    }
    return Number.POSITIVE_INFINITY;
  };
  return { p50Seconds: quantile(0.5), p99Seconds: quantile(0.99) };
}
