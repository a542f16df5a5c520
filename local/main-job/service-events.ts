/**
 * Audit events of another service through the FIFO queue, sent with the project's own client; and one message that no client
 * would send, in the middle of a payment's events: its place in the order must stay known.
 */

import { AuditEventClient } from "../../client/audit-events";
import type { AuditEventInput } from "../../client/results";
import { type StoredItem, textOf } from "../../ledger/rules/stored-item";
import type { JobEnvironment } from "./job-environment";
import { ACTORS } from "./ledger-usage";
import { sendMessages } from "./queues";

const ORDERS = 12;
const EVENTS_EACH = 6;
/** The invalid message comes after this many events of its order. */
const GAP = { order: 5, after: 3 } as const;
const GAP_MARK = "GAP";
/** Published for testing. */
const CARD_NUMBER = "5105105105105100";

export interface ServiceEvents {
  readonly sent: number;
  readonly again: number;
  /** What the client itself refused to send. */
  readonly heldBack: string | undefined;
}

export const gapOrder = orderId(GAP.order);

export async function sendEvents(environment: JobEnvironment): Promise<ServiceEvents> {
  const client = new AuditEventClient({ sqs: environment.sqs, queueUrl: environment.queueUrl("auditEvents") });
  const orders = Array.from({ length: ORDERS }, (_, order) => order);
  const before = orders.flatMap((order) => eventsOf(order).slice(0, GAP.after));
  const after = orders.flatMap((order) => eventsOf(order).slice(GAP.after));
  await client.send(before);
  const MessageGroupId = gapOrder;
  const invalid = { MessageBody: '{"TransactionID": "order', MessageGroupId, MessageDeduplicationId: "invalid-1" };
  await sendMessages(environment, "auditEvents", [invalid]);
  await client.send(after);
  // Within SQS's own window of deduplication, and past it under another id.
  const repeated = before.slice(0, ORDERS);
  await client.send(repeated);
  await sendMessages(environment, "auditEvents", repeated.map(againLater));
  return { sent: ORDERS * EVENTS_EACH, again: 2 * repeated.length, heldBack: await heldBack(client) };
}

function orderId(order: number): string {
  return `order-2025-${String(order + 1).padStart(3, "0")}`;
}

function eventsOf(order: number): (AuditEventInput & { readonly AuditID: string })[] {
  return Array.from({ length: EVENTS_EACH }, (_, number) => ({
    AuditID: `${orderId(order)}-event-${number + 1}`,
    TransactionID: orderId(order),
    Action: number === 0 ? "WRITE" : "READ",
    user_id: ACTORS.orders,
    query_record_id: orderId(order),
    response_record_ids: [orderId(order)],
    query_result: "success",
  }));
}

function againLater(event: AuditEventInput & { readonly AuditID: string }) {
  const { AuditID, TransactionID = "" } = event;
  return {
    MessageBody: JSON.stringify(event),
    MessageGroupId: TransactionID,
    MessageDeduplicationId: `${AuditID}-again`,
  };
}

/** An event with a card number never leaves its service. */
async function heldBack(client: AuditEventClient): Promise<string | undefined> {
  const result = await client.send({
    TransactionID: orderId(0),
    Actor: ACTORS.orders,
    QueryDetails: { note: CARD_NUMBER },
  });
  return result.outcome === "refused" ? result.refusals[0]?.code : undefined;
}

/** The stored records of each order, in stored order, against the order of sending. */
export function eventsDiffer(trail: Iterable<StoredItem>, { heldBack: code }: ServiceEvents): string[] {
  const stored = new Map<string, StoredItem[]>();
  for (const record of trail) {
    const id = textOf(record, "TransactionID") ?? "";
    if (id.startsWith("order-")) stored.set(id, [...(stored.get(id) ?? []), record]);
  }
  const faults = Array.from({ length: ORDERS }, (_, order) => order).flatMap((order) =>
    orderDiffers(order, stored.get(orderId(order)) ?? []),
  );
  return code === "CARD_DATA" ? faults : [...faults, "the client let an event with a card number through"];
}

function orderDiffers(order: number, records: readonly StoredItem[]): string[] {
  const sorted = records.toSorted((a, b) => compare(a, b, "TransactionOrder"));
  const names = sorted.map((record) =>
    textOf(record, "Action") === GAP_MARK ? GAP_MARK : (textOf(record, "AuditID") ?? ""),
  );
  const wanted = eventsOf(order).map(({ AuditID }) => AuditID);
  if (order === GAP.order) wanted.splice(GAP.after, 0, GAP_MARK);
  const inSequence = sorted.every((record, index) => {
    const previous = sorted[index - 1];
    return previous === undefined || compare(previous, record, "SequenceNumber") < 0;
  });
  return names.join() === wanted.join() && inSequence
    ? []
    : [`${orderId(order)} holds ${names.join(", ") || "nothing"}`];
}

function compare(a: StoredItem, b: StoredItem, name: string): number {
  const [left, right] = [textOf(a, name) ?? "", textOf(b, name) ?? ""];
  return left === right ? 0 : left < right ? -1 : 1;
}

/** The same as the auditor reads it. */
export function readGapDiffers(actions: readonly string[]): string[] {
  const wanted = eventsOf(GAP.order).map(({ Action }) => `EVENT:${Action}`);
  wanted.splice(GAP.after, 0, GAP_MARK);
  return actions.join() === wanted.join() ? [] : [`${gapOrder} reads back as ${actions.join(", ")}`];
}
