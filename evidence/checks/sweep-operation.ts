/**
 * The sweep: compares the tables as they are now with the log, and seals what the streams missed. It is the only check that
 * reads the tables in use; the restore drill and auditors read exports.
 */

import * as z from "zod";
import { shapeOf } from "../../backup/export-lines";
import {
  type MergeRequest,
  mergedOr,
  type OnePieceRequest,
  type PieceRead,
  type PiecesSetting,
  type PiecesWanted,
  pieceDeadline,
  pieceRequestOf,
} from "../../backup/piece-requests";
import { sealedStore } from "../../backup/sealed-store";
import { LOG_METRICS, type LogicalTableName, METRICS, TABLES, type TableId } from "../../contract";
import type { Call } from "../../ledger/operations/call";
import { checkEntry } from "../../ledger/operations/ledger-entry";
import { recordEntries } from "../../ledger/operations/record-entries";
import { type PieceWork, partOf, plannedPieces } from "../../ledger/pieces/plan";
import type { ItemJson } from "../../ledger/rules/attribute-value";
import type { Services } from "../../ledger/store/services";
import { versionOf } from "../log/identity";
import type { Log } from "../sealing/append";
import type { EvidenceFolder } from "../verifier/evidence";
import { readPiece } from "../verifier/piece-reader";
import { type PieceSubject, planIn } from "../verifier/pieces";
import type { Finding, Verdict, VerificationReport } from "../verifier/report";
import type { RecordSource } from "../verifier/sources";
import { verifyLog } from "../verifier/verify";
import { LogCheckError } from "./errors";
import { begunRun, openRun } from "./log-run";
import { scanSource } from "./scan-source";
import { type Repair, sealUnsealed } from "./seal-unsealed";
import { signalEach } from "./signals";
import { type CheckpointMemory, withoutMemory } from "./swept-checkpoints";
import {
  checkpointToKeep,
  continuingFrom,
  evidenceNow,
  inPacks,
  isGood,
  type VerifiedCheckpoint,
} from "./verification";

export interface SweepSettings {
  readonly evidence: EvidenceFolder;
  /** The verifier keys under which checkpoints are good. */
  readonly keys: () => Promise<readonly string[]>;
  readonly memory: CheckpointMemory;
  readonly log: Log;
  /** Undefined in a deployment that sweeps in one function. */
  readonly pieces?: PiecesSetting;
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

const wholeRequest = z.strictObject({ kind: z.literal("sweep") });
/** A part of a sweep in pieces: the tables as they were at this moment. */
const partSchema = z.iso.datetime({ precision: 3 });

const MINUTE_MS = 60_000;
/** What was written before this must be in the log, which publishes every minute and may be late. */
const TAKEN_BEFORE_MS = 5 * MINUTE_MS;
/** Records that were written so shortly before that moment may still wait in their stream. */
const SETTLE_MS = 20 * MINUTE_MS;
/** Items that were recorded later than this after that moment are left out: the tables grow while they are read, and are read more than once. */
const UNSETTLED_AFTER_MS = 3 * MINUTE_MS;
/** A later time than a sweep can last is made up, and such an item is not left out. */
const UNSETTLED_UNTIL_MS = 60 * MINUTE_MS;
/** The state machine ends a sweep in pieces after six hours. */
const UNSETTLED_UNTIL_IN_PIECES_MS = 7 * 60 * MINUTE_MS;
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
): Promise<SweepResponse | PiecesWanted | PieceRead> {
  const request = settings.pieces && pieceRequestOf(event);
  if (request?.kind === "merge") return mergePieces(request, call, services, settings);
  if (request?.kind === "piece") return readOnePiece(request, call, services, settings);
  if (!wholeRequest.safeParse(event).success) throw badRequest();
  const whole = await wholeOf(call, services, settings);
  return concluded(await verifyTables(whole, call, settings), call, services, settings);
}

function piecesOf(run: string, services: Services, { pieces }: SweepSettings) {
  if (pieces === undefined) throw badRequest();
  return { count: pieces.count, store: sealedStore(pieces, run, services.macKeys) };
}

async function mergePieces(
  request: MergeRequest,
  call: Call,
  services: Services,
  settings: SweepSettings,
): Promise<SweepResponse | PiecesWanted> {
  const { count, store } = piecesOf(request.run, services, settings);
  const begin = { now: call.now, seen: () => settings.memory.load() };
  const { now, seen, evidence } = await openRun(store, settings.evidence, begin);
  const reading = { segments: count, unsettledUntilMs: UNSETTLED_UNTIL_IN_PIECES_MS };
  let latest = "";
  const verification: TableVerification = {
    now,
    seen,
    evidence: inPacks(evidence, now),
    sources: (takenAt) => sourcesAt(takenAt, services, reading),
    pieces: async (subject, takenAt) => {
      latest = takenAt.toISOString();
      const part = partOf(store, latest);
      return { store: part, plan: await planIn(part, subject, { pieces: count, now }) };
    },
  };
  return mergedOr(
    request,
    () => latest,
    async () => concluded(await verifyTables(verification, call, settings), call, services, settings),
  );
}

/** One piece of the newest round. A second try of a piece that was read does nothing. */
async function readOnePiece(
  { run, part: takenAt, piece }: OnePieceRequest,
  call: Call,
  services: Services,
  settings: SweepSettings,
): Promise<PieceRead> {
  if (!partSchema.safeParse(takenAt).success) throw badRequest();
  const { store } = piecesOf(run, services, settings);
  const { evidence, now } = await begunRun(store, settings.evidence);
  const part = partOf(store, takenAt);
  const reading = { segments: await plannedPieces(part), unsettledUntilMs: UNSETTLED_UNTIL_IN_PIECES_MS };
  await readPiece({
    evidence: inPacks(evidence, now),
    sources: sourcesAt(new Date(takenAt), services, reading),
    store: part,
    piece,
    checkDeadline: pieceDeadline(call),
  });
  return { outcome: "piece-read", piece };
}

async function concluded(
  report: VerificationReport,
  call: Call,
  services: Services,
  settings: SweepSettings,
): Promise<SweepResponse> {
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

/** What the tables are verified with: by this call alone, or by the results of pieces. */
interface TableVerification {
  readonly now: Date;
  readonly seen: VerifiedCheckpoint | undefined;
  readonly evidence: EvidenceFolder;
  readonly sources: (takenAt: Date) => RecordSource[];
  readonly pieces?: (subject: PieceSubject, takenAt: Date) => Promise<PieceWork>;
}

async function wholeOf(call: Call, services: Services, settings: SweepSettings): Promise<TableVerification> {
  const seen = await settings.memory.load();
  const evidence = await evidenceNow(settings.evidence, call.now);
  const sources = (takenAt: Date) => sourcesAt(takenAt, services, { unsettledUntilMs: UNSETTLED_UNTIL_MS });
  return { now: call.now, seen, evidence, sources };
}

async function verifyTables(
  { now, seen, evidence, sources: sourcesOf, pieces }: TableVerification,
  call: Call,
  settings: SweepSettings,
): Promise<VerificationReport> {
  const verifyAt = async (takenAt: Date) => {
    const sources = sourcesOf(takenAt);
    return verifyLog({
      evidence,
      sources,
      keys: await settings.keys(),
      ...continuingFrom(seen),
      ...(pieces === undefined ? {} : { pieces: await pieces({ evidence, sources }, takenAt) }),
      settleMs: SETTLE_MS,
      now,
      namedMax: UNSEALED_NAMED_MAX,
      // Under object lock nothing changes them, and a year has half a million.
      leftovers: false,
      outOfTime: () => call.remainingMs() < RESERVED_FOR_REPAIR_MS,
    });
  };
  const report = await verifyAt(new Date(now.getTime() - TAKEN_BEFORE_MS));
  const isNew = report.findings.some(({ code }) => code === "SOURCE_OLDER_THAN_LOG" || code === "NOTHING_COMPARED");
  const isNewLog = isNew && report.coveredUntil !== "";
  const whole = isNewLog ? await verifyAt(new Date(report.coveredUntil)) : report;
  const keep = await checkpointToKeep(whole, evidence);
  if (keep !== undefined) await settings.memory.save(keep, now);
  return seen === undefined && keep !== undefined ? withoutMemory(whole, evidence, now) : whole;
}

interface ReadingLimits {
  readonly segments?: number;
  readonly unsettledUntilMs: number;
}

function sourcesAt(
  takenAt: Date,
  { dynamo, tables }: Services,
  { segments, unsettledUntilMs }: ReadingLimits,
): RecordSource[] {
  return (Object.keys(TABLES) as TableId[]).map((id) =>
    scanSource(dynamo, {
      table: TABLES[id].logicalName,
      deployedName: tables[id],
      takenAt: takenAt.toISOString(),
      ...(segments === undefined ? {} : { segments }),
      isIn: settledOnly(TABLES[id].logicalName, takenAt, unsettledUntilMs),
    }),
  );
}

/** A later version stays in: without it the first one would seem to be missing. */
function settledOnly(table: LogicalTableName, takenAt: Date, unsettledUntilMs: number): (item: ItemJson) => boolean {
  const { recordedAt } = shapeOf(table);
  const [from, to] = [UNSETTLED_AFTER_MS, unsettledUntilMs].map((ms) => new Date(takenAt.getTime() + ms).toISOString());
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
  const message =
    'The sweep takes {"kind":"sweep"}, or the requests of its state machine where the deployment has one. Correct the schedule.';
  return new LogCheckError("BAD_REQUEST", message);
}
