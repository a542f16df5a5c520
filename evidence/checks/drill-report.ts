/** What a drill found: the restored tables compared with the log, and the object that records the result permanently. */

import * as z from "zod";
import { EXPORT_PREFIXES } from "../../contract";
import { VERDICTS, type VerificationReport } from "../verifier/report";
import type { Drill, DrillResult } from "./drill-state";
import { isGood, withoutItems } from "./verification";

export function reportKeyOf(drillId: string): string {
  return `${EXPORT_PREFIXES.drills}${drillId}.json`;
}

/** @param verification absent when it never came to one. */
export function drillReport(
  drill: Drill,
  problems: readonly string[],
  verification: VerificationReport | undefined,
  now: Date,
): string {
  const verdict = verification?.verdict ?? "incomplete";
  const report = {
    format: 1,
    drill: drill.id,
    finishedAt: now.toISOString(),
    verdict,
    passed: isGood(verdict) && problems.length === 0,
    exports: drill.tables.map(({ table, takenAt, dataFolder, items }) => ({ table, takenAt, dataFolder, items })),
    problems,
    ...(verification === undefined ? {} : { verification: withoutItems(verification) }),
  };
  return `${JSON.stringify(report, undefined, 2)}\n`;
}

const resultInReport = z.object({
  drill: z.iso.datetime(),
  finishedAt: z.iso.datetime(),
  verdict: z.enum(VERDICTS),
  passed: z.boolean(),
});

/** The result in the stored report; an earlier try of the same drill may have written it. */
export function resultOf(reportText: string): DrillResult {
  const { drill: id, finishedAt, verdict, passed } = resultInReport.parse(JSON.parse(reportText));
  return { id, verdict, passed, report: reportKeyOf(id), finishedAt };
}
