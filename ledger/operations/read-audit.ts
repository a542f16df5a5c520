/** The order of every read: find, check, record what will be returned, and only then return it. */

import { randomBytes } from "node:crypto";
import type { LogicalTableName } from "../../contract";
import type { AuditEntry } from "../rules/audit-entry";
import type { JsonObject } from "../rules/canonical-json";
import { freshAuditId, pointerAuditId } from "../rules/identifiers";
import { refusal } from "../rules/refusals";
import type { RefusedRecord } from "../rules/responses";
import { type StoredItem, textOrEmpty } from "../rules/stored-item";
import { auditPut } from "../store/audit-record";
import { isForged, type Services } from "../store/services";
import { transactPuts } from "../store/transaction";
import type { Call } from "./call";
import { alarmEntry, type IntegrityFault } from "./integrity-alarm";
import { ledgerEntry } from "./ledger-entry";
import { recordEntries } from "./record-entries";

export interface Checked {
  readonly trusted: readonly StoredItem[];
  readonly refused: readonly RefusedRecord[];
}

/** A table of the contract. */
interface CheckedTable {
  readonly logicalName: LogicalTableName;
  readonly partitionKey: string;
}

/** Separates what this ledger wrote from what somebody else inserted; the latter leaves an alarm record and is not returned. */
export async function checkRecords(
  { logicalName: table, partitionKey }: CheckedTable,
  items: readonly StoredItem[],
  actor: string,
  call: Call,
  services: Services,
): Promise<Checked> {
  const trusted: StoredItem[] = [];
  const faults: IntegrityFault[] = [];
  for (const found of items) {
    if (!(await isForged(table, found, services))) trusted.push(found);
    else faults.push({ code: "RECORD_FORGED", table, recordId: textOrEmpty(found, partitionKey), found });
  }
  return { trusted, refused: await refuseRecords(faults, actor, call, services) };
}

/** What is not returned, each with the alarm record that it leaves. */
export async function refuseRecords(
  faults: readonly IntegrityFault[],
  actor: string,
  call: Call,
  services: Services,
): Promise<RefusedRecord[]> {
  const alarms = faults.map((fault) => ({ fault, entry: alarmEntry(fault, actor, call, services) }));
  const ids = await recordEntries(
    alarms.map(({ entry }) => entry),
    services,
  );
  return alarms.map(({ fault, entry }) => {
    const { code, message } = refusal(fault.code);
    return { code, message, AuditID: ids.get(entry) ?? entry.auditId, ...concernedPayment(entry) };
  });
}

function concernedPayment(entry: AuditEntry): { TransactionID?: string } {
  return entry.transactionId === undefined ? {} : { TransactionID: entry.transactionId };
}

export interface ReadRecord {
  readonly action: "READ" | "REVEAL" | "AUDIT_READ";
  readonly actor: string;
  readonly table: LogicalTableName;
  /** What was asked, without the actor; it is encrypted in the record. */
  readonly asked: JsonObject;
  readonly askedIds: readonly string[];
  readonly returnedIds: readonly string[];
  readonly result: string;
  /** The payment of a read that concerns one; a list read points to each payment that it returned instead. */
  readonly transactionId?: string;
  /** The payments that a list read returned, where its returned ids are not theirs. */
  readonly returnedPayments?: readonly string[];
}

/**
 * Stores the record of a read, and for a list a pointer under each payment that it returns, in one transaction.
 * @returns the read's AuditID.
 * @throws when the record cannot be stored: then nothing may be returned (PCI DSS 10.2.1.1).
 */
export async function recordRead(read: ReadRecord, call: Call, services: Services): Promise<string> {
  const auditId = freshAuditId("READ", randomBytes(24));
  const entry = ledgerEntry(
    {
      auditId,
      action: read.action,
      actor: read.actor,
      table: read.table,
      transactionId: read.transactionId,
      asked: { recordIds: read.askedIds, details: read.asked },
      answered: { recordIds: read.returnedIds, result: read.result },
    },
    call,
  );
  const pointers =
    read.action === "READ" && read.transactionId === undefined
      ? pointersOf(entry, read.returnedPayments ?? read.returnedIds)
      : [];
  const puts = await Promise.all([entry, ...pointers].map((record) => auditPut(record, services)));
  const result = await transactPuts(services.dynamo, puts);
  if (!result.committed) throw new Error("A fresh audit id was taken already; the read is not answered.");
  return auditId;
}

function pointersOf(listRead: AuditEntry, returnedIds: readonly string[]): AuditEntry[] {
  const { query: _query, response: _response, ...shared } = listRead;
  return returnedIds.map((transactionId, index) => ({
    ...shared,
    auditId: pointerAuditId(listRead.auditId, index),
    partOf: listRead.auditId,
    transactionId,
  }));
}

/** A request as it is kept in the read's record: everything but who asked, which the record names anyway. */
export function askedOf(query: { readonly [key: string]: string | number | undefined }): JsonObject {
  const { Actor: _actor, schemaVersion: _version, PageToken, ...asked } = query;
  const present = Object.entries(asked).filter(([, value]) => value !== undefined);
  return { ...Object.fromEntries(present), ...(PageToken === undefined ? {} : { Continued: true }) } as JsonObject;
}
