/** The sealer: appends to the log what the tables' streams tell. */

import { LOG_METRICS, TABLES } from "../../contract";
import type { Call } from "../../ledger/operations/call";
import { getItem } from "../../ledger/store/read-items";
import type { Services } from "../../ledger/store/services";
import type { RecordEntry } from "../log/entry";
import { appendEntries, type Log } from "./append";
import { classify, isUnconfirmed, type Judge } from "./classify";
import { currentItem } from "./current-item";
import { SealingError } from "./errors";
import { type ErrorReporting, reportingErrors } from "./report-error";
import { type StreamChange, streamChanges } from "./stream-change";

export interface SealSettings extends ErrorReporting {
  readonly log: Log;
}

export interface SealResponse {
  readonly outcome: "sealed";
  readonly counts: Readonly<Record<"sealed" | "repeated" | "forged" | "tampered" | "unconfirmed" | "size", number>>;
}

const PARALLEL_CHANGES = 16;

export function sealAuditTrail(
  event: unknown,
  call: Call,
  services: Services,
  settings: SealSettings,
): Promise<SealResponse> {
  return reportingErrors(call, services, settings, async () => {
    const changes = streamChanges(event, services.tables);
    if (changes === undefined) throw unknownEvent();
    return seal(changes, call, services, settings);
  });
}

async function seal(
  changes: readonly StreamChange[],
  call: Call,
  services: Services,
  { log, logLine }: SealSettings,
): Promise<SealResponse> {
  const classified = await classifyAll(changes, services);
  const count = (kind: RecordEntry["kind"]) => classified.filter((entry) => entry?.kind === kind).length;
  const [forged, tampered] = [count("FORGED"), count("TAMPER")];
  const unconfirmed = classified.filter(isUnconfirmed).length;
  // Before they are appended: a retry finds them in the log, and an alarm must come even so.
  for (let alarm = 0; alarm < forged + tampered + unconfirmed; alarm++) services.signal(LOG_METRICS.tampering);
  if (unconfirmed > 0) logLine(call.caller.requestId, "CHANGE_NOT_CONFIRMED");
  const entries = classified.filter((entry) => entry !== undefined);
  const { appended, repeated, size } = await appendEntries(entries, log);
  return { outcome: "sealed", counts: { sealed: appended, repeated, forged, tampered, unconfirmed, size } };
}

async function classifyAll(changes: readonly StreamChange[], services: Services): Promise<(RecordEntry | undefined)[]> {
  const { partitionKey } = TABLES.paymentAuditTrail;
  const judge: Judge = {
    macKey: (await services.macKeys()).record,
    auditRecord: (auditId) => getItem(services.dynamo, services.tables.paymentAuditTrail, partitionKey, auditId),
    stored: (table, key) => currentItem(table, key, services),
  };
  const entries: (RecordEntry | undefined)[] = [];
  for (let start = 0; start < changes.length; start += PARALLEL_CHANGES) {
    const some = changes.slice(start, start + PARALLEL_CHANGES);
    entries.push(...(await Promise.all(some.map((change) => classify(change, judge)))));
  }
  return entries;
}

function unknownEvent(): SealingError {
  return new SealingError(
    "UNKNOWN_EVENT",
    "The sealer takes events of the tables' streams, and nothing else. Correct the event source mapping.",
  );
}
