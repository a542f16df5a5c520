/** The rule that programs, such as benchmarks, import only such files of `__tests__/` as work outside of Jest. */

import ts from "@typescript/typescript6";
import { fileGraph } from "./circles";
import { isTest, nodes, type SourceFile } from "./project-files";

const JEST_GLOBALS = /^(jest|expect|test|it|describe|(before|after)(All|Each))$/;

/** Uses of Jest's globals in test code that a program imports, directly or through other files. */
export function jestGlobalsOutsideOfJest(files: readonly SourceFile[]): string[] {
  const imported = fileGraph(files);
  const reached = new Set(files.filter((file) => !isTest(file)).map(({ path }) => path));
  // A set hands out what is added while it is read.
  for (const path of reached) for (const target of imported.get(path) ?? []) reached.add(target);
  return files.filter((file) => isTest(file) && reached.has(file.path)).flatMap(unguardedGlobals);
}

function unguardedGlobals(file: SourceFile): string[] {
  return nodes(file, (node) => {
    if (!ts.isCallExpression(node)) return undefined;
    const [name = ""] = node.expression.getText().split(".");
    return JEST_GLOBALS.test(name) && !file.text.includes(`typeof ${name} === "function"`)
      ? `calls ${name}, and a program imports this file. Ask first whether typeof ${name} === "function", or move the function to another file.`
      : undefined;
  });
}
