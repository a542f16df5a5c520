/** The report's section about the sealed log: what was verified, what was tampered with, and what the auditor found. */

import path from "node:path";
import type { OfflineAudit } from "./offline-audits";
import { number } from "./progress";
import type { ProofResults } from "./proof";

export function proofSection({ first, second, single, tampering, third, cut, page }: ProofResults): string[] {
  const { counts, size } = second.report;
  const findings = third.report.findings.map(({ verdict, code, table = "", key = [], leaf }) => {
    const where = leaf === undefined ? "" : `, entry ${leaf}`;
    return `    ${verdict.padEnd(8)} ${code.padEnd(16)} ${table} ${short(key[0] ?? "")}${where}`;
  });
  return [
    "The sealed log, as an auditor verifies it with copies of tables and evidence and the public key",
    `  first visit    ${verdictOf(first)}; its checkpoint of ${number(first.report.size)} entries is kept`,
    `  second visit   ${verdictOf(second)}: ${number(counts.records)} records, ${number(counts.pairs)} payments with their WRITE records, ${number(size)} entries`,
    `  one payment    proof of ${number(single.bytes)} bytes, checked in ${single.milliseconds.toFixed(1)} ms with the record and the key alone`,
    "  then, as an administrator, first with the tables' policies in place:",
    ...tampering.refusals.map((message) => `    refused: ${message}`),
    "  so the administrator takes the two policies off, which CloudTrail records, and tries again:",
    `    the amount of ${tampering.changedId} changed, the audit record ${short(tampering.removedId)}`,
    `    removed, ${tampering.forgedId} inserted`,
    `  third visit    ${verdictOf(third)}`,
    ...findings,
    `  as a page that checks its own proofs in a browser: ${path.relative("", page)}`,
    "  then the first visit's copy is handed over once more, as if nothing had come after it",
    `  tail cut off   ${verdictOf(cut)}: ${cut.report.findings.find(({ code }) => code === "LOG_WENT_BACK")?.message ?? ""}`,
    "  To see it again:",
    ...[second, third, cut].map(({ command }) => `    ${command}`),
  ];
}

function verdictOf({ report }: OfflineAudit): string {
  return report.verdicts.join(", ");
}

function short(id: string): string {
  return id.length > 16 ? `${id.slice(0, 14)}..` : id;
}
