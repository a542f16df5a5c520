/** Index keys are stored data: the shards below were computed by other code (Python's hashlib) and must never change. */

import fc from "fast-check";
import { IDENTIFIER_PATTERN } from "../../../ledger/rules/identifiers";
import {
  AFTER_ALL_IDS,
  dayKey,
  dayKeyOf,
  INDEX_SHARD_COUNT_MAX,
  shardOf,
  timeKey,
} from "../../../ledger/rules/index-keys";

test.each([
  ["txn-1", 10, 4],
  ["txn-1", 100, 14],
  ["txn-2", 10, 3],
  ["order:2026/11@a+b=c", 7, 6],
  ["W~abc", 4, 0],
  ["a", 1, 0],
])("golden: %s over %d shards is in shard %d", (id, count, shard) => {
  expect(shardOf(id, count)).toBe(shard);
});

test("golden: the keys of a record", () => {
  expect(dayKeyOf("acme", "2026-11-21T10:00:00.000Z", "txn-1", 10)).toBe("acme#20261121#04");
  expect(dayKey("", "20261121", 0)).toBe("#20261121#00");
  expect(dayKey("acme", "20261121", INDEX_SHARD_COUNT_MAX - 1)).toBe("acme#20261121#99");
  expect(timeKey("2026-11-21T10:00:00.000Z", "txn-1")).toBe("2026-11-21T10:00:00.000Z#txn-1");
});

test.each([2, 10, 100])("over %d shards, 20,000 ids of a counter spread evenly", (shardCount) => {
  const counts = new Array<number>(shardCount).fill(0);
  for (let index = 0; index < 20_000; index++) {
    const shard = shardOf(`order-${index}`, shardCount);
    counts[shard] = (counts[shard] ?? 0) + 1;
  }
  const mean = 20_000 / shardCount;
  // Five standard deviations of an even spread: one shard beyond it means that the hash is not used well.
  const slack = 5 * Math.sqrt(mean);
  expect(Math.min(...counts)).toBeGreaterThan(mean - slack);
  expect(Math.max(...counts)).toBeLessThan(mean + slack);
});

const identifiers = fc.stringMatching(IDENTIFIER_PATTERN);
const times = fc
  .date({ min: new Date("2000-01-01T00:00:00Z"), max: new Date("2100-01-01T00:00:00Z"), noInvalidDate: true })
  .map((date) => date.toISOString());

test("property: a record's keys follow from the record alone, and its shard is one that readers ask", () => {
  fc.assert(
    fc.property(identifiers, fc.integer({ min: 1, max: INDEX_SHARD_COUNT_MAX }), (id, shardCount) => {
      const shard = shardOf(id, shardCount);
      expect(shardOf(id, shardCount)).toBe(shard);
      const asked = Array.from({ length: shardCount }, (_, each) => dayKey("acme", "20261121", each));
      expect(asked).toContain(dayKeyOf("acme", "2026-11-21T00:00:00.000Z", id, shardCount));
    }),
  );
});

test("property: sort keys are in order of time, then of id, and all ids of a moment lie before its end", () => {
  fc.assert(
    fc.property(times, times, identifiers, identifiers, (timeA, timeB, idA, idB) => {
      const [a, b] = [timeKey(timeA, idA), timeKey(timeB, idB)];
      const expected = timeA === timeB ? idA < idB : timeA < timeB;
      expect(a < b).toBe(expected);
      expect(a < timeKey(timeA, AFTER_ALL_IDS)).toBe(true);
      expect(timeKey(timeA, "R~x") < timeKey(timeA, AFTER_ALL_IDS)).toBe(true);
    }),
  );
});

test("property: values, days and shards never run into each other", () => {
  const parts = fc.record({
    value: identifiers,
    day: fc.constantFrom("20261120", "20261121"),
    shard: fc.integer({ min: 0, max: 99 }),
  });
  fc.assert(
    fc.property(parts, parts, (a, b) => {
      const same = a.value === b.value && a.day === b.day && a.shard === b.shard;
      expect(dayKey(a.value, a.day, a.shard) === dayKey(b.value, b.day, b.shard)).toBe(same);
    }),
  );
});
