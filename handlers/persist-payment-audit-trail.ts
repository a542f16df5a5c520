/** Records audit events: one or a list in a direct call, or the messages of `payment-audit-trail.fifo`. */

import { FUNCTIONS, TABLES } from "../contract";
import { persistAuditEvents } from "../ledger/operations/persist-audit-events";
import { persistQueuedEvents } from "../ledger/operations/persist-queued-events";
import { throughPrivateApi } from "../ledger/operations/private-api";
import { queueMessages } from "../ledger/operations/queue";
import { type Operation, serve } from "./runtime/serve";

const persist: Operation<object> = (event, call, services) => {
  const messages = queueMessages(event);
  return messages === undefined
    ? persistAuditEvents(event, call, services)
    : persistQueuedEvents(messages, call, services);
};

export const handler = serve(
  FUNCTIONS.persistPaymentAuditTrail.name,
  // A body that looks like an event of a queue is no message.
  throughPrivateApi(persistAuditEvents, TABLES.paymentAuditTrail.logicalName, persist),
);
