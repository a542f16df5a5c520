/** A payment at its last place. The limit is 9,999 events; here it is 2, so that the test writes two. */

import { recordPaymentEvents } from "../../../ledger/operations/record-events";
import { eventsAnswerSchema } from "../../../ledger/rules/responses";
import { textOf } from "../../../ledger/rules/stored-item";
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

const fee = (EventID: string) => ({
  TransactionID: "order-full",
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
