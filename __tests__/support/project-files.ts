/** The project's own files and their syntax, for the tests that hold rules over all of them. */

import { readdirSync, readFileSync } from "node:fs";
import { join, posix } from "node:path";
import ts from "@typescript/typescript6";

export interface SourceFile {
  readonly path: string;
  readonly text: string;
}

// ------------------------------------------------------------------------------------------------------ reading files

export const PROJECT = join(__dirname, "..", "..");

/** All files that are, or would be, committed: everything outside the folders that `.gitignore` names. */
export function projectFiles(): SourceFile[] {
  const ignored = readFileSync(join(PROJECT, ".gitignore"), "utf8").split("\n").filter(Boolean);
  // `.git` is a file in a worktree.
  const folders = new Set([".git", ...ignored.filter((line) => line.endsWith("/")).map((line) => line.slice(0, -1))]);
  const endings = ignored.filter((line) => line.startsWith("*.")).map((line) => line.replaceAll("*", ""));
  const filesIn = (folder: string): string[] =>
    readdirSync(join(PROJECT, folder), { withFileTypes: true }).flatMap((entry) => {
      const path = posix.join(folder, entry.name);
      if (folders.has(entry.name)) return [];
      if (entry.isDirectory()) return filesIn(path);
      return entry.isFile() && !endings.some((ending) => entry.name.includes(ending)) ? [path] : [];
    });
  return filesIn(".")
    .map((path) => ({ path, text: readFileSync(join(PROJECT, path), "utf8") }))
    .filter(({ text }) => !text.includes("\0"));
}

export const isCode = ({ path }: SourceFile) => /\.[cm]?[jt]s$/.test(path);
export const isTest = ({ path }: SourceFile) => path.startsWith("__tests__/");
export const under =
  (...folders: readonly string[]) =>
  ({ path }: SourceFile) =>
    folders.some((folder) => path.startsWith(`${folder}/`));

// ----------------------------------------------------------------------------------------------------- reading syntax

const parsed = new Map<string, ts.SourceFile>();

export function syntaxOf({ path, text }: SourceFile): ts.SourceFile {
  const key = `${path}\0${text}`;
  const known = parsed.get(key) ?? ts.createSourceFile(path, text, ts.ScriptTarget.ES2022, true);
  parsed.set(key, known);
  return known;
}

/** A finding for each node of which `judge` says something. */
export function nodes(file: SourceFile, judge: (node: ts.Node) => string | undefined): string[] {
  const source = syntaxOf(file);
  const findings: string[] = [];
  const visit = (node: ts.Node): void => {
    const finding = judge(node);
    const { line } = source.getLineAndCharacterOfPosition(node.getStart(source));
    if (finding !== undefined) findings.push(`${file.path}:${line + 1} ${finding}`);
    ts.forEachChild(node, visit);
  };
  visit(source);
  return findings;
}

/** The module that this node names, in any of the ways to name one. */
function moduleNamed(node: ts.Node): string | undefined {
  if (ts.isImportDeclaration(node) || ts.isExportDeclaration(node)) return literalOf(node.moduleSpecifier);
  if (ts.isExternalModuleReference(node)) return literalOf(node.expression);
  if (ts.isImportTypeNode(node) && ts.isLiteralTypeNode(node.argument)) return literalOf(node.argument.literal);
  if (!ts.isCallExpression(node)) return undefined;
  const loads = node.expression.kind === ts.SyntaxKind.ImportKeyword || node.expression.getText() === "require";
  return loads ? literalOf(node.arguments[0]) : undefined;
}

function literalOf(node: ts.Node | undefined): string | undefined {
  return node !== undefined && ts.isStringLiteralLike(node) ? node.text : undefined;
}

/** One finding for each import of which `judge` says something. */
export function imports(file: SourceFile, judge: (module: string) => string | undefined): string[] {
  return nodes(file, (node) => {
    const module = moduleNamed(node);
    return module === undefined ? undefined : judge(module);
  });
}

/** The text of calls and property reads, such as `Date.now`; a call without arguments of `new Date` is a clock too. */
export function usedName(node: ts.Node): string | undefined {
  if (ts.isPropertyAccessExpression(node)) return node.getText().replaceAll("?.", ".");
  if (ts.isElementAccessExpression(node)) return node.expression.getText();
  if (ts.isNewExpression(node) && (node.arguments?.length ?? 0) === 0) return `new ${node.expression.getText()}`;
  return ts.isCallExpression(node) && ts.isIdentifier(node.expression) ? node.expression.text : undefined;
}
