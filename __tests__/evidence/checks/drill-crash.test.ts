/** The drill's process dies at any of its calls, before the call took effect or after: the next steps end the drill as if nothing had been. */
import { type DrillOperationSettings, drillRestore } from "../../../evidence/checks/drill-operation";
import { s3DrillBucket } from "../../../evidence/checks/drill-state";
import { drillTables } from "../../../evidence/checks/drill-tables";
import { s3Evidence } from "../../../evidence/checks/s3-evidence";
import type { Services } from "../../../ledger/store/services";
import { FAULTS } from "../../../local/fault-proxy";
import { type AwsClients, awsClients } from "../../support/aws-clients";
import { DrillWorld, EXPORT_BUCKET, importsEnd } from "./drill-world";
import { EVIDENCE_BUCKET } from "./sealed-ledger";

let world: DrillWorld;
/** A dead process tries nothing again. */
let clients: AwsClients;
let settings: DrillOperationSettings;
let services: Services;
let days = 2;

beforeAll(async () => {
  world = await DrillWorld.start();
  await world.ledger.record(3, world.day(0));
  await world.ledger.seal(world.day(0.1));
  await world.exportAll(1);
  await world.ledger.seal(world.day(1.1));
  const { clientConfig, proxy } = world.ledger.harness;
  clients = awsClients({ ...clientConfig, maxAttempts: 1 }, proxy);
  const { dynamo, s3 } = clients;
  services = { ...world.ledger.harness.services, dynamo };
  settings = world.settings({
    exports: { s3, bucket: EXPORT_BUCKET },
    state: s3DrillBucket(s3, EXPORT_BUCKET),
    dynamo,
    scratch: drillTables(dynamo),
    evidence: s3Evidence(s3, EVIDENCE_BUCKET),
  });
});
afterAll(async () => {
  clients?.destroy();
  await world?.stop();
});

async function step(kind: string): Promise<void> {
  const call = world.ledger.harness.call("drill_restore", world.day(days));
  await drillRestore({ kind }, call, services, settings);
}

/** The first call takes effect and its answer is lost; nothing after it reaches AWS. From 0: not even the first does. */
async function diesAfter(kind: string, call: number): Promise<void> {
  const { proxy } = world.ledger.harness;
  proxy.reset();
  if (call > 0) proxy.inject({ target: "*", calls: { from: call }, fault: FAULTS.loseAnswer() });
  const rest = { from: Math.max(call, 1), to: Number.MAX_SAFE_INTEGER };
  proxy.inject({ target: "*", calls: rest, fault: FAULTS.disconnect() });
  await expect(step(kind)).rejects.toThrow();
  proxy.reset();
}

const WRITES = /^PUT |^DynamoDB\.(ImportTable|DeleteTable|TransactWriteItems)$/;

/** The calls of a step that change something. A death between two others leaves what a death before the first of them leaves. */
async function writesOf(kind: string): Promise<number[]> {
  const { proxy } = world.ledger.harness;
  proxy.reset();
  await step(kind);
  return proxy.calls.flatMap(({ number, target }) => (WRITES.test(target) ? [number] : []));
}

async function endsWell(): Promise<void> {
  const { last } = await world.finish(days);
  expect(last).toMatchObject({ drill: world.day(days).toISOString(), passed: true });
  expect(await world.scratchTables()).toEqual([]);
  const tables = await world.tableNames();
  expect(tables).toEqual(expect.arrayContaining(["PaymentLedger", "PaymentAuditTrail", "payment-transactions"]));
}

/** Each drill waits for its imports. */
const DRILLS_TIMEOUT_MS = 240_000;

let drills = 0;
beforeEach(() => {
  days += 0.01;
});

async function wasOneDrill(): Promise<void> {
  await endsWell();
  drills += 1;
  expect(await world.drillRecords()).toHaveLength(drills);
}

test(
  "between any two calls of the step that begins a drill",
  async () => {
    const writes = await writesOf("start");
    expect(writes).toHaveLength(8);
    await wasOneDrill();
    for (const call of [0, ...writes]) {
      days += 0.01;
      await diesAfter("start", call);
      // It may have died before it could say that it began; somebody asks again.
      if ((await settings.state.load()).state.phase === "idle") await step("start");
      await wasOneDrill();
    }
  },
  DRILLS_TIMEOUT_MS,
);

test(
  "between any two calls of the step that ends it",
  async () => {
    await step("start");
    await importsEnd();
    const writes = await writesOf("step");
    expect(writes).toHaveLength(11);
    await wasOneDrill();
    for (const call of [0, ...writes]) {
      days += 0.01;
      await step("start");
      await importsEnd();
      await diesAfter("step", call);
      await wasOneDrill();
    }
  },
  DRILLS_TIMEOUT_MS,
);
