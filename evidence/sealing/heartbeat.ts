/** The heartbeat: a leaf that says that the sealer lives and what it had sealed, and then a checkpoint over everything. */

import { hash } from "node:crypto";
import type { HeartbeatEntry } from "../log/entry";
import { appendAfter, type Log } from "./append";
import { newestBatches } from "./committed-batches";
import { SealingError } from "./errors";
import type { Head, LogTable } from "./log-state-table";
import { type Publication, type PublishSettings, publish, readPublished } from "./publish";

export interface HeartbeatSettings extends Omit<PublishSettings, "table"> {
  readonly log: Log;
  readonly clock: () => Date;
}

/**
 * A heartbeat comes each minute. One that somebody asks for so soon after another is skipped: each leaves three objects,
 * which the object lock keeps. An auditor who has just copied the tables waits no longer than this for the next one.
 */
const SAME_BEAT_MS = 1_000;
/** Clocks of two machines differ by less, by far. */
const CLOCK_DIFFERENCE_MAX_MS = 60 * 60 * 1000;

/** Appends a heartbeat, unless the log ends with a young one, and publishes everything that was committed. */
export async function publishHeartbeat({ log, clock, ...settings }: HeartbeatSettings): Promise<Publication> {
  const publication = { ...settings, table: log.table };
  await appendAfter(log, (head) => heartbeatAfter(head, publication, clock));
  return publish(publication);
}

/**
 * The checkpoint and the clock are read after the head: so a heartbeat never names an older checkpoint than the one
 * before it, and no entry before it was written after its time. Clocks of two machines differ; where this one is
 * behind that of the last heartbeat, the time of the last heartbeat is used again, so that times never go back.
 * @returns undefined when the log ends with a heartbeat that is younger than a second.
 * @throws SealingError HEARTBEAT_AHEAD
 */
async function heartbeatAfter(
  head: Head,
  { evidence, signers, table }: PublishSettings,
  clock: () => Date,
): Promise<HeartbeatEntry | undefined> {
  const { counts, heartbeatAt } = head;
  const published = await readPublished(evidence, await signers(), table.origin);
  const now = clock();
  const sinceLastMs = heartbeatAt === "" ? Number.POSITIVE_INFINITY : now.getTime() - Date.parse(heartbeatAt);
  if (sinceLastMs < -CLOCK_DIFFERENCE_MAX_MS) throw heartbeatAhead(heartbeatAt);
  if (sinceLastMs < SAME_BEAT_MS && (await endsWithHeartbeat(head, table))) return undefined;
  return {
    kind: "HEARTBEAT",
    time: sinceLastMs > 0 ? now.toISOString() : heartbeatAt,
    counts,
    previousSize: published?.size ?? 0,
    previousCheckpoint: published === undefined ? "" : hash("sha256", published.note.text, "base64url"),
  };
}

async function endsWithHeartbeat({ frontier: { size } }: Head, table: LogTable): Promise<boolean> {
  for await (const { start, entries } of newestBatches(table, size - 1, size)) {
    const last = start + entries.length === size ? entries.at(-1) : undefined;
    return last !== undefined && (JSON.parse(last.toString("utf8")) as { kind?: unknown }).kind === "HEARTBEAT";
  }
  return false;
}

function heartbeatAhead(heartbeatAt: string): SealingError {
  return new SealingError(
    "HEARTBEAT_AHEAD",
    `The last heartbeat says ${heartbeatAt}, more than an hour ahead of this clock. Times in the log never go back, so the ` +
      "next heartbeats would all say the same and nothing would show when records were sealed. Nothing is published until " +
      "this clock has come near that time. Find out who appended that heartbeat.",
  );
}
