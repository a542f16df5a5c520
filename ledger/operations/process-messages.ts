/** Records the payments and the facts of `audit-trail-queue`, each once however often it is delivered. */

import { type LogicalTableName, TABLES } from "../../contract";
import type { AuditEntry } from "../rules/audit-entry";
import { parseExactJson } from "../rules/exact-json";
import { derivedAuditId, UNCLAIMED_ACTOR } from "../rules/identifiers";
import { isPaymentEvent } from "../rules/payment-event";
import type { PaymentMessage } from "../rules/payment-message";
import { type Refusal, refusal } from "../rules/refusals";
import type { Services } from "../store/services";
import { type Call, noteResults } from "./call";
import { ledgerEntry } from "./ledger-entry";
import { messagesBook } from "./messages-book";
import type { SentPayment } from "./payment-books";
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
import { type QueuedFact, recordFacts } from "./queued-facts";
import { recordEntries } from "./record-entries";
import { recordPayments } from "./record-payments";
import { acceptLifeEvent, validateFact } from "./sent-events";
import { type Accepted, acceptPayment, isRefusal, refuseHarmful, validatePayment } from "./validation";

const { logicalName: MESSAGES } = TABLES.paymentMessages;
const { logicalName: EVENTS } = TABLES.paymentEvents;

/** @throws Error for an event that no queue sent: nothing else may invoke this function. */
export async function processMessages(event: unknown, call: Call, services: Services): Promise<QueueResponse> {
  const messages = queueMessages(event);
  if (messages === undefined) throw new Error("The event is not one of a queue.");
  const judged = await Promise.all(messages.map((message, position) => judge(message, position, call, services)));
  // What is refused is settled first and never goes back to the queue: it must not reach the dead-letter queue.
  const refusals = judged.flatMap((each) => ("reason" in each ? [refusalOf(each, call)] : []));
  await recordEntries(refusals, services);
  for (const _ of refusals) services.signal("MessageRefused");
  call.noteOutcomes?.({ refused: refusals.length });
  const [unpaid, untold] = await Promise.all([
    recordAll(
      judged.filter((each) => "sent" in each),
      call,
      services,
    ),
    recordFacts(
      judged.filter((each) => "fact" in each),
      call,
      services,
    ),
  ]);
  return queueResponse([...unpaid, ...untold]);
}

interface ValidMessage {
  readonly message: QueueMessage;
  readonly sent: SentPayment<PaymentMessage>;
}

interface RefusedMessage {
  readonly message: QueueMessage;
  readonly reason: Refusal;
  /** Where it would have been recorded. */
  readonly table: LogicalTableName;
}

/**
 * Together the payments share a transaction; when that fails for a technical reason, each is recorded on its own.
 *
 * @returns the messages to deliver again.
 */
async function recordAll(valid: readonly ValidMessage[], call: Call, services: Services): Promise<QueueMessage[]> {
  if (await areRecorded(valid, call, services)) return [];
  const each = await Promise.all(
    valid.map(async (one) => ((await areRecorded([one], call, services)) ? [] : [one.message])),
  );
  return each.flat();
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

async function judge(
  message: QueueMessage,
  position: number,
  call: Call,
  services: Services,
): Promise<ValidMessage | QueuedFact | RefusedMessage> {
  const body = parseExactJson(message.body);
  if (body === undefined) {
    const reason = refuseHarmful(message.body, services) ?? refusal("NOT_JSON");
    return { message, reason, table: MESSAGES };
  }
  const input = { now: call.now, caller: callerOf(message, call) };
  if (isPaymentEvent(body)) {
    const valid = validateFact(body, position, input, services);
    if (isRefusal(valid)) return { message, reason: valid, table: EVENTS };
    return { message, fact: await acceptLifeEvent(valid, services) };
  }
  const sent = validatePayment(messagesBook(services), body, input, services);
  return isRefusal(sent) ? { message, reason: sent, table: MESSAGES } : { message, sent };
}

/** A message that can never be recorded is settled at first sight. */
function refusalOf({ message, reason, table }: RefusedMessage, call: Call): AuditEntry {
  const { actor = UNCLAIMED_ACTOR, transactionId } = claimsOf(message);
  const entry = ledgerEntry(
    {
      auditId: derivedAuditId("REFUSAL", message.queueName, ...arrivalParts(message)),
      action: "REFUSAL",
      actor,
      table,
      transactionId,
      asked: { recordIds: transactionId === undefined ? [] : [transactionId], ...keptBody(message, reason) },
      answered: { recordIds: [], result: reason.code },
    },
    call,
  );
  return { ...entry, caller: callerOf(message, call) };
}
