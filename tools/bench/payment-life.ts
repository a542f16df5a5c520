/**
 * 64 callers send 10,000 captures, refunds, voids and disputes to 100 payments, on a DynamoDB in memory that throttles,
 * lets transactions collide, loses answers and kills callers at any call. `npm run soak:payment-life [seed]`.
 *
 * A killed caller is dropped in the middle of its call, with everything it holds in memory, and another one takes its place and sends
 * the same event again, as a process that died and was started again does.
 */

import "../../local/sdk-warning";
import { eventsOf, PAYMENTS, type PlannedEvent, plannedPayment, randomFrom } from "./payment-life/plan";
import { lifeSoakFaults } from "./payment-life/verdict";
import { LifeWorld, type SoakCaller } from "./payment-life/world";

const CALLERS = 64;
const EVENTS = 10_000;
const TRIES_MAX = 400;

interface Settled {
  readonly planned: PlannedEvent;
  readonly outcome: string;
  readonly code?: string;
  /** The answer of an attempt whose event was written was lost. */
  readonly wasLost: boolean;
}

async function settle(planned: PlannedEvent, caller: () => SoakCaller): Promise<Settled> {
  let wasLost = false;
  for (let attempt = 0; attempt < TRIES_MAX; attempt++) {
    const answer = await caller().send(planned);
    if (answer.kind === "lost") wasLost ||= answer.wasWritten;
    else if (answer.code !== "BUSY")
      return { planned, outcome: answer.outcome, ...(answer.code === undefined ? {} : { code: answer.code }), wasLost };
  }
  throw new Error(`${planned.EventID} was not settled in ${TRIES_MAX} tries.`);
}

async function main(): Promise<void> {
  const seed = Number(process.argv[2] ?? Date.now() % 2 ** 31);
  const random = randomFrom(seed);
  const world = new LifeWorld(random);
  for (let payment = 0; payment < PAYMENTS; payment++) await world.record(plannedPayment(payment));
  const waiting = eventsOf(EVENTS, random);
  const settled: Settled[] = [];
  const startedAt = Date.now();
  const work = async () => {
    let own = world.caller();
    const current = () => {
      if (own.isKilled) own = world.caller();
      return own;
    };
    for (let next = waiting.shift(); next !== undefined; next = waiting.shift())
      settled.push(await settle(next, current));
  };
  await Promise.all(Array.from({ length: CALLERS }, work));
  const seconds = (Date.now() - startedAt) / 1000;
  const faults = lifeSoakFaults(world, settled);
  report(world, settled, seconds, seed);
  for (const fault of faults.slice(0, 20)) console.error(`  FAULT ${fault}`);
  if (faults.length > 0) throw new Error(`${faults.length} faults. Run it again with the seed ${seed}.`);
  console.log("  no grant beyond captured, every fact recorded once, every lost answer a duplicate, every life whole");
}

function report(world: LifeWorld, settled: readonly Settled[], seconds: number, seed: number): void {
  const count = (outcome: string) => settled.filter((each) => each.outcome === outcome).length;
  const { counts } = world;
  const lost = settled.filter(({ wasLost }) => wasLost).length;
  console.log(
    `${EVENTS.toLocaleString("en")} events to ${PAYMENTS} payments by ${CALLERS} callers in ${seconds.toFixed(1)} s, seed ${seed}\n` +
      `  ${count("stored")} stored, ${count("duplicate")} duplicate, ${count("refused")} grants refused\n` +
      `  ${counts.killed} callers killed, ${counts.throttled} calls throttled, ${counts.collided} collisions, ${counts.lost} answers lost (${lost} events had been written)\n` +
      `  ${counts.transactions} transactions, ${counts.races} of them lost a race for a place; ${world.unitsText()}`,
  );
}

main().catch((error: unknown) => {
  console.error(error instanceof Error ? error.message : error);
  process.exitCode = 1;
});
