/** Records payments: each with its WRITE audit record in one transaction, once, however often and however it is sent. */

import { TABLES } from "../contract";
import type { AuditEntry } from "../ledger/audit-entry";
import { envelopeOf, parseEntries } from "../ledger/entries";
import { derivedAuditId } from "../ledger/identifiers";
import { type Payment, parsePayment, type SentPayment } from "../ledger/payment";
import { equalMac } from "../ledger/record-mac";
import { type Refusal, refusal } from "../ledger/refusals";
import { type EntryResult, type PersistResponse, persistResponse, type RefusedResponse } from "../ledger/responses";
import { type StoredItem, textOf } from "../ledger/stored-item";
import { auditPut } from "../store/audit-record";
import { paymentContentMac, paymentRecord } from "../store/payment-record";
import type { Store } from "../store/store";
import { type GroupOutcome, type WriteGroup, writeOnce } from "../store/write-once";
import {
  alarmEntry,
  type Call,
  cardDataRefusal,
  isForged,
  ledgerEntry,
  recordEntries,
  refusalEntry,
  refuseCall,
} from "./call";

const LEDGER = TABLES.paymentLedger.logicalName;

/** A payment of the list that passed the door. */
interface Accepted extends SentPayment {
  readonly position: number;
  readonly contentMac: string;
}

/** What is recorded under a transaction id now, or why nothing can be said about it. */
type Recorded =
  | { readonly kind: "stored" | "present"; readonly contentMac: string }
  | { readonly kind: "untrusted"; readonly refusal: Refusal; readonly auditId: string };

export async function persistPayments(
  event: unknown,
  call: Call,
  store: Store,
): Promise<PersistResponse | RefusedResponse> {
  const envelopeRefusal = cardDataRefusal(envelopeOf(event, "payments"), store);
  const parsed = envelopeRefusal === undefined ? parseEntries(event, "payments") : { refusal: envelopeRefusal };
  if ("refusal" in parsed) return refuseCall(event, parsed.refusal, LEDGER, call, store);
  const results: EntryResult[] = [];
  const records: AuditEntry[] = [];
  const accepted: Accepted[] = [];
  for (const [position, entry] of parsed.entries.entries()) {
    const door = await admit(entry, parsed.actor, position, call, store);
    if ("payment" in door) accepted.push(door);
    else refuse(door, entry, position, call, results, records);
  }
  await recordAccepted(accepted, call, store, results, records);
  await recordEntries(records, store);
  return persistResponse(results);
}

async function admit(
  entry: unknown,
  listActor: string | undefined,
  position: number,
  call: Call,
  store: Store,
): Promise<Accepted | Refusal> {
  const cardData = cardDataRefusal(entry, store);
  if (cardData !== undefined) return cardData;
  const parsed = parsePayment(entry, listActor, call.now);
  if (!parsed.ok) return parsed.refusal;
  return { ...parsed.value, position, contentMac: await paymentContentMac(parsed.value.payment, store) };
}

function refuse(
  reason: Refusal,
  entry: unknown,
  position: number,
  call: Call,
  results: EntryResult[],
  records: AuditEntry[],
): void {
  const record = refusalEntry(entry, reason, LEDGER, position, call);
  records.push(record);
  results.push({ position, outcome: "refused", AuditID: record.auditId, ...reason, ...transactionIdOf(record) });
}

function transactionIdOf(record: AuditEntry): { TransactionID?: string } {
  return record.transactionId === undefined ? {} : { TransactionID: record.transactionId };
}

/** The first of each id is written; repeats in the list are then told apart by what is recorded. */
async function recordAccepted(
  accepted: readonly Accepted[],
  call: Call,
  store: Store,
  results: EntryResult[],
  records: AuditEntry[],
): Promise<void> {
  const byId = new Map<string, Accepted[]>();
  for (const entry of accepted) {
    const id = entry.payment.TransactionID;
    byId.set(id, [...(byId.get(id) ?? []), entry]);
  }
  const firsts = [...byId.values()].flatMap(([first]) => (first === undefined ? [] : [first]));
  const groups = await Promise.all(firsts.map((first) => writeGroup(first, call, store)));
  const outcomes = await writeOnce(store.dynamo, groups);
  for (const [index, first] of firsts.entries()) {
    const outcome = outcomes[index];
    if (outcome === undefined) throw new Error("A write group has no outcome.");
    const recorded = await recordedNow(first, outcome, call, store, records);
    for (const entry of byId.get(first.payment.TransactionID) ?? []) {
      results.push(resultOf(entry, entry === first, recorded, call, store, records));
    }
  }
}

async function writeGroup({ payment, actor }: Accepted, call: Call, store: Store): Promise<WriteGroup> {
  const { partitionKey } = TABLES.paymentLedger;
  const id = payment.TransactionID;
  const entry = ledgerEntry(
    {
      auditId: writeAuditId(id),
      action: "WRITE",
      actor,
      table: LEDGER,
      transactionId: id,
      asked: { recordIds: [id] },
      answered: { recordIds: [id], result: "stored" },
    },
    call,
  );
  const row = {
    tableName: store.ledgerTable,
    partitionKey,
    item: await paymentRecord(payment, call.now.toISOString(), store),
  };
  return [row, await auditPut(entry, store)];
}

function writeAuditId(transactionId: string): string {
  return derivedAuditId("WRITE", LEDGER, transactionId);
}

/** A row and its WRITE record are put together, so one without the other, or either without a good MAC, was tampered with. */
async function recordedNow(
  entry: Accepted,
  outcome: GroupOutcome,
  call: Call,
  store: Store,
  records: AuditEntry[],
  isConfirmation = false,
): Promise<Recorded> {
  if (outcome.written) return { kind: "stored", contentMac: entry.contentMac };
  const [row, guard] = outcome.existing;
  const fault = await integrityFault(entry.payment, row, guard, store);
  if (fault?.code === "AUDIT_RECORD_MISSING" && !isConfirmation) {
    // A half that is missing is an incident, so it is looked at twice before anybody is called.
    const [again] = await writeOnce(store.dynamo, [await writeGroup(entry, call, store)]);
    if (again === undefined) throw new Error("A write group has no outcome.");
    return recordedNow(entry, again, call, store, records, true);
  }
  if (fault === undefined) return { kind: "present", contentMac: textOf(row ?? {}, "ContentMac") ?? "" };
  const alarm = alarmEntry(fault, entry.actor, call, store);
  records.push(alarm);
  return { kind: "untrusted", refusal: refusal(fault.code), auditId: alarm.auditId };
}

async function integrityFault(
  payment: Payment,
  row: StoredItem | undefined,
  guard: StoredItem | undefined,
  store: Store,
) {
  const recordId = payment.TransactionID;
  if (row !== undefined && (await isForged(LEDGER, row, store))) {
    return { code: "RECORD_FORGED", table: LEDGER, recordId, found: row } as const;
  }
  const trail = TABLES.paymentAuditTrail.logicalName;
  if (guard !== undefined && (await isForged(trail, guard, store))) {
    return { code: "RECORD_FORGED", table: trail, recordId: writeAuditId(recordId), found: guard } as const;
  }
  if (row === undefined || guard === undefined) {
    return { code: "AUDIT_RECORD_MISSING", table: LEDGER, recordId, found: row ?? guard } as const;
  }
  return undefined;
}

function resultOf(
  entry: Accepted,
  isFirst: boolean,
  recorded: Recorded,
  call: Call,
  store: Store,
  records: AuditEntry[],
): EntryResult {
  const { position } = entry;
  const TransactionID = entry.payment.TransactionID;
  if (recorded.kind === "untrusted") {
    return { position, outcome: "refused", TransactionID, AuditID: recorded.auditId, ...recorded.refusal };
  }
  if (!equalMac(entry.contentMac, recorded.contentMac)) {
    const conflict = conflictEntry(entry, call);
    if (!records.some((record) => record.auditId === conflict.auditId)) records.push(conflict);
    store.signal("PaymentConflict");
    return { position, outcome: "conflict", TransactionID, AuditID: conflict.auditId };
  }
  const outcome = isFirst && recorded.kind === "stored" ? "stored" : "duplicate";
  return { position, outcome, TransactionID, AuditID: writeAuditId(TransactionID) };
}

/** One record for each distinct conflicting content. It keeps what was attempted, but never the token. */
function conflictEntry({ payment, actor, contentMac }: Accepted, call: Call): AuditEntry {
  const { SecureToken: _token, ...attempted } = payment;
  const id = payment.TransactionID;
  return ledgerEntry(
    {
      auditId: derivedAuditId("CONFLICT", LEDGER, id, contentMac),
      action: "CONFLICT",
      actor,
      table: LEDGER,
      transactionId: id,
      asked: { recordIds: [id], details: { Attempted: { ...attempted } } },
      answered: { recordIds: [], result: "conflict" },
    },
    call,
  );
}
