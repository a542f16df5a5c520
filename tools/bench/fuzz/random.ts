/** Random choices that follow from a seed, so that each input of a run can be made again. */

export class Random {
  #state: number;

  constructor(seed: number) {
    this.#state = seed >>> 0;
  }

  /** Mulberry32: a small generator of good quality; nothing here needs a secret one. */
  next(): number {
    this.#state = (this.#state + 0x6d2b79f5) >>> 0;
    let mixed = this.#state;
    mixed = Math.imul(mixed ^ (mixed >>> 15), mixed | 1);
    mixed ^= mixed + Math.imul(mixed ^ (mixed >>> 7), mixed | 61);
    return ((mixed ^ (mixed >>> 14)) >>> 0) / 2 ** 32;
  }

  /** 0 to `count` - 1. */
  below(count: number): number {
    return Math.floor(this.next() * count);
  }

  chance(share: number): boolean {
    return this.next() < share;
  }

  pick<T>(values: readonly T[]): T {
    return values[this.below(values.length)] as T;
  }

  bytes(length: number): Buffer {
    return Buffer.from(Array.from({ length }, () => this.below(256)));
  }
}

/** Flips, cuts, doubles, inserts and overwrites bytes: one to four times. */
export function damaged(bytes: Buffer, random: Random): Buffer {
  let result = Buffer.from(bytes);
  for (let times = 1 + random.below(4); times > 0; times--) {
    const at = random.below(result.length + 1);
    const end = Math.min(result.length, at + 1 + random.below(16));
    const [head, part, tail] = [result.subarray(0, at), result.subarray(at, end), result.subarray(end)];
    const middle = random.pick([
      Buffer.alloc(0),
      Buffer.concat([part, part]),
      random.bytes(part.length),
      Buffer.from(part.map((byte) => byte ^ (1 << random.below(8)))),
      Buffer.concat([random.bytes(1 + random.below(8)), part]),
      Buffer.alloc(part.length),
    ]);
    result = Buffer.concat([head, middle, tail]);
  }
  return result;
}
