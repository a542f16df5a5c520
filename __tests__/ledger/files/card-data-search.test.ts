/** No character of a file escapes the search for card data, and no file with text passes without a sign. */

import { gzipSync } from "node:zlib";
import fc from "fast-check";
import { CardDataSearch } from "../../../ledger/files/card-data-search";
import { ROW_LENGTH_MAX, readRows } from "../../../ledger/files/rows";
import { UnreadableGzipError } from "../../../ledger/files/text";
import { gzipFault, isCardDataBefore } from "../../../ledger/files/verify";
import { findCardData, holdsCardData } from "../../../ledger/rules/card-data";
import { bytesOf, cut, cuts, listOf } from "./sources";

const CARD = "4111 1111 1111 1111";
const FILLER = fc.constantFrom("lorem ipsum ", "x", "12345678901234567890 ", "é\n", "99 ", "%20", "[{", "😀");
/** Text without card data of about the given length. */
const filler = (length: number) =>
  FILLER.map((unit) => unit.repeat(Math.ceil(length / unit.length)).slice(0, length)).filter(
    (text) => !holdsCardData(text.slice(0, 2_000)),
  );

describe("before a fault of the gzip data", () => {
  const packed = gzipSync(`${CARD}\n${"no card data in here, ".repeat(200_000)}`, { level: 0 });
  const fault = new UnreadableGzipError("DAMAGED_GZIP", packed.length);

  test("a download that fails is thrown: it says nothing of the file", async () => {
    async function* failing() {
      yield packed.subarray(0, 20);
      throw new Error("The connection is lost.");
    }
    await expect(isCardDataBefore(fault, failing())).rejects.toThrow("The connection is lost.");
  });

  test("nothing is read behind card data that was found", async () => {
    let read = 0;
    async function* counted() {
      for (let at = 0; at < packed.length; at += 64 * 1024) {
        read += 1;
        yield packed.subarray(at, at + 64 * 1024);
      }
    }
    expect(await isCardDataBefore(fault, counted())).toBe(true);
    expect(read).toBeLessThan(packed.length / (64 * 1024) / 2);
  });
});

describe("the search in pieces", () => {
  test("property: a card number anywhere in a long text is found, however the text is cut", async () => {
    const place = fc.integer({ min: 0, max: 200_000 });
    await fc.assert(
      fc.property(filler(200_000), place, fc.array(place, { maxLength: 20 }), (text, at, places) => {
        const whole = `${text.slice(0, at)} ${CARD} ${text.slice(at)}`;
        expect(searched(whole, places)).toBe(true);
      }),
      { numRuns: 60 },
    );
  });

  test("property: nothing is found that is not in the whole text", () => {
    const digits = fc.array(fc.tuple(fc.nat({ max: 9 }), fc.constantFrom("", "", "", " ", "-", "x")), {
      maxLength: 300,
    });
    const place = fc.integer({ min: 0, max: 131_100 });
    fc.assert(
      fc.property(digits, fc.array(place, { maxLength: 20 }), (list, places) => {
        const text = list.map(([digit, separator]) => digit + separator).join("");
        fc.pre(findCardData(text).length === 0);
        // Over the borders of the windows and of their overlaps.
        const whole = "a ".repeat(30_660) + `${text} `.repeat(10) + "a ".repeat(30_000);
        fc.pre(findCardData(whole).length === 0);
        expect(searched(whole, places)).toBe(false);
      }),
      { numRuns: 200 },
    );
  });

  test("numbers of more than 19 digits are not cut into card numbers", () => {
    for (let shift = 0; shift < 64; shift++) {
      expect(searched("a".repeat(61_300 + shift) + "4111111111111111".repeat(400), [])).toBe(false);
    }
  });

  test("text that is nested too deep to be searched as JSON is searched as text", () => {
    expect(holdsCardData("[".repeat(100) + "]".repeat(100))).toBe(false);
    expect(holdsCardData(`${"[".repeat(100)}"${CARD}"${"]".repeat(100)}`)).toBe(true);
  });

  test("escapes of a broken JSON text hide nothing", () => {
    expect(holdsCardData('{"a":"\\u0034111111111111111')).toBe(true);
  });

  test("after its end it begins anew", () => {
    const search = new CardDataSearch();
    search.push(CARD);
    expect([search.end(), search.end()]).toEqual([true, false]);
  });

  function searched(text: string, places: readonly number[]): boolean {
    const search = new CardDataSearch();
    const at = [...new Set(places.map((place) => place % text.length))].sort((a, b) => a - b);
    for (const [index, end] of [...at, text.length].entries()) {
      search.push(text.slice(index === 0 ? 0 : at[index - 1], end));
    }
    return search.end();
  }
});

const HEADER = "transactionId,amount,currency,cardLast4";
const LONG = "1".repeat(ROW_LENGTH_MAX + 5_000);

describe.each([1, 61, 65_536])("in pieces of %i bytes", (size) => {
  /** Large pieces where nothing happens: before the limit of a row and before the end. */
  async function* inPieces(text: string | Uint8Array): AsyncGenerator<Uint8Array> {
    const bytes = Buffer.from(text);
    for (let start = 0; start < bytes.length; ) {
      const eventless = [ROW_LENGTH_MAX, bytes.length]
        .map((event) => event - 1_000 - start)
        .find((gap) => gap > -2_000);
      const end = start + Math.max(size, Math.min(eventless ?? 0, 10_000));
      yield bytes.subarray(start, end);
      start = end;
    }
  }

  test.each<[string, string]>([
    ["a header", `transactionId,metadata.${CARD}\n`],
    ["a header with other line ends", `${HEADER}\ra,1,EUR,${CARD}\r`],
    ["a header that is too long", `${HEADER},${LONG},${CARD}\n`],
    ["text behind an array", `[1]${" ".repeat(100_000)}[{"a":"${CARD}"}]`],
    ["text far behind the end of an array", `[1]x${LONG} ${CARD}`],
    ["an array that does not end", `[1,"${LONG} ${CARD}`],
    ["an element that is too long", `[1,"${LONG} ${CARD}",2]`],
    ["a line that is too long", `{}\n"${LONG} ${CARD}"\n{}`],
    ["a first line that is too long", `{"a":"${LONG} ${CARD}"}`],
    ["an object over many lines that is too long", `{\n"a":"${LONG}",\n"b":"${LONG}",\n"c":"${CARD}"}`],
    ["a CSV row that is too long", `${HEADER}\nx,${LONG},${CARD}\n`],
    ["a quoted cell that is too long over lines", `${HEADER}\nx,"${LONG}\n${CARD}"\n`],
    ["a quote that does not close", `${HEADER}\nx,"\n1\n${CARD}`],
    ["the border of what is kept", `${HEADER}\n${"x".repeat(ROW_LENGTH_MAX - 8)} ${CARD} ${LONG}\n`],
    ["a broken row", `${HEADER}\n${CARD}\n`],
  ])("card data in %s is found", async (_where, text) => {
    const rows = await listOf(readRows(inPieces(text)));
    const found = rows.filter((row) => ("fault" in row ? row.cardData : findCardData(row.value).length > 0));
    expect(found.length).toBeGreaterThan(0);
  });

  test.each(["csv", "json", "ndjson"])(
    "in damaged gzip of %s it is found as far as the text can be read",
    async (form) => {
      const rows = { csv: `${HEADER}\nx,1,EUR,${CARD}\n`, json: `["${CARD}"]`, ndjson: `{"a":"${CARD}"}` };
      const sound = gzipSync(rows[form as keyof typeof rows]);
      for (const damaged of [Buffer.from(sound).fill(7, sound.length - 8), sound.subarray(0, -1)]) {
        const fault = await gzipFault(inPieces(damaged));
        expect(fault?.code).toBe("DAMAGED_GZIP");
        if (fault !== undefined) expect(await isCardDataBefore(fault, inPieces(damaged))).toBe(true);
      }
    },
  );
});

test("property: a file with text has a row, good or bad, whatever the text is", async () => {
  const unit = fc.constantFrom(
    ..."abc,\"'\n\r\t []{}:;1.\u0085\u2028\u2029\ufeff\u0000é😀",
    "\r\n",
    "transactionId",
    HEADER,
    "metadata.a",
  );
  await fc.assert(
    fc.asyncProperty(fc.string({ unit, maxLength: 40 }), fc.boolean(), cuts, async (text, gzip, places) => {
      const bytes = Buffer.from(text);
      const rows = await listOf(readRows(bytesOf(...cut(gzip ? gzipSync(bytes) : bytes, places))));
      expect([text, rows.length > 0]).toEqual([text, text.trim() !== ""]);
    }),
    { numRuns: 2_000 },
  );
});

test("property: a gzip file with any one bit flipped is refused, or inflates to the same text", async () => {
  const text = Array.from({ length: 40 }, (_, index) => `pay-${index},${index}.50,EUR,4242`).join("\n");
  const sound = gzipSync(text);
  await fc.assert(
    fc.asyncProperty(fc.nat({ max: sound.length * 8 - 1 }), async (bit) => {
      const bytes = Buffer.from(sound);
      bytes[bit >> 3] = (bytes[bit >> 3] ?? 0) ^ (1 << (bit & 7));
      if ((await gzipFault(bytesOf(bytes))) !== undefined) return;
      const rows = await listOf(readRows(bytesOf(bytes)));
      // A changed head: no gzip any more, or a time or a name that nobody reads.
      const isGzip = bytes[0] === 0x1f && bytes[1] === 0x8b;
      if (isGzip) expect(rows).toEqual(await listOf(readRows(bytesOf(text))));
      else expect(rows.every((row) => "fault" in row)).toBe(true);
    }),
    { numRuns: 1_000 },
  );
});
