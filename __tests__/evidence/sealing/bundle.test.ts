/** Sealer and publisher as they are deployed: their real bundles, killed at their AWS calls. */

import { rmSync } from "node:fs";
import path from "node:path";
import { CreateKeyCommand } from "@aws-sdk/client-kms";
import { ENV, TABLES } from "../../../contract";
import { deriveMacKeys } from "../../../ledger/store/key-material";
import type { Services } from "../../../ledger/store/services";
import { FAULTS } from "../../../local/fault-proxy";
import { type BundleResult, startBundle } from "../../../local/run-bundle";
import { stubServices } from "../../ledger/rules/stub-services";
import { bundleHandlers, ledgerVariables } from "../../support/bundles";
import { aMessageRecord, LEDGER, MESSAGES, type StreamRecord, streamRecord } from "./changes";
import type { Clients } from "./fake-aws";
import { checkLog, type Expected, expectationOf, type RaceWorld } from "./race";
import { EVIDENCE_KEY_ARN, ORIGIN, startSealer } from "./sealer";
import { type EmbeddedWorld, startEmbeddedWorld } from "./worlds";

let embedded: EmbeddedWorld;
let folder: string;
let world: RaceWorld;
let direct: Clients;
let services: Services;
let environment: Record<string, string>;
beforeAll(async () => {
  folder = bundleHandlers("seal-audit-trail", "publish-checkpoint");
  embedded = await startEmbeddedWorld();
  const log = await embedded.makeLog("bundle-log");
  world = log;
  direct = log.direct;
  const { kms } = log.direct;
  const { KeyMetadata } = await kms.send(
    new CreateKeyCommand({ KeySpec: "HMAC_256", KeyUsage: "GENERATE_VERIFY_MAC" }),
  );
  const macKeyArn = KeyMetadata?.Arn ?? "";
  const macKeys = deriveMacKeys(kms, macKeyArn);
  services = { ...stubServices(), macKeys: () => macKeys };
  environment = {
    ...ledgerVariables(embedded.proxy.url, { token: macKeyArn, audit: macKeyArn, mac: macKeyArn }),
    [ENV.logStateTable]: world.tableName,
    [ENV.evidenceBucket]: world.bucket,
    [ENV.evidenceKeyArn]: EVIDENCE_KEY_ARN,
    [ENV.logOrigin]: ORIGIN,
    [ENV.streamArns]: Object.values(TABLES)
      .map(({ logicalName }) => `${logicalName}=arn:aws:dynamodb:us-east-1:111122223333:table/${logicalName}/stream/x`)
      .join(),
    [ENV.checkpointKeyArns]: world.keyArns.join(","),
  };
});
afterAll(async () => {
  rmSync(folder, { recursive: true, force: true });
  await embedded?.stop();
});

/** A heartbeat goes to the publisher, everything else to the sealer. */
function start(event: unknown, functionName = event === heartbeat ? "publish_checkpoint" : "seal_audit_trail") {
  const { credentials, region } = embedded.aws;
  if (credentials === undefined) throw new Error("The embedded AWS has its own credentials.");
  const bundle = path.join(folder, `${functionName.replaceAll("_", "-")}.js`);
  return startBundle({ bundle, event, environment, credentials, region, functionName });
}

async function answered(event: unknown): Promise<BundleResult & { outcome: "answered" }> {
  embedded.proxy.reset();
  const result = await start(event).result;
  if (result.outcome !== "answered") throw new Error(`The sealer did not answer: ${JSON.stringify(result)}`);
  return result;
}

async function killedAt(call: number, event: unknown): Promise<BundleResult> {
  embedded.proxy.reset();
  const running = start(event);
  const hook = () => running.kill();
  // Before and after in turns: both moments of every call are the subject of the races in memory.
  const fault = call % 2 === 0 ? FAULTS.before(hook) : FAULTS.after(hook);
  embedded.proxy.inject({ target: "*", calls: { from: call }, fault });
  return running.result;
}

const heartbeat = { kind: "heartbeat" };
let made = 0;
const newRecords = (count: number): Promise<StreamRecord[]> =>
  Promise.all(
    Array.from({ length: count }, async () =>
      streamRecord(MESSAGES, { now: await aMessageRecord(`msg-${++made}`, services) }),
    ),
  );

test("killed at each of its calls it loses nothing, and says in its log what it did and nothing of what it saw", async () => {
  const expected: Expected = { entries: [] };
  const take = async (count: number) => {
    const records = await newRecords(count);
    expected.entries.push(...records.map(expectationOf));
    return records;
  };
  const first = await take(3);
  const sealed = await answered({ Records: first });
  expect(sealed.answer).toEqual({
    outcome: "sealed",
    counts: { sealed: 3, repeated: 0, forged: 0, tampered: 0, unconfirmed: 0, size: 3 },
  });
  const sealCalls = embedded.proxy.calls.length;
  const beaten = await answered(heartbeat);
  expect(beaten.answer).toEqual({ outcome: "published", counts: { size: 4 } });
  const beatCalls = embedded.proxy.calls.length;
  expect(sealed.logs).toContain('"sealed":3,"repeated":0');
  expect(beaten.logs).toContain('"CheckpointPublished":1');
  expect(sealed.logs + beaten.logs).not.toContain("msg-1");

  const all = [...first];
  let killed = 0;
  for (let call = 1; call <= Math.max(sealCalls, beatCalls); call++) {
    const records = await take(2);
    all.push(...records);
    if ((await killedAt(call, { Records: records })).outcome === "killed") killed += 1;
    // A heartbeat so soon after another makes all its calls only where something new is sealed.
    const news = streamRecord(MESSAGES, { now: await aMessageRecord(`news-${call}`, stubServices()) });
    expected.entries.push(expectationOf(news));
    await startSealer({ ...world, clients: () => direct }).seal([news]);
    if ((await killedAt(call, heartbeat)).outcome === "killed") killed += 1;
  }
  expect(killed).toBeGreaterThanOrEqual(sealCalls + beatCalls - 2);
  await answered({ Records: all });
  await answered(heartbeat);
  expect(await checkLog(world, expected)).toMatchObject({ repeats: 0 });
}, 180_000);

test("a forgery is an alarm, and an invalid event fails and is not repeated in the log", async () => {
  const [record] = await newRecords(1);
  const forged = { ...record, dynamodb: { ...record?.dynamodb, NewImage: { paymentId: { S: "msg-forged-4711" } } } };
  await world.putRecord(MESSAGES, { paymentId: { S: `msg-${made}` } });
  const { logs } = await answered({ Records: [forged] });
  expect(logs).toContain('"TamperingSealed":1');
  expect(logs).toContain('"forged":1');
  for (const functionName of ["seal_audit_trail", "publish_checkpoint"]) {
    const failed = await start({ kind: "heartbeat-4711" }, functionName).result;
    expect(failed).toMatchObject({ outcome: "failed", errorName: "TechnicalFault" });
    expect(failed.logs).toContain('"code":"UNKNOWN_EVENT"');
    expect(logs + failed.logs).not.toContain("4711");
  }
  const elsewhere = streamRecord(LEDGER, { now: { TransactionID: { S: "t" } } }, "another-table");
  const unknown = await start({ Records: [elsewhere] }).result;
  expect(unknown.logs).toContain('"code":"UNKNOWN_STREAM"');
});
