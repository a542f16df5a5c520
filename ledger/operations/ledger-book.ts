/** The book of payments that are sent to the ledger directly. */

import { TABLES } from "../../contract";
import { type Payment, parsePayment } from "../rules/payment";
import { withoutToken } from "../rules/sent-tokens";
import { paymentRecord, recordedPayment } from "../store/payment-record";
import type { Services } from "../store/services";
import type { PaymentBook } from "./payment-books";

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
