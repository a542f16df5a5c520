/** The publisher: each minute it appends a heartbeat to the log, and publishes everything that was committed under a signed checkpoint. */

import { z } from "zod";
import { LOG_METRICS } from "../contract";
import type { Call } from "../operations/call";
import type { Store } from "../store/store";
import { SealingError } from "./errors";
import { beat, type HeartbeatSettings } from "./heartbeat";
import { type ErrorReporting, reportingErrors } from "./report-error";

export interface PublishCheckpointSettings extends Omit<HeartbeatSettings, "outOfTime">, ErrorReporting {}

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

export function publishCheckpoint(
  event: unknown,
  call: Call,
  store: Store,
  settings: PublishCheckpointSettings,
): Promise<PublishCheckpointResponse> {
  return reportingErrors(call, store, settings, async () => {
    if (!requestSchema.safeParse(event).success) throw unknownEvent();
    const { size, isComplete } = await beat({ ...settings, outOfTime: () => call.remainingMs() < RESERVED_MS });
    store.signal(LOG_METRICS.checkpoint);
    return { outcome: isComplete ? "published" : "catching-up", counts: { size } };
  });
}

function unknownEvent(): SealingError {
  return new SealingError(
    "UNKNOWN_EVENT",
    'The publisher takes {"kind":"heartbeat"}, and nothing else. Correct the schedule.',
  );
}
