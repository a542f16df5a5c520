/** Interleaved measurements: what else the machine does hits all of the compared alike. */

export interface Spread {
  readonly median: number;
  readonly min: number;
  readonly max: number;
}

export function spreadOf(values: readonly number[]): Spread {
  const sorted = values.toSorted((a, b) => a - b);
  const middle = (sorted.length - 1) / 2;
  const at = (index: number) => sorted[index] ?? Number.NaN;
  return {
    median: (at(Math.floor(middle)) + at(Math.ceil(middle))) / 2,
    min: at(0),
    max: at(sorted.length - 1),
  };
}

export interface PairedMeasurement {
  readonly ours: Spread;
  readonly peer: Spread;
  /** Of each pair, ours divided by the peer's. */
  readonly ratio: Spread;
}

/** Measures both in turn, `rounds` times; every second round begins with the other one. */
export async function interleaved(
  rounds: number,
  ours: () => Promise<number>,
  peer: () => Promise<number>,
): Promise<PairedMeasurement> {
  const pairs: { readonly ours: number; readonly peer: number }[] = [];
  for (let round = 0; round < rounds; round++) {
    if (round % 2 === 0) {
      const first = await ours();
      pairs.push({ ours: first, peer: await peer() });
    } else {
      const first = await peer();
      pairs.push({ ours: await ours(), peer: first });
    }
  }
  return {
    ours: spreadOf(pairs.map((pair) => pair.ours)),
    peer: spreadOf(pairs.map((pair) => pair.peer)),
    ratio: spreadOf(pairs.map((pair) => pair.ours / pair.peer)),
  };
}
