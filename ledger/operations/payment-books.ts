/** The three tables of payments, and what is theirs alone; how payments are validated and recorded is the same for all. */

import { type LogicalTableName, TABLES } from "../../contract";
import type { JsonObject } from "../rules/canonical-json";
import type { RecordedContent } from "../rules/differing-fields";
import { derivedAuditId } from "../rules/identifiers";
import type { Imported } from "../rules/imported";
import { type Payment, parsePayment } from "../rules/payment";
import { type PaymentMessage, parsePaymentMessage } from "../rules/payment-message";
import type { MacedRecord } from "../rules/record-mac";
import type { Parsed } from "../rules/schema";
import { withoutToken } from "../rules/sent-tokens";
import type { StoredItem } from "../rules/stored-item";
import { parseTransaction, type Transaction } from "../rules/transaction";
import { paymentRecord, recordedPayment } from "../store/payment-record";
import type { Recording } from "../store/recording";
import type { Services } from "../store/services";
import { messageRecord, recordedMessage, transactionRecord } from "../store/transaction-record";

/** A payment as it was understood: all that its sender said, and nothing that the ledger added. */
export type PaymentContent = JsonObject;

/** A payment and who claims to send it. */
export interface SentPayment<Payment> {
  readonly payment: Payment;
  readonly actor?: string;
  readonly imported?: Imported;
}

export interface PaymentBook<Payment extends PaymentContent> {
  readonly table: LogicalTableName;
  /** As it is deployed. */
  readonly tableName: string;
  readonly partitionKey: string;
  /**
   * `row`: the id alone is the table's key, so the row itself prevents a second one. `write-record`: the key has a sort key
   * too, so only the WRITE record, whose id follows from the payment's id, is unique.
   */
  readonly uniqueBy: "row" | "write-record";
  readonly idOf: (payment: Payment) => string;
  /** The input without what is stored encrypted. */
  readonly clearPart: (input: unknown) => unknown;
  readonly parse: (input: unknown, now: Date, listActor?: string) => Parsed<SentPayment<Payment>>;
  readonly record: (payment: Payment, recording: Recording) => Promise<MacedRecord>;
  /** What a conflict's record keeps of the attempt: nothing secret. */
  readonly attempted: (payment: Payment) => JsonObject;
  /**
   * The content that a row with a good MAC recorded, to name the fields in which another one differs. Absent where a
   * conflict finds the WRITE record and not the row.
   */
  readonly recorded?: (row: StoredItem) => RecordedContent;
}

/** The id of the WRITE record that is put together with the payment: it follows from the payment's id. */
export function writeAuditId(table: LogicalTableName, id: string): string {
  return derivedAuditId("WRITE", table, id);
}

/** Payments that are sent to the ledger directly. */
export function ledgerBook(services: Services): PaymentBook<Payment> {
  const { logicalName, partitionKey } = TABLES.paymentLedger;
  return {
    table: logicalName,
    tableName: services.tables.paymentLedger,
    partitionKey,
    uniqueBy: "row",
    idOf: ({ TransactionID }) => TransactionID,
    clearPart: withoutToken,
    parse: parsePayment,
    record: (payment, recording) => paymentRecord(payment, recording, services),
    attempted: ({ SecureToken: _token, ...attempted }) => attempted,
    recorded: recordedPayment,
  };
}

/** Payments of files and of direct `payment_data`. */
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

/** Payments that arrive as messages. */
export function messagesBook(services: Services): PaymentBook<PaymentMessage> {
  const { logicalName, partitionKey } = TABLES.paymentMessages;
  return {
    table: logicalName,
    tableName: services.tables.paymentMessages,
    partitionKey,
    uniqueBy: "row",
    idOf: ({ paymentId }) => paymentId,
    clearPart: (input) => input,
    parse: parsePaymentMessage,
    record: (payment, recording) => messageRecord(payment, recording, services),
    attempted: (payment) => payment,
    recorded: recordedMessage,
  };
}
