/**
 * Lives of payments between their events of one list, file or batch of messages, so that each event does not read its payment's
 * whole life again. An event is recorded on a kept life only if its place is free: where another process has taken it, the life is
 * read anew.
 */

import type { ReadLife } from "./read-life";

/** Of all lives that are kept, some 3 KB each. */
const EVENTS_MAX = 20_000;

export class KeptLives {
  /** By payment; the one that was kept last is the last. */
  readonly #lives = new Map<string, ReadLife>();
  #weight = 0;

  constructor(private readonly eventsMax = EVENTS_MAX) {}

  /** The life, which is not kept any more: who takes it keeps it again once it is as recorded. */
  take(payment: string): ReadLife | undefined {
    const life = this.#lives.get(payment);
    if (life === undefined) return undefined;
    this.#lives.delete(payment);
    this.#weight -= weightOf(life);
    return life;
  }

  /** Those that were kept first leave where all together have too many events. */
  keep(payment: string, life: ReadLife): void {
    this.take(payment);
    this.#lives.set(payment, life);
    this.#weight += weightOf(life);
    for (const oldest of this.#lives.keys()) {
      if (this.#weight <= this.eventsMax) return;
      this.take(oldest);
    }
  }
}

/** With the payment's row. */
function weightOf({ events }: ReadLife): number {
  return events.length + 1;
}
