/** Reads all records of one transaction of `payment-transactions`, over any number of pages, audited before they are returned. */

import { TABLES } from "../contract";
import { transactionQuerySchema } from "../ledger/queries";
import type { TransactionsResponse } from "../ledger/responses";
import { SCHEMA_VERSION } from "../ledger/schema";
import type { StoredItem } from "../ledger/stored-item";
import { getItem, queryAll, type Store } from "../store/store";
import { transactionView } from "../store/transaction-record";
import { admitRequest, type Call, refuseWithAlarm } from "./call";
import { askedOf, checkRecords, recordRead } from "./read-audit";
import { writeAuditId } from "./record-payments";

const { logicalName: TRANSACTIONS, partitionKey } = TABLES.paymentTransactions;

export async function queryTransactions(event: unknown, call: Call, store: Store): Promise<TransactionsResponse> {
  const door = await admitRequest(transactionQuerySchema, event, TRANSACTIONS, call, store);
  if ("refused" in door) return door.refused;
  const query = door.request;
  const items = await recordsOf(query.transactionId, store);
  if (items.length === 0 && (await wasRecorded(query.transactionId, store))) {
    const fault = { code: "AUDIT_RECORD_MISSING", table: TRANSACTIONS, recordId: query.transactionId } as const;
    return refuseWithAlarm(fault, query.Actor, call, store);
  }
  const { trusted, refused } = await checkRecords(TRANSACTIONS, partitionKey, items, query.Actor, call, store);
  const AuditID = await recordRead(
    {
      action: "READ",
      actor: query.Actor,
      table: TRANSACTIONS,
      asked: askedOf(query),
      askedIds: [query.transactionId],
      returnedIds: trusted.map(() => query.transactionId),
      result: refused.length > 0 ? "partly-refused" : trusted.length > 0 ? "returned" : "not-found",
      transactionId: query.transactionId,
    },
    call,
    store,
  );
  const transactions = trusted.map(transactionView);
  return { schemaVersion: SCHEMA_VERSION, outcome: "answered", transactions, refused: [...refused], AuditID };
}

/** A row and its WRITE record are put together, so a WRITE record without a row means that the row was removed. */
async function wasRecorded(transactionId: string, store: Store): Promise<boolean> {
  const auditId = writeAuditId(TRANSACTIONS, transactionId);
  return (
    (await getItem(store.dynamo, store.tables.paymentAuditTrail, TABLES.paymentAuditTrail.partitionKey, auditId)) !==
    undefined
  );
}

function recordsOf(transactionId: string, store: Store): Promise<StoredItem[]> {
  return queryAll(store.dynamo, {
    TableName: store.tables.paymentTransactions,
    ConsistentRead: true,
    KeyConditionExpression: "#id = :id",
    ExpressionAttributeNames: { "#id": partitionKey },
    ExpressionAttributeValues: { ":id": { S: transactionId } },
  });
}
