/** Whatever rows a file mixes, and wherever its run is killed: the facts of a payment keep the order of the file, each once. */

import * as fc from "fast-check";
import { TABLES } from "../../../contract";
import { PaymentFiles } from "../../../ledger/files/payment-files";
import type { BadRow, FileReport, RowCounts } from "../../../ledger/files/progress";
import { runPaymentProcessor } from "../../../ledger/operations/payment-processor";
import { textOf } from "../../../ledger/rules/stored-item";
import type { Services } from "../../../ledger/store/services";
import { MemoryAws } from "../../../tools/bench/fuzz/memory-aws";
import { stubCall, stubServices } from "../rules/stub-services";

const BUCKET = "payment-files-test";
const REPORTS = "reports/";

type Row =
  | { readonly is: "payment"; readonly id: number }
  | { readonly is: "fact" | "grant"; readonly payment: number; readonly event: number; readonly cents: number }
  | { readonly is: "broken" };

const row: fc.Arbitrary<Row> = fc.oneof(
  { weight: 4, arbitrary: fc.record({ is: fc.constant("payment" as const), id: fc.nat(60) }) },
  {
    weight: 6,
    arbitrary: fc.record({
      is: fc.constant("fact" as const),
      payment: fc.nat(3),
      event: fc.nat(20),
      cents: fc.integer({ min: 1, max: 2 }),
    }),
  },
  {
    weight: 1,
    arbitrary: fc.record({
      is: fc.constant("grant" as const),
      payment: fc.nat(3),
      event: fc.nat(20),
      cents: fc.constant(1),
    }),
  },
  { weight: 1, arbitrary: fc.constant({ is: "broken" as const }) },
);

const paymentOf = (payment: number) => `order-${payment}`;
const eventOf = ({ payment, event }: { payment: number; event: number }) => `event-${payment}-${event}`;

function lineOf(each: Row): string {
  if (each.is === "broken") return "{broken";
  if (each.is === "payment")
    return JSON.stringify({ transactionId: paymentOf(each.id), amount: "1.00", currency: "EUR", cardLast4: "4242" });
  return JSON.stringify({
    TransactionID: paymentOf(each.payment),
    EventID: eventOf(each),
    Kind: each.is === "grant" ? "REFUND_HELD" : "FEE",
    Mode: each.is,
    Amount: `0.0${each.cents}`,
    Currency: "EUR",
    Actor: "processor-feed",
  });
}

/** What the file says, read row by row. */
function expectedOf(rows: readonly Row[]) {
  const lives = new Map<string, string[]>();
  const amounts = new Map<string, number>();
  const facts = { stored: 0, duplicate: 0, conflict: 0, refused: 0 };
  for (const each of rows) {
    if (each.is === "grant") facts.refused += 1;
    if (each.is !== "fact") continue;
    const id = eventOf(each);
    const known = amounts.get(id);
    if (known !== undefined) facts[known === each.cents ? "duplicate" : "conflict"] += 1;
    else {
      amounts.set(id, each.cents);
      facts.stored += 1;
      const payment = paymentOf(each.payment);
      lives.set(payment, [...(lives.get(payment) ?? []), id]);
    }
  }
  const payments = new Set(rows.flatMap((each) => (each.is === "payment" ? [paymentOf(each.id)] : [])));
  return { lives, facts, payments };
}

/** An AWS in memory that answers when it likes, and whose caller can be killed. */
class World {
  readonly aws = new MemoryAws();
  readonly services: Services;
  readonly files: PaymentFiles;
  #calls = 0;
  #killedAt = Number.POSITIVE_INFINITY;

  constructor(private readonly delays: readonly number[]) {
    this.services = { ...stubServices(), dynamo: this.aws.dynamo };
    this.files = new PaymentFiles(this.aws.s3, BUCKET);
    for (const { middlewareStack } of [this.aws.dynamo, this.aws.s3]) this.#watch(middlewareStack);
  }

  #watch(stack: unknown): void {
    (stack as MemoryAws["dynamo"]["middlewareStack"]).add(
      (next) => async (args) => {
        this.#calls += 1;
        const call = this.#calls;
        if (call > this.#killedAt) throw new Error("killed");
        for (let wait = this.delays[call % this.delays.length] ?? 0; wait > 0; wait--)
          await new Promise((resolve) => setImmediate(resolve));
        const answer = await next(args);
        // What was done is done, and nobody hears of it.
        if (call >= this.#killedAt) throw new Error("killed");
        return answer;
      },
      { step: "initialize", name: "watching", priority: "high" },
    );
  }

  async run(key: string, text: string, killedAt = Number.POSITIVE_INFINITY): Promise<boolean> {
    if (!this.aws.objects.has(key)) this.aws.objects.set(key, { bytes: Buffer.from(text), versionId: "v1" });
    [this.#calls, this.#killedAt] = [0, killedAt];
    const s3 = { bucket: { name: BUCKET }, object: { key, versionId: "v1" } };
    const event = { Records: [{ eventSource: "aws:s3", eventName: "ObjectCreated:Put", s3 }] };
    const call = { ...stubCall("payment-processor"), caller: { requestId: key, functionName: "payment-processor" } };
    try {
      const settings = { files: this.files, removeCardDataFiles: true };
      const { statusCode } = await runPaymentProcessor(event, call, this.services, settings);
      expect(statusCode).toBe(200);
      return true;
    } catch (error) {
      if (error instanceof Error && error.message === "killed") return false;
      throw error;
    }
  }

  reportOf(key: string): { report: FileReport; badRows: BadRow[] } {
    const read = (name: string) => this.aws.objects.get(name)?.bytes.toString() ?? "";
    const report = JSON.parse(read(`${REPORTS}${key}/v1/summary.json`)) as FileReport;
    const lines = report.badRows.flatMap((part) => read(part).trimEnd().split("\n"));
    return { report, badRows: lines.map((line) => JSON.parse(line) as BadRow) };
  }

  itemsOf(table: keyof typeof TABLES) {
    return [...(this.aws.tables.get(TABLES[table].logicalName)?.values() ?? [])] as Parameters<typeof textOf>[0][];
  }

  /** The events of each payment by place. */
  lives(): Map<string, string[]> {
    const lives = new Map<string, string[]>();
    for (const item of this.itemsOf("paymentEvents")) {
      const { Place } = item;
      const payment = textOf(item, "TransactionID") ?? "";
      const life = lives.get(payment) ?? [];
      life[Number(Place !== undefined && "N" in Place ? Place.N : Number.NaN) - 1] = textOf(item, "EventID") ?? "";
      lives.set(payment, life);
    }
    return lives;
  }
}

const total = (counts: RowCounts) => counts.stored + counts.duplicate + counts.conflict + counts.refused;

test("the facts of each payment are recorded once and in the file's order, also after kills at any call", async () => {
  await fc.assert(
    fc.asyncProperty(
      fc.array(row, { minLength: 1, maxLength: 150, size: "max" }),
      fc.array(fc.nat(6), { minLength: 1, maxLength: 12, size: "max" }),
      fc.array(fc.integer({ min: 1, max: 150 }), { maxLength: 1, size: "max" }),
      async (rows, delays, kills) => {
        const world = new World(delays);
        const text = rows.map(lineOf).join("\n");
        const expected = expectedOf(rows);
        let wasKilled = false;
        for (const kill of kills) if (!(await world.run("payments/a.ndjson", text, kill))) wasKilled = true;
        expect(await world.run("payments/a.ndjson", text)).toBe(true);
        expect(world.lives()).toEqual(expected.lives);
        const ids = world.itemsOf("paymentTransactions").map((item) => textOf(item, "transactionId"));
        expect(ids.toSorted()).toEqual([...expected.payments].toSorted());
        const written = world.itemsOf("paymentAuditTrail").filter((item) => textOf(item, "Action") === "WRITE");
        expect(written).toHaveLength(expected.facts.stored + expected.payments.size);
        const { report, badRows } = world.reportOf("payments/a.ndjson");
        expect([report.rows, total(report.counts)]).toEqual([rows.length, rows.length]);
        const { breached: _breached, ...facts } = report.facts ?? {
          stored: 0,
          duplicate: 0,
          conflict: 0,
          refused: 0,
          breached: 0,
        };
        if (!wasKilled) expect(facts).toEqual(expected.facts);
        expect([total(facts), facts.conflict, facts.refused]).toEqual([
          total(expected.facts),
          expected.facts.conflict,
          expected.facts.refused,
        ]);
        const refusedGrants = badRows.filter(({ code }) => code === "GRANT_NEEDS_ANSWER").map((bad) => bad.row);
        expect(refusedGrants).toEqual(rows.flatMap(({ is }, index) => (is === "grant" ? [index + 1] : [])));
        // The same rows as another file change nothing.
        await world.run("payments/b.ndjson", text);
        expect(world.lives()).toEqual(expected.lives);
        expect(world.reportOf("payments/b.ndjson").report.counts.stored).toBe(0);
      },
    ),
    { numRuns: 8, endOnFailure: true },
  );
});
