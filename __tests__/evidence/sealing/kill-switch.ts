/**
 * Kills sealers at their AWS calls, and lets those of several take turns in a random order that a seed repeats. A killed
 * one does nothing more, as a process that is gone: whatever it still had under way fails too.
 */

import { setImmediate } from "node:timers/promises";
import type { Clients } from "./fake-aws";

export class Killed extends Error {
  override readonly name = "Killed";
}

export type Random = () => number;

/** Mulberry32: small, and the same on every machine. */
export function seededRandom(seed: number): Random {
  let state = seed >>> 0;
  return () => {
    state = (state + 0x6d2b79f5) >>> 0;
    let mixed = Math.imul(state ^ (state >>> 15), state | 1);
    mixed ^= mixed + Math.imul(mixed ^ (mixed >>> 7), mixed | 61);
    return ((mixed ^ (mixed >>> 14)) >>> 0) / 4_294_967_296;
  };
}

export const below = (random: Random, bound: number): number => Math.floor(random() * bound);

/** One call at a time, chosen at random among all that wait. */
export class Turns {
  readonly #waiting: (() => Promise<void>)[] = [];
  #calls = 0;

  constructor(private readonly random: Random) {}

  /** Calls that had their turn. */
  get calls(): number {
    return this.#calls;
  }

  take<T>(call: () => Promise<T>): Promise<T> {
    return new Promise((resolve, reject) => {
      this.#waiting.push(() => call().then(resolve, reject));
    });
  }

  /** Until all of these have ended. */
  async play<T>(actors: readonly Promise<T>[]): Promise<T[]> {
    let areDone = false;
    const all = Promise.all(actors).finally(() => {
      areDone = true;
    });
    all.catch(() => undefined);
    while (!areDone) {
      // A process that is not waiting now is computing, and comes to its next call.
      await setImmediate();
      const [next] = this.#waiting.splice(below(this.random, this.#waiting.length), 1);
      if (next !== undefined) this.#calls += 1;
      await next?.();
    }
    return all;
  }
}

export interface Kill {
  /** Which call, from 1; undefined for a life without an end. */
  readonly atCall: number | undefined;
  readonly moment: "before" | "after";
}

/** The clients of one life: every call waits for its turn; at the one of the kill, and ever after, they fail. */
export function underTurns({ dynamo, s3, kms }: Clients, turns: Turns, { atCall, moment }: Kill): Clients {
  let calls = 0;
  let isDead = false;
  const die = () => {
    isDead = true;
    throw new Killed("The sealer was killed.");
  };
  const living = <Client extends Clients[keyof Clients]>(client: Client): Client => {
    const send = (command: never) =>
      turns.take(async () => {
        if (isDead) return die();
        calls += 1;
        const isLast = calls === atCall;
        if (isLast && moment === "before") return die();
        const answer = await (client as { send(command: never): Promise<unknown> }).send(command);
        return isLast ? die() : answer;
      });
    return Object.assign(Object.create(client), { send });
  };
  return { dynamo: living(dynamo), s3: living(s3), kms: living(kms) };
}
