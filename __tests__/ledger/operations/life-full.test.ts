/** A payment at its last place. The limit is 9,999 events; here it is 2, so that the test writes two. */

import { randomUUID } from "node:crypto";
import { recordPaymentEvents } from "../../../ledger/operations/record-events";
import { eventsAnswerSchema } from "../../../ledger/rules/responses";
import { textOf } from "../../../ledger/rules/stored-item";
import { processUpload } from "../../support/file-runs";
import { type Harness, startHarness } from "../../support/ledger-harness";

jest.mock("../../../ledger/rules/life-check", () => ({
  ...jest.requireActual("../../../ledger/rules/life-check"),
  PLACE_MAX: 2,
}));

let harness: Harness;
beforeAll(async () => {
  harness = await startHarness();
});
afterAll(() => harness?.stop());

const fee = (EventID: string, TransactionID = "order-full") => ({
  TransactionID,
  EventID,
  Kind: "FEE",
  Mode: "fact",
  Amount: "0.10",
  Currency: "EUR",
  Actor: "processor-feed",
});

async function send(EventID: string) {
  const answer = await recordPaymentEvents(fee(EventID), harness.call("record_payment_event"), harness.services);
  const parsed = eventsAnswerSchema.parse(answer);
  return "results" in parsed ? parsed.results[0] : parsed;
}

test("a fact beyond the last place is refused on record, with the state; the recorded ones stay duplicates", async () => {
  expect(await send("fee-1")).toMatchObject({ outcome: "stored", Place: 1 });
  expect(await send("fee-2")).toMatchObject({ outcome: "stored", Place: 2 });
  expect(await send("fee-3")).toMatchObject({ outcome: "refused", code: "LIFE_FULL", State: { Fees: "0.20" } });
  expect(await send("fee-2")).toMatchObject({ outcome: "duplicate", Place: 2 });
  const stored = (await harness.scan("events")).filter((item) => textOf(item, "TransactionID") === "order-full");
  expect(stored).toHaveLength(2);
  const actions = (await harness.trailOf("order-full")).map((record) => textOf(record, "Action"));
  expect(actions.toSorted()).toEqual(["REFUSAL", "WRITE", "WRITE"]);
});

test("facts of a file beyond the last place are refused in its report and on record, and stop no other", async () => {
  const own = ["1", "2", "3", "4"].map((number) => fee(`file-fee-${number}`, "order-full-by-file"));
  const other = fee("other-fee", "order-with-room");
  const send = (...facts: readonly object[]) =>
    processUpload(
      harness,
      `payments/full-${randomUUID()}.ndjson`,
      facts.map((each) => JSON.stringify(each)).join("\n"),
    );
  const { report, badRows } = await send(...own, other);
  expect(report.facts).toEqual({ stored: 3, duplicate: 0, conflict: 0, refused: 2, breached: 2 });
  const refused = { outcome: "refused", code: "LIFE_FULL", transactionId: "order-full-by-file" };
  expect(badRows).toEqual([
    { ...refused, row: 3, eventId: "file-fee-3" },
    { ...refused, row: 4, eventId: "file-fee-4" },
  ]);
  const refusals = async () =>
    (await harness.trailOf("order-full-by-file")).filter((record) => textOf(record, "Action") === "REFUSAL");
  expect((await refusals()).map((record) => textOf(record, "Table"))).toEqual(["PaymentEvents", "PaymentEvents"]);
  // Another file with the same rows: what is recorded are duplicates, and the rest is refused again.
  const again = await send(...own);
  expect(again.report.facts).toMatchObject({ stored: 0, duplicate: 2, refused: 2 });
  expect(again.badRows).toEqual(badRows);
  expect(await refusals()).toHaveLength(4);
});
