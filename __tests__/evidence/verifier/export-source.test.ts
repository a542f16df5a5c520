import { createHash } from "node:crypto";
import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import path from "node:path";
import type { Duplex } from "node:stream";
import { createGunzip, gzipSync } from "node:zlib";
import fc from "fast-check";
import { exportSources, sourceChainsOf } from "../../../evidence/verifier/export-source";
import type { RecordChange } from "../../../evidence/verifier/sources";
import { DataFileReading, type LineOrFault } from "../../../ledger/exports/data-file";
import { localFolder } from "../../../ledger/exports/local-folder";
import type { Manifest } from "../../../ledger/exports/manifest";
import { addExport, addManifest, at, onDisk } from "../../support/log-world";
import type { Files } from "../../support/naive-log";

const folder = mkdtempSync(path.join(tmpdir(), "payment-ledger-lines-"));
afterAll(() => rmSync(folder, { recursive: true }));

async function read(bytes: Buffer, itemCount: number) {
  writeFileSync(path.join(folder, "data.json.gz"), bytes);
  const reading = new DataFileReading({ path: "data.json.gz", itemCount, md5: "" }, localFolder(folder));
  const all: LineOrFault[] = [];
  for await (const batch of reading.lines()) all.push(...batch);
  const { items, fault } = reading;
  return {
    lines: all.flatMap((each) => ("line" in each ? [each.line] : [])),
    numbers: all.flatMap((each) => ("line" in each ? [each.number] : [])),
    faults: all.flatMap((each) => ("fault" in each ? [`line ${each.number}: ${each.fault}`] : [])),
    fault: fault?.kind,
    items,
    reading,
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

  test.each<[string, Buffer, string]>([
    ["no gzip", Buffer.from("a\nb\n"), "bad-gzip"],
    ["few bytes", Buffer.from([0x1f]), "bad-gzip"],
    ["an end too early", zip("a\nb\n").subarray(0, -3), "bad-gzip"],
    ["damage far inside", damaged(zip(`${MANY.join("\n")}\n`)), "bad-gzip"],
    ["many more lines than items", zip("\n".repeat(10_010)), "too-many-lines"],
  ])("of a file with %s end there, and the reading says why", async (_name, bytes, fault) => {
    const itemCount = fault === "too-many-lines" ? 1 : MANY.length;
    expect(await read(bytes, itemCount)).toMatchObject({ fault, reading: { md5: "" } });
  });

  test("of a file that could not be inflated for another reason are not called damaged", async () => {
    const broken = Object.assign(new Error("There was no memory."), { code: "Z_MEM_ERROR" });
    const gunzips: Duplex = Object.getPrototypeOf(createGunzip());
    const write = jest.spyOn(gunzips, "write").mockImplementation(function (this: Duplex) {
      this.destroy(broken);
      return false;
    });
    // Longer than what is inflated at once.
    await expect(read(zip(Buffer.alloc(2 * 1024 * 1024, 0x61)), 1)).rejects.toBe(broken);
    write.mockRestore();
  });

  test.each<[string, Buffer, string]>([
    ["that is not UTF-8", Buffer.from([0x61, 0xff, 0x0a, 0x62]), "line 1: The line is not UTF-8."],
    [
      "longer than any item",
      Buffer.concat([Buffer.alloc(26 * 1024 * 1024, 0x61), Buffer.from("\nb")]),
      "line 1: The line is longer than any item.",
    ],
  ])("a line %s is a fault of that line, and the next one is read", async (_name, bytes, fault) => {
    expect(await read(zip(bytes), 2)).toMatchObject({ lines: ["b"], faults: [fault], items: 2, fault: undefined });
  });

  test("what the reading measured: MD5, bytes and lines of the whole file, and nothing of one of no bytes", async () => {
    const bytes = zip(`${MANY.join("\n")}\n`);
    const md5 = createHash("md5").update(bytes).digest("base64");
    expect((await read(bytes, MANY.length)).reading).toMatchObject({ md5, bytes: bytes.length, items: MANY.length });
    expect((await read(Buffer.alloc(0), 0)).reading).toMatchObject({
      md5: "1B2M2Y8AsgTpgAmY7PhCfg==",
      bytes: 0,
      items: 0,
      fault: undefined,
    });
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
    const { sources, problems } = await exportSources(place);
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

  test("property: in whatever order they are found, windows follow each other in time, up to the first gap", () => {
    const summary = (id: string, times: Pick<Manifest, "kind" | "from" | "to">): Manifest => ({
      ...{ id, path: id, table: "PaymentLedger", deployedTable: "PaymentLedger", hasOldImages: true, endTime: at(59) },
      ...{ itemCount: 0, files: [], dataFolder: id },
      ...times,
    });
    const windows = Array.from({ length: 6 }, (_, index) =>
      summary(`w${index}`, { kind: "incremental", from: at(20 + index), to: at(21 + index) }),
    );
    const fulls = [summary("old", { kind: "full", to: at(10) }), summary("new", { kind: "full", to: at(20) })];
    const early = summary("early", { kind: "incremental", from: at(10), to: at(20) });
    const orders = fc.shuffledSubarray(windows, { minLength: windows.length });
    fc.assert(
      fc.property(orders, fc.shuffledSubarray([...fulls, early], { minLength: 3 }), fc.nat(6), (ordered, rest, gap) => {
        const found = [...rest, ...ordered.filter(({ id }) => id !== `w${gap}`)];
        const problems: string[] = [];
        const [chain, ...others] = sourceChainsOf(found, problems);
        expect(others).toEqual([]);
        expect(chain?.exports.map(({ id }) => id)).toEqual(["new", ...windows.slice(0, gap).map(({ id }) => id)]);
        expect(chain?.takenAt).toBe(at(20 + gap));
        expect(problems).toHaveLength(gap < 5 ? 1 : 0);
      }),
    );
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

  test("of the exports of two deployments none is read", async () => {
    const files: Files = new Map();
    addExport(files, "payment-audit-trail", FULL(1), full(row("a", "1")), "f");
    addExport(files, "payment-audit-trail-other", FULL(2), full(row("b", "1")), "f");
    expect((await sourcesIn(files)).read).toEqual([]);
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

  test.each<[string, (files: Files, data: string) => void, RegExp]>([
    [
      "another checksum",
      (files, data) => files.set(data, zip(`${full(row("b", "1")).join("\n")}\n`)),
      /not what the manifest's checksum says/,
    ],
    ["other items than listed", (files, data) => files.set(data, zip("")), /has 0 items, and the manifest says 1/],
    ["damaged data", (files, data) => files.set(data, Buffer.from("x")), /gzip data is damaged/],
    ["a file that is not there", (files, data) => files.delete(data), /lists it, and it is not there/],
  ])("a data file with %s is reported after its lines", async (_name, change, fault) => {
    const files: Files = new Map();
    addExport(files, "payment-audit-trail", FULL(1), full(row("a", "1")), "f");
    change(files, [...files.keys()].find((name) => name.endsWith("part0.json.gz")) ?? "");
    const { read } = await sourcesIn(files);
    expect(read[0]?.changes.map((each) => each.fault ?? "").join(" ")).toMatch(fault);
  });

  test("nothing at all is no problem of the exports: each table is missed by the verification", async () => {
    expect(await sourcesIn(new Map([["readme.txt", Buffer.alloc(1)]]))).toEqual({ read: [], problems: [] });
  });

  test("a folder that is not there is refused", async () => {
    await expect(exportSources(path.join(folder, "nowhere"))).rejects.toMatchObject({ code: "SOURCE_MISSING" });
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
