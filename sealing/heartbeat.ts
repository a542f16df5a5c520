/** The heartbeat: a leaf that says that the sealer lives and what it had sealed, and then a checkpoint over everything. */

import { hash } from "node:crypto";
import type { HeartbeatEntry } from "../log/entry";
import type { Head } from "./log-items";
import { appendAfter, type Log } from "./log-state";
import { type Publication, type PublishSettings, publish } from "./publish";
import { readPublished } from "./published";

export interface HeartbeatSettings extends Omit<PublishSettings, "table"> {
  readonly log: Log;
  readonly clock: () => Date;
}

export async function beat({ log, clock, ...settings }: HeartbeatSettings): Promise<Publication> {
  const publication = { ...settings, table: log.table };
  await appendAfter(log, (head) => heartbeatAfter(head, publication, clock));
  return publish(publication);
}

/**
 * The checkpoint and the clock are read after the head: so a heartbeat never names an older checkpoint than the one
 * before it, and nothing that stands before it was written after its time. Clocks of two machines differ; where this one is
 * behind that of the last heartbeat, the time stands still instead of going back.
 */
async function heartbeatAfter(
  { counts, heartbeatAt }: Head,
  { evidence, signers, table }: PublishSettings,
  clock: () => Date,
): Promise<HeartbeatEntry> {
  const published = await readPublished(evidence, await signers(), table.origin);
  const now = clock().toISOString();
  return {
    kind: "HEARTBEAT",
    time: now > heartbeatAt ? now : heartbeatAt,
    counts,
    previousSize: published?.size ?? 0,
    previousCheckpoint: published === undefined ? "" : hash("sha256", published.text, "base64url"),
  };
}
