/** Files that are written whole, by one of several writers at once. */

import fs, { mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import path from "node:path";
import { createWhole } from "../../../evidence/commands/files";
import { folderStore } from "../../../evidence/commands/pieces";

let folder: string;
beforeEach(() => {
  folder = mkdtempSync(path.join(tmpdir(), "payment-ledger-files-"));
});
afterEach(() => {
  jest.restoreAllMocks();
  rmSync(folder, { recursive: true });
});

const failing = (code: string) => () => {
  throw Object.assign(new Error(code), { code });
};

test.each([
  ["a file system with links", () => {}],
  ["one without", () => jest.spyOn(fs, "linkSync").mockImplementation(failing("EPERM"))],
])("a name is taken once, and nothing else is left: on %s", (_what, prepare) => {
  prepare();
  const place = path.join(folder, "deep", "plan.json");
  expect([createWhole(place, "first"), createWhole(place, "second")]).toEqual([true, false]);
  expect([readFileSync(place, "utf8"), readdirSync(path.dirname(place))]).toEqual(["first", ["plan.json"]]);
});

test("any other fault is thrown, and leaves nothing", () => {
  jest.spyOn(fs, "linkSync").mockImplementation(failing("EPERM"));
  jest.spyOn(fs, "copyFileSync").mockImplementation(failing("ENOSPC"));
  expect(() => createWhole(path.join(folder, "plan.json"), "text")).toThrow("ENOSPC");
  expect(readdirSync(folder)).toEqual([]);
});

test("a folder of pieces keeps what was created first", async () => {
  const store = folderStore(folder);
  expect(String(await store.create("part/plan.json", Buffer.from("first")))).toBe("first");
  expect(String(await store.create("part/plan.json", Buffer.from("second")))).toBe("first");
  expect(String(await store.read("part/plan.json"))).toBe("first");
  writeFileSync(path.join(folder, "begun"), "by another machine");
  expect(String(await store.create("begun", Buffer.from("own")))).toBe("by another machine");
});
