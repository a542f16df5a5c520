/** A check of exports in pieces gives the report of the whole: of good exports and of damaged ones, in any number of pieces. */

import fc from "fast-check";
import { checkFolder } from "../../backup/check";
import { piecedCheckReadings, readCheckPiece } from "../../backup/check-pieces";
import { CheckFindings } from "../../backup/findings";
import { prepareCheck } from "../../backup/prepared-check";
import { localFolder } from "../../ledger/exports/local-folder";
import { openPlan } from "../../ledger/pieces/plan";
import type { StoredItem } from "../../ledger/rules/stored-item";
import { checkInPieces } from "../support/check-pieces";
import { memoryStore } from "../support/pieces";
import { at, ExportOnDisk, payment, payments, TABLE, tableOf } from "./fixture";

const DAY = 24 * 60;
const BEFORE = payments(60, -1000);
const FILES = 5;

/** A full export and two days of windows. @returns what the table holds. */
function writeChain(disk: ExportOnDisk): StoredItem[] {
  disk.write({ kind: "full", to: at(0) }, 0, BEFORE, FILES);
  const items = [...BEFORE];
  for (const day of [0, 1]) {
    items.push(...payments(10, day * DAY + 60));
    const window = { kind: "incremental", from: at(day * DAY), to: at((day + 1) * DAY) } as const;
    disk.write(window, (day + 1) * DAY, items, FILES);
  }
  return items;
}

/** What somebody may do to a data file, of which `at` chooses a line or a byte. */
const DAMAGES: Readonly<Record<string, (disk: ExportOnDisk, file: string, at: number) => void>> = {
  gone: (disk, file) => disk.remove(file),
  cut: (disk, file, place) => disk.put(file, disk.read(file).subarray(0, place % (disk.read(file).length + 1))),
  flipped: (disk, file, place) => {
    const bytes = Buffer.from(disk.read(file));
    if (bytes.length > 0) bytes[place % bytes.length] = (bytes[place % bytes.length] ?? 0) ^ 1;
    disk.put(file, bytes);
  },
  "a line dropped": (disk, file, place) => {
    const lines = disk.lines(file);
    lines.splice(place % Math.max(1, lines.length), 1);
    disk.rewrite(file, lines, true);
  },
  "a line doubled": (disk, file, place) => {
    const lines = disk.lines(file);
    disk.rewrite(file, [...lines, ...lines.slice(place % Math.max(1, lines.length))], true);
  },
  "another key": (disk, file, place) => {
    const lines = disk
      .lines(file)
      .map((line, index) => (index % 3 === place % 3 ? line.replaceAll("txn-", "x-") : line));
    disk.rewrite(file, lines, true);
  },
  "no item": (disk, file) => disk.rewrite(file, ["{}", ...disk.lines(file)], false),
  removed: (disk, file) => {
    const lines = disk.lines(file).map((line) => line.replace(/"NewImage":\{.*?\}\},/, ""));
    disk.rewrite(file, lines, true);
  },
  unlisted: (disk, file) => disk.put(file.replace(/[^/]+$/, "unlisted.json.gz"), disk.read(file)),
};
const damage = fc.record({ file: fc.nat(), at: fc.nat(), what: fc.constantFrom(...Object.keys(DAMAGES)) });
/** Items that the table loses, and items that it has gained without an export. */
const change = fc.record({ lost: fc.array(fc.nat({ max: 79 }), { maxLength: 5 }), gained: fc.nat({ max: 60 }) });

test("any damage of exports and table, in any number of pieces: the same report, its findings in the same order", async () => {
  const seen = new Set<string>();
  await fc.assert(
    fc.asyncProperty(
      fc.array(damage, { maxLength: 4 }),
      change,
      fc.integer({ min: 1, max: 7 }),
      fc.boolean(),
      async (damages, { lost, gained }, pieces, hasTable) => {
        const disk = new ExportOnDisk();
        try {
          const items = writeChain(disk).filter((_, index) => !lost.includes(index));
          items.push(...Array.from({ length: gained }, (_, index) => payment(`new-${gained - index}`, at(-2000))));
          for (const { file, at: place, what } of damages) {
            const files = disk.dataFiles();
            DAMAGES[what]?.(disk, files[file % files.length] ?? "", place);
          }
          const reader = tableOf(items);
          const options = { tableOf: (name: string) => (hasTable && name === TABLE ? reader : undefined) };
          const folder = localFolder(disk.top);
          const whole = await checkFolder(folder, options);
          for (const { code } of whole.findings) seen.add(code);
          seen.add(whole.verdict);
          expect(await checkInPieces(folder, options, pieces)).toEqual(whole);
        } finally {
          disk.delete();
        }
      },
    ),
    { numRuns: 20, seed: 20261128 },
  );
  for (const code of ["MISSING_ITEM", "REMOVED_ITEM", "WRONG_CHECKSUM", "BAD_ITEM", "MISSING_FILE", "good", "faulty"]) {
    expect(seen).toContain(code);
  }
});

test("a table that lost more items than a report names: the same ones are named, and the rest is counted", async () => {
  const disk = new ExportOnDisk();
  disk.write({ kind: "full", to: at(0) }, 0, payments(120, -1000), FILES);
  const others = payments(130, -3000);
  const options = { tableOf: () => tableOf(others) };
  const whole = await checkFolder(localFolder(disk.top), options);
  expect(whole.further).toEqual({ MISSING_ITEM: 80, REMOVED_ITEM: 70 });
  for (const pieces of [2, 5]) expect(await checkInPieces(localFolder(disk.top), options, pieces)).toEqual(whole);
  disk.delete();
});

test("a piece that was ended is read anew, one that was read is not; a piece of no plan is refused", async () => {
  const disk = new ExportOnDisk();
  const items = writeChain(disk);
  const folder = localFolder(disk.top);
  const prepared = await prepareCheck(folder, new CheckFindings());
  const checks = [{ prepared, folder, listed: prepared.listed, tableOf: () => tableOf(items) }];
  const store = memoryStore();
  const read = (piece: number, checkDeadline = () => {}) =>
    readCheckPiece({ store, plan, piece, checks, checkDeadline });
  const ended = () => {
    throw new Error("ended");
  };
  const plan = await openPlan(store, "test", { pieces: 2, now: new Date() });
  await expect(read(0)).rejects.toMatchObject({ code: "NO_PLAN" });
  await expect(piecedCheckReadings({ store, plan }, 1)).rejects.toMatchObject({ round: 0, left: [0, 1] });
  await expect(read(0, ended)).rejects.toThrow("ended");
  expect([await read(1), await read(1)]).toEqual([0, undefined]);
  await expect(piecedCheckReadings({ store, plan }, 1)).rejects.toMatchObject({ round: 0, left: [0] });
  expect(await read(0)).toBe(0);
  expect(await piecedCheckReadings({ store, plan }, 1)).toHaveLength(1);
  await expect(read(2)).rejects.toMatchObject({ code: "NO_SUCH_PIECE" });
  disk.delete();
});
