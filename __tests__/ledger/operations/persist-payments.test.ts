import { persistPayments } from "../../../ledger/operations/persist-payments";
import { updatePaymentStatus } from "../../../ledger/operations/update-status";
import { hasGoodMac } from "../../../ledger/rules/record-mac";
import { refusal } from "../../../ledger/rules/refusals";
import type { PersistResponse } from "../../../ledger/rules/responses";
import { type StoredItem, textOf } from "../../../ledger/rules/stored-item";
import { FAULTS } from "../../../local/fault-proxy";
import { everythingIn, freshId, type Harness, paymentInput, startHarness } from "../../support/ledger-harness";

let harness: Harness;
beforeAll(async () => {
  harness = await startHarness();
});
afterAll(() => harness?.stop());
afterEach(() => harness?.proxy.reset());

const persist = async (event: unknown): Promise<PersistResponse> => {
  const response = await persistPayments(event, harness.call(), harness.services);
  if (!("results" in response)) throw new Error(`The call was refused: ${response.code}`);
  return response;
};
const rowsOf = async (id: string) =>
  (await harness.scan("ledger")).filter((row) => textOf(row, "TransactionID") === id);
const actionsOf = async (id: string) => (await harness.trailOf(id)).map((record) => textOf(record, "Action"));

const CONFLICT = { position: 0, outcome: "conflict", ...refusal("CONFLICT"), AuditID: expect.any(String) };

describe("recording", () => {
  test("a payment leaves one row and one WRITE record, both with a good MAC, in one transaction", async () => {
    const payment = paymentInput();
    const response = await persist(payment);
    expect(response.counts).toEqual({ stored: 1, duplicate: 0, conflict: 0, refused: 0 });
    expect(harness.proxy.count("DynamoDB.TransactWriteItems")).toBe(1);
    const [row] = await rowsOf(payment.TransactionID);
    const [record] = await harness.trailOf(payment.TransactionID);
    const { record: macKey } = await harness.services.macKeys();
    expect(hasGoodMac("PaymentLedger", row as StoredItem, macKey)).toBe(true);
    expect(hasGoodMac("PaymentAuditTrail", record as StoredItem, macKey)).toBe(true);
    expect(textOf(row as StoredItem, "Amount")).toBe("10.50");
    expect(textOf(record as StoredItem, "AuditID")).toBe(response.results[0]?.AuditID);
  });

  test("SecureToken, QueryDetails and Response are ciphertext at rest", async () => {
    const payment = paymentInput();
    await persist(payment);
    const [row] = await rowsOf(payment.TransactionID);
    const [record] = await harness.trailOf(payment.TransactionID);
    expect(row?.["SecureToken"]).toHaveProperty("B");
    expect(record?.["QueryDetails"]).toHaveProperty("B");
    expect(record?.["Response"]).toHaveProperty("B");
    const stored = everythingIn([...(await harness.scan("ledger")), ...(await harness.scan("audit"))]);
    expect(stored).not.toContain(payment.SecureToken);
    expect(stored).not.toContain(Buffer.from(payment.SecureToken).toString("base64").slice(0, -4));
    expect(stored).not.toContain('"RecordIDs"');
  });

  test("without a Timestamp the payment takes the time of recording", async () => {
    const { Timestamp: _timestamp, ...payment } = paymentInput();
    await persist(payment);
    const [row] = await rowsOf(String(payment["TransactionID"]));
    expect(textOf(row as StoredItem, "Timestamp")).toBe(textOf(row as StoredItem, "RecordedAt"));
  });

  test("one object, a list, and a list with its actor around it are the same to the ledger", async () => {
    const { Actor: _actor, ...unclaimed } = paymentInput();
    const response = await persist({ payments: [unclaimed], Actor: "batch-importer" });
    expect(response.results[0]?.outcome).toBe("stored");
    expect((await persist([paymentInput(), paymentInput()])).counts.stored).toBe(2);
    const [record] = await harness.trailOf(String(unclaimed["TransactionID"]));
    expect(textOf(record as StoredItem, "Actor")).toBe("batch-importer");
  });

  test("with a data key for each record two payments share no FieldKey", async () => {
    const services = harness.servicesWith({ hierarchy: "perRecord" });
    const payments = [paymentInput(), paymentInput()];
    await persistPayments(payments, harness.call(), services);
    const [first] = await rowsOf(payments[0]?.TransactionID ?? "");
    const [second] = await rowsOf(payments[1]?.TransactionID ?? "");
    expect(first?.["FieldKey"]).not.toEqual(second?.["FieldKey"]);
  });
});

describe("the same payment again", () => {
  test("the same content is a duplicate and writes nothing, even when it is written differently", async () => {
    const payment = paymentInput();
    await persist(payment);
    const before = [await harness.scan("ledger"), await harness.scan("audit")];
    const again = await persist({
      ...payment,
      Amount: "10.5",
      Timestamp: "2026-11-20T11:00:00+01:00",
    });
    expect(again.results[0]?.outcome).toBe("duplicate");
    expect([await harness.scan("ledger"), await harness.scan("audit")]).toEqual(before);
  });

  test.each([
    ["Amount", "10.51"],
    ["Currency", "USD"],
    ["SecureToken", "tok_other"],
    ["ProcessorID", "processor-beta"],
    ["Status", "Failure"],
    ["Timestamp", "2026-11-20T10:00:00.001Z"],
  ])(
    "another %s under the same id is a conflict: the row is untouched and each attempt is on record",
    async (field, value) => {
      const payment = paymentInput();
      await persist(payment);
      const before = await rowsOf(payment.TransactionID);
      const attempts = [await persist({ ...payment, [field]: value }), await persist({ ...payment, [field]: value })];
      for (const { results } of attempts)
        expect(results).toEqual([{ ...CONFLICT, TransactionID: payment.TransactionID, field }]);
      expect(await rowsOf(payment.TransactionID)).toEqual(before);
      expect(await actionsOf(payment.TransactionID)).toEqual(["WRITE", "CONFLICT", "CONFLICT"]);
    },
  );

  test("what differs is named without its values, in one list too, and by the status that was sent", async () => {
    const { Timestamp: _time, ...payment } = paymentInput({ Status: "Failure" });
    const other = { ...payment, Amount: "99.87", SecureToken: "tok_another", Currency: "USD" };
    const first = await persist([payment, other]);
    expect(first.results[1]).toEqual({
      ...CONFLICT,
      position: 1,
      TransactionID: payment["TransactionID"],
      field: "SecureToken, Amount, Currency",
    });
    expect(JSON.stringify(first)).not.toMatch(/99\.87|10\.50|tok_/);
    const { TransactionID } = payment;
    const change = { TransactionID, ExpectedStatus: "Failure", Status: "Success", Reason: "late", Actor: "ops" };
    await updatePaymentStatus(change, harness.call("update_payment_status"), harness.services);
    expect((await persist({ ...payment, Status: "Success" })).results[0]).toMatchObject({
      ...CONFLICT,
      field: "Status",
    });
  });

  test("50 at once, alone and in lists, with conflicts, throttling and lost answers: one row, one WRITE record", async () => {
    const payment = paymentInput();
    harness.proxy.inject({
      target: "DynamoDB.TransactWriteItems",
      calls: { from: 1, to: 6 },
      fault: FAULTS.transactionConflict([0]),
    });
    harness.proxy.inject({
      target: "DynamoDB.TransactWriteItems",
      calls: { from: 1, to: 4 },
      fault: FAULTS.provisionedThroughputExceeded(),
    });
    const lost = harness.proxy.inject({
      target: "DynamoDB.TransactWriteItems",
      calls: { from: 1, to: 3 },
      fault: FAULTS.loseAnswer(),
    });
    const calls = Array.from({ length: 50 }, (_, index) =>
      persist(index % 2 === 0 ? payment : [paymentInput(), payment, payment]),
    );
    const outcomes = (await Promise.all(calls)).flatMap(({ results }) =>
      results.filter((result) => result.TransactionID === payment.TransactionID).map((result) => result.outcome),
    );
    expect(lost.fired).toBe(3);
    expect(outcomes).toHaveLength(75);
    expect(new Set(outcomes)).toEqual(new Set(["stored", "duplicate"]));
    expect(outcomes.filter((outcome) => outcome === "stored")).toHaveLength(1);
    expect(await rowsOf(payment.TransactionID)).toHaveLength(1);
    expect(await actionsOf(payment.TransactionID)).toEqual(["WRITE"]);
  });

  test("while another call is still committing the same payment nothing is called tampering", async () => {
    const payment = paymentInput();
    await persist(payment);
    for (const fault of [FAULTS.partlyDecided(0, 1), FAULTS.partlyDecided(1, 0)]) {
      harness.proxy.inject({ target: "DynamoDB.TransactWriteItems", calls: { from: 1, to: 3 }, fault });
    }
    const signalsBefore = harness.signals.length;
    expect((await persist(payment)).results[0]?.outcome).toBe("duplicate");
    expect(harness.signals).toHaveLength(signalsBefore);
    expect(await actionsOf(payment.TransactionID)).toEqual(["WRITE"]);
  });

  test("an answer lost after the commit is found again: the caller hears stored, not duplicate", async () => {
    const payment = paymentInput();
    const lost = harness.proxy.inject({
      target: "DynamoDB.TransactWriteItems",
      calls: { from: 1 },
      fault: FAULTS.loseAnswer(),
    });
    expect((await persist(payment)).results[0]?.outcome).toBe("stored");
    expect(lost.fired).toBe(1);
    expect(await actionsOf(payment.TransactionID)).toEqual(["WRITE"]);
  });

  test("a transaction that is still in progress is asked again with its own token", async () => {
    harness.proxy.inject({
      target: "DynamoDB.TransactWriteItems",
      // The SDK asks five times by itself; the sixth call is the first that our own loop makes.
      calls: { from: 1, to: 6 },
      fault: FAULTS.transactionInProgress(),
    });
    expect((await persist(paymentInput())).results[0]?.outcome).toBe("stored");
    const tokens = harness.proxy.calls
      .map((call) => call.input?.["ClientRequestToken"])
      .filter((token) => token !== undefined);
    expect(tokens).toHaveLength(7);
    expect(new Set(tokens).size).toBe(1);
  });
});

describe("a list", () => {
  test("200 payments with 7 bad ones, 5 repeats inside the list and 3 already stored: each answered at its place, the rest stored", async () => {
    const list = Array.from({ length: 200 }, () => paymentInput()) as Record<string, unknown>[];
    const bad: [number, Record<string, unknown>, string][] = [
      [3, { Amount: "1.234" }, "AMOUNT_DECIMALS"],
      [17, { Amount: 10.5 }, "AMOUNT_NOT_TEXT"],
      [42, { Currency: "XXX" }, "UNKNOWN_CURRENCY"],
      [77, { Status: "Maybe" }, "INVALID_STATUS"],
      [101, { Note: "4111 1111 1111 1111" }, "CARD_DATA"],
      [150, { Timestamp: "yesterday" }, "INVALID_TIMESTAMP"],
      [199, { SecureToken: undefined }, "MISSING_FIELD"],
    ];
    for (const [position, change] of bad) list[position] = { ...list[position], ...change };
    const repeats: [number, number][] = [
      [5, 4],
      [60, 50],
      [61, 50],
      [120, 20],
      [198, 197],
    ];
    for (const [position, of] of repeats) list[position] = { ...list[of] };
    const alreadyStored = [10, 90, 180];
    await persist(alreadyStored.map((position) => list[position]));
    const { results, counts } = await persist(list);
    expect(counts).toEqual({ stored: 185, duplicate: 8, conflict: 0, refused: 7 });
    expect(results.map((result) => result.position)).toEqual(list.map((_, index) => index));
    for (const [position, , code] of bad) expect(results[position]).toMatchObject({ outcome: "refused", code });
    for (const position of [...repeats.map(([at]) => at), ...alreadyStored])
      expect(results[position]?.outcome).toBe("duplicate");
    const stored = results.filter((result) => result.outcome === "stored");
    const ledgerIds = new Set((await harness.scan("ledger")).map((row) => textOf(row, "TransactionID")));
    expect(stored.every((result) => ledgerIds.has(result.TransactionID))).toBe(true);
  });

  test("a repeat with other content inside the list is a conflict with the first", async () => {
    const payment = paymentInput();
    const { results } = await persist([payment, { ...payment, Amount: "11.00" }, payment]);
    expect(results.map((result) => result.outcome)).toEqual(["stored", "conflict", "duplicate"]);
    expect((await actionsOf(payment.TransactionID)).sort()).toEqual(["CONFLICT", "WRITE"]);
  });

  test.each([
    ["EMPTY_LIST", []],
    ["LIST_TOO_LONG", Array.from({ length: 501 }, () => ({}))],
    ["EMPTY_LIST", { payments: [], Actor: "payment-service" }],
    ["NOT_AN_OBJECT", { payments: "all" }],
    ["UNKNOWN_FIELD", { payments: [{}], Extra: 1 }],
    ["UNSUPPORTED_SCHEMA_VERSION", { payments: [{}], schemaVersion: 2 }],
    ["CARD_DATA", { payments: [{}], Actor: "4111111111111111" }],
  ])("an unusable envelope is refused as a whole: %s", async (code, event) => {
    const before = (await harness.scan("audit")).length;
    expect(await persistPayments(event, harness.call(), harness.services)).toMatchObject({ outcome: "refused", code });
    expect(await harness.scan("audit")).toHaveLength(before + 1);
  });
});

describe("refusals", () => {
  test("a refused payment leaves a REFUSAL record with its code, and no row", async () => {
    const payment = paymentInput({ Amount: "10.555" });
    const { results } = await persist(payment);
    expect(results[0]).toMatchObject({ outcome: "refused", code: "AMOUNT_DECIMALS", field: "Amount" });
    expect(await rowsOf(payment.TransactionID)).toEqual([]);
    expect(await actionsOf(payment.TransactionID)).toEqual(["REFUSAL"]);
  });

  test.each([
    ["in the token", { SecureToken: "4111111111111111" }],
    ["in the transaction id", { TransactionID: "5555555555554444" }],
    ["in an unknown nested field", { Extra: { deep: [{ note: "3782 822463 10005" }] } }],
    ["as a key", { Extra: { "6011111111111117": true } }],
    ["as a security code", { cvv: "123" }],
  ])("card data %s is refused and nothing of it is stored", async (_where, change) => {
    const { results } = await persist(paymentInput(change));
    expect(results[0]).toMatchObject({ outcome: "refused", code: "CARD_DATA" });
    const stored = everythingIn([...(await harness.scan("ledger")), ...(await harness.scan("audit"))]);
    expect(stored).not.toMatch(/4111111111111111|5555555555554444|3782 ?822463 ?10005|6011111111111117/);
    expect(JSON.stringify(results)).not.toMatch(/4111111111111111|5555555555554444|3782|6011111111111117/);
    expect(harness.signals).toContain("CardDataRefused");
  });

  test("claims of an input too complex to be looked through are kept only when they hold no card data", async () => {
    const deep = JSON.parse(`${"[".repeat(70)}${"]".repeat(70)}`);
    const { results } = await persist({
      TransactionID: "4111111111111111",
      Actor: "5555555555554444",
      SecureToken: deep,
    });
    expect(results[0]).toMatchObject({ outcome: "refused", code: "INPUT_TOO_COMPLEX" });
    expect(JSON.stringify(results) + everythingIn(await harness.scan("audit"))).not.toMatch(
      /4111111111111111|5555555555554444/,
    );
  });

  test("a retry of the same invocation does not repeat its refusal records", async () => {
    const payment = paymentInput({ Currency: "ZZZ" });
    const call = harness.call();
    await persistPayments(payment, call, harness.services);
    await persistPayments(payment, call, harness.services);
    expect(await actionsOf(payment.TransactionID)).toEqual(["REFUSAL"]);
  });
});

describe("nothing is half done", () => {
  const touchesAudit = ({ input }: { input?: unknown }) => JSON.stringify(input ?? {}).includes("PaymentAuditTrail");

  test("with the audit table out of reach no payment is stored", async () => {
    const payment = paymentInput();
    harness.proxy.inject({ target: "DynamoDB.*", where: touchesAudit, fault: FAULTS.internalError() });
    await expect(persist(payment)).rejects.toThrow();
    harness.proxy.reset();
    expect(await rowsOf(payment.TransactionID)).toEqual([]);
    expect((await persist(payment)).results[0]?.outcome).toBe("stored");
  });

  test("with KMS out of reach no payment is stored, and the next call works again", async () => {
    const payment = paymentInput();
    const services = harness.servicesWith({});
    harness.proxy.inject({ target: "KMS.*", fault: FAULTS.accessDenied() });
    await expect(persistPayments(payment, harness.call(), services)).rejects.toThrow();
    harness.proxy.reset();
    expect(await rowsOf(payment.TransactionID)).toEqual([]);
    expect(await persistPayments(payment, harness.call(), services)).toMatchObject({ counts: { stored: 1 } });
  });

  test("the metric PaymentConflict counts every conflicting entry, also those of one list that say the same", async () => {
    const input = paymentInput();
    const other = { ...input, Amount: "99.00" };
    await persist([input]);
    harness.signals.length = 0;
    const { results } = await persist([other, other, input, { ...input, Amount: "98.00" }]);
    expect(results.map(({ outcome }) => outcome)).toEqual(["conflict", "conflict", "duplicate", "conflict"]);
    expect(harness.signals.filter((signal) => signal === "PaymentConflict")).toHaveLength(3);
  });

  test("conflicts that never end become a technical fault, not a wrong answer", async () => {
    const payment = paymentInput();
    harness.proxy.inject({ target: "DynamoDB.TransactWriteItems", fault: FAULTS.transactionConflict([0]) });
    await expect(persist(payment)).rejects.toMatchObject({ name: "TransactionCanceledException" });
    expect(await rowsOf(payment.TransactionID)).toEqual([]);
  });
});

describe("rows that this ledger did not write", () => {
  test("a forged row in the payment's place is recognised, each attempt alarmed, and the payment refused", async () => {
    const payment = paymentInput();
    await harness.put("ledger", {
      TransactionID: { S: payment.TransactionID },
      Amount: { S: "10.50" },
      Mac: { S: "1.x.y" },
    });
    const attempts = [await persist(payment), await persist(payment)];
    for (const { results } of attempts) expect(results[0]).toMatchObject({ outcome: "refused", code: "RECORD_FORGED" });
    expect(await actionsOf(payment.TransactionID)).toEqual(["ALARM", "ALARM"]);
    expect(harness.signals).toContain("IntegrityAlarm");
  });

  test("an alarm record's place that somebody took beforehand does not keep the alarm out", async () => {
    const payment = paymentInput();
    await harness.put("ledger", { TransactionID: { S: payment.TransactionID }, Mac: { S: "1.x.y" } });
    const { results } = await persist(payment);
    const alarmId = results[0]?.AuditID ?? "";
    await harness.remove("audit", alarmId);
    await harness.put("audit", { AuditID: { S: alarmId }, Action: { S: "NOTHING" } });
    await persist(payment);
    expect(await actionsOf(payment.TransactionID)).toEqual(["ALARM"]);
  });

  test("a row copied from another payment is forged, although every attribute but the key is genuine", async () => {
    const [original, victim] = [paymentInput(), freshId()];
    await persist(original);
    const [row] = await rowsOf(original.TransactionID);
    await harness.put("ledger", { ...row, TransactionID: { S: victim } });
    const { results } = await persist(paymentInput({ TransactionID: victim }));
    expect(results[0]).toMatchObject({ outcome: "refused", code: "RECORD_FORGED" });
  });

  test("a payment whose WRITE record was removed raises an alarm instead of answering duplicate", async () => {
    const payment = paymentInput();
    const { results } = await persist(payment);
    await harness.remove("audit", results[0]?.AuditID ?? "");
    expect((await persist(payment)).results[0]).toMatchObject({ outcome: "refused", code: "AUDIT_RECORD_MISSING" });
    expect(await actionsOf(payment.TransactionID)).toEqual(["ALARM"]);
  });

  test("a payment whose row was removed cannot be recorded anew over it", async () => {
    const payment = paymentInput();
    await persist(payment);
    await harness.remove("ledger", payment.TransactionID);
    expect((await persist(payment)).results[0]).toMatchObject({ outcome: "refused", code: "AUDIT_RECORD_MISSING" });
    expect(await rowsOf(payment.TransactionID)).toEqual([]);
  });
});
