import fc from "fast-check";
import { EVENT_KIND_NAMES, EVENT_KINDS, type EventKind, SETTLES } from "../../../ledger/rules/event-kinds";
import type { LifeEvent } from "../../../ledger/rules/life-effects";
import { amountMinor } from "../../../ledger/rules/money";
import { type LifeRow, PaymentLife } from "../../../ledger/rules/payment-life";

const row: LifeRow = { Amount: "100.00", Currency: "EUR", Status: "Success", ProcessorID: "acme" };
const failed: LifeRow = { ...row, Status: "Failure" };

let count = 0;
function event(Kind: EventKind, Amount: string, more: Partial<LifeEvent> = {}): LifeEvent {
  count += 1;
  return { EventID: `event-${count}`, Kind, Mode: EVENT_KINDS[Kind][0], Amount, Currency: "EUR", ...more };
}

function lifeOf(opening: LifeRow | undefined, ...events: readonly LifeEvent[]): PaymentLife {
  const life = new PaymentLife(opening);
  for (const each of events) life.add(each);
  return life;
}

describe("how a life opens", () => {
  test("a success is authorised and captured for its amount", () => {
    expect(lifeOf(row).state).toEqual({
      Authorised: "100.00",
      Captured: "100.00",
      RefundHeld: "0.00",
      Refunded: "0.00",
      Disputed: "0.00",
      Fees: "0.00",
      Closed: false,
    });
  });

  test("a failure opens with nothing, and can be authorised later", () => {
    expect(lifeOf(failed).state).toMatchObject({ Authorised: "0.00", Captured: "0.00", Closed: false });
    const life = lifeOf(failed, event("AUTHORISED", "80.00"));
    expect(life.judge(event("CAPTURED", "80.01")).breaches).toEqual(["OVER_AUTHORISED"]);
    expect(life.judge(event("CAPTURED", "80.00")).breaches).toEqual([]);
  });

  test("without a row it opens with nothing in the first event's currency, and says so until something is authorised", () => {
    const life = new PaymentLife(undefined);
    expect(life.add(event("CAPTURED", "500", { Currency: "JPY", Mode: "fact" }))).toMatchObject({
      breaches: ["PAYMENT_UNKNOWN", "OVER_AUTHORISED"],
      state: { Authorised: "0", Captured: "500" },
    });
    expect(life.openBreaches[0]?.codes).toEqual(["PAYMENT_UNKNOWN", "OVER_AUTHORISED"]);
    life.add(event("AUTHORISED", "500", { Currency: "JPY" }));
    expect(life.openBreaches).toEqual([]);
  });
});

describe("what is refused to a grant and a breach of a fact", () => {
  const hold = event("REFUND_HELD", "60.00");
  const takenBack = event("CORRECTED", "60.00", { Of: hold.EventID });
  const cases: [string, LifeRow | undefined, LifeEvent[], LifeEvent, string[]][] = [
    ["a second hold of 60 on 100", row, [hold], event("REFUND_HELD", "60.00"), ["OVER_CAPTURED"]],
    ["a hold of what is disputed", row, [event("DISPUTED", "60.00")], event("REFUND_HELD", "60.00"), ["OVER_CAPTURED"]],
    ["a hold of what is refunded", row, [event("REFUNDED", "60.00")], event("REFUND_HELD", "60.00"), ["OVER_CAPTURED"]],
    ["a capture above the authorisation", row, [], event("CAPTURED", "0.01"), ["OVER_AUTHORISED"]],
    ["a void of what is captured", row, [], event("VOIDED", "100.00"), ["VOID_AFTER_CAPTURE", "OVER_AUTHORISED"]],
    ["another currency", row, [], event("REFUND_HELD", "1.00", { Currency: "USD" }), ["OTHER_CURRENCY"]],
    [
      "a capture after the void",
      failed,
      [event("AUTHORISED", "5.00"), event("VOIDED", "5.00")],
      event("CAPTURED", "5.00"),
      ["PAYMENT_CLOSED", "OVER_AUTHORISED"],
    ],
    ["a refund of a hold that is not known", row, [], event("REFUNDED", "1.00", { Of: "nothing" }), ["OF_UNKNOWN"]],
    ["a dispute's end for a hold", row, [hold], event("DISPUTE_WON", "60.00", { Of: hold.EventID }), ["OF_OTHER_KIND"]],
    [
      "a correction of a correction",
      row,
      [hold, takenBack],
      event("CORRECTED", "60.00", { Of: takenBack.EventID }),
      ["OF_OTHER_KIND"],
    ],
    [
      "a second refund of one hold",
      row,
      [hold, event("REFUNDED", "60.00", { Of: hold.EventID })],
      event("REFUNDED", "60.00", { Of: hold.EventID }),
      ["OVER_CAPTURED", "OF_SETTLED"],
    ],
    ["more than was held", row, [hold], event("REFUNDED", "60.01", { Of: hold.EventID }), ["AMOUNT_DIFFERS"]],
    ["a payment without a row", undefined, [], event("REFUND_HELD", "1.00"), ["PAYMENT_UNKNOWN", "OVER_CAPTURED"]],
  ];
  test.each(cases)("%s", (_, opening, before, last, breaches) => {
    expect(lifeOf(opening, ...before).judge(last).breaches).toEqual(breaches);
  });

  test("a fee after the end, a refund below its hold and a dispute that is won in part break nothing", () => {
    const authorised = event("AUTHORISED", "5.00");
    const closed = lifeOf(failed, authorised, event("EXPIRED", "5.00"));
    expect(closed.state.Closed).toBe(true);
    expect(closed.add(event("FEE", "0.10")).breaches).toEqual([]);
    const held = event("REFUND_HELD", "60.00");
    const disputed = event("DISPUTED", "30.00");
    const life = lifeOf(row, held, disputed);
    expect(life.add(event("REFUNDED", "50.00", { Of: held.EventID })).breaches).toEqual([]);
    expect(life.add(event("DISPUTE_WON", "20.00", { Of: disputed.EventID })).breaches).toEqual([]);
    expect(life.state).toMatchObject({ RefundHeld: "0.00", Refunded: "50.00", Disputed: "10.00" });
    expect(life.openHolds).toEqual([]);
  });

  test("the rest of an authorisation expires after a capture of a part, and what is captured can be refunded", () => {
    const life = lifeOf(failed, event("AUTHORISED", "100.00"), event("CAPTURED", "60.00"), event("EXPIRED", "40.00"));
    expect(life.state).toMatchObject({ Authorised: "60.00", Captured: "60.00", Closed: false });
    expect(life.judge(event("REFUND_HELD", "60.00")).breaches).toEqual([]);
  });
});

test("a refund that comes back frees what was refunded, and a hold that fails what was held", () => {
  const [refund, hold] = [event("REFUNDED", "60.00"), event("REFUND_HELD", "10.00")];
  const life = lifeOf(row, refund, hold);
  expect(life.judge(event("REFUND_FAILED", "20.00", { Of: refund.EventID })).breaches).toEqual(["AMOUNT_DIFFERS"]);
  expect(life.add(event("REFUND_FAILED", "60.00", { Of: refund.EventID }))).toMatchObject({
    breaches: [],
    state: { Refunded: "0.00", RefundHeld: "10.00" },
  });
  expect(life.judge(event("REFUND_HELD", "90.01")).breaches).toEqual(["OVER_CAPTURED"]);
  expect(life.add(event("REFUND_FAILED", "10.00", { Of: hold.EventID }))).toMatchObject({
    breaches: [],
    state: { Refunded: "0.00", RefundHeld: "0.00" },
  });
  expect(life.judge(event("REFUND_HELD", "100.00")).breaches).toEqual([]);
});

test.each(["DISPUTE_WON", "REFUND_FAILED"] as const)("%s of nothing that is known changes no total", (kind) => {
  const life = lifeOf(row, event("DISPUTED", "30.00"), event("REFUNDED", "20.00"));
  expect(life.add(event(kind, "10.00", { Of: "unknown" }))).toMatchObject({
    breaches: ["OF_UNKNOWN"],
    state: { Disputed: "30.00", Refunded: "20.00", RefundHeld: "0.00" },
  });
});

describe("open breaches", () => {
  test("a refund told twice stays on the list until it is corrected", () => {
    const twice = event("REFUNDED", "70.00");
    const life = lifeOf(row, event("REFUNDED", "70.00"), twice);
    expect(life.openBreaches).toEqual([{ EventID: twice.EventID, codes: ["OVER_CAPTURED"] }]);
    life.add(event("CORRECTED", "70.00", { Of: twice.EventID }));
    expect(life.openBreaches).toEqual([]);
    expect(life.state.Refunded).toBe("70.00");
  });

  test("more than was captured is open until the rest is exactly what was captured", () => {
    const disputed = event("DISPUTED", "60.00");
    const life = lifeOf(row, event("REFUNDED", "60.00"), disputed);
    expect(life.openBreaches).toEqual([{ EventID: disputed.EventID, codes: ["OVER_CAPTURED"] }]);
    life.add(event("DISPUTE_WON", "20.00", { Of: disputed.EventID }));
    expect(life.state).toMatchObject({ Captured: "100.00", Refunded: "60.00", Disputed: "40.00" });
    expect(life.openBreaches).toEqual([]);
  });

  test("what settles an event that comes later is a breach until it comes", () => {
    const disputed = event("DISPUTED", "40.00");
    const life = lifeOf(row);
    expect(life.add(event("DISPUTE_LOST", "40.00", { Of: disputed.EventID })).breaches).toEqual(["OF_UNKNOWN"]);
    expect(life.state.Disputed).toBe("40.00");
    expect(life.add(disputed)).toMatchObject({ breaches: [], state: { Disputed: "40.00" } });
    expect(life.openBreaches).toEqual([]);
  });

  test("another currency counts nowhere and is taken back in that currency", () => {
    const dollars = event("REFUNDED", "70.00", { Currency: "USD" });
    const life = lifeOf(row, dollars);
    expect(life.state.Refunded).toBe("0.00");
    expect(life.openBreaches).toHaveLength(1);
    expect(life.add(event("CORRECTED", "70.00", { Currency: "USD", Of: dollars.EventID })).breaches).toEqual([]);
    expect(life.openBreaches).toEqual([]);
  });

  test("a corrected settlement leaves its hold open again", () => {
    const hold = event("REFUND_HELD", "60.00");
    const refund = event("REFUNDED", "60.00", { Of: hold.EventID });
    const life = lifeOf(row, hold, refund, event("CORRECTED", "60.00", { Of: refund.EventID }));
    expect(life.state).toMatchObject({ RefundHeld: "60.00", Refunded: "0.00" });
    expect(life.openHolds.map(({ EventID }) => EventID)).toEqual([hold.EventID]);
    expect(life.add(event("REFUND_FAILED", "60.00", { Of: hold.EventID })).breaches).toEqual([]);
    expect(life.state.RefundHeld).toBe("0.00");
  });
});

const anyEvents = fc
  .array(
    fc.record({
      kind: fc.constantFrom(...EVENT_KIND_NAMES),
      minor: fc.integer({ min: 1, max: 12_000 }),
      currency: fc.constantFrom("EUR", "EUR", "EUR", "EUR", "USD"),
      mode: fc.nat(1),
      of: fc.nat(12),
    }),
    { maxLength: 14 },
  )
  .map((drawn) =>
    drawn.map(
      ({ kind, minor, currency, mode, of }, at): LifeEvent => ({
        EventID: `e${at}`,
        Kind: kind,
        Mode: EVENT_KINDS[kind][mode % EVENT_KINDS[kind].length] ?? "fact",
        Amount: `${Math.floor(minor / 100)}.${String(minor % 100).padStart(2, "0")}`,
        Currency: currency,
        ...(kind in SETTLES && of !== at ? { Of: `e${of}` } : {}),
      }),
    ),
  );
const anyRow = fc.constantFrom(row, failed, undefined);

/** As the function does it: grants that break a rule are refused, everything else is added. */
function recorded(opening: LifeRow | undefined, events: readonly LifeEvent[]) {
  const life = new PaymentLife(opening);
  const added = events.filter((each) => {
    const isTaken = each.Mode === "fact" || life.judge(each).breaches.length === 0;
    if (isTaken) life.add(each);
    return isTaken;
  });
  return { life, added };
}

describe("whatever happens", () => {
  test("the postings of each event add up to zero, and a correction takes back exactly what it corrects", () => {
    fc.assert(
      fc.property(anyRow, anyEvents, (opening, events) => {
        const life = new PaymentLife(opening);
        for (const each of events) {
          const { postings } = life.add(each);
          const sum = postings.reduce((total, { Amount }) => total + minorOf(Amount), 0n);
          expect(sum).toBe(0n);
          expect(new Set(postings.map(({ Account }) => Account)).size).toBe(postings.length);
        }
      }),
    );
  });

  test("no grant is given beyond what was captured or authorised", () => {
    fc.assert(
      fc.property(anyRow, anyEvents, (opening, events) => {
        const life = new PaymentLife(opening);
        for (const each of events) {
          if (each.Mode === "grant" && life.judge(each).breaches.length > 0) continue;
          const { state } = life.add(each);
          if (each.Mode === "fact") continue;
          if (each.Kind !== "REFUND_HELD") expect(minorOf(state.Captured) <= minorOf(state.Authorised)).toBe(true);
          else
            expect(
              minorOf(state.Refunded) + minorOf(state.RefundHeld) + minorOf(state.Disputed) <= minorOf(state.Captured),
            ).toBe(true);
        }
      }),
    );
  });

  test("judging changes nothing, and the same events give the same states", () => {
    fc.assert(
      fc.property(anyRow, anyEvents, (opening, events) => {
        const { added } = recorded(opening, events);
        const [one, other] = [new PaymentLife(opening), new PaymentLife(opening)];
        for (const each of added) {
          const judged = one.judge(each);
          expect(one.add(each)).toEqual(judged);
          expect(other.add(each)).toEqual(judged);
        }
        expect(one.state).toEqual(other.state);
      }),
    );
  });

  test("facts that agree with each other end in the same state in every order, without an open breach", () => {
    const facts: LifeEvent[] = [
      { EventID: "a", Kind: "AUTHORISED", Mode: "fact", Amount: "90.00", Currency: "EUR" },
      { EventID: "b", Kind: "CAPTURED", Mode: "fact", Amount: "80.00", Currency: "EUR" },
      { EventID: "c", Kind: "REFUNDED", Mode: "fact", Amount: "20.00", Currency: "EUR" },
      { EventID: "d", Kind: "REFUND_FAILED", Mode: "fact", Amount: "20.00", Currency: "EUR", Of: "c" },
      { EventID: "e", Kind: "DISPUTED", Mode: "fact", Amount: "30.00", Currency: "EUR" },
      { EventID: "f", Kind: "DISPUTE_WON", Mode: "fact", Amount: "30.00", Currency: "EUR", Of: "e" },
      { EventID: "g", Kind: "DISPUTED", Mode: "fact", Amount: "10.00", Currency: "EUR" },
      { EventID: "h", Kind: "DISPUTE_LOST", Mode: "fact", Amount: "10.00", Currency: "EUR", Of: "g" },
      { EventID: "i", Kind: "FEE", Mode: "fact", Amount: "1.00", Currency: "EUR" },
    ];
    const inOrder = lifeOf(failed, ...facts);
    const booksOf = (events: readonly LifeEvent[]) => {
      const books = new Map<string, bigint>();
      const life = new PaymentLife(failed);
      for (const each of events)
        for (const { Account, Amount } of life.add(each).postings)
          books.set(Account, (books.get(Account) ?? 0n) + minorOf(Amount));
      return new Map([...books].filter(([, minor]) => minor !== 0n).sort());
    };
    fc.assert(
      fc.property(fc.shuffledSubarray(facts, { minLength: facts.length }), (shuffled) => {
        const life = lifeOf(failed, ...shuffled);
        expect(life.state).toEqual(inOrder.state);
        expect(life.openBreaches).toEqual([]);
        expect(booksOf(shuffled)).toEqual(booksOf(facts));
      }),
    );
  });

  test("what is corrected leaves the books as if it had never been", () => {
    fc.assert(
      fc.property(anyRow, anyEvents, (opening, events) => {
        const { life } = recorded(opening, events);
        const wasEmpty = life.events.length === 0;
        const before = life.state;
        const more: LifeEvent = { EventID: "more", Kind: "FEE", Mode: "fact", Amount: "3.00", Currency: "EUR" };
        const { postings } = life.add(more);
        const back = life.add({ ...more, EventID: "back", Kind: "CORRECTED", Of: "more" });
        const opposite = (amount: string) => (amount.startsWith("-") ? amount.slice(1) : `-${amount}`);
        expect(back.postings).toEqual(postings.map((each) => ({ ...each, Amount: opposite(each.Amount) })));
        if (!wasEmpty) expect(life.state).toEqual(before);
      }),
    );
  });
});

function minorOf(amount: string): bigint {
  return amount.startsWith("-") ? -amountMinor(amount.slice(1)) : amountMinor(amount);
}
