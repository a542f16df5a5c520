import { readFileSync } from "node:fs";
import path from "node:path";
import { CHECK_CODES } from "../../backup/findings";
import { PROJECT } from "../support/project-files";

const text = readFileSync(path.join(PROJECT, "docs", "backup.md"), "utf8");

test("every code of the check is explained, and no other", () => {
  const explained = [...text.matchAll(/^\| `([A-Z_]+)` \|/gm)].map(([, code]) => code);
  expect(explained).toEqual([...CHECK_CODES]);
});

test("every command that it shows is one", () => {
  const usage = readFileSync(path.join(PROJECT, "cli", "backup.ts"), "utf8");
  const shown = [...text.matchAll(/npm run backup -- ([a-z-]+)((?: --[a-z-]+| [^\s-]\S*)*)/g)];
  expect(shown.length).toBeGreaterThan(8);
  for (const [, command, rest = ""] of shown) {
    expect(usage).toContain(`case "${command}"`);
    for (const [option] of rest.matchAll(/--[a-z-]+/g)) expect(usage).toContain(option);
  }
  expect(text).toMatch(/npm run redrive -- \S+ --dry-run/);
});
