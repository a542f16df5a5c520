/** Prints what the job found. Every figure was counted or computed in this run. */

import path from "node:path";
import type { AuditView } from "../../ledger/rules/responses";
import type { Arrivals } from "./arrivals";
import type { CountedOutcomes } from "./checks";
import type { ExportChecked } from "./exports";
import type { Invariants, Violation } from "./invariants";
import { ACTORS, type ReadsSummary } from "./ledger-usage";
import type { SamplePayment } from "./payments";
import { type PermissionsAsked, permissionsSection } from "./permissions";
import { number } from "./progress";
import type { ProofResults } from "./proof";
import type { PerformedRead } from "./reader";
import { arrivalSections, exportSection } from "./report-arrivals";
import { proofSection } from "./report-proof";
import type { WriteUnits } from "./tables";

export interface JobReport {
  readonly counted: CountedOutcomes;
  readonly retried: CountedOutcomes;
  readonly arrivals: Arrivals;
  readonly reads: ReadsSummary & { readonly transactions: number };
  readonly readsMade: readonly PerformedRead[];
  readonly samplePayment: SamplePayment;
  readonly samplePaymentTrail: readonly AuditView[];
  readonly exported: ExportChecked;
  readonly proven: ProofResults;
  readonly permissions: PermissionsAsked | undefined;
  readonly writeUnits: WriteUnits;
  readonly invariants: Invariants;
  readonly stacks: readonly string[];
  readonly out: string;
  readonly seconds: number;
}

/** In the folder of the synthesized Terraform. */
export const REPORT_FILE = "report.txt";

export function jobReportText(report: JobReport): string {
  const sections = [
    paymentsSection(report),
    ...arrivalSections(report.arrivals),
    readsSection(report),
    trailSection(report),
    exportSection(report.exported),
    costSection(report.writeUnits),
    proofSection(report.proven),
    permissionsSection(report.permissions),
    invariantsSection(report.invariants),
    nextSection(report),
  ];
  return `\n${sections.map((lines) => lines.join("\n")).join("\n\n")}\n`;
}

function paymentsSection({ counted, retried }: JobReport): string[] {
  const { outcomes, refusals } = counted;
  const row = (name: string, count: number) => `  ${name.padEnd(28)}${number(count).padStart(7)}`;
  const byReason = Object.entries(refusals).sort(([a, x], [b, y]) => y - x || (a < b ? -1 : 1));
  return [
    "Payments",
    row("stored", outcomes["stored"] ?? 0),
    row("duplicates", outcomes["duplicate"] ?? 0),
    row("conflicts", outcomes["conflict"] ?? 0),
    row("broken lines (no JSON)", outcomes["broken"] ?? 0),
    row("refused", outcomes["refused"] ?? 0),
    ...byReason.map(([code, count]) => row(`  ${code}`, count)),
    row("sent again: duplicates", retried.outcomes["duplicate"] ?? 0),
  ];
}

function readsSection({ reads, readsMade }: JobReport): string[] {
  const count = (action: PerformedRead["action"]) => readsMade.filter((read) => read.action === action).length;
  const { byTransaction, byProcessor, failures, transactions } = reads;
  const pages = (count: number) => `${count} ${count === 1 ? "page" : "pages"}`;
  return [
    "Reads, each with its audit record",
    `  ${readsMade.length} reads audited: ${count("READ")} READ, ${count("REVEAL")} REVEAL, ${count("AUDIT_READ")} AUDIT_READ`,
    `  ${ACTORS.refunds} read ${byTransaction} payments one by one, one of them unknown`,
    `  ${ACTORS.risk} read ${byProcessor.payments} payments of ${byProcessor.processor} (${pages(byProcessor.pages)}),` +
      ` ${failures.payments} failures (${pages(failures.pages)}), and later a forged row that was refused`,
    `  ${ACTORS.refunds} and ${ACTORS.risk} asked query_transactions ${transactions} times`,
    `  ${ACTORS.support} revealed one token; ${ACTORS.auditor} and ${ACTORS.lead} read the audit trail`,
  ];
}

export function trailSection({
  samplePayment,
  samplePaymentTrail,
}: Pick<JobReport, "samplePayment" | "samplePaymentTrail">): string[] {
  const rows = samplePaymentTrail.map((record) => [
    record.RecordedAt.slice(11, 23),
    record.Action,
    record.Actor,
    short(record.AuditID),
    whatHappened(record, samplePayment),
  ]);
  const heading = ["time (UTC)", "action", "actor", "AuditID", "what"];
  const widths = heading.map((title, column) => Math.max(title.length, ...rows.map((row) => row[column]?.length ?? 0)));
  const line = (cells: readonly string[]) =>
    `  ${cells.map((cell, column) => cell.padEnd(widths[column] ?? 0)).join("  ")}`.trimEnd();
  return [
    `2. Who did what with payment ${samplePayment.TransactionID}: the audit trail, as ${ACTORS.auditor} reads it`,
    line(heading),
    ...rows.map(line),
  ];
}

function short(auditId: string): string {
  return auditId.length > 12 ? `${auditId.slice(0, 10)}..` : auditId;
}

function whatHappened(record: AuditView, samplePayment: SamplePayment): string {
  const details = (record.QueryDetails ?? {}) as Readonly<Record<string, unknown>>;
  const reason = typeof details["Reason"] === "string" ? `: ${details["Reason"]}` : "";
  if (record.Origin === "EVENT") return `told by another service (${record.query_result ?? "no result"})`;
  if (record.PartOf !== undefined) return `returned in the list of ${short(record.PartOf)}`;
  switch (record.Action) {
    case "CONFLICT":
      if (record.RepeatOf !== undefined) return `refused the same content as ${short(record.RepeatOf)} again`;
      return `refused other content (${differing(details["Attempted"], samplePayment)})`;
    case "UPDATE":
      return `${String(details["From"])} to ${String(details["To"])}, version ${String(details["Version"])}${reason}`;
    default:
      return `${record.query_result ?? ""}${reason}`;
  }
}

/** The trail keeps what was attempted but never the token, so no visible difference means another token. */
function differing(attempted: unknown, samplePayment: SamplePayment): string {
  const other = (attempted ?? {}) as Readonly<Record<string, unknown>>;
  const differ = (["Amount", "Status"] as const).filter(
    (field) => other[field] !== undefined && !same(field, other, samplePayment),
  );
  return differ.length === 0 ? "another token" : differ.map((field) => `${field} ${String(other[field])}`).join(", ");
}

function same(
  field: "Amount" | "Status",
  other: Readonly<Record<string, unknown>>,
  samplePayment: SamplePayment,
): boolean {
  const value = String(other[field]);
  return field === "Amount" ? Number(value) === Number(samplePayment.Amount) : value === samplePayment.Status;
}

function costSection({ rowBytes, recordBytes, table, indexes }: WriteUnits): string[] {
  return [
    "DynamoDB write units of one payment, computed from the stored items' sizes",
    `  ${(table + indexes).toFixed(2)} on average: row (${number(Math.round(rowBytes))} bytes) and WRITE record` +
      ` (${number(Math.round(recordBytes))} bytes) in one transaction ${table.toFixed(2)}, index entries, counted once, ${indexes.toFixed(2)}`,
  ];
}

export function invariantsSection(invariants: Invariants): string[] {
  const broken = invariants.broken();
  const holding = invariants.holding().map(({ rule, extent }) => `  holds   ${rule} [${extent}]`);
  return [
    broken.length === 0 ? "Promises: all hold" : `Promises: ${broken.length} BROKEN`,
    ...holding,
    ...broken.flatMap(brokenLines),
  ];
}

function brokenLines({ code, rule, remedy, faults }: Violation): string[] {
  return [
    `  BROKEN  ${code}`,
    ...faults.map((fault) => `    What:   ${fault}`),
    `    Rule:   ${rule}`,
    `    Remedy: ${remedy}`,
  ];
}

export function nextSection({
  stacks,
  out,
  seconds,
  invariants,
}: Pick<JobReport, "stacks" | "out" | "seconds" | "invariants">): string[] {
  const folder = path.relative("", out) || ".";
  const usual = folder === "cdktf.out";
  const terraform = (stack: string) => {
    const chdir = `terraform -chdir=${path.join(folder, "stacks", stack)}`;
    return `  ${chdir} init && ${chdir} apply`;
  };
  return [
    `Terraform of the environment dev lies in ${path.join(folder, "stacks")} (${stacks.join(", ")}). To deploy it to AWS:`,
    ...(usual ? [`  npx cdktf deploy ${stacks.join(" ")}`, "or with Terraform alone, in this order:"] : []),
    ...stacks.map(terraform),
    "",
    `${invariants.broken().length === 0 ? "Success" : "FAILED"} in ${seconds.toFixed(1)} s.`,
  ];
}
