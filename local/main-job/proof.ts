/**
 * The act that convinces: the auditor verifies, an administrator tampers (which the tables' policies refuse until they are
 * taken off), the auditor verifies again and must find each act; then the tail is cut off, which only who kept a checkpoint can notice.
 */

import { statSync } from "node:fs";
import path from "node:path";
import { performance } from "node:perf_hooks";
import { TABLES } from "../../contract";
import type { Finding } from "../../evidence/verifier/report";
import { derivedAuditId } from "../../ledger/rules/identifiers";
import type { OfflineAudit, OfflineAudits } from "./offline-audits";
import type { SamplePayment } from "./payments";
import { number } from "./progress";
import type { Session } from "./session";
import { takeSnapshot } from "./tables";
import { readForged, type Tampering, tamper } from "./tampering";

export interface SinglePayment {
  readonly bytes: number;
  readonly milliseconds: number;
  readonly text: string;
}

export interface ProofResults {
  readonly first: OfflineAudit;
  readonly second: OfflineAudit;
  readonly single: SinglePayment;
  readonly tampering: Tampering;
  readonly third: OfflineAudit;
  readonly cut: OfflineAudit;
  /** The report of the third visit, as a page. */
  readonly page: string;
}

const LEDGER = TABLES.paymentLedger.logicalName;
/** The first run of the code is slower than all others. */
const TIMED_RUNS = 5;

/** The auditor's visits before anybody tampers, and the proof of one payment. */
type Untouched = Pick<ProofResults, "first" | "second" | "single">;

export async function verifyAll(
  { audits, invariants, progress }: Session,
  first: OfflineAudit,
  samplePayment: SamplePayment,
): Promise<Untouched> {
  progress.begin("Verify all records against the sealed log");
  const second = await audits.audit("second-visit", first);
  progress.end(`${second.report.verdict}: ${number(second.report.counts.records)} records`);
  invariants.record("LOG_NOT_OK", `${number(second.report.counts.leaves)} entries`, verdictDiffers(second, "ok"));
  const single = await proveOne(audits, second, samplePayment);
  invariants.record("PROOF_FAILS", "1 payment", single.faults);
  return { first, second, single };
}

export async function proveTampering(session: Session, untouched: Untouched): Promise<ProofResults> {
  const { environment, deployment, reader, audits, invariants, progress } = session;
  const { first, second } = untouched;
  progress.begin("Tamper as an administrator: refused, so take the tables' policies off; then verify again");
  const tampering = await tamper(environment, await takeSnapshot(environment.dynamo, deployment));
  invariants.record("TABLE_POLICY_IGNORED", "3 acts", policyIgnored(tampering, deployment.gate !== undefined));
  invariants.record("FORGERY_ACCEPTED", "1 forged row", await readForged(reader));
  const third = await audits.audit("third-visit", second);
  progress.end(`${third.report.verdicts.join(", ")}`);
  invariants.record("TAMPERING_UNNAMED", "3 acts", tamperingUnnamed(third, tampering));
  progress.begin("Hand over the first visit's copy: the tail is cut off");
  const cut = await audits.handedOver(first, "tail-cut-off", second);
  progress.end(cut.report.verdict);
  invariants.record("CUT_UNNOTICED", `${second.report.size - first.report.size} entries`, cutUnnoticed(cut));
  return { ...untouched, tampering, third, cut, page: audits.page };
}

function verdictDiffers({ report }: OfflineAudit, wanted: string): string[] {
  if (report.verdict === wanted) return [];
  return [`the verdict is ${report.verdict}`, ...report.findings.map(({ code, message }) => `${code}: ${message}`)];
}

/** The sample payment's WRITE record, proven from the second visit's copy, then checked with the proof, the record and the key alone. */
async function proveOne(audits: OfflineAudits, visit: OfflineAudit, samplePayment: SamplePayment) {
  const auditId = derivedAuditId("WRITE", LEDGER, samplePayment.TransactionID);
  const proof = path.join(visit.folder, "payment.tlog-proof");
  const made = await audits.runAuditorCommand([
    ...["prove", auditId, "--evidence", path.join(visit.folder, "evidence")],
    ...["--export", path.join(visit.folder, "tables"), "--key", audits.keyFile, "--out", proof],
  ]);
  const record = path.join(visit.folder, "payment.record.json");
  const check = () => audits.runAuditorCommand(["verify-proof", proof, "--record", record, "--key", audits.keyFile]);
  const times: number[] = [];
  let checked = await check();
  for (let run = 0; run < TIMED_RUNS; run++) {
    const startedAt = performance.now();
    checked = await check();
    times.push(performance.now() - startedAt);
  }
  const faults = [made, checked].filter(({ exitCode }) => exitCode !== 0).map(({ text }) => text);
  return { bytes: statSync(proof).size, milliseconds: Math.min(...times), text: checked.text, faults };
}

/** Each act has its finding, of the verdict that fits, about exactly that record. */
export function tamperingUnnamed({ report }: OfflineAudit, { changedId, removedId, forgedId }: Tampering): string[] {
  const wanted: [Finding["verdict"], string, string][] = [
    ["altered", changedId, "the changed amount"],
    ["missing", removedId, "the removed audit record"],
    ["forged", forgedId, "the forged payment"],
  ];
  return wanted.flatMap(([verdict, id, what]) => {
    const named = report.findings.some((finding) => finding.verdict === verdict && finding.key?.[0] === id);
    return named ? [] : [`${what} is not named as ${verdict}`];
  });
}

/** Each of the three acts is refused by the table's own policy, whatever the administrator's policy allows. */
export function policyIgnored({ refusals }: Tampering, isEnforced: boolean): string[] {
  const byTable = refusals.filter((message) => message.includes("explicit deny in a resource-based policy"));
  return !isEnforced || byTable.length === 3 ? [] : [`${byTable.length} of 3 acts were refused by the table's policy`];
}

function cutUnnoticed(cut: OfflineAudit): string[] {
  const noticed = cut.report.findings.some(({ code }) => code === "LOG_WENT_BACK");
  return noticed ? [] : verdictDiffers(cut, "stale");
}
