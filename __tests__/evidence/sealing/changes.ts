/** Changes as the tables' streams tell them, of records that the ledger's own functions made. */

import { type LogicalTableName, TABLES, type TableId } from "../../../contract";
import { keyValuesOf } from "../../../evidence/log/identity";
import { type ItemJson, toItemJson } from "../../../ledger/rules/attribute-value";
import type { AuditEntry } from "../../../ledger/rules/audit-entry";
import { derivedAuditId } from "../../../ledger/rules/identifiers";
import type { PaymentStatus } from "../../../ledger/rules/payment";
import { integerOf, type StoredItem } from "../../../ledger/rules/stored-item";
import { auditPut } from "../../../ledger/store/audit-record";
import { paymentRecord, recordWithStatus } from "../../../ledger/store/payment-record";
import type { Services } from "../../../ledger/store/services";
import { messageRecord, transactionRecord } from "../../../ledger/store/transaction-record";
import { recordingOf } from "../../ledger/rules/stub-services";

const RECORDED_AT = "2026-11-21T10:00:01.000Z";
export const LEDGER = TABLES.paymentLedger.logicalName;
export const TRAIL = TABLES.paymentAuditTrail.logicalName;
export const MESSAGES = TABLES.paymentMessages.logicalName;
export const TRANSACTIONS = TABLES.paymentTransactions.logicalName;

/** A record of a `Records` list, as Lambda gets it. */
export interface StreamRecord {
  readonly eventID: string;
  readonly eventName: "INSERT" | "MODIFY" | "REMOVE";
  readonly eventSource: "aws:dynamodb";
  readonly eventSourceARN: string;
  readonly dynamodb: {
    readonly Keys: ItemJson;
    readonly NewImage?: ItemJson;
    readonly OldImage?: ItemJson;
    readonly SequenceNumber: string;
    readonly StreamViewType: "NEW_AND_OLD_IMAGES";
  };
}

let sequence = 0;

/** @param deployed name of the table as it is deployed; the logical one where nothing is said. */
export function streamRecord(
  table: LogicalTableName,
  images: { readonly before?: StoredItem; readonly now?: StoredItem },
  deployed: string = table,
): StreamRecord {
  const { before, now } = images;
  sequence += 1;
  return {
    eventID: `event-${sequence}`,
    eventName: before === undefined ? "INSERT" : now === undefined ? "REMOVE" : "MODIFY",
    eventSource: "aws:dynamodb",
    eventSourceARN: `arn:aws:dynamodb:us-east-1:111122223333:table/${deployed}/stream/2026-11-21T09:00:00.000`,
    dynamodb: {
      Keys: keysOf(table, now ?? before ?? {}),
      ...(now === undefined ? {} : { NewImage: toItemJson(now) }),
      ...(before === undefined ? {} : { OldImage: toItemJson(before) }),
      SequenceNumber: String(300000000000000000000n + BigInt(sequence)),
      StreamViewType: "NEW_AND_OLD_IMAGES",
    },
  };
}

function keysOf(table: LogicalTableName, item: StoredItem): ItemJson {
  const { partitionKey, ...rest } = tableOf(table);
  const names = "sortKey" in rest ? [partitionKey, rest.sortKey.name] : [partitionKey];
  const form = toItemJson(item);
  return Object.fromEntries(names.flatMap((name) => (form[name] === undefined ? [] : [[name, form[name]]])));
}

function tableOf(table: LogicalTableName) {
  const found = (Object.keys(TABLES) as TableId[]).find((id) => TABLES[id].logicalName === table);
  if (found === undefined) throw new Error(`No table ${table}.`);
  return TABLES[found];
}

export async function aPaymentRecord(
  id: string,
  services: Services,
  Status: PaymentStatus = "Success",
): Promise<StoredItem> {
  const payment = {
    TransactionID: id,
    SecureToken: `tok_${id}`,
    Amount: "10.50",
    Currency: "EUR",
    ProcessorID: "acme",
    Status,
    Timestamp: "2026-11-21T10:00:00.000Z",
  };
  return (await paymentRecord(payment, recordingOf(LEDGER, payment, RECORDED_AT), services)).item;
}

export async function aTransactionRecord(id: string, services: Services): Promise<StoredItem> {
  const payment = { transactionId: id, amount: "10.50", currency: "EUR", cardLast4: "4242", metadata: "{}" };
  return (await transactionRecord(payment, recordingOf(TRANSACTIONS, payment, RECORDED_AT), services)).item;
}

export async function aMessageRecord(id: string, services: Services): Promise<StoredItem> {
  const payment = { paymentId: id, amount: "10.50" };
  return (await messageRecord(payment, recordingOf(MESSAGES, payment, RECORDED_AT), services)).item;
}

export async function anAuditRecord(auditId: string, services: Services, action = "WRITE"): Promise<StoredItem> {
  const entry: AuditEntry = {
    auditId,
    action,
    actor: "checkout",
    timestamp: RECORDED_AT,
    recordedAt: RECORDED_AT,
    caller: { requestId: "req-1", functionName: "persist_payment_ledger" },
    origin: "LEDGER",
    table: LEDGER,
  };
  return (await auditPut(entry, services)).item;
}

export interface StatusChanged {
  readonly before: StoredItem;
  readonly now: StoredItem;
  /** The UPDATE record of the same transaction. */
  readonly audit: StoredItem;
}

export async function aStatusChanged(
  before: StoredItem,
  to: PaymentStatus,
  services: Services,
): Promise<StatusChanged> {
  const now = await recordWithStatus(before, to, "2026-11-21T11:00:00.000Z", services);
  const [id = ""] = keyValuesOf(LEDGER, toItemJson(now));
  const auditId = derivedAuditId("UPDATE", LEDGER, id, String(integerOf(now, "Version")));
  return { before, now, audit: await anAuditRecord(auditId, services, "UPDATE") };
}
