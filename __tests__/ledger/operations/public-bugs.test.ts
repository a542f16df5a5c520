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

async function send(event: object, now = new Date()) {
  const answer = await recordPaymentEvents(event, harness.call("record_payment_event", now), harness.services);
  const parsed = eventsAnswerSchema.parse(answer);
  const [result] = "results" in parsed ? parsed.results : [];
  if (result === undefined) throw new Error("There is no result.");
  return result;
}

const capture = (TransactionID: string, EventID: string, Amount: string) => ({
  ...hold(TransactionID, EventID, Amount),
  Kind: "CAPTURED",
});

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

test("hyperswitch#13379: a refund needs its caller's id, so one that is sent twice at the same time is one refund", async () => {
  const id = await paid("100.00");
  const { EventID: _, ...withoutId } = hold(id, `${id}-a`, "40.00");
  expect(await send(withoutId)).toMatchObject({ outcome: "refused", code: "MISSING_FIELD", field: "EventID" });
  const twice = await Promise.all([settled(hold(id, `${id}-a`, "40.00")), settled(hold(id, `${id}-a`, "40.00"))]);
  expect(twice.map(({ outcome }) => outcome).sort()).toEqual(["duplicate", "stored"]);
  expect(await send(hold(id, `${id}-b`, "60.00"))).toMatchObject({
    outcome: "stored",
    State: { RefundHeld: "100.00" },
  });
});

test("eventyay#1405: two requests at the same time, with two refunds each, are together never above the payment", async () => {
  const id = await paid("100.00");
  const request = (at: string) => ({
    Actor: "refunds",
    events: [hold(id, `${id}-${at}1`, "40.00"), hold(id, `${id}-${at}2`, "30.00")],
  });
  const both = [request("a"), request("b")];
  await Promise.all(
    both.map((each) => recordPaymentEvents(each, harness.call("record_payment_event"), harness.services)),
  );
  const results = await Promise.all(both.flatMap(({ events }) => events.map(settled)));
  const granted = results.filter(({ outcome }) => outcome === "stored" || outcome === "duplicate");
  const refused = results.filter(({ code }) => code === "OVER_CAPTURED");
  // Of 40, 30, 40 and 30, two fit, or three where both of 30 do.
  expect(granted.length + refused.length).toBe(4);
  expect([2, 3]).toContain(granted.length);
  const next = await send(hold(id, `${id}-c`, "100.00"));
  expect(next).toMatchObject({ outcome: "refused", code: "OVER_CAPTURED" });
  expect(Number(next.State?.RefundHeld)).toBeLessThanOrEqual(100);
});

test("midaz#2317: a cancelled hold of an overdrawn payment gives back what it held, and the overdraft stays", async () => {
  const id = await paid("100.00");
  await send(hold(id, `${id}-a`, "80.00"));
  expect(await send(fact(id, `${id}-b`, "REFUNDED", "50.00"))).toMatchObject({
    Breach: ["OVER_CAPTURED"],
    State: { RefundHeld: "80.00", Refunded: "50.00" },
  });
  expect(await send(fact(id, `${id}-c`, "REFUND_FAILED", "80.00", `${id}-a`))).toMatchObject({
    State: { Captured: "100.00", RefundHeld: "0.00", Refunded: "50.00" },
  });
  expect(await send(hold(id, `${id}-d`, "50.01"))).toMatchObject({ code: "OVER_CAPTURED" });
  expect(await send(hold(id, `${id}-e`, "50.00"))).toMatchObject({ outcome: "stored" });
});

test("double_entry#114: captures at the same time never exceed what was authorised", async () => {
  const id = `captures-${Date.now()}`;
  await send(fact(id, `${id}-auth`, "AUTHORISED", "100.00"));
  const sent = Array.from({ length: 5 }, (_, at) => settled(capture(id, `${id}-${at}`, "30.00")));
  const results = (await Promise.all(sent)).map(({ outcome, code }) => code ?? outcome);
  expect(results.filter((each) => each === "stored" || each === "duplicate")).toHaveLength(3);
  expect(results.filter((each) => each === "OVER_AUTHORISED")).toHaveLength(2);
});

test("haip#134: until the processor has made one part of a refund, no other part can have the money of its hold", async () => {
  const id = await paid("100.00");
  await send(hold(id, `${id}-a`, "70.00"));
  expect(await send(hold(id, `${id}-b`, "40.00"))).toMatchObject({ outcome: "refused", code: "OVER_CAPTURED" });
  await send(fact(id, `${id}-c`, "REFUNDED", "70.00", `${id}-a`));
  expect(await send(hold(id, `${id}-d`, "40.00"))).toMatchObject({ outcome: "refused", code: "OVER_CAPTURED" });
  expect(await send(hold(id, `${id}-e`, "30.00"))).toMatchObject({ outcome: "stored" });
});

test("OwnPay#222: no time releases a hold, and a refund that was given up and then happened counts", async () => {
  const id = await paid("100.00");
  const monthAgo = new Date(Date.now() - 30 * 24 * 60 * 60 * 1000);
  await send(hold(id, `${id}-a`, "100.00"), monthAgo);
  expect(await send(hold(id, `${id}-b`, "100.00"))).toMatchObject({ code: "OVER_CAPTURED" });
  await send(fact(id, `${id}-c`, "REFUND_FAILED", "100.00", `${id}-a`));
  expect(await send(fact(id, `${id}-d`, "REFUNDED", "100.00", `${id}-a`))).toMatchObject({
    outcome: "stored",
    Breach: ["OF_SETTLED"],
    State: { RefundHeld: "0.00", Refunded: "100.00" },
  });
  expect(await send(hold(id, `${id}-e`, "100.00"))).toMatchObject({ outcome: "refused", code: "OVER_CAPTURED" });
});

test("lunora#627: money that is not settled cannot be refunded, and a capture that failed later is taken back", async () => {
  const id = `unsettled-${Date.now()}`;
  await send(fact(id, `${id}-auth`, "AUTHORISED", "100.00"));
  expect(await send(hold(id, `${id}-a`, "100.00"))).toMatchObject({ outcome: "refused", code: "OVER_CAPTURED" });
  await send(fact(id, `${id}-captured`, "CAPTURED", "100.00"));
  expect(await send(fact(id, `${id}-returned`, "CORRECTED", "100.00", `${id}-captured`))).toMatchObject({
    outcome: "stored",
    State: { Authorised: "100.00", Captured: "0.00" },
  });
  expect(await send(hold(id, `${id}-b`, "100.00"))).toMatchObject({ outcome: "refused", code: "OVER_CAPTURED" });
});
