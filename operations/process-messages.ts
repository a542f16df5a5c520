/** Records the payments of `audit-trail-queue`, each once however often it is delivered. */

import { TABLES } from "../contract";
import type { AuditEntry } from "../ledger/audit-entry";
import { numbersAsText, parseExactJson } from "../ledger/exact-json";
import { derivedAuditId } from "../ledger/identifiers";
import {
  type PaymentMessage,
  parsePaymentMessage,
  paymentMessageContent,
  type SentMessage,
} from "../ledger/payment-message";
import { type Refusal, refusal } from "../ledger/refusals";
import type { Store } from "../store/store";
import { messageContentMac, messageRecord } from "../store/transaction-record";
import { type Call, cardDataRefusal, ledgerEntry, recordEntries, UNCLAIMED_ACTOR } from "./call";
import { callerOf, type QueueMessage, type QueueResponse, queueMessages, queueResponse } from "./queue";
import { type Accepted, type PaymentBook, recordPayments } from "./record-payments";

const { logicalName: MESSAGES, partitionKey } = TABLES.paymentMessages;

/** @throws Error for an event that no queue sent: nothing else may invoke this function. */
export async function processMessages(event: unknown, call: Call, store: Store): Promise<QueueResponse> {
  const messages = queueMessages(event);
  if (messages === undefined) throw new Error("The event is not one of a queue.");
  // Together they share a transaction; when that fails for a technical reason, each stands for itself.
  if ((await failedOf(messages, call, store)).length === 0) return queueResponse([]);
  if (messages.length === 1) return queueResponse(messages);
  const failed = await Promise.all(messages.map((message) => failedOf([message], call, store)));
  return queueResponse(failed.flat());
}

async function failedOf(messages: readonly QueueMessage[], call: Call, store: Store): Promise<readonly QueueMessage[]> {
  try {
    await recordMessages(messages, call, store);
    return [];
  } catch (error) {
    store.logFault(error);
    return messages;
  }
}

async function recordMessages(messages: readonly QueueMessage[], call: Call, store: Store): Promise<void> {
  const accepted: Accepted<PaymentMessage>[] = [];
  const refusals: AuditEntry[] = [];
  for (const [position, message] of messages.entries()) {
    const door = admit(message, call, store);
    if ("code" in door) {
      refusals.push(refusalOf(message, door, call));
      continue;
    }
    const { payment, actor = UNCLAIMED_ACTOR } = door;
    const caller = callerOf(message, call);
    accepted.push({
      position,
      id: payment.paymentId,
      actor,
      caller,
      payment,
      contentMac: await messageContentMac(payment, store),
    });
  }
  const { records } = await recordPayments(messagesBook(store), accepted, call, store);
  await recordEntries([...refusals, ...records], store);
}

function admit(message: QueueMessage, call: Call, store: Store): SentMessage | Refusal {
  const body = parseExactJson(message.body);
  if (body === undefined) return cardDataRefusal(message.body, store) ?? refusal("NOT_JSON");
  const cardData = cardDataRefusal(numbersAsText(body), store);
  if (cardData !== undefined) return cardData;
  const parsed = parsePaymentMessage(body, call.now);
  return parsed.ok ? parsed.value : parsed.refusal;
}

/** A message that can never be recorded is settled at first sight, with a record of its codes only. */
function refusalOf(message: QueueMessage, reason: Refusal, call: Call): AuditEntry {
  const entry = ledgerEntry(
    {
      auditId: derivedAuditId("REFUSAL", message.queueName, message.messageId),
      action: "REFUSAL",
      actor: UNCLAIMED_ACTOR,
      table: MESSAGES,
      asked: { recordIds: [] },
      answered: { recordIds: [], result: reason.code },
    },
    call,
  );
  return { ...entry, caller: callerOf(message, call) };
}

function messagesBook(store: Store): PaymentBook<PaymentMessage> {
  return {
    table: MESSAGES,
    tableName: store.tables.paymentMessages,
    partitionKey,
    uniqueBy: "row",
    record: (payment, recordedAt) => messageRecord(payment, recordedAt, store),
    attempted: paymentMessageContent,
  };
}
