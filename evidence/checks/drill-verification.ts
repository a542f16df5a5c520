/** What a drill verifies the restored tables with: the tables, and the log as it was when the verification began. */

import type { DynamoDBClient } from "@aws-sdk/client-dynamodb";
import type { PieceStore, PieceWork } from "../../ledger/pieces/plan";
import type { EvidenceFolder } from "../verifier/evidence";
import { planIn } from "../verifier/pieces";
import type { RecordSource } from "../verifier/sources";
import type { Drill, DrillState } from "./drill-state";
import { type LogRun, openRun } from "./log-run";
import { scanSource } from "./scan-source";
import { largerOf, sweptCheckpoint } from "./swept-checkpoints";
import { evidenceNow, inPacks } from "./verification";

/** The verification of a drill in pieces. */
export interface DrillPieces {
  readonly count: number;
  /** What its pieces and mergings share. @param part of the run: `partNameOf`. */
  readonly storeOf: (part: string) => PieceStore;
}

interface RestoredTables {
  readonly dynamo: DynamoDBClient;
  readonly scratchName: (deployedName: string) => string;
}

interface DrillVerificationStep extends RestoredTables {
  readonly evidence: EvidenceFolder;
  readonly now: Date;
}

/** The part of a run in pieces that verifies these tables. */
export function partNameOf({ id, attempt }: Drill): string {
  return `${id}.${attempt}`;
}

/** The restored tables as they are now. @param segments as `scanSource` takes them. */
export function restoredSources(
  { tables }: Drill,
  { dynamo, scratchName }: RestoredTables,
  segments?: number,
): RecordSource[] {
  return tables.map(({ table, deployedName, takenAt }) =>
    scanSource(dynamo, {
      table,
      deployedName: scratchName(deployedName),
      takenAt,
      consistent: true,
      ...(segments !== undefined && { segments }),
    }),
  );
}

interface DrillVerification extends LogRun {
  readonly sources: readonly RecordSource[];
  readonly pieces?: PieceWork;
}

/** What the restored tables are verified with, by this call alone or by the results of pieces. */
export async function verificationOf(
  state: DrillState,
  drill: Drill,
  pieces: DrillPieces | undefined,
  step: DrillVerificationStep,
): Promise<DrillVerification> {
  const seen = async () => largerOf(state.checkpoint, await sweptCheckpoint(step.evidence));
  if (pieces === undefined) {
    const evidence = await evidenceNow(step.evidence, step.now);
    return { now: step.now, seen: await seen(), evidence, sources: restoredSources(drill, step) };
  }
  const { count, storeOf } = pieces;
  const store = storeOf(partNameOf(drill));
  const run = await openRun(store, step.evidence, { now: step.now, seen });
  const sources = restoredSources(drill, step, count);
  const plan = await planIn(store, { evidence: run.evidence, sources }, { pieces: count, now: run.now });
  return { ...run, evidence: inPacks(run.evidence, run.now), sources, pieces: { store, plan } };
}
