/** Compares the pictures of `docs/architecture.md` with the synthesized stacks. */

import { tableUnder, textOf } from "./support/documents";
import { type FlowchartNode, flowchartOf } from "./support/mermaid";
import { configOf, synthesize } from "./support/synth";

const { stacks } = synthesize(configOf("prod"));
const ACCOUNT = /-\$\{data\.aws_caller_identity\.current\.account_id\}$/;

/** Kind and name, without suffix and account, of everything that the picture must show. */
function deployed(): string[] {
  const resources = Object.values(stacks).flatMap(({ resource }) => Object.entries(resource));
  const kinds: Readonly<Record<string, readonly [FlowchartNode["kind"], string]>> = {
    aws_lambda_function: ["function", "function_name"],
    aws_dynamodb_table: ["table", "name"],
    aws_sqs_queue: ["queue", "name"],
    aws_s3_bucket: ["bucket", "bucket"],
  };
  return resources
    .flatMap(([type, blocks]) => {
      const [kind, attribute] = kinds[type] ?? [];
      if (kind === undefined || attribute === undefined) return [];
      return Object.values(blocks).map((block) => `${kind} ${nameOf(String(block[attribute]))}`);
    })
    .sort();
}

const nameOf = (name: string) => name.replace(ACCOUNT, "").replace(/-prod(?=\.fifo$|$)/, "");

function shown(markdown: string): string[] {
  const inside = flowchartOf(markdown).nodes.filter(({ kind }) => kind !== "outside");
  return inside.map(({ kind, label }) => `${kind} ${label}`).sort();
}

const TEXT = textOf("docs/architecture.md");

test("the picture shows every function, table, queue and bucket of the stacks, and nothing else", () => {
  expect(shown(TEXT)).toEqual(deployed());
});

test.each([
  ["a function less", TEXT.replace(/^.*"check_backup".*\n/m, "")],
  ["a table more", TEXT.replace('[("PaymentLedger")]', '[("PaymentLedger")]\n    gold[("PaymentGold")]')],
  ["a bucket in the shape of a queue", TEXT.replace('[/"payment-files"/]', '[["payment-files"]]')],
])("%s is found", (_, changed) => {
  expect(changed).not.toBe(TEXT);
  expect(shown(changed)).not.toEqual(deployed());
});

test("every node has an edge, and every edge its nodes", () => {
  const { nodes, linked, subgraphs } = flowchartOf(TEXT);
  const known = new Set([...nodes.map(({ id }) => id), ...subgraphs]);
  expect(linked.filter((id) => !known.has(id))).toEqual([]);
  // A node of these is linked together with the others of its subgraph.
  const grouped = new Set(["queryLedger", "reveal", "queryTransactions"]);
  expect(nodes.filter(({ id }) => !linked.includes(id) && !grouped.has(id))).toEqual([]);
});

test("the participants of the sequences are of the stacks, or named here", () => {
  const outside = ["service", "KMS", "DynamoDB", "table stream", "verifier"];
  const participants = [...TEXT.matchAll(/^ {2}participant \w+ as (.+)$/gm)].map(([, name = ""]) => name);
  const names = new Set(deployed().map((each) => each.split(" ")[1]));
  expect(participants.length).toBeGreaterThan(8);
  expect(participants.filter((name) => !outside.includes(name) && !names.has(name))).toEqual([]);
});

test("the glossary has at most 20 terms, each once", () => {
  const terms = tableUnder("docs/architecture.md", "Glossary").flatMap(([term = ""]) => term.split(", "));
  expect(new Set(terms).size).toBe(terms.length);
  expect(tableUnder("docs/architecture.md", "Glossary").length).toBeLessThanOrEqual(20);
});
