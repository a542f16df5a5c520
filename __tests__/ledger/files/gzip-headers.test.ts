/** Card data in a gzip header is found however the file arrives in pieces, and packed rows are taken for none. */

import { gzipSync } from "node:zlib";
import fc from "fast-check";
import { GzipHeaderSearch } from "../../../ledger/files/gzip-headers";

const CARD = "4111111111111111";

async function found(file: Buffer, pieceLength: number): Promise<boolean> {
  async function* pieces() {
    for (let at = 0; at < file.length; at += pieceLength) yield file.subarray(at, at + pieceLength);
  }
  const search = new GzipHeaderSearch();
  const passed: Uint8Array[] = [];
  for await (const piece of search.watch(pieces())) passed.push(piece);
  expect(Buffer.concat(passed).equals(file)).toBe(true);
  return search.end();
}

function member(name: string, content: string): Buffer {
  const packed = gzipSync(content, { level: 0 });
  const fixed = Buffer.from(packed.subarray(0, 10));
  fixed[3] = 8;
  return Buffer.concat([fixed, Buffer.from(`${name}\0`, "latin1"), packed.subarray(10)]);
}

test("in any member, at any place and in pieces of any length, exactly the header's text counts", async () => {
  await fc.assert(
    fc.asyncProperty(
      fc.array(fc.tuple(fc.boolean(), fc.nat(3_000)), { minLength: 1, maxLength: 4 }),
      fc.oneof(fc.integer({ min: 1, max: 3 }), fc.integer({ min: 4, max: 5_000 })),
      async (members, pieceLength) => {
        // Stored blocks hold the rows as they are, and those are searched where they are read.
        const file = members.map(([hasCard, length]) =>
          member(hasCard ? `${CARD}.csv` : "rows.csv", `${" ".repeat(length)} ${CARD}`),
        );
        expect(await found(Buffer.concat(file), pieceLength)).toBe(members.some(([hasCard]) => hasCard));
      },
    ),
    { numRuns: 50 },
  );
});

test("property: in a file longer than what is held at once the headers behind the first are searched too", async () => {
  await fc.assert(
    fc.asyncProperty(
      fc.array(fc.tuple(fc.boolean(), fc.integer({ min: 10, max: 200_000 })), { minLength: 2, maxLength: 4 }),
      fc.integer({ min: 20_000, max: 150_000 }),
      async (members, pieceLength) => {
        const file = members.map(([hasCard, length]) =>
          member(hasCard ? `${CARD}.csv` : "rows.csv", "x".repeat(length)),
        );
        const last = member("rows.csv", "x".repeat(250_000));
        expect(await found(Buffer.concat([...file, last]), pieceLength)).toBe(members.some(([hasCard]) => hasCard));
      },
    ),
    { numRuns: 30, endOnFailure: true },
  );
});

test("a header inside what looks like one is searched too", async () => {
  const decoy = Buffer.from([0x1f, 0x8b, 0x08, 0x08, 1, 1, 1, 1, 0, 3, 0x41]);
  expect(await found(Buffer.concat([decoy, member(`${CARD}.csv`, "")]), 7)).toBe(true);
});

test("a header that never ends is searched to its bound, and a file full of beginnings ends", async () => {
  const start = Buffer.from([0x1f, 0x8b, 0x08, 0x18, 1, 1, 1, 1, 2, 3]);
  expect(await found(Buffer.concat([start, Buffer.from(` ${CARD} `), Buffer.alloc(300_000, "x")]), 65_536)).toBe(true);
  expect(await found(Buffer.concat(Array.from({ length: 50_000 }, () => start)), 65_536)).toBe(false);
});
