/**
 * 64 processes send 10,000 captures, refunds, voids and disputes to 100 payments, each with the bundle of
 * `record_payment_event`, against an AWS on loopback that throttles, lets transactions collide, loses answers and kills
 * processes at any call. `npm run soak:payment-life [-- processes [events [seed]]]`.
 *
 * A killed process is gone in the middle of its call, and a new one takes its place and sends the same event again.
 */

import "../../local/sdk-warning";
import { FUNCTIONS } from "../../contract";
import { unpackedBundle } from "./measured-process";
import type { CallerProcess } from "./payment-life/caller-process";
import { eventsOf, PAYMENTS, type PlannedEvent, plannedPayment, randomFrom } from "./payment-life/plan";
import { grantsBeyondCaptured, lifeSoakFaults } from "./payment-life/verdict";
import { LifeWorld } from "./payment-life/world";

const PROCESSES = Number(process.argv[2] ?? 64);
const EVENTS = Number(process.argv[3] ?? 10_000);
const TRIES_MAX = 400;

interface EventAnswer {
  readonly planned: PlannedEvent;
  readonly outcome: string;
  readonly code?: string;
  /** No answer came to an attempt whose event was written. */
  readonly wasLost: boolean;
}

/** A process, and another one when it was killed. */
class Caller {
  private running: CallerProcess;

  constructor(
    private readonly world: LifeWorld,
    private readonly bundle: string,
  ) {
    this.running = world.caller(bundle);
  }

  async settle(planned: PlannedEvent): Promise<EventAnswer> {
    let wasLost = false;
    for (let attempt = 0; attempt < TRIES_MAX; attempt++) {
      const sent = await this.running.send(planned);
      if (this.running.isGone) this.running = this.world.caller(this.bundle);
      if (sent.kind === "lost") {
        wasLost ||= this.world.isWritten(planned);
        continue;
      }
      const { outcome, code } = resultOf(sent.answer);
      if (code !== "BUSY") return { planned, outcome, ...(code === undefined ? {} : { code }), wasLost };
    }
    throw new Error(`${planned.EventID} was not settled in ${TRIES_MAX} tries.`);
  }
}

function resultOf(answer: unknown): { readonly outcome: string; readonly code?: string } {
  const { results } = answer as { results?: readonly { outcome: string; code?: string }[] };
  const [result] = results ?? [];
  if (result === undefined) throw new Error(`The whole call was refused: ${JSON.stringify(answer)}`);
  return result;
}

async function recordPayments(world: LifeWorld): Promise<void> {
  const caller = world.caller(unpackedBundle(FUNCTIONS.persistPaymentLedger.entry));
  const payments = Array.from({ length: PAYMENTS }, (_, payment) => plannedPayment(payment));
  const sent = await caller.send(payments);
  caller.kill();
  const stored = world.dynamo.itemsOf("PaymentLedger").length;
  if (stored !== PAYMENTS) throw new Error(`${stored} of ${PAYMENTS} payments were recorded: ${JSON.stringify(sent)}`);
}

async function main(): Promise<void> {
  const seed = Number(process.argv[4] ?? Date.now() % 2 ** 31);
  const random = randomFrom(seed);
  const world = new LifeWorld(random);
  try {
    await world.listen();
    await recordPayments(world);
    const bundle = unpackedBundle(FUNCTIONS.recordPaymentEvent.entry);
    const waiting = eventsOf(EVENTS, random);
    const settled: EventAnswer[] = [];
    const startedAt = Date.now();
    world.beginFaults();
    const work = async () => {
      const caller = new Caller(world, bundle);
      for (let next = waiting.shift(); next !== undefined; next = waiting.shift())
        settled.push(await caller.settle(next));
    };
    await Promise.all(Array.from({ length: PROCESSES }, work));
    report(world, settled, (Date.now() - startedAt) / 1000, seed);
  } finally {
    world.end();
  }
}

function report(world: LifeWorld, settled: readonly EventAnswer[], seconds: number, seed: number): void {
  const count = (outcome: string) => settled.filter((each) => each.outcome === outcome).length;
  const { counts, dynamo } = world;
  const lost = settled.filter(({ wasLost }) => wasLost).length;
  const facts = settled.filter(({ planned }) => planned.Mode === "fact").length;
  const faults = lifeSoakFaults(dynamo, settled);
  console.log(
    `${EVENTS.toLocaleString("en")} events to ${PAYMENTS} payments by ${PROCESSES} processes in ${seconds.toFixed(1)} s, seed ${seed}\n` +
      `  ${count("stored")} stored, ${count("duplicate")} duplicate, ${count("refused")} grants refused\n` +
      `  ${counts.killed} processes killed, ${counts.throttled} calls throttled, ${counts.collided} collisions, ${counts.lost} answers lost (${lost} of their events had been written)\n` +
      `  ${dynamo.counts.transactions} transactions, ${dynamo.counts.races} of them lost a race for a place; ${dynamo.unitsText()}\n` +
      `  grants beyond captured: ${grantsBeyondCaptured(dynamo)}`,
  );
  for (const fault of faults.slice(0, 20)) console.error(`  FAULT ${fault}`);
  if (faults.length > 0) throw new Error(`${faults.length} faults. Run it again with the seed ${seed}.`);
  console.log(`  each of ${facts} facts recorded once, each of ${lost} lost answers a duplicate, every life whole`);
}

main().then(
  () => process.exit(0),
  (error: unknown) => {
    console.error(error instanceof Error ? error.message : error);
    process.exit(1);
  },
);
