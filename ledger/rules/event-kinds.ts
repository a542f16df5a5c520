/** The kinds of events of a payment's life. The offline verifier uses them too, so nothing here needs the schemas' library. */

/**
 * What can happen to a payment, and how it may be reported. A *grant* asks the ledger before something is done, and is refused
 * where it would break a rule. A *fact* reports what the processor did, and is recorded in any case.
 */
export const EVENT_KINDS = {
  AUTHORISED: ["fact"],
  CAPTURED: ["grant", "fact"],
  VOIDED: ["grant", "fact"],
  EXPIRED: ["fact"],
  REFUND_HELD: ["grant"],
  REFUNDED: ["fact"],
  REFUND_FAILED: ["fact"],
  DISPUTED: ["fact"],
  DISPUTE_WON: ["fact"],
  DISPUTE_LOST: ["fact"],
  FEE: ["fact"],
  PAID_OUT: ["fact"],
  CORRECTED: ["fact"],
} as const satisfies Readonly<Record<string, readonly EventMode[]>>;

export type EventKind = keyof typeof EVENT_KINDS;
export type EventMode = "grant" | "fact";
export const EVENT_MODES = ["grant", "fact"] as const satisfies readonly EventMode[];
export const EVENT_KIND_NAMES = Object.keys(EVENT_KINDS) as [EventKind, ...EventKind[]];

/**
 * The kinds of earlier events that a kind settles or takes back. `Of` names one of them: always, except for `REFUNDED`, which
 * may report a refund that nobody held money for.
 */
export const SETTLES: Readonly<Partial<Record<EventKind, readonly EventKind[]>>> = {
  REFUNDED: ["REFUND_HELD"],
  REFUND_FAILED: ["REFUND_HELD", "REFUNDED"],
  DISPUTE_WON: ["DISPUTED"],
  DISPUTE_LOST: ["DISPUTED"],
  CORRECTED: EVENT_KIND_NAMES.filter((kind) => kind !== "CORRECTED"),
};

/** The member that tells an event from a payment where both may come: no form of a payment has it. */
export const EVENT_ID_FIELD = "EventID";
