import { readFileSync } from "node:fs";
import path from "node:path";
import { CHECK_CODES } from "../../backup/findings";
import { PAYLEDGER } from "../../cli/payledger";
import { commandOf } from "../../evidence/commands/program";
import { PROJECT } from "../support/project-files";

const text = readFileSync(path.join(PROJECT, "docs", "backup.md"), "utf8");

test("every code of the check is explained, and no other", () => {
  const explained = [...text.matchAll(/^\| `([A-Z_]+)` \|/gm)].map(([, code]) => code);
  expect(explained).toEqual([...CHECK_CODES]);
});

test("every command that it shows is one", () => {
  const shown = [...text.matchAll(/npx payledger backup ([a-z-]+)((?: --[a-z-]+| [^\s-]\S*)*)/g)];
  expect(shown.length).toBeGreaterThan(8);
  for (const [, command = "", rest = ""] of shown) {
    const words = rest
      .trim()
      .split(/\s+/)
      .filter((word) => word !== "");
    expect(() => commandOf(["backup", command, ...words], PAYLEDGER.commands)).not.toThrow();
  }
  expect(text).toMatch(/npx payledger redrive \S+ --dry-run/);
});
