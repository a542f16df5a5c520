/** The tables of the documents on cost, in Markdown. */

import { CONNECTIVITIES, type Connectivity } from "../../stacks/config/types";
import { WAYS, type WayCounts, type WayIn } from "./counted";
import { type CostLine, together } from "./idle";
import { type VariableLine, variableLines } from "./variable";

function row(cells: readonly string[]): string {
  return `| ${cells.join(" | ")} |`;
}

/** A Markdown table: a row for each kind of cost, a column for each layout of the network. */
export function costTable(layouts: Readonly<Record<string, readonly CostLine[]>>): string {
  const names = Object.keys(layouts);
  // The layout with the most kinds of cost first: it has them in their order.
  const longestFirst = Object.values(layouts).toSorted((one, other) => other.length - one.length);
  const kinds = [...new Set(longestFirst.flatMap((lines) => lines.map(({ what }) => what)))];
  const cell = (layout: string, what: string) => {
    const line = layouts[layout]?.find((found) => found.what === what);
    return line === undefined ? "" : inDollars(line.dollars);
  };
  const count = (what: string) => {
    const counts = new Set(
      Object.values(layouts).flatMap((lines) => lines.filter((line) => line.what === what).map((line) => line.count)),
    );
    const [only = 0] = counts;
    return counts.size === 1
      ? only < 10
        ? only.toFixed(only % 1 === 0 ? 0 : 2)
        : Math.round(only).toLocaleString("en-US")
      : "";
  };
  return [
    row(["What", "Count", ...names.map((name) => `\`${name}\``)]),
    `|${"---|".repeat(names.length + 2)}`,
    ...kinds.map((what) => row([what, count(what), ...names.map((name) => cell(name, what))])),
    row(["Together", "", ...names.map((name) => inDollars(together(layouts[name] ?? [])))]),
  ].join("\n");
}

export function inDollars(amount: number): string {
  return `$${amount.toFixed(2)}`;
}

export const MILLION = 1_000_000;

export const WAY_NAMES: Readonly<Record<WayIn, string>> = {
  single: "payment, sent alone",
  list: "payment, in lists of 50",
  message: "payment, as a message",
  fileRow: "payment, a row of a file",
  refund: "refund, held and settled",
  event: "audit event, sent alone",
  read: "read of one payment",
};

const PAYMENT_WAYS = ["single", "list", "message", "fileRow"] as const satisfies readonly WayIn[];

export type CountedWays = Readonly<Record<WayIn, WayCounts>>;

/** A Markdown table: each variable line for one million a month of each way in. */
export function wayTable(ways: CountedWays): string {
  const lines = Object.fromEntries(WAYS.map((way) => [way, variableLines(way, ways[way], MILLION)])) as Record<
    WayIn,
    VariableLine[]
  >;
  const kinds = [...new Set([...lines.message, ...lines.single].map(({ what }) => what))];
  const cell = (way: WayIn, what: string) => {
    const dollars = lines[way].find((found) => found.what === what)?.dollars ?? 0;
    return dollars < 0.005 ? "" : inDollars(dollars);
  };
  return [
    row(["For a million a month", ...WAYS.map((way) => WAY_NAMES[way])]),
    `|${"---|".repeat(WAYS.length + 1)}`,
    ...kinds.map((what) => row([what, ...WAYS.map((way) => cell(way, what))])).filter((line) => line.includes("$")),
    row(["Together", ...WAYS.map((way) => inDollars(together(lines[way])))]),
    row([
      "Together, of 10 million",
      ...WAYS.map((way) => inDollars(together(variableLines(way, ways[way], 10 * MILLION)) / 10)),
    ]),
  ].join("\n");
}

/** A Markdown table: what was counted of each way, for one of it. */
export function countTable(ways: CountedWays): string {
  const text = (amount: number) => String(Number(amount.toFixed(4)));
  const rows: readonly (readonly [string, (counted: WayCounts) => number])[] = [
    ["write units of the tables", (counted) => counted.tableWriteUnits],
    ["write units of the indexes", (counted) => counted.indexWriteUnits],
    ["read units", (counted) => counted.readUnits],
    ["bytes of the row", (counted) => counted.rowBytes],
    ["bytes of keys in the indexes", (counted) => Math.round(counted.indexBytes)],
    ["bytes of the audit record", (counted) => Math.round(counted.recordBytes)],
    ["calls of the function", (counted) => counted.calls],
    ["transactions", (counted) => counted.transactions],
    ["records to seal", (counted) => counted.sealedRecords],
  ];
  return [
    row(["Counted, for one", ...WAYS.map((way) => WAY_NAMES[way])]),
    `|${"---|".repeat(WAYS.length + 1)}`,
    ...rows.map(([what, of]) => row([what, ...WAYS.map((way) => text(of(ways[way])))])),
  ].join("\n");
}

/** What an idle month costs, by number of zones and by connectivity. */
export type IdleMonths = Readonly<Record<Connectivity, number>>[];

/** A Markdown table: the idle month of each profile. */
export function profileTable(months: IdleMonths): string {
  const rows = months.map((sums, i) => [
    ["1, the profile `small`", "2", "3, the default"][i] ?? "",
    ...CONNECTIVITIES.map((connectivity) => inDollars(sums[connectivity])),
  ]);
  return [
    row(["Zones", ...CONNECTIVITIES.map((connectivity) => `\`${connectivity}\``)]),
    `|${"---|".repeat(CONNECTIVITIES.length + 1)}`,
    ...rows.map(row),
  ].join("\n");
}

/** Of a million payments, from the cheapest way in at ten million a month to the dearest at one. */
export function millionRange(ways: CountedWays): string {
  const of = (count: number) =>
    PAYMENT_WAYS.map((way) => (together(variableLines(way, ways[way], count)) / count) * MILLION);
  return `$${Math.round(Math.min(...of(10 * MILLION)))} to $${Math.round(Math.max(...of(MILLION)))}`;
}

/** The README's sentence on the price. */
export function priceSentence(months: IdleMonths): string {
  const dollars = (zones: number) => `$${Math.round(months[zones - 1]?.privatelink ?? Number.NaN)}`;
  return `A deployment costs about ${dollars(3)} a month idle, ${dollars(1)} in one zone (\`PAYMENT_LEDGER_PROFILE=small\`)`;
}
