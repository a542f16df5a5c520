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
import { loadConfig, loadConfigWith, OVERRIDES } from "../../stacks/config/load";
import { CONNECTIVITIES, type Connectivity } from "../../stacks/config/types";
import { countWay, WAYS, type WayIn } from "./counted";
import { type CostLine, idleCost, type PricedStack, together } from "./idle";
import { keptLines } from "./kept";
import { PRICES, sourceOf } from "./prices";
import {
  type CountedWays,
  costTable,
  countTable,
  type IdleMonths,
  inDollars,
  MILLION,
  millionRange,
  priceSentence,
  profileTable,
  WAY_NAMES,
  wayTable,
} from "./tables";
import { apiLines, growthOf, type MonthlyGrowth, variableLines } from "./variable";

/** What the documents that the project was created from come to, for one million payments: neither audited nor sealed. */
const SOURCES_DESIGN = { fixed: 37.5, direct: 1.53, file: 7.29 } as const;

export async function countWays(rowsPerFile?: number): Promise<CountedWays> {
  const counted = await Promise.all(WAYS.map(async (way) => [way, await countWay(way, rowsPerFile)] as const));
  return Object.fromEntries(counted) as CountedWays;
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

/** Letters do not change the price, so any serve. */
const ZONE_LETTERS = ["a", "b", "c"];

function stacksWith({ connectivity, zones, privateApi = false }: Layout): PricedStack[] {
  const config = loadConfigWith({
    [OVERRIDES.connectivity]: connectivity,
    [OVERRIDES.availabilityZones]: ZONE_LETTERS.slice(0, zones).join(","),
    [OVERRIDES.privateApi]: privateApi ? "on" : "off",
  });
  const outdir = mkdtempSync(join(tmpdir(), "payment-ledger-cost-"));
  try {
    buildApp(config, STAND_INS, outdir).synth();
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

function idleMonths(): IdleMonths {
  return ZONE_LETTERS.map((_, i) => {
    const sums = CONNECTIVITIES.map(
      (connectivity) => [connectivity, together(idleCost(stacksWith({ connectivity, zones: i + 1 })))] as const,
    );
    return Object.fromEntries(sums) as Record<Connectivity, number>;
  });
}

function writeDocuments(layouts: Readonly<Record<string, readonly CostLine[]>>, ways: CountedWays): void {
  const months = idleMonths();
  const range = millionRange(ways);
  rewrite("README.md", (text) =>
    text
      .replace(/A deployment costs about [^)]*\)/, () => priceSentence(months))
      .replace(/(a million payments )\$\d+ to \$\d+/, (_, before: string) => before + range),
  );
  rewrite("docs/deploy.md", (text) => text.replace(/\$\d+ to \$\d+ for a million/, () => `${range} for a million`));
  const tables = {
    What: costTable(layouts),
    Zones: profileTable(months),
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

export interface Layout {
  readonly connectivity: Connectivity;
  readonly zones: number;
  /** The deployment has the private API, and every call that can go through it does. */
  readonly privateApi?: boolean;
}

export interface Month extends Layout {
  readonly volumes: Readonly<Record<WayIn, number>>;
  /** How many such months there have been, this one included. */
  readonly months: number;
}

/** All lines of a month: what is there anyway, what its volumes add, and with more than one month what is kept of them. */
function monthOf({ connectivity, zones, privateApi = false, volumes, months }: Month, ways: CountedWays) {
  const fixed = idleCost(stacksWith({ connectivity, zones, privateApi }));
  const variable = WAYS.filter((way) => volumes[way] > 0).map((way) => {
    const requests = privateApi ? apiLines(way, ways[way], volumes[way]) : [];
    const lines = [...requests, ...variableLines(way, ways[way], volumes[way])].map((line) => ({
      ...line,
      source: sourceOf(line.price),
    }));
    return { way, count: volumes[way], lines, dollars: together(lines) };
  });
  const growth = WAYS.map((way) => growthOf(ways[way], volumes[way]));
  const sumOfAll = (of: (each: MonthlyGrowth) => number) => growth.reduce((sum, each) => sum + of(each), 0);
  const kept =
    months === 1
      ? []
      : keptLines(
          {
            tableGigabytes: sumOfAll((each) => each.tableGigabytes),
            evidenceGigabytes: sumOfAll((each) => each.evidenceGigabytes),
          },
          months,
          loadConfig(),
        ).map((line) => ({ ...line, source: sourceOf(line.price) }));
  const variableDollars = variable.reduce((total, { dollars }) => total + dollars, 0);
  return {
    ...{ connectivity, zones, privateApi, months, fixed, variable, kept },
    ...{ fixedDollars: together(fixed), variableDollars, keptDollars: together(kept) },
  };
}

function print(month: ReturnType<typeof monthOf>): void {
  const line = (dollars: number, what: string, note = "") =>
    console.log(`  ${inDollars(dollars).padStart(10)}  ${what}${note === "" ? "" : `  (${note})`}`);
  const pricedLines = (lines: ReturnType<typeof monthOf>["kept"]) => {
    for (const { what, dollars, count: units, price, source } of lines) {
      if (dollars < 0.005) continue;
      const rounded = Number(units.toPrecision(4)).toLocaleString("en");
      line(dollars, what, `${rounded} x $${Number(PRICES[price].toPrecision(6))}; ${source}`);
    }
  };
  console.log(
    `A month of 730 hours, us-east-1, connectivity ${month.connectivity}${month.privateApi ? ", private API" : ""}, zones: ${month.zones}: used or not`,
  );
  for (const { what, count, dollars } of month.fixed) line(dollars, what, Math.round(count).toLocaleString("en"));
  line(month.fixedDollars, "together");
  for (const { way, count, lines, dollars } of month.variable) {
    console.log(`${count.toLocaleString("en")} x ${WAY_NAMES[way]}`);
    pricedLines(lines);
    line(dollars, "together");
  }
  if (month.kept.length > 0) {
    console.log(`Month ${month.months} of such months: what is kept`);
    pricedLines(month.kept);
    line(month.keptDollars, "together");
  }
  line(month.fixedDollars + month.variableDollars + month.keptDollars, "the month");
  console.log("An idle month by profile:");
  for (const [i, sums] of idleMonths().entries()) {
    const prices = CONNECTIVITIES.map((connectivity) => `${inDollars(sums[connectivity])} ${connectivity}`);
    console.log(`  ${i + 1} ${i === 0 ? "zone " : "zones"}  ${prices.join(", ")}`);
  }
  console.log(
    `Beside it, the design of the documents, which neither audits nor seals: $${SOURCES_DESIGN.fixed.toFixed(2)} used or not, and for a ` +
      `million payments $${SOURCES_DESIGN.direct} sent directly or $${SOURCES_DESIGN.file} as files of one payment.`,
  );
}

/** @throws Error naming the option that is wrong. */
function monthAsked(args: ReturnType<typeof parseWords>): Month & { readonly files: number | undefined } {
  const numberOf = (option: string, least: number, most = Number.MAX_VALUE): number | undefined => {
    const text = args.one(option);
    if (text === undefined) return undefined;
    const number = Number(text);
    if (text !== "" && number >= least && number <= most) return number;
    const limits = most === Number.MAX_VALUE ? `a number from ${least}` : `a number from ${least} to ${most}`;
    throw new Error(`--${option} is ${limits}. All options: npx payledger cost --help`);
  };
  const asked = WAYS.map((way) => [way, numberOf(way, 0) ?? 0] as const);
  const isNothing = asked.every(([, count]) => count === 0);
  const volumes = Object.fromEntries(isNothing ? [...asked, ["single", MILLION]] : asked) as Record<WayIn, number>;
  const config = loadConfig();
  const connectivity = CONNECTIVITIES.find((each) => each === (args.one("connectivity") ?? config.connectivity));
  if (connectivity === undefined) {
    throw new Error(`--connectivity is one of ${CONNECTIVITIES.join(", ")}. All options: npx payledger cost --help`);
  }
  const zones = Math.trunc(numberOf("zones", 1, ZONE_LETTERS.length) ?? config.availabilityZones.length);
  const privateApi = args.flag("private-api");
  return { connectivity, zones, privateApi, volumes, months: numberOf("months", 1) ?? 1, files: numberOf("files", 1) };
}

/** Above this the price of a file does not show in that of a row. */
const COUNTED_ROWS_MAX = 5_000;

async function main(): Promise<void> {
  const args = parseWords(process.argv.slice(2), COST_OPTIONS);
  if (args.flag("write")) {
    const layouts = CONNECTIVITIES.map((connectivity) => {
      return [connectivity, idleCost(stacksWith({ connectivity, zones: ZONE_LETTERS.length }))] as const;
    });
    writeDocuments(Object.fromEntries(layouts), await countWays());
    return;
  }
  const { files, ...asked } = monthAsked(args);
  const rowsPerFile = files === undefined ? undefined : Math.round(asked.volumes.fileRow / files);
  const ways = await countWays(
    rowsPerFile === undefined ? undefined : Math.min(COUNTED_ROWS_MAX, Math.max(1, rowsPerFile)),
  );
  const month = monthOf(asked, ways);
  if (args.flag("json")) console.log(JSON.stringify(month, null, 2));
  else print(month);
}

if (require.main === module) {
  main().catch((error: unknown) => {
    console.error(error instanceof Error ? error.message : error);
    process.exitCode = NOT_DONE;
  });
}
