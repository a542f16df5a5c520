import { createHash, randomUUID } from "node:crypto";
import fc from "fast-check";
import { isHarmless, keptPrincipal } from "../../../ledger/operations/claims";
import { importMessages } from "../../../ledger/operations/import-messages";
import { persistQueuedEvents } from "../../../ledger/operations/persist-queued-events";
import { processMessages } from "../../../ledger/operations/process-messages";
import { queryAuditTrail } from "../../../ledger/operations/query-audit-trail";
import { queueMessages } from "../../../ledger/operations/queue";
import { textOf } from "../../../ledger/rules/stored-item";
import { FAULTS } from "../../../local/fault-proxy";
import { everythingIn, freshId, type Harness, notingCall, startHarness } from "../../support/ledger-harness";
import { queueRecord } from "../../support/queue-records";

let harness: Harness;
beforeAll(async () => {
  harness = await startHarness();
});
afterAll(() => harness?.stop());
afterEach(() => harness?.proxy.reset());

const record = (body: unknown, groupId?: string, messageId = randomUUID()) =>
  queueRecord(body, { ...(groupId === undefined ? {} : { groupId }), messageId });
type Record_ = ReturnType<typeof record>;

describe("a message as Lambda delivers it", () => {
  test("is of the queue that its ARN names, and has a group and a number where that is a FIFO queue", () => {
    const [standard, fifo] = [record("a"), record("b", "txn-1")];
    const sentAt = "2025-11-21T04:40:00.000Z";
    const senderId = "AROAEXAMPLE:order-service";
    expect(queueMessages({ Records: [standard, fifo] })).toEqual([
      { messageId: standard.messageId, body: "a", queueName: "audit-trail-queue", senderId, sentAt },
      {
        messageId: fifo.messageId,
        body: "b",
        queueName: "payment-audit-trail.fifo",
        senderId,
        sentAt,
        sequenceNumber: expect.stringMatching(/^[0-9]{20}$/),
        groupId: "txn-1",
      },
    ]);
  });

  test("property: the order of the numbers is that of their texts", () => {
    const number = fc.bigInt({ min: 0n, max: 10n ** 20n - 1n });
    const padded = (of: bigint) => {
      const { attributes, ...rest } = record("a", "txn-1");
      const message = { ...rest, attributes: { ...attributes, SequenceNumber: String(of) } };
      return queueMessages({ Records: [message] })?.[0]?.sequenceNumber ?? "";
    };
    fc.assert(
      fc.property(number, number, (a, b) => {
        fc.pre([a, b].every((each) => isHarmless(String(each))));
        expect(padded(a) < padded(b)).toBe(a < b);
      }),
    );
  });
});

describe("audit events of the FIFO queue", () => {
  const persist = (...records: Record_[]) =>
    persistQueuedEvents(
      queueMessages({ Records: records }) ?? [],
      harness.call("persist_payment_audit_trail"),
      harness.services,
    );
  const event = (TransactionID: string, extra: object = {}) => ({
    AuditID: freshId("event"),
    TransactionID,
    Actor: "order-service",
    Action: "READ",
    ...extra,
  });
  const readTrail = async (TransactionID: string) =>
    JSON.parse(
      JSON.stringify(
        await queryAuditTrail(
          { Query: "transaction", TransactionID, Actor: "auditor" },
          harness.call("query_payment_audit_trail"),
          harness.services,
        ),
      ),
    ).records as { QueryDetails: object; query_result: string }[];
  const detailsOf = async (TransactionID: string) =>
    (await readTrail(TransactionID)).map(({ QueryDetails }) => QueryDetails);
  const answeredResults = async (TransactionID: string) =>
    (await readTrail(TransactionID)).map(({ query_result }) => query_result);
  const inOrder = async (TransactionID: string) =>
    (await harness.trailOf(TransactionID)).sort((a, b) =>
      (textOf(a, "TransactionOrder") ?? "") < (textOf(b, "TransactionOrder") ?? "") ? -1 : 1,
    );

  test("are stored once, in the queue's order, with the sender as AWS names it", async () => {
    const id = freshId();
    const messages = Array.from({ length: 5 }, () => record(event(id), id));
    expect(await persist(...messages)).toEqual({ batchItemFailures: [] });
    expect(await persist(...messages.toReversed())).toEqual({ batchItemFailures: [] });
    const stored = await inOrder(id);
    expect(stored.map((item) => textOf(item, "AuditID"))).toEqual(
      messages.map((message) => JSON.parse(message.body).AuditID),
    );
    const sequences = stored.map((item) => textOf(item, "SequenceNumber"));
    expect(sequences).toEqual([...sequences].sort());
    expect(JSON.stringify(stored[0]?.["Caller"])).toContain("AROAEXAMPLE:order-service");
  });

  test("what became of them is noted for the log line", async () => {
    const id = freshId();
    const { call, noted } = notingCall(harness.call("persist_payment_audit_trail"));
    const sent = event(id);
    const bodies = [sent, sent, { ...sent, Action: "EXPORT" }, "{broken"];
    const messages = queueMessages({ Records: bodies.map((body) => record(body, id)) }) ?? [];
    await persistQueuedEvents(messages, call, harness.services);
    expect(noted).toEqual({ stored: 1, duplicate: 1, conflict: 1, refused: 1 });
  });

  test("an invalid message leaves a gap record in its place, and its group goes on", async () => {
    const id = freshId();
    const messages = [
      record(event(id), id),
      record({ ...event(id), Action: "not an action" }, id),
      record("{broken", id),
      record(event(id), id),
    ];
    expect(await persist(...messages)).toEqual({ batchItemFailures: [] });
    expect((await inOrder(id)).map((item) => textOf(item, "Action"))).toEqual(["READ", "GAP", "GAP", "READ"]);
    await persist(...messages);
    expect(await inOrder(id)).toHaveLength(4);
  });

  test("a message with card data leaves a refusal record with its code, and nothing of the message", async () => {
    const id = freshId();
    const before = (await harness.scan("audit")).length;
    expect(
      await persist(record(event(id, { QueryDetails: "4111 1111 1111 1111" }), id), record("5555555555554444", id)),
    ).toEqual({ batchItemFailures: [] });
    const audit = await harness.scan("audit");
    expect(audit).toHaveLength(before + 2);
    expect(everythingIn(audit)).not.toMatch(/4111 ?1111|5555555555554444/);
    expect((await harness.trailOf(id)).map((item) => textOf(item, "Action"))).toEqual(["REFUSAL", "REFUSAL"]);
  });

  test.each([
    [
      "a member named twice hides a card number",
      '{"Actor":"svc","note":"4111 1111 1111 1111","note":"x"}',
      "CARD_DATA",
    ],
    ["a member named twice hides a security code", '{"Actor":"svc","cvv":"123","cvv":"","unknown":1}', "CARD_DATA"],
    ["a member named twice hides a PIN", '{"Actor":"svc","pin":"123456","pin":""}', "CARD_DATA"],
    ["the number hides behind escapes", '{"Actor":"svc","a":"\\u0034111 1111 1111 1111","a":"x"}', "CARD_DATA"],
    ["a member is named twice with equal values", '{"Actor":"svc","Actor":"svc"}', "NOT_JSON"],
    ["it is no JSON", "{broken", "NOT_JSON"],
  ])("of a body that is refused nothing is kept that a reader could see: %s", async (_why, body, code) => {
    const id = freshId();
    expect(await persist(record(body, id))).toEqual({ batchItemFailures: [] });
    expect(await detailsOf(id)).toEqual([
      code === "NOT_JSON"
        ? {
            Operation: "persist_payment_audit_trail",
            BodySha256: createHash("sha256").update(body).digest("hex"),
            BodyLength: body.length,
          }
        : { Operation: "persist_payment_audit_trail" },
    ]);
    expect((await answeredResults(id))[0]).toBe(code);
  });

  test("a refused body whose characters look like a card number leaves its length alone", async () => {
    const id = freshId();
    const body = JSON.stringify({ ...event(id), unknown: 4111.111111111111 });
    await persist(record(body, id));
    expect(await detailsOf(id)).toEqual([{ Operation: "persist_payment_audit_trail", BodyLength: body.length }]);
  });

  test("numbers are searched as they were written, and as they are stored", async () => {
    const id = freshId();
    for (const number of ["41111111111111110e-1", "4111111111111110.99999999999"])
      await persist(record(`{"Actor":"svc","TransactionID":"${id}","QueryDetails":{"n":${number}}}`, id));
    expect((await harness.trailOf(id)).map((item) => textOf(item, "Action"))).toEqual(["REFUSAL", "REFUSAL"]);
    // An exchange rate whose decimals alone would pass for a card number.
    const rate = ["1.40726405", "23226205"].join("");
    await persist(record(`{"Actor":"svc","TransactionID":"${id}","QueryDetails":{"rate":${rate}}}`, id));
    expect(await harness.trailOf(id)).toHaveLength(3);
  });

  test("the name that a sender gives its session is not kept where it is a card number", async () => {
    const id = freshId();
    const message = record(event(id), id);
    message.attributes.SenderId = "AROAEXAMPLE:4111-1111-1111-1111";
    await persist(message);
    const [stored] = await harness.trailOf(id);
    expect(JSON.stringify(stored?.["Caller"])).toContain('"AROAEXAMPLE:(withheld)"');
  });

  test("an event with a card number in the place of SQS's own number is no queue's", () => {
    const message = record(event("txn-1"), "txn-1");
    const attributes = { ...message.attributes, SequenceNumber: "4111111111111111" };
    expect(queueMessages({ Records: [message] })).toHaveLength(1);
    expect(queueMessages({ Records: [{ ...message, attributes }] })).toBeUndefined();
  });

  test.each(["null", "1.23457E+15"])("an event about a payment named %s leaves a gap record", async (TransactionID) => {
    const group = freshId();
    await persist(record(event(TransactionID), group));
    expect((await harness.trailOf(group)).map((item) => textOf(item, "Action"))).toEqual(["GAP"]);
  });

  test("a message group that is a card number is not kept", async () => {
    await persist(record("{broken", "378282246310005"));
    expect(everythingIn(await harness.scan("audit"))).not.toContain("378282246310005");
  });

  test("what was refused never goes back to the queue, also when its neighbour fails", async () => {
    const id = freshId("mixed");
    const messages = [record(event(id, { QueryDetails: "4111 1111 1111 1111" }), id), record(event(id), id)];
    harness.proxy.inject({
      target: "DynamoDB.TransactWriteItems",
      where: ({ input }) => JSON.stringify(input).includes(JSON.parse(messages[1]?.body ?? "").AuditID),
      fault: FAULTS.internalError(),
    });
    const { batchItemFailures } = await persist(...messages);
    expect(batchItemFailures).toEqual([{ itemIdentifier: messages[1]?.messageId }]);
  });

  test("a technical fault on one transaction holds up that group alone", async () => {
    const [held, free] = [freshId("held"), freshId("free")];
    const messages = [record(event(held), held), record(event(free), free), record(event(held), held)];
    harness.proxy.inject({
      target: "DynamoDB.TransactWriteItems",
      where: ({ input }) => JSON.stringify(input).includes(held),
      fault: FAULTS.internalError(),
    });
    const response = await persist(...messages);
    expect(response.batchItemFailures.map(({ itemIdentifier }) => itemIdentifier)).toEqual([
      messages[0]?.messageId,
      messages[2]?.messageId,
    ]);
    expect(await harness.trailOf(free)).toHaveLength(1);
    expect(await harness.trailOf(held)).toHaveLength(0);
    harness.proxy.reset();
    expect(await persist(...messages)).toEqual({ batchItemFailures: [] });
    expect(await inOrder(held)).toHaveLength(2);
  });

  test("without an AuditID the message names the event: delivered twice it is one, sent again later it is two", async () => {
    const id = freshId();
    const { AuditID: _id, ...anonymous } = event(id);
    const message = record(anonymous, id);
    await persist(message);
    await persist(message);
    expect(await harness.trailOf(id)).toHaveLength(1);
    await persist({ ...message, messageId: randomUUID() });
    expect(await harness.trailOf(id)).toHaveLength(2);
  });
});

describe("payments of audit-trail-queue", () => {
  test("what became of them is noted for the log line", async () => {
    const payment = message();
    const { call, noted } = notingCall(harness.call("process_payment_messages"));
    const bodies = [payment, payment, { ...payment, amount: "11.00" }, "{broken", message({ amount: "-1" })];
    await processMessages({ Records: bodies.map((body) => record(body)) }, call, harness.services);
    expect(noted).toEqual({ stored: 1, duplicate: 1, conflict: 1, refused: 2 });
  });

  const process_ = (...records: Record_[]) =>
    processMessages({ Records: records }, harness.call("process_payment_messages"), harness.services);
  const rowsOf = async (id: string) =>
    (await harness.scan("messages")).filter((row) => textOf(row, "paymentId") === id);
  const message = (extra: object = {}) => ({
    paymentId: freshId("pay"),
    amount: "10.50",
    currency: "EUR",
    timestamp: "2026-11-20T10:00:00Z",
    ...extra,
  });

  test("are stored and audited once, however often they are delivered", async () => {
    const payment = message();
    const records = [record(payment), record(payment), record(message())];
    for (let delivery = 0; delivery < 3; delivery++)
      expect(await process_(...records)).toEqual({ batchItemFailures: [] });
    const [row] = await rowsOf(payment.paymentId);
    expect(await rowsOf(payment.paymentId)).toHaveLength(1);
    expect(row).toMatchObject({ amount: { S: "10.50" }, timestamp: { S: "2026-11-20T10:00:00.000Z" } });
    const trail = await harness.trailOf(payment.paymentId);
    expect(trail.map((item) => textOf(item, "Action"))).toEqual(["WRITE"]);
    expect(JSON.stringify(trail[0]?.["Caller"])).toContain("AROAEXAMPLE:order-service");
  });

  test("an amount written as a number keeps its digits; a time in milliseconds is understood", async () => {
    const id = freshId("pay");
    await process_(
      record(`{"paymentId":"${id}","amount":123456789012345.10,"currency":"EUR","timestamp":1763632800000}`),
    );
    expect((await rowsOf(id))[0]).toMatchObject({
      amount: { S: "123456789012345.10" },
      timestamp: { S: "2025-11-20T10:00:00.000Z" },
    });
  });

  test("the sources' message with nothing but id, amount and timestamp is stored", async () => {
    const { currency: _currency, ...bare } = message();
    expect(await process_(record(bare))).toEqual({ batchItemFailures: [] });
    expect(await rowsOf(bare.paymentId)).toHaveLength(1);
  });

  test("other content under a known id is a conflict: settled, audited, the row untouched", async () => {
    const payment = message();
    await process_(record(payment));
    const before = await rowsOf(payment.paymentId);
    expect(await process_(record({ ...payment, amount: "11.00" }))).toEqual({ batchItemFailures: [] });
    expect(await rowsOf(payment.paymentId)).toEqual(before);
    expect((await harness.trailOf(payment.paymentId)).map((item) => textOf(item, "Action")).sort()).toEqual([
      "CONFLICT",
      "WRITE",
    ]);
  });

  test.each([
    ["NOT_JSON", "not json"],
    ["NOT_JSON", '{"paymentId":"a","paymentId":"b","amount":"1"}'],
    ["INVALID_TRANSACTION_ID", message({ paymentId: "undefined" })],
    ["INVALID_TRANSACTION_ID", message({ paymentId: "1.23457E+15" })],
    ["CARD_DATA", message({ amount: "411111111111.1111", currency: undefined })],
    ["CARD_DATA", '{"paymentId":"a","amount":411111111111.1111}'],
    ["CARD_DATA", '{"paymentId":"a","securityCode":"123","securityCode":""}'],
    ["MISSING_FIELD", { amount: "1.00" }],
    ["INVALID_AMOUNT", message({ amount: "1e3" })],
    ["AMOUNT_DECIMALS", message({ amount: "1.005" })],
    ["UNKNOWN_FIELD", message({ surprise: 1 })],
    ["INVALID_TIMESTAMP", message({ timestamp: "yesterday" })],
    ["CARD_DATA", message({ status: "x", note: "4111111111111111" })],
    ["CARD_DATA", "card 4111111111111111 {"],
  ])("a message refused with %s is settled at first sight and leaves a record of its code", async (_code, body) => {
    const before = (await harness.scan("audit")).filter((item) => textOf(item, "Action") === "REFUSAL").length;
    const bad = record(body);
    const good = record(message());
    expect(await process_(bad, good)).toEqual({ batchItemFailures: [] });
    expect(await process_(bad)).toEqual({ batchItemFailures: [] });
    const audit = await harness.scan("audit");
    expect(audit.filter((item) => textOf(item, "Action") === "REFUSAL")).toHaveLength(before + 1);
    expect(everythingIn([...audit, ...(await harness.scan("messages"))])).not.toContain("4111111111111111");
  });

  test("a technical fault that concerns one message sends only that one back", async () => {
    const [stuck, free] = [message(), message()];
    const records = [record(stuck), record(free)];
    harness.proxy.inject({
      target: "DynamoDB.TransactWriteItems",
      where: ({ input }) => JSON.stringify(input).includes(stuck.paymentId),
      fault: FAULTS.internalError(),
    });
    expect(await process_(...records)).toEqual({ batchItemFailures: [{ itemIdentifier: records[0]?.messageId }] });
    expect(await rowsOf(free.paymentId)).toHaveLength(1);
    harness.proxy.reset();
    expect(await process_(...records)).toEqual({ batchItemFailures: [] });
    expect(await rowsOf(stuck.paymentId)).toHaveLength(1);
  });

  test("a refused payment can be found and sent again: its record names it and keeps the message, encrypted", async () => {
    const refused = message({ surprise: "unknown field" });
    await process_(record(refused));
    const [entry] = await harness.trailOf(refused.paymentId);
    expect(textOf(entry ?? {}, "Action")).toBe("REFUSAL");
    const query = { Query: "transaction", TransactionID: refused.paymentId, Actor: "auditor" };
    const answer = await queryAuditTrail(query, harness.call("query_payment_audit_trail"), harness.services);
    expect(JSON.parse(JSON.stringify(answer))).toMatchObject({
      records: [
        { QueryDetails: { Body: JSON.stringify(refused) }, Caller: { Principal: "AROAEXAMPLE:order-service" } },
      ],
    });
    expect(everythingIn(await harness.scan("audit"))).not.toContain("unknown field");
  });

  test("an import by direct call is recorded once, marked in its row and its record; new payments are refused there", async () => {
    const old = { paymentId: randomUUID(), amount: "12.5", timestamp: "2024-03-01T10:00:00Z" };
    const importOf = (...payments: readonly object[]) =>
      importMessages({ Actor: "migration", payments }, harness.call("process_payment_messages"), harness.services);
    const importedFrom = "payment-audit-trail-old";
    const answer = await importOf(
      { ...old, importedFrom },
      { ...old, paymentId: randomUUID() },
      { ...old, importedFrom, amount: "13" },
    );
    expect(answer).toMatchObject({
      results: [
        { outcome: "stored", TransactionID: old.paymentId },
        { outcome: "refused", code: "MISSING_FIELD", field: "importedFrom" },
        { outcome: "conflict", field: "amount" },
      ],
    });
    // The same payment by the queue, without the mark, is the same payment.
    await process_(record(old));
    const trail = await harness.trailOf(old.paymentId);
    expect(trail.map((item) => textOf(item, "Action")).sort()).toEqual(["CONFLICT", "DUPLICATE", "WRITE"]);
    expect(trail.find((item) => textOf(item, "Action") === "WRITE")).toMatchObject({
      Actor: { S: "migration" },
      ImportedFrom: { S: importedFrom },
    });
    const [row] = (await harness.scan("messages")).filter((item) => textOf(item, "paymentId") === old.paymentId);
    expect(row).toMatchObject({ importedFrom: { S: importedFrom }, timestamp: { S: "2024-03-01T10:00:00.000Z" } });
    expect(await importOf({ ...old, importedFrom: "another" })).toMatchObject({ counts: { duplicate: 1 } });
  });

  test("an event that no queue sent is thrown back, not answered", async () => {
    await expect(processMessages({ payments: [] }, harness.call(), harness.services)).rejects.toThrow();
  });
});

test.each([
  ["AROAEXAMPLE:order-service", "AROAEXAMPLE:order-service"],
  ["AWS:AROAEXAMPLE:5105105105105100", "AWS:AROAEXAMPLE:(withheld)"],
  ["AIDAEXAMPLE", "AIDAEXAMPLE"],
  ["4111111111111111", "(withheld)"],
  ["4111111111111111:x", "(withheld)"],
])("of the sender %s is kept %s", (principal, kept) => {
  expect(keptPrincipal(principal)).toBe(kept);
});
