/** The function of the restore drill: one step in each invocation, with its audit records and its alarm signals. */

import * as z from "zod";
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
import { LOG_METRICS } from "../../contract";
import type { Call } from "../../ledger/operations/call";
import { checkEntry } from "../../ledger/operations/ledger-entry";
import { recordEntries } from "../../ledger/operations/record-entries";
import { partOf, plannedPieces } from "../../ledger/pieces/plan";
import type { Services } from "../../ledger/store/services";
import { readPiece } from "../verifier/piece-reader";
import type { Verdict } from "../verifier/report";
import type { DrillResult, DrillState } from "./drill-state";
import { type DrillCode, type DrillSettings, stepDrill } from "./drill-steps";
import { type DrillPieces, partNameOf, restoredSources } from "./drill-verification";
import { LogCheckError } from "./errors";
import { begunRun } from "./log-run";
import { inPacks } from "./verification";

export interface DrillOperationSettings extends DrillSettings {
  /** Undefined in a deployment that verifies restored tables in one function. */
  readonly pieces?: PiecesSetting;
  /** Writes one log line. */
  readonly logLine: (requestId: string, code: string) => void;
}

export interface DrillResponse {
  /** The drill's phase. `idle`: none is under way. */
  readonly outcome: DrillState["phase"];
  /** The drill under way. */
  readonly drill?: string;
  /** The newest drill that came to a verdict. */
  readonly last?: {
    readonly drill: string;
    readonly verdict: Verdict;
    readonly passed: boolean;
    readonly report: string;
  };
  /** What needs somebody's attention. */
  readonly codes: readonly DrillCode[];
}

const requestSchema = z.strictObject({ kind: z.enum(["step", "start"]) });

/** Kept for the report, the state and the audit record. */
const RESERVED_MS = 60_000;

export async function drillRestore(
  event: unknown,
  call: Call,
  services: Services,
  settings: DrillOperationSettings,
): Promise<DrillResponse | PiecesWanted | PieceRead> {
  const { pieces } = settings;
  const pieceRequest = pieces && pieceRequestOf(event);
  if (pieces !== undefined && pieceRequest !== undefined) {
    return pieceRequest.kind === "merge"
      ? mergeDrill(pieceRequest, pieces, call, services, settings)
      : readOnePiece(pieceRequest, pieces, call, services, settings);
  }
  const request = requestSchema.safeParse(event);
  if (!request.success) throw badRequest();
  const begin = request.data.kind === "start";
  return stepAndRecord({ begin, ...(pieces && { verifyIn: "later" }) }, call, services, settings);
}

/** A step that verifies what the pieces have read. */
function mergeDrill(
  request: MergeRequest,
  setting: PiecesSetting,
  call: Call,
  services: Services,
  settings: DrillOperationSettings,
): Promise<DrillResponse | PiecesWanted> {
  const store = sealedStore(setting, request.run, services.macKeys);
  let latest = "";
  const storeOf = (part: string) => {
    latest = part;
    return partOf(store, part);
  };
  const verifyIn = { count: setting.count, storeOf };
  return mergedOr(
    request,
    () => latest,
    () => stepAndRecord({ begin: false, verifyIn }, call, services, settings),
  );
}

/** One piece of the newest round. Where another run has ended the verification meanwhile there is nothing to read. */
async function readOnePiece(
  { run, part, piece }: OnePieceRequest,
  setting: PiecesSetting,
  call: Call,
  services: Services,
  settings: DrillOperationSettings,
): Promise<PieceRead> {
  const drillNow = async () => {
    const { phase, drill } = (await settings.state.load()).state;
    return phase === "verifying" && drill !== undefined && partNameOf(drill) === part ? drill : undefined;
  };
  const drill = await drillNow();
  const read: PieceRead = { outcome: "piece-read", piece };
  if (drill === undefined) return read;
  const store = partOf(sealedStore(setting, run, services.macKeys), part);
  const { evidence, now } = await begunRun(store, settings.evidence);
  const sources = restoredSources(drill, settings, await plannedPieces(store));
  try {
    await readPiece({ evidence: inPacks(evidence, now), sources, store, piece, checkDeadline: pieceDeadline(call) });
  } catch (error) {
    // Its tables may have been removed meanwhile.
    if ((await drillNow()) !== undefined) throw error;
  }
  return read;
}

async function stepAndRecord(
  how: { readonly begin: boolean; readonly verifyIn?: DrillPieces | "later" },
  call: Call,
  services: Services,
  settings: DrillOperationSettings,
): Promise<DrillResponse> {
  const codes = new Set<DrillCode>();
  // What a drill from a machine has found, or an earlier step that died before it could record it.
  await recordResults(call, services, settings);
  const tell = (code: DrillCode) => {
    if (codes.has(code)) return;
    codes.add(code);
    // At once: a step that dies later, or that must wait for pieces, has said it.
    settings.logLine(call.caller.requestId, code);
    if (code !== "NO_EXPORT") services.signal(LOG_METRICS.drillFailed);
  };
  const state = await stepDrill({
    ...settings,
    ...how,
    now: call.now,
    outOfTime: () => call.remainingMs() < RESERVED_MS,
    tell,
  });
  await recordResults(call, services, settings);
  return responseOf(state, [...codes]);
}

/** The records' ids follow from their drills, so that each leaves one, whatever died between the record and the state. */
async function recordResults(call: Call, services: Services, { state: bucket }: DrillSettings): Promise<void> {
  const { state, version } = await bucket.load();
  if (state.unrecorded.length === 0) return;
  await recordEntries(
    state.unrecorded.map((result) => entryOf(result, call)),
    services,
  );
  // Before the state forgets them: a verdict may be reported twice, and is always reported.
  for (const { passed } of state.unrecorded)
    services.signal(passed ? LOG_METRICS.drillPassed : LOG_METRICS.drillFailed);
  await bucket.save({ ...state, unrecorded: [] }, version);
}

function entryOf({ id, verdict, passed, report, finishedAt }: DrillResult, call: Call) {
  return checkEntry(
    {
      action: "RESTORE_DRILL",
      name: [id],
      asked: { Drill: id },
      result: verdict,
      found: { Passed: passed, Report: report, FinishedAt: finishedAt },
    },
    call,
  );
}

function responseOf({ phase, drill, last }: DrillState, codes: readonly DrillCode[]): DrillResponse {
  return {
    outcome: phase,
    ...(drill === undefined ? {} : { drill: drill.id }),
    ...(last === undefined
      ? {}
      : { last: { drill: last.id, verdict: last.verdict, passed: last.passed, report: last.report } }),
    codes,
  };
}

function badRequest(): LogCheckError {
  return new LogCheckError(
    "BAD_REQUEST",
    'The restore drill takes {"kind":"step"} or {"kind":"start"}, and nothing else. Correct the schedule.',
  );
}
