/** Records the payments of `audit-trail-queue`, each once however often it is delivered. */

import { TABLES } from "../../contract";
import type { AuditEntry } from "../rules/audit-entry";
import { parseExactJson } from "../rules/exact-json";
import { derivedAuditId, UNCLAIMED_ACTOR } from "../rules/identifiers";
import {
  type PaymentMessage,
  parsePaymentMessage,
  paymentMessageContent,
  type SentMessage,
} from "../rules/payment-message";
import { type Refusal, refusal } from "../rules/refusals";
import type { Store } from "../store/store";
import { messageContentMac, messageRecord } from "../store/transaction-record";
import { type Call, ledgerEntry, refuseHarmful } from "./call";
import {
  arrivalParts,
  callerOf,
  claimsOf,
  keptBody,
  type QueueMessage,
  type QueueResponse,
  queueMessages,
  queueResponse,
} from "./queue";
import { recordEntries } from "./record-entries";
import { type Accepted, type PaymentBook, recordPayments } from "./record-payments";

const { logicalName: MESSAGES, partitionKey } = TABLES.paymentMessages;

/** @throws Error for an event that no queue sent: nothing else may invoke this function. */
export async function processMessages(event: unknown, call: Call, store: Store): Promise<QueueResponse> {
  const messages = queueMessages(event);
  if (messages === undefined) throw new Error("The event is not one of a queue.");
  const doors = messages.map((message) => ({ message, door: admit(message, call, store) }));
  // What is refused is settled first and never goes back to the queue: it must not reach the dead-letter queue.
  const refusals = doors.flatMap(({ message, door }) => ("code" in door ? [refusalOf(message, door, call)] : []));
  await recordEntries(refusals, store);
  for (const _ of refusals) store.signal("MessageRefused");
  const admitted = doors.flatMap(({ message, door }) => ("code" in door ? [] : [{ message, sent: door }]));
  // Together they share a transaction; when that fails for a technical reason, each stands for itself.
  if (await areRecorded(admitted, call, store)) return queueResponse([]);
  const each = await Promise.all(
    admitted.map(async (one) => ((await areRecorded([one], call, store)) ? [] : [one.message])),
  );
  return queueResponse(each.flat());
}

interface Admitted {
  readonly message: QueueMessage;
  readonly sent: SentMessage;
}

async function areRecorded(admitted: readonly Admitted[], call: Call, store: Store): Promise<boolean> {
  try {
    await recordMessages(admitted, call, store);
    return true;
  } catch (error) {
    store.logFault(error);
    return false;
  }
}

async function recordMessages(admitted: readonly Admitted[], call: Call, store: Store): Promise<void> {
  const accepted: Accepted<PaymentMessage>[] = [];
  for (const [position, { message, sent }] of admitted.entries()) {
    const { payment, actor = UNCLAIMED_ACTOR } = sent;
    const caller = callerOf(message, call);
    const contentMac = await messageContentMac(payment, store);
    accepted.push({ position, id: payment.paymentId, actor, caller, payment, contentMac });
  }
  await recordPayments(messagesBook(store), accepted, call, store);
}

function admit(message: QueueMessage, call: Call, store: Store): SentMessage | Refusal {
  const body = parseExactJson(message.body);
  if (body === undefined) return refuseHarmful(message.body, store) ?? refusal("NOT_JSON");
  const harmful = refuseHarmful(body, store);
  if (harmful !== undefined) return harmful;
  const parsed = parsePaymentMessage(body, call.now);
  return parsed.ok ? parsed.value : parsed.refusal;
}

/** A message that can never be recorded is settled at first sight. */
function refusalOf(message: QueueMessage, reason: Refusal, call: Call): AuditEntry {
  const { actor = UNCLAIMED_ACTOR, transactionId } = claimsOf(message);
  const entry = ledgerEntry(
    {
      auditId: derivedAuditId("REFUSAL", message.queueName, ...arrivalParts(message)),
      action: "REFUSAL",
      actor,
      table: MESSAGES,
      transactionId,
      asked: { recordIds: transactionId === undefined ? [] : [transactionId], ...keptBody(message, reason) },
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
