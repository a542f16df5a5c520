/** The text of a file: any cutting of its bytes gives the same text, bad bytes are marked in their place, and faults are distinguished. */

import type { Duplex } from "node:stream";
import { createGunzip, gzipSync } from "node:zlib";
import fc from "fast-check";
import { type Line, linesOf } from "../../../ledger/files/lines";
import {
  decodedText,
  GZIP_RATIO_MAX,
  NOT_UTF8_MARK,
  plainBytes,
  UnreadableGzipError,
} from "../../../ledger/files/text";
import { anyCharacter } from "../../support/any-character";
import { bytesOf, cut, cuts, listOf, textsOf } from "./sources";

const read = async (...chunks: readonly (string | Uint8Array)[]) =>
  (await listOf(decodedText(bytesOf(...chunks)))).join("");
const texts = fc.string({ unit: anyCharacter, maxLength: 200 }).filter((text) => !text.startsWith("\u{feff}"));

test("property: text of any characters comes back whole, gzip or not, BOM or not, however it is cut", async () => {
  await fc.assert(
    fc.asyncProperty(texts, fc.boolean(), fc.boolean(), cuts, async (text, bom, gzip, places) => {
      fc.pre(text.isWellFormed());
      const plain = Buffer.from(bom ? `\u{feff}${text}` : text);
      const bytes = gzip ? gzipSync(plain) : plain;
      expect(await read(...cut(bytes, places))).toBe(text);
    }),
  );
});

test.each(["é", "€", "😀", "\u{feff}x"])("%s over the border of two chunks, byte by byte", async (character) => {
  const bytes = Buffer.from(`a${character}b`);
  expect(await read(...Array.from(bytes, (byte) => Uint8Array.of(byte)))).toBe(`a${character}b`);
});

test("only the first byte order mark is taken away, even when it comes in three pieces", async () => {
  const bytes = Buffer.from("\u{feff}\u{feff}x");
  expect(await read(...Array.from(bytes, (byte) => Uint8Array.of(byte)))).toBe("\u{feff}x");
  expect(await read("\u{feff}")).toBe("");
});

test.each<[string, number[], string]>([
  ["a lone continuation", [0x61, 0x80, 0x62], `a${NOT_UTF8_MARK}b`],
  ["Latin-1", [0x61, 0xe9, 0x62], `a${NOT_UTF8_MARK}b`],
  ["a cut character at the end of the file", [0x61, 0xe2, 0x82], `a${NOT_UTF8_MARK}`],
  ["an overlong form", [0xc0, 0xaf], NOT_UTF8_MARK.repeat(2)],
  ["a surrogate", [0xed, 0xa0, 0x80], NOT_UTF8_MARK.repeat(3)],
  ["a byte that is never UTF-8", [0xff], NOT_UTF8_MARK],
])("%s is marked", async (_what, bytes, text) => {
  expect(await read(Uint8Array.from(bytes))).toBe(text);
});

test("a replacement character that the sender wrote stays, even beside bad bytes in one line", async () => {
  expect(await read(Buffer.concat([Buffer.from("a\u{fffd}"), Buffer.from([0xff]), Buffer.from("\u{fffd}b")]))).toBe(
    `a\u{fffd}${NOT_UTF8_MARK}\u{fffd}b`,
  );
});

test("gzip in several members is one text; its magic alone, split over chunks, is recognised", async () => {
  const bytes = Buffer.concat([gzipSync("one "), gzipSync("two")]);
  expect(await read(bytes.subarray(0, 1), bytes.subarray(1, 2), bytes.subarray(2))).toBe("one two");
  expect(await read("\u001f")).toBe("\u001f");
  expect(await read()).toBe("");
});

test.each<[string, (whole: Buffer) => Uint8Array]>([
  ["cut off", (whole) => whole.subarray(0, whole.length - 9)],
  ["with a changed checksum", (whole) => Buffer.concat([whole.subarray(0, whole.length - 8), Buffer.alloc(8)])],
  ["with a changed byte", (whole) => Buffer.concat([whole.subarray(0, 10), Buffer.of(0xff), whole.subarray(11)])],
  ["with nothing but its head", (whole) => whole.subarray(0, 10)],
])("gzip %s is damaged, and said to be", async (_how, damage) => {
  const reading = read(damage(gzipSync("x".repeat(1_000))));
  await expect(reading).rejects.toBeInstanceOf(UnreadableGzipError);
  await expect(reading).rejects.toMatchObject({ code: "DAMAGED_GZIP", message: expect.stringContaining("damaged") });
});

test.each([{ code: "ENOMEM" }, { code: "Z_MEM_ERROR" }, {}])(
  "gzip that could not be read for another reason (%j) is not called damaged",
  async (fault) => {
    const broken = Object.assign(new Error("There was no memory."), fault);
    const gunzips: Duplex = Object.getPrototypeOf(createGunzip());
    const write = jest.spyOn(gunzips, "write").mockImplementation(function (this: Duplex) {
      this.destroy(broken);
      return false;
    });
    const thrown = await read(gzipSync("x")).catch((error: unknown) => error);
    write.mockRestore();
    expect(thrown).toBe(broken);
  },
);

describe("how far gzip may inflate", () => {
  const MEGABYTE = 1024 * 1024;
  const lengthOf = async (packed: Uint8Array, ratioMax: number) =>
    (await listOf(plainBytes(bytesOf(packed), { ratioMax }))).reduce((sum, { length }) => sum + length, 0);

  test("the first megabyte is free, to the byte", async () => {
    expect(await lengthOf(gzipSync(Buffer.alloc(MEGABYTE)), 0)).toBe(MEGABYTE);
    await expect(lengthOf(gzipSync(Buffer.alloc(MEGABYTE + 1)), 0)).rejects.toMatchObject({
      code: "GZIP_RATIO_TOO_HIGH",
      message: expect.stringContaining("too far"),
    });
  });

  test("beyond it the ratio to the bytes read so far counts, in the middle of a file too", async () => {
    const zeros = gzipSync(Buffer.alloc(20 * MEGABYTE));
    const rows = gzipSync(Array.from({ length: 300_000 }, (_, index) => `pay-${index},1.00,EUR,4242`).join("\n"));
    expect(await lengthOf(rows, GZIP_RATIO_MAX)).toBeGreaterThan(6 * MEGABYTE);
    await expect(lengthOf(zeros, GZIP_RATIO_MAX)).rejects.toMatchObject({ code: "GZIP_RATIO_TOO_HIGH" });
    await expect(lengthOf(Buffer.concat([zeros, rows]), GZIP_RATIO_MAX)).rejects.toMatchObject({
      code: "GZIP_RATIO_TOO_HIGH",
    });
  });
});

test.each([true, false])("a broken download is thrown as it is (gzip: %s)", async (gzip) => {
  async function* broken(): AsyncGenerator<Uint8Array> {
    yield gzip ? gzipSync("x".repeat(100)).subarray(0, 15) : Buffer.from("abc");
    throw new Error("The connection was reset.");
  }
  await expect(listOf(decodedText(broken()))).rejects.toThrow("The connection was reset.");
});

test.each([true, false])("who stops reading lets go of the download (gzip: %s)", async (gzip) => {
  let released = false;
  async function* endless(): AsyncGenerator<Uint8Array> {
    try {
      for (;;) yield gzip ? gzipSync("x".repeat(1_000)) : Buffer.from("x".repeat(1_000));
    } finally {
      released = true;
    }
  }
  for await (const text of decodedText(endless())) if (text.length > 0) break;
  await new Promise((resolve) => setImmediate(resolve));
  expect(released).toBe(true);
});

describe("lines", () => {
  test("property: any cutting gives the same lines with the same numbers", async () => {
    const unit = fc.constantFrom("a", "b", "\n", "\r", "é");
    await fc.assert(
      fc.asyncProperty(
        fc.string({ unit, maxLength: 60 }),
        cuts,
        fc.integer({ min: 1, max: 8 }),
        async (text, at, max) => {
          const whole = text.split("\n");
          if (whole.at(-1) === "") whole.pop();
          const expected = whole.map((line, index) => ({
            number: index + 1,
            text: line.slice(0, max),
            tooLong: line.length > max,
            cardDataBehind: false,
          }));
          const places = [...new Set(at.map((place) => place % (text.length + 1)))].sort((a, b) => a - b);
          const chunks = [...places, text.length].map((end, index) =>
            text.slice(index === 0 ? 0 : places[index - 1], end),
          );
          const lines: Line[] = [];
          for await (const each of linesOf(textsOf(...chunks), max)) lines.push(...each);
          expect(lines).toEqual(expected);
        },
      ),
    );
  });
});
