/** A check of exports in pieces, from its first round to its report, as a state machine drives it. */

import { type CheckOptions, judgeExports } from "../../backup/check";
import { piecedCheckReadings, readCheckPiece } from "../../backup/check-pieces";
import { CheckFindings, type CheckReport } from "../../backup/findings";
import { prepareCheck } from "../../backup/prepared-check";
import type { ExportFolder } from "../../ledger/exports/folder";
import { packed, unpacked } from "../../ledger/pieces/packed";
import { openPlan, PiecesLeft } from "../../ledger/pieces/plan";
import { memoryStore } from "./pieces";

/** The first reading, and one for each table that differs. */
const ROUNDS_MAX = 6;

export async function checkInPieces(
  folder: ExportFolder,
  { tableOf = () => undefined, planOf }: Pick<CheckOptions, "tableOf" | "planOf">,
  pieces: number,
): Promise<CheckReport> {
  const store = memoryStore();
  const first = new CheckFindings();
  const found = await prepareCheck(folder, first, planOf);
  // As it is kept between the calls.
  const prepare = () => unpacked<typeof found>(packed(found));
  const plan = await openPlan(store, "test", { pieces, now: new Date() });
  for (let round = 0; round < ROUNDS_MAX; round++) {
    try {
      const [readings] = await piecedCheckReadings({ store, plan }, 1);
      if (readings === undefined) throw new Error("The check has no readings.");
      const findings = new CheckFindings();
      findings.addAll(first.state);
      const isCompared = (name: string) => tableOf(name) !== undefined;
      return await judgeExports(prepare(), { findings, readings, isCompared, outOfTime: () => false });
    } catch (error) {
      if (!(error instanceof PiecesLeft)) throw error;
      const prepared = prepare();
      const checks = [{ prepared, folder, listed: prepared.listed, tableOf }];
      // In any order: each is read apart from the others.
      for (const piece of error.left.toReversed()) {
        await readCheckPiece({ store, plan, piece, checks, checkDeadline: () => {} });
      }
    }
  }
  throw new Error(`The check has not ended in ${ROUNDS_MAX} rounds.`);
}
