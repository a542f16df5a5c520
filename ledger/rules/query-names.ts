/** The queries of each reading function, and the tables that a query of `query_transactions` by time may name. */

import { TABLES } from "../../contract";

export const QUERIES = {
  query_payment_ledger: ["transaction", "processor", "failures", "life", "open-holds", "open-breaches"],
  query_payment_audit_trail: ["transaction", "actor", "time"],
  query_transactions: ["transaction", "payment", "time"],
} as const;

/** The books that `query_transactions` reads. */
export const TRANSACTION_BOOKS = [TABLES.paymentTransactions.logicalName, TABLES.paymentMessages.logicalName] as const;
