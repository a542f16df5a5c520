/** The backup check's sums: equal for the same keys in any order, different for any others, and made under a secret. */

import fc from "fast-check";
import { KeyTally } from "../../backup/compare-keys";

const SECRET = Buffer.alloc(32, 7);
const OTHER_SECRET = Buffer.alloc(32, 8);

function tallyOf(keys: readonly string[], secret = SECRET): KeyTally {
  const tally = new KeyTally(secret);
  for (const key of keys) tally.add(key, 1);
  return tally;
}

function differing(a: KeyTally, b: KeyTally): number[] {
  const { buckets, all } = a.differing(b);
  expect(all).toBe(true);
  expect(b.differing(a)).toEqual({ buckets, all });
  return [...buckets].sort((one, other) => one - other);
}

const keys = fc.uniqueArray(fc.string({ minLength: 1 }), { maxLength: 60 });

test("the same keys in another order have the same sums", () => {
  fc.assert(
    fc.property(keys, fc.infiniteStream(fc.nat()), (list, ranks) => {
      const ranked = list.map((key) => [ranks.next().value as number, key] as const);
      const shuffled = ranked.sort(([a], [b]) => a - b).map(([, key]) => key);
      expect(differing(tallyOf(list), tallyOf(shuffled))).toEqual([]);
    }),
  );
});

test("a key that is missing, changed or there twice differs in exactly the buckets of these keys", () => {
  fc.assert(
    fc.property(keys, fc.string({ minLength: 1 }), fc.nat(), (list, other, which) => {
      fc.pre(list.length > 0 && !list.includes(other));
      const key = list[which % list.length] as string;
      const whole = tallyOf(list);
      const rest = list.filter((each) => each !== key);
      const bucketsOf = (...of: string[]) => [...new Set(of.map((each) => whole.bucketOf(each)))].sort((a, b) => a - b);
      expect(differing(whole, tallyOf(rest))).toEqual(bucketsOf(key));
      expect(differing(whole, tallyOf([...list, key]))).toEqual(bucketsOf(key));
      expect(differing(whole, tallyOf([...rest, other]))).toEqual(bucketsOf(key, other));
      // As many of each, so only the sums can tell.
      expect(differing(tallyOf([...list, key, other]), tallyOf([...list, key, key]))).toEqual(bucketsOf(key, other));
    }),
  );
});

test("what is added and removed again leaves nothing", () => {
  fc.assert(
    fc.property(keys, keys, (list, passing) => {
      const tally = tallyOf(list);
      for (const key of passing) tally.add(key, 1);
      for (const key of passing.toReversed()) tally.add(key, -1);
      expect(tally.size).toBe(list.length);
      expect(differing(tally, tallyOf(list))).toEqual([]);
    }),
  );
});

describe("the secret", () => {
  const many = Array.from({ length: 2_000 }, (_, index) => `pay-${index}`);

  test("decides the sums: under another one the same keys have others", () => {
    const { buckets } = tallyOf(many).differing(tallyOf(many, OTHER_SECRET));
    expect(buckets.size).toBeGreaterThan(many.length);
  });

  test("decides which keys share a bucket, so nobody can prepare two that always do", () => {
    const [one, other] = [new KeyTally(SECRET), new KeyTally(OTHER_SECRET)];
    const firstOf = new Map<number, string>();
    const pairs: [string, string][] = [];
    for (const key of many) {
      const first = firstOf.get(one.bucketOf(key));
      if (first === undefined) firstOf.set(one.bucketOf(key), key);
      else pairs.push([first, key]);
    }
    expect(pairs.length).toBeGreaterThan(5);
    expect(pairs.filter(([a, b]) => other.bucketOf(a) === other.bucketOf(b))).toEqual([]);
  });
});

test("more differing keys than can be held are named in part, and said to be", () => {
  const [flooded, empty] = [tallyOf(["pay-0"]), tallyOf([])];
  for (let times = 0; times < 200_000; times++) flooded.add("pay-1", 1);
  const { buckets, all } = flooded.differing(empty);
  expect(all).toBe(false);
  expect(buckets.size).toBe(1);
});
