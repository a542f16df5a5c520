/** The sealer: takes what the tables' streams tell into the log, and publishes the log with every heartbeat. */

import { z } from "zod";
import { LOG_METRICS, TABLES } from "../contract";
import type { RecordEntry } from "../log/entry";
import type { Call } from "../operations/call";
import { getItem, type Store } from "../store/store";
import { classify, type Judge } from "./classify";
import { SealingError } from "./errors";
import { beat, type HeartbeatSettings } from "./heartbeat";
import { appendEntries } from "./log-state";
import { type StreamChange, streamChanges } from "./stream-change";

export interface SealSettings extends Omit<HeartbeatSettings, "outOfTime"> {
  /** Writes one log line. */
  readonly report: (requestId: string, code: string) => void;
}

export type SealResponse =
  | {
      readonly outcome: "sealed";
      readonly counts: Readonly<Record<"sealed" | "repeated" | "forged" | "tampered" | "size", number>>;
    }
  /** `catching-up`: time ran out; the next heartbeat goes on. */
  | { readonly outcome: "published" | "catching-up"; readonly counts: { readonly size: number } };

const heartbeatSchema = z.strictObject({ kind: z.literal("heartbeat") });
/** Publishing stops before a step that might not end in time. */
const RESERVED_MS = 20_000;
const PARALLEL_CHANGES = 16;

export async function sealAuditTrail(
  event: unknown,
  call: Call,
  store: Store,
  settings: SealSettings,
): Promise<SealResponse> {
  try {
    if (heartbeatSchema.safeParse(event).success) return await heartbeat(call, store, settings);
    const changes = streamChanges(event, store.tables);
    if (changes === undefined) throw unknownEvent();
    return await seal(changes, store, settings);
  } catch (error) {
    if (error instanceof SealingError) {
      settings.report(call.caller.requestId, error.code);
      if (error.isTampering) store.signal(LOG_METRICS.tampering);
    }
    throw error;
  }
}

async function heartbeat(call: Call, store: Store, settings: SealSettings): Promise<SealResponse> {
  const { size, isComplete } = await beat({ ...settings, outOfTime: () => call.remainingMs() < RESERVED_MS });
  store.signal(LOG_METRICS.checkpoint);
  return { outcome: isComplete ? "published" : "catching-up", counts: { size } };
}

async function seal(changes: readonly StreamChange[], store: Store, { log }: SealSettings): Promise<SealResponse> {
  const entries = await classifyAll(changes, store);
  const count = (kind: RecordEntry["kind"]) => entries.filter((entry) => entry.kind === kind).length;
  const [forged, tampered] = [count("FORGED"), count("TAMPER")];
  // Before they are appended: a retry finds them in the log, and an alarm must come even so.
  for (let alarm = 0; alarm < forged + tampered; alarm++) store.signal(LOG_METRICS.tampering);
  const { appended, repeated, size } = await appendEntries(entries, log);
  return { outcome: "sealed", counts: { sealed: appended, repeated, forged, tampered, size } };
}

async function classifyAll(changes: readonly StreamChange[], store: Store): Promise<RecordEntry[]> {
  const { partitionKey } = TABLES.paymentAuditTrail;
  const judge: Judge = {
    macKey: (await store.macKeys()).record,
    auditRecord: (auditId) => getItem(store.dynamo, store.tables.paymentAuditTrail, partitionKey, auditId),
  };
  const entries: RecordEntry[] = [];
  for (let start = 0; start < changes.length; start += PARALLEL_CHANGES) {
    const some = changes.slice(start, start + PARALLEL_CHANGES);
    entries.push(...(await Promise.all(some.map((change) => classify(change, judge)))));
  }
  return entries;
}

function unknownEvent(): SealingError {
  return new SealingError(
    "UNKNOWN_EVENT",
    'The sealer takes events of the tables\' streams and {"kind":"heartbeat"}, and nothing else. Correct the event source ' +
      "mapping or the schedule.",
  );
}
