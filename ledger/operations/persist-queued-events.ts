/**
 * Records the audit events of the FIFO queue. The message group is the payment: within it events are recorded in the
 * queue's order, and a technical fault holds up that group alone.
 */

import { TABLES } from "../../contract";
import type { AuditEntry } from "../rules/audit-entry";
import type { AuditEvent } from "../rules/audit-event";
import { parseExactJson } from "../rules/exact-json";
import { groupedBy } from "../rules/grouped";
import { derivedAuditId, UNCLAIMED_ACTOR } from "../rules/identifiers";
import { type Refusal, refusal } from "../rules/refusals";
import type { Services } from "../store/services";
import { type Call, noteResults } from "./call";
import { harmlessClaims } from "./claims";
import { ledgerEntry } from "./ledger-entry";
import { type AcceptedEvent, eventContentMac, recordEvents, validateEvent } from "./persist-audit-events";
import {
  arrivalParts,
  callerOf,
  claimsOf,
  keptBody,
  type QueueMessage,
  type QueueResponse,
  queueResponse,
  tokensOf,
} from "./queue";
import { recordEntries } from "./record-entries";
import { isRefusal, refuseHarmful } from "./validation";

const TRAIL = TABLES.paymentAuditTrail.logicalName;

export async function persistQueuedEvents(
  messages: readonly QueueMessage[],
  call: Call,
  services: Services,
): Promise<QueueResponse> {
  const groups = groupedBy(messages, ({ groupId, messageId }) => groupId ?? messageId);
  const failed = await Promise.all([...groups.values()].map((group) => failedOf(group, call, services)));
  return queueResponse(failed.flat());
}

/**
 * What was refused is settled first and never goes back to the queue: it must not reach a dead-letter queue. The rest of
 * the group goes back when any of it failed; what was recorded of it is a duplicate the next time.
 */
async function failedOf(
  group: readonly QueueMessage[],
  call: Call,
  services: Services,
): Promise<readonly QueueMessage[]> {
  let open = group;
  try {
    const judged = group.map((message) => ({ message, judgement: validateMessage(message, call, services) }));
    const settled = judged.flatMap(({ message, judgement }) =>
      isRefusal(judgement) ? [settledEntry(message, judgement, call)] : [],
    );
    await recordEntries(settled, services);
    for (const _ of settled) services.signal("MessageRefused");
    call.noteOutcomes?.({ refused: settled.length });
    const valid = judged.flatMap(({ message, judgement: event }) => (isRefusal(event) ? [] : [{ message, event }]));
    open = valid.map(({ message }) => message);
    await persistEvents(valid, call, services);
    return [];
  } catch (error) {
    services.logFault(error);
    return open;
  }
}

interface ValidEvent {
  readonly message: QueueMessage;
  readonly event: AuditEvent;
}

async function persistEvents(valid: readonly ValidEvent[], call: Call, services: Services): Promise<void> {
  const accepted: AcceptedEvent[] = [];
  for (const [position, { message, event }] of valid.entries()) {
    accepted.push(await acceptedEvent(event, message, position, call, services));
  }
  noteResults(await recordEvents(accepted, call, services), call);
}

function validateMessage(message: QueueMessage, call: Call, services: Services): AuditEvent | Refusal {
  const exact = parseExactJson(message.body);
  if (exact === undefined) return refuseHarmful(message.body, services) ?? refusal("NOT_JSON");
  // Searched as it was written, and as it is stored: with floats, like an event of a direct call.
  return (
    refuseHarmful(exact, services) ??
    validateEvent(JSON.parse(message.body), { now: call.now, caller: callerOf(message, call) }, services)
  );
}

async function acceptedEvent(
  event: AuditEvent,
  message: QueueMessage,
  position: number,
  call: Call,
  services: Services,
): Promise<AcceptedEvent> {
  return {
    position,
    event,
    // An event without an id is named by its message. A deduplication id would not do: SQS forgets it after
    // five minutes, and a later event under the same one is another event.
    auditId: event.auditId ?? derivedAuditId("EVENT", message.queueName, message.messageId),
    contentMac: await eventContentMac(event, services),
    caller: callerOf(message, call),
    ...queuedOf(message),
  };
}

function queuedOf({ sequenceNumber, sentAt }: QueueMessage): { queued?: NonNullable<AuditEntry["queued"]> } {
  return sequenceNumber === undefined ? {} : { queued: { sequenceNumber, sentAt } };
}

/** A message that can never be recorded is settled at first sight: its place in the order is kept, with the reason. */
function settledEntry(message: QueueMessage, reason: Refusal, call: Call): AuditEntry {
  const { actor = UNCLAIMED_ACTOR, transactionId } = claimsOf(message);
  // The message group is the payment: there the record keeps its place in the order.
  const { transactionId: named = transactionId } = harmlessClaims(
    { TransactionID: message.groupId },
    tokensOf(message),
  );
  const place = message.sequenceNumber ?? message.messageId;
  const entry = ledgerEntry(
    {
      auditId: derivedAuditId("GAP", message.queueName, message.groupId ?? "", place, ...arrivalParts(message)),
      action: reason.code === "CARD_DATA" ? "REFUSAL" : "GAP",
      actor,
      table: TRAIL,
      transactionId: named,
      asked: { recordIds: transactionId === undefined ? [] : [transactionId], ...keptBody(message, reason) },
      answered: { recordIds: [], result: reason.code },
    },
    call,
  );
  return { ...entry, caller: callerOf(message, call), ...queuedOf(message) };
}
