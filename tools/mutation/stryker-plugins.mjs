/** Sentences for people are not mutated: tests hold codes and rules, not wording. Codes, keys and expressions are mutated. */

const PROSE_PROPERTIES = new Set(["rule", "remedy", "message", "description", "usage"]);
const REASON = "a sentence for people";

function shouldIgnore(path) {
  if (!path.isStringLiteral() && !path.isTemplateLiteral()) return undefined;
  const text = path.isStringLiteral() ? path.node.value : path.node.quasis.map(({ value }) => value.raw).join("x");
  if (!/\S \S/.test(text)) return undefined;
  const isOfError = path.findParent(
    (parent) => parent.isThrowStatement() || (parent.isNewExpression() && /Error$/.test(parent.node.callee.name ?? "")),
  );
  const isOfProperty = path.findParent(
    (parent) => parent.isObjectProperty() && PROSE_PROPERTIES.has(parent.node.key.name ?? ""),
  );
  const isOfVariable = path.findParent((parent) => parent.isVariableDeclarator() && parent.node.id.name === "message");
  const isOfField = path.findParent(
    (parent) => parent.isCallExpression() && parent.node.callee.property?.name === "describe",
  );
  return isOfError || isOfProperty || isOfVariable || isOfField ? REASON : undefined;
}

/** Prints each change that no test noticed as soon as that is known, so that an interrupted run has shown what it found. */
class PrintUnnoticed {
  onMutantTested({ status, fileName, location, mutatorName, replacement }) {
    if (status !== "Survived" && status !== "NoCoverage") return;
    console.log(`  not noticed: ${fileName}:${location.start.line} ${mutatorName}  ->  ${replacement}`);
  }
}

/** As Stryker's `declareValuePlugin` and `declareClassPlugin` make them: Stryker is not among the packages of this project. */
export const strykerPlugins = [
  { kind: "Ignore", name: "prose", value: { shouldIgnore } },
  { kind: "Reporter", name: "unnoticed", injectableClass: PrintUnnoticed },
];
