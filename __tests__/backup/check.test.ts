import { type CheckOptions, checkFolder } from "../../backup/check";
import { checkReportText, exitCodeOf } from "../../backup/findings";
import { localFolder } from "../../ledger/exports/local-folder";
import type { StoredItem } from "../../ledger/rules/stored-item";
import { at, ExportOnDisk, idAt, payment, payments, TABLE, tableOf } from "./fixture";

let disk: ExportOnDisk;
beforeEach(() => {
  disk = new ExportOnDisk();
});
afterEach(() => disk.delete());

const BEFORE = payments(200, -1000);
const FULL = { kind: "full", to: at(0) } as const;
const DAY = 24 * 60;
const window = (day: number) => ({ kind: "incremental", from: at(day * DAY), to: at((day + 1) * DAY) }) as const;

const check = (options?: CheckOptions) => checkFolder(localFolder(disk.top), options);
const against = (items: readonly StoredItem[]) =>
  check({ tableOf: (name) => (name === TABLE ? tableOf(items) : undefined) });
const codes = async (found: ReturnType<typeof check>) => [...new Set((await found).findings.map(({ code }) => code))];

/** A full export, and three days of windows with ten payments each. */
function writeChain(): StoredItem[] {
  disk.write(FULL, 0, BEFORE);
  const items = [...BEFORE];
  for (const day of [0, 1, 2]) {
    const added = payments(10, day * DAY + 60);
    items.push(...added);
    disk.write(window(day), (day + 1) * DAY, items);
  }
  return items;
}

describe("a good export", () => {
  test("is good, alone and against its table", async () => {
    disk.write(FULL, 0, BEFORE);
    const report = await against([...BEFORE, ...payments(20, 100)]);
    expect(report).toMatchObject({ verdict: "good", findings: [], notes: [] });
    expect(exitCodeOf(report)).toBe(0);
    expect(report.exports).toEqual([
      expect.objectContaining({ export: idAt(0), table: TABLE, kind: "full", to: at(0), files: 4, items: 200 }),
    ]);
    expect(report.comparisons).toEqual([{ table: TABLE, recordedUntil: at(-15), compared: 200, undated: 0 }]);
  });

  test("that no table is held against says so", async () => {
    disk.write(FULL, 0, BEFORE);
    expect(await check()).toMatchObject({ verdict: "good", notes: [`${TABLE} was not compared with its table.`] });
  });

  test("with the windows after it is good, changed rows included", async () => {
    const items = writeChain();
    const changed = items.map((item, index) =>
      index === 3 ? { ...item, Status: { S: "Success" }, StatusChangedAt: { S: at(2 * DAY + 90) } } : item,
    );
    disk.write(window(3), 4 * DAY, changed);
    const report = await against(items);
    expect(report).toMatchObject({ verdict: "good", findings: [] });
    expect(report.comparisons[0]).toMatchObject({ compared: 230 });
  });

  test("of which nothing was compared, although the table holds something, is incomplete", async () => {
    disk.write(FULL, 0, []);
    const report = await against(payments(5, 10));
    expect(report).toMatchObject({ verdict: "incomplete", comparisons: [{ compared: 0 }] });
    expect(report.findings.map(({ code }) => code)).toEqual(["NOTHING_COMPARED"]);
    const { RecordedAt: _time, ...undated } = payment("txn-undated", at(-500));
    expect(await codes(against([undated]))).toEqual(["NOTHING_COMPARED"]);
  });

  test("of a new ledger, whose items are all too young to be due, is good as far as it holds every one of them", async () => {
    const young = payments(5, -10);
    disk.write(FULL, 0, young);
    const later = payments(3, 10);
    const report = await against([...young, ...later]);
    expect(report).toMatchObject({ verdict: "good", findings: [] });
    expect(report.comparisons).toEqual([{ table: TABLE, recordedUntil: at(0), compared: 5, undated: 0 }]);
    const underWay = payment("txn-under-way", at(-1));
    const one = await against([...young, underWay, ...later]);
    expect(one).toMatchObject({ verdict: "incomplete", comparisons: [{ recordedUntil: at(-15), compared: 0 }] });
    expect(one.findings).toEqual([
      expect.objectContaining({ code: "NOTHING_COMPARED", message: expect.stringContaining("do not hold all 6 that") }),
    ]);
  });

  test("of a new ledger from which the items were taken is never good", async () => {
    const young = payments(5, -10);
    for (const kept of [0, 1, 4]) {
      disk.delete();
      disk = new ExportOnDisk();
      disk.write(FULL, 0, young.slice(0, kept));
      expect(await codes(against(young))).toEqual(["NOTHING_COMPARED"]);
    }
    // One older item is due: the export without it is faulty, whatever it holds of the young ones.
    expect(await against([...payments(1, -60), ...young])).toMatchObject({ verdict: "faulty" });
  });

  test("of an empty table is good", async () => {
    disk.write(FULL, 0, []);
    expect(await against([])).toMatchObject({ verdict: "good" });
  });

  test("with files of no bytes for empty partitions is good", async () => {
    disk.write(FULL, 0, BEFORE.slice(0, 1));
    const empty = disk.dataFiles().find((key) => disk.lines(key).length === 0) ?? "";
    disk.rewrite(empty, [], true);
    const manifest = disk.keys("manifest-files.json")[0] ?? "";
    disk.put(empty, Buffer.alloc(0));
    disk.editManifest(manifest, (text) =>
      text
        .split("\n")
        .map((line) =>
          line.includes(empty)
            ? line.replace(/"md5Checksum":"[^"]+"/, '"md5Checksum":"1B2M2Y8AsgTpgAmY7PhCfg=="')
            : line,
        )
        .join("\n"),
    );
    expect(await check()).toMatchObject({ verdict: "good" });
  });

  test("is found from any folder around it, and a copy without its prefix too", async () => {
    const { id } = disk.write(FULL, 0, BEFORE);
    for (const folder of ["exports", "exports/AWSDynamoDB", `exports/AWSDynamoDB/${id}`]) {
      expect(await checkFolder(localFolder(disk.path(folder)))).toMatchObject({ verdict: "good" });
    }
  });

  test("in the documentation's own words (.checksum, Key, a plain number of microseconds) is good", async () => {
    disk.write(window(0), DAY, payments(10, 60), 1);
    const [data = ""] = disk.dataFiles();
    const inOtherWords = disk
      .lines(data)
      .map((line) =>
        line
          .replace('"Keys":', '"Key":')
          .replace(/"WriteTimestampMicros":\{"N":("\d+")\}/, '"WriteTimestampMicros":$1'),
      );
    disk.rewrite(data, inOtherWords, true);
    for (const key of disk.keys(".md5")) {
      disk.put(key.replace(/\.md5$/, ".checksum"), disk.read(key));
      disk.remove(key);
    }
    expect(await check()).toMatchObject({ verdict: "good", exports: [{ items: 10 }] });
  });
});

describe("a fault is named", () => {
  test("a missing data file", async () => {
    disk.write(FULL, 0, BEFORE);
    const file = disk.aDataFile();
    const lost = disk.lines(file).length;
    disk.remove(file);
    const report = await against(BEFORE);
    expect(report.findings).toContainEqual(expect.objectContaining({ code: "MISSING_FILE", file, export: idAt(0) }));
    // And what was lost with it.
    expect(
      report.findings.filter(({ code }) => code === "MISSING_ITEM").length + (report.further.MISSING_ITEM ?? 0),
    ).toBe(lost);
    expect(exitCodeOf(report)).toBe(1);
    expect(checkReportText(report)).toContain(`MISSING_FILE ${TABLE} ${idAt(0)} ${file}: `);
  });

  test.each(["manifest-files.json", "manifest-files.md5", "manifest-summary.md5"])("a missing %s", async (name) => {
    disk.write(FULL, 0, BEFORE);
    const [file = ""] = disk.keys(name);
    disk.remove(file);
    expect((await check()).findings).toContainEqual(expect.objectContaining({ code: "MISSING_FILE", file }));
  });

  test("a flipped byte, wherever in a data file it is", async () => {
    disk.write(FULL, 0, BEFORE);
    const file = disk.aDataFile();
    const good = disk.read(file);
    for (let position = 0; position < good.length; position += Math.ceil(good.length / 60)) {
      const bad = Buffer.from(good);
      bad[position] = (bad[position] ?? 0) ^ 0x10;
      disk.put(file, bad);
      const { findings } = await check();
      expect(findings).toContainEqual(expect.objectContaining({ code: "WRONG_CHECKSUM", file }));
    }
  });

  test.each(["manifest-files.json", "manifest-summary.json"])("a flipped byte in %s", async (name) => {
    disk.write(FULL, 0, BEFORE);
    const [file = ""] = disk.keys(name);
    const bytes = disk.read(file);
    const position = bytes.indexOf("itemCount") + 2;
    bytes[position] = (bytes[position] ?? 0) ^ 0x01;
    disk.put(file, bytes);
    expect((await check()).findings).toContainEqual(expect.objectContaining({ code: "WRONG_CHECKSUM", file }));
  });

  test("a dropped item", async () => {
    disk.write(FULL, 0, BEFORE);
    const file = disk.aDataFile();
    disk.rewrite(file, disk.lines(file).slice(1), false);
    const { findings } = await check();
    expect(findings).toContainEqual(expect.objectContaining({ code: "WRONG_COUNT", file }));
    expect(findings).toContainEqual(expect.objectContaining({ code: "WRONG_CHECKSUM", file }));
  });

  test("a dropped item although every checksum and count was made to agree: the table knows it", async () => {
    disk.write(FULL, 0, BEFORE);
    const file = disk.aDataFile();
    const [dropped = "", ...kept] = disk.lines(file);
    disk.rewrite(file, kept, true);
    expect(await check()).toMatchObject({ verdict: "good" });
    const key = (JSON.parse(dropped) as { Item: { TransactionID: { S: string } } }).Item.TransactionID.S;
    expect(await against(BEFORE)).toMatchObject({
      verdict: "faulty",
      findings: [{ code: "MISSING_ITEM", key, table: TABLE }],
    });
  });

  test("an item in the place of another, with the same count", async () => {
    disk.write(FULL, 0, BEFORE);
    const file = disk.aDataFile();
    const [dropped = "", doubled = "", ...rest] = disk.lines(file);
    disk.rewrite(file, [doubled, doubled, ...rest], true);
    const key = (JSON.parse(dropped) as { Item: { TransactionID: { S: string } } }).Item.TransactionID.S;
    expect((await against(BEFORE)).findings).toEqual([expect.objectContaining({ code: "MISSING_ITEM", key })]);
  });

  test("an item that a window leaves out", async () => {
    const items = writeChain();
    const added = payment("txn-left-out", at(DAY + 61));
    expect((await against([...items, added])).findings).toEqual([
      expect.objectContaining({ code: "MISSING_ITEM", key: "txn-left-out" }),
    ]);
  });

  test("an item that the table does not hold any more", async () => {
    const items = writeChain();
    expect((await against(items.slice(1))).findings).toEqual([
      expect.objectContaining({ code: "REMOVED_ITEM", key: "txn-0-1000" }),
    ]);
  });

  test("a removal that a window took along, also without the table", async () => {
    writeChain();
    const file = disk.dataFiles().find((key) => disk.lines(key).some((line) => line.includes("NewImage"))) ?? "";
    const lines = disk.lines(file);
    const { Metadata, Keys, NewImage } = JSON.parse(lines[0] ?? "");
    disk.rewrite(file, [...lines.slice(1), JSON.stringify({ Metadata, Keys, OldImage: NewImage })], true);
    expect(await codes(check())).toEqual(["REMOVED_ITEM"]);
  });

  test("a wrong count in the summary", async () => {
    disk.write(FULL, 0, BEFORE);
    const [summary = ""] = disk.keys("manifest-summary.json");
    disk.editManifest(summary, (text) => text.replace('"itemCount":200', '"itemCount":201'));
    expect(await codes(check())).toEqual(["WRONG_COUNT"]);
  });

  test("a wrong count of a file, although the total agrees with it", async () => {
    disk.write(FULL, 0, BEFORE);
    const file = disk.aDataFile();
    const lines = disk.lines(file);
    disk.rewrite(file, lines, true);
    const [manifest = ""] = disk.keys("manifest-files.json");
    const count = `"itemCount":${lines.length}`;
    disk.editManifest(manifest, (text) => text.replace(count, `"itemCount":${lines.length + 1}`));
    disk.editManifest(disk.keys("manifest-summary.json")[0] ?? "", (text) =>
      text.replace('"itemCount":200', '"itemCount":201'),
    );
    expect((await check()).findings).toContainEqual(expect.objectContaining({ code: "WRONG_COUNT", file }));
  });

  test.each<[string, (bytes: Buffer) => Buffer]>([
    ["cut short", (bytes) => bytes.subarray(0, bytes.length - 20)],
    ["not gzip at all", () => Buffer.from('{"Item":{}}\n')],
    [
      "damaged in the middle",
      (bytes) => Buffer.concat([bytes.subarray(0, 300), Buffer.alloc(40, 0xff), bytes.subarray(340)]),
    ],
  ])("gzip that is %s", async (_, damage) => {
    disk.write(FULL, 0, BEFORE);
    const file = disk.aDataFile();
    disk.put(file, damage(disk.read(file)));
    const { findings } = await check();
    expect(findings).toContainEqual(expect.objectContaining({ code: "BAD_GZIP", file }));
    expect(findings).toContainEqual(expect.objectContaining({ code: "WRONG_CHECKSUM", file }));
  });

  test.each<[string, string]>([
    ["no JSON", "{"],
    ["no object", "[]"],
    ["no Item", '{"item":{}}'],
    ["no key", '{"Item":{"Amount":{"S":"1"}}}'],
    ["a key of another type", '{"Item":{"TransactionID":{"N":"1"}}}'],
    ["an empty key", '{"Item":{"TransactionID":{"S":""}}}'],
    ["an attribute without type", '{"Item":{"TransactionID":{"S":"a"},"Amount":"1"}}'],
    ["an attribute of two types", '{"Item":{"TransactionID":{"S":"a","N":"1"}}}'],
    ["a text that is not a number", '{"Item":{"TransactionID":{"S":"a"},"Version":{"N":"one"}}}'],
    ["binary that is no base64", '{"Item":{"TransactionID":{"S":"a"},"Salt":{"B":"?"}}}'],
    ["an unknown type", '{"Item":{"TransactionID":{"S":"a"},"Salt":{"X":"?"}}}'],
    ["a fault deep inside", '{"Item":{"TransactionID":{"S":"a"},"M":{"M":{"a":{"L":[{"S":1}]}}}}}'],
  ])("an item with %s", async (_, bad) => {
    disk.write(FULL, 0, BEFORE);
    const file = disk.aDataFile();
    const lines = disk.lines(file);
    disk.rewrite(file, [...lines.slice(0, 2), bad, ...lines.slice(2)], true);
    const report = await check();
    expect(report.findings).toEqual([expect.objectContaining({ code: "BAD_ITEM", file, line: 3 })]);
    expect(report.findings[0]?.message).not.toContain("Amount");
  });

  test.each<[string, string]>([
    [
      "no Keys",
      '{"Metadata":{"WriteTimestampMicros":{"N":"1795230000000000"}},"NewImage":{"TransactionID":{"S":"a"}}}',
    ],
    ["no time", '{"Metadata":{},"Keys":{"TransactionID":{"S":"a"}}}'],
    [
      "the image of another",
      '{"Metadata":{"WriteTimestampMicros":{"N":"1795230000000000"}},"Keys":{"TransactionID":{"S":"a"}},"NewImage":{"TransactionID":{"S":"b"}}}',
    ],
  ])("a change with %s", async (_, bad) => {
    disk.write(window(0), DAY, payments(10, 60), 1);
    const [file = ""] = disk.dataFiles();
    disk.rewrite(file, [...disk.lines(file), bad], true);
    expect((await check()).findings).toEqual([expect.objectContaining({ code: "BAD_ITEM", file, line: 11 })]);
  });

  test("a file that no manifest lists", async () => {
    writeChain();
    disk.put("exports/AWSDynamoDB/data/stray.json.gz", disk.read(disk.aDataFile()));
    expect((await check()).findings).toEqual([
      expect.objectContaining({ code: "UNLISTED_FILE", file: "exports/AWSDynamoDB/data/stray.json.gz" }),
    ]);
  });

  test("a file that is listed twice", async () => {
    disk.write(FULL, 0, BEFORE);
    const [manifest = ""] = disk.keys("manifest-files.json");
    disk.editManifest(manifest, (text) => `${text}${text.split("\n")[0]}\n`);
    expect((await check()).findings).toContainEqual(
      expect.objectContaining({ code: "DUPLICATE_FILE", file: manifest, line: 5 }),
    );
  });

  test("an export of another moment than it was asked for, wherever that is said", async () => {
    const to = "2026-11-21T03:00:00.000Z";
    const items = [...BEFORE];
    disk.write({ kind: "full", to }, 0, [], 4, "exports/PaymentLedger/full/20261121T030000Z/1");
    expect(await codes(against(items))).toEqual(["MISSING_ITEM"]);
    // Emptied, and now dated back to before the first record too: what it must hold follows from its place.
    const [summary = ""] = disk.keys("manifest-summary.json");
    disk.editManifest(summary, (text) => text.replace(/("exportTime":)"[^"]+"/, `$1"${at(-2 * DAY)}"`));
    const report = await against(items);
    expect([...new Set(report.findings.map(({ code }) => code))]).toEqual(["WRONG_WINDOW", "MISSING_ITEM"]);
    expect(report.further).toEqual({ MISSING_ITEM: 150 });
    const options: CheckOptions = { planOf: () => ({ kind: "incremental", from: at(-DAY), to: at(0) }) };
    expect(await codes(check(options))).toEqual(["WRONG_WINDOW"]);
  });

  test("a window that is missing", async () => {
    const items = writeChain();
    const second = idAt(2 * DAY);
    for (const key of disk.keys().filter((name) => name.includes(second))) disk.remove(key);
    const report = await against(items);
    expect(report.findings).toContainEqual(
      expect.objectContaining({ code: "WINDOW_GAP", export: idAt(3 * DAY), message: expect.stringContaining(at(DAY)) }),
    );
    expect(report.findings.filter(({ code }) => code === "MISSING_ITEM")).toHaveLength(10);
  });

  test("no gap where a full export has made the lost window needless", async () => {
    const items = writeChain();
    const later = payments(5, 8 * DAY + 60);
    disk.write({ kind: "full", to: at(8 * DAY) }, 8 * DAY, items);
    disk.write(window(8), 9 * DAY, [...items, ...later]);
    expect(await against([...items, ...later])).toMatchObject({ verdict: "good", findings: [] });
  });

  test.each<[string, (text: string) => string, string]>([
    ["no JSON", () => "{", "BAD_MANIFEST"],
    ["an export in Ion", (text) => text.replace("DYNAMODB_JSON", "ION"), "BAD_MANIFEST"],
    ["no time", (text) => text.replace("exportTime", "exportedAt"), "BAD_MANIFEST"],
    ["another table", (text) => text.replaceAll(TABLE, "Customers"), "WRONG_TABLE"],
  ])("a summary with %s", async (_, edit, code) => {
    disk.write(FULL, 0, BEFORE);
    disk.editManifest(disk.keys("manifest-summary.json")[0] ?? "", edit);
    expect(await codes(check())).toContain(code);
  });

  test("a data file outside the folder", async () => {
    disk.write(FULL, 0, BEFORE);
    disk.editManifest(disk.keys("manifest-files.json")[0] ?? "", (text) =>
      text.replace("exports/AWSDynamoDB/", "../../"),
    );
    expect(await codes(check())).toContain("BAD_MANIFEST");
  });

  test("a folder without exports, and none at all", async () => {
    disk.put("notes.txt", Buffer.from("nothing"));
    expect(await codes(check())).toEqual(["NO_EXPORT"]);
    await expect(checkFolder(localFolder(`${disk.top}/absent`))).rejects.toMatchObject({ code: "FOLDER_MISSING" });
  });
});

test("items recorded shortly before the end of the exports are not asked for yet", async () => {
  disk.write(FULL, 0, BEFORE);
  const underWay = payment("txn-under-way", at(-10));
  expect(await against([...BEFORE, underWay])).toMatchObject({ verdict: "good" });
  const report = await check({ tableOf: () => tableOf([...BEFORE, underWay]), settleMs: 0 });
  expect(report.findings).toEqual([expect.objectContaining({ code: "MISSING_ITEM", key: "txn-under-way" })]);
});

test("without the time to look at everything the verdict is never good", async () => {
  disk.write(FULL, 0, BEFORE);
  let calls = 0;
  const report = await check({ outOfTime: () => ++calls > 2 });
  expect(report).toMatchObject({ verdict: "incomplete", findings: [{ code: "CHECK_INCOMPLETE" }] });
  expect(exitCodeOf(report)).toBe(3);
});

test("thousands of missing items are counted and some of them named", async () => {
  const many = payments(5000, -9000);
  disk.write(FULL, 0, []);
  const report = await against(many);
  expect(report.findings).toHaveLength(50);
  expect(report.further).toEqual({ MISSING_ITEM: 4950 });
});
