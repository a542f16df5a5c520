/** The cost of an unused month: complete, counted from the stacks, and the same in the documents. */

import { readFileSync } from "node:fs";
import { join } from "node:path";
import type { DynamoDBClient } from "@aws-sdk/client-dynamodb";
import { CONNECTIVITIES } from "../../stacks/config/types";
import { costTable, inDollars } from "../../tools/idle-cost";
import { HEARTBEAT_CALLS, idleCost, type PricedStack, together } from "../../tools/idle-prices";
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

test("deploy.md has the table that the stacks give, and usage.md its sums; otherwise run npm run idle-cost -- --write", () => {
  expect(textOf("docs/deploy.md")).toContain(costTable(costs));
  for (const [layout, lines] of Object.entries(costs)) {
    expect(textOf("docs/usage.md")).toMatch(
      new RegExp(`^\\| \`${layout}\`[^|]*\\| \\${inDollars(together(lines))} \\|`, "m"),
    );
  }
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
