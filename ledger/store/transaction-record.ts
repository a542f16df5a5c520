/** The stored form of payments that arrive as files, as direct `payment_data` and as messages. */

import { TABLES } from "../../contract";
import type { RecordedContent } from "../rules/differing-fields";
import type { PaymentMessage } from "../rules/payment-message";
import { pooledRandomBytes } from "../rules/random-bytes";
import { type MacedRecord, macedRecord } from "../rules/record-mac";
import type { StoredItem } from "../rules/stored-item";
import { integerOrZero, presentTexts, textAttributes, textOrEmpty } from "../rules/stored-item";
import type { Transaction } from "../rules/transaction";
import type { MessageView, TransactionView } from "../rules/transaction-responses";
import type { Recording } from "./recording";
import type { Services } from "./services";

const TRANSACTIONS = TABLES.paymentTransactions.logicalName;
const MESSAGES = TABLES.paymentMessages.logicalName;
const FORMAT = "1";
const SALT_BYTES = 16;

export async function transactionRecord(
  payment: Transaction,
  { recordedAt, contentMac, imported }: Recording,
  services: Services,
): Promise<MacedRecord> {
  const item: StoredItem = {
    Format: { N: FORMAT },
    transactionId: { S: payment.transactionId },
    timestamp: { N: String(Date.parse(recordedAt)) },
    amount: { S: payment.amount },
    currency: { S: payment.currency },
    cardLast4: { S: payment.cardLast4 },
    status: { S: "processed" },
    processedAt: { S: recordedAt },
    metadata: { S: payment.metadata },
    ...textAttributes({ importedFrom: imported?.from, originallyProcessedAt: imported?.processedAt }),
    ContentMac: { S: contentMac },
    Salt: { B: pooledRandomBytes(SALT_BYTES) },
  };
  return macedRecord(TRANSACTIONS, item, (await services.macKeys()).record);
}

export async function messageRecord(
  payment: PaymentMessage,
  { recordedAt, contentMac, imported }: Recording,
  services: Services,
): Promise<MacedRecord> {
  const { timestamp = recordedAt, ...sent } = payment;
  const item: StoredItem = {
    Format: { N: FORMAT },
    ...textAttributes({ ...sent, importedFrom: imported?.from }),
    timestamp: { S: timestamp },
    processedAt: { S: recordedAt },
    ContentMac: { S: contentMac },
    Salt: { B: pooledRandomBytes(SALT_BYTES) },
  };
  return macedRecord(MESSAGES, item, (await services.macKeys()).record);
}

/** What a reader sees. The record's MAC must have been checked before. */
export function transactionView(item: StoredItem): TransactionView {
  const text = (name: string) => textOrEmpty(item, name);
  return {
    transactionId: text("transactionId"),
    timestamp: integerOrZero(item, "timestamp"),
    amount: text("amount"),
    currency: text("currency"),
    cardLast4: text("cardLast4"),
    status: text("status"),
    processedAt: text("processedAt"),
    metadata: text("metadata"),
    ...presentTexts(item, ["importedFrom", "originallyProcessedAt"]),
  };
}

/** The same of a payment that came as a message. */
export function messageView(item: StoredItem): MessageView {
  const text = (name: string) => textOrEmpty(item, name);
  return {
    paymentId: text("paymentId"),
    amount: text("amount"),
    ...presentTexts(item, ["currency", "processorId", "status"]),
    timestamp: text("timestamp"),
    processedAt: text("processedAt"),
    ...presentTexts(item, ["importedFrom"]),
  };
}

/** The content of a message as it was sent, to name the fields in which another one differs. */
export function recordedMessage(item: StoredItem): RecordedContent {
  const { processedAt, importedFrom: _mark, ...fields } = messageView(item);
  return { fields, defaultedTime: fields.timestamp === processedAt ? "timestamp" : undefined };
}
