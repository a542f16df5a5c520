/** Rows of CSV files, held against an independent parser where the file is well-formed; a bad row spoils no other. */

import { parse } from "csv-parse/sync";
import fc from "fast-check";
import { ROW_LENGTH_MAX } from "../../../ledger/files/rows";
import { cut, cuts, rowsOf } from "./sources";

const HEADER = "transactionId,amount";
const bad = (number: number, fault = "NOT_CSV") => ({ number, fault });
const good = (number: number, transactionId: string, amount: string) => [number, { transactionId, amount }];
const quoted = (cell: string) => `"${cell.replaceAll('"', '""')}"`;
const needsQuotes = (cell: string) => /^"|[,\r\n]/.test(cell);

test("property: any cells, quoted where they must be or anyhow, come back in any cutting", async () => {
  const unit = fc.constantFrom("a", "1", " ", ",", '"', "\n", "\r\n", "é", "😀", "'", ";");
  const cells = fc.tuple(fc.string({ unit, minLength: 1, maxLength: 6 }), fc.boolean());
  const records = fc.array(fc.tuple(cells, cells), { minLength: 1, maxLength: 6 });
  await fc.assert(
    fc.asyncProperty(
      records,
      fc.constantFrom("\n", "\r\n"),
      fc.boolean(),
      cuts,
      async (list, newline, ended, places) => {
        const written = list.map((record) =>
          record.map(([cell, anyhow]) => (anyhow || needsQuotes(cell) ? quoted(cell) : cell)).join(","),
        );
        const text = [HEADER, ...written].join(newline) + (ended ? newline : "");
        let line = 1;
        const expected = list.map((record, index) => {
          line += written[index]?.split("\n").length ?? 0;
          return good(line, record[0][0], record[1][0]);
        });
        expect(await rowsOf(...cut(Buffer.from(text), places))).toEqual(expected);
        const independent = parse(text, { relax_quotes: true, record_delimiter: newline });
        expect(independent.slice(1)).toEqual(list.map(([[a], [b]]) => [a, b]));
      },
    ),
    { numRuns: 300 },
  );
});

test("columns of metadata are its members; empty cells are absent members, but empty metadata", async () => {
  const header = "transactionId,amount,metadata.shop,metadata.__proto__,actor";
  expect(await rowsOf(`${header}\nx,10.50,"Shop, ""A""",1.10,\ny,,,,me\n`)).toEqual([
    [2, { transactionId: "x", amount: "10.50", metadata: { shop: 'Shop, "A"', ["__proto__"]: "1.10" } }],
    [3, { transactionId: "y", actor: "me", metadata: { shop: "", ["__proto__"]: "" } }],
  ]);
});

test.each<[string, string, unknown[]]>([
  ["blank lines", "\n\nx,1\n\r\n\ny,2", [good(3, "x", "1"), good(6, "y", "2")]],
  ["mixed line ends", "\r\nx,1\ny,2\r\n", [good(2, "x", "1"), good(3, "y", "2")]],
  ["a cell too few", "\nx\ny,2", [bad(2), good(3, "y", "2")]],
  ["a cell too many", "\nx,1,2\ny,2", [bad(2), good(3, "y", "2")]],
  ["a quote inside a cell", '\nx"y,1\ny,2', [good(2, 'x"y', "1"), good(3, "y", "2")]],
  ["something behind a closing quote", '\n"x"y,1\ny,2', [bad(2), good(3, "y", "2")]],
  ["a quote that does not close", '\nw,1\nx,"1\ny,2\nz,3', [good(2, "w", "1"), bad(5)]],
  ["a quote that another closes", '\nx,"1\ny,2\nz,"3"\nv,4', [bad(4), good(5, "v", "4")]],
  ["a quoted line break", '\n"x\r\nz",1\ny,2', [good(3, "x\r\nz", "1"), good(4, "y", "2")]],
  ["nothing but a header", "", [bad(1, "NO_ROWS")]],
])("with %s", async (_what, rest, rows) => {
  expect(await rowsOf(HEADER + rest)).toEqual(rows);
  expect(await rowsOf(...Array.from(Buffer.from(HEADER + rest), (byte) => Uint8Array.of(byte)))).toEqual(rows);
});

test("a row that is too long spoils itself only, quoted or not", async () => {
  const long = "1".repeat(ROW_LENGTH_MAX);
  const tooLong = bad(3, "ROW_TOO_LONG");
  expect(await rowsOf(`${HEADER}\nw,1\nx,${long}\ny,2\nz,3`)).toEqual([
    good(2, "w", "1"),
    tooLong,
    good(4, "y", "2"),
    good(5, "z", "3"),
  ]);
  expect(await rowsOf(`${HEADER}\nw,1\nx,"${long}"\ny,2`)).toEqual([good(2, "w", "1"), tooLong, good(4, "y", "2")]);
});

test("a quote that does not close costs the rows of one limit, not the rest of the file", async () => {
  const rows = Array.from({ length: 60_000 }, (_, index) => `row-${index},1.00`);
  const read = await rowsOf(`${HEADER}\nx,"1\n${rows.join("\n")}`);
  expect(read.filter((row) => "fault" in row)).toHaveLength(1);
  expect(read[0]).toMatchObject({ fault: "ROW_TOO_LONG" });
  expect(read.at(-1)).toEqual(good(60_002, "row-59999", "1.00"));
  expect(read.length).toBeGreaterThan(30_000);
});

test("bytes that are no UTF-8 spoil their row only", async () => {
  const bytes = Buffer.concat([Buffer.from(`${HEADER}\nx,1\n`), Buffer.of(0xe9), Buffer.from(",2\ny\u{fffd},3")]);
  expect(await rowsOf(bytes)).toEqual([good(2, "x", "1"), bad(3, "NOT_UTF8"), good(4, "y\u{fffd}", "3")]);
});

test.each([
  ["names no transactionId", "id,amount"],
  ["names a column twice", "transactionId,amount,amount"],
  ["names a member of the metadata twice", "transactionId,metadata.a,metadata.a"],
  ["has metadata and its members", "transactionId,metadata,metadata.a"],
  ["has an open quote", 'transactionId,"amount'],
  ["names a column that is no field", "transactionId,amount,colour"],
  ["names a column of events", "transactionId,amount,Kind"],
  ["is of events and names no payment", "EventID,Kind,Amount"],
  ["is of events and names a column of payments", "EventID,TransactionID,cardLast4"],
  ["is of events and names the version of the schema", "EventID,TransactionID,schemaVersion"],
])("a header that %s is a bad row, and so is each row under it", async (_what, header) => {
  const read = await rowsOf(`${header}\nx,1,2\ny,3,4\n`);
  expect(read[0]).toMatchObject({ fault: "NOT_CSV" });
  expect(read.every((row) => "fault" in row)).toBe(true);
});

test("a header that is too long is a bad row, and no row is read under the part of it that is within the limit", async () => {
  const read = await rowsOf(`transactionId,metadata.${"a".repeat(ROW_LENGTH_MAX)}\nx,1\n`);
  expect(read).toEqual([bad(1, "ROW_TOO_LONG"), bad(2)]);
});

test("the columns of events are those of their schema; metadata may be one column", async () => {
  expect(await rowsOf("EventID,Kind,TransactionID,Of\ne-1,CAPTURED,x,\n")).toEqual([
    [2, { EventID: "e-1", Kind: "CAPTURED", TransactionID: "x" }],
  ]);
  expect(await rowsOf("transactionId,metadata\nx,a note")).toEqual([[2, { transactionId: "x", metadata: "a note" }]]);
});

test("columns without a name may be empty, as spreadsheets leave them", async () => {
  expect(await rowsOf(`${HEADER},,\nx,1,,\ny,2,3,`)).toEqual([
    good(2, "x", "1"),
    [3, { transactionId: "y", amount: "2", "": "3" }],
  ]);
});
