/**
 * Payments as messages on `audit-trail-queue`: written in several ways, some sent again, one that is no payment at all, and
 * two that come later with other content. Imports nothing of the ledger.
 */

import { type CurrencySums, DECIMALS, decimalText, HEX, SampleRandom, sampleCardNumber, sumsOf } from "./values";

export interface SampleMessages {
  /** One message's body a line. */
  readonly ndjson: string;
  readonly expected: ExpectedMessages;
}

/** Form of `messages.expected.json`. */
export interface ExpectedMessages {
  readonly messages: number;
  readonly stored: number;
  readonly duplicate: number;
  readonly distinctConflicts: number;
  /** Refused messages by code; each leaves one record. */
  readonly refusals: Readonly<Record<string, number>>;
  readonly sums: CurrencySums;
  readonly cardNumbers: string;
  /** Lines from this one on are sent when those before are through: a queue keeps no order. */
  readonly laterFrom: number;
}

interface Payment {
  readonly fields: Readonly<Record<string, unknown>>;
  readonly currency: string;
  readonly minorUnits: bigint;
}

const SEED = 20250903;
const PAYMENTS = 90;
const FIRST_MOMENT = Date.UTC(2025, 8, 1, 6, 0, 0);
const MINUTE_MS = 60_000;
const CARD = sampleCardNumber(9);

export function makeSampleMessages(): SampleMessages {
  const random = new SampleRandom(SEED);
  const payments = Array.from({ length: PAYMENTS }, (_, count) => makePayment(random, count));
  const repeats = payments.filter((_, count) => count % 6 === 0).map((payment) => sameContent(random, payment));
  const refused = refusedMessages();
  const first = [...payments.map(({ fields }) => JSON.stringify(fields)), ...repeats];
  for (const [index, { body }] of refused.entries()) first.splice(17 + index * 31, 0, body);
  const changed = payments
    .slice(0, 2)
    .map(({ fields }) => JSON.stringify({ ...fields, processorId: "processor-other" }));
  // The second of them twice, as a sender does who retries what was refused.
  const later = [...changed, ...changed.slice(1)];
  return {
    ndjson: [...first, ...later].map((body) => `${body}\n`).join(""),
    expected: {
      messages: first.length + later.length,
      stored: PAYMENTS,
      duplicate: repeats.length,
      distinctConflicts: changed.length,
      refusals: Object.fromEntries(refused.map(({ code }) => [code, 1])),
      sums: sumsOf(payments),
      cardNumbers: CARD,
      laterFrom: first.length + 1,
    },
  };
}

function makePayment(random: SampleRandom, count: number): Payment {
  const currency = random.pick(Object.keys(DECIMALS));
  const minorUnits = BigInt(100 + random.below(10 ** (3 + random.below(4))));
  const at = FIRST_MOMENT + count * MINUTE_MS;
  const fields = {
    paymentId: `msg-${random.text(HEX, 12)}`,
    amount: decimalText(minorUnits, DECIMALS[currency] ?? 0),
    currency,
    processorId: random.pick(["processor-alpha", "processor-beta"]),
    // Some senders write milliseconds, some leave the time to the ledger.
    ...[{ timestamp: new Date(at).toISOString() }, { timestamp: at }, {}][count % 3],
  };
  return { fields, currency, minorUnits };
}

/** Another key order or another writing of the moment: still the same payment. */
function sameContent(random: SampleRandom, { fields }: Payment): string {
  const { timestamp } = fields;
  if (random.below(2) === 0) return JSON.stringify(Object.fromEntries(Object.entries(fields).reverse()));
  const other = typeof timestamp === "number" ? new Date(timestamp).toISOString() : timestamp;
  return JSON.stringify({ ...fields, timestamp: other });
}

/** The first is the poison message: nothing that ever reads it will understand it. */
function refusedMessages(): readonly { readonly body: string; readonly code: string }[] {
  const good = { paymentId: "msg-bad", amount: "12.50", currency: "EUR" };
  return [
    { body: "<payment>this is no JSON</payment>", code: "NOT_JSON" },
    { body: JSON.stringify({ ...good, amount: "12.505" }), code: "AMOUNT_DECIMALS" },
    { body: JSON.stringify({ ...good, processorId: CARD }), code: "CARD_DATA" },
  ];
}
