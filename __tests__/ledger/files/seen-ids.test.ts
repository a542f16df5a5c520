/** The ids of a file: told apart like a set does, in bounded bytes a row. */

import fc from "fast-check";
import { SeenIds } from "../../../ledger/files/seen-ids";

test("property: an id is seen exactly when it was added before", () => {
  const ids = fc.array(fc.string({ unit: fc.constantFrom("a", "b", "1"), minLength: 1, maxLength: 4 }), {
    maxLength: 200,
  });
  fc.assert(
    fc.property(ids, (list) => {
      const [seen, known] = [new SeenIds(), new Set<string>()];
      for (const id of list) {
        expect(seen.add(id)).toBe(known.has(id));
        known.add(id);
      }
    }),
  );
});

test("hundreds of thousands of ids are all kept apart, and all found again, within the memory that is documented", () => {
  const count = 300_000;
  const seen = new SeenIds();
  for (let index = 0; index < count; index++) if (seen.add(`pay-${index}`)) throw new Error(`pay-${index} is new.`);
  for (let index = 0; index < count; index += 7)
    if (!seen.add(`pay-${index}`)) throw new Error(`pay-${index} is known.`);
  expect(seen.byteLength / count).toBeGreaterThanOrEqual(8);
  expect(seen.byteLength / count).toBeLessThanOrEqual(27);
});
