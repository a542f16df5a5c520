/** Mistakes with refunds, holds and facts that other ledgers have made in public, each as a case that must end well here. */

import { persistPayments } from "../../../ledger/operations/persist-payments";
import { recordPaymentEvents } from "../../../ledger/operations/record-events";
import { eventsAnswerSchema } from "../../../ledger/rules/responses";
import { type Harness, paymentInput, startHarness } from "../../support/ledger-harness";

let harness: Harness;
beforeAll(async () => {
  harness = await startHarness();
});
afterAll(() => harness?.stop());

async function paid(Amount: string): Promise<string> {
  const payment = paymentInput({ Amount, Currency: "USD", Status: "Success" });
  await persistPayments(payment, harness.call(), harness.services);
  return payment.TransactionID;
}

const hold = (TransactionID: string, EventID: string, Amount: string) =>
  ({ TransactionID, EventID, Kind: "REFUND_HELD", Mode: "grant", Amount, Currency: "USD", Actor: "refunds" }) as const;
const fact = (TransactionID: string, EventID: string, Kind: string, Amount: string, Of?: string) => ({
  ...hold(TransactionID, EventID, Amount),
  Kind,
  Mode: "fact",
  ...(Of === undefined ? {} : { Of }),
});

async function send(event: object) {
  const answer = await recordPaymentEvents(event, harness.call("record_payment_event"), harness.services);
  const parsed = eventsAnswerSchema.parse(answer);
  const [result] = "results" in parsed ? parsed.results : [];
  if (result === undefined) throw new Error("There is no result.");
  return result;
}

/** Sends until the answer is not to send again. */
async function settled(event: object) {
  for (let attempt = 0; attempt < 20; attempt++) {
    const result = await send(event);
    if (result.code !== "BUSY") return result;
  }
  throw new Error("The event was not settled.");
}

test("hyperswitch#13182: of two refunds of 60 of a payment of 100 at the same time, one is granted", async () => {
  const id = await paid("100.00");
  const results = await Promise.all([settled(hold(id, `${id}-a`, "60.00")), settled(hold(id, `${id}-b`, "60.00"))]);
  expect(results.map(({ outcome, code }) => code ?? outcome).sort()).toEqual(["OVER_CAPTURED", "stored"]);
});

test("hyperswitch#11491: a negative refund is refused", async () => {
  const id = await paid("100.00");
  expect(await send(hold(id, `${id}-a`, "-60.00"))).toMatchObject({ outcome: "refused", code: "INVALID_AMOUNT" });
});

test("blnk#181: holds count, so of six holds of 1,000 on 5,000 at the same time five are granted", async () => {
  const id = await paid("5000.00");
  const sent = Array.from({ length: 6 }, (_, at) => settled(hold(id, `${id}-${at}`, "1000.00")));
  const results = (await Promise.all(sent)).map(({ outcome, code }) => code ?? outcome);
  expect(results.filter((each) => each === "stored" || each === "duplicate")).toHaveLength(5);
  expect(results.filter((each) => each === "OVER_CAPTURED")).toHaveLength(1);
});

test("blnk#182: a hold that was refused cannot be settled without a breach", async () => {
  const id = await paid("100.00");
  await send(hold(id, `${id}-a`, "80.00"));
  expect(await send(hold(id, `${id}-b`, "80.00"))).toMatchObject({ code: "OVER_CAPTURED" });
  expect(await send(fact(id, `${id}-c`, "REFUNDED", "80.00", `${id}-b`))).toMatchObject({
    outcome: "stored",
    Breach: ["OVER_CAPTURED", "OF_UNKNOWN"],
  });
});

test("midaz#2437: a hold that is taken back leaves the balance as it was, and is taken back once", async () => {
  const id = await paid("100.00");
  await send(hold(id, `${id}-a`, "80.00"));
  const back = await send(fact(id, `${id}-b`, "REFUND_FAILED", "80.00", `${id}-a`));
  expect(back).toMatchObject({ State: { RefundHeld: "0.00", Refunded: "0.00" } });
  expect(await send(fact(id, `${id}-c`, "REFUND_FAILED", "80.00", `${id}-a`))).toMatchObject({
    Breach: ["OF_SETTLED"],
    State: { RefundHeld: "0.00", Captured: "100.00" },
  });
});

test("midaz#1265: a refund that was settled and then failed is taken back, and the money can be held again", async () => {
  const id = await paid("100.00");
  await send(hold(id, `${id}-a`, "100.00"));
  await send(fact(id, `${id}-b`, "REFUNDED", "100.00", `${id}-a`));
  expect(await send(fact(id, `${id}-c`, "REFUND_FAILED", "100.00", `${id}-b`))).toMatchObject({
    outcome: "stored",
    State: { Captured: "100.00", RefundHeld: "0.00", Refunded: "0.00" },
  });
  expect(await send(hold(id, `${id}-d`, "100.00"))).toMatchObject({ outcome: "stored" });
});

test("lunora#547: a refund that is reported before its payment counts, so a second one is refused", async () => {
  const id = `late-${Date.now()}`;
  expect(await send(fact(id, `${id}-a`, "REFUNDED", "100.00"))).toMatchObject({ outcome: "stored" });
  expect(await send(fact(id, `${id}-b`, "AUTHORISED", "100.00"))).toMatchObject({ outcome: "stored" });
  expect(await send(fact(id, `${id}-c`, "CAPTURED", "100.00"))).toMatchObject({ outcome: "stored" });
  expect(await send(hold(id, `${id}-d`, "100.00"))).toMatchObject({
    outcome: "refused",
    code: "OVER_CAPTURED",
    State: { Captured: "100.00", Refunded: "100.00" },
  });
});
