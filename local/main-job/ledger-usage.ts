/**
 * What people and services do with recorded payments: change a status, read, reveal a token, tell the trail what they
 * did elsewhere. Every answer is compared with what was sent.
 */

import { isDeepStrictEqual } from "node:util";
import type { LedgerCalls } from "./calls";
import { DIRECT_READ } from "./direct";
import type { Invariants } from "./invariants";
import { type SamplePayment, tenThousandths } from "./payments";
import { number } from "./progress";
import type { Reader } from "./reader";

export const ACTORS = {
  support: "support-desk",
  refunds: "refund-service",
  risk: "risk-analyst",
  auditor: "auditor",
  lead: "lead-auditor",
  orders: "order-service",
} as const;

/** Free texts that audit records keep encrypted; they are searched for in tables and logs. */
const STATUS_REASON = "approved late by the processor, ticket 4711";
const REVEAL_REASON = "cardholder disputes the payment, case 0815";
const READ_REASON = "refund requested by the customer";
const EVENT_DETAIL = "opened in the back office by a clerk";
export const ENCRYPTED_DETAILS = [STATUS_REASON, REVEAL_REASON, READ_REASON, EVENT_DETAIL];

const UNKNOWN_ID = "no-such-payment";
/** It comes in two files, and once in a file twice. */
const READ_OF_FILE = "alpha-20250901-0001";
const READ_ONE_BY_ONE = 5;
const HOUR_MS = 60 * 60 * 1000;
const RANGE_DAYS_MAX = 31;
const PAGE_LENGTH = 50;

export async function changeStatus(
  calls: LedgerCalls,
  samplePayment: SamplePayment,
  invariants: Invariants,
): Promise<SamplePayment> {
  const Status = samplePayment.Status === "Failure" ? "Success" : "Failure";
  const change = {
    TransactionID: samplePayment.TransactionID,
    ExpectedStatus: samplePayment.Status,
    Status,
    Reason: STATUS_REASON,
    Actor: ACTORS.refunds,
  };
  const faults: string[] = [];
  for (const outcome of ["updated", "duplicate"] as const) {
    const answer = await calls.changeStatus(change);
    if (answer.outcome === outcome && answer.Status === Status && answer.Version === 2) continue;
    faults.push(`the ${outcome === "updated" ? "change" : "repeated change"} was answered ${answer.outcome}`);
  }
  invariants.record("STATUS_CHANGE_DIFFERS", "1 change, sent twice", faults);
  return { ...samplePayment, Status };
}

export interface ReadsSummary {
  readonly byTransaction: number;
  readonly byProcessor: { readonly processor: string; readonly payments: number; readonly pages: number };
  readonly failures: { readonly payments: number; readonly pages: number };
}

/** @param payments the stored ones, with the current status of the sample payment. */
export async function readBack(
  reader: Reader,
  samplePayment: SamplePayment,
  payments: readonly SamplePayment[],
  invariants: Invariants,
): Promise<ReadsSummary> {
  const faults: string[] = [];
  const one = [samplePayment, ...payments.filter(({ TransactionID }) => TransactionID !== samplePayment.TransactionID)];
  for (const payment of one.slice(0, READ_ONE_BY_ONE)) faults.push(...(await readOne(reader, payment)));
  const missing = await reader.ledger(ACTORS.refunds, { Query: "transaction", TransactionID: UNKNOWN_ID });
  if (missing.payments.length > 0) faults.push("an unknown id returned a payment");
  const byProcessor = await readProcessor(reader, samplePayment, payments, faults);
  const failures = await readFailures(reader, samplePayment, payments, faults);
  const revealed = await reader.reveal(ACTORS.support, samplePayment.TransactionID, REVEAL_REASON);
  if (revealed !== samplePayment.SecureToken) faults.push("the revealed token is not the one that was sent");
  const byTransaction = Math.min(READ_ONE_BY_ONE, one.length) + 1;
  const total = byTransaction + byProcessor.pages + failures.pages + 1;
  invariants.record("READS_DIFFER", `${number(total)} reads`, faults);
  return { byTransaction, byProcessor, failures };
}

async function readOne(reader: Reader, sent: SamplePayment): Promise<string[]> {
  const query = { Query: "transaction", TransactionID: sent.TransactionID, Reason: READ_REASON };
  const { payments } = await reader.ledger(ACTORS.refunds, query);
  const [found] = payments;
  const same =
    payments.length === 1 &&
    found?.TransactionID === sent.TransactionID &&
    found.SecureToken === "****" &&
    found.Status === sent.Status &&
    found.ProcessorID === sent.ProcessorID &&
    tenThousandths(found.Amount) === tenThousandths(sent.Amount);
  return same ? [] : [`${sent.TransactionID} does not read back as it was sent`];
}

/** What came as `payment_data` and as a file, and one that never came. */
export async function readTransactions(reader: Reader, invariants: Invariants): Promise<number> {
  const faults: string[] = [];
  const [direct, ...more] = await reader.transactions(ACTORS.refunds, DIRECT_READ.transactionId, READ_REASON);
  const { timestamp: _timestamp, processedAt: _processedAt, status: _status, ...content } = direct ?? {};
  if (more.length > 0 || !isDeepStrictEqual(content, DIRECT_READ))
    faults.push("payment_data does not read back as sent");
  const ofFile = await reader.transactions(ACTORS.risk, READ_OF_FILE, READ_REASON);
  if (ofFile.length !== 1) faults.push(`${READ_OF_FILE} has ${ofFile.length} records instead of 1`);
  const unknown = await reader.transactions(ACTORS.risk, UNKNOWN_ID, READ_REASON);
  if (unknown.length > 0) faults.push("an unknown transaction was returned");
  if ((await reader.paymentOfMessage(ACTORS.risk, UNKNOWN_ID, READ_REASON)) > 0)
    faults.push("an unknown payment of a message was returned");
  invariants.record("TRANSACTIONS_DIFFER", "4 reads", faults);
  return 4;
}

/** One processor's payments of half a day around the sample payment. */
async function readProcessor(
  reader: Reader,
  samplePayment: SamplePayment,
  payments: readonly SamplePayment[],
  faults: string[],
) {
  const moment = momentOf(samplePayment);
  const range = { from: moment - 6 * HOUR_MS, to: moment + 6 * HOUR_MS };
  const wanted = payments.filter(
    (payment) => payment.ProcessorID === samplePayment.ProcessorID && isWithin(payment, range),
  );
  const query = { Query: "processor", ProcessorID: samplePayment.ProcessorID, ...asQuery(range) };
  const read = await reader.ledger(ACTORS.risk, query);
  faults.push(...difference(`payments of ${samplePayment.ProcessorID}`, wanted, read.payments));
  return { processor: samplePayment.ProcessorID, payments: read.payments.length, pages: read.pages };
}

/** All failures of the file's time, as far as one query reaches, in pages short enough that there are several. */
async function readFailures(
  reader: Reader,
  samplePayment: SamplePayment,
  payments: readonly SamplePayment[],
  faults: string[],
) {
  const from = Math.min(...payments.map(momentOf).filter((moment) => !Number.isNaN(moment)));
  const to = from + (RANGE_DAYS_MAX - 1) * 24 * HOUR_MS;
  const now = payments.map((payment) =>
    payment.TransactionID === samplePayment.TransactionID ? samplePayment : payment,
  );
  const wanted = now.filter((payment) => payment.Status === "Failure" && isWithin(payment, { from, to }));
  const query = { Query: "failures", ...asQuery({ from, to }), Limit: PAGE_LENGTH };
  const read = await reader.ledger(ACTORS.risk, query);
  faults.push(...difference("failures", wanted, read.payments));
  return { payments: read.payments.length, pages: read.pages };
}

interface Moments {
  readonly from: number;
  readonly to: number;
}

function momentOf({ Timestamp }: SamplePayment): number {
  return Timestamp === undefined ? Number.NaN : Date.parse(Timestamp);
}

function isWithin(payment: SamplePayment, { from, to }: Moments): boolean {
  const moment = momentOf(payment);
  return moment >= from && moment <= to;
}

function asQuery({ from, to }: Moments) {
  return { From: new Date(from).toISOString(), To: new Date(to).toISOString() };
}

interface Found {
  readonly TransactionID: string;
  readonly SecureToken: string;
  readonly Timestamp: string;
}

/** Wanted and found must be the same payments, in order of time, tokens masked. */
function difference(what: string, wanted: readonly SamplePayment[], found: readonly Found[]): string[] {
  const foundIds = new Set(found.map(({ TransactionID }) => TransactionID));
  const missing = wanted.filter(({ TransactionID }) => !foundIds.has(TransactionID)).length;
  const times = found.map(({ Timestamp }) => Timestamp);
  const faults = [];
  if (missing > 0) faults.push(`${missing} ${what} were not returned`);
  if (found.length !== wanted.length) faults.push(`${found.length} ${what} came back instead of ${wanted.length}`);
  if (times.some((time, index) => index > 0 && time < (times[index - 1] ?? ""))) faults.push(`${what} out of order`);
  if (found.some(({ SecureToken }) => SecureToken !== "****")) faults.push(`${what} with an unmasked token`);
  return faults;
}

/** Two vocabularies for one access, both at once, and one event whose two names contradict each other. */
export async function sendPortalEvents(calls: LedgerCalls, samplePayment: SamplePayment, at: Date): Promise<string[]> {
  const moment = at.toISOString();
  const id = samplePayment.TransactionID;
  const portal = {
    AuditID: "portal-event-1",
    TransactionID: id,
    Action: "READ",
    Actor: "back-office-portal",
    Timestamp: moment,
    QueryDetails: { screen: "payment", note: EVENT_DETAIL },
    Response: { shown: ["Amount", "Status"] },
  };
  const questions = {
    AuditID: "portal-event-2",
    TransactionID: id,
    user_id: "clerk-17",
    timestamp: moment,
    query_record_id: id,
    response_record_ids: [id],
    query_result: "success",
  };
  const both = { ...questions, AuditID: "portal-event-3", Actor: "clerk-17", Timestamp: moment, Action: "EXPORT" };
  const contradicting = { ...both, AuditID: "portal-event-4", user_id: "clerk-18" };
  const events = [portal, questions, both, contradicting];
  const first = await calls.persistEvents({ schemaVersion: 1, events });
  const again = await calls.persistEvents(events);
  return [
    ...outcomesDiffer("first", first.results, ["stored", "stored", "stored", "VOCABULARY_CONFLICT"]),
    ...outcomesDiffer("second", again.results, ["duplicate", "duplicate", "duplicate", "VOCABULARY_CONFLICT"]),
  ];
}

export const SENT_EVENT_IDS = ["portal-event-1", "portal-event-2", "portal-event-3"];

interface Result {
  readonly outcome: string;
  readonly code?: string | undefined;
}

function outcomesDiffer(time: string, results: readonly Result[], wanted: readonly string[]): string[] {
  const got = results.map(({ outcome, code }) => (outcome === "refused" ? (code ?? "") : outcome));
  return got.join() === wanted.join() ? [] : [`the ${time} time the events ended ${got.join(", ")}`];
}
