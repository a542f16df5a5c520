/** What pieces leave, as bytes: packed numbers, lines of JSON. */

import { createGunzip, gunzipSync, gzipSync } from "node:zlib";
import { BitSet, type TallyState } from "../rules/tally";

/** Typed arrays, maps, sets and marks as what JSON can hold. */
export function packed(work: object): Buffer {
  return gzipSync(
    JSON.stringify(work, (_, value: unknown) => {
      if (value instanceof Float64Array) return [...value];
      if (value instanceof Uint8Array) return { $bytes: Buffer.from(value).toString("base64") };
      if (value instanceof Map) return { $map: [...value] };
      if (value instanceof Set) return { $set: [...value] };
      if (value instanceof BitSet) return { $marks: packedBitSet(value) };
      return value;
    }),
    { level: 1 },
  );
}

export function unpacked<Round>(bytes: Buffer): Round {
  return JSON.parse(gunzipSync(bytes).toString("utf8"), (_, value) => {
    if (value?.$bytes !== undefined) return new Uint8Array(Buffer.from(value.$bytes as string, "base64"));
    if (value?.$map !== undefined) return new Map(value.$map);
    if (value?.$set !== undefined) return new Set(value.$set);
    if (value?.$marks !== undefined) return unpackedBitSet(value.$marks);
    return value;
  }) as Round;
}

/** Whether both hold the same. Their bytes may differ: zlib compresses differently from one version to another. */
export function areEqual(a: Buffer, b: Buffer): boolean {
  return a.equals(b) || gunzipSync(a).equals(gunzipSync(b));
}

/** Numbers in base64: all of them, or, where most are zero, those that are not, with their places. */
interface PackedNumbers {
  readonly length: number;
  readonly values: string;
  readonly places?: string;
}

export interface PackedBitSet {
  readonly pages: readonly (readonly [number: number, words: PackedNumbers])[];
  readonly count: number;
}

export function packedBitSet({ state: { pages, count } }: BitSet): PackedBitSet {
  return { pages: [...pages].map(([number, words]) => [number, packedNumbers(words)] as const), count };
}

export function unpackedBitSet({ pages, count }: PackedBitSet): BitSet {
  const marks = new BitSet();
  marks.addAll({ pages: new Map(pages.map(([number, words]) => [number, unpackedNumbers(words)])), count });
  return marks;
}

function packedNumbers(numbers: Uint32Array): PackedNumbers {
  const { length } = numbers;
  let used = 0;
  for (let at = 0; at < length; at++) if (numbers[at] !== 0) used += 1;
  if (used > length / 2) return { length, values: textOf(numbers) };
  const [places, values] = [new Uint32Array(used), new Uint32Array(used)];
  for (let at = 0, next = 0; at < length; at++) {
    const value = numbers[at] ?? 0;
    if (value === 0) continue;
    places[next] = at;
    values[next] = value;
    next += 1;
  }
  return { length, values: textOf(values), places: textOf(places) };
}

function unpackedNumbers({ length, values, places }: PackedNumbers): Uint32Array {
  if (places === undefined) return numbersOf(values);
  const numbers = new Uint32Array(length);
  const found = numbersOf(values);
  for (const [index, place] of numbersOf(places).entries()) numbers[place] = found[index] ?? 0;
  return numbers;
}

function textOf({ buffer, byteOffset, byteLength }: Uint32Array): string {
  return Buffer.from(buffer, byteOffset, byteLength).toString("base64");
}

function numbersOf(text: string): Uint32Array {
  // A copy: a pooled buffer may begin at any byte.
  return new Uint32Array(new Uint8Array(Buffer.from(text, "base64")).buffer);
}

export const packedTally = ({ sums, touched }: TallyState) => ({
  sums: packedNumbers(sums),
  touched: packedNumbers(touched),
});
export type PackedTally = ReturnType<typeof packedTally>;
export const unpackedTally = ({ sums, touched }: PackedTally): TallyState => ({
  sums: unpackedNumbers(sums),
  touched: unpackedNumbers(touched),
});

export const inOneLine = (value: unknown) => gzipSync(`${JSON.stringify(value)}\n`, { level: 1 });

const PART_CHARACTERS = 2 ** 20;

/** Lines of JSON, compressed as they come. */
export class JsonLines {
  private open = "";
  private readonly parts: Buffer[] = [];

  add(value: object): void {
    this.open += `${JSON.stringify(value)}\n`;
    if (this.open.length < PART_CHARACTERS) return;
    this.parts.push(gzipSync(this.open, { level: 1 }));
    this.open = "";
  }

  bytes(): Buffer {
    return Buffer.concat([...this.parts, gzipSync(this.open, { level: 1 })]);
  }
}

/** What `JsonLines` has written. */
export async function* linesIn(bytes: Buffer): AsyncGenerator<string> {
  let rest: Buffer = Buffer.alloc(0);
  const gunzip = createGunzip();
  gunzip.end(bytes);
  for await (const chunk of gunzip as AsyncIterable<Buffer>) {
    let start = 0;
    for (let end = chunk.indexOf(10); end >= 0; start = end + 1, end = chunk.indexOf(10, start)) {
      yield Buffer.concat([rest, chunk.subarray(start, end)]).toString("utf8");
      rest = Buffer.alloc(0);
    }
    rest = Buffer.concat([rest, chunk.subarray(start)]);
  }
}
