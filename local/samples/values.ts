/** What all samples share: seeded choice, exact amounts, and card numbers that brands publish for testing; they belong to nobody. */

/** Currencies of the samples, with their minor units. */
export const DECIMALS: Readonly<Record<string, number>> = { JPY: 0, KRW: 0, EUR: 2, USD: 2, GBP: 2, BHD: 3, KWD: 3 };

export const HEX = "0123456789abcdef";
export const BASE32 = "0123456789ABCDEFGHJKMNPQRSTVWXYZ";
export const BASE62 = "0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz";

export const CARD_NUMBERS = [
  "4111111111111111",
  "4242424242424242",
  "4222222222222",
  "5555555555554444",
  "5105105105105100",
  "2223003122003222",
  "378282246310005",
  "371449635398431",
  "6011111111111117",
  "30569309025904",
  "3530111333300000",
  "6200000000000005",
] as const;

export function decimalText(minorUnits: bigint, decimals: number): string {
  const digits = String(minorUnits).padStart(decimals + 1, "0");
  return decimals === 0 ? digits : `${digits.slice(0, -decimals)}.${digits.slice(-decimals)}`;
}

/** By currency: how many payments, and their exact sum. */
export type CurrencySums = Readonly<Record<string, { readonly payments: number; readonly total: string }>>;

export function sumsOf(valid: readonly { readonly currency: string; readonly minorUnits: bigint }[]): CurrencySums {
  const used = Object.entries(DECIMALS).filter(([code]) => valid.some(({ currency }) => currency === code));
  return Object.fromEntries(
    used
      .sort(([a], [b]) => (a < b ? -1 : 1))
      .map(([code, decimals]) => {
        const payments = valid.filter(({ currency }) => currency === code);
        const total = payments.reduce((sum, { minorUnits }) => sum + minorUnits, 0n);
        return [code, { payments: payments.length, total: decimalText(total, decimals) }];
      }),
  );
}

export function sampleCardNumber(index: number): string {
  return CARD_NUMBERS[index % CARD_NUMBERS.length] ?? CARD_NUMBERS[0];
}

/** As printed on cards: four and four, or 4-6-5 and 4-6-4 for the shorter ones. */
export function grouped(pan: string, separator: string): string {
  const lengths = pan.length === 14 || pan.length === 15 ? [4, 6] : [4, 4, 4];
  const starts = lengths.map((_, index) => lengths.slice(0, index).reduce((sum, length) => sum + length, 0));
  const groups = starts.map((start, index) => pan.slice(start, start + (lengths[index] ?? 0)));
  return [...groups, pan.slice(groups.join("").length)].join(separator);
}

/** Small, seeded and the same everywhere (mulberry32). It picks test data; nothing secret hangs on it. */
export class SampleRandom {
  constructor(private state: number) {}

  below(limit: number): number {
    this.state = (this.state + 0x6d2b79f5) | 0;
    let mixed = Math.imul(this.state ^ (this.state >>> 15), this.state | 1);
    mixed = (mixed + Math.imul(mixed ^ (mixed >>> 7), mixed | 61)) ^ mixed;
    return Math.floor((((mixed ^ (mixed >>> 14)) >>> 0) / 2 ** 32) * limit);
  }

  pick<Item>(items: readonly [Item, ...Item[]] | readonly Item[]): Item {
    const item = items[this.below(items.length)];
    if (item === undefined) throw new Error("A list to pick from is empty.");
    return item;
  }

  text(alphabet: string, length: number): string {
    return Array.from({ length }, () => alphabet[this.below(alphabet.length)]).join("");
  }
}

/** The form of all `*.expected.json`. */
export function expectedText(expected: object): string {
  return `${JSON.stringify(expected, null, 2)}\n`;
}
