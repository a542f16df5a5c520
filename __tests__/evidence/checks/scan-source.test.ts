/** A table with an item that the SDK cannot read whole: it is reported, and the others are compared. */

import { hash } from "node:crypto";
import { DynamoDBClient } from "@aws-sdk/client-dynamodb";
import { scanSource } from "../../../evidence/checks/scan-source";
import type { RecordChange } from "../../../evidence/verifier/sources";
import { verifyLog } from "../../../evidence/verifier/verify";
import { logKey, memoryEvidence, NaiveLog, recordEntry } from "../../support/naive-log";

const PAGE =
  '{"Items":[{"TransactionID":{"S":"a"}},{"TransactionID":{"S":"b"},"__proto__":{"S":"x"}},' +
  '{"TransactionID":{"S":"c"},"Note":{"M":{"__proto__":{"S":"x"}}}},{"TransactionID":{"S":"d"}}]}';

const source = () =>
  scanSource(
    new DynamoDBClient({
      region: "eu-central-1",
      credentials: { accessKeyId: "test", secretAccessKey: "test" },
      requestHandler: { handle: async () => ({ response: { statusCode: 200, headers: {}, body: Buffer.from(PAGE) } }) },
    }),
    {
      table: "PaymentLedger",
      deployedName: "PaymentLedger-test",
      takenAt: "2026-11-21T12:00:00.000Z",
      segments: 1,
      isIn: ({ TransactionID }) => JSON.stringify(TransactionID) !== '{"S":"d"}',
    },
  );

test("an item with an attribute __proto__ is a fault of the source; all others are given", async () => {
  const changes: RecordChange[] = [];
  for await (const batch of source().batches()) changes.push(...batch);
  expect(changes).toEqual([
    { now: { TransactionID: { S: "a" } } },
    {
      fault: expect.stringMatching(/^PaymentLedger-test: An item has an attribute named __proto__, .* who wrote it\.$/),
    },
    { now: JSON.parse('{"TransactionID":{"S":"c"},"Note":{"M":{"__proto__":{"S":"x"}}}}') },
  ]);
});

test("a verification reports it and does not end there", async () => {
  const key = logKey("scans");
  const log = new NaiveLog([key]);
  for (const id of ["a", "b", "c"]) {
    const commitment = hash("sha256", id, "base64url");
    log.add(recordEntry({ table: "PaymentLedger", key: [id], commitment, sequence: "100" }));
  }
  log.heartbeat("2026-11-21T11:50:00.000Z");
  log.heartbeat("2026-11-21T12:05:00.000Z");
  log.publish();
  const { findings } = await verifyLog({
    evidence: memoryEvidence(log.files),
    sources: [source()],
    keys: [key.vkey],
    settleMs: 0,
    now: new Date("2026-11-21T12:11:00.000Z"),
  });
  const codes = findings.map(({ verdict, code, table }) => `${verdict} ${code} ${table}`);
  expect(codes).toContain("incomplete SOURCE_DAMAGED PaymentLedger");
  // The record without its item is missing, and named; the others are compared.
  const missing = findings.filter(({ verdict }) => verdict === "missing");
  expect(missing.map(({ key: own }) => own)).toEqual([["b"]]);
});
