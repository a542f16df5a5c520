/** Titles of the tests in a file, for documents that name tests. */

import ts from "@typescript/typescript6";
import { projectFiles, type SourceFile, syntaxOf } from "./project-files";

const FILES: ReadonlyMap<string, SourceFile> = new Map(projectFiles().map((file) => [file.path, file]));

const titles = new Map<string, readonly string[]>();

/** `describe > test` of every test in the file, with the titles' templates as they are written. */
function titlesIn(path: string): readonly string[] {
  const file = FILES.get(path);
  if (file === undefined) return [];
  const known = titles.get(path);
  if (known !== undefined) return known;
  const found: string[] = [];
  const visit = (node: ts.Node, above: readonly string[]): void => {
    const title = ts.isCallExpression(node) ? titleOf(node) : undefined;
    const here = title === undefined ? above : [...above, title.text];
    if (title?.kind === "test") found.push(here.join(" > "));
    ts.forEachChild(node, (child) => visit(child, here));
  };
  visit(syntaxOf(file), []);
  titles.set(path, found);
  return found;
}

/** Of `test("x", ...)`, `describe.each(...)("x", ...)` and their like. */
function titleOf(call: ts.CallExpression): { kind: "test" | "describe"; text: string } | undefined {
  const [first] = call.arguments;
  const kind = /^(test|describe)\b/.exec(call.expression.getText())?.[1] as "test" | "describe" | undefined;
  return kind !== undefined && first !== undefined && ts.isStringLiteralLike(first) && call.arguments.length > 1
    ? { kind, text: first.text }
    : undefined;
}

/** How many tests of the file have this title; a title alone will do where one group has it. */
export function testsNamed(path: string, title: string): number {
  const there = titlesIn(path);
  return there.includes(title) ? 1 : there.filter((whole) => whole.endsWith(` > ${title}`)).length;
}
