/** What is stored of payments and events that arrive as files and messages. Stored data is forever: these are golden. */

import type { AuditEntry } from "../../../ledger/rules/audit-entry";
import { hasGoodMac } from "../../../ledger/rules/record-mac";
import { auditPut } from "../../../ledger/store/audit-record";
import { messageRecord, transactionRecord, transactionView } from "../../../ledger/store/transaction-record";
import { MAC_KEY } from "../../support/ledger-fixtures";
import { lastingForm, recordingOf, stubServices } from "./stub-services";

const services = stubServices();
const RECORDED_AT = "2026-11-21T12:00:00.000Z";

const EVENT: AuditEntry = {
  auditId: "event-1",
  action: "READ",
  actor: "order-service",
  timestamp: "2026-11-20T10:00:00.000Z",
  recordedAt: RECORDED_AT,
  caller: { requestId: "r", functionName: "f", principal: "AROAEXAMPLE:order-service" },
  origin: "EVENT",
  transactionId: "txn-1",
  queued: { sequenceNumber: "18870000000000000256", sentAt: "2026-11-21T11:59:58.123Z" },
};

test("golden: an event of the queue, in its place within the payment", async () => {
  const { item } = await auditPut(EVENT, services);
  expect(lastingForm(item)).toEqual({
    Format: { N: "1" },
    AuditID: { S: "event-1" },
    Action: { S: "READ" },
    Actor: { S: "order-service" },
    Timestamp: { S: "2026-11-20T10:00:00.000Z" },
    RecordedAt: { S: RECORDED_AT },
    Origin: { S: "EVENT" },
    Caller: {
      M: { RequestID: { S: "r" }, Function: { S: "f" }, Principal: { S: "AROAEXAMPLE:order-service" } },
    },
    SequenceNumber: { S: "18870000000000000256" },
    TransactionID: { S: "txn-1" },
    TransactionOrder: { S: "2026-11-21T11:59:58.123Z#18870000000000000256" },
    ActorDay: { S: "order-service#20261121#07" },
    AuditDay: { S: "#20261121#07" },
    TimeKey: { S: "2026-11-21T12:00:00.000Z#event-1" },
  });
  expect(hasGoodMac("PaymentAuditTrail", item, MAC_KEY)).toBe(true);
});

test("golden: the way in stands beside the sender, and a sealed file beside its hash", async () => {
  const caller = { ...EVENT.caller, via: "queue" as const };
  const evidence = { path: "identities/2026-11-20-0123456789abcdef.ndjson", sha256: "ab" };
  const { item } = await auditPut({ ...EVENT, caller, evidence }, services);
  expect(item).toMatchObject({
    Caller: {
      M: {
        RequestID: { S: "r" },
        Function: { S: "f" },
        Principal: { S: "AROAEXAMPLE:order-service" },
        Via: { S: "queue" },
      },
    },
    EvidencePath: { S: evidence.path },
    EvidenceHash: { S: "ab" },
  });
  expect(hasGoodMac("PaymentAuditTrail", item, MAC_KEY)).toBe(true);
});

test("without a queue the order within a payment is that of recording; without a payment there is none", async () => {
  const { queued, ...direct } = EVENT;
  expect((await auditPut(direct, services)).item).toMatchObject({ TransactionOrder: { S: RECORDED_AT } });
  const { transactionId: _id, ...nameless } = EVENT;
  const { item } = await auditPut(nameless, services);
  expect(item).not.toHaveProperty("TransactionOrder");
  expect(item).toMatchObject({ SequenceNumber: { S: queued?.sequenceNumber } });
});

test("in text order, the places of a queue are in the order of the queue", () => {
  const places = [
    ["2026-11-21T11:59:58.123Z", "18870000000000000256"],
    ["2026-11-21T11:59:58.123Z", "18870000000000000512"],
    ["2026-11-21T11:59:58.124Z", "18870000000000000768"],
    ["2026-11-21T12:00:00.000Z", "18870000000000001024"],
  ].map((place) => place.join("#"));
  expect(places.toSorted()).toEqual(places);
});

test("golden: a payment of a file, and what a reader sees of it", async () => {
  const payment = {
    transactionId: "txn-1",
    amount: "100.10",
    currency: "USD",
    cardLast4: "4242",
    metadata: '{"a":12345678901234567890.12,"b":1.10}',
  };
  const { item } = await transactionRecord(
    payment,
    recordingOf("payment-transactions", payment, RECORDED_AT),
    services,
  );
  expect(lastingForm(item)).toEqual({
    Format: { N: "1" },
    transactionId: { S: "txn-1" },
    timestamp: { N: "1795262400000" },
    amount: { S: "100.10" },
    currency: { S: "USD" },
    cardLast4: { S: "4242" },
    status: { S: "processed" },
    processedAt: { S: RECORDED_AT },
    metadata: { S: payment.metadata },
    ContentMac: { S: "1.testkey.7L8H608S2OR1SXGN2CNjUJHzpRz-T76V3nZ98Ve3SrE" },
  });
  expect(hasGoodMac("payment-transactions", item, MAC_KEY)).toBe(true);
  expect(transactionView(item)).toEqual({
    ...payment,
    timestamp: 1795262400000,
    status: "processed",
    processedAt: RECORDED_AT,
  });
});

const MESSAGE = { paymentId: "pay-1", amount: "10.5" };

test("golden: a payment of a message; without a time of its own it has that of recording, and the same content", async () => {
  const { item } = await messageRecord(MESSAGE, recordingOf("payment-audit-trail", MESSAGE, RECORDED_AT), services);
  expect(lastingForm(item)).toEqual({
    Format: { N: "1" },
    paymentId: { S: "pay-1" },
    amount: { S: "10.5" },
    timestamp: { S: RECORDED_AT },
    processedAt: { S: RECORDED_AT },
    ContentMac: { S: "1.testkey.wUgc7cGkikh5bGU2esrRSryG_I3RfMbTZeHjJCoSloE" },
  });
  expect(hasGoodMac("payment-audit-trail", item, MAC_KEY)).toBe(true);
});

test("two records of the same content differ by their salt", async () => {
  const make = async () =>
    (await messageRecord(MESSAGE, recordingOf("payment-audit-trail", MESSAGE, RECORDED_AT), services)).item;
  const [first, second] = [await make(), await make()];
  expect(first["Salt"]).not.toEqual(second["Salt"]);
  expect(first["Mac"]).not.toEqual(second["Mac"]);
});
