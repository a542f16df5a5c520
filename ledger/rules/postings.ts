/**
 * The postings of each kind of event: which accounts it moves money between. A debit is positive, a credit negative, and
 * the postings of an event add up to zero. Stored events carry them, so a change of this table needs a new `Format`.
 */

import type { EventKind } from "./event-kinds";

export interface Posting {
  readonly Account: string;
  /** Decimal text with a minus sign for a credit. */
  readonly Amount: string;
  readonly Currency: string;
}

/** Minor units by account, without zeros; in the order of the account names. */
export type SignedMinor = ReadonlyMap<string, bigint>;

/** What is owed to the seller. */
const PAYABLE = "payable";
/** Kept back of it for refunds that the processor was not asked for yet, or has not answered. */
const HELD = "refunds:held";
const BANK = "bank";

/**
 * @param settled kind of the event that this one settles; undefined where it settles none.
 * @param heldMinor amount of that event.
 */
export function postingsOf(
  kind: EventKind,
  settled: EventKind | undefined,
  amountMinor: bigint,
  heldMinor: bigint,
  processorId: string,
): SignedMinor {
  const receivable = `processor:${processorId}:receivable`;
  const disputed = `processor:${processorId}:disputed`;
  const part = amountMinor < heldMinor ? amountMinor : heldMinor;
  switch (kind) {
    // Nothing is owed yet.
    case "AUTHORISED":
    case "VOIDED":
    case "EXPIRED":
      return sum([]);
    case "CAPTURED":
      return move(receivable, PAYABLE, amountMinor);
    case "REFUND_HELD":
      return move(PAYABLE, HELD, amountMinor);
    case "REFUNDED":
      return settled === undefined
        ? move(PAYABLE, receivable, amountMinor)
        : sum([
            [HELD, heldMinor],
            [receivable, -amountMinor],
            [PAYABLE, amountMinor - heldMinor],
          ]);
    case "REFUND_FAILED":
      if (settled === undefined) return sum([]);
      return settled === "REFUND_HELD" ? move(HELD, PAYABLE, heldMinor) : move(receivable, PAYABLE, part);
    case "DISPUTED":
      return move(disputed, receivable, amountMinor);
    case "DISPUTE_WON":
      return settled === undefined
        ? sum([])
        : sum([
            [receivable, part],
            [PAYABLE, heldMinor - part],
            [disputed, -heldMinor],
          ]);
    case "DISPUTE_LOST":
      return settled === undefined ? move(PAYABLE, receivable, amountMinor) : move(PAYABLE, disputed, heldMinor);
    case "FEE":
      return move(`fees:${processorId}`, receivable, amountMinor);
    case "PAID_OUT":
      return move(BANK, receivable, amountMinor);
    // Made by taking back those of the event that it corrects.
    case "CORRECTED":
      return sum([]);
  }
}

export function negated(postings: SignedMinor): SignedMinor {
  return sum([...postings].map(([account, minor]) => [account, -minor]));
}

/** All together, one posting an account. */
export function summed(lists: readonly SignedMinor[]): SignedMinor {
  return sum(lists.flatMap((each) => [...each]));
}

function move(debit: string, credit: string, minor: bigint): SignedMinor {
  return sum([
    [debit, minor],
    [credit, -minor],
  ]);
}

function sum(postings: readonly (readonly [string, bigint])[]): SignedMinor {
  const totals = new Map<string, bigint>();
  for (const [account, minor] of postings) totals.set(account, (totals.get(account) ?? 0n) + minor);
  return new Map([...totals].filter(([, minor]) => minor !== 0n).sort(([a], [b]) => (a < b ? -1 : 1)));
}
