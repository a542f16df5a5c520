/** The stages of the job. Each says what it does, does it, and records which invariants hold. */

import { TABLES } from "../../contract";
import { textOf } from "../../ledger/rules/stored-item";
import { checkArrivals } from "./arrival-checks";
import { type Arrivals, startArrivals } from "./arrivals";
import { everyObject } from "./buckets";
import {
  CALLED_BY_OTHERS,
  type CountedOutcomes,
  checkEndings,
  checkLogs,
  checkObjects,
  checkRetry,
  checkSecretsAtRest,
  checkTables,
  countEndings,
  readsAndRecordsDiffer,
  recordsOf,
} from "./checks";
import { codesOf, type ExportChecked, exportAndCheck, exportDiffers, untilExportable } from "./exports";
import { changeStatus, ENCRYPTED_DETAILS, readBack, readTransactions, sendPortalEvents } from "./ledger-usage";
import { readLogs } from "./logs";
import type { OfflineAudit } from "./offline-audits";
import { pickSamplePayment, type SamplePayment, storedPayments } from "./payments";
import { number } from "./progress";
import { queuesWithMessages } from "./queues";
import { clearTokensOf, Secrets } from "./secrets";
import { sendLines } from "./send-lines";
import { readGapDiffers } from "./service-events";
import type { Session } from "./session";
import { type Snapshot, takeSnapshot } from "./tables";
import { readTrail, type TrailReadings, unauditedReads, unrecordedEvents } from "./trail-readings";

/** How much of the file is sent a second time, from its beginning. */
const SENT_AGAIN_LINES = 400;

export interface RecordedInput {
  readonly counted: CountedOutcomes;
  readonly seconds: number;
  readonly snapshot: Snapshot;
  /** By then all of it was recorded. */
  readonly recordedUntil: Date;
  readonly payments: readonly SamplePayment[];
  readonly samplePayment: SamplePayment;
  readonly arrivals: Arrivals;
}

/** Files, messages and events go their own way while the ledger is called. */
export async function sendAll(session: Session): Promise<RecordedInput> {
  const { environment, lines, calls, samples, progress, expected, invariants } = session;
  progress.begin("Drop files, send messages and events");
  const finishArrivals = await startArrivals(environment, calls, samples);
  progress.end("on their way");
  progress.begin("Feed the payments");
  const startedAtMs = Date.now();
  const { endings, calls: callCount } = await sendLines(lines, calls, progress);
  const seconds = (Date.now() - startedAtMs) / 1000;
  progress.end(`${number(lines.length)} lines in ${callCount} calls`);
  progress.begin("Await files, messages and events, drop and send the rest");
  const arrivals = await finishArrivals();
  progress.end(`${arrivals.files.length} files, ${samples.messages.messages} messages, ${arrivals.events.sent} events`);
  const recordedUntil = new Date();
  const counted = checkEndings(lines, endings, expected, invariants);
  const snapshot = await takeSnapshot(environment.dynamo, session.deployment);
  const payments = storedPayments(lines, endings, expected);
  checkTables(snapshot, payments, expected, invariants);
  checkArrivals(snapshot, arrivals, invariants);
  const samplePayment = pickSamplePayment(payments, lines, expected);
  return { counted, seconds, snapshot, recordedUntil, payments, samplePayment, arrivals };
}

/** An auditor comes by early, and keeps the checkpoint that he saw. Nothing pins the end of a log on a first visit. */
export async function firstAudit({ audits, progress }: Session): Promise<OfflineAudit> {
  progress.begin("An auditor's first visit: copy tables and evidence, verify, keep the checkpoint");
  await audits.pinKeys();
  const visit = await audits.audit("first-visit");
  const isExpected = visit.report.verdict === "tail-not-pinned";
  progress.end(`${visit.report.verdict}${isExpected ? " (as good as a first visit can be)" : ""}`);
  return visit;
}

export async function sendAgain(session: Session, before: Snapshot): Promise<CountedOutcomes> {
  const { lines, calls, progress, expected, invariants } = session;
  const part = lines.slice(0, SENT_AGAIN_LINES);
  progress.begin("Feed a part again");
  const { endings } = await sendLines(part, calls, progress);
  progress.end(`${number(part.length)} lines`);
  const after = await takeSnapshot(session.environment.dynamo, session.deployment);
  checkRetry(before, after, endings, expected, invariants);
  return countEndings(endings.values());
}

export async function useLedger(
  { calls, reader, invariants, progress }: Session,
  { samplePayment: recorded, payments }: RecordedInput,
) {
  progress.begin("Change, read, reveal, tell events");
  const samplePayment = await changeStatus(calls, recorded, invariants);
  const ledger = await readBack(reader, samplePayment, payments, invariants);
  const transactions = await readTransactions(reader, invariants);
  const eventFaults = await sendPortalEvents(calls, samplePayment, new Date());
  progress.end(`${reader.made.length} reads`);
  return { samplePayment, reads: { ...ledger, transactions }, eventFaults };
}

export async function readAuditTrail(
  { reader, invariants, progress, startedAt, deployment, environment }: Session,
  samplePayment: SamplePayment,
  eventFaults: readonly string[],
): Promise<TrailReadings> {
  progress.begin("Audit the reads");
  const audited = await readTrail(reader, samplePayment.TransactionID, startedAt);
  progress.end(`${audited.records.length} records looked up`);
  const final = await takeSnapshot(environment.dynamo, deployment);
  const gapFaults = readGapDiffers(audited.gapTrail.map(({ Action }) => Action));
  const faults = [...unauditedReads(audited, reader), ...readsAndRecordsDiffer(final, reader.made), ...gapFaults];
  invariants.record("READ_UNAUDITED", `${reader.made.length} reads`, faults);
  invariants.record("EVENTS_DIFFER", "4 events, sent twice", [...eventFaults, ...unrecordedEvents(audited)]);
  return audited;
}

export async function exportAll(session: Session, { snapshot, recordedUntil }: RecordedInput): Promise<ExportChecked> {
  const { environment, calls, invariants, progress } = session;
  progress.begin("Export all tables as of the next full minute, check the export, damage it, check again");
  await untilExportable(recordedUntil);
  const exported = await exportAndCheck(environment, calls);
  progress.end(`${exported.scheduled.outcome}, then ${exported.damaged.outcome}: ${codesOf(exported.damaged)}`);
  const tables = Object.keys(TABLES).length;
  const stored = Object.values(snapshot).reduce((sum, items) => sum + items.size, 0);
  invariants.record("EXPORT_DIFFERS", `${tables} tables`, exportDiffers(exported, tables, stored));
  return exported;
}

export async function inspect({ environment, deployment, calls, lines, samples, ...session }: Session): Promise<void> {
  const { expected, invariants, progress } = session;
  progress.begin("Search tables, buckets and logs for secrets");
  const cardNumbers = [...expected.cardNumbers, samples.files.cardNumbers, samples.messages.cardNumbers];
  const secrets = new Secrets([...clearTokensOf(lines), ...ENCRYPTED_DETAILS], cardNumbers);
  checkSecretsAtRest(await takeSnapshot(environment.dynamo, deployment), secrets, invariants);
  const objects = [
    ...(await everyObject(environment.s3, environment.filesBucket)),
    ...(await everyObject(environment.s3, environment.exportBucket)),
    ...(await everyObject(environment.s3, environment.evidenceBucket)),
  ];
  checkObjects(objects, secrets, invariants);
  const wanted = new Map(calls.made);
  for (const id of CALLED_BY_OTHERS) wanted.set(id, (calls.made.get(id) ?? 0) + 1);
  checkLogs(await readLogs(deployment, wanted), calls, secrets, invariants);
  const { queues, faults } = await queuesWithMessages(environment);
  invariants.record("QUEUE_NOT_EMPTY", `${queues} queues`, faults);
  progress.end(`${number(secrets.count)} values`);
}

/** Each stored payment's row with its WRITE record. */
export function pairsOf({ ledger, trail }: Snapshot) {
  const records = recordsOf(trail, "WRITE", TABLES.paymentLedger.logicalName);
  const writes = new Map(records.map((record) => [textOf(record, "TransactionID") ?? "", record]));
  return [...ledger].flatMap(([id, row]) => {
    const record = writes.get(id);
    return record === undefined ? [] : [{ row, record }];
  });
}
