/**
 * `npm run idle-cost`: what a deployment costs in a month in which nobody uses it, computed from the synthesized stacks, in
 * each layout of the network. `-- --write` writes it into the documents. Every type of resource that the stacks hold is either
 * priced or named as free with its reason, so that none can be left out.
 */

import { mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join, resolve } from "node:path";
import { type Artifacts, buildApp } from "../stacks/build-app";
import { loadConfig } from "../stacks/config/load";
import { CONNECTIVITIES, type Connectivity } from "../stacks/config/types";
import { type CostLine, idleCost, type PricedStack, together } from "./idle-prices";

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

const PROJECT = resolve(__dirname, "..");
const STACKS = ["security", "network", "data", "functions"];
/** The table in `docs/deploy.md`, and a layout's sum in `docs/usage.md`. */
const TABLE = /^\| What \| Count \|[\s\S]*?^\| Together .*$/m;
const sumOf = (layout: string) => new RegExp(`^(\\| \`${layout}\`[^|]*\\| )\\$[\\d.]+ \\|`, "m");

/** What the functions do has no price, so any file can replace their code, and any folder the auditor's kit. */
const STAND_INS: Artifacts = {
  handlerCode: () => ({ zip: __filename, sha256: "0".repeat(64) }),
  auditorKit: { directory: join(PROJECT, "stacks", "provider-locks"), sha256: "0".repeat(64) },
};

function stacksWith(connectivity: Connectivity): PricedStack[] {
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

function main(): void {
  const layouts = Object.fromEntries(CONNECTIVITIES.map((layout) => [layout, idleCost(stacksWith(layout))]));
  const table = costTable(layouts);
  console.log(table);
  if (!process.argv.includes("--write")) return;
  rewrite("docs/deploy.md", (text) => text.replace(TABLE, () => table));
  rewrite("docs/usage.md", (text) =>
    Object.entries(layouts).reduce(
      (changed, [layout, lines]) =>
        changed.replace(sumOf(layout), (_, before: string) => `${before}${inDollars(together(lines))} |`),
      text,
    ),
  );
}

if (require.main === module) main();
