/** The book of `payment-transactions`: payments of files and of direct `payment_data`. */

import { TABLES } from "../../contract";
import { type Transaction, transactionContent } from "../rules/transaction";
import type { Store } from "../store/store";
import { transactionRecord } from "../store/transaction-record";
import type { PaymentBook } from "./record-payments";

export function transactionsBook(store: Store): PaymentBook<Transaction> {
  const { logicalName, partitionKey } = TABLES.paymentTransactions;
  return {
    table: logicalName,
    tableName: store.tables.paymentTransactions,
    partitionKey,
    // The table's sort key is the time of processing, so the table alone would take the same payment twice.
    uniqueBy: "write-record",
    record: (payment, recordedAt) => transactionRecord(payment, recordedAt, store),
    attempted: transactionContent,
  };
}
