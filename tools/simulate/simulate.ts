/**
 * `npm run simulate -- PAYMENTS_A_SECOND [--way=single]`: the limits of a `prod` deployment in the order in which they are hit, the
 * settings that move them, how long a record waits to be sealed, and the price of an hour. `-- --write` writes docs/scale.md.
 */

import { readFileSync, writeFileSync } from "node:fs";
import { join, resolve } from "node:path";
import { parseArgs } from "node:util";
import { ENVIRONMENTS } from "../../stacks/config/environments";
import type { AppConfig } from "../../stacks/config/types";
import { countWay, type WayCounts } from "../cost/counted";
import { together } from "../cost/idle";
import { variableLines } from "../cost/variable";
import { type Limit, limitsOf, PAYMENT_WAYS, type PaymentWay } from "./limits";
import { type Lag, simulateSealing } from "./sealing";

export const RATES = [1_000, 10_000, 100_000] as const;
const HOURS_PER_MONTH = 730;
const PROJECT = resolve(__dirname, "..", "..");

export interface Simulation {
  readonly paymentsPerSecond: number;
  readonly way: PaymentWay;
  /** The lowest first. */
  readonly limits: readonly Limit[];
  readonly lag: Lag;
  readonly dollarsPerHour: number;
}

const config = ENVIRONMENTS["prod"] as AppConfig;

export async function simulate(paymentsPerSecond: number, way: PaymentWay): Promise<Simulation> {
  const counts: WayCounts = await countWay(way);
  const rowUnits = 2 * Math.ceil(counts.rowBytes / 1024);
  const lag = simulateSealing({
    recordsPerSecond: paymentsPerSecond * counts.sealedRecords,
    tableUnitsPerSecond: [paymentsPerSecond * rowUnits, paymentsPerSecond * (counts.tableWriteUnits - rowUnits)],
    sealers: config.protections.reservedConcurrency?.sealAuditTrail ?? 1_000,
  });
  const month = variableLines(way, counts, paymentsPerSecond * 3600 * HOURS_PER_MONTH);
  return {
    paymentsPerSecond,
    way,
    limits: limitsOf(way, counts, config),
    lag,
    dollarsPerHour: together(month) / HOURS_PER_MONTH,
  };
}

const whole = (value: number) => Math.round(value).toLocaleString("en");

function lagText({ p50Seconds, p99Seconds, backlogSeconds }: Lag): string {
  // A batch waits in its shard for the stream's window at most; what waits longer than that falls behind.
  if (backlogSeconds > 30) return "falls behind";
  return `half within ${whole(p50Seconds)} s, 99 % within ${whole(p99Seconds)} s`;
}

/** Limits that a rate goes beyond, or else the next one. */
const hitOf = ({ limits, paymentsPerSecond }: Simulation) =>
  limits.filter((limit) => limit.paymentsPerSecond < paymentsPerSecond);

/** A Markdown table: a row for each rate and way. */
export function scaleTable(simulations: readonly Simulation[]): string {
  const rows = simulations.map((simulation) => {
    const [next] = simulation.limits;
    const hit = hitOf(simulation);
    const first = hit[0] === undefined ? `none; next: ${next?.what}` : hit[0].what;
    return [
      whole(simulation.paymentsPerSecond),
      simulation.way,
      first,
      hit[0] === undefined ? "" : hit[0].setting,
      String(hit.length),
      lagText(simulation.lag),
      `$${simulation.dollarsPerHour.toFixed(2)}`,
    ];
  });
  const line = (cells: readonly string[]) => `| ${cells.join(" | ")} |`;
  return [
    line([
      "Payments a second",
      "Way",
      "First limit hit",
      "What moves it",
      "Limits hit",
      "Sealed and published",
      "An hour",
    ]),
    `|${"---|".repeat(7)}`,
    ...rows.map(line),
  ].join("\n");
}

/** A Markdown table: each limit of a way, the lowest first. */
export function limitTable({ limits }: Simulation): string {
  return [
    "| Limit of single calls in `prod` | Payments a second | What moves it |",
    "|---|---|---|",
    ...limits.map(({ what, paymentsPerSecond, setting }) => `| ${what} | ${whole(paymentsPerSecond)} | ${setting} |`),
  ].join("\n");
}

export async function tables() {
  const pairs = RATES.flatMap((rate) => (["single", "list"] as const).map((way) => [rate, way] as const));
  const simulations = await Promise.all(pairs.map(([rate, way]) => simulate(rate, way)));
  return { scale: scaleTable(simulations), limits: limitTable(simulations[0] as Simulation) };
}

async function writeDocument(): Promise<void> {
  const { scale, limits } = await tables();
  const file = join(PROJECT, "docs", "scale.md");
  const table = (head: string) => new RegExp(`^\\| ${head}.*\\n(?:\\|.*\\n)*\\|.*$`, "m");
  const text = readFileSync(file, "utf8");
  writeFileSync(
    file,
    text.replace(table("Payments a second \\|"), () => scale).replace(table("Limit of single"), () => limits),
  );
}

async function main(): Promise<void> {
  const { values, positionals } = parseArgs({
    allowPositionals: true,
    options: { way: { type: "string", default: "single" }, json: { type: "boolean" }, write: { type: "boolean" } },
  });
  if (values.write) return writeDocument();
  const rate = Number(positionals[0] ?? Number.NaN);
  const way = PAYMENT_WAYS.find((each) => each === values.way);
  if (!(rate > 0) || way === undefined) {
    throw new Error(
      `Give the payments a second, for example ${RATES.join(", ")}; --way is ${PAYMENT_WAYS.join(", ")}.`,
    );
  }
  const simulation = await simulate(rate, way);
  if (values.json) return console.log(JSON.stringify(simulation, null, 2));
  console.log(`${whole(rate)} payments a second, ${way}, settings of prod`);
  for (const { what, paymentsPerSecond, setting } of simulation.limits) {
    const verdict = paymentsPerSecond < rate ? "HIT " : "ok  ";
    console.log(`  ${verdict} ${whole(paymentsPerSecond).padStart(10)}  ${what}: ${setting}`);
  }
  console.log(
    `Sealed and published: ${lagText(simulation.lag)}; ${(100 * simulation.lag.lostRaces).toFixed(0)} % of the attempts came second`,
  );
  console.log(`Price of an hour, without the part that is paid used or not: $${simulation.dollarsPerHour.toFixed(2)}`);
}

if (require.main === module) {
  main().catch((error: unknown) => {
    console.error(error instanceof Error ? error.message : error);
    process.exitCode = 1;
  });
}
