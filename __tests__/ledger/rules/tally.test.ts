import { randomBytes } from "node:crypto";
import fc from "fast-check";
import type { RecordEntry } from "../../../evidence/log/entry";
import { bucketOf, RecordTally } from "../../../evidence/verifier/record-tally";
import { packedBitSet, unpackedBitSet } from "../../../ledger/pieces/packed";
import { BitSet, BUCKETS, KeyedHash, Tally } from "../../../ledger/rules/tally";

const keyed = new KeyedHash(randomBytes(32));
const tuple = fc.record({
  key: fc.constantFrom("a", "b", "c"),
  version: fc.constantFrom("1", "2"),
  commitment: fc.constantFrom("x", "y"),
});

test("two tallies are equal if, and only if, they hold the same records as often", () => {
  const moves = fc.array(fc.record({ tuple, times: fc.constantFrom(1 as const, -1 as const) }), { maxLength: 12 });
  fc.assert(
    fc.property(moves, moves, (left, right) => {
      const [a, b] = [new RecordTally(keyed), new RecordTally(keyed)];
      const counts = new Map<string, number>();
      for (const [tally, side, sign] of [
        [a, left, 1],
        [b, right, -1],
      ] as const) {
        for (const { tuple: each, times } of side) {
          tally.addItem(
            "PaymentLedger",
            { keyText: each.key, version: each.version, commitment: each.commitment },
            times,
          );
          const name = JSON.stringify(each);
          counts.set(name, (counts.get(name) ?? 0) + sign * times);
        }
      }
      const differing = new Set(
        [...counts].filter(([, count]) => count !== 0).map(([name]) => bucketOf(keyed.placeOf(JSON.parse(name).key))),
      );
      expect(a.items.differing(b.items)).toEqual([...differing].sort((x, y) => x - y));
    }),
    { numRuns: 60 },
  );
});

test("a record differs by its table, its key, its version and its commitment", () => {
  const forms = [
    ["PaymentLedger", "x", "1", "a"],
    ["PaymentAuditTrail", "x", "1", "a"],
    ["PaymentLedger", "y", "1", "a"],
    ["PaymentLedger", "x", "2", "a"],
    ["PaymentLedger", "x", "1", "b"],
    ["PaymentLedger", "x", "1", "a\nb"],
  ] as const;
  const sums = forms.map(([table, commitment, version, keyText]) => {
    keyed.ofRecord(table, commitment, version, keyText);
    return keyed.lanes.join();
  });
  expect(new Set(sums).size).toBe(forms.length);
});

test("another run has other hashes, so nobody can prepare records that collide", () => {
  const other = new KeyedHash(randomBytes(32));
  keyed.ofText("a");
  other.ofText("a");
  expect(keyed.lanes.join()).not.toBe(other.lanes.join());
  expect(keyed.placeOf("a")).not.toBe(other.placeOf("a"));
});

test("the place of a text is that of its bytes", () => {
  fc.assert(
    fc.property(fc.stringMatching(/^[ -~]*$/), (text) => {
      expect(keyed.placeOfBytes(Buffer.from(`__${text}`), 2, 2 + text.length)).toBe(keyed.placeOf(text));
    }),
  );
});

test("places spread over all buckets", () => {
  const used = new Set<number>();
  for (let each = 0; each < 4 * BUCKETS; each++) used.add(bucketOf(keyed.placeOf(`pay-2026-${each}`)));
  // Of that many drawn by chance about 98 % are hit.
  expect(used.size / BUCKETS).toBeGreaterThan(0.97);
  expect([...used].every((bucket) => bucket >= 0 && bucket < BUCKETS)).toBe(true);
});

test("sums wrap around and come back", () => {
  const [tally, empty] = [new Tally(), new Tally()];
  const lanes = Uint32Array.of(0xffffffff, 0x80000000, 1, 0);
  for (let times = 0; times < 3; times++) tally.add(7, lanes, 1);
  expect(tally.differing(empty)).toEqual([7]);
  for (let times = 0; times < 3; times++) tally.add(7, lanes, -1);
  expect(tally.differing(empty)).toEqual([]);
  expect(tally.touchedIn(7)).toBe(6);
});

test("marks remember each number they were given, and few others", () => {
  const marks = new BitSet();
  const places = Array.from({ length: 1000 }, (_, each) => keyed.placeOf(`key-${each}`));
  for (const place of places) marks.add(place);
  expect(places.every((place) => marks.has(place))).toBe(true);
  const others = Array.from({ length: 10_000 }, (_, each) => keyed.placeOf(`other-${each}`)).filter((place) =>
    marks.has(place),
  );
  expect(others.length).toBeLessThan(20);
});

test("marks of two readers, one of them packed, are added together", () => {
  const place = fc.nat(2 ** 32 - 1);
  fc.assert(
    fc.property(fc.array(place), fc.array(place), place, (first, second, other) => {
      const [marks, further] = [new BitSet(), new BitSet()];
      for (const each of first) marks.add(each);
      for (const each of second) further.add(each);
      marks.addAll(unpackedBitSet(JSON.parse(JSON.stringify(packedBitSet(further)))).state);
      const remembered = new Set([...first, ...second].map((each) => each % 2 ** 26));
      expect([...first, ...second, other].map((each) => marks.has(each))).toEqual([
        ...[...first, ...second].map(() => true),
        remembered.has(other % 2 ** 26),
      ]);
      expect(marks.count).toBe(first.length + second.length);
    }),
  );
});

test("entries add what they bring and take away what they replace", () => {
  const entry = (changes: Partial<RecordEntry>): RecordEntry => ({
    kind: "RECORD",
    table: "PaymentLedger",
    key: ["a"],
    version: "1",
    sequence: "1",
    commitment: "c1",
    previous: "",
    ...changes,
  });
  const tally = new RecordTally(keyed);
  tally.addLeaf(entry({}), true);
  expect(tally.histories.has(keyed.placeOf("a"))).toBe(false);
  tally.addLeaf(entry({ version: "2", commitment: "c2", previous: "c1" }), true);
  tally.addLeaf(entry({ version: "3", commitment: "c3", previous: "c2" }), false);
  expect(tally.histories.has(keyed.placeOf("a"))).toBe(true);
  tally.addItem("PaymentLedger", { keyText: "a", version: "2", commitment: "c2" }, 1);
  expect(tally.leaves.differing(tally.items)).toEqual([]);
  tally.addLeaf(entry({ kind: "TAMPER", version: "2", commitment: "", previous: "c2" }), true);
  tally.addItem("PaymentLedger", { keyText: "a", version: "2", commitment: "c2" }, -1);
  expect(tally.leaves.differing(tally.items)).toEqual([]);
});
