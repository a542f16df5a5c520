/** The book of payments that arrive in files and as direct `payment_data`. */

import { TABLES } from "../../contract";
import { parseTransaction, type Transaction } from "../rules/transaction";
import type { Services } from "../store/services";
import { transactionRecord } from "../store/transaction-record";
import type { PaymentBook } from "./payment-books";

export function transactionsBook(services: Services): PaymentBook<Transaction> {
  const { logicalName, partitionKey } = TABLES.paymentTransactions;
  return {
    table: logicalName,
    tableName: services.tables.paymentTransactions,
    partitionKey,
    // The table's sort key is the time of processing, so the table alone would take the same payment twice.
    uniqueBy: "write-record",
    idOf: ({ transactionId }) => transactionId,
    clearPart: (input) => input,
    parse: parseTransaction,
    record: (payment, recording) => transactionRecord(payment, recording, services),
    attempted: (payment) => payment,
  };
}
