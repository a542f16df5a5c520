/** Names that are exported from more than one file: a search for one of them finds the other. */

import ts from "@typescript/typescript6";
import { isCode, isTest, type SourceFile, syntaxOf } from "./project-files";

/** The platform prescribes it for each function. */
const PRESCRIBED = new Set(["handler"]);

export function sharedNames(files: readonly SourceFile[]): string[] {
  const placesOf = new Map<string, string[]>();
  for (const file of files.filter((each) => isCode(each) && !isTest(each))) {
    // Overloads, or a type and a value of one name, are one thing in one file.
    for (const name of new Set(syntaxOf(file).statements.flatMap(exportedNames))) {
      placesOf.set(name, [...(placesOf.get(name) ?? []), file.path]);
    }
  }
  return [...placesOf]
    .filter(([name, places]) => places.length > 1 && !PRESCRIBED.has(name))
    .map(([name, places]) => `${places.join(" and ")} both export ${name}. Share one, or give each its own name.`);
}

function exportedNames(statement: ts.Statement): string[] {
  const modifiers = ts.canHaveModifiers(statement) ? (ts.getModifiers(statement) ?? []) : [];
  if (!modifiers.some(({ kind }) => kind === ts.SyntaxKind.ExportKeyword)) return [];
  if (ts.isVariableStatement(statement)) {
    return statement.declarationList.declarations.flatMap(({ name }) => (ts.isIdentifier(name) ? [name.text] : []));
  }
  const name = (statement as ts.DeclarationStatement).name;
  return name === undefined || !ts.isIdentifier(name) ? [] : [name.text];
}
