/** The nodes of Mermaid flowcharts in a document, by their shapes. */

export interface FlowchartNode {
  readonly id: string;
  readonly label: string;
  readonly kind: "function" | "table" | "queue" | "bucket" | "outside";
}

export interface Flowchart {
  readonly nodes: readonly FlowchartNode[];
  /** The ids that edges name: of nodes, and of subgraphs. */
  readonly linked: readonly string[];
  readonly subgraphs: readonly string[];
}

/** Rectangle, cylinder, box with double sides, slanted box, rounded box. */
const SHAPES: readonly (readonly [FlowchartNode["kind"], RegExp])[] = [
  ["table", /^(\w+)\[\("([^"]+)"\)\]$/],
  ["queue", /^(\w+)\[\["([^"]+)"\]\]$/],
  ["bucket", /^(\w+)\[\/"([^"]+)"\/\]$/],
  ["outside", /^(\w+)\(\["([^"]+)"\]\)$/],
  ["function", /^(\w+)\["([^"]+)"\]$/],
];

/** @throws Error for a line that is neither a node, an edge nor part of a subgraph. */
export function flowchartOf(markdown: string): Flowchart {
  const text = /^```mermaid\nflowchart \w+\n([\s\S]*?)^```$/m.exec(markdown)?.[1] ?? "";
  const nodes: FlowchartNode[] = [];
  const linked: string[] = [];
  const subgraphs: string[] = [];
  for (const line of text.split("\n").map((each) => each.trim())) {
    if (line === "" || line === "end") continue;
    const subgraph = /^subgraph (\w+)\["[^"]+"\]$/.exec(line)?.[1];
    const node = nodeOf(line);
    if (subgraph !== undefined) subgraphs.push(subgraph);
    else if (node !== undefined) nodes.push(node);
    else linked.push(...endsOf(line));
  }
  return { nodes, linked, subgraphs };
}

function nodeOf(line: string): FlowchartNode | undefined {
  for (const [kind, shape] of SHAPES) {
    const [, id, label] = shape.exec(line) ?? [];
    if (id !== undefined && label !== undefined) return { id, label, kind };
  }
  return undefined;
}

function endsOf(line: string): string[] {
  const ends = line.split(/ (?:-->|-- "[^"]*" -->|-\. "[^"]*" \.->) /);
  if (ends.length < 2) throw new Error(`This line of the flowchart is neither a node nor an edge: ${line}`);
  return ends.flatMap((end) => end.split(" & "));
}
