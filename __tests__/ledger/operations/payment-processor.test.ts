import { gzipSync } from "node:zlib";
import type { Call } from "../../../ledger/operations/call";
import { processMessages } from "../../../ledger/operations/process-messages";
import { queryTransactions } from "../../../ledger/operations/query-transactions";
import { ENTRIES_MAX } from "../../../ledger/rules/entries";
import { refusal } from "../../../ledger/rules/refusals";
import { integerOf, textOf, textWithin } from "../../../ledger/rules/stored-item";
import { FAULTS } from "../../../local/fault-proxy";
import { processEvent, processUpload, reportOf } from "../../support/file-runs";
import {
  everythingIn,
  FILES_BUCKET,
  freshId,
  type Harness,
  notingCall,
  s3Event,
  startHarness,
} from "../../support/ledger-harness";
import { queueRecord } from "../../support/queue-records";

let harness: Harness;
beforeAll(async () => {
  harness = await startHarness();
});
afterAll(() => harness?.stop());
afterEach(() => harness?.proxy.reset());

const run = (event: unknown, call: Call = harness.call("payment-processor")) => processEvent(harness, event, { call });
const payment = (extra: object = {}) => ({
  transactionId: freshId("txn"),
  amount: "100.00",
  currency: "USD",
  cardLast4: "4242",
  ...extra,
});
const rowsOf = async (id: string) =>
  (await harness.scan("transactions")).filter((row) => textOf(row, "transactionId") === id);
const actionsOf = async (id: string) => (await harness.trailOf(id)).map((record) => textOf(record, "Action")).sort();

const processed = (key: string, body: string | Uint8Array) => processUpload(harness, key, body);

describe("direct payment_data", () => {
  test("is stored and audited, and again is a duplicate", async () => {
    const sent = { payment_data: payment() };
    const [first, second] = [await run(sent), await run(sent)];
    expect([first.statusCode, JSON.parse(first.body).counts.stored]).toEqual([200, 1]);
    expect(JSON.parse(first.body)).toMatchObject({
      message: "Payment processed successfully",
      timestamp: expect.stringMatching(/^\d{4}-\d\d-\d\dT.*Z$/),
    });
    expect([second.statusCode, JSON.parse(second.body).counts.duplicate]).toEqual([200, 1]);
    expect(await rowsOf(sent.payment_data.transactionId)).toHaveLength(1);
    expect(await actionsOf(sent.payment_data.transactionId)).toEqual(["WRITE"]);
  });

  test("from 16 clients at once ends as one row", async () => {
    const sent = { payment_data: payment() };
    const responses = await Promise.all(Array.from({ length: 16 }, () => run(sent)));
    const counts = responses.map((response) => JSON.parse(response.body).counts);
    expect(counts.reduce((sum, { stored }) => sum + stored, 0)).toBe(1);
    expect(await rowsOf(sent.payment_data.transactionId)).toHaveLength(1);
  });

  test("other content under a known id answers 409 and changes nothing", async () => {
    const sent = payment();
    await run({ payment_data: sent });
    const { call, noted } = notingCall(harness.call("payment-processor"));
    const answer = await run({ payment_data: { ...sent, amount: "100.01" } }, call);
    expect([answer.statusCode, noted]).toEqual([409, { conflict: 1 }]);
    // Its table has the time in its key, so the row is not found and no field can be named.
    const [result] = JSON.parse(answer.body).results;
    expect(result).toMatchObject({ outcome: "conflict", ...refusal("CONFLICT") });
    expect(result).not.toHaveProperty("field");
    expect(await rowsOf(sent.transactionId)).toHaveLength(1);
    expect(await actionsOf(sent.transactionId)).toEqual(["CONFLICT", "WRITE"]);
  });

  test.each([
    ["MISSING_FIELD", { cardLast4: undefined }],
    ["INVALID_CARD_LAST4", { cardLast4: "12345" }],
    ["AMOUNT_NOT_TEXT", { amount: 100 }],
    ["AMOUNT_DECIMALS", { amount: "1.001" }],
    ["INVALID_METADATA", { metadata: "text" }],
    ["INVALID_METADATA", { metadata: { rate: 1.1 } }],
    ["INVALID_METADATA", { metadata: { long: [2 ** 53] } }],
    ["UNKNOWN_FIELD", { surprise: true }],
    ["CARD_DATA", { metadata: { note: "4111 1111 1111 1111" } }],
    ["INVALID_TRANSACTION_ID", { transactionId: "null" }],
    ["INVALID_TRANSACTION_ID", { transactionId: "1.23457E+15" }],
  ])("refused with %s answers 400 and leaves a refusal record", async (code, extra) => {
    const sent = payment(extra);
    const response = await run({ payment_data: sent });
    expect(response.statusCode).toBe(400);
    const [result] = JSON.parse(response.body).results;
    expect(result).toMatchObject({ outcome: "refused", code });
    const [record] = await harness.trailOf(sent.transactionId);
    expect(record).toMatchObject({ Action: { S: "REFUSAL" }, AuditID: { S: result.AuditID } });
  });

  test.each([
    ["EMPTY_LIST", 0],
    ["LIST_TOO_LONG", ENTRIES_MAX + 1],
  ])("refuses a list whole with %s", async (code, length) => {
    const list = Array.from({ length }, () => payment());
    const { statusCode, body } = await run({ payment_data: list });
    expect([statusCode, JSON.parse(body)]).toEqual([400, expect.objectContaining({ outcome: "refused", code })]);
    expect(await harness.trailOf(list[0]?.transactionId ?? "")).toEqual([]);
  });

  test.each([
    ["nothing", {}],
    ["no object", "text"],
    ["unknown fields", { payment_data: payment(), other: 1 }],
    ["an empty list", { payment_data: [] }],
    ["another bucket", s3Event("payments/x.json", "v1", "someone-elses-bucket")],
    ["another prefix", s3Event("reports/payments/x.json", "v1")],
    ["a card number for a version", s3Event("payments/x.json", "4111111111111111")],
    [
      "a broken key",
      {
        Records: [
          {
            ...s3Event("payments/x", "v").Records[0],
            s3: { bucket: { name: FILES_BUCKET }, object: { key: "payments/%E0%A4%A" } },
          },
        ],
      },
    ],
    ["another kind of record", { Records: [{ eventSource: "aws:sqs" }] }],
  ])("an event with %s answers 400, never 200, and is on record", async (_what, event) => {
    const call = harness.call("payment-processor");
    const response = await run(event, call);
    expect(response.statusCode).toBe(400);
    const { AuditID } = JSON.parse(response.body);
    const record = (await harness.scan("audit")).find((item) => textOf(item, "AuditID") === AuditID);
    expect(textWithin(record ?? {}, "Caller", "RequestID")).toBe(call.caller.requestId);
  });
});

describe("payment files", () => {
  const rows = () =>
    Array.from({ length: 7 }, () => payment({ metadata: { merchant: "Example Store", note: "ünïcode" } }));
  const csv = (list: ReturnType<typeof rows>) =>
    [
      "transactionId,amount,currency,cardLast4,metadata.merchant",
      ...list.map((row) => `${row.transactionId},${row.amount},USD,4242,"Example, ""Store"""`),
    ].join("\r\n");

  test.each<[string, (list: ReturnType<typeof rows>) => string | Uint8Array]>([
    ["JSON array", (list) => JSON.stringify(list, null, 2)],
    ["NDJSON", (list) => list.map((row) => JSON.stringify(row)).join("\n")],
    ["NDJSON with BOM and CRLF", (list) => `\u{feff}${list.map((row) => JSON.stringify(row)).join("\r\n")}\r\n`],
    ["gzipped NDJSON", (list) => gzipSync(list.map((row) => JSON.stringify(row)).join("\n"))],
    [
      "gzip in two members",
      (list) =>
        Buffer.concat([
          gzipSync(
            `${list
              .slice(0, 3)
              .map((row) => JSON.stringify(row))
              .join("\n")}\n`,
          ),
          gzipSync(
            list
              .slice(3)
              .map((row) => JSON.stringify(row))
              .join("\n"),
          ),
        ]),
    ],
    ["CSV", csv],
    ["gzipped CSV with BOM", (list) => gzipSync(`\u{feff}${csv(list)}`)],
  ])("as %s: every row is stored and audited once", async (format, write) => {
    const list = rows();
    const { report } = await processed(`payments/20261120/file of ${format} (ü+&=).dat`, write(list));
    expect(report).toMatchObject({
      rows: 7,
      counts: { stored: 7, duplicate: 0, conflict: 0, refused: 0 },
      removed: false,
    });
    for (const row of list) {
      expect(await rowsOf(row.transactionId)).toHaveLength(1);
      expect(await actionsOf(row.transactionId)).toEqual(["WRITE"]);
    }
  });

  test("a single object over many lines is one row; its metadata is stored as text, keys sorted, every digit kept", async () => {
    const id = freshId("txn");
    const text = `{\n "transactionId": "${id}",\n "amount": 100.10,\n "currency": "USD", "cardLast4": "1234",\n "metadata": {"b": 1.10, "a": 12345678901234567890.12, "__proto__": {"x": 1}}\n}\n`;
    expect((await processed("payments/one.json", text)).report.counts.stored).toBe(1);
    const [row] = await rowsOf(id);
    expect(row).toMatchObject({
      amount: { S: "100.10" },
      metadata: { S: '{"__proto__":{"x":1},"a":12345678901234567890.12,"b":1.10}' },
    });
  });

  test("without metadata the stored text is an empty object", async () => {
    const row = payment();
    await run({ payment_data: row });
    expect((await rowsOf(row.transactionId))[0]).toMatchObject({ metadata: { S: "{}" } });
  });

  test("bad rows are reported with their number and code, and stop no other", async () => {
    const list = rows();
    const lines = list.map((row) => JSON.stringify(row));
    lines[1] = "{broken";
    lines[2] = JSON.stringify({ ...list[2], currency: "XXX" });
    lines[3] = `{"transactionId":"${"x".repeat(300_000)}"}`;
    lines[4] = JSON.stringify({ ...list[0], amount: "1.00" });
    lines.splice(5, 0, "");
    const { call, noted } = notingCall(harness.call("payment-processor"));
    const { report, badRows } = await processUpload(harness, "payments/bad.ndjson", lines.join("\n"), { call });
    expect(noted).toEqual({ stored: 3, duplicate: 0, conflict: 1, refused: 3 });
    expect(report.counts).toEqual({ stored: 3, duplicate: 0, conflict: 1, refused: 3 });
    expect(badRows).toEqual(
      expect.arrayContaining([
        { row: 2, outcome: "refused", code: "NOT_JSON" },
        {
          row: 3,
          outcome: "refused",
          code: "UNKNOWN_CURRENCY",
          field: "currency",
          transactionId: list[2]?.transactionId,
        },
        { row: 4, outcome: "refused", code: "ROW_TOO_LONG" },
        { row: 5, outcome: "conflict", code: "CONFLICT", transactionId: list[0]?.transactionId },
      ]),
    );
    expect(badRows).toHaveLength(4);
  });

  test("rows that are not UTF-8 and damaged gzip are reported, and the good rows beside them are stored", async () => {
    const row = payment();
    const line = Buffer.from(`${JSON.stringify(row)}\n`);
    const { report, badRows } = await processed(
      "payments/latin1.ndjson",
      Buffer.concat([line, Buffer.from([0x7b, 0xe9, 0x7d, 0x0a]), Buffer.from(JSON.stringify(payment()))]),
    );
    expect(report.counts).toMatchObject({ stored: 2, refused: 1 });
    expect(badRows).toMatchObject([{ code: "NOT_UTF8" }]);
    const whole = gzipSync(line);
    expect((await processed("payments/cut.gz", whole.subarray(0, whole.length - 12))).badRows).toMatchObject([
      { code: "DAMAGED_GZIP" },
    ]);
  });

  test("an empty file has an empty report", async () => {
    expect((await processed("payments/empty.csv", "")).report).toMatchObject({ rows: 0 });
  });

  test("a file that held card data is removed after its report, and leaves refusal records without values", async () => {
    const good = payment();
    const key = "payments/with-card.ndjson";
    const bad = JSON.stringify(payment({ metadata: { pan: "4111-1111-1111-1111" } }));
    const { report, badRows } = await processed(key, `${JSON.stringify(good)}\n${bad}\n{"card 5555555555554444`);
    expect(report).toMatchObject({ counts: { stored: 1, refused: 2 }, cardDataRows: 2, removed: true });
    expect(badRows.map(({ code }) => code)).toEqual(["CARD_DATA", "CARD_DATA"]);
    expect(await harness.objectKeys(key)).toEqual([]);
    expect(everythingIn([...(await harness.scan("audit")), ...(await harness.scan("transactions"))])).not.toMatch(
      /4111-1111|5555555555554444/,
    );
  });

  test("a key at the limit of S3 has its report too", async () => {
    const event = await harness.upload(`payments/${"k".repeat(1_000)}`, JSON.stringify(payment()));
    const before = await harness.objectKeys("reports/");
    expect(await run(event)).toMatchObject({ statusCode: 200 });
    expect(await harness.objectKeys("reports/")).toHaveLength(before.length + 1);
  });

  test("the event of a file that is already done and removed is answered, of one that never was is thrown", async () => {
    const event = await harness.upload("payments/again.ndjson", JSON.stringify(payment({ cvv: "123" })));
    await run(event);
    expect(await run(event)).toMatchObject({ statusCode: 200 });
    await expect(run(s3Event("payments/never.ndjson", undefined))).rejects.toThrow();
  });

  test("a request that Lambda repeats after the report answers with its counts, records nothing, and leaves the file", async () => {
    const key = "payments/repeated.ndjson";
    const event = await harness.upload(key, [payment(), payment()].map((row) => JSON.stringify(row)).join("\n"));
    const call = harness.call("payment-processor");
    await run(event, call);
    harness.proxy.reset();
    const { body } = await run(event, call);
    const counts = { stored: 2, duplicate: 0, conflict: 0, refused: 0 };
    expect(JSON.parse(body).files).toEqual([{ finished: true, counts }]);
    expect(harness.proxy.count("DynamoDB.TransactWriteItems")).toBe(0);
    expect(await harness.objectKeys(key)).toEqual([key]);
  });

  test("a file with card data that could not be removed after its report is removed when Lambda repeats the request", async () => {
    const key = "payments/not-yet-removed.ndjson";
    const event = await harness.upload(key, JSON.stringify(payment({ cvv: "123" })));
    const call = harness.call("payment-processor");
    const remove = jest.spyOn(harness.files, "remove").mockRejectedValueOnce(new Error("S3 did not answer."));
    await expect(run(event, call)).rejects.toThrow("S3 did not answer.");
    expect(await harness.objectKeys(key)).toEqual([key]);
    const { body } = await run(event, call);
    remove.mockRestore();
    const counts = { stored: 0, duplicate: 0, conflict: 0, refused: 1 };
    expect(JSON.parse(body).files).toEqual([{ finished: true, counts }]);
    expect(await harness.objectKeys(key)).toEqual([]);
  });

  test("exactly the version of the event is read", async () => {
    const [old, replaced] = [payment(), payment()];
    const first = await harness.upload("payments/replaced.json", JSON.stringify(old));
    await harness.upload("payments/replaced.json", JSON.stringify(replaced));
    await run(first);
    expect(await rowsOf(old.transactionId)).toHaveLength(1);
    expect(await rowsOf(replaced.transactionId)).toHaveLength(0);
  });

  test("the same payment in two files is stored once; a changed payload is reported as conflict", async () => {
    const row = payment();
    await processed("payments/a.json", JSON.stringify(row));
    expect((await processed("payments/b.json", JSON.stringify(row))).report.counts.duplicate).toBe(1);
    expect(
      (await processed("payments/c.json", JSON.stringify({ ...row, cardLast4: "0000" }))).report.counts.conflict,
    ).toBe(1);
    expect(await rowsOf(row.transactionId)).toHaveLength(1);
  });

  test("a technical fault is thrown, and the retry stores the rest", async () => {
    const list = Array.from({ length: 120 }, () => payment());
    const event = await harness.upload("payments/faulty.ndjson", list.map((row) => JSON.stringify(row)).join("\n"));
    harness.proxy.inject({
      target: "DynamoDB.TransactWriteItems",
      calls: { from: 2, to: 99 },
      fault: FAULTS.accessDenied(),
    });
    await expect(run(event)).rejects.toThrow();
    harness.proxy.reset();
    await run(event);
    const { report } = await reportOf(harness, event);
    expect(report.counts.stored + report.counts.duplicate).toBe(120);
    const ids = new Set((await harness.scan("transactions")).map((row) => textOf(row, "transactionId")));
    expect(list.every((row) => ids.has(row.transactionId))).toBe(true);
  });

  test("a file too long for one run goes on through continuation objects, and every row is in the report once", async () => {
    const list = Array.from({ length: 420 }, () => payment());
    let event = await harness.upload("payments/long.ndjson", list.map((row) => JSON.stringify(row)).join("\n"));
    const original = event;
    let runs = 0;
    for (; runs < 10; runs++) {
      let batches = 0;
      const call = { ...harness.call("payment-processor"), remainingMs: () => (batches++ < 3 ? 900_000 : 30_000) };
      const before = await harness.objectKeys("continue/");
      const response = await run(event, call);
      if (JSON.parse(response.body).files[0].finished) break;
      const [continuation] = (await harness.objectKeys("continue/")).filter((key) => !before.includes(key));
      event = s3Event(continuation ?? "", undefined);
    }
    expect(runs).toBeGreaterThanOrEqual(2);
    expect((await reportOf(harness, original)).report).toMatchObject({ rows: 420, counts: { stored: 420 } });
    // From the second run on the processor itself put the object that started it; the file is still its sender's.
    const [last] = await harness.trailOf(list.at(-1)?.transactionId ?? "");
    expect(JSON.stringify(last?.["Caller"])).toContain("partner-upload");
  });
});

describe("query_transactions", () => {
  const query = (event: object) =>
    queryTransactions({ Actor: "support-desk", ...event }, harness.call("query_transactions"), harness.services);

  test("returns the record after the read was recorded", async () => {
    const row = payment({ metadata: { a: 1 } });
    await run({ payment_data: row });
    const response = await query({ transactionId: row.transactionId });
    expect(response).toMatchObject({
      outcome: "answered",
      transactions: [{ transactionId: row.transactionId, amount: "100.00", status: "processed" }],
    });
    expect(await actionsOf(row.transactionId)).toEqual(["READ", "WRITE"]);
  });

  test("a row that was removed is not answered as absent: its WRITE record gives the removal away", async () => {
    const row = payment();
    await run({ payment_data: row });
    const [stored] = await rowsOf(row.transactionId);
    await harness.removeTransaction(row.transactionId, Number(integerOf(stored ?? {}, "timestamp")));
    expect(await query({ transactionId: row.transactionId })).toMatchObject({
      outcome: "refused",
      code: "AUDIT_RECORD_MISSING",
    });
    expect(await actionsOf(row.transactionId)).toEqual(["ALARM", "WRITE"]);
  });

  test("is complete over any number of pages, and refuses what this ledger did not write", async () => {
    const row = payment();
    await run({ payment_data: row });
    for (let version = 1; version <= 5; version++) {
      await harness.put("transactions", {
        transactionId: { S: row.transactionId },
        timestamp: { N: String(version) },
        note: { S: "x".repeat(350_000) },
      });
    }
    const response = await query({ transactionId: row.transactionId });
    expect(response).toMatchObject({ outcome: "answered", refused: Array(5).fill({ code: "RECORD_FORGED" }) });
    expect(response).toHaveProperty("transactions.length", 1);
    expect(harness.proxy.count("DynamoDB.Query")).toBeGreaterThan(1);
  });

  test.each([
    ["MISSING_FIELD", {}],
    ["UNKNOWN_FIELD", { transactionId: "x", all: true }],
    ["CARD_DATA", { transactionId: "4111111111111111" }],
    [
      "INVALID_QUERY",
      { Query: "time", Table: "PaymentLedger", From: "2026-11-20T00:00:00Z", To: "2026-11-21T00:00:00Z" },
    ],
    [
      "RANGE_TOO_LONG",
      { Query: "time", Table: "payment-audit-trail", From: "2026-01-01T00:00:00Z", To: "2026-11-21T00:00:00Z" },
    ],
  ])("refuses with %s", async (code, event) => {
    expect(await query(event)).toMatchObject({ outcome: "refused", code });
  });

  describe("payments of messages", () => {
    const send = async (...bodies: object[]) => {
      const event = { Records: bodies.map((body) => queueRecord(body)) };
      await processMessages(event, harness.call("process_payment_messages"), harness.services);
    };
    const message = () => ({ paymentId: freshId("pay"), amount: "10.50", currency: "EUR", actor: "shop" });
    const remove = async (paymentId: string) => harness.removeMessage(paymentId);
    const hour = () => ({
      From: new Date(Date.now() - 3_600_000).toISOString(),
      To: new Date(Date.now() + 60_000).toISOString(),
    });

    test("one is returned by its id after the read was recorded", async () => {
      const sent = { ...message(), status: "paid", processorId: "acme", timestamp: "2026-11-20T10:00:00.000Z" };
      await send(sent);
      const { actor: _actor, ...content } = sent;
      expect(await query({ Query: "payment", paymentId: sent.paymentId })).toMatchObject({
        outcome: "answered",
        payments: [{ ...content, processedAt: expect.any(String) }],
        refused: [],
      });
      expect(await actionsOf(sent.paymentId)).toEqual(["READ", "WRITE"]);
    });

    test("an id that was never recorded gives no payment, and an id whose row was removed is refused", async () => {
      expect(await query({ Query: "payment", paymentId: freshId("absent") })).toMatchObject({
        payments: [],
        notFound: true,
      });
      const sent = message();
      await send(sent);
      await remove(sent.paymentId);
      expect(await query({ Query: "payment", paymentId: sent.paymentId })).toMatchObject({
        outcome: "refused",
        code: "AUDIT_RECORD_MISSING",
      });
    });

    test("an altered one is refused", async () => {
      const sent = message();
      await send(sent);
      const row = (await harness.scan("messages")).find((item) => textOf(item, "paymentId") === sent.paymentId);
      await harness.put("messages", { ...row, amount: { S: "99.00" } });
      expect(await query({ Query: "payment", paymentId: sent.paymentId })).toMatchObject({
        payments: [],
        refused: [{ code: "RECORD_FORGED", TransactionID: sent.paymentId }],
      });
    });

    test("by time, over pages: each of the table's payments once, each with a pointer to its read; a lost one is named", async () => {
      const sent = Array.from({ length: 9 }, message);
      await send(...sent);
      const other = payment();
      await run({ payment_data: other });
      const lost = sent[4]?.paymentId ?? "";
      await remove(lost);
      const range = hour();
      const [found, refused]: [string[], (string | undefined)[]] = [[], []];
      let token: string | undefined;
      do {
        const asked = { Query: "time", Table: "payment-audit-trail", ...range, Limit: 20 };
        const page = await query({ ...asked, ...(token === undefined ? {} : { PageToken: token }) });
        if (!("payments" in page)) throw new Error("The query was refused.");
        found.push(...page.payments.map(({ paymentId }) => paymentId));
        refused.push(...page.refused.map(({ TransactionID }) => TransactionID));
        token = page.NextPageToken;
      } while (token !== undefined);
      const ids = sent.map(({ paymentId }) => paymentId);
      expect(ids.filter((id) => id !== lost && found.filter((one) => one === id).length !== 1)).toEqual([]);
      expect(found).not.toContain(other.transactionId);
      expect(refused).toContain(lost);
      expect(await actionsOf(ids[0] ?? "")).toEqual(["READ", "WRITE"]);
      expect(await query({ Query: "time", Table: "payment-transactions", ...range, Limit: 90 })).toHaveProperty(
        "transactions",
      );
    });
  });
});
