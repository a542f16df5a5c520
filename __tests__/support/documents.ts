/** The project's documents, and what tests read in them. */

import { readFileSync } from "node:fs";
import { join } from "node:path";
import { PROJECT, projectFiles } from "./project-files";

export const FILES = projectFiles();
export const DOCS = FILES.filter(({ path }) => path === "help" || /^(docs\/)?[^/]+\.md$/.test(path));

export function textOf(path: string): string {
  return readFileSync(join(PROJECT, path), "utf8");
}

export const matches = (text: string, pattern: RegExp): string[] =>
  [...text.matchAll(pattern)].map(([, found = ""]) => found);

/** Lines of the first table under a heading, as cells. */
export function tableUnder(path: string, heading: string): string[][] {
  const section =
    textOf(path)
      .split(new RegExp(`^#+ ${heading}$`, "m"))[1]
      ?.split(/^#/m)[0] ?? "";
  const rows = section.split("\n").filter((line) => line.startsWith("|"));
  return rows.slice(2).map((line) =>
    line
      .split("|")
      .slice(1, -1)
      .map((cell) => cell.trim()),
  );
}

/** The words in code marks. */
export const marked = (text: string) => matches(text, /`([^`]+)`/g);
