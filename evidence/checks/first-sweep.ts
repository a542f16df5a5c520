/** Whether a sweep that remembers no earlier one can be the first of its log. */

import { parseCheckpoint } from "../log/checkpoint";
import { CHECKPOINT_PATH } from "../log/paths";
import { readEntry } from "../verifier/entries";
import type { EvidenceFolder } from "../verifier/evidence";
import { bundlesOf, upwards } from "../verifier/log-entries";
import { type Finding, VERDICTS, type VerificationReport } from "../verifier/report";

/** The sweep is daily. */
const FIRST_SWEEP_MAX_MS = 26 * 60 * 60 * 1000;

/** The report, with a finding where the log is too old for its first sweep. Called with a log that was verified. */
export async function withoutMemory(
  report: VerificationReport,
  evidence: EvidenceFolder,
  now: Date,
): Promise<VerificationReport> {
  const since = await firstHeartbeatAt(evidence);
  if (since === undefined || now.getTime() - Date.parse(since) <= FIRST_SWEEP_MAX_MS) return report;
  const finding: Finding = {
    verdict: "incomplete",
    code: "SWEEP_FORGOTTEN",
    message:
      `The log exists since ${since}, and no sweep has left what it verified: neither in the log-state table nor under ` +
      "sweeps/ of the evidence. Whether the log was put back since the last sweep was not seen. Find out who removed both.",
  };
  const verdicts = VERDICTS.filter(
    (verdict) => verdict === finding.verdict || (verdict !== "ok" && report.verdicts.includes(verdict)),
  );
  return { ...report, verdict: verdicts[0] ?? finding.verdict, verdicts, findings: [...report.findings, finding] };
}

/** Undefined for a log without a heartbeat, or none that can be read. */
async function firstHeartbeatAt(evidence: EvidenceFolder): Promise<string | undefined> {
  const checkpoint = await evidence.read(CHECKPOINT_PATH);
  const size = checkpoint === undefined ? 0 : parseCheckpoint(checkpoint).size;
  for await (const { entries = [] } of bundlesOf(evidence, size, upwards(size))) {
    for (const bytes of entries) {
      const entry = readEntry(bytes);
      if (entry?.kind === "HEARTBEAT") return entry.time;
    }
  }
  return undefined;
}
