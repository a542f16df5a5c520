import { rmSync } from "node:fs";
import path from "node:path";
import { DynamoDBClient, ScanCommand } from "@aws-sdk/client-dynamodb";
import { type Deployment, deploy } from "../../local/deploy";
import type { EmbeddedAws } from "../../local/embedded-aws";
import { FAULTS, type FaultProxy, startFaultProxy } from "../../local/fault-proxy";
import { type BundleRun, runBundle, startBundle } from "../../local/run-bundle";
import { sharedEmbeddedAws } from "../support/shared-aws";
import { writeProbeApp } from "./fixture";
import { isRunning } from "./processes";

let app: string;
let aws: EmbeddedAws;
let proxy: FaultProxy;
let deployment: Deployment;

beforeAll(async () => {
  app = writeProbeApp();
  aws = await sharedEmbeddedAws();
  deployment = await deploy({ aws, outputDirectory: app });
  const { AWS_ENDPOINT_URL: gate = "" } = deployment.functionEnvironment("persistPaymentLedger");
  proxy = await startFaultProxy(gate);
});

afterAll(async () => {
  await proxy?.stop();
  await aws?.stop();
  rmSync(app, { recursive: true });
});

beforeEach(() => proxy.reset());

function probe(event: unknown, more: Partial<BundleRun> = {}): BundleRun {
  return {
    bundle: path.join(app, "stacks", "app", "assets", "probe.zip"),
    event,
    environment: {
      ...deployment.functionEnvironment("persistPaymentLedger"),
      AWS_ENDPOINT_URL_DYNAMODB: proxy.url,
    },
    credentials: { accessKeyId: "111122223333", secretAccessKey: "embedded" },
    region: deployment.region,
    ...more,
  };
}

async function storedIds(): Promise<(string | undefined)[]> {
  const client = new DynamoDBClient(deployment.clientConfig());
  const { Items = [] } = await client.send(new ScanCommand({ TableName: deployment.tableName("paymentLedger") }));
  return Items.map((item) => item["TransactionID"]?.S).sort();
}

test("an answer comes back as the handler gave it", async () => {
  const result = await runBundle(probe({ mode: "reach" }));
  expect(result).toMatchObject({ outcome: "answered", answer: { tables: ["PaymentLedger-test"] } });
});

test("an error comes back by name and message", async () => {
  const result = await runBundle(probe({ mode: "nonsense" }));
  expect(result).toMatchObject({ outcome: "failed", errorName: "RangeError", errorMessage: "unknown mode nonsense" });
});

test("nothing of this process's environment reaches it but PATH", async () => {
  process.env["LEAKY_SECRET"] = "do not pass on";
  const result = await runBundle(probe({ mode: "environment" }));
  delete process.env["LEAKY_SECRET"];
  expect(JSON.stringify(result)).not.toContain("do not pass on");
});

test("killed between its second and third call, exactly the first two writes are there", async () => {
  proxy.inject({ target: "DynamoDB.PutItem", calls: { from: 3 }, fault: FAULTS.before(() => running.kill()) });
  const running = startBundle(probe({ mode: "put", ids: ["k1", "k2", "k3", "k4"] }));
  const result = await running.result;
  expect(result).toMatchObject({ outcome: "killed", signal: "SIGKILL" });
  expect(isRunning(running.pid)).toBe(false);
  expect(proxy.count("DynamoDB.PutItem")).toBe(3);
  // The third call was on its way when its caller died: the proxy still delivers it, as a network would.
  expect((await storedIds()).slice(0, 2)).toEqual(["k1", "k2"]);
  expect(await storedIds()).not.toContain("k4");
});

test("a handler that never ends is ended", async () => {
  proxy.inject({ target: "DynamoDB.PutItem", fault: FAULTS.before(() => new Promise(() => {})) });
  const result = await runBundle(probe({ mode: "put", ids: ["slow"] }, { timeoutMs: 1_500 }));
  expect(result.outcome).toBe("timedOut");
});
