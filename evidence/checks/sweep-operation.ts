/**
 * The sweep: compares the tables as they are now with the log, and seals what the streams missed. It is the only check that
 * reads the tables in use; the restore drill and auditors read exports.
 */

import * as z from "zod";
import { shapeOf } from "../../backup/export-lines";
import { LOG_METRICS, type LogicalTableName, METRICS, TABLES, type TableId } from "../../contract";
import type { Call } from "../../ledger/operations/call";
import { checkEntry } from "../../ledger/operations/ledger-entry";
import { recordEntries } from "../../ledger/operations/record-entries";
import type { ItemJson } from "../../ledger/rules/attribute-value";
import type { Services } from "../../ledger/store/services";
import { versionOf } from "../log/identity";
import type { Log } from "../sealing/append";
import type { EvidenceFolder } from "../verifier/evidence";
import type { Finding, Verdict, VerificationReport } from "../verifier/report";
import type { RecordSource } from "../verifier/sources";
import { verifyLog } from "../verifier/verify";
import type { CheckpointMemory } from "./checkpoint-memory";
import { LogCheckError } from "./errors";
import { withoutMemory } from "./first-sweep";
import { scanSource } from "./scan-source";
import { type Repair, sealUnsealed } from "./seal-unsealed";
import { signalEach } from "./signals";
import { checkpointToKeep, evidenceNow, goingOnFrom, isGood } from "./verification";

export interface SweepSettings {
  readonly evidence: EvidenceFolder;
  /** The verifier keys under which checkpoints are good. */
  readonly keys: () => Promise<readonly string[]>;
  readonly memory: CheckpointMemory;
  readonly log: Log;
  /** Writes one log line. */
  readonly logLine: (requestId: string, code: string) => void;
}

/**
 * `good`: tables, log and evidence agree. `repaired`: they do, now that records which the streams had missed are sealed.
 * `faulty`: they do not. `incomplete`: nothing wrong was seen, and not everything was looked at.
 */
type SweepOutcome = "good" | "repaired" | "faulty" | "incomplete";

export interface SweepResponse {
  readonly outcome: SweepOutcome;
  readonly verdict: Verdict;
  readonly verdicts: readonly Verdict[];
  /** Of the tree that the tables were held against. */
  readonly size: number;
  readonly counts: {
    readonly records: number;
    readonly leaves: number;
    readonly late: number;
    readonly forged: number;
    readonly changed: number;
    readonly left: number;
  };
  /** The first of them; the verifier names all, without this function. */
  readonly findings: readonly Omit<Finding, "item" | "lastCommitment">[];
}

const requestSchema = z.strictObject({ kind: z.literal("sweep") });

const MINUTE_MS = 60_000;
/** What was written before this must be in the log, which publishes every minute and may be late. */
const TAKEN_BEFORE_MS = 5 * MINUTE_MS;
/** Records that were written so shortly before that moment may still wait in their stream. */
const SETTLE_MS = 20 * MINUTE_MS;
/** Items that were recorded later than this after that moment are left out: the tables grow while they are read, and are read more than once. */
const YOUNG_AFTER_MS = 3 * MINUTE_MS;
/** A later time than a sweep can last is made up, and such an item is not left out. */
const YOUNG_UNTIL_MS = 60 * MINUTE_MS;
const UNSEALED_NAMED_MAX = 10_000;
/** Kept for sealing what was found, and for the record of it. */
const RESERVED_FOR_REPAIR_MS = 120_000;
const RESERVED_FOR_RECORD_MS = 30_000;
const FINDINGS_ANSWERED_MAX = 20;

export async function sweepAuditTrail(
  event: unknown,
  call: Call,
  services: Services,
  settings: SweepSettings,
): Promise<SweepResponse> {
  if (!requestSchema.safeParse(event).success) throw badRequest();
  const report = await verifyTables(call, services, settings);
  const repair = await sealUnsealed(report.findings, report.size, {
    services,
    log: settings.log,
    outOfTime: () => call.remainingMs() < RESERVED_FOR_RECORD_MS,
  });
  const response = responseOf(report, repair);
  await recordEntries([entryOf(response, call)], services);
  signal(response, services);
  signalLives(report, services);
  for (const verdict of report.verdicts) if (!isGood(verdict)) settings.logLine(call.caller.requestId, verdict);
  return response;
}

async function verifyTables(call: Call, services: Services, settings: SweepSettings): Promise<VerificationReport> {
  const seen = await settings.memory.load();
  const evidence = await evidenceNow(settings.evidence);
  const verifyAt = async (takenAt: Date) =>
    verifyLog({
      evidence,
      sources: sourcesAt(takenAt, services),
      keys: await settings.keys(),
      ...goingOnFrom(seen),
      settleMs: SETTLE_MS,
      now: call.now,
      namedMax: UNSEALED_NAMED_MAX,
      // Under object lock nothing changes them, and a year has half a million.
      leftovers: false,
      outOfTime: () => call.remainingMs() < RESERVED_FOR_REPAIR_MS,
    });
  const report = await verifyAt(new Date(call.now.getTime() - TAKEN_BEFORE_MS));
  const isNew = report.findings.some(({ code }) => code === "SOURCE_OLDER_THAN_LOG" || code === "NOTHING_COMPARED");
  const isNewLog = isNew && report.coveredUntil !== "";
  const whole = isNewLog ? await verifyAt(new Date(report.coveredUntil)) : report;
  const keep = await checkpointToKeep(whole, evidence);
  if (keep !== undefined) await settings.memory.save(keep, call.now);
  return seen === undefined && keep !== undefined ? withoutMemory(whole, evidence, call.now) : whole;
}

function sourcesAt(takenAt: Date, { dynamo, tables }: Services): RecordSource[] {
  return (Object.keys(TABLES) as TableId[]).map((id) =>
    scanSource(dynamo, {
      table: TABLES[id].logicalName,
      deployedName: tables[id],
      takenAt: takenAt.toISOString(),
      isIn: notYoung(TABLES[id].logicalName, takenAt),
    }),
  );
}

/** A later version stays in: without it the first one would seem to be missing. */
function notYoung(table: LogicalTableName, takenAt: Date): (item: ItemJson) => boolean {
  const { recordedAt } = shapeOf(table);
  const [from, to] = [YOUNG_AFTER_MS, YOUNG_UNTIL_MS].map((ms) => new Date(takenAt.getTime() + ms).toISOString());
  return (item) => {
    const { S: time } = (item[recordedAt] ?? {}) as { readonly S?: string };
    const isYoung = time !== undefined && from !== undefined && to !== undefined && time > from && time <= to;
    return !isYoung || versionOf(item) !== "1";
  };
}

function responseOf(report: VerificationReport, repair: Repair): SweepResponse {
  const { verdict, verdicts, size, counts, findings } = report;
  return {
    outcome: outcomeOf(report, repair),
    verdict,
    verdicts,
    size,
    counts: { records: counts.records, leaves: counts.leaves, ...repair },
    findings: findings
      .slice(0, FINDINGS_ANSWERED_MAX)
      .map(({ item: _item, lastCommitment: _last, ...finding }) => finding),
  };
}

/**
 * A record that was found forged stays a fault, although the log says so now; so does a version that nobody can seal any
 * more, because another one has replaced it.
 */
function outcomeOf({ verdicts, findings, further }: VerificationReport, { forged, left }: Repair): SweepOutcome {
  const bad = verdicts.filter((verdict) => !isGood(verdict));
  const faults = bad.filter((verdict) => verdict !== "unsealed" && verdict !== "incomplete");
  const isLost = findings.some(({ verdict, item }) => verdict === "unsealed" && item === undefined);
  if (faults.length > 0 || forged > 0 || isLost) return "faulty";
  if (bad.includes("incomplete") || left > 0 || further.unsealed > 0) return "incomplete";
  return bad.length > 0 ? "repaired" : "good";
}

function signal({ outcome, counts }: SweepResponse, services: Services): void {
  signalEach(LOG_METRICS.late, counts.late, services);
  signalEach(LOG_METRICS.tampering, counts.forged, services);
  const agrees = outcome === "good" || outcome === "repaired";
  services.signal(agrees ? LOG_METRICS.checkPassed : LOG_METRICS.checkFailed);
}

/** What nobody settled alarms again each day. */
function signalLives({ counts }: VerificationReport, services: Services): void {
  signalEach(METRICS.paymentBreach, counts.openBreaches, services);
  signalEach(METRICS.refundHoldOld, counts.oldHolds, services);
}

function entryOf({ outcome, verdicts, size, counts }: SweepResponse, call: Call) {
  const found = { Verdicts: [...verdicts], Size: size, Counts: { ...counts } };
  return checkEntry({ action: "LOG_CHECK", name: [call.caller.requestId], result: outcome, found }, call);
}

function badRequest(): LogCheckError {
  return new LogCheckError("BAD_REQUEST", 'The sweep takes {"kind":"sweep"}, and nothing else. Correct the schedule.');
}
