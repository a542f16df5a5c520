/** What a reader sees of a record is what was recorded. */

import { KMSClient } from "@aws-sdk/client-kms";
import fc from "fast-check";
import type { PaymentEvent } from "../../../ledger/rules/payment-event";
import type { LifeState } from "../../../ledger/rules/payment-life";
import { auditPut, auditView } from "../../../ledger/store/audit-record";
import { readDayIndex } from "../../../ledger/store/day-index";
import { eventRecord, eventView } from "../../../ledger/store/event-record";
import { FieldEncryption } from "../../../ledger/store/key-material";
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

test("a field is not opened with a key that KMS did not give", async () => {
  const kms = new KMSClient({ region: "eu-west-1" });
  kms.middlewareStack.add(
    () => async () => ({ output: { $metadata: {}, CiphertextBlob: Uint8Array.of(1, 2, 3) }, response: {} }),
    { step: "initialize", name: "answering", priority: "high" },
  );
  const keyArn = "arn:aws:kms:eu-west-1:111122223333:key/00000000-0000-0000-0000-000000000000";
  const fields = new FieldEncryption({ kms, keyArn, hierarchy: "shared", table: "PaymentLedger" });
  const { fieldKey, ciphertexts } = await fields.seal("txn-1", { SecureToken: "tok_1" });
  await expect(fields.open("txn-1", "SecureToken", ciphertexts.SecureToken, fieldKey)).rejects.toThrow(
    "without a plaintext",
  );
});

test("property: an index is asked for each day of a range within that day and within the range", async () => {
  const time = fc.date({ min: new Date("2026-11-01"), max: new Date("2026-11-05"), noInvalidDate: true });
  await fc.assert(
    fc.asyncProperty(time, time, async (one, other) => {
      const [from = "", to = ""] = [one, other].map((date) => date.toISOString()).sort();
      const services = { ...stubServices(), indexShardCount: 1 };
      const asked: { key: string; from: string; to: string }[] = [];
      services.dynamo.send = (async ({
        input,
      }: {
        input: { ExpressionAttributeValues: Record<string, { S: string }> };
      }) => {
        const values = input.ExpressionAttributeValues;
        asked.push({ key: values[":key"]?.S ?? "", from: values[":from"]?.S ?? "", to: values[":to"]?.S ?? "" });
        return {};
      }) as never;
      const index = { name: "by-actor", partitionKey: "ActorDay", sortKey: "TimeKey" };
      await readDayIndex(services, { tableName: "t", index, value: "crm" }, { from, to }, { limit: 10 });
      const days = asked.map(({ key }) => key.split("#")[1] ?? "");
      expect([days[0], days.at(-1)]).toEqual([from, to].map((each) => each.slice(0, 10).replaceAll("-", "")));
      for (const [place, bounds] of asked.entries()) {
        const day = (days[place] ?? "").replace(/^(....)(..)/, "$1-$2-");
        const isLast = place === asked.length - 1;
        expect(bounds.from).toBe(place === 0 ? from : day);
        expect(bounds.to).toBe(isLast ? `${to}#\u{7f}` : `${day}T23:59:59.999Z#\u{7f}`);
      }
    }),
  );
});
