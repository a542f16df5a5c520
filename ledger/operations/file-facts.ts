/**
 * The facts among the rows of a payment file: those of one payment are recorded one after another, in the order of the file;
 * payments side by side. Memory holds the payments of the batches under way, and a bounded number of lives.
 */

import type { FileVersion } from "../files/payment-files";
import { groupedBy } from "../rules/grouped";
import type { Services } from "../store/services";
import { backOff } from "../store/transaction";
import type { Call } from "./call";
import type { EventOutcome } from "./event-outcomes";
import { refusedRowId } from "./file-records";
import { KeptLives } from "./kept-lives";
import { recordedEvent } from "./record-events";
import { acceptLifeEvent, type ValidEvent } from "./sent-events";

/** The first of a payment reads its whole life, which may have thousands of events. */
const FACTS_AT_ONCE = 8;
/** How often a fact is tried again whose place others took in all its races. */
const BUSY_TRIES_MAX = 10;
/** What is kept back for the facts under way, the report or the continuation. */
const RESERVE_MS = 20_000;

/** Undefined where the time ran out before the last of them. */
type Lane = Promise<readonly EventOutcome[] | undefined>;

export class FileFacts {
  /** By payment, what the next fact of it waits for. One that failed stays, so that nothing is recorded behind it. */
  readonly #lanes = new Map<string, Lane>();
  readonly #turns = new Turns(FACTS_AT_ONCE);
  readonly #lives = new KeptLives();

  /** @param call with what AWS says of who put the file there. */
  constructor(
    private readonly file: FileVersion,
    private readonly call: Call,
    private readonly services: Services,
  ) {}

  /**
   * Records the facts of one batch. The batches are given in the order of the file, each without waiting for the one before.
   *
   * @param earlierPayments settled when the payments of the rows before are recorded.
   * @returns undefined where the time ran out: the facts that were recorded are duplicates in the next run.
   * @throws Error for a technical fault, after all facts that were begun have ended.
   */
  async record(facts: readonly ValidEvent[], earlierPayments: Promise<unknown>): Promise<EventOutcome[] | undefined> {
    // Each lane waits for it; one that ends before that must not leave its failure unhandled.
    earlierPayments.catch(() => undefined);
    const payments = groupedBy(facts, ({ event }) => event.TransactionID);
    const lanes = [...payments].map(([payment, ofPayment]) => this.#begin(payment, ofPayment, earlierPayments));
    const told: EventOutcome[] = [];
    let isWhole = true;
    for (const lane of await Promise.allSettled(lanes)) {
      if (lane.status === "rejected") throw lane.reason;
      if (lane.value === undefined) isWhole = false;
      else told.push(...lane.value);
    }
    return isWhole ? told : undefined;
  }

  #begin(payment: string, facts: readonly ValidEvent[], earlierPayments: Promise<unknown>): Lane {
    const lane = this.#recordLane(facts, this.#lanes.get(payment), earlierPayments);
    this.#lanes.set(payment, lane);
    const leave = (told: unknown) => {
      if (told !== undefined && this.#lanes.get(payment) === lane) this.#lanes.delete(payment);
    };
    lane.then(leave, () => undefined);
    return lane;
  }

  async #recordLane(facts: readonly ValidEvent[], earlier: Lane | undefined, earlierPayments: Promise<unknown>): Lane {
    if (earlier !== undefined && (await earlier) === undefined) return undefined;
    await earlierPayments;
    const told: EventOutcome[] = [];
    for (const fact of facts) {
      const one = await this.#turns.take(() => this.#recordOne(fact));
      if (one === undefined) return undefined;
      told.push(one);
    }
    return told;
  }

  async #recordOne(valid: ValidEvent): Promise<EventOutcome | undefined> {
    const { call, services } = this;
    const sent = await acceptLifeEvent(valid, services);
    for (let tries = 1; tries <= BUSY_TRIES_MAX; tries++) {
      if (call.remainingMs() < RESERVE_MS) return undefined;
      const told = await recordedEvent(sent, { ...call, now: new Date() }, services, this.#lives);
      if (told.result.code !== "BUSY") return this.#named(told);
      await backOff(tries);
    }
    throw new Error("Other events of a payment took the place of a file's fact over and over. Process the file again.");
  }

  /** The record of a refused row is named after the file, as those of all its rows are. */
  #named({ result, record }: EventOutcome): EventOutcome {
    if (record?.action !== "REFUSAL") return { result, ...(record === undefined ? {} : { record }) };
    return { result, record: { ...record, auditId: refusedRowId(this.file, String(result.position)) } };
  }
}

/** Lets so many run at once; the others wait in the order in which they came. */
class Turns {
  readonly #waiting: (() => void)[] = [];

  constructor(private free: number) {}

  async take<T>(work: () => Promise<T>): Promise<T> {
    if (this.free > 0) this.free -= 1;
    else await new Promise<void>((resolve) => this.#waiting.push(resolve));
    try {
      return await work();
    } finally {
      const next = this.#waiting.shift();
      if (next === undefined) this.free += 1;
      else next();
    }
  }
}
