/**
 * `npm run cost`: what a month costs, line by line: what is there whether used or not, computed from the synthesized stacks, and
 * what payments, events and reads add, from what was counted of each. `-- --write` writes it into the documents.
 */

import { mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join, resolve } from "node:path";
import { COST_OPTIONS } from "../../cli/cost";
import { parseWords } from "../../evidence/commands/command";
import { NOT_DONE } from "../../evidence/commands/errors";
import { type Artifacts, buildApp } from "../../stacks/build-app";
import { loadConfig } from "../../stacks/config/load";
import { CONNECTIVITIES, type Connectivity } from "../../stacks/config/types";
import { countWay, WAYS, type WayCounts, type WayIn } from "./counted";
import { type CostLine, idleCost, type PricedStack, together } from "./idle";
import { PRICES, sourceOf } from "./prices";
import { type VariableLine, variableLines } from "./variable";

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
  const row = (cells: readonly string[]) => `| ${cells.join(" | ")} |`;
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

const MILLION = 1_000_000;

/** What the documents that the project was created from come to, for one million payments: neither audited nor sealed. */
const SOURCES_DESIGN = { fixed: 37.5, direct: 1.53, file: 7.29 } as const;

const WAY_NAMES: Readonly<Record<WayIn, string>> = {
  single: "payment, sent alone",
  list: "payment, in lists of 50",
  message: "payment, as a message",
  fileRow: "payment, a row of a file",
  event: "audit event, sent alone",
  read: "read of one payment",
};

export type CountedWays = Readonly<Record<WayIn, WayCounts>>;

export async function countWays(): Promise<CountedWays> {
  const counted = await Promise.all(WAYS.map(async (way) => [way, await countWay(way)] as const));
  return Object.fromEntries(counted) as CountedWays;
}

/** A Markdown table: each variable line for one million a month of each way in. */
export function wayTable(ways: CountedWays): string {
  const lines = Object.fromEntries(WAYS.map((way) => [way, variableLines(way, ways[way], MILLION)])) as Record<
    WayIn,
    VariableLine[]
  >;
  const kinds = [...new Set([...lines.message, ...lines.single].map(({ what }) => what))];
  const row = (cells: readonly string[]) => `| ${cells.join(" | ")} |`;
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
  const row = (cells: readonly string[]) => `| ${cells.join(" | ")} |`;
  const text = (amount: number) => String(Number(amount.toFixed(4)));
  const rows: readonly (readonly [string, (counted: WayCounts) => number])[] = [
    ["write units of the tables", (counted) => counted.tableWriteUnits],
    ["write units of the indexes", (counted) => counted.indexWriteUnits],
    ["read units", (counted) => counted.readUnits],
    ["bytes of the row", (counted) => counted.rowBytes],
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

const PROJECT = resolve(__dirname, "..", "..");
const STACKS = ["security", "network", "data", "functions"];
/** The tables in `docs/cost.md`, by how they begin, and a layout's sum in `docs/usage.md`. */
const tableThatBegins = (head: string) => new RegExp(`^\\| ${head} \\|.*\\n(?:\\|.*\\n)*\\|.*$`, "m");
const sumOf = (layout: string) => new RegExp(`^(\\| \`${layout}\`[^|]*\\| )\\$[\\d.]+ \\|`, "m");

/** What the functions do has no price, so any file can replace their code, and any folder the auditor's kit. */
const STAND_INS: Artifacts = {
  handlerCode: () => ({ zip: __filename, sha256: "0".repeat(64) }),
  auditorKit: { directory: join(PROJECT, "stacks", "provider-locks"), sha256: "0".repeat(64) },
};

export function stacksWith(connectivity: Connectivity): PricedStack[] {
  const outdir = mkdtempSync(join(tmpdir(), "payment-ledger-cost-"));
  try {
    buildApp({ ...loadConfig(), connectivity }, STAND_INS, outdir).synth();
    return STACKS.map((id) => {
      return JSON.parse(readFileSync(join(outdir, "stacks", id, "cdk.tf.json"), "utf8")) as PricedStack;
    });
  } finally {
    rmSync(outdir, { recursive: true });
  }
}

function rewrite(path: string, change: (text: string) => string): void {
  const file = join(PROJECT, path);
  writeFileSync(file, change(readFileSync(file, "utf8")));
}

function writeDocuments(layouts: Readonly<Record<string, readonly CostLine[]>>, ways: CountedWays): void {
  const tables = {
    What: costTable(layouts),
    "For a million a month": wayTable(ways),
    "Counted, for one": countTable(ways),
  };
  rewrite("docs/cost.md", (text) =>
    Object.entries(tables).reduce(
      (changed, [head, table]) => changed.replace(tableThatBegins(head), () => table),
      text,
    ),
  );
  rewrite("docs/deploy.md", (text) =>
    Object.entries(layouts).reduce(
      (changed, [layout, lines]) =>
        changed.replace(
          new RegExp(`\\$[\\d.]+((?: a month)? with \`${layout}\`)`),
          (_, after: string) => `${inDollars(together(lines))}${after}`,
        ),
      text,
    ),
  );
  rewrite("docs/usage.md", (text) =>
    Object.entries(layouts).reduce(
      (changed, [layout, lines]) =>
        changed.replace(sumOf(layout), (_, before: string) => `${before}${inDollars(together(lines))} |`),
      text,
    ),
  );
}

export interface Month {
  readonly connectivity: Connectivity;
  readonly volumes: Readonly<Record<WayIn, number>>;
}

/** All lines of a month: what is there anyway, and what its volumes add. */
export function monthOf({ connectivity, volumes }: Month, ways: CountedWays) {
  const fixed = idleCost(stacksWith(connectivity));
  const variable = WAYS.filter((way) => volumes[way] > 0).map((way) => {
    const lines = variableLines(way, ways[way], volumes[way]).map((line) => ({
      ...line,
      source: sourceOf(line.price),
    }));
    return { way, count: volumes[way], lines, dollars: together(lines) };
  });
  const sum = variable.reduce((total, { dollars }) => total + dollars, 0);
  return { connectivity, fixed, variable, fixedDollars: together(fixed), variableDollars: sum };
}

function print(month: ReturnType<typeof monthOf>): void {
  const line = (dollars: number, what: string, note = "") =>
    console.log(`  ${inDollars(dollars).padStart(10)}  ${what}${note === "" ? "" : `  (${note})`}`);
  console.log(`A month of 730 hours, us-east-1, connectivity ${month.connectivity}: used or not`);
  for (const { what, count, dollars } of month.fixed) line(dollars, what, Math.round(count).toLocaleString("en"));
  line(month.fixedDollars, "together");
  for (const { way, count, lines, dollars } of month.variable) {
    console.log(`${count.toLocaleString("en")} x ${WAY_NAMES[way]}`);
    for (const { what, dollars: amount, count: units, price, source } of lines) {
      if (amount >= 0.005)
        line(
          amount,
          what,
          `${Number(units.toPrecision(4)).toLocaleString("en")} x $${Number(PRICES[price].toPrecision(6))}; ${source}`,
        );
    }
    line(dollars, "together");
  }
  line(month.fixedDollars + month.variableDollars, "the month");
  console.log(
    `Beside it, the design of the documents, which neither audits nor seals: $${SOURCES_DESIGN.fixed.toFixed(2)} used or not, and for a ` +
      `million payments $${SOURCES_DESIGN.direct} sent directly or $${SOURCES_DESIGN.file} as files of one payment.`,
  );
}

async function main(): Promise<void> {
  const given = parseWords(process.argv.slice(2), COST_OPTIONS);
  const ways = await countWays();
  if (given.flag("write")) {
    writeDocuments(Object.fromEntries(CONNECTIVITIES.map((layout) => [layout, idleCost(stacksWith(layout))])), ways);
    return;
  }
  const asked = WAYS.map((way) => [way, Number(given.one(way) ?? 0)] as const);
  const isNothing = asked.every(([, count]) => count === 0);
  const volumes = Object.fromEntries(isNothing ? [...asked, ["single", MILLION]] : asked) as Record<WayIn, number>;
  const connectivity = CONNECTIVITIES.find((each) => each === (given.one("connectivity") ?? loadConfig().connectivity));
  if (connectivity === undefined || asked.some(([, count]) => !Number.isFinite(count) || count < 0)) {
    throw new Error(
      `A volume is a number from 0, and the connectivity one of ${CONNECTIVITIES.join(", ")}. All options: npx payledger cost --help`,
    );
  }
  const month = monthOf({ connectivity, volumes }, ways);
  if (given.flag("json")) console.log(JSON.stringify(month, null, 2));
  else print(month);
}

if (require.main === module) {
  main().catch((error: unknown) => {
    console.error(error instanceof Error ? error.message : error);
    process.exitCode = NOT_DONE;
  });
}
