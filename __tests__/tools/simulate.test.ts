/** The model of a deployment under load: its limits, its lag, and the same figures in the document. */

import { readFileSync } from "node:fs";
import { join } from "node:path";
import { simulateSealing } from "../../tools/simulate/sealing";
import { simulate, tables } from "../../tools/simulate/simulate";
import { PROJECT } from "../support/project-files";

const load = (payments: number, sealers = 20) =>
  simulateSealing({
    recordsPerSecond: 2 * payments,
    tableUnitsPerSecond: [2 * payments, 2 * payments],
    sealers,
  });

test("scale.md has the tables of the simulation; otherwise run npm run simulate -- --write", async () => {
  const text = readFileSync(join(PROJECT, "docs", "scale.md"), "utf8");
  for (const table of Object.values(await tables())) expect(text).toContain(table);
});

test("at 10,000 payments a second 99 % are sealed and published within two minutes", () => {
  const { p50Seconds, p99Seconds, backlogSeconds } = load(10_000);
  expect(p50Seconds).toBeLessThan(p99Seconds);
  expect(p99Seconds).toBeLessThan(120);
  expect(backlogSeconds).toBeLessThan(30);
});

test("beyond what one head takes, or with one sealer, the log falls behind, and the model says so", () => {
  expect(load(100_000).backlogSeconds).toBeGreaterThan(100);
  expect(load(10_000, 1).backlogSeconds).toBeGreaterThan(100);
});

test("limits come lowest first; a list goes beyond the calls of single payments, and an hour's price follows the rate", async () => {
  const [single, list, twice] = [
    await simulate(1_000, "single"),
    await simulate(1_000, "list"),
    await simulate(2_000, "single"),
  ];
  const rates = single.limits.map(({ paymentsPerSecond }) => paymentsPerSecond);
  expect(rates).toEqual(rates.toSorted((a, b) => a - b));
  const calls = /calls of the function/;
  const of = ({ limits }: typeof single) => limits.find(({ what }) => calls.test(what))?.paymentsPerSecond ?? 0;
  expect(of(list)).toBeGreaterThan(of(single));
  expect(twice.dollarsPerHour / single.dollarsPerHour).toBeCloseTo(2, 1);
});
