import { lifeText } from "../../cli/life";
import type { EventView } from "../../ledger/rules/responses";

const STATE = {
  Authorised: "100.00",
  Captured: "100.00",
  RefundHeld: "0.00",
  Refunded: "0.00",
  Disputed: "0.00",
  Fees: "0.00",
  Closed: false,
};
const event = (Place: number, more: Partial<EventView>): EventView => ({
  Place,
  EventID: `event-${Place}`,
  Kind: "REFUND_HELD",
  Mode: "grant",
  Amount: "60.00",
  Currency: "EUR",
  Timestamp: "2026-11-28T12:00:00.000Z",
  RecordedAt: "2026-11-28T12:00:00.000Z",
  State: STATE,
  Postings: [],
  ...more,
});

test("each event is a line with the state after it, and says what is still open", () => {
  const events = [
    event(1, { State: { ...STATE, RefundHeld: "60.00" } }),
    event(2, { Kind: "REFUNDED", Mode: "fact", Of: "event-1", State: { ...STATE, Refunded: "60.00" } }),
    event(3, { Kind: "REFUNDED", Mode: "fact", Breach: ["OVER_CAPTURED"], State: { ...STATE, Refunded: "120.00" } }),
    event(4, { Amount: "10.00", State: { ...STATE, RefundHeld: "10.00", Refunded: "120.00", Closed: true } }),
  ];
  const openBreaches = [{ EventID: "event-3", Breach: ["OVER_CAPTURED" as const] }];
  const lines = lifeText({ events, openHolds: [{ EventID: "event-4" }], openBreaches }).split("\n");
  expect(lines.map((line) => line.split(/ {2,}/))).toEqual([
    ["place", "event", "amount", "id", "of", "authorised", "captured", "held", "refunded", "disputed", "fees"],
    ["1", "REFUND_HELD (grant)", "60.00 EUR", "event-1", "100.00", "100.00", "60.00", "0.00", "0.00", "0.00"],
    ["2", "REFUNDED (fact)", "60.00 EUR", "event-2", "event-1", "100.00", "100.00", "0.00", "60.00", "0.00", "0.00"],
    [
      "3",
      "REFUNDED (fact)",
      "60.00 EUR",
      "event-3",
      ...["100.00", "100.00", "0.00", "120.00", "0.00", "0.00"],
      "open breach OVER_CAPTURED",
    ],
    [
      "4",
      "REFUND_HELD (grant)",
      "10.00 EUR",
      "event-4",
      ...["100.00", "100.00", "10.00", "120.00", "0.00", "0.00"],
      "closed, open hold",
    ],
  ]);
});
