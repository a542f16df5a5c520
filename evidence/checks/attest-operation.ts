/**
 * The function that attests callers: joins one day's audit records with CloudTrail's files, writes who called into the
 * evidence, and seals that file's hash with one audit record.
 */

import * as z from "zod";
import { LOG_METRICS, TABLES } from "../../contract";
import type { Call } from "../../ledger/operations/call";
import { checkEntry } from "../../ledger/operations/ledger-entry";
import { recordEntries } from "../../ledger/operations/record-entries";
import { dayKey } from "../../ledger/rules/index-keys";
import { textOrEmpty } from "../../ledger/rules/stored-item";
import { ALL_ACTORS } from "../../ledger/store/audit-record";
import { getItems, queryAll } from "../../ledger/store/read-items";
import type { Services } from "../../ledger/store/services";
import {
  type Attestation,
  attestationHash,
  attestationPath,
  attestationText,
  countsOf,
  type IdentityCounts,
  type IdentityOutcome,
  outcomeOf,
} from "../identity/attestation";
import { callOnRecord, DayOfCalls, judgeCalls } from "../identity/judge";
import { readTrailDay, TRAIL_DUE_AFTER_MS, type TrailFolder } from "../identity/trail-day";
import type { EvidenceBucket } from "../sealing/evidence-bucket";
import { LogCheckError } from "./errors";
import { signalEach } from "./signals";

export interface AttestSettings {
  readonly trail: TrailFolder;
  readonly evidence: Pick<EvidenceBucket, "putOnce">;
  /** Writes one log line. */
  readonly logLine: (requestId: string, code: string) => void;
}

export interface AttestResponse {
  readonly outcome: IdentityOutcome;
  readonly day: string;
  /** Records, not calls. */
  readonly counts: IdentityCounts;
  /** The first of what was missing or altered; the file has all. */
  readonly problems: readonly string[];
  /** Below `log/` in the evidence bucket. */
  readonly file: string;
  readonly sha256: string;
}

const requestSchema = z.strictObject({
  kind: z.literal("attest"),
  day: z
    .string()
    .regex(/^\d{4}-\d{2}-\d{2}$/)
    .refine((day) => !Number.isNaN(Date.parse(day)))
    .optional(),
});

const DAY_MS = 24 * 60 * 60 * 1000;
/** Kept for the file and the audit record. */
const RESERVED_MS = 60_000;
const PROBLEMS_ANSWERED_MAX = 20;

export async function attestCallers(
  event: unknown,
  call: Call,
  services: Services,
  settings: AttestSettings,
): Promise<AttestResponse> {
  const day = dayOf(event, call.now);
  const outOfTime = () => call.remainingMs() < RESERVED_MS;
  const trail = await readTrailDay(settings.trail, day, outOfTime);
  const records = await recordsOf(day, services, outOfTime);
  const problems = [...trail.problems, ...records.problems];
  const attestation: Attestation = { day, problems, calls: judgeCalls(records.calls, trail) };
  const text = attestationText(attestation);
  const sha256 = attestationHash(text);
  const response: AttestResponse = {
    outcome: outcomeOf(attestation),
    day,
    counts: countsOf(attestation.calls),
    problems: problems.slice(0, PROBLEMS_ANSWERED_MAX),
    file: attestationPath(day, sha256),
    sha256,
  };
  await settings.evidence.putOnce({ path: response.file, bytes: Buffer.from(text) });
  await recordEntries([entryOf(response, problems.length, call)], services);
  signal(response, problems.length, services);
  if (response.outcome !== "good") settings.logLine(call.caller.requestId, response.outcome);
  return response;
}

/** The day before, where none is named. @throws LogCheckError for one whose trail is not due yet. */
function dayOf(event: unknown, now: Date): string {
  const request = requestSchema.safeParse(event);
  if (!request.success) {
    const message = 'It takes {"kind":"attest"}, with "day" for another day than yesterday. Correct the schedule.';
    throw new LogCheckError("BAD_REQUEST", message);
  }
  const day = request.data.day ?? new Date(now.getTime() - DAY_MS).toISOString().slice(0, 10);
  if (Date.parse(day) + DAY_MS + TRAIL_DUE_AFTER_MS <= now.getTime()) return day;
  const message =
    "CloudTrail has not delivered all of that day yet. Its files are due two and a half hours after its end.";
  throw new LogCheckError("BAD_REQUEST", message);
}

/** The day's records by the ledger's own clock. The sweep, not this, compares the records with the log. */
async function recordsOf(day: string, services: Services, outOfTime: () => boolean) {
  const { partitionKey, indexes } = TABLES.paymentAuditTrail;
  const { name, partitionKey: indexKey } = indexes.byTime;
  const tableName = services.tables.paymentAuditTrail;
  const calls = new DayOfCalls();
  for (let shard = 0; shard < services.indexShardCount; shard++) {
    if (outOfTime()) return { calls, problems: ["The time was up before every record of the day was read."] };
    const entries = await queryAll(services.dynamo, {
      TableName: tableName,
      IndexName: name,
      KeyConditionExpression: "#key = :key",
      ExpressionAttributeNames: { "#key": indexKey },
      ExpressionAttributeValues: { ":key": { S: dayKey(ALL_ACTORS, day.replaceAll("-", ""), shard) } },
    });
    const ids = entries.map((entry) => textOrEmpty(entry, partitionKey));
    for (const item of await getItems(services.dynamo, tableName, partitionKey, ids)) calls.add(callOnRecord(item));
  }
  return { calls, problems: [] };
}

function signal({ outcome, counts }: AttestResponse, problems: number, services: Services): void {
  signalEach(LOG_METRICS.identityContradicted, counts.contradicted, services);
  if (problems > 0) services.signal(LOG_METRICS.identityCheckFailed);
  else if (outcome !== "contradicted") services.signal(LOG_METRICS.identityCheckPassed);
}

function entryOf({ outcome, day, counts, file, sha256 }: AttestResponse, problems: number, call: Call) {
  const entry = checkEntry(
    {
      action: "IDENTITY_CHECK",
      name: [call.caller.requestId],
      asked: { Day: day },
      result: outcome,
      found: { Counts: { ...counts }, Problems: problems },
    },
    call,
  );
  return { ...entry, evidence: { path: file, sha256 } };
}
