/** Rows of JSON files: exactly those that were written, with their numbers; a bad one spoils itself and no other. */

import { setFlagsFromString } from "node:v8";
import { runInNewContext } from "node:vm";
import { gzipSync } from "node:zlib";
import fc from "fast-check";
import { ROW_LENGTH_MAX, readRows } from "../../../ledger/files/rows";
import { bytesOf, cut, cuts, listOf, rowsOf, withTexts } from "./sources";

const bad = (number: number, fault = "NOT_JSON") => ({ number, fault });
const values = fc.jsonValue({ maxDepth: 3, stringUnit: "grapheme" });
const objects = fc.dictionary(fc.string({ unit: "grapheme" }), values, { minKeys: 1, maxKeys: 4 });
const spaces = fc.string({ unit: fc.constantFrom(" ", "\n", "\r\n", "\t"), maxLength: 3 });
const lineSpaces = fc.string({ unit: fc.constantFrom(" ", "\t"), maxLength: 3 });
const coats = fc.record({ bom: fc.boolean(), gzip: fc.boolean(), places: cuts });

/** A file as it arrives. */
function file(text: string, { bom, gzip, places }: { bom: boolean; gzip: boolean; places: readonly number[] }) {
  const plain = Buffer.from(bom ? `\u{feff}${text}` : text);
  return cut(gzip ? gzipSync(plain) : plain, places);
}

describe("a JSON array", () => {
  test("property: its elements are the rows, in any white space, coat and cutting", async () => {
    const elements = fc.array(fc.tuple(values, spaces, spaces), { maxLength: 8 });
    await fc.assert(
      fc.asyncProperty(elements, spaces, spaces, coats, async (list, before, after, coat) => {
        const parts = list.map(([value, left, right]) => `${left}${JSON.stringify(value)}${right}`);
        const rows = await rowsOf(...file(`${before}[${parts.join(",")}]${after}`, coat));
        const expected = list.map(([value], index) => [index + 1, withTexts(value)]);
        expect(rows).toEqual(list.length === 0 ? [bad(1, "NO_ROWS")] : expected);
      }),
      { numRuns: 300 },
    );
  });

  test("property: a broken element spoils itself only", async () => {
    const broken = fc.constantFrom(
      "{broken",
      "{]",
      "}",
      '{"a":1}}',
      '{"a":1,"a":1}',
      "",
      "tru",
      "1 2",
      '{"a":]',
      "'x'",
    );
    await fc.assert(
      fc.asyncProperty(fc.array(objects, { minLength: 1 }), fc.nat(), broken, coats, async (list, at, wrong, coat) => {
        // One bracket more opened than closed would take the next ones in; those are shown below.
        fc.pre((wrong.match(/[[{]/g) ?? []).length <= (wrong.match(/[\]}]/g) ?? []).length);
        const texts = list.map((value) => JSON.stringify(value));
        const place = at % (list.length + 1);
        texts.splice(place, 0, wrong);
        const rows = await rowsOf(...file(`[${texts.join(",")}]`, coat));
        const expected: unknown[] = list.map((value, index) => [
          index < place ? index + 1 : index + 2,
          withTexts(value),
        ]);
        expected.splice(place, 0, bad(place + 1));
        expect(rows).toEqual(wrong === "" && texts.length === 1 ? [] : expected);
      }),
    );
  });

  test.each<[string, string, unknown[]]>([
    ["nothing in it", " [ ] ", [bad(1, "NO_ROWS")]],
    ["a comma too many", "[1,]", [[1, "1"], bad(2)]],
    ["no end", '[{"a":1},{"b":2}', [[1, { a: "1" }], bad(2)]],
    ["no end after a comma", "[1,", [[1, "1"], bad(2)]],
    ["an unclosed bracket", '[1,{"a":[2},3]', [[1, "1"], bad(2)]],
    ["an unclosed text", '[1,"abc,2]', [[1, "1"], bad(2)]],
    ["an escaped quote at a text's end", '[1,"a\\",2]', [[1, "1"], bad(2)]],
    ["something behind it", "[1] 7", [[1, "1"], bad(2)]],
    ["a payment behind it", '[1]{"a":1}', [[1, "1"], bad(2)]],
    ["another array behind it", "[1][2]", [[1, "1"], bad(2)]],
    ["a bracket behind it", "[1]]x", [[1, "1"], bad(2)]],
    ["a text behind it", '[1]"x"', [[1, "1"], bad(2)]],
    ["a brace for its bracket", "[1}", [bad(1)]],
    ["a brace too many in an element", '[{"a":1}},{"b":2}]', [bad(1), [2, { b: "2" }]]],
    ["a bracket too many in an element", '[{"a":1},{"b":2]},{"c":3}]', [[1, { a: "1" }], bad(2), [3, { c: "3" }]]],
    [
      "brackets and commas in texts",
      '["],[{\\"",{"]":"}"}]',
      [
        [1, '],[{"'],
        [2, { "]": "}" }],
      ],
    ],
  ])("with %s", async (_what, text, rows) => {
    expect(await rowsOf(text)).toEqual(rows);
    expect(await rowsOf(...Array.from(Buffer.from(text), (byte) => Uint8Array.of(byte)))).toEqual(rows);
  });

  test("an element that is too long is one bad row, and the next ones are read", async () => {
    const long = JSON.stringify({ note: "],[".repeat(ROW_LENGTH_MAX / 3) });
    expect(await rowsOf(`[1,${long},2]`)).toEqual([[1, "1"], bad(2, "ROW_TOO_LONG"), [3, "2"]]);
    expect(await rowsOf(`[1,${long.slice(0, -1)}`)).toEqual([[1, "1"], bad(2, "ROW_TOO_LONG")]);
  });
});

describe("NDJSON", () => {
  test("property: its lines are the rows, among blank lines, in any coat and cutting", async () => {
    const lines = fc.array(fc.tuple(values, fc.array(lineSpaces, { maxLength: 2 }), lineSpaces), { maxLength: 8 });
    const crlf = fc.constantFrom("\n", "\r\n");
    await fc.assert(
      fc.asyncProperty(objects, lines, crlf, fc.boolean(), coats, async (first, list, newline, ended, coat) => {
        const texts: string[] = [JSON.stringify(first)];
        const expected: unknown[] = [[1, withTexts(first)]];
        for (const [value, blanks, left] of list) {
          texts.push(...blanks, `${left}${JSON.stringify(value)}`);
          expected.push([texts.length, withTexts(value)]);
        }
        const text = texts.join(newline) + (ended ? newline : "");
        expect(await rowsOf(...file(text, coat))).toEqual(expected);
      }),
      { numRuns: 300 },
    );
  });

  test("property: broken lines spoil themselves only, wherever they are", async () => {
    const broken = fc.constantFrom("{broken", '{"a":"', "]", '{"a":1}{"b":2}', '{"a":1,"a":1}', '"', "{");
    const lines = fc.array(fc.oneof(objects, broken), { minLength: 1, maxLength: 8 });
    await fc.assert(
      fc.asyncProperty(lines, objects, coats, async (list, last, coat) => {
        // A first line that opens no object is CSV; one that only opens it may be an object over many lines.
        fc.pre(typeof list[0] !== "string" || list[0].startsWith("{"));
        const all = [...list, last];
        const text = all.map((line) => (typeof line === "string" ? line : JSON.stringify(line))).join("\n");
        const expected = all.map((line, index) =>
          typeof line === "string" ? bad(index + 1) : [index + 1, withTexts(line)],
        );
        expect(await rowsOf(...file(text, coat))).toEqual(expected);
      }),
    );
  });

  test("a line that is too long is one bad row; the limit itself is not too long", async () => {
    const exact = (length: number) => `{"a":"${"x".repeat(length - 8)}"}`;
    const rows = await rowsOf(`{}\n${exact(ROW_LENGTH_MAX)}\n${exact(ROW_LENGTH_MAX + 1)}\n{}`);
    expect(rows.map((row) => ("fault" in row ? row : row[0]))).toEqual([1, 2, bad(3, "ROW_TOO_LONG"), 4]);
    expect(await rowsOf(`${exact(ROW_LENGTH_MAX + 1)}\n{}`)).toEqual([bad(1, "ROW_TOO_LONG"), [2, {}]]);
  });

  test("property: bytes that are no UTF-8 spoil their line only, even beside a replacement character", async () => {
    await fc.assert(
      fc.asyncProperty(fc.array(objects, { minLength: 1 }), fc.nat(), cuts, async (list, at, places) => {
        const place = 1 + (at % list.length);
        const lines = list.map((value) => Buffer.from(`${JSON.stringify({ ...value, sign: "\u{fffd}" })}\n`));
        lines.splice(place, 0, Buffer.from([0x7b, 0x22, 0x61, 0xe9, 0x22, 0x3a, 0x31, 0x7d, 0x0a]));
        const rows = await rowsOf(...cut(Buffer.concat(lines), places));
        expect(rows).toHaveLength(list.length + 1);
        expect(rows.filter((row) => "fault" in row)).toEqual([bad(place + 1, "NOT_UTF8")]);
      }),
    );
  });
});

describe("a single object", () => {
  test("property: written over many lines it is row 1", async () => {
    await fc.assert(
      fc.asyncProperty(objects, coats, fc.integer({ min: 1, max: 4 }), async (value, coat, indent) => {
        expect(await rowsOf(...file(`\n${JSON.stringify(value, null, indent)}\n`, coat))).toEqual([
          [1, withTexts(value)],
        ]);
      }),
    );
  });

  test("broken, each of its lines is a bad row; cut white space does not hide what follows it", async () => {
    expect(await rowsOf('{\n "a": 1\n')).toEqual([bad(1), bad(2)]);
    const hidden = `{"a":1\n}${" ".repeat(ROW_LENGTH_MAX)}garbage`;
    expect(await rowsOf(hidden)).toEqual([bad(1), bad(2, "ROW_TOO_LONG")]);
  });
});

test("in a JSON array bytes that are no UTF-8 spoil their element only", async () => {
  const bytes = Buffer.concat([Buffer.from('["\u{fffd}","'), Buffer.of(0xff), Buffer.from('","\u{fffd}"]')]);
  expect(await rowsOf(bytes)).toEqual([[1, "\u{fffd}"], bad(2, "NOT_UTF8"), [3, "\u{fffd}"]]);
});

test.each(["", " \n\t\r\n ", "\u{feff}"])("%j is a file without rows", async (text) => {
  expect(await rowsOf(text)).toEqual([]);
});

test.each(["ndjson", "array", "csv"])(
  "damaged gzip ends a file of %s with one bad row, behind what was read",
  async (format) => {
    const ids = Array.from({ length: 6_000 }, (_, index) => `${index}-${Math.sin(index)}`);
    const rows = ids.map((id) => JSON.stringify({ id }));
    const texts = { ndjson: rows.join("\n"), array: `[${rows.join(",")}]`, csv: `transactionId\n${ids.join("\n")}` };
    const whole = gzipSync(texts[format as keyof typeof texts]);
    const read = await rowsOf(...cut(whole.subarray(0, whole.length - 1_000), [1_000, 50_000, 100_000]));
    const last = read.at(-1);
    const before = read.slice(0, -1);
    expect(before.length).toBeGreaterThan(100);
    expect(before.every((row) => !("fault" in row))).toBe(true);
    const numbers = before.map((row) => ("fault" in row ? 0 : row[0]));
    expect(last).toEqual(bad((numbers.at(-1) ?? 0) + 1, "DAMAGED_GZIP"));
  },
);

test.each(['{"a":1}\n{"b"', "[1,2", "transactionId,amount\nx,1\ny"])(
  "a download that breaks off is thrown, and its last row is not taken for a whole one: %j",
  async (text) => {
    async function* broken(): AsyncGenerator<Uint8Array> {
      yield Buffer.from(text);
      throw new Error("The connection was reset.");
    }
    const numbers: number[] = [];
    const reading = (async () => {
      for await (const row of readRows(broken())) numbers.push(row.number);
    })();
    await expect(reading).rejects.toThrow("The connection was reset.");
    expect(numbers.length).toBeLessThanOrEqual(1);
  },
);

test.each(['{"a":1}\n', "[1,", "transactionId\nx\n"])(
  "who stops reading lets go of the download: %j",
  async (start) => {
    let released = false;
    async function* endless(): AsyncGenerator<Uint8Array> {
      try {
        yield Buffer.from(start);
        for (;;) yield Buffer.from(start.slice(1));
      } finally {
        released = true;
      }
    }
    for await (const row of readRows(endless())) if (row.number > 0) break;
    await new Promise((resolve) => setImmediate(resolve));
    expect(released).toBe(true);
  },
);

/** A file of this many times the same chunk, made as it is read; counts what is kept of it. */
async function* repeated(head: string, chunk: string, times: number, tail: string): AsyncGenerator<Uint8Array> {
  yield Buffer.from(head);
  const bytes = Buffer.from(chunk);
  for (let index = 0; index < times; index++) yield bytes;
  yield Buffer.from(tail);
}

const MEGABYTE = 1024 * 1024;

test.each<[string, string, string, string]>([
  ["a single line", '{"transactionId":"', "x".repeat(MEGABYTE), '"}'],
  ["a single line of an open object", '{"a":1,\n"b":"', "x".repeat(MEGABYTE), '"}'],
  ["an array of one element", '[{"transactionId":"', "x".repeat(MEGABYTE), '"}]'],
  ["an array that never begins another element", '["', "[{,".repeat(MEGABYTE / 3), '"]'],
  ["one CSV cell", "transactionId,amount\nx,", "1".repeat(MEGABYTE), "\n"],
  ["one quoted CSV cell", 'transactionId,amount\nx,"', `""${"1".repeat(MEGABYTE)}`, '"\n'],
  ["a CSV header", "transactionId,", "a".repeat(MEGABYTE), "\n"],
])("5 MB of %s: what is kept of a row is cut at the limit", async (_what, head, chunk, tail) => {
  let kept = 0;
  for await (const row of readRows(repeated(head, chunk, 5, tail))) {
    if ("fault" in row) kept = Math.max(kept, row.text.length);
  }
  expect(kept).toBeGreaterThan(0);
  expect(kept).toBeLessThanOrEqual(ROW_LENGTH_MAX);
});

/** Bytes that something still refers to: what is not collected yet does not count. */
function heapInUse(): number {
  setFlagsFromString("--expose-gc");
  runInNewContext("gc")();
  return process.memoryUsage().heapUsed;
}

test("empty lines behind an open brace are not held", async () => {
  const before = heapInUse();
  let peak = 0;
  let rows = 0;
  const chunks = repeated("{\n", "\n".repeat(MEGABYTE), 3, "");
  async function* metered(): AsyncGenerator<Uint8Array> {
    for await (const chunk of chunks) {
      peak = Math.max(peak, heapInUse() - before);
      yield chunk;
    }
  }
  for await (const row of readRows(metered())) rows += row.number;
  expect(rows).toBe(1);
  // A held line costs about 100 bytes: three million of them would be 300 MB, those of one chunk 100 MB.
  expect(peak).toBeLessThan(50 * MEGABYTE);
});

test("rows are asked for one by one: the download is not read ahead of them", async () => {
  let read = 0;
  async function* counted(): AsyncGenerator<Uint8Array> {
    for (;;) {
      read += 1;
      yield Buffer.from('{"a":1}\n');
    }
  }
  const rows = readRows(counted());
  for (let index = 0; index < 10; index++) await rows.next();
  expect(read).toBeLessThan(15);
  await rows.return(undefined);
});

test("property: blank lines before the first row count as lines, however the file is cut", async () => {
  const blank = fc.string({ unit: fc.constantFrom(" ", "\n", "\t"), maxLength: 20 });
  await fc.assert(
    fc.asyncProperty(blank, cuts, async (before, places) => {
      const first = before.split("\n").length;
      const text = `${before}{"a":1}\n{"b":2}`;
      expect(await rowsOf(...cut(Buffer.from(text), places))).toEqual([
        [first, { a: "1" }],
        [first + 1, { b: "2" }],
      ]);
    }),
  );
});

test("more white space than a row may hold, before the first character, is not kept", async () => {
  expect(await listOf(readRows(repeated("", " ".repeat(MEGABYTE), 3, "[7] \n 8")))).toEqual([
    expect.objectContaining({ number: 1 }),
    { number: 2, fault: "NOT_JSON", text: "8", cardData: false },
  ]);
  expect(await listOf(readRows(repeated("", " ".repeat(MEGABYTE), 3, "a")))).toEqual([
    { number: 1, fault: "NOT_CSV", text: "a", cardData: false },
  ]);
});

test.each([
  ["CSV", "transactionId\nx\ny,2", 2],
  ["NDJSON", '{"a":1}\n{"b":2', 1],
])("the lines of so much white space count: rows of %s are named by their lines", async (_format, text, behind) => {
  const rows = await listOf(readRows(repeated("", "\n".repeat(MEGABYTE), 3, text)));
  expect(rows.at(-1)).toMatchObject({ number: 3 * MEGABYTE + 1 + behind, fault: expect.any(String) });
  expect(rows).toHaveLength(2);
});

test("what is no payment file at all is one bad row, not a file without rows", async () => {
  for (const text of ["7", '"text"', "hello", "<xml/>"]) expect(await rowsOf(text)).toEqual([bad(1, "NOT_CSV")]);
  expect(await rowsOf(Buffer.from("\u{feff}x,y\n", "utf16le"))).toContainEqual(bad(1, "NOT_UTF8"));
  expect(await listOf(readRows(bytesOf("a 4111\n")))).toEqual([
    { number: 1, fault: "NOT_CSV", text: "a 4111", cardData: false },
  ]);
});
