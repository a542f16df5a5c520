/** The rules that no check is switched off: every test runs, and a silenced check has its reason. */

import ts from "@typescript/typescript6";
import type { SourceFile } from "./project-files";

/** Undefined where the node focuses on no test and skips none. */
export function focusedOrSkipped(node: ts.Node): string | undefined {
  const finding = "runs some tests and not others. Run it, or take the test out.";
  if (ts.isPropertyAccessExpression(node)) {
    const isTestCall = /^(test|it|describe)\b/.test(node.expression.getText());
    return isTestCall && ["only", "skip", "todo", "failing", "skipIf"].includes(node.name.text) ? finding : undefined;
  }
  return ts.isCallExpression(node) && /^(x|f)(test|it|describe)$/.test(node.expression.getText()) ? finding : undefined;
}

export function silencedChecks(file: SourceFile): string[] {
  return file.text.split("\n").flatMap((line, index) => {
    const where = `${file.path}:${index + 1}`;
    if (/@ts-(ignore|nocheck)\b/.test(line)) return [`${where} silences the compiler. Correct the type.`];
    const silenced = /(?:biome-ignore(?:-\w+)?\s+[\w/]+|@ts-expect-error)\s*:?\s*(.*)/.exec(line);
    return silenced !== null && (silenced[1] ?? "").length < 10 ? [`${where} silences a check. Add the reason.`] : [];
  });
}
