/** Rules for one construct of the language each: classes of errors, lists of parameters, lengths of functions. */

import ts from "@typescript/typescript6";
import { nodes, type SourceFile, syntaxOf } from "./project-files";

const ERROR_BASE = "CodedError";

/** An error class of the project that has no code for callers to switch on. */
export function errorsWithoutCode(file: SourceFile): string[] {
  return nodes(file, (node) => {
    if (!ts.isClassLike(node) || node.name?.text === ERROR_BASE) return undefined;
    const base = node.heritageClauses?.find(({ token }) => token === ts.SyntaxKind.ExtendsKeyword)?.types[0];
    return base?.expression.getText() === "Error"
      ? `extends Error. Extend ${ERROR_BASE} of contract.ts, so that callers can switch on a literal code.`
      : undefined;
  });
}

const PARAMETERS_MAX = 5;

export function tooManyParameters(file: SourceFile): string[] {
  return nodes(file, (node) =>
    ts.isFunctionLike(node) && node.parameters.length > PARAMETERS_MAX
      ? `takes ${node.parameters.length} parameters; ${PARAMETERS_MAX} are allowed. Take one object with named members.`
      : undefined,
  );
}

/** What fits on a screen. */
export const FUNCTION_LINES_MAX = 60;

export function longFunctions(file: SourceFile): string[] {
  const source = syntaxOf(file);
  const line = (position: number) => source.getLineAndCharacterOfPosition(position).line;
  return nodes(file, (node) => {
    if (!ts.isFunctionLike(node)) return undefined;
    const lines = line(node.end) - line(node.getStart(source)) + 1;
    return lines > FUNCTION_LINES_MAX
      ? `is a function of ${lines} lines; ${FUNCTION_LINES_MAX} are allowed. Give its steps names.`
      : undefined;
  });
}
