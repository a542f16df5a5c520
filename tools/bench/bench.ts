/**
 * `npm run bench [-- NAME...] [--json] [--rounds=5] [--latency-ms=0]`: how fast the ledger is, against what a user would write
 * instead. Measures are taken in interleaved pairs, each in separate processes. It ends with 0 also where a goal is missed,
 * and says which: a loaded machine is no fault of the code. The checks after `--` end with 1 when their own limit is broken.
 */

import "../../local/sdk-warning";
import { spawnSync } from "node:child_process";
import { cpus, loadavg } from "node:os";
import path from "node:path";
import { parseArgs } from "node:util";
import { tableText } from "../../cli/query-options";
import { MEASURES, type Measurement } from "./measures";

/** Longer benchmarks with their own limits, each a program that takes its own arguments after its name. */
const CHECKS: Readonly<Record<string, string>> = {
  proof: "size of a proof in a log of a million entries, and the time to check it",
  "file-memory": "memory of the processor over a payment file of a million rows",
  "seal-cost": "write units a sealed record, calls of S3 and KMS a minute",
  "verify-pieces": "a damaged ledger verified in pieces: the report of the whole, time and memory of each piece",
  "verify-million": "time and memory of the verification of a million records",
};

function isGoalMet({ measured, goal }: Measurement): boolean | undefined {
  if (goal === undefined) return undefined;
  const { median } = "ratio" in measured ? measured.ratio : measured.ours;
  return goal.atLeast ? median >= goal.limit : median <= goal.limit;
}

const digits = (value: number) =>
  value >= 100 ? Math.round(value).toLocaleString("en") : value >= 10 ? value.toFixed(1) : value.toFixed(3);

function line(row: Measurement): string[] {
  const { what, unit, peer = "", measured, goal } = row;
  const { ours } = measured;
  const spread = ours.min === ours.max ? "" : ` (${digits(ours.min)} to ${digits(ours.max)})`;
  const isMet = isGoalMet(row);
  return [
    what,
    `${digits(ours.median)}${spread}`,
    unit,
    "peer" in measured ? `${digits(measured.peer.median)} ${peer}` : "",
    "ratio" in measured
      ? `${measured.ratio.median.toFixed(2)} (${measured.ratio.min.toFixed(2)} to ${measured.ratio.max.toFixed(2)})`
      : "",
    goal === undefined ? "" : `${goal.atLeast ? "at least" : "at most"} ${goal.limit.toLocaleString("en")}`,
    isMet === undefined ? "" : isMet ? "reached" : "MISSED",
  ];
}

const HEAD = ["What", "Here: median (spread)", "Unit", "Peer", "Ratio", "Goal", ""];

const load = () => loadavg().map((average) => average.toFixed(1));

async function measure(names: readonly (keyof typeof MEASURES)[]): Promise<void> {
  const settings = { rounds: Number(options.rounds), latencyMs: Number(options["latency-ms"]) };
  const machine = { node: process.version, processors: cpus().length, loadBefore: load(), ...settings };
  const rows: Measurement[] = [];
  for (const name of names) {
    if (!options.json) console.error(`measuring: ${name}`);
    rows.push(...(await MEASURES[name](settings)));
  }
  const missed = rows.filter((row) => isGoalMet(row) === false);
  if (options.json) {
    const withVerdict = rows.map((row) => ({ ...row, isGoalMet: isGoalMet(row) }));
    console.log(JSON.stringify({ ...machine, loadAfter: load(), rows: withVerdict }, null, 2));
    return;
  }
  console.log(tableText(HEAD, rows.map(line)));
  console.log(
    `\nNode ${machine.node}, ${machine.processors} processors, load ${machine.loadBefore.join(" ")} before and ${load().join(" ")} after; ` +
      `medians of ${settings.rounds} interleaved rounds, stub answers after ${settings.latencyMs} ms`,
  );
  console.log(missed.length === 0 ? "All goals are reached." : `Goals missed: ${missed.length}`);
  for (const { what, unit, peer } of missed) console.log(`  ${what} (${unit}${peer === undefined ? "" : `, ${peer}`})`);
}

const isMeasure = (name: string): name is keyof typeof MEASURES => Object.hasOwn(MEASURES, name);

function usage(): string {
  const checks = Object.entries(CHECKS).map(([name, what]) => `  ${name.padEnd(16)}${what}`);
  return `Options: --json, --rounds=5, --latency-ms=0.\nMeasures: ${Object.keys(MEASURES).join(", ")}; all of them when none is named.\nChecks, one at a time, with their own arguments:\n${checks.join("\n")}`;
}

const [first = "", ...rest] = process.argv.slice(2);

function wordsGiven() {
  try {
    return parseArgs({
      args: Object.hasOwn(CHECKS, first) ? [] : process.argv.slice(2),
      allowPositionals: true,
      options: {
        json: { type: "boolean", default: false },
        rounds: { type: "string", default: "5" },
        "latency-ms": { type: "string", default: "0" },
      },
    });
  } catch (error) {
    console.error(`${error instanceof Error ? error.message : String(error)}\n${usage()}`);
    return process.exit(2);
  }
}

const { values: options, positionals } = wordsGiven();

if (Object.hasOwn(CHECKS, first)) {
  const program = ["--import", "tsx", path.join(__dirname, `${first}.ts`), ...rest];
  process.exitCode = spawnSync(process.execPath, program, { stdio: "inherit" }).status ?? 1;
} else if (!positionals.every(isMeasure)) {
  console.error(`There is no benchmark ${positionals.filter((name) => !isMeasure(name)).join(", ")}.\n${usage()}`);
  process.exitCode = 2;
} else {
  void measure(positionals.length === 0 ? (Object.keys(MEASURES) as (keyof typeof MEASURES)[]) : positionals);
}
