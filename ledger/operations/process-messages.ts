/** Records the payments of `audit-trail-queue`, each once however often it is delivered. */

import { TABLES } from "../../contract";
import type { AuditEntry } from "../rules/audit-entry";
import { parseExactJson } from "../rules/exact-json";
import { derivedAuditId, UNCLAIMED_ACTOR } from "../rules/identifiers";
import type { PaymentMessage } from "../rules/payment-message";
import { type Refusal, refusal } from "../rules/refusals";
import type { Services } from "../store/services";
import { type Call, noteResults } from "./call";
import { ledgerEntry } from "./ledger-entry";
import { messagesBook, type SentPayment } from "./payment-books";
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
import { recordPayments } from "./record-payments";
import { type Accepted, acceptPayment, isRefusal, refuseHarmful, validatePayment } from "./validation";

const { logicalName: MESSAGES } = TABLES.paymentMessages;

/** @throws Error for an event that no queue sent: nothing else may invoke this function. */
export async function processMessages(event: unknown, call: Call, services: Services): Promise<QueueResponse> {
  const messages = queueMessages(event);
  if (messages === undefined) throw new Error("The event is not one of a queue.");
  const judged = messages.map((message) => ({ message, judgement: validated(message, call, services) }));
  // What is refused is settled first and never goes back to the queue: it must not reach the dead-letter queue.
  const refusals = judged.flatMap(({ message, judgement }) =>
    isRefusal(judgement) ? [refusalOf(message, judgement, call)] : [],
  );
  await recordEntries(refusals, services);
  for (const _ of refusals) services.signal("MessageRefused");
  call.noteOutcomes?.({ refused: refusals.length });
  const valid = judged.flatMap(({ message, judgement }) =>
    isRefusal(judgement) ? [] : [{ message, sent: judgement }],
  );
  // Together they share a transaction; when that fails for a technical reason, each is recorded separately.
  if (await areRecorded(valid, call, services)) return queueResponse([]);
  const each = await Promise.all(
    valid.map(async (one) => ((await areRecorded([one], call, services)) ? [] : [one.message])),
  );
  return queueResponse(each.flat());
}

interface ValidMessage {
  readonly message: QueueMessage;
  readonly sent: SentPayment<PaymentMessage>;
}

async function areRecorded(valid: readonly ValidMessage[], call: Call, services: Services): Promise<boolean> {
  try {
    await recordMessages(valid, call, services);
    return true;
  } catch (error) {
    services.logFault(error);
    return false;
  }
}

async function recordMessages(valid: readonly ValidMessage[], call: Call, services: Services): Promise<void> {
  const accepted: Accepted<PaymentMessage>[] = [];
  const book = messagesBook(services);
  for (const [position, { message, sent }] of valid.entries()) {
    accepted.push(await acceptPayment(book, sent, { position, caller: callerOf(message, call) }, services));
  }
  noteResults(await recordPayments(book, accepted, call, services), call);
}

function validated(message: QueueMessage, call: Call, services: Services): SentPayment<PaymentMessage> | Refusal {
  const body = parseExactJson(message.body);
  if (body === undefined) return refuseHarmful(message.body, services) ?? refusal("NOT_JSON");
  return validatePayment(messagesBook(services), body, { now: call.now, caller: callerOf(message, call) }, services);
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
