/**
 * The ledger's core, one for all tables of payments: each payment with its WRITE audit record in one transaction, once,
 * however often and however it is sent. What differs between the tables is their `PaymentBook`.
 */

import { type LogicalTableName, TABLES } from "../../contract";
import type { AuditEntry } from "../rules/audit-entry";
import { differingFields, type RecordedContent } from "../rules/differing-fields";
import { groupedBy } from "../rules/grouped";
import { derivedAuditId } from "../rules/identifiers";
import { equalMac } from "../rules/record-mac";
import { type Refusal, refusal } from "../rules/refusals";
import type { EntryResult } from "../rules/responses";
import { type StoredItem, textOrEmpty } from "../rules/stored-item";
import { auditPut } from "../store/audit-record";
import { isForged, type Services } from "../store/services";
import { type GroupOutcome, type WriteGroup, writeOnce } from "../store/write-once";
import type { Call } from "./call";
import { alarmEntry, type IntegrityFault } from "./integrity-alarm";
import { ledgerEntry } from "./ledger-entry";
import type { PaymentBook, PaymentContent } from "./payment-books";
import { recordEntries } from "./record-entries";
import type { Accepted } from "./validation";

/** What happened to one entry, and the record that it leaves beside the payment's own. */
export interface Outcome {
  readonly result: EntryResult;
  readonly record?: AuditEntry;
}

/** What is recorded under an id now, by whom, or why nothing can be said about it. */
type Recorded =
  | {
      readonly kind: "stored" | "present";
      readonly contentMac: string;
      readonly actor: string;
      /** What is recorded, where it is at hand: it names the fields in which another content differs. */
      readonly content?: RecordedContent | undefined;
    }
  | { readonly kind: "untrusted"; readonly refusal: Refusal; readonly alarm: AuditEntry };

/** Records the payments, and what they leave beside their own records. */
export async function recordPayments<Payment extends PaymentContent>(
  book: PaymentBook<Payment>,
  accepted: readonly Accepted<Payment>[],
  call: Call,
  services: Services,
): Promise<EntryResult[]> {
  return answersOf(await recordedOutcomes(book, accepted, call, services), services);
}

/**
 * The first of each id is written; repeats within the list are then told apart by what is recorded. The records that the
 * outcomes name are the caller's to write, before anything is answered.
 */
export async function recordedOutcomes<Payment extends PaymentContent>(
  book: PaymentBook<Payment>,
  accepted: readonly Accepted<Payment>[],
  call: Call,
  services: Services,
): Promise<Outcome[]> {
  const byId = groupedBy(accepted, ({ id }) => id);
  const firsts = [...byId.values()].flatMap(([first]) => (first === undefined ? [] : [first]));
  const groups = await Promise.all(firsts.map((first) => writeGroup(book, first, call, services)));
  const written = await writeOnce(services.dynamo, groups);
  const outcomes: Outcome[] = [];
  for (const [index, first] of firsts.entries()) {
    const outcome = written[index];
    if (outcome === undefined) throw new Error("A write group has no outcome.");
    const recorded = await recordedNow(book, first, outcome, call, services);
    for (const entry of byId.get(first.id) ?? []) {
      outcomes.push(
        outcomeOf(book, entry, entry === first ? recorded : seenAgain(recorded), callOf(entry, call), services),
      );
    }
  }
  return outcomes;
}

/** Nothing is answered before what the entries leave is on record. */
export async function answersOf(outcomes: readonly Outcome[], services: Services): Promise<EntryResult[]> {
  const records = outcomes.flatMap(({ record }) => (record === undefined ? [] : [record]));
  const ids = await recordEntries(records, services);
  return outcomes.map(({ result, record }) => {
    // A duplicate's answer names the record of what is stored.
    const auditId = result.outcome === "duplicate" ? undefined : record && ids.get(record);
    return auditId === undefined ? result : { ...result, AuditID: auditId };
  });
}

async function writeGroup<Payment extends PaymentContent>(
  book: PaymentBook<Payment>,
  accepted: Accepted<Payment>,
  call: Call,
  services: Services,
): Promise<WriteGroup> {
  const { id, writeId, actor, payment, imported, contentMac } = accepted;
  const entry = ledgerEntry(
    {
      auditId: writeId,
      action: "WRITE",
      actor,
      table: book.table,
      transactionId: id,
      importedFrom: imported?.from,
      ...(book.uniqueBy === "write-record" ? { contentMac } : {}),
      asked: { recordIds: [id] },
      answered: { recordIds: [id], result: "stored" },
    },
    callOf(accepted, call),
  );
  const record = await book.record(payment, { recordedAt: call.now.toISOString(), contentMac, imported });
  const row = { tableName: book.tableName, partitionKey: book.partitionKey, ...record };
  return [row, await auditPut(entry, services)];
}

/** The call as records about this payment state it: with the sender of its message or file. */
function callOf<Payment extends PaymentContent>({ caller }: Accepted<Payment>, call: Call): Call {
  return caller === undefined ? call : { ...call, caller };
}

async function recordedNow<Payment extends PaymentContent>(
  book: PaymentBook<Payment>,
  entry: Accepted<Payment>,
  first: GroupOutcome,
  call: Call,
  services: Services,
): Promise<Recorded> {
  let outcome = first;
  if (outcome.written) return recordedBy(entry);
  let fault = await integrityFault(book, entry, outcome.existing, services);
  if (fault?.code === "AUDIT_RECORD_MISSING") {
    // A half that is missing is an incident, so it is looked at twice before anybody is called.
    outcome = await writtenAgain(book, entry, call, services);
    if (outcome.written) return recordedBy(entry);
    fault = await integrityFault(book, entry, outcome.existing, services);
  }
  if (fault === undefined) return recordedBefore(book, outcome.existing);
  const alarm = alarmEntry(fault, entry.actor, callOf(entry, call), services);
  return { kind: "untrusted", refusal: refusal(fault.code), alarm };
}

async function writtenAgain<Payment extends PaymentContent>(
  book: PaymentBook<Payment>,
  entry: Accepted<Payment>,
  call: Call,
  services: Services,
): Promise<GroupOutcome> {
  const [again] = await writeOnce(services.dynamo, [await writeGroup(book, entry, call, services)]);
  if (again === undefined) throw new Error("A write group has no outcome.");
  return again;
}

/** What is recorded once the entry was written. */
function recordedBy<Payment extends PaymentContent>({ contentMac, actor, payment }: Accepted<Payment>): Recorded {
  return { kind: "stored", contentMac, actor, content: { fields: payment } };
}

/** What is recorded where a row, its WRITE record or both were found. */
function recordedBefore<Payment extends PaymentContent>(
  { uniqueBy, recorded }: PaymentBook<Payment>,
  [row, writeRecord]: readonly (StoredItem | undefined)[],
): Recorded {
  const decisive = uniqueBy === "row" ? row : writeRecord;
  const actor = textOrEmpty(writeRecord ?? {}, "Actor");
  const content = row === undefined ? undefined : recorded?.(row);
  return { kind: "present", contentMac: textOrEmpty(decisive ?? {}, "ContentMac"), actor, content };
}

/** A row and its WRITE record are put together, so one without the other, or either without a good MAC, was tampered with. */
async function integrityFault<Payment extends PaymentContent>(
  book: PaymentBook<Payment>,
  { id: recordId, writeId }: Accepted<Payment>,
  [row, writeRecord]: readonly (StoredItem | undefined)[],
  services: Services,
): Promise<IntegrityFault | undefined> {
  if (row !== undefined && (await isForged(book.table, row, services))) {
    return { code: "RECORD_FORGED", table: book.table, recordId, found: row };
  }
  const trail = TABLES.paymentAuditTrail.logicalName;
  if (writeRecord !== undefined && (await isForged(trail, writeRecord, services))) {
    return { code: "RECORD_FORGED", table: trail, recordId: writeId, found: writeRecord };
  }
  const rowMissing = book.uniqueBy === "row" && row === undefined;
  if (rowMissing || writeRecord === undefined) {
    return { code: "AUDIT_RECORD_MISSING", table: book.table, recordId, found: row ?? writeRecord };
  }
  return undefined;
}

/** For a further entry of the same id in the same list. */
function seenAgain(recorded: Recorded): Recorded {
  return recorded.kind === "stored" ? { ...recorded, kind: "present" } : recorded;
}

function outcomeOf<Payment extends PaymentContent>(
  book: PaymentBook<Payment>,
  entry: Accepted<Payment>,
  recorded: Recorded,
  call: Call,
  services: Services,
): Outcome {
  const { position, id: TransactionID } = entry;
  if (recorded.kind === "untrusted") {
    // The list may hold entries of several actors: each is on record.
    const record = { ...recorded.alarm, actor: entry.actor, caller: call.caller };
    return { result: { position, outcome: "refused", TransactionID, ...recorded.refusal }, record };
  }
  if (!equalMac(entry.contentMac, recorded.contentMac)) {
    services.signal("PaymentConflict");
    const field = recorded.content && differingFields(entry.payment, recorded.content);
    const result = { position, outcome: "conflict", TransactionID, ...refusal("CONFLICT", field) } as const;
    return { result, record: conflictEntry(book, entry, call) };
  }
  const outcome = recorded.kind === "stored" ? "stored" : "duplicate";
  const result = { position, outcome, TransactionID, AuditID: entry.writeId } as const;
  if (entry.actor === recorded.actor) return { result };
  return { result, record: duplicateEntry(book.table, TransactionID, TransactionID, entry.actor, call) };
}

/** Somebody else sent what is recorded already, and the answer tells him that it is. */
export function duplicateEntry(
  table: LogicalTableName,
  recordId: string,
  transactionId: string | undefined,
  actor: string,
  call: Call,
): AuditEntry {
  return ledgerEntry(
    {
      auditId: derivedAuditId("DUPLICATE", table, recordId, call.caller.requestId, actor),
      action: "DUPLICATE",
      actor,
      table,
      transactionId,
      asked: { recordIds: [recordId] },
      answered: { recordIds: [recordId], result: "duplicate" },
    },
    call,
  );
}

/** The first record of each distinct conflicting content; `recordEntries` makes those of further requests. */
function conflictEntry<Payment extends PaymentContent>(
  book: PaymentBook<Payment>,
  entry: Accepted<Payment>,
  call: Call,
): AuditEntry {
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
