/** Runs the recipes of `docs/payment-life.md`, in their order, against the functions. */

import { readFileSync } from "node:fs";
import { join } from "node:path";
import { lifeText } from "../cli/life";
import { persistPayments } from "../ledger/operations/persist-payments";
import { queryLedger } from "../ledger/operations/query-ledger";
import { recordPaymentEvents } from "../ledger/operations/record-events";
import { EVENT_KIND_NAMES } from "../ledger/rules/event-kinds";
import { LIFE_FAULTS } from "../ledger/rules/life-check";
import { BREACH_CODES } from "../ledger/rules/payment-life";
import { eventsAnswerSchema } from "../ledger/rules/responses";
import { type Harness, paymentInput, startHarness } from "./support/ledger-harness";
import { PROJECT } from "./support/project-files";

const TEXT = readFileSync(join(PROJECT, "docs/payment-life.md"), "utf8");
const REQUESTS = [...TEXT.matchAll(/^```json life:([a-z-]+)\n([\s\S]*?)^```$/gm)].map(
  ([, name = "", document = ""]) => [name, JSON.parse(document) as Record<string, unknown>] as const,
);

let harness: Harness;
beforeAll(async () => {
  harness = await startHarness();
});
afterAll(() => harness?.stop());

/** The moment of the document: its ranges of time end a day later. */
const NOW = new Date("2026-11-28T12:00:00.000Z");

test("each recipe is taken, and ends in the state that the text says", async () => {
  const payments = [
    paymentInput({ TransactionID: "order-81", Amount: "100.00", Currency: "USD", Status: "Success" }),
    paymentInput({ TransactionID: "order-90", Amount: "100.00", Currency: "USD", Status: "Failure" }),
  ];
  for (const payment of payments) await persistPayments(payment, harness.call(), harness.services);
  const states = new Map<string, unknown>();
  for (const [name, request] of REQUESTS) {
    if ("Query" in request) {
      const call = harness.call("query_payment_ledger", NOW);
      const answer = await queryLedger(request, call, harness.services);
      states.set(name, answer);
      continue;
    }
    const answer = await recordPaymentEvents(request, harness.call("record_payment_event", NOW), harness.services);
    const parsed = eventsAnswerSchema.parse(answer);
    expect([name, parsed]).toMatchObject([name, { results: [{ outcome: "stored" }] }]);
    expect(JSON.stringify(parsed)).not.toContain("Breach");
    states.set(name, "results" in parsed ? parsed.results[0]?.State : undefined);
  }
  expect(REQUESTS).toHaveLength(11);
  expect(states.get("hold")).toMatchObject({ RefundHeld: "60.00", Refunded: "0.00" });
  expect(states.get("refunded")).toMatchObject({ RefundHeld: "0.00", Refunded: "60.00" });
  expect(states.get("refund-failed")).toMatchObject({ RefundHeld: "0.00", Refunded: "60.00" });
  expect(states.get("expired")).toMatchObject({ Authorised: "60.00", Captured: "60.00", Closed: false });
  expect(states.get("disputed")).toMatchObject({ Disputed: "60.00" });
  expect(states.get("dispute-won")).toMatchObject({ Disputed: "0.00" });
  expect(states.get("open-holds")).toMatchObject({ outcome: "answered", open: [] });
  expect(states.get("open-breaches")).toMatchObject({ outcome: "answered", open: [] });
});

test("payledger show draws the first payment's life as the document shows it", async () => {
  const query = { Query: "life", TransactionID: "order-81", Actor: "support" };
  const answer = await queryLedger(query, harness.call("query_payment_ledger", NOW), harness.services);
  if (answer.outcome !== "answered" || answer.life === undefined) throw new Error("The life was not answered.");
  const [, shown] = /^```text life:show\n([\s\S]*?)^```$/m.exec(TEXT) ?? [];
  expect(`${lifeText(answer.life)}\n`).toBe(shown);
});

test("its tables name every kind, every rule and every finding, and nothing else", () => {
  const names = [...TEXT.matchAll(/^\| `([A-Z_]+)` \|/gm)].map(([, name]) => name);
  expect(names.toSorted()).toEqual([...EVENT_KIND_NAMES, ...BREACH_CODES, ...LIFE_FAULTS].toSorted());
});
