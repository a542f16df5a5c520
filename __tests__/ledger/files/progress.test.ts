/** The progress of a file: its report in parts, its continuation, and the limits of both. */

import { randomUUID } from "node:crypto";
import { type DoneRows, FileProgress, HOPS_MAX, type RowCounts } from "../../../ledger/files/progress";
import { stubFiles } from "../rules/stub-services";

const FILE = { key: "payments/2026/a file.ndjson", versionId: "v1" };
const REQUEST = "request-1";
const PREFIX = "reports/payments/2026/a file.ndjson/v1";
const NONE = { stored: 0, duplicate: 0, conflict: 0, refused: 0 };
const badRow = (row: number) => ({ row, outcome: "refused", code: "NOT_JSON" }) as const;
const badRows = (from: number, count: number) => Array.from({ length: count }, (_, index) => badRow(from + index));

const done = (rows: number, counts: Partial<RowCounts>, more: Partial<DoneRows> = {}): DoneRows => ({
  rows,
  counts: { ...NONE, ...counts },
  badRows: [],
  cardDataRows: 0,
  ...more,
});

const continuationsIn = (objects: ReadonlyMap<string, string>) =>
  [...objects.keys()].filter((key) => key.startsWith("continue/"));

test("a file without bad rows has a summary and no parts", async () => {
  const { files, objects } = stubFiles();
  const progress = FileProgress.start(files, FILE, REQUEST, "AWS:partner");
  await progress.add(done(50, { stored: 49, duplicate: 1 }));
  await progress.add(done(7, { stored: 7 }));
  await progress.report(false);
  expect([...objects.keys()]).toEqual([`${PREFIX}/summary.json`]);
  expect(progress.summaryKey).toBe(`${PREFIX}/summary.json`);
  expect(JSON.parse(objects.get(progress.summaryKey) ?? "")).toEqual({
    ...FILE,
    request: REQUEST,
    rows: 57,
    counts: { stored: 56, duplicate: 1, conflict: 0, refused: 0 },
    cardDataRows: 0,
    removed: false,
    badRows: [],
  });
});

test("bad rows are written in parts of ten thousand, every row once and in the order of the file", async () => {
  const { files, objects } = stubFiles();
  const progress = FileProgress.start(files, FILE, REQUEST);
  const total = 25_030;
  for (let row = 1; row <= total; row += 50) {
    const count = Math.min(50, total - row + 1);
    await progress.add(done(count, { refused: count }, { badRows: badRows(row, count), cardDataRows: 1 }));
  }
  await progress.report(true);
  const report = JSON.parse(objects.get(progress.summaryKey) ?? "");
  expect(report).toMatchObject({ rows: total, counts: { refused: total }, cardDataRows: 501, removed: true });
  expect(report.badRows).toEqual([1, 2, 3].map((part) => `${PREFIX}/${REQUEST}/bad-rows-0000${part}.ndjson`));
  const parts: string[] = report.badRows.map((key: string) => objects.get(key));
  expect(parts.map((part) => part.split("\n").length - 1)).toEqual([10_000, 10_000, 5_030]);
  const rows = parts
    .join("")
    .trimEnd()
    .split("\n")
    .map((line) => JSON.parse(line));
  expect(rows).toEqual(badRows(1, total));
});

test("a continuation carries everything: the next run counts on and numbers its parts on", async () => {
  const { files, objects } = stubFiles();
  const first = FileProgress.start(files, FILE, REQUEST, "AWS:partner");
  await first.add(done(100, { stored: 98, refused: 2 }, { badRows: badRows(7, 2), cardDataRows: 1 }));
  await first.continueLater();
  const [key = ""] = continuationsIn(objects);
  expect(key).toMatch(/^continue\/[0-9a-f]{64}\/1\.json$/);
  const second = await FileProgress.resume(files, key);
  expect([second.file, second.principal, second.rows, second.cardDataRows]).toEqual([FILE, "AWS:partner", 100, 1]);
  expect(second.counts).toEqual({ ...NONE, stored: 98, refused: 2 });
  await second.add(done(50, { stored: 49, refused: 1 }, { badRows: badRows(120, 1) }));
  await second.report(false);
  const report = JSON.parse(objects.get(first.summaryKey) ?? "");
  expect(report).toMatchObject({ rows: 150, counts: { stored: 147, refused: 3 }, cardDataRows: 1 });
  expect(report.badRows.map((part: string) => objects.get(part)?.trimEnd().split("\n").length)).toEqual([2, 1]);
});

test("facts are counted with all rows and by themselves, from run to run; a report about payments alone has no such counts", async () => {
  const { files, objects } = stubFiles();
  const first = FileProgress.start(files, FILE, REQUEST);
  await first.add(done(50, { stored: 50 }));
  await first.add(done(3, { stored: 2, refused: 1 }, { facts: { ...NONE, stored: 1, refused: 1, breached: 1 } }));
  await first.continueLater();
  const second = await FileProgress.resume(files, continuationsIn(objects)[0] ?? "");
  await second.add(done(2, { duplicate: 2 }, { facts: { ...NONE, duplicate: 2, breached: 0 } }));
  await second.report(false);
  const report = JSON.parse(objects.get(first.summaryKey) ?? "");
  expect(report.counts).toEqual({ ...NONE, stored: 52, duplicate: 2, refused: 1 });
  expect(report.facts).toEqual({ ...NONE, stored: 1, duplicate: 2, refused: 1, breached: 1 });
});

test("a run that is repeated writes the same objects over, and adds none", async () => {
  const { files, objects } = stubFiles();
  const run = async (progress: FileProgress) => {
    await progress.add(done(10, { refused: 10 }, { badRows: badRows(1, 10) }));
    await progress.continueLater();
  };
  await run(FileProgress.start(files, FILE, REQUEST));
  const before = new Map(objects);
  await run(FileProgress.start(files, FILE, REQUEST));
  expect(objects).toEqual(before);
});

test(`after ${HOPS_MAX} continuations a file is given up, not continued for ever`, async () => {
  const { files, objects } = stubFiles();
  let progress = FileProgress.start(files, FILE, REQUEST);
  for (let hop = 1; hop <= HOPS_MAX; hop++) {
    await progress.add(done(1, { stored: 1 }));
    await progress.continueLater();
    const key = continuationsIn(objects).find((each) => each.endsWith(`/${hop}.json`)) ?? "";
    progress = await FileProgress.resume(files, key);
  }
  expect(progress.rows).toBe(HOPS_MAX);
  await expect(progress.continueLater()).rejects.toThrow(String(HOPS_MAX));
  expect(continuationsIn(objects)).toHaveLength(HOPS_MAX);
});

test.each(["{}", '{"schemaVersion":2}', "null", "not json"])("%s is no continuation of ours", async (text) => {
  const { files, objects } = stubFiles();
  objects.set("continue/x/1.json", text);
  await expect(FileProgress.resume(files, "continue/x/1.json")).rejects.toThrow();
});

test("there is no report before it is written; then it is its own request's, and no other's", async () => {
  const { files } = stubFiles();
  const [own, other] = [REQUEST, "request-2"].map((request) => FileProgress.start(files, FILE, request));
  expect(await own?.finishedReport()).toBeUndefined();
  await own?.report(false);
  const report = await other?.finishedReport();
  if (report === undefined) throw new Error("The report was written.");
  expect(report).toMatchObject({ ...FILE, request: REQUEST });
  expect([own?.isOwn(report), other?.isOwn(report)]).toEqual([true, false]);
});

test("two versions of a file, and a file without versions, have separate reports", () => {
  const { files } = stubFiles();
  const keys = [FILE, { ...FILE, versionId: "v2" }, { key: FILE.key }].map(
    (file) => FileProgress.start(files, file, REQUEST).summaryKey,
  );
  expect(new Set(keys).size).toBe(3);
});

test("the longest key that S3 allows has a report within S3's limit", () => {
  const { files } = stubFiles();
  const key = `payments/${"ü".repeat(507)}`;
  expect(Buffer.byteLength(key)).toBe(1_023);
  const { summaryKey } = FileProgress.start(files, { key, versionId: "v".repeat(32) }, randomUUID());
  expect(Buffer.byteLength(summaryKey)).toBeLessThanOrEqual(1_024);
});
