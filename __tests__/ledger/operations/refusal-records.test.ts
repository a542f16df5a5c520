/** Every way in: what it refuses is found in the trail by payment and by actor, with its code and its table, and says no more. */

import type { Call } from "../../../ledger/operations/call";
import { runPaymentProcessor } from "../../../ledger/operations/payment-processor";
import { persistAuditEvents } from "../../../ledger/operations/persist-audit-events";
import { persistPayments } from "../../../ledger/operations/persist-payments";
import { persistQueuedEvents } from "../../../ledger/operations/persist-queued-events";
import { processMessages } from "../../../ledger/operations/process-messages";
import { queryAuditTrail } from "../../../ledger/operations/query-audit-trail";
import { queryLedger } from "../../../ledger/operations/query-ledger";
import { queryTransactions } from "../../../ledger/operations/query-transactions";
import { queueMessages } from "../../../ledger/operations/queue";
import { revealToken } from "../../../ledger/operations/reveal-token";
import { updatePaymentStatus } from "../../../ledger/operations/update-status";
import type { AuditView } from "../../../ledger/rules/responses";
import { freshId, type Harness, startHarness } from "../../support/ledger-harness";
import { queueRecord } from "../../support/queue-records";

let harness: Harness;
beforeAll(async () => {
  harness = await startHarness();
});
afterAll(() => harness?.stop());

const CARD = "4111 1111 1111 1111";
const settings = () => ({ files: harness.files, removeCardDataFiles: true });

interface WayIn {
  readonly table: string;
  /** The code with which what is sent is refused, and what sends it. */
  readonly code: string;
  readonly send: (id: string, actor: string, call: Call) => Promise<unknown>;
  /** Of the FIFO queue's messages. */
  readonly action?: "GAP";
}

const processor = (event: unknown, call: Call) => runPaymentProcessor(event, call, harness.services, settings());
const file = async (row: object, call: Call) =>
  processor(await harness.upload(`payments/${freshId("file")}.json`, JSON.stringify(row)), call);

const WAYS: Readonly<Record<string, WayIn>> = {
  "a payment": {
    table: "PaymentLedger",
    code: "MISSING_FIELD",
    send: (TransactionID, Actor, call) => persistPayments({ TransactionID, Actor }, call, harness.services),
  },
  "a payment of a list, whose actor is named around it": {
    table: "PaymentLedger",
    code: "MISSING_FIELD",
    send: (TransactionID, Actor, call) =>
      persistPayments({ Actor, payments: [{ TransactionID }] }, call, harness.services),
  },
  "a payment with card data": {
    table: "PaymentLedger",
    code: "CARD_DATA",
    send: (TransactionID, Actor, call) =>
      persistPayments({ TransactionID, Actor, SecureToken: CARD }, call, harness.services),
  },
  "a status change": {
    table: "PaymentLedger",
    code: "NOT_FOUND",
    send: (TransactionID, Actor, call) =>
      updatePaymentStatus(
        { TransactionID, ExpectedStatus: "Failure", Status: "Success", Reason: "late", Actor },
        call,
        harness.services,
      ),
  },
  "a query of the ledger": {
    table: "PaymentLedger",
    code: "UNKNOWN_FIELD",
    send: (TransactionID, Actor, call) =>
      queryLedger({ Query: "transaction", TransactionID, Actor, all: true }, call, harness.services),
  },
  "a reveal": {
    table: "PaymentLedger",
    code: "NOT_FOUND",
    send: (TransactionID, Actor, call) =>
      revealToken({ TransactionID, Actor, Reason: "refund" }, call, harness.services),
  },
  "an event in the trail's words": {
    table: "PaymentAuditTrail",
    code: "INVALID_ACTION",
    send: (TransactionID, Actor, call) =>
      persistAuditEvents({ TransactionID, Actor, Action: "no action" }, call, harness.services),
  },
  "an event in the words of the five questions": {
    table: "PaymentAuditTrail",
    code: "INVALID_TIMESTAMP",
    send: (query_record_id, user_id, call) =>
      persistAuditEvents({ query_record_id, user_id, timestamp: "yesterday" }, call, harness.services),
  },
  "an event of a list, whose actor is named around it": {
    table: "PaymentAuditTrail",
    code: "UNKNOWN_FIELD",
    send: (TransactionID, Actor, call) =>
      persistAuditEvents({ Actor, events: [{ TransactionID, surprise: 1 }] }, call, harness.services),
  },
  "a query of the trail": {
    table: "PaymentAuditTrail",
    code: "INVALID_LIMIT",
    send: (TransactionID, Actor, call) =>
      queryAuditTrail({ Query: "transaction", TransactionID, Actor, Limit: 0 }, call, harness.services),
  },
  "a direct payment of the processor": {
    table: "payment-transactions",
    code: "MISSING_FIELD",
    send: (transactionId, actor, call) => processor({ payment_data: { transactionId, actor } }, call),
  },
  "a direct payment of the processor with card data": {
    table: "payment-transactions",
    code: "CARD_DATA",
    send: (transactionId, actor, call) => processor({ payment_data: { transactionId, actor, note: CARD } }, call),
  },
  "an event that the processor does not handle": {
    table: "payment-transactions",
    code: "INVALID_EVENT",
    send: (transactionId, actor, call) => processor({ transactionId, actor, amount: "1.00" }, call),
  },
  "a file's row with card data": {
    table: "payment-transactions",
    code: "CARD_DATA",
    send: (transactionId, actor, call) => file({ transactionId, actor, note: CARD }, call),
  },
  "a query of the transactions": {
    table: "payment-transactions",
    code: "UNKNOWN_FIELD",
    send: (transactionId, Actor, call) =>
      queryTransactions({ transactionId, Actor, all: true }, call, harness.services),
  },
  "a payment message": {
    table: "payment-audit-trail",
    code: "MISSING_FIELD",
    send: (paymentId, actor, call) =>
      processMessages({ Records: [queueRecord({ paymentId, actor })] }, call, harness.services),
  },
  "a payment message with card data": {
    table: "payment-audit-trail",
    code: "CARD_DATA",
    send: (paymentId, actor, call) =>
      processMessages({ Records: [queueRecord({ paymentId, actor, note: CARD })] }, call, harness.services),
  },
  "a message of the FIFO queue, found under its group": {
    table: "PaymentAuditTrail",
    code: "INVALID_ACTION",
    action: "GAP",
    send: (groupId, Actor, call) => queued({ TransactionID: "another", Actor, Action: "no action" }, groupId, call),
  },
  "a message of the FIFO queue with card data": {
    table: "PaymentAuditTrail",
    code: "CARD_DATA",
    send: (groupId, user_id, call) => queued({ user_id, QueryDetails: CARD }, groupId, call),
  },
};

const queued = (body: object, groupId: string, call: Call) =>
  persistQueuedEvents(queueMessages({ Records: [queueRecord(body, { groupId })] }) ?? [], call, harness.services);

async function found(query: object): Promise<AuditView[]> {
  const answer = await queryAuditTrail(
    { ...query, Actor: "auditor" },
    harness.call("query_payment_audit_trail"),
    harness.services,
  );
  if (answer.outcome !== "answered") throw new Error(`The query was refused: ${answer.code}`);
  return answer.records;
}

const today = () => ({
  From: new Date(Date.now() - 3_600_000).toISOString(),
  To: new Date(Date.now() + 60_000).toISOString(),
});

test.each(Object.entries(WAYS))("%s: its refusal is found by payment and by actor", async (_way, wayIn) => {
  const [id, actor] = [freshId("refused"), freshId("actor")];
  const call = harness.call("some_function");
  await wayIn.send(id, actor, call);
  const expected = {
    Action: wayIn.action ?? "REFUSAL",
    Actor: actor,
    TransactionID: id,
    Table: wayIn.table,
    query_result: wayIn.code,
    Caller: { RequestID: call.caller.requestId },
  };
  const byPayment = await found({ Query: "transaction", TransactionID: id });
  expect(byPayment).toMatchObject([expected]);
  expect(await found({ Query: "actor", OfActor: actor, ...today() })).toMatchObject([expected]);
  expect(JSON.stringify(byPayment)).not.toContain(CARD);
});

test("what cannot be kept is not claimed: a card number as actor or as payment", async () => {
  const call = harness.call();
  await persistPayments({ TransactionID: "4111111111111111", Actor: "5555555555554444" }, call, harness.services);
  const records = await found({ Query: "actor", OfActor: "unclaimed", ...today() });
  const own = records.filter(({ Caller }) => Caller.RequestID === call.caller.requestId);
  expect(own).toMatchObject([{ Action: "REFUSAL", query_result: "CARD_DATA" }]);
  expect(own[0]).not.toHaveProperty("TransactionID");
});
