/** What is stored of payments and events that arrive as files and messages. Stored data is forever: these are golden. */

import type { AuditEntry } from "../../../ledger/rules/audit-entry";
import { PaymentLife } from "../../../ledger/rules/payment-life";
import { hasGoodMac } from "../../../ledger/rules/record-mac";
import { auditPut } from "../../../ledger/store/audit-record";
import { eventRecord, eventView } from "../../../ledger/store/event-record";
import { paymentRecord, paymentView } from "../../../ledger/store/payment-record";
import {
  messageRecord,
  messageView,
  transactionRecord,
  transactionView,
} from "../../../ledger/store/transaction-record";
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

test("golden: the way in is beside the sender, and a sealed file beside its hash", async () => {
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

test("without a queue the order within a payment is that of recording; without a payment there is no order", async () => {
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

test("golden: what is imported has its mark in the row, which a reader sees, and in its record; its content is the same", async () => {
  const mark = { from: "payment-transactions-old", processedAt: "2024-03-01T10:00:00.000Z" };
  const recording = { recordedAt: RECORDED_AT, contentMac: "m", imported: mark };
  const transaction = { transactionId: "t", amount: "1.00", currency: "EUR", cardLast4: "4242", metadata: "{}" };
  const marked = { importedFrom: { S: mark.from }, originallyProcessedAt: { S: mark.processedAt } };
  const row = (await transactionRecord(transaction, recording, services)).item;
  expect(row).toMatchObject({ ...marked, timestamp: { N: "1795262400000" }, ContentMac: { S: "m" } });
  expect(transactionView(row)).toMatchObject({ importedFrom: mark.from, originallyProcessedAt: mark.processedAt });
  const message = (await messageRecord({ paymentId: "p", amount: "1" }, recording, services)).item;
  expect(message).toMatchObject({ importedFrom: { S: mark.from } });
  expect(messageView(message)).toMatchObject({ importedFrom: mark.from });
  const payment = {
    TransactionID: "t",
    SecureToken: "tok_1",
    Amount: "1.00",
    Currency: "EUR",
    ProcessorID: "p",
  } as const;
  const ledger = (await paymentRecord({ ...payment, Status: "Success" }, recording, services)).item;
  expect(ledger).toMatchObject({ ImportedFrom: { S: mark.from } });
  expect(paymentView(ledger)).toMatchObject({ ImportedFrom: mark.from });
  const { item } = await auditPut({ ...EVENT, importedFrom: mark.from }, services);
  expect(item).toMatchObject({ ImportedFrom: { S: mark.from } });
  for (const [table, stored] of [
    ["payment-transactions", row],
    ["payment-audit-trail", message],
    ["PaymentLedger", ledger],
    ["PaymentAuditTrail", item],
  ] as const)
    expect(hasGoodMac(table, stored, MAC_KEY)).toBe(true);
});

test("golden: a payment of a message; without its own time it has that of recording, and the same content", async () => {
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

test("golden: the first event of a payment, a hold; and what a reader sees of it", async () => {
  const event = {
    TransactionID: "txn-1",
    EventID: "refund-1-hold",
    Kind: "REFUND_HELD",
    Mode: "grant",
    Amount: "60.00",
    Currency: "EUR",
    Reason: "goods returned",
  } as const;
  const row = { TransactionID: { S: "txn-1" }, Amount: { S: "100.00" }, Salt: { B: Buffer.alloc(16) } };
  const life = new PaymentLife({ Amount: "100.00", Currency: "EUR", Status: "Success", ProcessorID: "acme" });
  const at = { place: 1, before: row, outcome: life.judge(event), recordedAt: RECORDED_AT };
  const { item } = await eventRecord(event, at, services);
  const state = { Authorised: "100.00", Captured: "100.00", RefundHeld: "60.00", Refunded: "0.00" };
  expect(lastingForm(item)).toEqual({
    Format: { N: "1" },
    TransactionID: { S: "txn-1" },
    Place: { N: "1" },
    EventID: { S: "refund-1-hold" },
    Kind: { S: "REFUND_HELD" },
    Mode: { S: "grant" },
    Amount: { S: "60.00" },
    Currency: { S: "EUR" },
    Reason: { S: "goods returned" },
    Timestamp: { S: RECORDED_AT },
    RecordedAt: { S: RECORDED_AT },
    State: {
      M: {
        Authorised: { S: "100.00" },
        Captured: { S: "100.00" },
        RefundHeld: { S: "60.00" },
        Refunded: { S: "0.00" },
        Disputed: { S: "0.00" },
        Fees: { S: "0.00" },
        Closed: { BOOL: false },
      },
    },
    Postings: {
      L: [
        { M: { Account: { S: "payable" }, Amount: { S: "60.00" }, Currency: { S: "EUR" } } },
        { M: { Account: { S: "refunds:held" }, Amount: { S: "-60.00" }, Currency: { S: "EUR" } } },
      ],
    },
    Previous: { S: "le94dyj_QLbYTeQIaNiDKGZ_y1iHmyG1iwAgxjvMync" },
    ReviewDay: { S: "HOLD#20261121#02" },
    TimeKey: { S: "2026-11-21T12:00:00.000Z#refund-1-hold" },
    ContentMac: { S: "1.testkey.eaUBxklM3SCHCR1OTBc2uXHoIX-svYlZBRXNCpXaqP4" },
  });
  expect(hasGoodMac("PaymentEvents", item, MAC_KEY)).toBe(true);
  const { TransactionID: _id, ...shown } = event;
  expect(eventView(item)).toMatchObject({ Place: 1, ...shown, State: state });
});

test("golden: a fact that breaks rules, without a row before it", async () => {
  const event = {
    TransactionID: "txn-2",
    EventID: "re-1",
    Kind: "REFUNDED",
    Mode: "fact",
    Of: "refund-2-hold",
    Amount: "500",
    Currency: "JPY",
    Timestamp: "2026-11-20T10:00:00.000Z",
  } as const;
  const outcome = new PaymentLife(undefined).judge(event);
  const { item } = await eventRecord(
    event,
    { place: 1, before: undefined, outcome, recordedAt: RECORDED_AT },
    services,
  );
  expect(item).not.toHaveProperty("Previous");
  expect(lastingForm(item)).toMatchObject({
    Of: { S: "refund-2-hold" },
    Timestamp: { S: "2026-11-20T10:00:00.000Z" },
    RecordedAt: { S: RECORDED_AT },
    Breach: { L: [{ S: "PAYMENT_UNKNOWN" }, { S: "OVER_CAPTURED" }, { S: "OF_UNKNOWN" }] },
    ReviewDay: { S: expect.stringMatching(/^BREACH#20261121#\d\d$/) },
    Postings: {
      L: [
        { M: { Account: { S: "payable" }, Amount: { S: "500" }, Currency: { S: "JPY" } } },
        { M: { Account: { S: "processor:unknown:receivable" }, Amount: { S: "-500" }, Currency: { S: "JPY" } } },
      ],
    },
  });
});
