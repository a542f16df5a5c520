/** Random bytes that are drawn in one piece for many records: none is handed out twice, and none is kept. */

import crypto from "node:crypto";
import fc from "fast-check";
import type { pooledRandomBytes as Drawn } from "../../../ledger/rules/random-bytes";

const POOL_BYTES = 4096;

/** A separate pool, and what it asked the system for. */
function freshPool(): { draw: typeof Drawn; filled: { pool: Buffer; original: Buffer }[] } {
  const filled: { pool: Buffer; original: Buffer }[] = [];
  const fill = crypto.randomFillSync;
  jest.spyOn(crypto, "randomFillSync").mockImplementation((pool) => {
    fill(pool as Buffer);
    filled.push({ pool: pool as Buffer, original: Buffer.from(pool as Buffer) });
    return pool;
  });
  let draw: typeof Drawn | undefined;
  jest.isolateModules(() => {
    draw = jest.requireActual<{ pooledRandomBytes: typeof Drawn }>(
      "../../../ledger/rules/random-bytes",
    ).pooledRandomBytes;
  });
  if (draw === undefined) throw new Error("The module was not loaded.");
  return { draw, filled };
}

afterEach(() => jest.restoreAllMocks());

test("each byte of the system is handed out at most once, in its order, and wiped", () => {
  const { draw, filled } = freshPool();
  let place = POOL_BYTES;
  fc.assert(
    fc.property(fc.array(fc.integer({ min: 8, max: 64 }), { minLength: 150, maxLength: 300 }), (lengths) => {
      for (const length of lengths) {
        const before = filled.length;
        const bytes = draw(length);
        const { pool, original } = filled.at(-1) ?? { pool: Buffer.alloc(0), original: Buffer.alloc(0) };
        const start = filled.length > before ? 0 : place;
        expect(bytes.equals(original.subarray(start, start + length))).toBe(true);
        expect(pool.subarray(0, start + length).every((byte) => byte === 0)).toBe(true);
        place = start + length;
      }
    }),
    { numRuns: 20 },
  );
  expect(filled.length).toBeGreaterThan(1);
});

test("what was handed out does not change when the pool does", () => {
  const { draw } = freshPool();
  const first = draw(16);
  const copy = Buffer.from(first);
  for (let drawn = 0; drawn < 2 * POOL_BYTES; drawn += 16) draw(16);
  expect(first.equals(copy)).toBe(true);
});

test("10,000 nonces are all different", () => {
  const { draw } = freshPool();
  expect(new Set(Array.from({ length: 10_000 }, () => draw(12).toString("hex"))).size).toBe(10_000);
});

test("more than the pool holds is refused", () => {
  const { draw } = freshPool();
  expect(draw(POOL_BYTES)).toHaveLength(POOL_BYTES);
  expect(() => draw(POOL_BYTES + 1)).toThrow(RangeError);
});
