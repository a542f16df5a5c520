/** Facts about payments as rows of payment files. */

import { randomUUID } from "node:crypto";
import { gzipSync } from "node:zlib";
import type { FileReport } from "../../../ledger/files/progress";
import { persistPayments } from "../../../ledger/operations/persist-payments";
import { PLACE_RACES_MAX, recordPaymentEvents } from "../../../ledger/operations/record-events";
import { textOf, textWithin } from "../../../ledger/rules/stored-item";
import { FAULTS } from "../../../local/fault-proxy";
import { processEvent, processUpload, reportOf } from "../../support/file-runs";
import {
  everythingIn,
  freshId,
  type Harness,
  notingCall,
  paymentInput,
  startHarness,
} from "../../support/ledger-harness";

let harness: Harness;
beforeAll(async () => {
  harness = await startHarness();
});
afterAll(() => harness?.stop());
afterEach(() => harness?.proxy.reset());

async function paid(): Promise<string> {
  const payment = paymentInput({ Amount: "100.00", Currency: "EUR" });
  await persistPayments(payment, harness.call(), harness.services);
  return payment.TransactionID;
}

const fact = (TransactionID: string, Kind: string, Amount: string, more: Record<string, unknown> = {}) => ({
  TransactionID,
  EventID: `event-${randomUUID()}`,
  Kind,
  Mode: "fact",
  Amount,
  Currency: "EUR",
  Actor: "processor-feed",
  ...more,
});
const payment = () => ({ transactionId: freshId("file"), amount: "5.00", currency: "EUR", cardLast4: "4242" });
const ndjson = (...rows: readonly object[]) => rows.map((row) => JSON.stringify(row)).join("\n");
const key = (end = "ndjson") => `payments/facts-${randomUUID()}.${end}`;
const process = (body: string | Uint8Array, settings: Parameters<typeof processUpload>[3] = {}) =>
  processUpload(harness, key(), body, settings);

async function lifeOf(id: string): Promise<(string | undefined)[]> {
  const rows = (await harness.scan("events")).filter((item) => textOf(item, "TransactionID") === id);
  const place = ({ Place }: (typeof rows)[number]) => Number(Place !== undefined && "N" in Place ? Place.N : 0);
  return rows.toSorted((a, b) => place(a) - place(b)).map((row) => textOf(row, "EventID"));
}

const idsOf = (facts: readonly { readonly EventID: string }[]) => facts.map(({ EventID }) => EventID);
/** Each but the first can be recorded only behind the one before it. */
const chain = (id: string) => {
  const dispute = fact(id, "DISPUTED", "30.00");
  const won = fact(id, "DISPUTE_WON", "30.00", { Of: dispute.EventID, schemaVersion: 1 });
  const refund = fact(id, "REFUNDED", "100.00");
  return [dispute, won, refund, fact(id, "REFUND_FAILED", "100.00", { Of: refund.EventID })];
};
const csv = (facts: readonly Record<string, unknown>[]) => {
  const columns = ["EventID", "TransactionID", "Kind", "Mode", "Amount", "Currency", "Of", "Actor"];
  return [columns, ...facts.map((each) => columns.map((name) => each[name] ?? ""))]
    .map((cells) => cells.join(","))
    .join("\n");
};

describe("facts in a file", () => {
  test.each<[string, (facts: ReturnType<typeof chain>) => string | Uint8Array]>([
    ["NDJSON", (facts) => ndjson(...facts)],
    ["a JSON array", (facts) => JSON.stringify(facts)],
    ["gzipped NDJSON", (facts) => gzipSync(ndjson(...facts))],
    ["CSV", csv],
  ])("as %s are recorded in its order and once, and counted", async (_form, write) => {
    const [one, other] = [chain(await paid()), chain(await paid())];
    const mixed = one.flatMap((each, index) => [each, ...other.slice(index, index + 1)]);
    harness.signals.length = 0;
    const { call, noted } = notingCall(harness.call("payment-processor"));
    const first = await process(write(mixed), { call });
    const facts = { stored: 8, duplicate: 0, conflict: 0, refused: 0, breached: 0 };
    expect(first.report).toMatchObject({ rows: 8, counts: { stored: 8, refused: 0 }, facts });
    expect([first.badRows, noted["stored"], harness.signals]).toEqual([[], 8, []]);
    for (const each of [one, other]) expect(await lifeOf(each[0]?.TransactionID ?? "")).toEqual(idsOf(each));
    const again = await process(write(mixed));
    expect(again.report.facts).toEqual({ ...facts, stored: 0, duplicate: 8 });
    expect([again.badRows, await lifeOf(one[0]?.TransactionID ?? "")]).toEqual([[], idsOf(one)]);
    const trail = await harness.trailOf(one[0]?.TransactionID ?? "");
    const fromFile = trail.filter((record) => textWithin(record, "Caller", "Via") === "file");
    expect(fromFile.map((record) => textWithin(record, "Caller", "Principal"))).toEqual(
      Array(4).fill("AWS:AROAEXAMPLE:partner-upload"),
    );
  });

  test("come beside payments: those of the rows before a fact are stored before it, in whichever batch", async () => {
    const id = await paid();
    const before = [...Array.from({ length: 60 }, payment), fact(id, "FEE", "1.00"), payment()];
    const ids = before.flatMap((row) => ("transactionId" in row ? [row.transactionId] : []));
    let storedBefore: string[] = [];
    harness.proxy.inject({
      target: "DynamoDB.TransactWriteItems",
      where: ({ input }) => JSON.stringify(input).includes(`"${id}"`),
      fault: FAULTS.before(async () => {
        const rows = await harness.scan("transactions");
        storedBefore = rows.map((row) => textOf(row, "transactionId") ?? "");
      }),
    });
    const { report } = await process(ndjson(...before));
    expect(report).toMatchObject({ rows: 62, counts: { stored: 62 }, facts: { stored: 1 } });
    expect(storedBefore).toEqual(expect.arrayContaining(ids.slice(0, 60)));
  });

  test("that break a rule are recorded, signalled and counted, and an unknown payment is such a rule", async () => {
    const [id, unknown] = [await paid(), freshId("unknown")];
    harness.signals.length = 0;
    const { report, badRows } = await process(
      ndjson(fact(id, "REFUNDED", "150.00"), fact(id, "FEE", "1.00"), fact(unknown, "FEE", "1.00")),
    );
    expect(report.facts).toMatchObject({ stored: 3, breached: 2 });
    expect([badRows, harness.signals]).toEqual([[], ["PaymentBreach", "PaymentBreach"]]);
  });

  test("a row that was refused is listed with its number, code and ids, and stops no other", async () => {
    const id = await paid();
    const good = fact(id, "FEE", "1.00");
    const hold = fact(id, "REFUND_HELD", "5.00", { Mode: "grant" });
    const capture = fact(id, "CAPTURED", "5.00", { Mode: "grant" });
    const asNumber = { ...fact(id, "FEE", "1.00"), Amount: 1 };
    const asPayment = { ...payment(), EventID: "event-of-a-payment" };
    const unnamed = fact(id, "FEE", "1.00", { Actor: undefined });
    const illFormed = fact(id, "FEE", "1.00", { Reason: "\ud800" });
    const rows = [hold, good, capture, asNumber, asPayment, unnamed, { ...payment(), cardLast4: "x" }, illFormed];
    const { report, badRows } = await process(ndjson(...rows));
    expect(report.counts).toEqual({ stored: 1, duplicate: 0, conflict: 0, refused: 7 });
    expect(report.facts).toEqual({ stored: 1, duplicate: 0, conflict: 0, refused: 6, breached: 0 });
    const refused = { outcome: "refused", transactionId: id };
    expect(badRows).toEqual([
      { ...refused, row: 1, code: "GRANT_NEEDS_ANSWER", field: "Mode", eventId: hold.EventID },
      { ...refused, row: 3, code: "GRANT_NEEDS_ANSWER", field: "Mode", eventId: capture.EventID },
      { ...refused, row: 4, code: "AMOUNT_NOT_TEXT", field: "Amount", eventId: asNumber.EventID },
      expect.objectContaining({ row: 5, code: "MISSING_FIELD", eventId: "event-of-a-payment" }),
      { ...refused, row: 6, code: "MISSING_FIELD", field: "Actor", eventId: unnamed.EventID },
      expect.objectContaining({ row: 7, code: "INVALID_CARD_LAST4" }),
      { ...refused, row: 8, code: "INVALID_REASON", field: "Reason", eventId: illFormed.EventID },
    ]);
    expect(await lifeOf(id)).toEqual([good.EventID]);
  });

  test.each([
    ["without TransactionID", "EventID,Kind,Mode,Amount,Currency,Actor\ne-1,FEE,fact,1.00,EUR,feed", "NOT_CSV"],
    ["with a payment's columns beside", "EventID,TransactionID,transactionId\ne-1,t-1,t-1", "NOT_CSV"],
    ["with metadata", "EventID,TransactionID,metadata.note\ne-1,t-1,x", "NOT_CSV"],
    ["with a schema version", "EventID,TransactionID,schemaVersion\ne-1,t-1,1", "NOT_CSV"],
    [
      "with an empty EventID",
      "EventID,TransactionID,Kind,Mode,Amount,Currency,Actor\n,t-1,FEE,fact,1.00,EUR,feed",
      "INVALID_EVENT_ID",
    ],
    [
      "with a grant",
      "EventID,TransactionID,Kind,Mode,Amount,Currency,Actor\ne-1,t-1,VOIDED,grant,1.00,EUR,feed",
      "GRANT_NEEDS_ANSWER",
    ],
  ])("a CSV row %s is refused", async (_what, text, code) => {
    const { report, badRows } = await process(text);
    expect(report.counts).toMatchObject({ stored: 0, refused: badRows.length });
    // A header that cannot be used is a bad row too.
    const header = code === "NOT_CSV" ? [[1, code]] : [];
    expect(badRows.map((bad) => [bad.row, bad.code])).toEqual([...header, [2, code]]);
  });

  test("with card data remove the file, and leave a refusal record without the value", async () => {
    const id = await paid();
    const bad = fact(id, "FEE", "1.00", { Reason: "card 4111 1111 1111 1111" });
    const { report, event } = await process(ndjson(bad, fact(id, "FEE", "2.00")));
    expect(report).toMatchObject({ cardDataRows: 1, removed: true, facts: { stored: 1, refused: 1 } });
    expect(await harness.objectKeys(event.Records[0].s3.object.key)).toEqual([]);
    const refusals = (await harness.trailOf(id)).filter((record) => textOf(record, "Action") === "REFUSAL");
    expect(refusals.map((record) => textOf(record, "Table"))).toEqual(["PaymentEvents"]);
    expect(everythingIn([...(await harness.scan("audit")), ...(await harness.scan("events"))])).not.toMatch(
      /4111 1111/,
    );
  });

  test("an EventID that comes twice is listed; with other content it conflicts, on record up to the file's limit", async () => {
    const id = await paid();
    const first = fact(id, "FEE", "1.00");
    const others = ["2.00", "3.00", "4.00"].map((Amount) => ({ ...first, Amount }));
    const limits = { rowsMax: 1_000, cardDataRowsMax: 10, attemptsMax: 2 };
    const { report, badRows } = await process(ndjson(first, first, ...others), { limits });
    expect(report.facts).toEqual({ stored: 1, duplicate: 1, conflict: 3, refused: 0, breached: 0 });
    const named = { transactionId: id, eventId: first.EventID };
    expect(badRows).toEqual([
      { row: 2, outcome: "duplicate", code: "DUPLICATE", ...named },
      ...[3, 4, 5].map((row) => ({ row, outcome: "conflict", code: "CONFLICT", field: "Amount", ...named })),
    ]);
    const conflicts = (await harness.trailOf(id)).filter((record) => textOf(record, "Action") === "CONFLICT");
    expect(conflicts).toHaveLength(2);
    const further = (await harness.scan("audit")).filter(
      (record) => textOf(record, "Action") === "CONFLICT" && textOf(record, "TransactionID") === undefined,
    );
    expect(further.map((record) => textOf(record, "Table"))).toContain("PaymentEvents");
  });
});

describe("when something fails", () => {
  test("nothing of a payment is recorded behind its fact that failed; the next try records all, in order", async () => {
    const [stuck, free] = [await paid(), await paid()];
    const [failing, behind] = [fact(stuck, "FEE", "1.00"), fact(stuck, "FEE", "2.00")];
    const others = Array.from({ length: 3 }, () => fact(free, "FEE", "0.01"));
    // The second fact of the payment is in the third batch.
    const between = [...others, ...Array.from({ length: 110 }, payment)];
    const event = await harness.upload(key(), ndjson(failing, ...between, behind));
    harness.proxy.inject({
      target: "DynamoDB.TransactWriteItems",
      where: ({ input }) => JSON.stringify(input).includes(failing.EventID),
      fault: FAULTS.internalError(),
    });
    const call = harness.call("payment-processor");
    await expect(processEvent(harness, event, { call })).rejects.toThrow();
    expect(await lifeOf(stuck)).toEqual([]);
    harness.proxy.reset();
    await processEvent(harness, event, { call });
    const { report } = await reportOf(harness, event);
    expect(report).toMatchObject({ rows: 115, facts: { stored: 2, duplicate: 3 } });
    expect(await lifeOf(stuck)).toEqual(idsOf([failing, behind]));
    expect(await lifeOf(free)).toEqual(idsOf(others));
  });

  test("a fact whose place others keep taking is tried again, and those behind it wait", async () => {
    const id = await paid();
    const facts = [fact(id, "FEE", "1.00"), fact(id, "FEE", "2.00")];
    harness.proxy.inject({
      target: "DynamoDB.TransactWriteItems",
      where: ({ input }) => JSON.stringify(input).includes(facts[0]?.EventID ?? ""),
      calls: { from: 1, to: PLACE_RACES_MAX + 1 },
      fault: FAULTS.before(async () => {
        const other = fact(id, "FEE", "0.01");
        await recordPaymentEvents(other, harness.call("record_payment_event"), harness.services);
      }),
    });
    const { report } = await process(ndjson(...facts));
    expect(report.facts).toMatchObject({ stored: 2, refused: 0 });
    const life = await lifeOf(id);
    expect(life).toHaveLength(PLACE_RACES_MAX + 3);
    expect(life.slice(-2)).toEqual(idsOf(facts));
    const actions = (await harness.trailOf(id)).map((record) => textOf(record, "Action"));
    expect(actions).not.toContain("REFUSAL");
  });

  // What the first run recorded of the unfinished batches is a duplicate to the second.
  test("a run whose time ends between two facts is continued, and the order stays", async () => {
    const id = await paid();
    const facts = Array.from({ length: 9 }, (_, index) => fact(id, "FEE", `0.0${index + 1}`));
    const [last, ...first] = facts.toReversed();
    const rows = [...first.toReversed(), ...Array.from({ length: 60 }, payment), last ?? {}];
    const event = await harness.upload(key(), ndjson(...rows));
    const until = { ...harness.call("payment-processor"), remainingMs: () => (events > 3 ? 19_999 : 60_000) };
    let events = 0;
    harness.proxy.inject({
      target: "DynamoDB.TransactWriteItems",
      where: ({ input }) => JSON.stringify(input).includes("event-"),
      fault: FAULTS.after(async () => {
        events += 1;
      }),
    });
    const answer = JSON.parse((await processEvent(harness, event, { call: until })).body);
    expect(answer.files).toEqual([{ finished: false, counts: { stored: 0, duplicate: 0, conflict: 0, refused: 0 } }]);
    expect(await lifeOf(id)).toEqual(idsOf(facts.slice(0, 4)));
    harness.proxy.reset();
    const [continuation] = (await harness.objectKeys("continue/")).slice(-1);
    const record = event.Records[0];
    const next = { ...record, s3: { ...record.s3, object: { key: continuation } } };
    const second = JSON.parse((await processEvent(harness, { Records: [next] })).body);
    expect(second.files).toMatchObject([{ finished: true, counts: { stored: 5, duplicate: 64 } }]);
    const { report } = (await reportOf(harness, event)) as { report: FileReport };
    expect(report).toMatchObject({ rows: 69, facts: { stored: 5, duplicate: 4 } });
    expect(await lifeOf(id)).toEqual(idsOf(facts));
  });
});
