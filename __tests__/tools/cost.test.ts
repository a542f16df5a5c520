/** The cost of a month, used or not: complete, counted, and the same in the documents. */

import { readFileSync } from "node:fs";
import { join } from "node:path";
import type { DynamoDBClient } from "@aws-sdk/client-dynamodb";
import { CONNECTIVITIES } from "../../stacks/config/types";
import { costTable, countTable, countWays, inDollars, wayTable } from "../../tools/cost/cost";
import { countWay } from "../../tools/cost/counted";
import { HEARTBEAT_CALLS, idleCost, type PricedStack, together } from "../../tools/cost/idle";
import { PRICES, type PriceName, sourceOf } from "../../tools/cost/prices";
import { sealing, variableLines } from "../../tools/cost/variable";
import { aPaymentRecord, LEDGER, streamRecord } from "../evidence/sealing/changes";
import { startSealer } from "../evidence/sealing/sealer";
import { fakeWorld } from "../evidence/sealing/worlds";
import { stubServices } from "../ledger/rules/stub-services";
import { PROJECT } from "../support/project-files";
import { configOf, reference, STACK_IDS, synthesize } from "../support/synth";

function stacksOf(environment: "dev" | "prod", connectivity: (typeof CONNECTIVITIES)[number]): PricedStack[] {
  const { stacks } = synthesize(configOf(environment, { connectivity }));
  return STACK_IDS.map((id) => stacks[id]);
}

const prod = Object.fromEntries(CONNECTIVITIES.map((layout) => [layout, stacksOf("prod", layout)]));
const PRIVATELINK = prod["privatelink"] as PricedStack[];
const costs = Object.fromEntries(Object.entries(prod).map(([layout, stacks]) => [layout, idleCost(stacks)]));
const dollarsOf = (stacks: readonly PricedStack[], pattern: RegExp) =>
  together(idleCost(stacks).filter(({ what }) => pattern.test(what)));
const textOf = (path: string) => readFileSync(join(PROJECT, path), "utf8");

test("cost.md has the tables that the stacks and the counts give, and usage.md the sums; otherwise run npm run cost -- --write", async () => {
  const ways = await countWays();
  for (const table of [costTable(costs), wayTable(ways), countTable(ways)]) {
    expect(textOf("docs/cost.md")).toContain(table);
  }
  for (const [layout, lines] of Object.entries(costs)) {
    expect(textOf("docs/usage.md")).toMatch(
      new RegExp(`^\\| \`${layout}\`[^|]*\\| \\${inDollars(together(lines))} \\|`, "m"),
    );
    expect(textOf("docs/deploy.md")).toContain(`${inDollars(together(lines))} `);
  }
});

test("every price names the copy that it was read in", () => {
  for (const name of Object.keys(PRICES) as PriceName[]) expect(sourceOf(name)).not.toBe("");
  expect(() => sourceOf("goldBar" as PriceName)).toThrow("has no source");
});

test("a payment sent alone, in a list, as a message and in a file has a row, an audit record and both sealed", async () => {
  for (const way of ["single", "list", "message", "fileRow"] as const) {
    const counted = await countWay(way);
    expect(counted).toMatchObject({ sealedRecords: 2, readUnits: 0 });
    expect(counted.tableWriteUnits).toBe(
      2 * (Math.ceil(counted.rowBytes / 1024) + Math.ceil(counted.recordBytes / 1024)),
    );
    expect(counted.indexWriteUnits).toBe(way === "single" || way === "list" ? 4 : 3);
  }
});

test("twice the volume costs twice as much, except for what an even rate shares", async () => {
  const counted = await countWay("single");
  const dollarsOf = (count: number, pattern: RegExp) =>
    together(variableLines("single", counted, count).filter(({ what }) => pattern.test(what)));
  for (const line of [/of the tables/, /CloudTrail: calls/, /Lambda requests/, /GB stored/]) {
    expect(dollarsOf(2e6, line)).toBeCloseTo(2 * dollarsOf(1e6, line));
  }
  expect(dollarsOf(2e6, /proofs: write units/)).toBeLessThan(2 * dollarsOf(1e6, /proofs: write units/));
});

test("a batch of the sealer is as long as the stream's wait at an even rate, one record at least and a thousand at most", () => {
  expect(sealing(1, 1)).toEqual({ batches: 1, writeUnits: 4 });
  expect(sealing(1e12, 2).batches).toBe(1e9);
  expect(sealing(1e12, 2).writeUnits).toBeCloseTo(0.156e12);
});

test("dev and prod cost the same while nobody uses them", () => {
  expect(idleCost(stacksOf("dev", "privatelink"))).toEqual(costs["privatelink"]);
});

test("a type of resource without a price is an error that names it", () => {
  const added = { resource: { aws_gold_bar: { one: {} } } };
  expect(() => idleCost([...PRIVATELINK, added])).toThrow("No price is known of aws_gold_bar.");
});

test("a network interface in one more zone, a key, a dashboard cost what they cost", () => {
  const added = {
    resource: {
      aws_vpc_endpoint: {
        more: { vpc_endpoint_type: "Interface", subnet_ids: ["a"] },
        free: { vpc_endpoint_type: "Gateway" },
      },
      aws_kms_key: { more: {} },
      aws_cloudwatch_dashboard: { more: {} },
    },
  };
  expect(together(idleCost([...PRIVATELINK, added])) - together(idleCost(PRIVATELINK))).toBeCloseTo(7.3 + 1 + 3);
});

test("an alarm on an expression costs as much as the metrics in it, any other as one", () => {
  const metric = { metric: { metric_name: "x" } };
  const added = {
    resource: {
      aws_cloudwatch_metric_alarm: { sum: { metric_query: [{ expression: "m1+m2" }, metric, metric] }, plain: {} },
    },
  };
  const alarms = /alarms/;
  expect(dollarsOf([...PRIVATELINK, added], alarms) - dollarsOf(PRIVATELINK, alarms)).toBeCloseTo(0.3);
});

test("a schedule costs its runs: twice as many heartbeats, twice their price; an unknown form is an error", () => {
  const faster = (schedule_expression: string): PricedStack[] => {
    const target = { arn: reference("aws_lambda_function.seal-audit-trail.arn") };
    const resource = { aws_scheduler_schedule: { "seal-heartbeat-schedule": { schedule_expression, target } } };
    return [...PRIVATELINK, { resource }];
  };
  const heartbeats = /heartbeats: signatures/;
  expect(dollarsOf(faster("rate(2 minutes)"), heartbeats)).toBeCloseTo(dollarsOf(PRIVATELINK, heartbeats) / 2);
  expect(() => idleCost(faster("at(2026-11-28T00:00:00)"))).toThrow("a form that");
});

test("a heartbeat of a log to which nothing came makes the calls that are priced", async () => {
  let now = Date.parse("2026-11-21T12:00:00.000Z");
  const clock = () => {
    now += 60_000;
    return new Date(now);
  };
  const sealer = startSealer(fakeWorld(), { clock });
  // More than one full tile: heartbeats alone fill that many in a day.
  const services = stubServices();
  const payments = await Promise.all(Array.from({ length: 300 }, (_, i) => aPaymentRecord(`txn-${i}`, services)));
  await sealer.seal(payments.map((now) => streamRecord(LEDGER, { now })));
  await sealer.beat();
  const calls: Record<string, number> = {};
  const { s3, kms, dynamo } = sealer.clients;
  for (const { middlewareStack } of [s3, kms, dynamo]) {
    (middlewareStack as DynamoDBClient["middlewareStack"]).add(
      (next, context) => (args) => {
        const name = String(context["commandName"]).replace("Command", "");
        calls[name] = (calls[name] ?? 0) + 1;
        return next(args);
      },
      { step: "initialize", name: "calls", priority: "high" },
    );
  }
  await sealer.beat();
  expect(calls).toEqual(HEARTBEAT_CALLS);
});
