/**
 * The ledger's core, one for all tables of payments: each payment with its WRITE audit record in one transaction, once,
 * however often and however it is sent. What differs between the tables is their `PaymentBook`.
 */

import { type LogicalTableName, TABLES } from "../contract";
import type { AuditEntry, Caller } from "../ledger/audit-entry";
import type { JsonObject } from "../ledger/canonical-json";
import { derivedAuditId } from "../ledger/identifiers";
import { equalMac } from "../ledger/record-mac";
import { type Refusal, refusal } from "../ledger/refusals";
import type { EntryResult } from "../ledger/responses";
import { type StoredItem, textOf } from "../ledger/stored-item";
import { auditPut } from "../store/audit-record";
import type { Store } from "../store/store";
import { type GroupOutcome, type WriteGroup, writeOnce } from "../store/write-once";
import { alarmEntry, type Call, type IntegrityFault, isForged, ledgerEntry } from "./call";

/** A payment that passed the door of its table. */
export interface Accepted<Payment> {
  /** Its place in the request, the batch or the file. */
  readonly position: number;
  readonly id: string;
  readonly actor: string;
  /** What AWS says of this payment's message or file, where it is not the call itself. */
  readonly caller?: Caller;
  readonly payment: Payment;
  /** Keyed MAC of what was sent, normalised: decides duplicate or conflict. */
  readonly contentMac: string;
}

/** One table of payments. */
export interface PaymentBook<Payment> {
  readonly table: LogicalTableName;
  readonly tableName: string;
  readonly partitionKey: string;
  /**
   * `row`: the id alone is the table's key, so the row itself stands in the way of a second one. `write-record`: the key
   * has a sort key too, so only the WRITE record, whose id follows from the payment's id, is unique.
   */
  readonly uniqueBy: "row" | "write-record";
  readonly record: (payment: Payment, recordedAt: string) => Promise<StoredItem>;
  /** What a conflict's record keeps of the attempt: nothing secret. */
  readonly attempted: (payment: Payment) => JsonObject;
}

/** What the call leaves: an answer for each payment, and records about conflicts and alarms, which the caller writes. */
export interface Recording {
  readonly results: EntryResult[];
  readonly records: AuditEntry[];
}

/** What is recorded under an id now, or why nothing can be said about it. */
type Recorded =
  | { readonly kind: "stored" | "present"; readonly contentMac: string }
  | { readonly kind: "untrusted"; readonly refusal: Refusal; readonly auditId: string };

/** The first of each id is written; repeats within the list are then told apart by what is recorded. */
export async function recordPayments<Payment>(
  book: PaymentBook<Payment>,
  accepted: readonly Accepted<Payment>[],
  call: Call,
  store: Store,
): Promise<Recording> {
  const recording: Recording = { results: [], records: [] };
  const byId = new Map<string, Accepted<Payment>[]>();
  for (const entry of accepted) byId.set(entry.id, [...(byId.get(entry.id) ?? []), entry]);
  const firsts = [...byId.values()].flatMap(([first]) => (first === undefined ? [] : [first]));
  const groups = await Promise.all(firsts.map((first) => writeGroup(book, first, call, store)));
  const outcomes = await writeOnce(store.dynamo, groups);
  for (const [index, first] of firsts.entries()) {
    const outcome = outcomes[index];
    if (outcome === undefined) throw new Error("A write group has no outcome.");
    const recorded = await recordedNow(book, first, outcome, call, store, recording.records);
    for (const entry of byId.get(first.id) ?? []) {
      recording.results.push(resultOf(book, entry, entry === first, recorded, call, store, recording.records));
    }
  }
  return recording;
}

async function writeGroup<Payment>(
  book: PaymentBook<Payment>,
  accepted: Accepted<Payment>,
  call: Call,
  store: Store,
): Promise<WriteGroup> {
  const { id, actor, payment, contentMac } = accepted;
  const entry = ledgerEntry(
    {
      auditId: writeAuditId(book.table, id),
      action: "WRITE",
      actor,
      table: book.table,
      transactionId: id,
      ...(book.uniqueBy === "write-record" ? { contentMac } : {}),
      asked: { recordIds: [id] },
      answered: { recordIds: [id], result: "stored" },
    },
    callOf(accepted, call),
  );
  const item = await book.record(payment, call.now.toISOString());
  const row = { tableName: book.tableName, partitionKey: book.partitionKey, item };
  return [row, await auditPut(entry, store)];
}

/** The call as records about this payment state it: with the sender of its message or file. */
function callOf<Payment>({ caller }: Accepted<Payment>, call: Call): Call {
  return caller === undefined ? call : { ...call, caller };
}

export function writeAuditId(table: LogicalTableName, id: string): string {
  return derivedAuditId("WRITE", table, id);
}

async function recordedNow<Payment>(
  book: PaymentBook<Payment>,
  entry: Accepted<Payment>,
  outcome: GroupOutcome,
  call: Call,
  store: Store,
  records: AuditEntry[],
  isConfirmation = false,
): Promise<Recorded> {
  if (outcome.written) return { kind: "stored", contentMac: entry.contentMac };
  const [row, writeRecord] = outcome.existing;
  const fault = await integrityFault(book, entry.id, row, writeRecord, store);
  if (fault?.code === "AUDIT_RECORD_MISSING" && !isConfirmation) {
    // A half that is missing is an incident, so it is looked at twice before anybody is called.
    const [again] = await writeOnce(store.dynamo, [await writeGroup(book, entry, call, store)]);
    if (again === undefined) throw new Error("A write group has no outcome.");
    return recordedNow(book, entry, again, call, store, records, true);
  }
  if (fault === undefined) {
    const decisive = book.uniqueBy === "row" ? row : writeRecord;
    return { kind: "present", contentMac: textOf(decisive ?? {}, "ContentMac") ?? "" };
  }
  const alarm = alarmEntry(fault, entry.actor, callOf(entry, call), store);
  records.push(alarm);
  return { kind: "untrusted", refusal: refusal(fault.code), auditId: alarm.auditId };
}

/** A row and its WRITE record are put together, so one without the other, or either without a good MAC, was tampered with. */
async function integrityFault<Payment>(
  book: PaymentBook<Payment>,
  recordId: string,
  row: StoredItem | undefined,
  writeRecord: StoredItem | undefined,
  store: Store,
): Promise<IntegrityFault | undefined> {
  if (row !== undefined && (await isForged(book.table, row, store))) {
    return { code: "RECORD_FORGED", table: book.table, recordId, found: row };
  }
  const trail = TABLES.paymentAuditTrail.logicalName;
  if (writeRecord !== undefined && (await isForged(trail, writeRecord, store))) {
    return { code: "RECORD_FORGED", table: trail, recordId: writeAuditId(book.table, recordId), found: writeRecord };
  }
  const rowMissing = book.uniqueBy === "row" && row === undefined;
  if (rowMissing || writeRecord === undefined) {
    return { code: "AUDIT_RECORD_MISSING", table: book.table, recordId, found: row ?? writeRecord };
  }
  return undefined;
}

function resultOf<Payment>(
  book: PaymentBook<Payment>,
  entry: Accepted<Payment>,
  isFirst: boolean,
  recorded: Recorded,
  call: Call,
  store: Store,
  records: AuditEntry[],
): EntryResult {
  const { position, id: TransactionID } = entry;
  if (recorded.kind === "untrusted") {
    return { position, outcome: "refused", TransactionID, AuditID: recorded.auditId, ...recorded.refusal };
  }
  if (!equalMac(entry.contentMac, recorded.contentMac)) {
    const conflict = conflictEntry(book, entry, callOf(entry, call));
    if (!records.some((record) => record.auditId === conflict.auditId)) records.push(conflict);
    store.signal("PaymentConflict");
    return { position, outcome: "conflict", TransactionID, AuditID: conflict.auditId };
  }
  const outcome = isFirst && recorded.kind === "stored" ? "stored" : "duplicate";
  return { position, outcome, TransactionID, AuditID: writeAuditId(book.table, TransactionID) };
}

/** One record for each distinct conflicting content. */
function conflictEntry<Payment>(book: PaymentBook<Payment>, entry: Accepted<Payment>, call: Call): AuditEntry {
  return ledgerEntry(
    {
      auditId: derivedAuditId("CONFLICT", book.table, entry.id, entry.contentMac),
      action: "CONFLICT",
      actor: entry.actor,
      table: book.table,
      transactionId: entry.id,
      asked: { recordIds: [entry.id], details: { Attempted: book.attempted(entry.payment) } },
      answered: { recordIds: [], result: "conflict" },
    },
    call,
  );
}
