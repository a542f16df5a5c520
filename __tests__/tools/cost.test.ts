/** The cost of a month, used or not: complete, counted, and the same in the documents. */

import { readFileSync } from "node:fs";
import { join } from "node:path";
import type { DynamoDBClient } from "@aws-sdk/client-dynamodb";
import { loadConfig, OVERRIDES } from "../../stacks/config/load";
import { CONNECTIVITIES } from "../../stacks/config/types";
import { countWays } from "../../tools/cost/cost";
import { countWay, WAYS, type WayCounts } from "../../tools/cost/counted";
import { HEARTBEAT_CALLS, idleCost, type PricedStack, together } from "../../tools/cost/idle";
import { keptLines } from "../../tools/cost/kept";
import { PRICES, type PriceName, sourceOf } from "../../tools/cost/prices";
import {
  costTable,
  countTable,
  type IdleMonths,
  inDollars,
  millionRange,
  priceSentence,
  profileTable,
  wayTable,
} from "../../tools/cost/tables";
import { apiLines, sealing, variableLines } from "../../tools/cost/variable";
import { aPaymentRecord, LEDGER, streamRecord } from "../evidence/sealing/changes";
import { startSealer } from "../evidence/sealing/sealer";
import { fakeWorld } from "../evidence/sealing/worlds";
import { stubServices } from "../ledger/rules/stub-services";
import { PROJECT } from "../support/project-files";
import { configOf, reference, STACK_IDS, synthesize, WITH_PRIVATE_API } from "../support/synth";

function stacksOf(
  environment: "dev" | "prod",
  connectivity: (typeof CONNECTIVITIES)[number],
  zones = "a,b,c",
): PricedStack[] {
  const { stacks } = synthesize(
    loadConfig({
      [OVERRIDES.environment]: environment,
      [OVERRIDES.connectivity]: connectivity,
      [OVERRIDES.availabilityZones]: zones,
    }),
  );
  return STACK_IDS.map((id) => stacks[id]);
}

const prod = Object.fromEntries(CONNECTIVITIES.map((layout) => [layout, stacksOf("prod", layout)]));
const PRIVATELINK = prod["privatelink"] as PricedStack[];
const costs = Object.fromEntries(Object.entries(prod).map(([layout, stacks]) => [layout, idleCost(stacks)]));
/** By zones: one, two, three. */
const months = ["a", "a,b", "a,b,c"].map((zones) =>
  Object.fromEntries(CONNECTIVITIES.map((layout) => [layout, together(idleCost(stacksOf("prod", layout, zones)))])),
) as IdleMonths;
const dollarsOf = (stacks: readonly PricedStack[], pattern: RegExp) =>
  together(idleCost(stacks).filter(({ what }) => pattern.test(what)));
const textOf = (path: string) => readFileSync(join(PROJECT, path), "utf8");

test("cost.md has the tables that the stacks and the counts give, and usage.md the sums; otherwise run npm run cost -- --write", async () => {
  const ways = await countWays();
  for (const table of [costTable(costs), profileTable(months), wayTable(ways), countTable(ways)]) {
    expect(textOf("docs/cost.md")).toContain(table);
  }
  for (const [layout, lines] of Object.entries(costs)) {
    expect(textOf("docs/usage.md")).toMatch(
      new RegExp(`^\\| \`${layout}\`[^|]*\\| \\${inDollars(together(lines))} \\|`, "m"),
    );
    expect(textOf("docs/deploy.md")).toContain(`${inDollars(together(lines))} `);
  }
});

test("the README names the price of an idle month, that of the small profile, and that of a million payments", async () => {
  const range = millionRange(await countWays());
  expect(textOf("README.md")).toContain(`a million payments ${range}`);
  expect(textOf("docs/deploy.md").replaceAll("\n", " ")).toContain(`about ${range} for a million payments`);
  expect(textOf("README.md")).toContain(priceSentence(months));
  expect(priceSentence(months)).toMatch(/^A deployment costs about \$\d+ a month idle, \$\d+ in one zone/);
});

test("a zone less saves an endpoint of DynamoDB and one of KMS; with nat zones cost nothing", () => {
  const zone = PRICES.endpointZoneHour * 730;
  const [one, two, three] = months;
  for (const [fewer, more] of [
    [one, two],
    [two, three],
  ]) {
    expect((more?.privatelink ?? 0) - (fewer?.privatelink ?? 0)).toBeCloseTo(2 * zone);
    expect((more?.["nat-privatelink"] ?? 0) - (fewer?.["nat-privatelink"] ?? 0)).toBeCloseTo(zone);
    expect(more?.nat).toBeCloseTo(fewer?.nat ?? 0);
  }
});

test("what is kept: storage of the months before, and copies as large as the tables were on their day", () => {
  const { backups, retention } = configOf("prod");
  const of = (months: number, what: RegExp, changes: object = {}) =>
    together(
      keptLines({ tableGigabytes: 1, evidenceGigabytes: 1 }, months, { backups, retention, ...changes }).filter(
        (line) => what.test(line.what),
      ),
    );
  expect(of(1, /earlier months/)).toBe(0);
  expect(of(13, /GB stored of earlier/)).toBeCloseTo(12 * PRICES.tableGigabyte);
  // After the retention each month adds as much as the one before: 35 daily and 58 weekly copies of what it added.
  expect(of(40, /vault/) - of(39, /vault/)).toBeCloseTo((35 + 58) * PRICES.backupGigabyte);
  const daily = { ...backups, daily: { ...backups.daily, retentionDays: 7 } };
  expect(of(40, /vault/, { backups: daily })).toBeLessThan(of(40, /vault/));
  // Two readings a day of all, 4 KB for half a unit.
  expect(of(2, /sweep/)).toBeCloseTo(2 * 2 * (365 / 12) * (1e9 / 4096 / 2) * PRICES.readUnit);
});

test("a file's own requests are shared by its rows", async () => {
  const [few, many] = [await countWay("fileRow", 5), await countWay("fileRow", 50)];
  expect(few.calls).toBe(1 / 5);
  expect(few.objects).toBeCloseTo(10 * many.objects);
  expect(few.recordBytes).toBeGreaterThan(0);
});

test("the private API costs its endpoint in three zones and each request, as cost.md says", () => {
  const { stacks } = synthesize(configOf("prod", WITH_PRIVATE_API));
  const endpoint = together(idleCost(STACK_IDS.map((id) => stacks[id]))) - together(costs["privatelink"] ?? []);
  // The rule that reports changes of the API is one more metric of the alarm on these rules.
  const rule = PRICES.alarmMetric;
  const counted = { calls: 1 } as WayCounts;
  const [requests] = apiLines("single", counted, 1_000_000);
  expect(textOf("docs/cost.md")).toContain(
    `the private API adds ${inDollars(endpoint)} a month (${inDollars(endpoint - rule)} of it for its endpoint in three zones) and ${inDollars(requests?.dollars ?? 0)} for a million requests`,
  );
  const withRequests = WAYS.filter((way) => apiLines(way, counted, 1_000_000).length > 0);
  expect(withRequests).toEqual(["single", "list", "refund", "event", "read"]);
});

test("checks in pieces cost their state transitions, and every alarm and run as before, as scale.md says", () => {
  const { stacks } = synthesize(configOf("dev", { checkPieces: 64 }));
  const lines = idleCost(STACK_IDS.map((id) => stacks[id]));
  const own = lines.filter(({ what }) => what.startsWith("Checks in pieces"));
  // Two checks a day, a drill each third day, and an hourly look whether one is due.
  const perDay = (6 + 3 * 64) * 2 + 24 * 3 + (3 + 3 * 64) / 3;
  expect(own).toEqual([expect.objectContaining({ count: expect.closeTo((perDay * 365) / 12, 0) })]);
  expect(together(lines) - together(own)).toBeCloseTo(together(costs["privatelink"] ?? []), 2);
  expect(textOf("docs/scale.md")).toContain(`${inDollars(together(own))} a month with 64 pieces`);
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

test("a refund is two events with their records, two calls and one check of the payment's row", async () => {
  const refund = await countWay("refund");
  expect(refund).toMatchObject({ sealedRecords: 4, transactions: 2, calls: 2 });
  // Two rows within 1 KB, two records above it, and the check; in a transaction each counts twice.
  expect([refund.rowBytes / 2 < 1024, refund.recordBytes / 2 > 1024]).toEqual([true, true]);
  expect(refund.tableWriteUnits).toBe(2 * (2 + 4 + 1));
  // Three indexes of each record, and the list of holds.
  expect(refund.indexWriteUnits).toBe(2 * 3 + 1);
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

test("a batch of the sealer is the first record and what a shard brings while it waits, a thousand at most", () => {
  expect(sealing(1, 1).batches).toBeCloseTo(1, 4);
  expect(sealing(1, 1).writeUnits).toBeCloseTo(4, 4);
  // Four shards in 730 hours: in each the second record comes after 20 seconds.
  expect(sealing((4 * 730 * 3600) / 20, 1)).toEqual({
    batches: (2 * 730 * 3600) / 20,
    writeUnits: expect.closeTo((8 * 730 * 3600) / 20, 3),
  });
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
