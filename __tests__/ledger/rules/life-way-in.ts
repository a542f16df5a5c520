/** Inputs that `record_payment_event` takes and refuses, whatever happened to the payment before. */

import { EVENT_KIND_NAMES, EVENT_KINDS, SETTLES } from "../../../ledger/rules/event-kinds";
import { parsePaymentEvent } from "../../../ledger/rules/payment-event";
import {
  AMOUNTS_REFUSED,
  badIds,
  badNewIds,
  badReasons,
  badTimes,
  type Input,
  inAnyObject,
  missing,
  NOW,
  noObjects,
  tooFarAhead,
  type WayIn,
} from "../../support/ledger-fixtures";

const HOLD: Input = {
  TransactionID: "pay-1",
  EventID: "hold-1",
  Kind: "REFUND_HELD",
  Mode: "grant",
  Amount: "10.50",
  Currency: "EUR",
  Actor: "refund-service",
};
const FAILED: Input = { ...HOLD, EventID: "failed-1", Kind: "REFUND_FAILED", Mode: "fact", Of: "hold-1" };

/** Each kind in each of its modes, naming another event where the kind settles one. */
const ANY_KIND: Input[] = EVENT_KIND_NAMES.flatMap((Kind) =>
  EVENT_KINDS[Kind].map((Mode) => ({ ...HOLD, Kind, Mode, ...(Kind in SETTLES ? { Of: "an-earlier-one" } : {}) })),
);

export const LIFE_WAY_IN: WayIn = {
  schema: "record_payment_event.request",
  parse: (input) => parsePaymentEvent(input, undefined, NOW),
  accepted: [
    ...ANY_KIND,
    { ...HOLD, Kind: "REFUNDED", Mode: "fact" },
    { ...HOLD, Reason: "first parcel", Timestamp: "2026-11-20T10:00:00+01:00", schemaVersion: 1 },
  ],
  refused: [
    ...noObjects,
    ...inAnyObject(HOLD),
    ...missing(HOLD, ["TransactionID", "EventID", "Kind", "Mode", "Amount", "Currency"]),
    ...badIds(HOLD, "TransactionID", "INVALID_TRANSACTION_ID"),
    ...badNewIds(HOLD, "EventID", "INVALID_EVENT_ID"),
    ...badIds(FAILED, "Of", "INVALID_EVENT_ID"),
    ...badIds(HOLD, "Actor", "INVALID_ACTOR"),
    ...badReasons(HOLD),
    ...badTimes(HOLD, "Timestamp"),
    tooFarAhead(HOLD, "Timestamp"),
    { why: "Kind refunded", input: { ...HOLD, Kind: "refunded" }, code: "INVALID_KIND", field: "Kind" },
    { why: "Mode order", input: { ...HOLD, Mode: "order" }, code: "INVALID_MODE", field: "Mode" },
    ...(["REFUNDED", "FEE"] as const).map((Kind) => ({
      why: `a grant of ${Kind}`,
      input: { ...HOLD, Kind },
      code: "INVALID_MODE" as const,
      field: "Mode",
      beyondSchema: true as const,
    })),
    {
      why: "a hold reported as a fact",
      input: { ...HOLD, Mode: "fact" },
      code: "INVALID_MODE",
      field: "Mode",
      beyondSchema: true as const,
    },
    ...EVENT_KIND_NAMES.filter((kind) => kind in SETTLES && kind !== "REFUNDED").map((Kind) => ({
      why: `${Kind} without Of`,
      input: { ...HOLD, Kind, Mode: "fact" },
      code: "MISSING_FIELD" as const,
      field: "Of",
      beyondSchema: true as const,
    })),
    {
      why: "Of where the kind settles nothing",
      input: { ...HOLD, Of: "captured-1" },
      code: "INVALID_OF",
      field: "Of",
      beyondSchema: true as const,
    },
    {
      why: "Of that names the event itself",
      input: { ...FAILED, Of: "failed-1" },
      code: "INVALID_OF",
      field: "Of",
      beyondSchema: true as const,
    },
    ...AMOUNTS_REFUSED.map((Amount) => ({
      why: `Amount ${JSON.stringify(Amount)}`,
      input: { ...HOLD, Amount },
      code: "INVALID_AMOUNT" as const,
      field: "Amount",
    })),
    { why: "Amount as a number", input: { ...HOLD, Amount: 10.5 }, code: "AMOUNT_NOT_TEXT", field: "Amount" },
    {
      why: "Amount with three decimals",
      input: { ...HOLD, Amount: "10.505" },
      code: "AMOUNT_DECIMALS",
      field: "Amount",
      beyondSchema: true as const,
    },
    ...["0", "0.00"].map((Amount) => ({
      why: `Amount ${Amount}`,
      input: { ...HOLD, Amount },
      code: "AMOUNT_IS_ZERO" as const,
      field: "Amount",
      beyondSchema: true as const,
    })),
    { why: "Currency eur", input: { ...HOLD, Currency: "eur" }, code: "UNKNOWN_CURRENCY", field: "Currency" },
  ],
};

/** The events among them that may arrive as messages and in files, and those that may not: a grant needs an answer, and there it gets none. */
export const ARRIVING_FACTS: Pick<WayIn, "accepted" | "refused"> = {
  accepted: ANY_KIND.filter(({ Mode }) => Mode === "fact"),
  refused: [
    ...ANY_KIND.filter(({ Mode }) => Mode === "grant").map((input) => ({
      why: `the grant ${input["Kind"]}`,
      input,
      code: "GRANT_NEEDS_ANSWER" as const,
      field: "Mode",
    })),
    ...LIFE_WAY_IN.refused.filter(({ input, beyondSchema }) => beyondSchema && (input as Input)["Mode"] === "fact"),
    {
      why: "Of where the kind settles nothing",
      input: { ...FAILED, Kind: "FEE" },
      code: "INVALID_OF",
      field: "Of",
      beyondSchema: true,
    },
    ...missing(FAILED, ["TransactionID", "Kind", "Mode", "Amount", "Currency", "Actor"]),
    { why: "Kind refunded", input: { ...FAILED, Kind: "refunded" }, code: "INVALID_KIND", field: "Kind" },
    { why: "a payment's field", input: { ...FAILED, paymentId: "pay-1" }, code: "UNKNOWN_FIELD" },
  ],
};
