/** The book of payments that arrive as messages. */

import { TABLES } from "../../contract";
import { type PaymentMessage, parsePaymentMessage } from "../rules/payment-message";
import type { Services } from "../store/services";
import { messageRecord, recordedMessage } from "../store/transaction-record";
import type { PaymentBook } from "./payment-books";

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
