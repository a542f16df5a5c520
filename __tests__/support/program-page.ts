/** `docs/commands.md`: every command of `payledger` with what its test expects, and where the commands of the documents are run. */

import { PAYLEDGER } from "../../cli/payledger";
import { COMMON, type CommandNode, type Commands, isGroup, loaded, parseWords } from "../../evidence/commands/command";
import { DOCS } from "./documents";
import { RUN_ELSEWHERE, RUNS } from "./program-runs";

interface Leaf {
  readonly name: string;
  readonly summary: string;
}

export function leavesOf(commands: Commands = PAYLEDGER.commands, path: readonly string[] = []): Leaf[] {
  return Object.entries(commands).flatMap(([key, node]: [string, CommandNode]) =>
    isGroup(node)
      ? leavesOf(node.commands, [...path, key])
      : [{ name: [...path, key].join(" "), summary: node.summary }],
  );
}

/** The command, and which of its options are given: two lines of the same form do the same with other values. */
interface Form {
  readonly name: string;
  readonly options: readonly string[];
}

function formOf(words: readonly string[], commands: Commands = PAYLEDGER.commands, path: readonly string[] = []): Form {
  const [key = "", ...rest] = words;
  const node = commands[key];
  if (node === undefined) throw new Error(`There is no command ${[...path, key].join(" ")}.`);
  if (isGroup(node)) return formOf(rest, node.commands, [...path, key]);
  const { options } = loaded(node);
  parseWords(rest, options);
  const given = rest.flatMap((word) => /^--([a-z-]+)/i.exec(word)?.[1] ?? []);
  return { name: [...path, key].join(" "), options: given.filter((option) => !(option in COMMON)) };
}

const split = (words: string) =>
  [...words.matchAll(/"([^"]*)"|(\S+)/g)].map(([, quoted, word]) => quoted ?? word ?? "");
const RUN_FORMS = RUNS.map(({ words }) => formOf(split(words)));

/** What the walk cannot run, and the test that runs it in another way. */
const RUN_IN_OTHER_WAYS: Readonly<Record<string, string>> = {
  "verify --identities":
    "CloudTrail writes no files there; `__tests__/evidence/commands/identities.test.ts` runs it with files in CloudTrail's form",
};

export interface DocumentLine {
  readonly path: string;
  readonly line: string;
  /** The first word of the command, or two of them: aws s3, npm run. */
  readonly tool: string;
}

const TOOLS = /^(npx payledger|npx cdktf|npx jest|npm|aws|terraform|node|openssl|sha256sum|git|kill|sh|curl)\b/;

/** The commands in the shell blocks of all documents, each once in a document. */
export function documentLines(): DocumentLine[] {
  return DOCS.flatMap(({ path, text }) => {
    const blocks = [...text.matchAll(/^```(?:sh)?\n([\s\S]*?)^```$/gm)].map(([, block = ""]) =>
      block.replaceAll("\\\n", " "),
    );
    const lines = blocks.flatMap((block) => block.split("\n").flatMap(commandsIn));
    return [...new Set(lines)].flatMap((line) => {
      const tool = TOOLS.exec(line)?.[1];
      return tool === undefined ? [] : [{ path, line, tool }];
    });
  });
}

/** Without assignments, comments and what a shell does around a command. */
function commandsIn(line: string): string[] {
  return line
    .replace(/\s+#.*$/, "")
    .split(/&&|\$\((?=(?:npx|npm|aws|terraform) )|(?<!-)\|/)
    .map((part) =>
      part
        .trim()
        .replace(/^([A-Z_]+=\S+ |eval "|for .* do )+/, "")
        .replace(/[)";]+$/, ""),
    )
    .filter((part) => TOOLS.test(part));
}

/** What the commands of others need, by their first word. */
const OF_OTHERS: Readonly<Record<string, string>> = {
  aws: "the AWS CLI; an account, or the embedded AWS where it has the service",
  terraform: "Terraform and an account",
  "npx cdktf": "Terraform and an account",
  npm: "nothing: `.ci/run` and the tests run them",
  "npx jest": "nothing: they are tests",
  node: "nothing: `__tests__/cli/kit.test.ts` runs the verifier of a kit",
  sha256sum: "nothing: `__tests__/cli/kit.test.ts` compares the checksums",
};

/** Where a line of `payledger` is run. */
type Where = "walk" | "readme" | "elsewhere" | "nowhere";

export function whereRun({ path, line }: DocumentLine): Where {
  if (path === "README.md") return "readme";
  const { name, options } = formOf(split(line.replace(/^npx payledger /, "")));
  const isForm = (form: Form) => form.name === name && options.every((option) => form.options.includes(option));
  if (RUN_FORMS.some(isForm)) return "walk";
  if (documentLines().some((each) => each.path === "README.md" && each.line === line)) return "readme";
  const isElsewhere = name in RUN_ELSEWHERE || options.some((option) => `${name} --${option}` in RUN_IN_OTHER_WAYS);
  return isElsewhere ? "elsewhere" : "nowhere";
}

function codesOf(name: string): string {
  const codes = RUNS.filter((_, index) => RUN_FORMS[index]?.name === name).flatMap(({ codes }) => codes);
  return [...new Set(codes)].sort((a, b) => a - b).join(", ");
}

/** The page in Markdown. */
export function commandsPage(): string {
  const leaves = leavesOf();
  const lines = documentLines();
  const own = lines.filter(({ tool }) => tool === "npx payledger");
  const run = own.filter((line) => whereRun(line) !== "nowhere");
  const others = Object.entries(OF_OTHERS).map(([tool, needs]) => {
    const count = lines.filter((line) => line.tool === tool).length;
    return `| \`${tool}\` | ${count} | ${needs} |`;
  });
  const rows = leaves.map(({ name, summary }) => {
    const elsewhere = RUN_ELSEWHERE[name];
    const end = elsewhere === undefined ? ["yes", codesOf(name)] : [`not here: ${elsewhere}`, ""];
    return `| \`${name}\` | ${summary} | ${end.join(" | ")} |`;
  });
  return `# The commands of payledger

<!-- Written by \`npm run commands-page\`. -->

${leaves.length} commands. A test walks the tree of commands and holds for each of them: \`--help\` and \`-h\` explain it, name every option and end with
0; a wrong use ends with 2 and one message; no error prints a stack trace (\`__tests__/cli/commands.test.ts\`). Another one runs them with
\`--json\` on the embedded AWS, and holds that what they print is JSON and that they end with these codes (\`__tests__/readme.test.ts\`).

| Command | What it does | \`--json\` | Ends there with |
|---|---|---|---|
${rows.join("\n")}

0: done. 1: the answer is no. 2: a wrong use, or it could not be done. 10: the test has altered a row, and the verdict says so.

## The commands in the documents

${run.length} of ${own.length} lines of \`npx payledger\` in the documents are run by tests, with all of their options. Not on the embedded AWS:
${Object.entries({ ...RUN_ELSEWHERE, ...RUN_IN_OTHER_WAYS })
  .map(([name, where]) => `\`${name}\` (${where})`)
  .join("; ")}.

| Commands of others | Lines | What they need |
|---|---|---|
${others.join("\n")}

The lines of [usage.md](usage.md), [runbook.md](runbook.md) and [first-deployment.md](first-deployment.md) run in tests with stand-ins for \`aws\`, \`terraform\` and \`npx\`,
which compare commands, options, names and what is sent with the stacks. Nobody has run them in an account.
`;
}
