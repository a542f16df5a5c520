/** The publisher: each minute it appends a heartbeat to the log, and publishes everything that was committed under a signed checkpoint. */

import * as z from "zod";
import { LOG_METRICS } from "../../contract";
import type { Call } from "../../ledger/operations/call";
import type { Services } from "../../ledger/store/services";
import { SealingError } from "./errors";
import { type HeartbeatSettings, publishHeartbeat } from "./heartbeat";
import { putMissingPacks } from "./missing-packs";
import { type ErrorReporting, reportingErrors } from "./report-error";
import { lostStreams, type TableStream } from "./stream-check";

export interface PublishCheckpointSettings extends Omit<HeartbeatSettings, "outOfTime">, ErrorReporting {
  /** The streams that feed the sealer. */
  readonly streams: readonly TableStream[];
}

export interface PublishCheckpointResponse {
  /** `catching-up`: time ran out; the next heartbeat goes on. */
  readonly outcome: "published" | "catching-up";
  readonly counts: {
    /** Entries that the newest checkpoint covers. */
    readonly size: number;
  };
}

const requestSchema = z.strictObject({ kind: z.literal("heartbeat") });
/** Publishing stops before a step that might not end in time. */
const RESERVED_MS = 20_000;
/** The streams are looked at in every fifth minute. */
const STREAM_CHECK_MINUTES = 5;
/** Missing packs are looked for in this minute of each hour. */
const PACKS_MINUTE = 30;
const HOUR_MS = 60 * 60 * 1000;

export function publishCheckpoint(
  event: unknown,
  call: Call,
  services: Services,
  settings: PublishCheckpointSettings,
): Promise<PublishCheckpointResponse> {
  return reportingErrors(call, services, settings, async () => {
    if (!requestSchema.safeParse(event).success) throw unknownEvent();
    const outOfTime = () => call.remainingMs() < RESERVED_MS;
    const { size, isComplete } = await publishHeartbeat({ ...settings, outOfTime });
    services.signal(LOG_METRICS.checkpoint);
    const minute = call.now.getUTCMinutes();
    if (minute % STREAM_CHECK_MINUTES === 0) await checkStreams(call, services, settings);
    if (isComplete && minute === PACKS_MINUTE) {
      const hour = Math.floor(call.now.getTime() / HOUR_MS);
      await putMissingPacks({ table: settings.log.table, evidence: settings.evidence, outOfTime }, size, hour);
    }
    return { outcome: isComplete ? "published" : "catching-up", counts: { size } };
  });
}

async function checkStreams(
  call: Call,
  services: Services,
  { streams, logLine }: PublishCheckpointSettings,
): Promise<void> {
  const lost = await lostStreams(services.dynamo, streams);
  for (const _table of lost) services.signal(LOG_METRICS.streamLost);
  if (lost.length > 0) logLine(call.caller.requestId, "STREAM_LOST");
}

function unknownEvent(): SealingError {
  return new SealingError(
    "UNKNOWN_EVENT",
    'The publisher takes {"kind":"heartbeat"}, and nothing else. Correct the schedule.',
  );
}
