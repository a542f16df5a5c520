/**
 * Requests of the private API, and the comparison of the claimed actor with the caller, by every way in. Without the setting
 * every claim is accepted: the tests of the operations show that.
 */

import { runPaymentProcessor } from "../../../ledger/operations/payment-processor";
import { persistAuditEvents } from "../../../ledger/operations/persist-audit-events";
import { persistPayments } from "../../../ledger/operations/persist-payments";
import { persistQueuedEvents } from "../../../ledger/operations/persist-queued-events";
import { type HttpAnswer, httpAnswer, throughPrivateApi } from "../../../ledger/operations/private-api";
import { processMessages } from "../../../ledger/operations/process-messages";
import { queryLedger } from "../../../ledger/operations/query-ledger";
import { queueMessages } from "../../../ledger/operations/queue";
import { recordPaymentEvents } from "../../../ledger/operations/record-events";
import { revealToken } from "../../../ledger/operations/reveal-token";
import { updatePaymentStatus } from "../../../ledger/operations/update-status";
import { REFUSAL_CODES } from "../../../ledger/rules/refusals";
import { type StoredItem, textOf, textWithin } from "../../../ledger/rules/stored-item";
import type { Services } from "../../../ledger/store/services";
import { apiEvent } from "../../support/api-event";
import { freshId, type Harness, paymentInput, startHarness } from "../../support/ledger-harness";
import { queueRecord } from "../../support/queue-records";

let harness: Harness;
let withApi: Services;
let strict: Services;

beforeAll(async () => {
  harness = await startHarness();
  withApi = { ...harness.services, privateApi: true };
  strict = { ...withApi, actorRule: { AROASERVICE: ["checkout"] } };
});
afterAll(() => harness?.stop());

async function ask(
  operation: (event: unknown, call: ReturnType<Harness["call"]>, services: Services) => Promise<object>,
  event: unknown,
  services = withApi,
): Promise<{ status: number; body: Record<string, unknown>; records: StoredItem[]; answer: HttpAnswer }> {
  const call = harness.call();
  const answer = (await throughPrivateApi(operation, "PaymentLedger")(event, call, services)) as HttpAnswer;
  const records = (await harness.scan("audit")).filter(
    (item) => textWithin(item, "Caller", "RequestID") === call.caller.requestId,
  );
  return { status: answer.statusCode, body: JSON.parse(answer.body) as Record<string, unknown>, records, answer };
}

describe("the private API", () => {
  test("a payment is recorded with its caller and its way in, and the answer is that of a direct call", async () => {
    const payment = paymentInput();
    const { status, body, records, answer } = await ask(persistPayments, apiEvent(payment));
    expect(status).toBe(200);
    expect(answer.headers).toMatchObject({ "Content-Type": "application/json", "Cache-Control": "no-store" });
    expect(body).toMatchObject({ counts: { stored: 1 }, results: [{ TransactionID: payment.TransactionID }] });
    expect(records).toHaveLength(1);
    expect(records[0]).toMatchObject({
      Action: { S: "WRITE" },
      Actor: { S: "payment-service" },
      Caller: { M: { Principal: { S: "AROAEXAMPLE:checkout" }, Via: { S: "api" } } },
    });
    expect((await ask(persistPayments, apiEvent(payment))).body).toMatchObject({ counts: { duplicate: 1 } });
    expect((await ask(persistPayments, apiEvent({ ...payment, Amount: "11.00" }))).status).toBe(409);
    const read = { Query: "transaction", TransactionID: payment.TransactionID, Actor: "support" };
    expect(await ask(queryLedger, apiEvent(read))).toMatchObject({
      status: 200,
      records: [{ Action: { S: "READ" } }],
    });
    const change = { ...payment, ExpectedStatus: "Failure", Status: "Success", Reason: "r" };
    const { TransactionID, ExpectedStatus, Status, Reason, Actor } = change as Record<string, unknown>;
    const statusChange = { TransactionID, ExpectedStatus, Status, Reason, Actor };
    expect((await ask(updatePaymentStatus, apiEvent(statusChange))).status).toBe(409);
    const reveal = { TransactionID: freshId(), Reason: "Refund", Actor: "refunds" };
    expect(await ask(revealToken, apiEvent(reveal))).toMatchObject({ status: 404, body: { code: "NOT_FOUND" } });
  });

  test("a list in which an entry is refused answers 400 with the result of each", async () => {
    const payments = [paymentInput(), paymentInput({ Amount: 1 })];
    const { status, body } = await ask(persistPayments, apiEvent({ payments }));
    expect(status).toBe(400);
    expect(body).toMatchObject({ counts: { stored: 1, refused: 1 } });
  });

  test.each([
    ["no body", null, {}],
    ["an empty body", "", {}],
    ["a body that is no JSON", "{", {}],
    ["a body that names a key twice", '{"TransactionID":"a","TransactionID":"a"}', {}],
    ["an encoded body", Buffer.from("{}").toString("base64"), { isBase64Encoded: true }],
  ])("%s is refused, with a record of its caller", async (_, body, more) => {
    const refused = await ask(persistPayments, apiEvent(body, "AROAEXAMPLE:checkout", more));
    expect(refused).toMatchObject({ status: 400, body: { outcome: "refused", code: "NOT_JSON" } });
    expect(refused.records).toHaveLength(1);
    expect(refused.records[0]).toMatchObject({
      Action: { S: "REFUSAL" },
      Caller: { M: { Principal: { S: "AROAEXAMPLE:checkout" }, Via: { S: "api" } } },
    });
  });

  test.each([
    ["that is no JSON", "card 4111 1111 1111 1111"],
    ["in an entry", JSON.stringify({ Note: "4111111111111111" })],
    ["in a number that loses digits as a float", '{"Note": 4111141011111111116}'],
  ])("card data in a body %s is refused and signalled", async (_, body) => {
    harness.signals.length = 0;
    const { status, body: answer, records } = await ask(persistPayments, apiEvent(body));
    expect(status).toBe(400);
    expect(JSON.stringify(answer)).toContain("CARD_DATA");
    expect(harness.signals).toContain("CardDataRefused");
    expect(JSON.stringify(records)).not.toContain("4111");
  });

  test("a call without a caller is refused: the API lets none in", async () => {
    const refused = await ask(persistPayments, apiEvent(paymentInput(), null));
    expect(refused).toMatchObject({ status: 403, body: { code: "CALLER_UNKNOWN" } });
  });

  test("a caller whose session's name holds a card number is kept without it", async () => {
    const { records } = await ask(persistPayments, apiEvent(paymentInput(), "AROAEXAMPLE:4111111111111111"));
    expect(records[0]).toMatchObject({ Caller: { M: { Principal: { S: "AROAEXAMPLE:(withheld)" } } } });
  });

  test("where the deployment has none, its event is refused like any other object", async () => {
    const call = harness.call();
    const answer = await throughPrivateApi(persistPayments, "PaymentLedger")(
      apiEvent(paymentInput()),
      call,
      harness.services,
    );
    expect(answer).toMatchObject({ results: [{ outcome: "refused", code: expect.any(String) }] });
  });

  test("a body in the form of a queue's event is no message, and an event of a queue is", async () => {
    const direct = jest.fn(async () => ({ batchItemFailures: [] }));
    const through = throughPrivateApi(persistAuditEvents, "PaymentAuditTrail", direct);
    const shaped = { Records: [queueRecord({ Action: "READ", Actor: "cfo" }, { groupId: "g" })] };
    const answer = (await through(apiEvent(shaped), harness.call(), withApi)) as HttpAnswer;
    expect(answer.statusCode).toBe(400);
    expect(direct).not.toHaveBeenCalled();
    await through(shaped, harness.call(), withApi);
    expect(direct).toHaveBeenCalledTimes(1);
  });

  test("every refusal has a status of a bad request, a missing permission or object, a conflict, or a fault here", () => {
    const statuses = new Map(
      REFUSAL_CODES.map((code) => [code, httpAnswer({ outcome: "refused", code }).statusCode] as const),
    );
    expect(new Set(statuses.values())).toEqual(new Set([400, 403, 404, 409, 500, 503]));
    expect(httpAnswer({ results: [{ outcome: "refused", code: "BUSY" }, { outcome: "stored" }] }).statusCode).toBe(503);
    const mixed = [
      { outcome: "refused", code: "BUSY" },
      { outcome: "refused", code: "INVALID_AMOUNT" },
    ];
    expect(httpAnswer({ results: mixed }).statusCode).toBe(400);
  });
});

describe("where actors are compared with callers", () => {
  const MALLORY = "AROAPEOPLE:mallory";

  test.each([
    ["the session's name", MALLORY, "mallory", 200, undefined],
    ["a listed actor", "AROASERVICE:i-1", "checkout", 200, undefined],
    ["somebody else", MALLORY, "cfo", 403, "ACTOR_NOT_CALLER"],
    ["an actor that is not listed", "AROASERVICE:i-1", "cfo", 403, "ACTOR_NOT_CALLER"],
  ])("a payment through the API that claims %s", async (_, caller, Actor, expected, code) => {
    const { status, body, records } = await ask(persistPayments, apiEvent(paymentInput({ Actor }), caller), strict);
    expect(status).toBe(expected);
    if (code === undefined) return;
    expect(body).toMatchObject({ results: [{ outcome: "refused", code, field: "Actor" }] });
    // The record has both: what was claimed, and who called.
    expect(records[0]).toMatchObject({
      Action: { S: "REFUSAL" },
      Actor: { S: Actor },
      Caller: { M: { Principal: { S: caller } } },
    });
  });

  test("the actor around a list is compared for each entry that names none", async () => {
    const { Actor: _own, ...unnamed } = paymentInput();
    const payments = [unnamed, paymentInput({ Actor: "mallory" })];
    const { status, body } = await ask(persistPayments, apiEvent({ Actor: "cfo", payments }, MALLORY), strict);
    expect(status).toBe(403);
    expect(body).toMatchObject({ counts: { stored: 1, refused: 1 }, results: [{ code: "ACTOR_NOT_CALLER" }, {}] });
  });

  const cfo = { Actor: "cfo" };
  test.each([
    ["a read", queryLedger, { Query: "transaction", TransactionID: "t-1", ...cfo }],
    ["a reveal", revealToken, { TransactionID: "t-1", Reason: "r", ...cfo }],
    [
      "a status change",
      updatePaymentStatus,
      { TransactionID: "t-1", ExpectedStatus: "Failure", Status: "Success", Reason: "r", ...cfo },
    ],
    ["an audit event", persistAuditEvents, { Action: "READ", TransactionID: "t-1", ...cfo }],
    [
      "an event of a payment",
      recordPaymentEvents,
      { TransactionID: "t-1", EventID: "e-1", Kind: "CAPTURED", Mode: "fact", Amount: "1.00", Currency: "EUR", ...cfo },
    ],
  ] as const)(
    "%s that claims to be somebody else is refused, and without a caller too",
    async (_, operation, request) => {
      const refused = await ask(operation, apiEvent(request, MALLORY), strict);
      expect(refused.status).toBe(403);
      expect(JSON.stringify(refused.body)).toContain("ACTOR_NOT_CALLER");
      const direct = await operation(request, harness.call(), strict);
      expect(JSON.stringify(direct)).toContain("CALLER_UNKNOWN");
      const own = await ask(operation, apiEvent({ ...request, Actor: "mallory" }, MALLORY), strict);
      expect(own.status).not.toBe(403);
    },
  );

  test.each([
    ["a direct payment", () => persistPayments(paymentInput(), harness.call(), strict)],
    [
      "direct payment_data, also where it claims nobody",
      () =>
        runPaymentProcessor(
          { payment_data: { transactionId: freshId(), amount: "1.00", currency: "USD", cardLast4: "4242" } },
          harness.call("payment-processor"),
          strict,
          { files: harness.files, removeCardDataFiles: true },
        ),
    ],
  ])("%s is refused: nothing says who called", async (_, answer) => {
    expect(JSON.stringify(await answer())).toContain("CALLER_UNKNOWN");
  });

  test.each([
    ["mallory", "WRITE"],
    ["cfo", "REFUSAL"],
    [undefined, "WRITE"],
  ])("a payment message whose actor is %s", async (actor, action) => {
    const paymentId = freshId("pay");
    const message = { paymentId, amount: "1.00", currency: "EUR", ...(actor === undefined ? {} : { actor }) };
    const event = { Records: [queueRecord(message, { senderId: MALLORY })] };
    expect(await processMessages(event, harness.call("process_payment_messages"), strict)).toEqual({
      batchItemFailures: [],
    });
    expect((await harness.trailOf(paymentId)).map((item) => textOf(item, "Action"))).toEqual([action]);
  });

  test.each([
    ["mallory", "READ"],
    ["cfo", "GAP"],
  ])("an audit event of the queue whose actor is %s", async (Actor, action) => {
    const TransactionID = freshId();
    const record = queueRecord({ TransactionID, Action: "READ", Actor }, { groupId: TransactionID, senderId: MALLORY });
    const messages = queueMessages({ Records: [record] }) ?? [];
    await persistQueuedEvents(messages, harness.call("persist_payment_audit_trail"), strict);
    expect((await harness.trailOf(TransactionID)).map((item) => textOf(item, "Action"))).toEqual([action]);
  });

  test("a row of a file that claims to be somebody else is a bad row, and the others are recorded", async () => {
    const row = (actor?: string) =>
      JSON.stringify({ transactionId: freshId(), amount: "1.00", currency: "USD", cardLast4: "4242", actor });
    const [uploaded] = (
      await harness.upload(`payments/${freshId()}.ndjson`, [row("mallory"), row("cfo"), row()].join("\n"))
    ).Records;
    const event = { Records: [{ ...uploaded, userIdentity: { principalId: `AWS:${MALLORY}` } }] };
    const call = harness.call("payment-processor");
    const { body } = await runPaymentProcessor(event, { ...call, remainingMs: () => 900_000 }, strict, {
      files: harness.files,
      removeCardDataFiles: true,
    });
    expect(JSON.parse(body)).toMatchObject({ files: [{ finished: true, counts: { stored: 2, refused: 1 } }] });
  });
});
