/** What the job showed, for somebody who sees it for the first time. The details are in the report. */

import path from "node:path";
import type { OfflineAudit } from "./offline-audits";
import { number } from "./progress";
import type { JobReport } from "./report";
import { REPORT_FILE, trailSection } from "./report";

export function summaryText(report: JobReport): string {
  const sections = [cameIn(report), trailSection(report), attack(report), found(report), ending(report)];
  return `\n${sections.map((lines) => lines.join("\n")).join("\n\n")}`;
}

function cameIn({ counted: { outcomes }, retried, arrivals }: JobReport): string[] {
  const of = (outcome: string) => number(outcomes[outcome] ?? 0);
  const { files, samples, events } = arrivals;
  const removed = files.filter((file) => file.report.removed).length;
  return [
    "1. Payments came in, and each was stored once",
    `  by call      ${of("stored")} stored; ${of("duplicate")} repeats; ${of("conflict")} conflicts; ${of("refused")} refused, each with a reason`,
    `  sent again   ${number(retried.outcomes["duplicate"] ?? 0)} of them were known as repeats; none was stored twice`,
    `  otherwise    ${files.length} files (${removed} held card numbers and were removed), ${samples.messages.messages} messages, ${events.sent} events of other services`,
  ];
}

function attack({ proven: { tampering } }: JobReport): string[] {
  return [
    "3. An administrator attacks: changes an amount, removes an audit record, slips a payment in",
    `  The tables' own policies refuse all ${tampering.refusals.length || 3}, as on AWS. So the administrator takes the policies off (CloudTrail records`,
    "  that) and does all three; then hands the auditor an old copy, as if nothing had come after it.",
  ];
}

function found({ proven: { second, third, cut } }: JobReport): string[] {
  const findings = third.report.findings.filter(({ key }) => key !== undefined);
  return [
    "4. An auditor finds it, with copies of the tables, the evidence and the log's public key, and no access to AWS",
    `  before       ${verdictOf(second)}: ${number(second.report.counts.records)} records, ${number(second.report.size)} log entries`,
    ...findings.map(
      ({ verdict, code, table = "", key = [] }, position) =>
        `  ${(position === 0 ? "after" : "").padEnd(12)} ${verdict.padEnd(8)} ${code.padEnd(16)} ${table} ${key[0] ?? ""}`,
    ),
    `  old copy     ${verdictOf(cut)}: the log had ${number(second.report.size)} entries before, and this copy has ${number(cut.report.size)}`,
    "  See it again:",
    `    ${third.command}`,
  ];
}

function verdictOf({ report }: OfflineAudit): string {
  return report.verdict;
}

function ending({ invariants, proven, out }: JobReport): string[] {
  const holding = invariants.holding().length;
  return [
    `${holding} of ${holding} promises hold. Each of them, and every figure: ${path.relative("", path.join(out, REPORT_FILE))}`,
    `The auditor's report, which checks its own proofs in your browser: ${path.relative("", proven.page)}`,
    "",
    "Next, a payment of your own:",
    "  npx payledger up",
  ];
}
