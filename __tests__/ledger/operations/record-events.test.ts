import { randomUUID } from "node:crypto";
import { DeleteItemCommand, DynamoDBClient } from "@aws-sdk/client-dynamodb";
import { persistPayments } from "../../../ledger/operations/persist-payments";
import { processMessages } from "../../../ledger/operations/process-messages";
import { queryAuditTrail } from "../../../ledger/operations/query-audit-trail";
import { queryLedger } from "../../../ledger/operations/query-ledger";
import { PLACE_RACES_MAX, recordPaymentEvents } from "../../../ledger/operations/record-events";
import { updatePaymentStatus } from "../../../ledger/operations/update-status";
import { hasGoodMac } from "../../../ledger/rules/record-mac";
import { refusal } from "../../../ledger/rules/refusals";
import { eventsAnswerSchema, ledgerQueryResponseSchema } from "../../../ledger/rules/responses";
import { type StoredItem, textOf, textWithin } from "../../../ledger/rules/stored-item";
import { FAULTS } from "../../../local/fault-proxy";
import { freshId, type Harness, paymentInput, startHarness } from "../../support/ledger-harness";
import { queueRecord } from "../../support/queue-records";

let harness: Harness;
beforeAll(async () => {
  harness = await startHarness();
});
afterAll(() => harness?.stop());
afterEach(() => harness?.proxy.reset());

const FACT = { Mode: "fact" } as const;
const HOLD = { Kind: "REFUND_HELD", Mode: "grant" } as const;

async function paid(Amount = "100.00", Status = "Success"): Promise<string> {
  const payment = paymentInput({ Amount, Currency: "EUR", Status });
  await persistPayments(payment, harness.call(), harness.services);
  return payment.TransactionID;
}

function event(TransactionID: string, Kind: string, Amount: string, more: Record<string, unknown> = {}) {
  return {
    TransactionID,
    EventID: `event-${randomUUID()}`,
    Kind,
    Mode: Kind === "REFUND_HELD" ? "grant" : "fact",
    Amount,
    Currency: "EUR",
    Actor: "refunds",
    ...more,
  };
}

async function send(input: unknown, call = harness.call("record_payment_event")) {
  const answer = eventsAnswerSchema.parse(await recordPaymentEvents(input, call, harness.services));
  if (!("results" in answer)) throw new Error(`The whole call was refused: ${answer.code}`);
  return answer.results;
}
const sendOne = async (input: unknown) => {
  const [result] = await send(input);
  if (result === undefined) throw new Error("There is no result.");
  return result;
};

async function lifeOf(TransactionID: string, more: Record<string, unknown> = {}) {
  const query = { Query: "life", TransactionID, Actor: "support", ...more };
  const answer = await queryLedger(query, harness.call("query_payment_ledger"), harness.services);
  return ledgerQueryResponseSchema.parse(answer) as Extract<typeof answer, { outcome: "answered" }>;
}

const rowsOf = async (id: string): Promise<StoredItem[]> =>
  (await harness.scan("events")).filter((item) => textOf(item, "TransactionID") === id);
const actionsOf = async (id: string) => (await harness.trailOf(id)).map((record) => textOf(record, "Action"));

describe("an event", () => {
  test("is one row with its WRITE record, in one transaction with the row that it begins from", async () => {
    const id = await paid();
    harness.proxy.reset();
    const hold = event(id, "REFUND_HELD", "60.00", { Reason: "goods returned" });
    const stored = await sendOne(hold);
    expect(stored).toMatchObject({
      outcome: "stored",
      Place: 1,
      State: { Authorised: "100.00", Captured: "100.00", RefundHeld: "60.00", Closed: false },
    });
    expect(harness.proxy.count("DynamoDB.TransactWriteItems")).toBe(1);
    const [row] = await rowsOf(id);
    expect(hasGoodMac("PaymentEvents", row ?? {}, (await harness.services.macKeys()).record)).toBe(true);
    expect(row).toMatchObject({ Place: { N: "1" }, Kind: { S: "REFUND_HELD" }, Reason: { S: "goods returned" } });
    expect(await actionsOf(id)).toEqual(["WRITE", "WRITE"]);
  });

  test("sent again is a duplicate with the first answer's place and state; other content is a conflict", async () => {
    const id = await paid();
    const hold = event(id, "REFUND_HELD", "60.00");
    const first = await sendOne(hold);
    await sendOne(event(id, "FEE", "1.00"));
    expect(await sendOne(hold)).toEqual({ ...first, outcome: "duplicate" });
    expect(await sendOne({ ...hold, Amount: "60.01" })).toMatchObject({
      outcome: "conflict",
      ...refusal("CONFLICT", "Amount"),
    });
    const other = await paid();
    expect(await sendOne({ ...hold, TransactionID: other })).toMatchObject({
      outcome: "conflict",
      ...refusal("CONFLICT", "TransactionID"),
    });
    expect(await rowsOf(other)).toEqual([]);
    expect(await sendOne({ ...hold, Actor: "another" })).toEqual({ ...first, outcome: "duplicate" });
    expect(await actionsOf(id)).toEqual(["WRITE", "WRITE", "WRITE", "CONFLICT", "DUPLICATE"]);
  });

  test("whose answer was lost is found again by a second call", async () => {
    const id = await paid();
    const refund = event(id, "REFUNDED", "5.00");
    const lost = { target: "DynamoDB.TransactWriteItems", fault: FAULTS.loseAnswer() };
    harness.proxy.inject(lost);
    await expect(send(refund)).rejects.toThrow();
    harness.proxy.reset();
    expect(await sendOne(refund)).toMatchObject({ outcome: "duplicate", Place: 1, State: { Refunded: "5.00" } });
    expect(await rowsOf(id)).toHaveLength(1);
  });

  test("in a list follows those before it of its payment, and a bad one stops no other", async () => {
    const [one, other] = [await paid(), await paid()];
    const hold = event(one, "REFUND_HELD", "60.00");
    const results = await send({
      Actor: "refunds",
      events: [
        hold,
        event(other, "FEE", "1.00"),
        event(one, "REFUND_HELD", "60.00"),
        event(one, "REFUNDED", "60.00", { Of: hold.EventID }),
        { ...event(other, "FEE", "1.00"), Amount: "-1.00" },
      ],
    });
    expect(results.map(({ outcome, code, Place }) => [outcome, code, Place])).toEqual([
      ["stored", undefined, 1],
      ["stored", undefined, 1],
      ["refused", "OVER_CAPTURED", undefined],
      ["stored", undefined, 2],
      ["refused", "INVALID_AMOUNT", undefined],
    ]);
  });

  test.each([
    ["a kind that does not exist", { Kind: "STOLEN" }, "INVALID_KIND"],
    ["a hold as a fact", { ...HOLD, ...FACT }, "INVALID_MODE"],
    ["a dispute as a grant", { Kind: "DISPUTED", Mode: "grant" }, "INVALID_MODE"],
    ["an amount of zero", { Amount: "0.00" }, "AMOUNT_IS_ZERO"],
    ["a negative amount", { Amount: "-60.00" }, "INVALID_AMOUNT"],
    ["more decimals than the currency has", { Amount: "1.000" }, "AMOUNT_DECIMALS"],
    ["a settlement of nothing", { Kind: "REFUND_FAILED" }, "MISSING_FIELD"],
    ["a fee that settles something", { Kind: "FEE", Of: "x" }, "INVALID_OF"],
    ["an event id that is a placeholder", { EventID: "null" }, "INVALID_EVENT_ID"],
    ["no actor", { Actor: undefined }, "MISSING_FIELD"],
    ["card data", { Reason: "card 4111111111111111" }, "CARD_DATA"],
  ])("with %s is refused, on record, and stores nothing", async (_, wrong, code) => {
    const id = await paid();
    expect(await sendOne({ ...event(id, "REFUNDED", "60.00"), ...wrong })).toMatchObject({ outcome: "refused", code });
    expect(await rowsOf(id)).toEqual([]);
    expect((await actionsOf(id)).at(-1)).toBe("REFUSAL");
  });
});

describe("grants and facts", () => {
  test("a grant that would break a rule is refused with the state that it saw, on record", async () => {
    const id = await paid();
    await sendOne(event(id, "REFUND_HELD", "60.00"));
    const refused = await sendOne(event(id, "REFUND_HELD", "60.00"));
    expect(refused).toMatchObject({ outcome: "refused", code: "OVER_CAPTURED", State: { RefundHeld: "60.00" } });
    expect(await rowsOf(id)).toHaveLength(1);
    expect((await harness.trailOf(id)).at(-1)).toMatchObject({
      AuditID: { S: refused.AuditID },
      Action: { S: "REFUSAL" },
    });
  });

  test("a fact that breaks a rule is recorded with its breach, signalled, and listed until it is settled", async () => {
    const id = await paid();
    harness.signals.length = 0;
    const from = new Date(Date.now() - 60_000).toISOString();
    await sendOne(event(id, "REFUNDED", "70.00"));
    const twice = event(id, "REFUNDED", "70.00");
    expect(await sendOne(twice)).toMatchObject({ outcome: "stored", Breach: ["OVER_CAPTURED"] });
    expect(harness.signals).toEqual(["PaymentBreach"]);
    const openOf = async (Query: string) => {
      const query = { Query, From: from, To: new Date(Date.now() + 60_000).toISOString(), Actor: "review" };
      const answer = await queryLedger(query, harness.call("query_payment_ledger"), harness.services);
      const { open = [] } = ledgerQueryResponseSchema.parse(answer) as { open?: { TransactionID: string }[] };
      return open.filter(({ TransactionID }) => TransactionID === id);
    };
    expect(await openOf("open-breaches")).toEqual([
      expect.objectContaining({ EventID: twice.EventID, Place: 2, Breach: ["OVER_CAPTURED"] }),
    ]);
    await sendOne(event(id, "CORRECTED", "70.00", { Of: twice.EventID }));
    expect(await openOf("open-breaches")).toEqual([]);
    const hold = event(id, "REFUND_HELD", "30.00");
    await sendOne(hold);
    expect(await openOf("open-holds")).toEqual([expect.objectContaining({ EventID: hold.EventID })]);
    await sendOne(event(id, "REFUND_FAILED", "30.00", { Of: hold.EventID }));
    expect(await openOf("open-holds")).toEqual([]);
  });

  test("open breaches are read in pages, each breach once, and the last page names no further one", async () => {
    const id = await paid("1.00");
    const from = new Date().toISOString();
    const breaches = ["2.00", "3.00", "4.00"].map((amount) => event(id, "REFUNDED", amount));
    await send(breaches);
    const query = { Query: "open-breaches", From: from, To: new Date(Date.now() + 60_000).toISOString(), Limit: 2 };
    const found: string[] = [];
    let page: Record<string, unknown> = {};
    do {
      const { NextPageToken: PageToken } = page;
      const asked = { ...query, Actor: "review", ...(PageToken === undefined ? {} : { PageToken }) };
      page = { ...(await queryLedger(asked, harness.call("query_payment_ledger"), harness.services)) };
      found.push(...(page["open"] as { EventID: string }[]).map(({ EventID }) => EventID));
    } while (page["NextPageToken"] !== undefined);
    expect(found.toSorted()).toEqual(breaches.map(({ EventID }) => EventID).toSorted());
    expect(page).not.toHaveProperty("NextPageToken");
  });

  test("an event of a payment without a row: a grant is refused, a fact is recorded", async () => {
    const id = `unknown-${randomUUID()}`;
    expect(await sendOne(event(id, "REFUND_HELD", "1.00"))).toMatchObject({ code: "PAYMENT_UNKNOWN" });
    expect(await sendOne(event(id, "REFUNDED", "1.00"))).toMatchObject({
      outcome: "stored",
      Breach: ["PAYMENT_UNKNOWN", "OVER_CAPTURED"],
    });
    // The payment arrives later: its life has begun without it, and goes on.
    await persistPayments(paymentInput({ TransactionID: id, Currency: "EUR" }), harness.call(), harness.services);
    expect(await sendOne(event(id, "FEE", "1.00"))).toMatchObject({ outcome: "stored", Place: 2 });
    expect((await lifeOf(id)).life?.events).toHaveLength(2);
  });

  test("the status of a payment with events is frozen, and a status change before them is what they begin from", async () => {
    const id = await paid("50.00", "Failure");
    const change = (from: string, to: string) =>
      updatePaymentStatus(
        { TransactionID: id, ExpectedStatus: from, Status: to, Reason: "late answer", Actor: "support" },
        harness.call("update_payment_status"),
        harness.services,
      );
    expect(await change("Failure", "Success")).toMatchObject({ outcome: "updated" });
    expect(await sendOne(event(id, "REFUND_HELD", "50.00"))).toMatchObject({ outcome: "stored" });
    expect(await change("Success", "Failure")).toMatchObject({ outcome: "refused", code: "PAYMENT_HAS_EVENTS" });
    expect((await lifeOf(id)).payments).toMatchObject([{ Status: "Success", Version: 2 }]);
  });
});

describe("at the same time", () => {
  test("16 holds of 10 on a payment of 100: ten are given, and the places follow each other", async () => {
    const id = await paid("100.00");
    const tries = Array.from({ length: 16 }, () => event(id, "REFUND_HELD", "10.00"));
    const left = [...tries];
    const granted: string[] = [];
    const refused: string[] = [];
    for (let round = 0; round < 10 && left.length > 0; round++) {
      const results = await Promise.all(left.splice(0).map(async (each) => ({ each, result: await sendOne(each) })));
      for (const { each, result } of results) {
        if (result.outcome === "stored" || result.outcome === "duplicate") granted.push(each.EventID);
        else if (result.code === "BUSY") left.push(each);
        else refused.push(result.code ?? "");
      }
    }
    expect(granted).toHaveLength(10);
    expect(refused).toEqual(Array.from({ length: 6 }, () => "OVER_CAPTURED"));
    const { life } = await lifeOf(id);
    expect(life?.events.map(({ Place }) => Place)).toEqual(Array.from({ length: 10 }, (_, at) => at + 1));
    expect(life?.State.RefundHeld).toBe("100.00");
  });

  test("a status change that comes between is seen: the event is judged again", async () => {
    const id = await paid("50.00", "Failure");
    harness.proxy.inject({
      target: "DynamoDB.TransactWriteItems",
      fault: FAULTS.before(async () => {
        harness.proxy.reset();
        await updatePaymentStatus(
          { TransactionID: id, ExpectedStatus: "Failure", Status: "Success", Reason: "late", Actor: "support" },
          harness.call("update_payment_status"),
          harness.services,
        );
      }),
    });
    expect(await sendOne(event(id, "FEE", "1.00"))).toMatchObject({ Place: 1, State: { Captured: "50.00" } });
  });

  test("a caller that loses every race is asked to wait, on record, and nothing of its event is recorded", async () => {
    const id = await paid();
    const own = event(id, "REFUND_HELD", "1.00");
    let others = 0;
    harness.proxy.inject({
      target: "DynamoDB.TransactWriteItems",
      where: (call) => JSON.stringify(call.input).includes(own.EventID),
      fault: FAULTS.before(async () => {
        others += 1;
        await sendOne(event(id, "FEE", "0.01"));
      }),
    });
    expect(await sendOne(own)).toMatchObject({ outcome: "refused", code: "BUSY" });
    expect(others).toBe(PLACE_RACES_MAX);
    harness.proxy.reset();
    expect(await sendOne(own)).toMatchObject({ outcome: "stored", Place: PLACE_RACES_MAX + 1 });
  });
});

describe("what somebody did past the ledger", () => {
  const removed = async (key: Record<string, { S: string } | { N: string }>, TableName: string) => {
    const direct = new DynamoDBClient(harness.clientConfig);
    await direct.send(new DeleteItemCommand({ TableName, Key: key }));
  };

  test("a forged event stops the life: nothing is recorded on top of it, and nothing of it returned", async () => {
    const id = await paid();
    await sendOne(event(id, "FEE", "1.00"));
    const [row = {}] = await rowsOf(id);
    await harness.put("events", { ...row, Amount: { S: "0.01" } });
    expect(await sendOne(event(id, "FEE", "1.00"))).toMatchObject({ outcome: "refused", code: "RECORD_FORGED" });
    expect(await lifeOf(id)).toMatchObject({ payments: [], refused: [{ code: "RECORD_FORGED" }] });
    expect((await actionsOf(id)).filter((action) => action === "ALARM")).toHaveLength(2);
  });

  test("a removed event is a gap, or a state that nothing before it gives", async () => {
    const id = await paid();
    for (const amount of ["1.00", "2.00", "3.00"]) await sendOne(event(id, "FEE", amount));
    await removed({ TransactionID: { S: id }, Place: { N: "2" } }, "PaymentEvents");
    expect(await sendOne(event(id, "FEE", "1.00"))).toMatchObject({ code: "LIFE_BROKEN" });
    expect((await lifeOf(id)).refused).toMatchObject([{ code: "LIFE_BROKEN", TransactionID: id }]);
  });

  test("a removed last event is noticed by its WRITE record when it is sent again", async () => {
    const id = await paid();
    const fee = event(id, "FEE", "1.00");
    await sendOne(fee);
    await removed({ TransactionID: { S: id }, Place: { N: "1" } }, "PaymentEvents");
    expect(await sendOne(fee)).toMatchObject({ outcome: "refused", code: "AUDIT_RECORD_MISSING" });
  });

  test("an event without its WRITE record is an alarm", async () => {
    const id = await paid();
    const fee = event(id, "FEE", "1.00");
    const { AuditID = "" } = await sendOne(fee);
    await removed({ AuditID: { S: AuditID } }, "PaymentAuditTrail");
    expect(await sendOne(fee)).toMatchObject({ outcome: "refused", code: "AUDIT_RECORD_MISSING" });
  });
});

test("a life is read in pages, each on record with the ids that it returned", async () => {
  const id = await paid();
  const fees = ["1.00", "2.00", "3.00"].map((amount) => event(id, "FEE", amount));
  await send(fees);
  const first = await lifeOf(id, { Limit: 2 });
  expect(first.life?.events.map(({ EventID }) => EventID)).toEqual(fees.slice(0, 2).map(({ EventID }) => EventID));
  const second = await lifeOf(id, { Limit: 2, PageToken: first.NextPageToken });
  expect(second.life).toMatchObject({ events: [{ EventID: fees[2]?.EventID, Place: 3 }], State: { Fees: "6.00" } });
  expect(second.NextPageToken).toBeUndefined();
  expect((await actionsOf(id)).slice(-2)).toEqual(["READ", "READ"]);
});

describe("facts that arrive as messages", () => {
  const deliver = (...records: readonly ReturnType<typeof queueRecord>[]) =>
    processMessages({ Records: records }, harness.call("process_payment_messages"), harness.services);

  test("are recorded once and in their order, with the sender as AWS names it, beside payments", async () => {
    const id = await paid();
    const paymentId = freshId("pay");
    const messages = [
      queueRecord(event(id, "DISPUTED", "30.00", { EventID: `dispute-${id}` })),
      queueRecord({ paymentId, amount: "10.50" }),
      queueRecord(event(id, "DISPUTE_WON", "30.00", { EventID: `won-${id}`, Of: `dispute-${id}` })),
    ];
    for (let delivery = 0; delivery < 2; delivery++)
      expect(await deliver(...messages)).toEqual({ batchItemFailures: [] });
    expect((await rowsOf(id)).map(({ Place, Kind }) => [Place, Kind]).toSorted()).toEqual([
      [{ N: "1" }, { S: "DISPUTED" }],
      [{ N: "2" }, { S: "DISPUTE_WON" }],
    ]);
    const trail = await harness.trailOf(id);
    expect(
      trail.filter((record) => textWithin(record, "Caller", "Principal") === "AROAEXAMPLE:order-service"),
    ).toHaveLength(2);
    expect((await harness.scan("messages")).filter((row) => textOf(row, "paymentId") === paymentId)).toHaveLength(1);
  });

  test.each([
    ["GRANT_NEEDS_ANSWER", { Kind: "REFUND_HELD", Mode: "grant" }],
    ["GRANT_NEEDS_ANSWER", { Kind: "CAPTURED", Mode: "grant" }],
    ["MISSING_FIELD", { Actor: undefined }],
    ["UNKNOWN_FIELD", { paymentId: "pay-1" }],
    ["CARD_DATA", { Reason: "card 4111 1111 1111 1111" }],
    ["INVALID_EVENT_ID", { EventID: "" }],
    ["INVALID_REASON", { Reason: "\ud800" }],
  ])("one refused with %s is settled, and leaves a record of its code and no event", async (code, more) => {
    const id = await paid();
    const good = event(id, "FEE", "1.00");
    const messages = [queueRecord(event(id, "REFUNDED", "5.00", more)), queueRecord(good)];
    expect(await deliver(...messages)).toEqual({ batchItemFailures: [] });
    expect(await deliver(...messages)).toEqual({ batchItemFailures: [] });
    expect((await rowsOf(id)).map((row) => textOf(row, "EventID"))).toEqual([good.EventID]);
    const refusals = (await harness.trailOf(id)).filter((record) => textOf(record, "Action") === "REFUSAL");
    expect(refusals.map((record) => textOf(record, "Table"))).toEqual(["PaymentEvents"]);
    const query = { Query: "transaction", TransactionID: id, Actor: "auditor" };
    const read = await queryAuditTrail(query, harness.call("query_payment_audit_trail"), harness.services);
    expect(JSON.stringify(read)).toContain(`"query_result":"${code}"`);
  });

  test("a technical fault sends back that message and the later ones of its payment, and no other", async () => {
    const [stuck, free] = [await paid(), await paid()];
    const messages = [
      queueRecord(event(stuck, "FEE", "1.00")),
      queueRecord(event(stuck, "FEE", "2.00")),
      queueRecord(event(free, "FEE", "3.00")),
    ];
    harness.proxy.inject({
      target: "DynamoDB.TransactWriteItems",
      where: ({ input }) => JSON.stringify(input).includes(stuck),
      fault: FAULTS.internalError(),
    });
    const [first, second] = messages.map(({ messageId }) => ({ itemIdentifier: messageId }));
    expect(await deliver(...messages)).toEqual({ batchItemFailures: [first, second] });
    expect(await rowsOf(free)).toHaveLength(1);
    harness.proxy.reset();
    expect(await deliver(...messages)).toEqual({ batchItemFailures: [] });
    expect(await rowsOf(stuck)).toHaveLength(2);
  });

  test("one that breaks a rule is recorded with its breach and signalled", async () => {
    const id = await paid();
    harness.signals.length = 0;
    expect(await deliver(queueRecord(event(id, "REFUNDED", "150.00")))).toEqual({ batchItemFailures: [] });
    expect(harness.signals).toEqual(["PaymentBreach"]);
    expect(JSON.stringify(await rowsOf(id))).toContain("OVER_CAPTURED");
  });

  test("one whose place others keep taking goes back to the queue", async () => {
    const id = await paid();
    const own = event(id, "FEE", "1.00");
    const message = queueRecord(own);
    harness.proxy.inject({
      target: "DynamoDB.TransactWriteItems",
      where: (call) => JSON.stringify(call.input).includes(own.EventID),
      fault: FAULTS.before(async () => {
        await sendOne(event(id, "FEE", "0.01"));
      }),
    });
    expect(await deliver(message)).toEqual({ batchItemFailures: [{ itemIdentifier: message.messageId }] });
    harness.proxy.reset();
    expect(await deliver(message)).toEqual({ batchItemFailures: [] });
    expect((await rowsOf(id)).map((row) => textOf(row, "EventID"))).toContain(own.EventID);
  });
});
