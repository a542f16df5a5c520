import { createHash } from "node:crypto";
import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import path from "node:path";
import { gzipSync } from "node:zlib";
import { type LineOrFault, linesOfFile } from "../../../evidence/verifier/export-lines";
import { exportSources } from "../../../evidence/verifier/export-source";
import { RegularFiles } from "../../../evidence/verifier/regular-file";
import type { RecordChange } from "../../../evidence/verifier/sources";
import { addExport, addManifest, at, onDisk } from "../../support/log-world";
import type { Files } from "../../support/naive-log";

const folder = mkdtempSync(path.join(tmpdir(), "payment-ledger-lines-"));
afterAll(() => rmSync(folder, { recursive: true }));

async function read(bytes: Buffer, itemCount: number, changes: { md5?: string; path?: string } = {}) {
  const { path: place = path.join(folder, "data.json.gz") } = changes;
  const file = {
    path: place,
    open: () => new RegularFiles(folder).open(path.basename(place)),
    itemCount,
    md5: createHash("md5").update(bytes).digest("base64"),
    ...changes,
  };
  writeFileSync(path.join(folder, "data.json.gz"), bytes);
  const all: LineOrFault[] = [];
  for await (const batch of linesOfFile(file)) all.push(...batch);
  return {
    lines: all.flatMap((each) => ("line" in each ? [each.line] : [])),
    numbers: all.flatMap((each) => ("line" in each ? [each.number] : [])),
    faults: all.flatMap((each) => ("fault" in each ? [each.fault.replace(/^.*data\.json\.gz: /, "")] : [])),
  };
}

const zip = (text: string | Buffer) => gzipSync(text, { level: 1 });
/** Too long when plain to be read at once. */
const MANY = Array.from(
  { length: 30_000 },
  (_, each) => `{"n":${each},"x":"${"é".repeat(each % 500)}${"-".repeat(900)}"}`,
);

describe("lines of a data file", () => {
  test.each<[string, string, string[]]>([
    ["of no lines", "", []],
    ["of one", "a\n", ["a"]],
    ["without a newline at its end", "a\nb", ["a", "b"]],
    ["with empty lines between", "\na\n\n\nb\n", ["a", "b"]],
    ["that is not ASCII", "é\n\u{1f600}\n", ["é", "\u{1f600}"]],
  ])("%s", async (_name, text, lines) => {
    expect(await read(zip(text), lines.length)).toMatchObject({ lines, faults: [] });
  });

  test("keep their numbers where some are empty", async () => {
    expect((await read(zip("a\n\nb\n"), 2)).numbers).toEqual([1, 3]);
  });

  test("of a large one come piece by piece, and are the same", async () => {
    const { lines, faults } = await read(zip(`${MANY.join("\n")}\n`), MANY.length);
    expect(faults).toEqual([]);
    expect(lines).toHaveLength(MANY.length);
    expect(lines.every((line, index) => line === MANY[index])).toBe(true);
  });

  test("of gzip data in several parts are all read", async () => {
    const bytes = Buffer.concat([zip("a\nb"), zip("c\nd\n"), zip("")]);
    expect(await read(bytes, 3)).toMatchObject({ lines: ["a", "bc", "d"], faults: [] });
  });

  const damaged = (bytes: Buffer) => {
    const copy = Buffer.from(bytes);
    copy.fill(0xff, bytes.length - 400, bytes.length - 200);
    return copy;
  };

  test.each<[string, Buffer, number, object, RegExp]>([
    ["another checksum", zip("a\n"), 1, { md5: "AAAAAAAAAAAAAAAAAAAAAA==" }, /not what the manifest's checksum says/],
    ["fewer items", zip("a\n"), 2, {}, /it has 1 items, and the manifest says 2/],
    ["more items", zip("a\nb\n"), 1, {}, /it has 2 items/],
    ["no gzip", Buffer.from("a\nb\n"), 2, {}, /gzip data is damaged/],
    ["no bytes", Buffer.alloc(0), 1, {}, /gzip data is damaged|checksum|it has 0 items/],
    ["few bytes", Buffer.from([0x1f]), 1, {}, /gzip data is damaged/],
    ["an end too early", zip("a\nb\n").subarray(0, -3), 2, {}, /gzip data is damaged/],
    ["bytes that are not UTF-8", zip(Buffer.from([0x61, 0xff, 0x0a])), 1, {}, /Line 1 is not UTF-8/],
    ["a path where nothing lies", zip(""), 0, { path: path.join(folder, "absent") }, /it is not there/],
    ["a line longer than any item", zip(Buffer.alloc(26 * 1024 * 1024, 0x61)), 1, {}, /Line 1 is longer than any item/],
    ["damage far inside", damaged(zip(`${MANY.join("\n")}\n`)), MANY.length, {}, /gzip data is damaged/],
  ])("with %s: said", async (_name, bytes, count, changes, fault) => {
    const { faults } = await read(bytes, count, changes);
    expect(faults.join(" ")).toMatch(fault);
  });

  test("before the damage are read", async () => {
    const { lines } = await read(damaged(zip(`${MANY.join("\n")}\n`)), MANY.length);
    expect(lines.length).toBeGreaterThan(1000);
    expect(lines.slice(0, 1000)).toEqual(MANY.slice(0, 1000));
  });
});

const FULL = (time: number) => ({ exportTime: at(time), exportType: "FULL_EXPORT" });
const WINDOW = (from: number, to: number) => ({
  exportFromTime: at(from),
  exportToTime: at(to),
  exportType: "INCREMENTAL_EXPORT",
  outputView: "NEW_AND_OLD_IMAGES",
});
const row = (id: string, amount: string) => ({ paymentId: { S: id }, amount: { S: amount } });
const full = (...items: object[]) => items.map((Item) => JSON.stringify({ Item }));

function sourcesIn(files: Files) {
  return onDisk(files, async (place) => {
    const { sources, problems } = exportSources(place);
    const read = await Promise.all(
      sources.map(async (source) => {
        const changes: RecordChange[] = [];
        for await (const batch of source.batches()) changes.push(...batch);
        return { table: source.table, takenAt: source.takenAt, expected: source.expected, changes };
      }),
    );
    return { read, problems: problems.map((text) => text.replaceAll(place, "")) };
  });
}

describe("exports in a folder", () => {
  test("a full export as it was written without its type, as of old", async () => {
    const files: Files = new Map();
    addExport(files, "payment-audit-trail", { exportTime: at(9) }, full(row("a", "1"), row("b", "2")), "one");
    const { read, problems } = await sourcesIn(files);
    expect(problems).toEqual([]);
    expect(read).toEqual([
      {
        table: "payment-audit-trail",
        takenAt: at(9),
        expected: 2,
        changes: [row("a", "1"), row("b", "2")].map((item) => ({ now: JSON.stringify(item) })),
      },
    ]);
  });

  test("the newest full one and the windows after it, in their order", async () => {
    const files: Files = new Map();
    const line = (images: object) => JSON.stringify({ Keys: { paymentId: { S: "a" } }, Metadata: {}, ...images });
    addExport(files, "payment-audit-trail", FULL(10), full(row("a", "0")), "old");
    addExport(files, "payment-audit-trail", WINDOW(5, 20), [line({ NewImage: row("a", "before") })], "w0");
    addExport(
      files,
      "payment-audit-trail",
      WINDOW(30, 40),
      [line({ OldImage: row("a", "2"), NewImage: row("a", "3") })],
      "w2",
    );
    addExport(files, "payment-audit-trail", FULL(20), full(row("a", "1")), "new");
    addExport(
      files,
      "payment-audit-trail",
      WINDOW(20, 30),
      [line({ OldImage: row("a", "1"), NewImage: row("a", "2") })],
      "w1",
    );
    const { read, problems } = await sourcesIn(files);
    expect(problems).toEqual([]);
    expect(read).toEqual([
      {
        table: "payment-audit-trail",
        takenAt: at(40),
        expected: 3,
        changes: [
          { now: JSON.stringify(row("a", "1")) },
          { before: row("a", "1"), now: row("a", "2") },
          { before: row("a", "2"), now: row("a", "3") },
        ],
      },
    ]);
  });

  test("a window that overlaps the full one is marked", async () => {
    const files: Files = new Map();
    addExport(files, "payment-audit-trail", FULL(20), full(), "new");
    const line = JSON.stringify({ Key: { paymentId: { S: "a" } }, NewImage: row("a", "2") });
    addExport(files, "payment-audit-trail", WINDOW(10, 30), [line], "w1");
    expect((await sourcesIn(files)).read[0]?.changes).toEqual([{ now: row("a", "2"), replay: true }]);
  });

  test("what came after a gap is not read, and that is said", async () => {
    const files: Files = new Map();
    addExport(files, "payment-audit-trail", FULL(20), full(row("a", "1")), "new");
    addExport(files, "payment-audit-trail", WINDOW(25, 30), [], "w1");
    const { read, problems } = await sourcesIn(files);
    expect(read[0]).toMatchObject({ takenAt: at(20), changes: [{ now: JSON.stringify(row("a", "1")) }] });
    expect(problems).toEqual([expect.stringContaining(`from ${at(20)} to ${at(25)}`)]);
  });

  test.each<[string, (files: Files) => void, RegExp]>([
    [
      "only windows",
      (files) => addExport(files, "payment-audit-trail", WINDOW(1, 2), [], "w"),
      /no full export of payment-audit-trail/,
    ],
    [
      "a table of others",
      (files) => addExport(files, "Orders", FULL(1), [], "f"),
      /no export of a table of this ledger/,
    ],
    [
      "windows without old images",
      (files) => addExport(files, "payment-audit-trail", { ...WINDOW(1, 2), outputView: "NEW_IMAGE" }, [], "w"),
      /lacks the old images/,
    ],
    [
      "a full one that is in Ion",
      (files) => {
        addExport(files, "payment-audit-trail", FULL(1), [], "f");
        for (const [path, bytes] of files)
          files.set(path, Buffer.from(bytes.toString().replace("DYNAMODB_JSON", "ION")));
      },
      /not in DynamoDB JSON/,
    ],
    [
      "no time",
      (files) => addExport(files, "payment-audit-trail", { exportType: "FULL_EXPORT" }, [], "f"),
      /what time it covers/,
    ],
    [
      "no manifest that is one",
      (files) => addManifest(files, "x/AWSDynamoDB/1/manifest-summary", "[1"),
      /no JSON object/,
    ],
    [
      "two deployments",
      (files) => {
        addExport(files, "payment-audit-trail", FULL(1), [], "f");
        addExport(files, "payment-audit-trail-other", FULL(1), [], "f");
      },
      /payment-audit-trail-dev and payment-audit-trail-other-dev lie in one folder/,
    ],
  ])("with %s: a problem", async (_name, add, problem) => {
    const files: Files = new Map();
    add(files);
    const { problems } = await sourcesIn(files);
    expect(problems.join(" ")).toMatch(problem);
  });

  test("nothing at all is no problem of the exports: each table is missed by the verification", async () => {
    expect(await sourcesIn(new Map([["readme.txt", Buffer.alloc(1)]]))).toEqual({ read: [], problems: [] });
  });

  test("a folder that is not there is refused", () => {
    expect(() => exportSources(path.join(folder, "nowhere"))).toThrow(
      expect.objectContaining({ code: "SOURCE_MISSING" }),
    );
  });

  test.each([
    ["no JSON", "x"],
    ["a list", "[]"],
    ["null", "null"],
    ["no item", '{"Item":1}'],
    ["no images of an item", '{"Keys":{"paymentId":{"S":"a"}},"NewImage":[]}'],
    ["an image without keys", '{"NewImage":{"paymentId":{"S":"a"}}}'],
    ["a member twice", '{"Keys":{"paymentId":{"S":"a"}},"Keys":{"paymentId":{"S":"a"}}}'],
  ])("a line of %s is a fault, with its place", async (_name, line) => {
    const files: Files = new Map();
    addExport(files, "payment-audit-trail", FULL(1), [line], "f");
    addExport(files, "payment-audit-trail", WINDOW(1, 2), [line], "w");
    const { read } = await sourcesIn(files);
    const faults = read[0]?.changes.flatMap(({ fault }) => (fault === undefined ? [] : [fault])) ?? [];
    expect(faults.length).toBeGreaterThan(0);
    for (const fault of faults) expect(fault).toMatch(/part0\.json\.gz, line 1, of payment-audit-trail: /);
  });
});
