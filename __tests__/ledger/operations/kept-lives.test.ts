/** Lives that are kept between the events of one request: the same results as without, from one reading of each life. */

import * as fc from "fast-check";
import { TABLES } from "../../../contract";
import { PaymentFiles } from "../../../ledger/files/payment-files";
import { KeptLives } from "../../../ledger/operations/kept-lives";
import { runPaymentProcessor } from "../../../ledger/operations/payment-processor";
import { persistPayments } from "../../../ledger/operations/persist-payments";
import { processMessages } from "../../../ledger/operations/process-messages";
import { readLife } from "../../../ledger/operations/read-life";
import { recordedEvent, recordPaymentEvents } from "../../../ledger/operations/record-events";
import { acceptLifeEvent, type SentLifeEvent } from "../../../ledger/operations/sent-events";
import type { PaymentEvent } from "../../../ledger/rules/payment-event";
import type { StoredItem } from "../../../ledger/rules/stored-item";
import type { Services } from "../../../ledger/store/services";
import { MemoryAws } from "../../../tools/bench/fuzz/memory-aws";
import { aPayment } from "../../support/ledger-fixtures";
import { queueRecord } from "../../support/queue-records";
import { stubCall, stubServices } from "../rules/stub-services";

const EVENTS = TABLES.paymentEvents.logicalName;
const LEDGER = TABLES.paymentLedger.logicalName;
const CALL = stubCall("record_payment_event");

class World {
  readonly aws = new MemoryAws();
  readonly services: Services = { ...stubServices(), dynamo: this.aws.dynamo };
  /** Commands that read a life, by the table. */
  readonly reads: string[] = [];

  constructor() {
    this.aws.dynamo.middlewareStack.add(
      (next, context) => (args) => {
        const { TableName } = args.input as { TableName?: string };
        const isRead = ["QueryCommand", "GetItemCommand"].includes(String(context["commandName"]));
        if (isRead && (TableName === EVENTS || TableName === LEDGER)) this.reads.push(TableName);
        return next(args);
      },
      { step: "initialize", name: "counting", priority: "high" },
    );
  }

  /** As it is stored, without what is random in it. */
  lives(): StoredItem[] {
    const items = [...(this.aws.tables.get(EVENTS)?.values() ?? [])] as StoredItem[];
    return items.map(({ Salt: _salt, Mac: _mac, Previous: _previous, ...item }) => item);
  }

  async pay(...ids: string[]): Promise<void> {
    for (const TransactionID of ids)
      await persistPayments(
        aPayment({ TransactionID, Amount: "1.00", Currency: "EUR" }),
        stubCall("persist_payment_ledger"),
        this.services,
      );
  }
}

const KINDS = [
  "FEE",
  "CAPTURED",
  "REFUNDED",
  "DISPUTED",
  "DISPUTE_WON",
  "VOIDED",
  "REFUND_FAILED",
  "CORRECTED",
] as const;
const of = (payment: number, event: number) => `event-${payment}-${event}`;
const eventId = fc.nat(11);
const event = fc.oneof(
  {
    weight: 5,
    arbitrary: fc.record({ Kind: fc.constantFrom(...KINDS), Mode: fc.constant("fact" as const) }),
  },
  { weight: 2, arbitrary: fc.constant({ Kind: "REFUND_HELD" as const, Mode: "grant" as const }) },
);
const step = fc.record({
  // The last one has no row.
  payment: fc.nat(2),
  id: eventId,
  of: eventId,
  event,
  cents: fc.integer({ min: 10, max: 40 }),
  /** Another process, which keeps nothing here. */
  isOther: fc.boolean(),
  actor: fc.constantFrom("feed", "person"),
});
type Step = typeof step extends fc.Arbitrary<infer T> ? T : never;

const SETTLING = new Set(["DISPUTE_WON", "REFUND_FAILED", "CORRECTED"]);

async function sentOf(each: Step, position: number, services: Services): Promise<SentLifeEvent> {
  const payment: PaymentEvent = {
    TransactionID: `order-${each.payment}`,
    EventID: of(each.id % 3 === 0 ? 0 : each.payment, each.id),
    ...each.event,
    Amount: `0.${each.cents}`,
    Currency: each.cents === 13 ? "USD" : "EUR",
    ...(SETTLING.has(each.event.Kind) ? { Of: of(each.payment, each.of) } : {}),
  } as PaymentEvent;
  return acceptLifeEvent({ position, actor: each.actor, event: payment }, services);
}

/**
 * What every step has answered, and what is stored in the end.
 *
 * @param isBetween whether other processes record between the judgement of an event and its transaction.
 */
async function played(steps: readonly Step[], keptMax: number | undefined, isBetween = false) {
  const world = new World();
  const { services, aws } = world;
  await world.pay("order-0", "order-1");
  const lives = keptMax === undefined ? undefined : new KeptLives(keptMax);
  const told: object[] = [];
  const waiting: (() => Promise<unknown>)[] = [];
  aws.dynamo.middlewareStack.add(
    (next, context) => async (args) => {
      if (context["commandName"] === "TransactWriteItemsCommand") await waiting.pop()?.();
      return next(args);
    },
    { step: "initialize", name: "between", priority: "high" },
  );
  for (const [position, each] of steps.entries()) {
    const sent = await sentOf(each, position, services);
    const record = async () => {
      const { result, record: beside } = await recordedEvent(sent, CALL, services, each.isOther ? undefined : lives);
      told.push({ position, result, beside: beside && { ...beside } });
    };
    if (isBetween && each.isOther) waiting.push(record);
    else await record();
  }
  while (waiting.length > 0) await waiting.pop()?.();
  const read = await Promise.all([0, 1, 2].map((payment) => readLife(`order-${payment}`, services)));
  return { told, lives: world.lives(), faults: read.flatMap((life) => ("fault" in life ? [life.fault] : [])) };
}

const steps = fc.array(step, { minLength: 2, maxLength: 30, size: "max" });
const keptMax = fc.constantFrom(0, 3, 8, 20_000);

test("the results and what is stored are the same as without, whatever other processes record in between", async () => {
  await fc.assert(
    fc.asyncProperty(steps, keptMax, async (each, most) => {
      expect(await played(each, most)).toEqual(await played(each, undefined));
    }),
    { numRuns: 25 },
  );
});

test("no life breaks a rule where others record between the judgement of an event and its transaction", async () => {
  await fc.assert(
    fc.asyncProperty(steps, async (each) => {
      const { told, faults } = await played(each, undefined, true);
      expect([told.length, faults]).toEqual([each.length, []]);
      const kept = await played(each, 20_000, true);
      expect([kept.told.length, kept.faults]).toEqual([each.length, []]);
    }),
    { numRuns: 15 },
  );
});

const fee = (TransactionID: string, number: number, more: object = {}) => ({
  TransactionID,
  EventID: `${TransactionID}-fee-${number}`,
  Kind: "FEE",
  Mode: "fact",
  Amount: "0.01",
  Currency: "EUR",
  Actor: "processor-feed",
  ...more,
});
const COUNT = 120;
const fees = (payment: string) => Array.from({ length: COUNT }, (_, number) => fee(payment, number));

describe("the life of a payment is read once", () => {
  let world: World;
  beforeEach(async () => {
    world = new World();
    await world.pay("order-a", "order-b");
    world.reads.length = 0;
  });
  const lifeReadings = () => {
    const counts = { events: 0, rows: 0 };
    for (const each of world.reads.splice(0)) counts[each === EVENTS ? "events" : "rows"] += 1;
    return counts;
  };

  test("for all facts of a file, also where two payments take turns and the file comes again", async () => {
    const files = new PaymentFiles(world.aws.s3, "payment-files-test");
    const [a, b] = [fees("order-a"), fees("order-b")];
    const text = a
      .flatMap((each, at) => [each, b[at]])
      .map((each) => JSON.stringify(each))
      .join("\n");
    for (const key of ["payments/one.ndjson", "payments/again.ndjson"]) {
      world.aws.objects.set(key, { bytes: Buffer.from(text), versionId: "v1" });
      const s3 = { bucket: { name: "payment-files-test" }, object: { key, versionId: "v1" } };
      const request = { Records: [{ eventSource: "aws:s3", eventName: "ObjectCreated:Put", s3 }] };
      const call = { ...stubCall("payment-processor"), caller: { requestId: key, functionName: "payment-processor" } };
      const settings = { files, removeCardDataFiles: true };
      expect(await runPaymentProcessor(request, call, world.services, settings)).toMatchObject({ statusCode: 200 });
      expect(lifeReadings()).toEqual({ events: 2, rows: 2 });
    }
    expect(world.lives()).toHaveLength(2 * COUNT);
  });

  test("for all events of a list, the grants and their repeats among them", async () => {
    const hold = fee("order-a", 900, { Kind: "REFUND_HELD", Mode: "grant" });
    const list = [hold, ...fees("order-a"), fee("order-a", 901, { Kind: "REFUND_HELD", Mode: "grant" }), hold];
    const answer = await recordPaymentEvents(list, CALL, world.services);
    expect(answer).toMatchObject({ counts: { stored: COUNT + 2, duplicate: 1 } });
    expect(lifeReadings()).toEqual({ events: 1, rows: 1 });
  });

  test("for events whose ids are those of another payment's", async () => {
    await recordPaymentEvents(fees("order-b"), CALL, world.services);
    world.reads.length = 0;
    const list = fees("order-b").map((each) => ({ ...each, TransactionID: "order-a" }));
    expect(await recordPaymentEvents(list, CALL, world.services)).toMatchObject({ counts: { conflict: COUNT } });
    expect(lifeReadings()).toEqual({ events: 1, rows: 1 });
  });

  test("for all facts of a batch of messages", async () => {
    const records = fees("order-a")
      .slice(0, 25)
      .map((each) => queueRecord(each));
    expect(await processMessages({ Records: records }, CALL, world.services)).toEqual({ batchItemFailures: [] });
    expect(lifeReadings()).toEqual({ events: 1, rows: 1 });
  });

  test("but anew for a grant that the kept life refuses, and where another process was quicker", async () => {
    const over = (number: number) => fee("order-a", number, { Kind: "REFUND_HELD", Mode: "grant", Amount: "5.00" });
    const answer = await recordPaymentEvents([fee("order-a", 1), over(2), over(3)], CALL, world.services);
    expect(answer).toMatchObject({ counts: { stored: 1, refused: 2 } });
    expect(lifeReadings()).toEqual({ events: 3, rows: 3 });
    const lives = new KeptLives();
    const record = async (number: number, kept?: KeptLives) => {
      const valid = { position: 0, actor: "feed", event: fee("order-a", number) as unknown as PaymentEvent };
      return recordedEvent(await acceptLifeEvent(valid, world.services), CALL, world.services, kept);
    };
    for (const [number, kept] of [
      [4, lives],
      [5, undefined],
      [6, lives],
      [7, lives],
    ] as const)
      expect((await record(number, kept)).result.outcome).toBe("stored");
    expect(lifeReadings()).toEqual({ events: 3, rows: 3 });
  });
});

test("lives that were kept first leave where all together have too many events, and one that is taken is kept no more", () => {
  const lives = new KeptLives(10);
  type Life = Parameters<KeptLives["keep"]>[1];
  const life = (count: number) => ({ events: Array(count).fill({}) }) as unknown as Life;
  lives.keep("a", life(3));
  lives.keep("b", life(3));
  const taken = lives.take("a");
  expect([taken?.events.length, lives.take("a")]).toEqual([3, undefined]);
  taken?.events.push({});
  if (taken !== undefined) lives.keep("a", taken);
  lives.keep("c", life(0));
  expect(["a", "b", "c"].map((name) => lives.take(name)?.events.length)).toEqual([4, 3, 0]);
  lives.keep("d", life(9));
  lives.keep("e", life(0));
  lives.keep("f", life(10));
  expect(["d", "e", "f"].map((name) => lives.take(name))).toEqual([undefined, undefined, undefined]);
});
