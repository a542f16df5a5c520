/** What a reader sees of a record is what was recorded. */

import type { QueryCommandInput } from "@aws-sdk/client-dynamodb";
import { KMSClient } from "@aws-sdk/client-kms";
import fc from "fast-check";
import type { RecordedContent } from "../../../ledger/rules/differing-fields";
import { FieldDecryptionError } from "../../../ledger/rules/field-cipher";
import { dayKeyOf, timeKey } from "../../../ledger/rules/index-keys";
import type { Payment } from "../../../ledger/rules/payment";
import type { PaymentEvent } from "../../../ledger/rules/payment-event";
import type { LifeState } from "../../../ledger/rules/payment-life";
import type { PaymentMessage } from "../../../ledger/rules/payment-message";
import type { Page, TimeRange } from "../../../ledger/rules/queries";
import { type StoredItem, textOf } from "../../../ledger/rules/stored-item";
import { auditPut, auditView } from "../../../ledger/store/audit-record";
import { readDayIndex } from "../../../ledger/store/day-index";
import { eventRecord, eventView, recordedContent } from "../../../ledger/store/event-record";
import { FieldEncryption } from "../../../ledger/store/key-material";
import { paymentRecord, recordedPayment, recordWithStatus } from "../../../ledger/store/payment-record";
import { messageRecord, recordedMessage } from "../../../ledger/store/transaction-record";
import { stubServices } from "../rules/stub-services";

const RECORDED_AT = "2026-11-21T12:00:00.000Z";

test("of an audit record: who, what, when, and who called", async () => {
  const services = stubServices();
  const caller = { requestId: "r-1", functionName: "f-1", principal: "AROAEXAMPLE", via: "queue" } as const;
  const entry = {
    auditId: "event-1",
    action: "EXPORTED",
    actor: "crm",
    timestamp: "2026-11-20T10:00:00.000Z",
    recordedAt: RECORDED_AT,
    caller,
    origin: "EVENT",
    transactionId: "txn-1",
  } as const;
  const { item } = await auditPut(entry, services);
  expect(await auditView(item, services)).toEqual({
    AuditID: "event-1",
    Action: "EXPORTED",
    Actor: "crm",
    Timestamp: entry.timestamp,
    RecordedAt: RECORDED_AT,
    Origin: "EVENT",
    Caller: { RequestID: "r-1", Function: "f-1", Principal: "AROAEXAMPLE", Via: "queue" },
    user_id: "crm",
    timestamp: entry.timestamp,
    TransactionID: "txn-1",
  });
});

test("of an audit record of the ledger about evidence that it sealed: the file and its hash, and the action as it is", async () => {
  const services = stubServices();
  const evidence = { path: "checks/2026-11-21.json", sha256: "ab".repeat(32) };
  const entry = {
    auditId: "R~check",
    action: "READ",
    actor: "check_log",
    timestamp: RECORDED_AT,
    recordedAt: RECORDED_AT,
    caller: { requestId: "r-1", functionName: "check_log" },
    origin: "LEDGER",
    table: "PaymentLedger",
    evidence,
  } as const;
  const { item } = await auditPut(entry, services);
  expect(await auditView(item, services)).toEqual({
    AuditID: "R~check",
    Action: "READ",
    Actor: "check_log",
    Timestamp: RECORDED_AT,
    RecordedAt: RECORDED_AT,
    Origin: "LEDGER",
    Caller: { RequestID: "r-1", Function: "check_log" },
    user_id: "check_log",
    timestamp: RECORDED_AT,
    Table: "PaymentLedger",
    EvidencePath: evidence.path,
    EvidenceHash: evidence.sha256,
  });
  const event = await auditPut({ ...entry, origin: "EVENT" }, services);
  expect(await auditView(event.item, services)).toMatchObject({ Action: "EVENT:READ", Origin: "EVENT" });
});

describe("a record gives back what was sent, with the time that was sent or the mark that none was", () => {
  const amount = fc.integer({ min: 1, max: 99_999 }).map((cents) => (cents / 100).toFixed(2));
  const time = fc.date({ min: new Date("2026-11-01"), max: new Date(RECORDED_AT), noInvalidDate: true });
  const sentTime = time.map((date) => date.toISOString()).filter((text) => text !== RECORDED_AT);
  const currency = fc.constantFrom("EUR" as const, "USD" as const);
  const recording = { recordedAt: RECORDED_AT, contentMac: "1.testkey.mac" };
  const services = stubServices();

  test("property: of payments, whatever became of their status", async () => {
    const payments: fc.Arbitrary<Payment> = fc.record(
      {
        TransactionID: fc.constant("txn-1"),
        SecureToken: fc.constant("tok_1"),
        Amount: amount,
        Currency: currency,
        ProcessorID: fc.constant("acme"),
        Status: fc.constantFrom("Success", "Failure"),
        Timestamp: sentTime,
      },
      { requiredKeys: ["TransactionID", "SecureToken", "Amount", "Currency", "ProcessorID", "Status"] },
    );
    await fc.assert(
      fc.asyncProperty(payments, fc.nat(3), async (payment, changes) => {
        const { SecureToken: _token, ...readable } = payment;
        let row: StoredItem = (await paymentRecord(payment, recording, services)).item;
        for (let change = 0; change < changes; change++) {
          const status = textOf(row, "Status") === "Success" ? "Failure" : "Success";
          row = await recordWithStatus(row, status, RECORDED_AT, services);
        }
        expect(recordedPayment(row)).toEqual({ ...asSent(readable, "Timestamp"), encrypted: ["SecureToken"] });
      }),
    );
  });

  test("property: of payments that came as messages", async () => {
    const messages: fc.Arbitrary<PaymentMessage> = fc.record(
      { paymentId: fc.constant("pay-1"), amount, currency, timestamp: sentTime },
      { requiredKeys: ["paymentId", "amount"] },
    );
    await fc.assert(
      fc.asyncProperty(messages, async (message) => {
        const { item } = await messageRecord(message, recording, services);
        expect(recordedMessage(item)).toEqual(asSent(message, "timestamp"));
      }),
    );
  });

  test("property: of events", async () => {
    const events: fc.Arbitrary<PaymentEvent> = fc.record(
      {
        TransactionID: fc.constant("txn-1"),
        EventID: fc.constant("e-1"),
        Kind: fc.constant("REFUNDED"),
        Mode: fc.constant("fact"),
        Amount: amount,
        Currency: currency,
        Of: fc.constant("e-0"),
        Reason: fc.constant("goods returned"),
        Timestamp: sentTime,
      },
      { requiredKeys: ["TransactionID", "EventID", "Kind", "Mode", "Amount", "Currency"] },
    );
    const state = { Authorised: "", Captured: "", RefundHeld: "", Refunded: "", Disputed: "", Fees: "", Closed: false };
    const at = { place: 1, before: undefined, outcome: { breaches: [], state, postings: [] }, recordedAt: RECORDED_AT };
    await fc.assert(
      fc.asyncProperty(events, async (event) => {
        const { item } = await eventRecord(event, at, services);
        expect(recordedContent(item)).toEqual(asSent(event, "Timestamp"));
      }),
    );
  });
});

test("property: of an event: the state of the life behind it", async () => {
  const services = stubServices();
  const amount = fc.integer({ min: 0, max: 99_999 }).map((cents) => (cents / 100).toFixed(2));
  const states: fc.Arbitrary<LifeState> = fc.record({
    Authorised: amount,
    Captured: amount,
    RefundHeld: amount,
    Refunded: amount,
    Disputed: amount,
    Fees: amount,
    Closed: fc.boolean(),
  });
  const sent = { EventID: "e-1", Kind: "FEE", Mode: "fact", Amount: "1.00", Currency: "EUR" } as const;
  const event: PaymentEvent = { TransactionID: "txn-1", ...sent };
  await fc.assert(
    fc.asyncProperty(states, async (state) => {
      const outcome = { breaches: [], state, postings: [] };
      const at = { place: 1, before: undefined, outcome, recordedAt: RECORDED_AT };
      const { item } = await eventRecord(event, at, services);
      expect(eventView(item)).toMatchObject({
        ...sent,
        State: state,
        Timestamp: RECORDED_AT,
        RecordedAt: RECORDED_AT,
      });
    }),
  );
});

describe("a field is not opened", () => {
  const asked: string[] = [];
  const kms = new KMSClient({ region: "eu-west-1" });
  kms.middlewareStack.add(
    (_next, context) => async () => {
      asked.push(String(context["commandName"]));
      return { output: { $metadata: {}, CiphertextBlob: Uint8Array.of(1, 2, 3) }, response: {} };
    },
    { step: "initialize", name: "answering", priority: "high" },
  );
  const fieldsUnder = (key: string) => {
    const keyArn = `arn:aws:kms:eu-west-1:111122223333:key/${key}`;
    return new FieldEncryption({ kms, keyArn, hierarchy: "shared", table: "PaymentLedger" });
  };
  const openedWith = async (fields: FieldEncryption) => {
    const { fieldKey, ciphertexts } = await fieldsUnder("00000000-0000-0000-0000-000000000000").seal("txn-1", {
      SecureToken: "tok_1",
    });
    asked.length = 0;
    return fields.open("txn-1", "SecureToken", ciphertexts.SecureToken, fieldKey);
  };

  test("with a key that KMS did not give", async () => {
    await expect(openedWith(fieldsUnder("00000000-0000-0000-0000-000000000000"))).rejects.toThrow(
      "without a plaintext",
    );
    expect(asked).toEqual(["DecryptCommand"]);
  });

  test("where its record names another KMS key: KMS is not asked", async () => {
    await expect(openedWith(fieldsUnder("11111111-1111-1111-1111-111111111111"))).rejects.toThrow(FieldDecryptionError);
    expect(asked).toEqual([]);
  });
});

/** The content as a record gives it back: a time that was not sent is that of recording, and marked so. */
function asSent(sent: object, timeName: string): RecordedContent {
  return timeName in sent
    ? { fields: { ...sent }, defaultedTime: undefined }
    : { fields: { ...sent, [timeName]: RECORDED_AT }, defaultedTime: timeName };
}

describe("an index by day", () => {
  const INDEX = { name: "by-actor", partitionKey: "ActorDay", sortKey: "TimeKey" };
  const time = fc.date({ min: new Date("2026-11-01"), max: new Date("2026-11-05"), noInvalidDate: true });
  const dayOf = (text: string) => text.slice(0, 10).replaceAll("-", "");

  /** Services over the entries of one index, and what it is asked. */
  function indexOf(entries: readonly { readonly key: string; readonly TimeKey: string }[], indexShardCount: number) {
    const services = { ...stubServices(), indexShardCount };
    const asked: { day: string; from: string; to: string }[] = [];
    services.dynamo.send = (async ({ input }: { input: QueryCommandInput }) => {
      const text = (name: string) => input.ExpressionAttributeValues?.[name]?.S ?? "";
      const [from, to] = [text(":from"), text(":to")];
      asked.push({ day: text(":key").split("#")[1] ?? "", from, to });
      const found = entries.filter(({ key, TimeKey }) => key === text(":key") && TimeKey >= from && TimeKey <= to);
      const ordered = found.map(({ TimeKey }) => TimeKey).toSorted();
      return { Items: ordered.slice(0, input.Limit).map((TimeKey) => ({ TimeKey: { S: TimeKey } })) };
    }) as never;
    const read = async (range: TimeRange, page: Page) => {
      const items = await readDayIndex(services, { tableName: "t", index: INDEX, value: "crm" }, range, page);
      return items.map((item) => textOf(item, "TimeKey") ?? "");
    };
    return { read, asked };
  }

  test("property: it is asked for each day of a range within that day and within the range", async () => {
    await fc.assert(
      fc.asyncProperty(time, time, async (one, other) => {
        const [from = "", to = ""] = [one, other].map((date) => date.toISOString()).sort();
        const { read, asked } = indexOf([], 1);
        await read({ from, to }, { limit: 10 });
        expect([asked[0]?.day, asked.at(-1)?.day]).toEqual([dayOf(from), dayOf(to)]);
        for (const [place, { day: compact, ...bounds }] of asked.entries()) {
          const day = compact.replace(/^(....)(..)/, "$1-$2-");
          const isLast = place === asked.length - 1;
          expect(bounds.from).toBe(place === 0 ? from : day);
          expect(bounds.to).toBe(isLast ? `${to}#\u{7f}` : `${day}T23:59:59.999Z#\u{7f}`);
        }
      }),
    );
  });

  test("property: page by page it gives each entry once, in order of time, and a page asks for no day behind its last entry", async () => {
    const limits = fc.integer({ min: 1, max: 6 });
    await fc.assert(
      fc.asyncProperty(
        fc.array(time, { maxLength: 12 }),
        fc.integer({ min: 1, max: 3 }),
        limits,
        async (times, shards, limit) => {
          const entries = times.map((date, index) => {
            const [recordedAt, id] = [date.toISOString(), `id-${index}`];
            return { key: dayKeyOf("crm", recordedAt, id, shards), TimeKey: timeKey(recordedAt, id) };
          });
          const all = entries.map(({ TimeKey }) => TimeKey).toSorted();
          const { read, asked } = indexOf(entries, shards);
          const range = { from: "2026-11-01T00:00:00.000Z", to: "2026-11-05T00:00:00.000Z" };
          const found: string[] = [];
          for (let page: Page = { limit }; ; page = { limit, after: found.slice(-1) }) {
            asked.length = 0;
            const entriesOfPage = await read(range, page);
            found.push(...entriesOfPage);
            const days = [...new Set(asked.map(({ day }) => day))];
            expect(asked).toHaveLength(days.length * shards);
            const isFull = entriesOfPage.length === limit;
            expect(days.at(-1)).toBe(dayOf(isFull ? (found.at(-1) ?? "") : range.to));
            if (!isFull) break;
          }
          expect(found).toEqual(all);
        },
      ),
    );
  });
});
